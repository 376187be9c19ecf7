#include "DelayedLibrary.h"

#define USRSCTP_FUNCTIONS(F) \
    F(usrsctp_bind) F(usrsctp_close) F(usrsctp_connect) F(usrsctp_conninput) F(usrsctp_deregister_address) \
    F(usrsctp_enable_crc32c_offload) F(usrsctp_getsockopt) F(usrsctp_handle_timers) F(usrsctp_init_nothreads) F(usrsctp_register_address) \
    F(usrsctp_sendv) F(usrsctp_set_non_blocking) F(usrsctp_setsockopt) F(usrsctp_socket) \
    F(usrsctp_sysctl_set_sctp_L2_abc_variable) F(usrsctp_sysctl_set_sctp_asconf_enable) F(usrsctp_sysctl_set_sctp_assoc_rtx_max_default) \
    F(usrsctp_sysctl_set_sctp_auth_enable) F(usrsctp_sysctl_set_sctp_blackhole) \
    F(usrsctp_sysctl_set_sctp_delayed_sack_time_default) F(usrsctp_sysctl_set_sctp_ecn_enable) \
    F(usrsctp_sysctl_set_sctp_heartbeat_interval_default) F(usrsctp_sysctl_set_sctp_init_rto_max_default) \
    F(usrsctp_sysctl_set_sctp_init_rtx_max_default) F(usrsctp_sysctl_set_sctp_initial_cwnd) \
    F(usrsctp_sysctl_set_sctp_max_burst_default) F(usrsctp_sysctl_set_sctp_max_chunks_on_queue) \
    F(usrsctp_sysctl_set_sctp_path_rtx_max_default) F(usrsctp_sysctl_set_sctp_rto_initial_default) \
    F(usrsctp_sysctl_set_sctp_rto_max_default) F(usrsctp_sysctl_set_sctp_rto_min_default)
DELAYED_LIBRARY(delayed_usrsctp, "libusrsctp.so.2", USRSCTP_FUNCTIONS)

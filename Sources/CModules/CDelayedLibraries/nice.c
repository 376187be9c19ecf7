#include "DelayedLibrary.h"

#define GLIB_FUNCTIONS(F) \
    F(g_free) F(g_main_context_new) F(g_main_context_pop_thread_default) F(g_main_context_push_thread_default) \
    F(g_main_context_unref) F(g_main_current_source) F(g_main_loop_new) F(g_main_loop_quit) \
    F(g_main_loop_run) F(g_main_loop_unref) F(g_slist_append) F(g_slist_free_full) F(g_source_add_unix_fd) \
    F(g_source_attach) F(g_source_destroy) F(g_source_get_time) F(g_source_new) F(g_source_query_unix_fd) \
    F(g_source_remove_unix_fd) F(g_source_set_can_recurse) F(g_source_unref)
DELAYED_LIBRARY(delayed_glib, "libglib-2.0.so.0", GLIB_FUNCTIONS)

#define GOBJECT_FUNCTIONS(F) \
    F(g_object_ref) F(g_object_set) F(g_object_unref) F(g_signal_connect_data) F(g_signal_handlers_disconnect_matched)
DELAYED_LIBRARY(delayed_gobject, "libgobject-2.0.so.0", GOBJECT_FUNCTIONS)

#define GIO_FUNCTIONS(F) F(g_socket_get_fd)
DELAYED_LIBRARY(delayed_gio, "libgio-2.0.so.0", GIO_FUNCTIONS)

#define NICE_FUNCTIONS(F) \
    F(nice_address_copy_to_sockaddr) F(nice_address_get_port) F(nice_address_init) F(nice_address_ip_version) \
    F(nice_address_set_from_string) F(nice_address_to_string) \
    F(nice_agent_add_local_address) F(nice_agent_add_stream) F(nice_agent_attach_recv) F(nice_agent_close_async) \
    F(nice_agent_gather_candidates) F(nice_agent_generate_local_candidate_sdp) F(nice_agent_get_local_candidates) \
    F(nice_agent_get_local_credentials) F(nice_agent_get_selected_pair) F(nice_agent_get_selected_socket) F(nice_agent_new_full) \
    F(nice_agent_parse_remote_candidate_sdp) F(nice_agent_peer_candidate_gathering_done) F(nice_agent_remove_stream) \
    F(nice_agent_send) F(nice_agent_set_port_range) F(nice_agent_set_relay_info) F(nice_agent_set_remote_candidates) \
    F(nice_agent_set_remote_credentials) F(nice_candidate_free)
DELAYED_LIBRARY(delayed_nice, "libnice.so.10", NICE_FUNCTIONS)

#include "DelayedLibrary.h"

#define MOSQUITTO_FUNCTIONS(F) \
    F(mosquitto_connack_string) F(mosquitto_connect) F(mosquitto_connect_callback_set) F(mosquitto_destroy) \
    F(mosquitto_disconnect) F(mosquitto_lib_init) F(mosquitto_loop) F(mosquitto_message_callback_set) \
    F(mosquitto_new) F(mosquitto_publish) F(mosquitto_publish_callback_set) F(mosquitto_strerror) \
    F(mosquitto_subscribe) F(mosquitto_threaded_set) F(mosquitto_tls_set) F(mosquitto_username_pw_set) \
    F(mosquitto_will_set)
DELAYED_LIBRARY(delayed_mosquitto, "libmosquitto.so.1", MOSQUITTO_FUNCTIONS)

#pragma once
#include <alsa/asoundlib.h>

// The library prints every failure to standard error; ours are reported by the agent, once.
static inline void calsa_ignore_message(const char *file, int line, const char *function, int error, const char *format, ...) {}
static inline void calsa_keep_silent(void) { snd_lib_error_set_handler(calsa_ignore_message); }

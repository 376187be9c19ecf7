#pragma once
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/timex.h>

// prctl is variadic, which Swift cannot call.
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// Whether the kernel was told that its wall clock is synchronised. Glibc's Swift module leaves timex out.
static inline bool clinux_clock_is_synchronised(void) {
    struct timex clock = {.modes = 0};
    return adjtimex(&clock) >= 0 && !(clock.status & STA_UNSYNC);
}

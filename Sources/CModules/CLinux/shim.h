#pragma once
#include <spawn.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/timex.h>
#include <time.h>

// prctl is variadic, which Swift cannot call.
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// Swift sees only what headers show without _GNU_SOURCE.
extern char *strptime(const char *text, const char *format, struct tm *time);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// A program that is started gets no files but those it is given.
static inline int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

// Whether the kernel was told that its wall clock is synchronised. Glibc's Swift module leaves timex out.
static inline bool clinux_clock_is_synchronised(void) {
    struct timex clock = {.modes = 0};
    return adjtimex(&clock) >= 0 && !(clock.status & STA_UNSYNC);
}

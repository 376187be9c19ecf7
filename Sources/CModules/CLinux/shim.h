#pragma once
#include <errno.h>
#include <linux/gpio.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

// A thread that has to be on time is woken to the microsecond, not within the usual 50.
static inline void clinux_be_punctual(void) { prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); }

// A thread that runs before (below 0) or after others; this one alone, on Linux. The type of PRIO_PROCESS differs between
// compilations with and without _GNU_SOURCE. Where it is refused, nothing changes.
static inline void clinux_set_niceness(int niceness) { setpriority(PRIO_PROCESS, 0, niceness); }

// GPIO lines through the character device's second interface (linux/gpio.h). Its request is a structure of arrays that
// Swift can only see as tuples.

// The lines' file, or -1 with errno. Bit n of `levels` is line n of `offsets`; inputs have none.
static inline int clinux_gpio_request(
    int chip, const uint32_t *offsets, uint32_t count, uint64_t flags, uint64_t levels, const char *consumer) {
    struct gpio_v2_line_request request;
    if (count > GPIO_V2_LINES_MAX) { errno = EINVAL; return -1; }
    memset(&request, 0, sizeof request);
    memcpy(request.offsets, offsets, count * sizeof *offsets);
    strncpy(request.consumer, consumer, sizeof request.consumer - 1);
    request.num_lines = count;
    request.config.flags = flags;
    if (flags & GPIO_V2_LINE_FLAG_OUTPUT) {
        request.config.num_attrs = 1;
        request.config.attrs[0].mask = count == 64 ? ~0ULL : (1ULL << count) - 1;
        request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
        request.config.attrs[0].attr.values = levels;
    }
    return ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) < 0 ? -1 : request.fd;
}

static inline int clinux_gpio_set(int lines, uint64_t levels, uint64_t mask) {
    struct gpio_v2_line_values values = {.bits = levels, .mask = mask};
    return ioctl(lines, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
}

static inline int clinux_gpio_get(int lines, uint64_t *levels, uint64_t mask) {
    struct gpio_v2_line_values values = {.bits = 0, .mask = mask};
    int result = ioctl(lines, GPIO_V2_LINE_GET_VALUES_IOCTL, &values);
    *levels = values.bits;
    return result;
}

// Enumerators that are sums of shifts reach Swift in different types on different compilers.
static const uint64_t clinux_gpio_input = GPIO_V2_LINE_FLAG_INPUT;
static const uint64_t clinux_gpio_output = GPIO_V2_LINE_FLAG_OUTPUT;
static const uint64_t clinux_gpio_active_low = GPIO_V2_LINE_FLAG_ACTIVE_LOW;
static const uint64_t clinux_gpio_pull_up = GPIO_V2_LINE_FLAG_BIAS_PULL_UP;
static const uint64_t clinux_gpio_pull_down = GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN;

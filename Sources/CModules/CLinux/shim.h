#pragma once
#include <asm/unistd.h>
#include <errno.h>
#include <linux/gpio.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <time.h>

// prctl is variadic, which Swift cannot call.
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// Swift sees only what headers show without _GNU_SOURCE; unistd.h belongs to its Glibc module.
extern int close(int file);
extern long syscall(long number, ...);
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

// How many heaps threads share; glibc gives each a heap of its own otherwise, up to eight for each processor.
static inline void clinux_share_heaps(int count) { mallopt(M_ARENA_MAX, count); }

// No pages of 2 MB in place of 4 KB ones (PR_SET_THP_DISABLE, prctl(2)): of one a piece is used, all of it is resident.
// Programs that are started inherit it.
static inline void clinux_avoid_huge_pages(void) { prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); }

// Gives back to the system what is free in the heaps, also between what is used.
static inline void clinux_give_back_memory(void) { malloc_trim(0); }

// A file that is readable from when it is rung until it is hushed (eventfd(2)), which Swift's Glibc leaves out. -1 where
// there is none to be had.
static inline int clinux_make_bell(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
static inline void clinux_ring(int bell) { eventfd_write(bell, 1); }
static inline void clinux_hush(int bell) {
    eventfd_t count;
    eventfd_read(bell, &count);
}

// Datagrams of `segment` bytes each, of which the last may be shorter, to one address with one call (UDP_SEGMENT, udp(7)).
static inline ssize_t clinux_send_datagrams(
    int socket, const struct sockaddr_storage *to, socklen_t to_length, const void *bytes, size_t count, uint16_t segment) {
    struct iovec part = {(void *)bytes, count};
    union {
        char space[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr header;
    } control;
    struct msghdr message = {.msg_name = (void *)to, .msg_namelen = to_length, .msg_iov = &part, .msg_iovlen = 1};
    if (count > segment) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.header.cmsg_level = IPPROTO_UDP;
        control.header.cmsg_type = 103; // UDP_SEGMENT, which glibc's header hides without _GNU_SOURCE
        control.header.cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(&control.header), &segment, sizeof segment);
    }
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Up to `count` datagrams that wait at a socket, with one call, `size` bytes apart in `space`. How many there were, or -1
// with errno. One that was longer has the length 0.
static inline int clinux_receive_datagrams(int socket, void *space, size_t size, uint32_t *lengths, int count) {
    // glibc hides its own without _GNU_SOURCE.
    struct { struct msghdr header; unsigned int length; } messages[32];
    struct iovec parts[32];
    if (count > 32) count = 32;
    memset(messages, 0, sizeof *messages * count);
    for (int index = 0; index < count; index++) {
        parts[index] = (struct iovec){(char *)space + index * size, size};
        messages[index].header.msg_iov = &parts[index];
        messages[index].header.msg_iovlen = 1;
    }
    int received = (int)syscall(__NR_recvmmsg, socket, messages, count, MSG_DONTWAIT, NULL);
    for (int index = 0; index < received; index++)
        lengths[index] = messages[index].header.msg_flags & MSG_TRUNC ? 0 : messages[index].length;
    return received;
}

// A second socket at the address of a UDP socket that is bound. Datagrams that begin as DTLS does, with 20 to 63, come to
// it, all others to the first (SO_REUSEPORT and a filter, socket(7)). -1 with errno where the kernel does not do it.
static inline int clinux_share_port(int first) {
    struct sockaddr_storage address;
    int type, on = 1;
    socklen_t length = sizeof address, type_length = sizeof type;
    // Swift loses the names of types of sockets once they are used here.
    if (getsockname(first, (struct sockaddr *)&address, &length) < 0 ||
        getsockopt(first, SOL_SOCKET, SO_TYPE, &type, &type_length) < 0 ||
        setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return -1;
    int second = socket(address.ss_family, type, 0);
    if (second < 0) return -1;
    // The answer is the number of a socket, in the order of their coming; byte 0 is the payload's first. As in
    // linux/filter.h.
    struct { uint16_t code; uint8_t yes, no; uint32_t value; } choice[] = {
        {0x30, 0, 0, 0},  // byte 0
        {0x35, 0, 2, 20}, // at least 20?
        {0x25, 1, 0, 63}, // more than 63?
        {0x06, 0, 0, 1},  // the second socket
        {0x06, 0, 0, 0},  // the first
    };
    struct { unsigned short count; void *steps; } program = {sizeof choice / sizeof *choice, choice};
    if (ioctl(second, FIOCLEX) < 0 || setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        bind(second, (struct sockaddr *)&address, length) < 0 ||
        setsockopt(second, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) < 0) {
        int error = errno;
        close(second);
        errno = error;
        return -1;
    }
    return second;
}

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

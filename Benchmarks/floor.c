// The least a server can do for HTTP-FLV viewers: an epoll loop that calls send() once for each tag and viewer, as
// each tag becomes due. No GOP cache, no queues, no time stamps per viewer; who does not read ends the measurement.
//
//     floor PORT FILE.flv     serves the file's tags over and over, at the pace of their time stamps
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAXIMUM_VIEWERS = 4096, FLV_HEADER = 13, TAG_HEADER = 11, TAG_TRAILER = 4 };

struct tag {
    size_t offset, length;
    uint32_t time;
};

static uint8_t *file;
static struct tag *tags;
static size_t tag_count, head_length;
static uint32_t span;
static int viewers[MAXIMUM_VIEWERS], viewer_count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void read_file(const char *path) {
    int fd = open(path, O_RDONLY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0) fail(path);
    size_t size = info.st_size, got = 0;
    file = malloc(size);
    while (got < size) {
        ssize_t n = read(fd, file + got, size - got);
        if (n <= 0) fail(path);
        got += n;
    }
    close(fd);
    tags = malloc(sizeof *tags * (size / (TAG_HEADER + TAG_TRAILER) + 1));
    size_t position = FLV_HEADER;
    int started = 0;
    while (position + TAG_HEADER <= size) {
        uint8_t *t = file + position;
        size_t length = (size_t)t[1] << 16 | t[2] << 8 | t[3];
        uint32_t time = (uint32_t)t[7] << 24 | t[4] << 16 | t[5] << 8 | t[6];
        size_t whole = TAG_HEADER + length + TAG_TRAILER;
        if (position + whole > size) break;
        // Metadata and set-ups go to each viewer once, in front.
        if (!started && (t[0] == 18 || t[TAG_HEADER + 1] == 0)) {
            head_length = position + whole;
        } else {
            started = 1;
            tags[tag_count++] = (struct tag){position, whole, time};
        }
        position += whole;
    }
    if (tag_count < 2) {
        fprintf(stderr, "%s: no tags\n", path);
        exit(1);
    }
    span = tags[tag_count - 1].time - tags[0].time + 40;
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void send_all(const uint8_t *data, size_t length) {
    for (int i = 0; i < viewer_count; i++) {
        ssize_t n = send(viewers[i], data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n == (ssize_t)length) continue;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            close(viewers[i]);
            viewers[i--] = viewers[--viewer_count];
            continue;
        }
        fprintf(stderr, "floor: a viewer does not keep up; this measurement is void\n");
        exit(3);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: floor PORT FILE.flv\n");
        return 2;
    }
    read_file(argv[2]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1024) < 0) fail("listen");
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = timer;
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event);
    printf("ready\n");
    fflush(stdout);

    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nCache-Control: no-cache, no-store\r\nConnection: close\r\n\r\n";
    uint64_t start = now();
    size_t next = 0;
    for (;;) {
        uint64_t due = start + (uint64_t)(tags[next].time - tags[0].time) * 1000000;
        struct itimerspec when = {.it_value = {due / 1000000000, due % 1000000000}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
        struct epoll_event events[64];
        int count = epoll_wait(poll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int viewer;
                while ((viewer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(viewer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    event.data.fd = viewer;
                    epoll_ctl(poll, EPOLL_CTL_ADD, viewer, &event);
                }
            } else if (fd == timer) {
                uint64_t expirations;
                if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("timer");
            } else {
                char request[4096];
                ssize_t n = recv(fd, request, sizeof request, 0);
                epoll_ctl(poll, EPOLL_CTL_DEL, fd, NULL);
                if (n <= 0 || viewer_count == MAXIMUM_VIEWERS) {
                    close(fd);
                    continue;
                }
                send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
                send(fd, file, head_length, MSG_NOSIGNAL);
                viewers[viewer_count++] = fd;
            }
        }
        uint64_t time = now();
        while (start + (uint64_t)(tags[next].time - tags[0].time) * 1000000 <= time) {
            send_all(file + tags[next].offset, tags[next].length);
            if (++next == tag_count) {
                next = 0;
                start += (uint64_t)span * 1000000;
            }
        }
    }
}

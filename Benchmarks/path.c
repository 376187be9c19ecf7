// A way between viewers and a device that takes its time and loses some of what it carries: UDP, both directions alike.
//
//     path DELAY LOSS PORT COUNT    DELAY microseconds one way, LOSS of a thousand packets. What comes to port PORT+COUNT+n
//                                   goes to the device's PORT+n, and what that answers back to whoever spoke last; all on
//                                   127.0.0.1. Prints "ready", and ends with its standard input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CAPACITY = 1 << 14, LARGEST = 2048, MOST_WAYS = 256 };

struct way {
    int to_viewer, to_device;
    struct sockaddr_in viewer;
};
// The delay is the same for all, so what came first leaves first.
struct packet {
    int64_t due;
    unsigned way, length;
    bool to_device;
    char data[LARGEST];
};

static struct way ways[MOST_WAYS];
static struct packet *packets;
static unsigned first, count;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

// xorshift: the same losses in each run.
static unsigned draw(void) {
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % 1000;
}

static int open_socket(unsigned local, unsigned remote) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 1 << 21;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    address.sin_port = htons(local);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) perror("path: bind"), exit(1);
    address.sin_port = htons(remote);
    if (remote && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) perror("path: connect"), exit(1);
    return fd;
}

static void receive(unsigned index, bool to_device, int64_t delay, unsigned loss) {
    struct way *way = &ways[index];
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        // With no room left what comes is lost, as in a router.
        struct packet *packet = &packets[(first + count) % CAPACITY];
        char spare[LARGEST];
        ssize_t length = recvfrom(to_device ? way->to_viewer : way->to_device, count < CAPACITY ? packet->data : spare,
                                  LARGEST, 0, (struct sockaddr *)&from, &size);
        // A device whose port is closed is an error of the packet before; what follows is there all the same.
        if (length < 0) return;
        if (to_device) way->viewer = from;
        if (count == CAPACITY || draw() < loss) continue;
        packet->due = now() + delay;
        packet->way = index;
        packet->length = length;
        packet->to_device = to_device;
        count++;
    }
}

static void deliver(void) {
    while (count > 0 && packets[first].due <= now()) {
        struct packet *packet = &packets[first];
        struct way *way = &ways[packet->way];
        // What the other end does not take is lost.
        ssize_t sent = packet->to_device ? send(way->to_device, packet->data, packet->length, 0)
                                         : sendto(way->to_viewer, packet->data, packet->length, 0,
                                                  (struct sockaddr *)&way->viewer, sizeof way->viewer);
        (void)sent;
        first = (first + 1) % CAPACITY;
        count--;
    }
}

int main(int argc, char **argv) {
    unsigned port = argc == 5 ? atoi(argv[3]) : 0, number = argc == 5 ? atoi(argv[4]) : 0;
    if (port == 0 || number == 0 || number > MOST_WAYS) {
        fprintf(stderr, "usage: path DELAY LOSS PORT COUNT\n");
        return 2;
    }
    int64_t delay = atoll(argv[1]) * 1000;
    unsigned loss = atoi(argv[2]);
    packets = calloc(CAPACITY, sizeof *packets);
    int poll = epoll_create1(0);
    for (unsigned i = 0; i < number; i++) {
        ways[i].to_viewer = open_socket(port + number + i, 0);
        ways[i].to_device = open_socket(0, port + i);
        for (int side = 0; side < 2; side++) {
            struct epoll_event event = {.events = EPOLLIN, .data.u32 = 2 * i + side};
            epoll_ctl(poll, EPOLL_CTL_ADD, side ? ways[i].to_viewer : ways[i].to_device, &event);
        }
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int64_t rest = count > 0 ? packets[first].due - now() : 0;
        struct timespec wait = {.tv_nsec = rest > 0 ? rest : 0};
        struct epoll_event events[64];
        int n = epoll_pwait2(poll, events, 64, count > 0 ? &wait : NULL, NULL);
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == UINT32_MAX) return 0;
            receive(events[i].data.u32 / 2, events[i].data.u32 % 2, delay, loss);
        }
        deliver();
    }
}

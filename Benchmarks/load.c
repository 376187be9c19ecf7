// Viewers that read and throw away: opens COUNT connections, asks for PATH, and counts what comes.
//
//     load PORT COUNT PATH    prints "ready" when each has got something; then, for each line on standard input, one
//                             line of JSON: all bytes so far, the least of one viewer, and how many are still there
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: load PORT COUNT PATH\n");
        return 2;
    }
    int count = atoi(argv[2]), open_count = count, begun = 0;
    uint64_t *bytes = calloc(count, sizeof *bytes);
    int *sockets = calloc(count, sizeof *sockets);
    int poll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char request[2048];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", argv[3]);
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            send(fd, request, length, 0) != length) {
            perror("load: connecting");
            return 1;
        }
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        sockets[i] = fd;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            uint32_t index = events[i].data.u32;
            if (index == UINT32_MAX) {
                char line[256];
                if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
                uint64_t total = 0, least = UINT64_MAX;
                for (int v = 0; v < count; v++) {
                    total += bytes[v];
                    if (bytes[v] < least) least = bytes[v];
                }
                printf("{\"bytes\":%llu,\"least\":%llu,\"open\":%d}\n", (unsigned long long)total,
                       (unsigned long long)least, open_count);
                fflush(stdout);
                continue;
            }
            // MSG_TRUNC lets the kernel throw the bytes away without copying them (tcp(7)).
            ssize_t got = recv(sockets[index], NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
            if (got > 0) {
                if (bytes[index] == 0 && ++begun == count) {
                    printf("ready\n");
                    fflush(stdout);
                }
                bytes[index] += got;
            } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                epoll_ctl(poll, EPOLL_CTL_DEL, sockets[index], NULL);
                close(sockets[index]);
                open_count--;
            }
        }
    }
}

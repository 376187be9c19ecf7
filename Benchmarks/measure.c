// Runs a program and prints what it cost: CPU seconds (user and system), peak resident KiB, wall seconds.
// A parent's own memory counts as its child's peak until the child executes, so the parent must be this small.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: measure PROGRAM [ARGUMENT…]\n");
        return 2;
    }
    double started = now();
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        return 1;
    }
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) < 0) {
        perror("wait4");
        return 1;
    }
    printf("{\"user\":%.6f,\"system\":%.6f,\"peakKiB\":%ld,\"wall\":%.6f,\"status\":%d}\n", seconds(usage.ru_utime),
           seconds(usage.ru_stime), usage.ru_maxrss, now() - started, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}

#include "CCrashReport.h"
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { maximum_frames = 64, stack_bytes = 64 << 10 };

static char folder[512];
static char version[64];
static char stack[stack_bytes];

static void put(int file, const char *text) {
    // Nothing can be done about an error here.
    if (write(file, text, strlen(text)) < 0) return;
}

static void put_number(int file, unsigned long long number, unsigned base) {
    char digits[24];
    size_t index = sizeof digits - 1;
    digits[index] = 0;
    do {
        digits[--index] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number && index);
    put(file, &digits[index]);
}

static const char *name_of(int signal) {
    switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGTRAP: return "SIGTRAP";
    case SIGFPE: return "SIGFPE";
    case SIGABRT: return "SIGABRT";
    default: return "signal";
    }
}

static void report(int file, int signal, const siginfo_t *info, void **frames, int count) {
    char thread[16] = "";
    prctl(PR_GET_NAME, thread, 0, 0, 0);
    put(file, "edge-agent ");
    put(file, version);
    put(file, " crashed: ");
    put(file, name_of(signal));
    put(file, " at 0x");
    put_number(file, (unsigned long long)info->si_addr, 16);
    put(file, " in thread ");
    put(file, thread);
    put(file, "\n");
    backtrace_symbols_fd(frames, count, file);
}

static void handle(int signal, siginfo_t *info, void *context) {
    (void)context;
    void *frames[maximum_frames];
    int count = backtrace(frames, maximum_frames);
    report(STDERR_FILENO, signal, info, frames, count);
    if (folder[0]) {
        // Names are put together without snprintf, which a handler may not call.
        char path[sizeof folder + 48];
        char digits[24];
        unsigned long long seconds = (unsigned long long)time(NULL);
        size_t index = sizeof digits - 1;
        digits[index] = 0;
        do {
            digits[--index] = (char)('0' + seconds % 10);
            seconds /= 10;
        } while (seconds && index);
        strcpy(path, folder);
        strcat(path, "/crash-");
        strcat(path, &digits[index]);
        strcat(path, ".txt");
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file >= 0) {
            report(file, signal, info, frames, count);
            fsync(file);
            close(file);
        }
    }
    // The handler was good for once: what was being done is done again, and ends the process as it would have. One that
    // somebody sent does not come again by itself.
    if (info->si_code <= 0) raise(signal);
}

void crash_report_install(const char *into, const char *of) {
    if (into && strlen(into) < sizeof folder) strcpy(folder, into);
    snprintf(version, sizeof version, "%s", of);
    // The first call loads the unwinder, which a handler may not do.
    void *frames[1];
    backtrace(frames, 1);
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&own, NULL);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_ONSTACK;
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT};
    for (unsigned index = 0; index < sizeof signals / sizeof *signals; index++) sigaction(signals[index], &action, NULL);
}

#include "CDelayedLibraries.h"
#include "DelayedLibrary.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct delayed_library delayed_glib, delayed_gobject, delayed_gio, delayed_nice, delayed_crypto, delayed_ssl,
    delayed_usrsctp, delayed_mosquitto;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char reason[256];

_Noreturn void delayed_not_open(void) {
    fputs("a function of a library was called before the library was opened\n", stderr);
    abort();
}

// It stays open: its handle is not kept, and what was found before another library failed does no harm.
static bool open_library(const struct delayed_library *library) {
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *error = dlerror();
        snprintf(reason, sizeof reason, "%s", error ? error : library->file);
        return false;
    }
    for (unsigned index = 0; index < library->count; index++) {
        void *target = dlsym(handle, library->functions[index].name);
        if (!target) {
            snprintf(reason, sizeof reason, "%s has no %s", library->file, library->functions[index].name);
            return false;
        }
        *library->functions[index].target = target;
    }
    return true;
}

static const char *open_all(const struct delayed_library *const libraries[], unsigned count, bool *is_open) {
    pthread_mutex_lock(&lock);
    bool good = true;
    if (!*is_open) {
        for (unsigned index = 0; good && index < count; index++) good = open_library(libraries[index]);
        *is_open = good;
    }
    pthread_mutex_unlock(&lock);
    return good ? NULL : reason;
}

const char *cdelayed_open_peers(void) {
    static const struct delayed_library *const libraries[] = {
        &delayed_glib, &delayed_gobject, &delayed_gio, &delayed_nice, &delayed_crypto, &delayed_ssl, &delayed_usrsctp,
    };
    static bool is_open;
    return open_all(libraries, sizeof libraries / sizeof libraries[0], &is_open);
}

const char *cdelayed_open_cryptography(void) {
    static const struct delayed_library *const libraries[] = {&delayed_crypto};
    static bool is_open;
    return open_all(libraries, 1, &is_open);
}

const char *cdelayed_open_mosquitto(void) {
    static const struct delayed_library *const libraries[] = {&delayed_mosquitto};
    static bool is_open;
    return open_all(libraries, 1, &is_open);
}

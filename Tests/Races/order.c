// Preloaded, tells ThreadSanitizer how parts of Swift that it does not watch put things in order between threads: its lock,
// its tasks, and counts of references.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define ASYNC __attribute__((swiftasynccall))

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));
extern void *swift_task_getCurrent(void);

// Synchronization.Mutex. Where it is free, code that is watched takes it; where a thread has to wait, the library does. The
// names as Swift mangles them: _MutexHandle._lockSlow(_: UInt32) and _MutexHandle._unlockSlow().
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slowly(uint32_t thread, SELF void *lock) __asm__(LOCK);
SWIFT void unlock_slowly(SELF void *lock) __asm__(UNLOCK);

static SWIFT void (*real_lock)(uint32_t, SELF void *);
static SWIFT void (*real_unlock)(SELF void *);
static ASYNC void (*real_await)(void *);
static void (*real_release)(void *);
static bool (*real_is_unique)(const void *);

__attribute__((constructor)) static void begin(void) {
    real_lock = (SWIFT void (*)(uint32_t, SELF void *))dlsym(RTLD_NEXT, LOCK);
    real_unlock = (SWIFT void (*)(SELF void *))dlsym(RTLD_NEXT, UNLOCK);
    real_await = (ASYNC void (*)(void *))dlsym(RTLD_NEXT, "swift_continuation_await");
    real_release = (void (*)(void *))dlsym(RTLD_NEXT, "swift_release");
    real_is_unique = (bool (*)(const void *))dlsym(RTLD_NEXT, "swift_isUniquelyReferenced_nonNull_native");
}

SWIFT void lock_slowly(uint32_t thread, SELF void *lock) {
    real_lock(thread, lock);
    if (__tsan_acquire) __tsan_acquire(lock);
}

SWIFT void unlock_slowly(SELF void *lock) {
    if (__tsan_release) __tsan_release(lock);
    real_unlock(lock);
}

// A task that comes to wait for a continuation that was resumed already goes on at once, which the runtime does not tell of;
// that it was resumed is told under the task's address.
ASYNC void swift_continuation_await(void *context) {
    if (__tsan_acquire) __tsan_acquire(swift_task_getCurrent());
    __attribute__((musttail)) return real_await(context);
}

// Who finds that nobody else refers to something any more may change it: all others have let go of it.
void swift_release(void *object) {
    // Null and values that are no addresses are let through as well.
    if ((intptr_t)object > 0 && __tsan_release) __tsan_release(object);
    real_release(object);
}

bool swift_isUniquelyReferenced_nonNull_native(const void *object) {
    bool is_unique = real_is_unique(object);
    if (is_unique && __tsan_acquire) __tsan_acquire((void *)object);
    return is_unique;
}

#include "CCRC32C.h"
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define STEP_8(sum, value) (uint32_t)_mm_crc32_u64(sum, value)
#define STEP_1(sum, value) _mm_crc32_u8(sum, value)
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#define WITH_INSTRUCTION __attribute__((target("crc")))
#define STEP_8(sum, value) __crc32cd(sum, value)
#define STEP_1(sum, value) __crc32cb(sum, value)
#else
#error "the instruction is known for x86-64 and arm64 only"
#endif

bool ccrc32c_is_there(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.2");
#else
    return getauxval(AT_HWCAP) & HWCAP_CRC32;
#endif
}

WITH_INSTRUCTION uint32_t ccrc32c(const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    uint32_t sum = ~0u;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t value;
        memcpy(&value, next, sizeof value);
        sum = STEP_8(sum, value);
    }
    for (; count > 0; count--, next++) sum = STEP_1(sum, *next);
    return ~sum;
}

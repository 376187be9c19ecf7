#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The check sum with Castagnoli's polynomial (RFC 9260, appendix A) by the processor's own instruction.

// Whether the processor has one.
bool ccrc32c_is_there(void);
// Only where it is there.
uint32_t ccrc32c(const void *_Nonnull bytes, size_t count);

/* What ThreadSanitizer leaves open.
 *
 * It knows nothing of volatile: here, an access to a volatile word becomes one that other
 * threads may make at the same time. So what the port shares without a lock has to say so, and all
 * else is reported.
 *
 * And a branch is where a thread may be pre-empted. */
#include <stdint.h>

#include "machine.h"

int8_t __tsan_atomic8_load(const volatile int8_t *, int);
int16_t __tsan_atomic16_load(const volatile int16_t *, int);
int32_t __tsan_atomic32_load(const volatile int32_t *, int);
int64_t __tsan_atomic64_load(const volatile int64_t *, int);
int8_t __tsan_atomic8_fetch_add(volatile int8_t *, int8_t, int);
int16_t __tsan_atomic16_fetch_add(volatile int16_t *, int16_t, int);
int32_t __tsan_atomic32_fetch_add(volatile int32_t *, int32_t, int);
int64_t __tsan_atomic64_fetch_add(volatile int64_t *, int64_t, int);

#define VOLATILE(bits, bytes)                                                                      \
    void __tsan_volatile_read##bytes(void *address);                                               \
    void __tsan_volatile_read##bytes(void *address)                                                \
    {                                                                                              \
        __tsan_atomic##bits##_load(address, __ATOMIC_RELAXED);                                     \
    }                                                                                              \
    void __tsan_volatile_write##bytes(void *address);                                              \
    void __tsan_volatile_write##bytes(void *address)                                               \
    {                                                                                              \
        __tsan_atomic##bits##_fetch_add(address, 0, __ATOMIC_RELAXED);                             \
    }
VOLATILE(8, 1)
VOLATILE(16, 2)
VOLATILE(32, 4)
VOLATILE(64, 8)

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    machine_point();
}

/* A process that ends has nothing more to report. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "atexit_sleep_ms=0";
}

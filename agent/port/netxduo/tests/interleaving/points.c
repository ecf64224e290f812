/* What code that is compiled for ThreadSanitizer calls in front of each access to memory: here it
 * may be pre-empted. Takes the place of ThreadSanitizer itself. */
#include "machine.h"

#define POINT_OF_ACCESS(name)                                                                      \
    void __tsan_##name(void *address);                                                             \
    void __tsan_##name(void *address)                                                              \
    {                                                                                              \
        (void)address;                                                                             \
        machine_point();                                                                           \
    }
#define POINTS_OF_ACCESS(kind)                                                                     \
    POINT_OF_ACCESS(kind##1)                                                                       \
    POINT_OF_ACCESS(kind##2)                                                                       \
    POINT_OF_ACCESS(kind##4) POINT_OF_ACCESS(kind##8) POINT_OF_ACCESS(kind##16)
POINTS_OF_ACCESS(read)
POINTS_OF_ACCESS(write)
POINTS_OF_ACCESS(unaligned_read)
POINTS_OF_ACCESS(unaligned_write)
POINTS_OF_ACCESS(volatile_read)
POINTS_OF_ACCESS(volatile_write)
POINTS_OF_ACCESS(unaligned_volatile_read)
POINTS_OF_ACCESS(unaligned_volatile_write)
POINT_OF_ACCESS(func_entry)

#define POINT_OF_RANGE(name)                                                                       \
    void __tsan_##name(void *address, unsigned long size_bytes);                                   \
    void __tsan_##name(void *address, unsigned long size_bytes)                                    \
    {                                                                                              \
        (void)address, (void)size_bytes;                                                           \
        machine_point();                                                                           \
    }
POINT_OF_RANGE(read_range)
POINT_OF_RANGE(write_range)

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
    machine_point();
}

/* Which is called beside, at each branch. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
}

/* The double's only one. */
unsigned long __tsan_atomic64_fetch_add(unsigned long *address, unsigned long more, int order);
unsigned long __tsan_atomic64_fetch_add(unsigned long *address, unsigned long more, int order)
{
    (void)order;
    machine_point();
    return __atomic_fetch_add(address, more, __ATOMIC_SEQ_CST);
}

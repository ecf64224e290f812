/* A Cortex-M without anything: start-up, and semihosting (Arm, "Semihosting for AArch32 and
 * AArch64") to print and to end. Each fault, an unaligned access too, ends the program as failed.
 */
#include <string.h>

#include "emulation.h"

/* The linker script's. */
extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];
extern uint8_t edge[];

int main(void);
void start(void);
void fault(void);
void __assert_func(const char *file, int line, const char *function, const char *expression);

enum {
    SYS_WRITE0 = 0x04,
    SYS_EXIT = 0x18,
    ADP_STOPPED_RUN_TIME_ERROR = 0x20023,
    ADP_STOPPED_APPLICATION_EXIT = 0x20026
};

/* Configuration and Control Register; on a Cortex-M0 the bit is always set. */
#define CCR             (*(volatile uint32_t *)0xE000ED14)
#define CCR_UNALIGN_TRP (UINT32_C(1) << 3)

/* Memory protection of ARMv7-M. */
#define MPU_CTRL           (*(volatile uint32_t *)0xE000ED94)
#define MPU_RNR            (*(volatile uint32_t *)0xE000ED98)
#define MPU_RBAR           (*(volatile uint32_t *)0xE000ED9C)
#define MPU_RASR           (*(volatile uint32_t *)0xE000EDA0)
#define MPU_ENABLE         UINT32_C(1)
#define MPU_PRIVDEFENA     (UINT32_C(1) << 2) /* elsewhere all is as without it */
#define MPU_4_KB_NO_ACCESS (UINT32_C(11) << 1 | 1)

static void semihosting(uint32_t operation, uintptr_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void board_print(const char *text)
{
    semihosting(SYS_WRITE0, (uintptr_t)text);
}

void board_end(bool passed)
{
    semihosting(SYS_EXIT, passed ? ADP_STOPPED_APPLICATION_EXIT : ADP_STOPPED_RUN_TIME_ERROR);
    for (;;)
        ;
}

uint8_t *board_edge(void)
{
    return edge;
}

void __assert_func(const char *file, int line, const char *function, const char *expression)
{
    (void)file;
    (void)line;
    (void)function;
    check(false, expression);
    for (;;)
        ;
}

void fault(void)
{
    check(false, "processor fault");
}

/* Where the RAM's end is not the end of what can be read. */
static void forbid_what_is_behind_the_edge(void)
{
#if __ARM_ARCH >= 7
    MPU_RNR = 0;
    MPU_RBAR = (uintptr_t)edge;
    MPU_RASR = MPU_4_KB_NO_ACCESS;
    MPU_CTRL = MPU_ENABLE | MPU_PRIVDEFENA;
    __asm__ volatile("dsb; isb" : : : "memory");
#endif
}

void start(void)
{
    for (uint32_t *to = data_start, *from = data_load; to < data_end;)
        *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    CCR |= CCR_UNALIGN_TRP;
    forbid_what_is_behind_the_edge();
    board_end(main() == 0);
}

/* Those of newlib make unaligned accesses where the core has them. GCC is not to take the loops for
 * calls of what they are. */
#define MEMORY_FUNCTION __attribute__((used, optimize("no-tree-loop-distribute-patterns")))

MEMORY_FUNCTION void *memcpy(void *to, const void *from, size_t count)
{
    uint8_t *out = to;
    for (const uint8_t *in = from; count > 0; count--)
        *out++ = *in++;
    return to;
}

MEMORY_FUNCTION void *memset(void *to, int value, size_t count)
{
    for (uint8_t *out = to; count > 0; count--)
        *out++ = (uint8_t)value;
    return to;
}

MEMORY_FUNCTION int memcmp(const void *a, const void *b, size_t count)
{
    const uint8_t *left = a, *right = b;
    for (; count > 0; count--, left++, right++)
        if (*left != *right)
            return *left < *right ? -1 : 1;
    return 0;
}

/* Reset, NMI, and the faults; no interrupt is enabled. */
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top,           (const void *)start, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault,
};

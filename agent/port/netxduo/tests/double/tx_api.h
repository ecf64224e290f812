/* What the port uses of ThreadX, declared as there; contract.c holds both to it. Values are the
 * double's own where the port does not depend on them. */
#ifndef TX_API_H
#define TX_API_H

#include <stddef.h>
#include <stdint.h>

#define THREADX_MAJOR_VERSION 6
#define THREADX_MINOR_VERSION 4
#define THREADX_PATCH_VERSION 2

#define VOID void
typedef char CHAR;
typedef unsigned char UCHAR;
typedef unsigned int UINT;
typedef unsigned short USHORT;
typedef unsigned long ULONG;
#define ALIGN_TYPE_DEFINED
typedef uintptr_t ALIGN_TYPE;

#define TX_INT_DISABLE            1
#define TX_SUCCESS                0
#define TX_WAIT_FOREVER           ((ULONG)0xFFFFFFFFUL)
#define TX_TIMER_TICKS_PER_SECOND (100UL)

typedef struct TX_THREAD_STRUCT {
    CHAR *tx_thread_name;
} TX_THREAD;

typedef struct TX_MUTEX_STRUCT {
    CHAR *tx_mutex_name;
    UINT tx_mutex_ownership_count;
    TX_THREAD *tx_mutex_owner;
} TX_MUTEX;

UINT tx_interrupt_control(UINT new_posture);
ULONG tx_time_get(VOID);
TX_THREAD *tx_thread_identify(VOID);
UINT tx_thread_sleep(ULONG timer_ticks);
UINT tx_thread_preemption_change(TX_THREAD *thread_ptr, UINT new_threshold, UINT *old_threshold);
UINT tx_mutex_get(TX_MUTEX *mutex_ptr, ULONG wait_option);
UINT tx_mutex_put(TX_MUTEX *mutex_ptr);

#endif

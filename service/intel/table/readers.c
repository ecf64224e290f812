#include "readers.h"

#include <urcu-bp.h>

/* ThreadSanitizer does not see into liburcu; this tells it what waiting means. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
static char passage;
#define READER_RELEASES() __tsan_release(&passage)
#define WRITER_ACQUIRES() __tsan_acquire(&passage)
#else
#define READER_RELEASES() ((void)0)
#define WRITER_ACQUIRES() ((void)0)
#endif

void readers_enter(void)
{
    rcu_read_lock();
}

void readers_leave(void)
{
    READER_RELEASES();
    rcu_read_unlock();
}

void readers_wait(void)
{
    synchronize_rcu();
    WRITER_ACQUIRES();
}

#include "published.h"

#include <urcu-bp.h>

/* ThreadSanitizer does not see into liburcu; this tells it what a grace period means. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define READERS_RELEASE(address) __tsan_release(address)
#define WRITER_ACQUIRE(address)  __tsan_acquire(address)
#define WRITER_RELEASE(address)  __tsan_release(address)
#define READERS_ACQUIRE(address) __tsan_acquire(address)
#else
#define READERS_RELEASE(address) ((void)(address))
#define WRITER_ACQUIRE(address)  ((void)(address))
#define WRITER_RELEASE(address)  ((void)(address))
#define READERS_ACQUIRE(address) ((void)(address))
#endif

const struct table *published_read(struct published *published)
{
    rcu_read_lock();
    const struct table *table = rcu_dereference(published->table);
    READERS_ACQUIRE((void *)(uintptr_t)table);
    return table;
}

void published_done(struct published *published)
{
    READERS_RELEASE(published);
    rcu_read_unlock();
}

uint64_t published_stamp(struct published *published)
{
    return atomic_load(&published->swaps) + 1;
}

void published_swap(struct published *published, struct table *fresh)
{
    WRITER_RELEASE(fresh);
    struct table *old = rcu_xchg_pointer(&published->table, fresh);
    atomic_fetch_add(&published->swaps, 1);
    synchronize_rcu();
    WRITER_ACQUIRE(published);
    table_free(old);
}

#include "published.h"

#include "readers.h"

const struct table *published_read(struct published *published)
{
    readers_enter();
    return __atomic_load_n(&published->table, __ATOMIC_ACQUIRE);
}

void published_done(void)
{
    readers_leave();
}

uint64_t published_stamp(struct published *published)
{
    return atomic_load(&published->changes) + 1;
}

void published_changed(struct published *published)
{
    atomic_fetch_add(&published->changes, 1);
}

void published_swap(struct published *published, struct table *fresh)
{
    struct table *old = published->table;
    __atomic_store_n(&published->table, fresh, __ATOMIC_RELEASE);
    published_changed(published);
    readers_wait();
    table_free(old);
}

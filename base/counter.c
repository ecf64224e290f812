#include "picket/base/counter.h"

#include <pthread.h>
#include <string.h>

/* Sorted by name; only ever grows, under the lock. */
static struct picket_counter *first;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void picket_counter_register(struct picket_counter *counter)
{
    if (atomic_load_explicit(&counter->registered, memory_order_acquire))
        return;
    pthread_mutex_lock(&lock);
    if (!atomic_load_explicit(&counter->registered, memory_order_relaxed)) {
        struct picket_counter **place = &first;
        while (*place != NULL && strcmp((*place)->name, counter->name) <= 0)
            place = &(*place)->next;
        counter->next = *place;
        *place = counter;
        atomic_store_explicit(&counter->registered, 1, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
}

void picket_count(struct picket_counter *counter, uint64_t by)
{
    picket_counter_register(counter);
    atomic_fetch_add_explicit(&counter->value, by, memory_order_relaxed);
}

void picket_counters_each(void (*visit)(const struct picket_counter *counter, void *context),
                          void *context)
{
    pthread_mutex_lock(&lock);
    for (const struct picket_counter *counter = first; counter != NULL; counter = counter->next)
        visit(counter, context);
    pthread_mutex_unlock(&lock);
}

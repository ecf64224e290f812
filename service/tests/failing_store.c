#include "failing_store.h"

#include <string.h>

#include "picket/store/store.h"

atomic_int failures_left;
atomic_int failures_seen;

int __real_picket_store_commit(struct picket_store *store, struct picket_error *error);
int __wrap_picket_store_commit(struct picket_store *store, struct picket_error *error);

int __wrap_picket_store_commit(struct picket_store *store, struct picket_error *error)
{
    if (atomic_load(&failures_left) > 0) {
        atomic_fetch_sub(&failures_left, 1);
        atomic_fetch_add(&failures_seen, 1);
        return picket_fail(error, PICKET_FULL, "disk full: test");
    }
    return __real_picket_store_commit(store, error);
}

int __real_picket_store_put_event(struct picket_store *store, const struct picket_event_row *event,
                                  int64_t *event_id, struct picket_error *error);
int __wrap_picket_store_put_event(struct picket_store *store, const struct picket_event_row *event,
                                  int64_t *event_id, struct picket_error *error);

int __wrap_picket_store_put_event(struct picket_store *store, const struct picket_event_row *event,
                                  int64_t *event_id, struct picket_error *error)
{
    if (strcmp(event->device, "refused") == 0)
        return picket_fail(error, PICKET_INVALID, "an event that no store takes");
    return __real_picket_store_put_event(store, event, event_id, error);
}

/* As store.c, for what stands in suppressions.h. */
#include "picket/store/suppressions.h"

#include <string.h>

#include "engine.h"

static const int64_t day_ms = 24 * 3600 * 1000;

bool picket_suppression_covers(const struct picket_suppression *suppression, const char *type,
                               const char *device, const char *subject)
{
    struct picket_prefix prefix;
    if (suppression->type[0] != '\0' && strcmp(suppression->type, type) != 0)
        return false;
    if (suppression->device[0] != '\0' && strcmp(suppression->device, device) != 0)
        return false;
    if (!suppression->has_prefix)
        return true;
    return picket_prefix_parse(&prefix, subject, strlen(subject)) &&
           suppression->prefix.length <= prefix.length &&
           picket_prefix_covers(&suppression->prefix, &prefix.address);
}

static int check(const struct picket_suppression *suppression, struct picket_error *error)
{
    size_t reason_bytes = strlen(suppression->reason);
    if (suppression->type[0] == '\0' && suppression->device[0] == '\0' && !suppression->has_prefix)
        return picket_fail(error, PICKET_INVALID,
                           "suppression: needs a type, a device or an indicator");
    if (suppression->until_ms <= suppression->created_ms)
        return picket_fail(error, PICKET_INVALID, "suppression: it would have ended already");
    if (suppression->until_ms - suppression->created_ms > PICKET_SUPPRESSION_DAYS_MAX * day_ms)
        return picket_fail(error, PICKET_INVALID, "suppression: longer than %d days",
                           PICKET_SUPPRESSION_DAYS_MAX);
    if (reason_bytes == 0)
        return picket_fail(error, PICKET_INVALID, "suppression: needs a reason");
    if (reason_bytes > PICKET_SUPPRESSION_REASON_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "suppression: its reason is longer than %d bytes",
                           PICKET_SUPPRESSION_REASON_BYTES_MAX);
    return PICKET_OK;
}

int picket_store_suppression_add(struct picket_store *store,
                                 const struct picket_suppression *suppression, int64_t *id,
                                 struct picket_error *error)
{
    int64_t ignored_id;
    int status = check(suppression, error);
    return status == PICKET_OK ? store->engine->suppression_add(
                                     store, suppression, id != NULL ? id : &ignored_id, error)
                               : status;
}

int picket_store_suppression_remove(struct picket_store *store, int64_t id,
                                    struct picket_error *error)
{
    return store->engine->suppression_remove(store, id, error);
}

int picket_store_suppressions(struct picket_store *store, picket_suppression_visit visit,
                              void *context, struct picket_error *error)
{
    return store->engine->suppressions(store, visit, context, error);
}

/* Twins and groups of small changes, for every engine. */
#include "picket/store/twins.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "group.h"
#include "picket/base/counter.h"
#include "twin_patch.h"

/* ---- groups ---- */

int picket_store_group_begin(struct picket_store *store, struct picket_error *error)
{
    if (store->grouped)
        return picket_fail(error, PICKET_INVALID, "store: a group has begun already");
    int status = store->engine->change_begin(store, error);
    store->grouped = status == PICKET_OK;
    store->group_status = PICKET_OK;
    return status;
}

int picket_store_group_commit(struct picket_store *store, struct picket_error *error)
{
    if (!store->grouped)
        return picket_fail(error, PICKET_INVALID, "store: no group has begun");
    store->grouped = false;
    int status = store->group_status;
    if (status != PICKET_OK)
        picket_fail(error, status, "store: the group has failed before");
    return store->engine->change_end(store, status, error);
}

void picket_store_group_rollback(struct picket_store *store)
{
    if (!store->grouped)
        return;
    store->grouped = false;
    store->engine->change_end(store, PICKET_INVALID, NULL);
}

int group_enter(struct picket_store *store, struct picket_error *error)
{
    if (!store->grouped)
        return store->engine->change_begin(store, error);
    if (store->group_status != PICKET_OK)
        return picket_fail(error, store->group_status, "store: the group has failed before");
    return PICKET_OK;
}

/* A refusal has changed nothing. */
static bool is_refusal(int status)
{
    return status == PICKET_INVALID || status == PICKET_NOT_FOUND || status == PICKET_EXISTS ||
           status == PICKET_BUSY;
}

int group_leave(struct picket_store *store, int status, struct picket_error *error)
{
    if (!store->grouped)
        return store->engine->change_end(store, status, error);
    if (status != PICKET_OK && !is_refusal(status))
        store->group_status = status;
    return status;
}

/* ---- twins ---- */

const char *picket_twin_part_name(enum picket_twin_part part)
{
    return part == PICKET_TWIN_DESIRED ? "desired" : "reported";
}

static struct picket_counter damaged = {
    .name = "store_twins_damaged",
    .help = "times that a twin could not be read or changed: what is stored of it is no twin"};

static int count_damaged(int status)
{
    if (status == PICKET_IO)
        picket_count(&damaged, 1);
    return status;
}

struct reading {
    const char *device;
    picket_twin_visit visit;
    void *context;
    int status;
    struct picket_error *error;
};

static void visit_readable(void *context, const struct picket_twin *twin)
{
    struct reading *reading = context;
    int status = twin_document_load(&twin->desired, PICKET_TWIN_DESIRED, reading->device, NULL,
                                    NULL, reading->error);
    if (status == PICKET_OK)
        status = twin_document_load(&twin->reported, PICKET_TWIN_REPORTED, reading->device, NULL,
                                    NULL, reading->error);
    if (status == PICKET_OK)
        reading->visit(reading->context, twin);
    reading->status = count_damaged(status);
}

int picket_store_twin(struct picket_store *store, const char *device, const char *module,
                      picket_twin_visit visit, void *context, struct picket_error *error)
{
    struct reading reading = {device, visit, context, PICKET_OK, error};
    picket_counter_register(&damaged);
    int status = store->engine->twin_get(store, device, module, visit_readable, &reading, error);
    return status == PICKET_OK ? reading.status : status;
}

/* A part of a twin, copied: it is read, changed, and written back. */
struct held_part {
    enum picket_twin_part part;
    struct picket_twin_document document;
    char *json;
    char *times;
};

static void hold(void *context, const struct picket_twin *twin)
{
    struct held_part *held = context;
    held->document = held->part == PICKET_TWIN_DESIRED ? twin->desired : twin->reported;
    held->document.json = held->json = strdup(held->document.json);
    held->document.times = held->times = strdup(held->document.times);
}

static int read_part(struct picket_store *store, const struct picket_twin_change *change,
                     struct held_part *held, struct picket_error *error)
{
    int status = store->engine->twin_get(store, change->device, change->module, hold, held, error);
    if (status == PICKET_OK && (held->json == NULL || held->times == NULL))
        status = picket_fail(error, PICKET_NO_MEMORY, "device %s: no memory for its twin",
                             change->device);
    return status;
}

static int write_part(struct picket_store *store, const struct picket_twin_change *change,
                      const struct held_part *held, int64_t *version, struct picket_error *error)
{
    struct twin_patched patched;
    if (change->if_version > 0 && change->if_version != held->document.version)
        return picket_fail(error, PICKET_EXISTS, "device %s: %s has version %lld, not %lld",
                           change->device, picket_twin_part_name(change->part),
                           (long long)held->document.version, (long long)change->if_version);
    *version = held->document.version + 1;
    int status =
        count_damaged(twin_patch_apply(&patched, &held->document, change, *version, error));
    if (status != PICKET_OK)
        return status;
    struct picket_twin_document document = {patched.json, *version, patched.times};
    status = store->engine->twin_put(store, change->device, change->module, change->part, &document,
                                     error);
    free(patched.json);
    free(patched.times);
    return status;
}

int picket_store_twin_patch(struct picket_store *store, const struct picket_twin_change *change,
                            int64_t *version, struct picket_error *error)
{
    struct held_part held = {.part = change->part};
    int status = group_enter(store, error);
    if (status != PICKET_OK)
        return status;
    status = read_part(store, change, &held, error);
    if (status == PICKET_OK)
        status = write_part(store, change, &held, version, error);
    free(held.json);
    free(held.times);
    return group_leave(store, status, error);
}

/* Devices' activity and inventory within a batch. */
#include "activity.h"

#include <string.h>

#include "store.h"

enum { ACTIVITIES_KEPT = 65536 };

static int read_activity(struct sqlite_store *store, struct activity *activity,
                         struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ACTIVITY_GET,
                "select last_event, last_seen_ms, events, flows_lost, bytes_lost from activity "
                "where device = ?",
                "reading a device's activity");
    query_int(&query, activity->device);
    if (query_row(&query)) {
        activity->last_event = query_take_int(&query);
        activity->last_seen_ms = query_take_int(&query);
        activity->events = query_take_int(&query);
        activity->flows_lost = query_take_int(&query);
        activity->bytes_lost = query_take_int(&query);
    }
    return query_end(&query, error);
}

int activity_of(struct sqlite_store *store, int64_t device, struct activity **activity,
                struct picket_error *error)
{
    *activity = activity_find(&store->activity, device);
    if (*activity != NULL)
        return PICKET_OK;
    *activity = activity_add(&store->activity, device);
    if (*activity == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for a batch's devices",
                           store->folder);
    return read_activity(store, *activity, error);
}

static int write_activity(struct sqlite_store *store, const struct activity *activity,
                          struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ACTIVITY_PUT,
                "insert or replace into activity (device, last_event, last_seen_ms, events, "
                "flows_lost, bytes_lost) values (?, ?, ?, ?, ?, ?)",
                "writing a device's activity");
    query_int(&query, activity->device);
    query_int(&query, activity->last_event);
    query_int(&query, activity->last_seen_ms);
    query_int(&query, activity->events);
    query_int(&query, activity->flows_lost);
    query_int(&query, activity->bytes_lost);
    return query_run(&query, error);
}

int activity_flush(struct sqlite_store *store, struct picket_error *error)
{
    struct activity_table *table = &store->activity;
    for (; table->changed_count > 0; table->changed_count--) {
        struct activity *activity = &table->entries[table->changed[table->changed_count - 1]];
        int status = write_activity(store, activity, error);
        if (status != PICKET_OK)
            return status;
        activity->is_changed = false;
    }
    return PICKET_OK;
}

/* Within a transaction, so that nothing can change any more. */
int activity_refresh(struct sqlite_store *store, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DATA_VERSION, "pragma data_version",
                "asking whether others have written");
    int64_t version = query_row(&query) ? query_take_int(&query) : -1;
    if (version != store->activity_version || store->activity.count > ACTIVITIES_KEPT)
        activity_clear(&store->activity);
    if (version != store->activity_version)
        store->newest_is_known = false;
    store->activity_version = version;
    return query_end(&query, error);
}

static void add_saturating(int64_t *total, uint64_t by)
{
    if (by > (uint64_t)(INT64_MAX - *total))
        *total = INT64_MAX;
    else
        *total += (int64_t)by;
}

/* ---- inventory ---- */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size_bytes)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size_bytes; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

/* A text that is not given differs from an empty one. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    hash = hash_bytes(hash, text != NULL ? "t" : "n", 1);
    return text != NULL ? hash_bytes(hash, text, strlen(text) + 1) : hash;
}

static uint64_t inventory_hash_of(const struct picket_device_state *state)
{
    uint64_t hash = 0xcbf29ce484222325u;
    hash = hash_text(hash, state->security_module_id);
    hash = hash_bytes(hash, &state->security_module_version, sizeof state->security_module_version);
    hash = hash_text(hash, state->os_info);
    hash = hash_text(hash, state->kernel_info);
    hash = hash_text(hash, state->hw_info);
    return hash != 0 ? hash : 1;
}

static bool brings_nothing(const struct picket_device_state *state)
{
    return state->security_module_id == NULL && state->os_info == NULL &&
           state->kernel_info == NULL && state->hw_info == NULL;
}

/* Moves on to the next column in any case. */
static bool column_differs(struct query *query, const char *given)
{
    const char *kept = query_take_text(query);
    return given != NULL && strcmp(kept, given) != 0;
}

static int inventory_differs(struct sqlite_store *store, int64_t device,
                             const struct picket_device_state *state, bool *differs,
                             struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_INVENTORY_GET,
                "select security_module_id, security_module_version, os_info, kernel_info, hw_info "
                "from inventory where device = ?",
                "reading a device's inventory");
    query_int(&query, device);
    *differs = true;
    if (query_row(&query)) {
        bool other = column_differs(&query, state->security_module_id);
        other |= query_take_int(&query) != state->security_module_version &&
                 state->security_module_id != NULL;
        other |= column_differs(&query, state->os_info);
        other |= column_differs(&query, state->kernel_info);
        other |= column_differs(&query, state->hw_info);
        *differs = other;
    }
    return query_end(&query, error);
}

static int write_inventory(struct sqlite_store *store, int64_t device,
                           const struct picket_device_state *state, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_INVENTORY_PUT,
                "insert into inventory (device, security_module_id, security_module_version, "
                "os_info, kernel_info, hw_info) "
                "values (?1, coalesce(?2, ''), ?3, coalesce(?4, ''), coalesce(?5, ''), "
                "coalesce(?6, '')) "
                "on conflict (device) do update set "
                "security_module_id = coalesce(?2, security_module_id), "
                "security_module_version = "
                "case when ?2 is null then security_module_version else ?3 end, "
                "os_info = coalesce(?4, os_info), kernel_info = coalesce(?5, kernel_info), "
                "hw_info = coalesce(?6, hw_info)",
                "writing a device's inventory");
    query_int(&query, device);
    query_text(&query, state->security_module_id);
    query_int(&query, state->security_module_id != NULL ? state->security_module_version : 0);
    query_text(&query, state->os_info);
    query_text(&query, state->kernel_info);
    query_text(&query, state->hw_info);
    return query_run(&query, error);
}

/* Most messages say what is known already: it is looked up once, and written when it differs. */
static int take_over_inventory(struct sqlite_store *store, struct activity *activity,
                               const struct picket_device_state *state, struct picket_error *error)
{
    uint64_t hash = inventory_hash_of(state);
    if (brings_nothing(state) || hash == activity->inventory_hash)
        return PICKET_OK;
    bool differs;
    int status = inventory_differs(store, activity->device, state, &differs, error);
    if (status == PICKET_OK && differs)
        status = write_inventory(store, activity->device, state, error);
    activity->inventory_hash = hash;
    return status;
}

static int update_device(struct sqlite_store *store, const struct picket_device_state *state,
                         struct picket_error *error)
{
    int64_t device;
    struct activity *activity;
    int status = device_number_of(store, state->device, &device, error);
    if (status == PICKET_OK)
        status = activity_of(store, device, &activity, error);
    if (status != PICKET_OK)
        return status;
    if (state->seen_ms > activity->last_seen_ms)
        activity->last_seen_ms = state->seen_ms;
    add_saturating(&activity->events, state->new_events);
    add_saturating(&activity->flows_lost, state->flows_lost);
    add_saturating(&activity->bytes_lost, state->bytes_lost);
    activity_change(&store->activity, activity);
    return take_over_inventory(store, activity, state, error);
}

int sqlite_update_device(struct picket_store *store, const struct picket_device_state *state,
                         struct picket_error *error)
{
    int status = batch_check(sqlite_of(store), error);
    if (status == PICKET_OK)
        status = update_device(sqlite_of(store), state, error);
    return batch_note(sqlite_of(store), status);
}

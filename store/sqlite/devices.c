/* The registry, and what is known of each device. */
#include "store.h"

#include <string.h>

/* ---- numbers ---- */

static int device_number_find(struct sqlite_store *store, const char *id, int64_t *number,
                              struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEVICE_NUMBER,
                "select number from devices where id = ?", "looking up a device");
    query_text(&query, id);
    *number = query_row(&query) ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

static int device_number_new(struct sqlite_store *store, const char *id, int64_t *number,
                             struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEVICE_NUMBER_NEW,
                "insert into devices (id) values (?)", "numbering a device");
    query_text(&query, id);
    int status = query_run(&query, error);
    *number = sqlite3_last_insert_rowid(store->picket.handle);
    return status;
}

int device_number_of(struct sqlite_store *store, const char *id, int64_t *number,
                     struct picket_error *error)
{
    *number = device_numbers_find(&store->device_numbers, id);
    if (*number != 0)
        return PICKET_OK;
    int status = device_number_find(store, id, number, error);
    if (status == PICKET_OK && *number == 0)
        status = device_number_new(store, id, number, error);
    if (status == PICKET_OK)
        device_numbers_put(&store->device_numbers, id, *number);
    return status;
}

/* ---- registry ---- */

static void bind_credentials(struct query *query, const struct picket_device_identity *device)
{
    query_int(query, device->authentication);
    query_blob(query, device->primary_key, device->primary_key_bytes);
    query_blob(query, device->secondary_key, device->secondary_key_bytes);
    query_blob(query, device->primary_thumbprint.bytes, device->primary_thumbprint.size_bytes);
    query_blob(query, device->secondary_thumbprint.bytes, device->secondary_thumbprint.size_bytes);
}

static void take_credentials(struct query *query, struct picket_device_identity *device)
{
    struct picket_thumbprint *primary = &device->primary_thumbprint;
    struct picket_thumbprint *secondary = &device->secondary_thumbprint;
    device->authentication = (int)query_take_int(query);
    device->primary_key_bytes =
        query_take_bytes(query, device->primary_key, sizeof device->primary_key);
    device->secondary_key_bytes =
        query_take_bytes(query, device->secondary_key, sizeof device->secondary_key);
    primary->size_bytes = query_take_bytes(query, primary->bytes, sizeof primary->bytes);
    secondary->size_bytes = query_take_bytes(query, secondary->bytes, sizeof secondary->bytes);
}

/* A device that comes back after its removal keeps its number, and so its history. */
static int add(struct sqlite_store *store, const struct picket_device_identity *device,
               struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEVICE_ADD,
                "insert into devices (id, registered, enabled, created_ms, authentication, "
                "primary_key, secondary_key, primary_thumbprint, secondary_thumbprint) "
                "values (?, 1, ?, ?, ?, ?, ?, ?, ?) "
                "on conflict (id) do update set registered = 1, enabled = excluded.enabled, "
                "created_ms = excluded.created_ms, authentication = excluded.authentication, "
                "primary_key = excluded.primary_key, secondary_key = excluded.secondary_key, "
                "primary_thumbprint = excluded.primary_thumbprint, "
                "secondary_thumbprint = excluded.secondary_thumbprint where registered = 0",
                "adding a device");
    query_text(&query, device->id);
    query_int(&query, device->enabled);
    query_int(&query, device->created_ms);
    bind_credentials(&query, device);
    int status = query_run(&query, error);
    if (status == PICKET_OK && sqlite3_changes(store->picket.handle) == 0)
        return picket_fail(error, PICKET_EXISTS, "device %s: is registered already", device->id);
    return status;
}

int sqlite_device_add(struct picket_store *base, const struct picket_device_identity *device,
                      struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, add(store, device, error), error);
    return status;
}

int sqlite_devices_add(struct picket_store *base, const struct picket_device_identity *devices,
                       size_t count, size_t *at, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status != PICKET_OK)
        return status;
    for (*at = 0; *at < count; ++*at) {
        status = add(store, &devices[*at], error);
        if (status != PICKET_OK)
            break;
    }
    return own_transaction_end(store, status, error);
}

int sqlite_device_get(struct picket_store *base, const char *id,
                      struct picket_device_identity *device, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_DEVICE_GET,
                "select id, enabled, created_ms, authentication, primary_key, secondary_key, "
                "primary_thumbprint, secondary_thumbprint from devices "
                "where id = ? and registered = 1",
                "looking up a device");
    query_text(&query, id);
    memset(device, 0, sizeof *device);
    bool found = query_row(&query);
    if (found) {
        query_take_string(&query, device->id, sizeof device->id);
        device->enabled = query_take_int(&query) != 0;
        device->created_ms = query_take_int(&query);
        take_credentials(&query, device);
    }
    int status = query_end(&query, error);
    if (status == PICKET_OK && !found)
        return picket_fail(error, PICKET_NOT_FOUND, "device %s: is not registered", id);
    return status;
}

/* A change of a registered device: PICKET_NOT_FOUND if it changed none. */
static int run_change(struct sqlite_store *store, struct query *query, const char *id,
                      struct picket_error *error)
{
    int status = query_run(query, error);
    if (status == PICKET_OK && sqlite3_changes(store->picket.handle) == 0)
        return picket_fail(error, PICKET_NOT_FOUND, "device %s: is not registered", id);
    return status;
}

static int enable_device(struct sqlite_store *store, const char *id, bool enabled,
                         struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEVICE_ENABLE,
                "update devices set enabled = ? where id = ? and registered = 1",
                "changing a device");
    query_int(&query, enabled);
    query_text(&query, id);
    return run_change(store, &query, id, error);
}

int sqlite_device_enable(struct picket_store *base, const char *id, bool enabled,
                         struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, enable_device(store, id, enabled, error), error);
    return status;
}

static int remove_device(struct sqlite_store *store, const char *id, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEVICE_REMOVE,
                "update devices set registered = 0, enabled = 0, authentication = 0, "
                "primary_key = x'', secondary_key = x'', primary_thumbprint = x'', "
                "secondary_thumbprint = x'' where id = ? and registered = 1",
                "removing a device");
    query_text(&query, id);
    int status = run_change(store, &query, id, error);
    int64_t messages;
    if (status == PICKET_OK)
        status = twins_remove(store, id, error);
    if (status == PICKET_OK)
        status = sessions_remove(store, id, error);
    return status == PICKET_OK ? sqlite_messages_purge(&store->store, id, &messages, error)
                               : status;
}

static int set_credentials(struct sqlite_store *store, const struct picket_device_identity *device,
                           struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEVICE_SET_CREDENTIALS,
                "update devices set authentication = ?, primary_key = ?, secondary_key = ?, "
                "primary_thumbprint = ?, secondary_thumbprint = ? where id = ? and registered = 1",
                "changing a device's credentials");
    bind_credentials(&query, device);
    query_text(&query, device->id);
    return run_change(store, &query, device->id, error);
}

/* A transaction after which the bytes of keys that went are overwritten, not only given up. */
static int erasing_transaction_begin(struct sqlite_store *store, struct picket_error *error)
{
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        sqlite3_exec(store->picket.handle, "pragma secure_delete = on", NULL, NULL, NULL);
    return status;
}

static int erasing_transaction_end(struct sqlite_store *store, int status,
                                   struct picket_error *error)
{
    status = own_transaction_end(store, status, error);
    sqlite3_exec(store->picket.handle, "pragma secure_delete = off", NULL, NULL, NULL);
    return status;
}

int sqlite_device_set_credentials(struct picket_store *base,
                                  const struct picket_device_identity *device,
                                  struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = erasing_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = erasing_transaction_end(store, set_credentials(store, device, error), error);
    return status;
}

int sqlite_device_remove(struct picket_store *base, const char *id, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = erasing_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = erasing_transaction_end(store, remove_device(store, id, error), error);
    return status;
}

/* ---- for people ---- */

#define SUMMARY                                                                                    \
    "select d.id, d.registered, d.enabled, d.authentication, d.created_ms, "                       \
    "coalesce(a.last_seen_ms, 0), coalesce(a.events, 0), "                                         \
    "(select count(*) from alerts where device = d.number and status <= 2), "                      \
    "coalesce(a.flows_lost, 0), coalesce(a.bytes_lost, 0), i.security_module_id, "                 \
    "coalesce(i.security_module_version, 0), i.os_info, i.kernel_info, i.hw_info "                 \
    "from devices d left join activity a on a.device = d.number "                                  \
    "left join inventory i on i.device = d.number "                                                \
    "where (d.registered = 1 or a.device is not null) "

static void visit_summary(struct query *query, picket_device_visit visit, void *context)
{
    struct picket_device_summary device;
    device.id = query_take_text(query);
    device.registered = query_take_int(query) != 0;
    device.enabled = query_take_int(query) != 0;
    device.authentication = (int)query_take_int(query);
    device.created_ms = query_take_int(query);
    device.last_seen_ms = query_take_int(query);
    device.events = query_take_int(query);
    device.open_alerts = query_take_int(query);
    device.flows_lost = query_take_int(query);
    device.bytes_lost = query_take_int(query);
    device.security_module_id = query_take_text(query);
    device.security_module_version = (uint32_t)query_take_int(query);
    device.os_info = query_take_text(query);
    device.kernel_info = query_take_text(query);
    device.hw_info = query_take_text(query);
    visit(context, &device);
}

int sqlite_devices(struct picket_store *base, const struct picket_device_query *asked,
                   picket_device_visit visit, void *context, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct query query;
    int64_t found = 0;
    int status = batch_flush(store, error);
    if (status != PICKET_OK)
        return status;
    if (asked->id != NULL) {
        query_begin(&query, &store->picket, STATEMENT_DEVICES_ONE, SUMMARY "and d.id = ?",
                    "reading a device");
        query_text(&query, asked->id);
    } else {
        query_begin(&query, &store->picket, STATEMENT_DEVICES_ALL,
                    SUMMARY "and d.id > ? order by d.id limit ?", "reading the devices");
        query_text(&query, asked->after != NULL ? asked->after : "");
        query_int(&query, asked->limit);
    }
    for (; query_row(&query); found++)
        visit_summary(&query, visit, context);
    status = query_end(&query, error);
    if (status == PICKET_OK && asked->id != NULL && found == 0)
        return picket_fail(error, PICKET_NOT_FOUND, "device %s: is not known", asked->id);
    return status;
}

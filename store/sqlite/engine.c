/* Opening and closing the folder, and the table of what the engine does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

static void sqlite_close(struct picket_store *base)
{
    struct sqlite_store *store = sqlite_of(base);
    sqlite_rollback(base);
    database_close(&store->picket);
    database_close(&store->intelligence);
    writers_leave(store->writers);
    activity_free(&store->activity);
    suppressions_free(&store->suppressions);
    device_numbers_forget(&store->device_numbers);
    free(store->flow_blocks.bytes);
    free(store->flows);
    free(store->folder);
    free(store);
}

static const struct store_engine sqlite_engine = {
    .close = sqlite_close,
    .device_add = sqlite_device_add,
    .devices_add = sqlite_devices_add,
    .device_get = sqlite_device_get,
    .device_enable = sqlite_device_enable,
    .device_set_credentials = sqlite_device_set_credentials,
    .device_remove = sqlite_device_remove,
    .devices = sqlite_devices,
    .authority_add = sqlite_authority_add,
    .authority_remove = sqlite_authority_remove,
    .authorities = sqlite_authorities,
    .ip_filter_put = sqlite_ip_filter_put,
    .ip_filter_get = sqlite_ip_filter_get,
    .audit_append = sqlite_audit_append,
    .audit = sqlite_audit,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .put_event = sqlite_put_event,
    .put_flows = sqlite_put_flows,
    .update_device = sqlite_update_device,
    .put_dead_letter = sqlite_put_dead_letter,
    .raise = sqlite_raise,
    .enqueue = sqlite_enqueue,
    .tidy = sqlite_tidy,
    .reserve = sqlite_reserve,
    .alert_decide = sqlite_alert_decide,
    .alerts_decide = sqlite_alerts_decide,
    .alert_groups = sqlite_alert_groups,
    .suppression_add = sqlite_suppression_add,
    .suppression_remove = sqlite_suppression_remove,
    .suppressions = sqlite_suppressions,
    .alerts = sqlite_alerts,
    .events = sqlite_events,
    .events_between = sqlite_events_between,
    .flows_search = sqlite_flows_search,
    .event_head = sqlite_event_head,
    .hunted_get = sqlite_hunted_get,
    .hunted_put = sqlite_hunted_put,
    .dead_letters = sqlite_dead_letters,
    .outbox = sqlite_outbox,
    .outbox_done = sqlite_outbox_done,
    .outbox_done_one = sqlite_outbox_done_one,
    .outbox_set_aside = sqlite_outbox_set_aside,
    .outbox_put_back = sqlite_outbox_put_back,
    .outbox_depth = sqlite_outbox_depth,
    .targets = sqlite_targets,
    .feed_put = sqlite_feed_put,
    .feed_remove = sqlite_feed_remove,
    .feeds = sqlite_feeds,
    .feed_problems_put = sqlite_feed_problems_put,
    .feed_problems = sqlite_feed_problems,
    .feed_parts_change = sqlite_feed_parts_change,
    .feed_parts = sqlite_feed_parts,
    .indicators_replace = sqlite_indicators_replace,
    .indicators = sqlite_indicators,
    .indicators_put = sqlite_indicators_put,
    .indicators_change = sqlite_indicators_change,
    .indicators_take_out = sqlite_indicators_take_out,
    .kept_indicators = sqlite_kept_indicators,
    .kept_expiring = sqlite_kept_expiring,
    .kept_forget = sqlite_kept_forget,
    .indicator = sqlite_indicator,
    .change_begin = sqlite_change_begin,
    .change_end = sqlite_change_end,
    .twin_get = sqlite_twin_get,
    .twin_put = sqlite_twin_put,
    .session_get = sqlite_session_get,
    .session_put = sqlite_session_put,
    .message_put = sqlite_message_put,
    .messages_count = sqlite_messages_count,
    .messages_each = sqlite_messages_each,
    .messages_delivered = sqlite_messages_delivered,
    .message_done = sqlite_message_done,
    .messages_expired = sqlite_messages_expired,
    .messages_drop_expired = sqlite_messages_drop_expired,
    .messages_drop_undeliverable = sqlite_messages_drop_undeliverable,
    .messages_purge = sqlite_messages_purge,
    .totals = sqlite_totals,
};

static int folder_fail(const char *folder, const char *doing, struct picket_error *error)
{
    return picket_fail(error, database_status_of_errno(errno), "%s: folder cannot be %s: %s",
                       folder, doing, strerror(errno));
}

/* Opens the folder, making it if need be, and locks it: one at a time makes or upgrades its files.
 * The lock goes when the descriptor is closed. */
static int lock_folder(const char *folder, int *descriptor, struct picket_error *error)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return folder_fail(folder, "made", error);
    *descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*descriptor < 0)
        return folder_fail(folder, "opened", error);
    while (flock(*descriptor, LOCK_EX) != 0) {
        if (errno != EINTR) {
            close(*descriptor);
            return folder_fail(folder, "locked", error);
        }
    }
    return PICKET_OK;
}

static int open_files(struct sqlite_store *store, struct picket_error *error)
{
    int folder = -1;
    int status = lock_folder(store->folder, &folder, error);
    if (status != PICKET_OK)
        return status;
    status = database_open(&store->picket, store->folder, "picket.db", &picket_schema, error);
    if (status == PICKET_OK)
        status = database_open(&store->intelligence, store->folder, "intelligence.db",
                               &intelligence_schema, error);
    /* New files are there after a power cut only when the folder is. */
    if (status == PICKET_OK && fsync(folder) != 0)
        status = folder_fail(store->folder, "synced", error);
    close(folder);
    return status;
}

int store_open_sqlite(struct picket_store **out, const char *folder, struct picket_error *error)
{
    struct sqlite_store *store = calloc(1, sizeof *store);
    if (store == NULL || (store->folder = strdup(folder)) == NULL) {
        free(store);
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", folder);
    }
    store->store.engine = &sqlite_engine;
    int status = open_files(store, error);
    if (status == PICKET_OK && (store->writers = writers_join(store->picket.path)) == NULL)
        status = picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", folder);
    if (status != PICKET_OK) {
        sqlite_close(&store->store);
        return status;
    }
    *out = &store->store;
    return PICKET_OK;
}

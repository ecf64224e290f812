/* The public functions: what holds for every engine is checked here, the rest is the engine's. */
#include "picket/store/store.h"

#include <stdio.h>
#include <string.h>

#include "engine.h"

enum { DEVICE_ID_CHARACTERS_MAX = 128, DEFAULT_LIMIT = 100, SEARCH_EVENTS = 20000 };

int picket_store_open(struct picket_store **store, const char *folder, struct picket_error *error)
{
    *store = NULL;
    if (folder[0] == '\0')
        return picket_fail(error, PICKET_INVALID, "store: no folder is given");
    if (strstr(folder, "://") != NULL)
        return picket_fail(error, PICKET_INVALID,
                           "%s: there is no such engine here; a store is a folder", folder);
    return store_open_sqlite(store, folder, error);
}

void picket_store_close(struct picket_store *store)
{
    if (store != NULL)
        store->engine->close(store);
}

/* ---- registry ---- */

static bool is_device_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') ||
           (character != '\0' && strchr("-._:%*?!(),=@$'", character) != NULL);
}

static int check_device_id(const char *id, struct picket_error *error)
{
    size_t length = strnlen(id, DEVICE_ID_CHARACTERS_MAX + 1);
    if (length == 0)
        return picket_fail(error, PICKET_INVALID, "a device id must not be empty");
    if (length > DEVICE_ID_CHARACTERS_MAX)
        return picket_fail(error, PICKET_INVALID, "device id %.20s...: longer than %d characters",
                           id, DEVICE_ID_CHARACTERS_MAX);
    for (size_t i = 0; i < length; i++)
        if (!is_device_character(id[i]))
            return picket_fail(error, PICKET_INVALID,
                               "device id %s: character %zu is none of letters, digits and "
                               "-._:%%*?!(),=@$'",
                               id, i + 1);
    return PICKET_OK;
}

const char *picket_authentication_name(int authentication)
{
    switch (authentication) {
    case PICKET_AUTHENTICATION_SAS:
        return "sas";
    case PICKET_AUTHENTICATION_THUMBPRINT:
        return "thumbprint";
    case PICKET_AUTHENTICATION_CA:
        return "ca";
    default:
        return "unknown";
    }
}

static bool is_thumbprint_or_none(const struct picket_thumbprint *thumbprint)
{
    return thumbprint->size_bytes == 0 || thumbprint->size_bytes == PICKET_THUMBPRINT_SHA1_BYTES ||
           thumbprint->size_bytes == PICKET_THUMBPRINT_SHA256_BYTES;
}

/* A key that nobody can use any more, or a thumbprint that nobody compares, misleads who looks. */
static int check_credentials(const struct picket_device_identity *device,
                             struct picket_error *error)
{
    bool has_keys = device->primary_key_bytes > 0 || device->secondary_key_bytes > 0;
    bool has_prints =
        device->primary_thumbprint.size_bytes > 0 || device->secondary_thumbprint.size_bytes > 0;
    if (device->primary_key_bytes > PICKET_KEY_BYTES_MAX ||
        device->secondary_key_bytes > PICKET_KEY_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "device %s: a key exceeds %d bytes", device->id,
                           PICKET_KEY_BYTES_MAX);
    if (!is_thumbprint_or_none(&device->primary_thumbprint) ||
        !is_thumbprint_or_none(&device->secondary_thumbprint))
        return picket_fail(error, PICKET_INVALID,
                           "device %s: a thumbprint is neither 20 (SHA-1) nor 32 bytes (SHA-256)",
                           device->id);
    switch (device->authentication) {
    case PICKET_AUTHENTICATION_SAS:
        return !has_prints ? PICKET_OK
                           : picket_fail(error, PICKET_INVALID,
                                         "device %s: with keys it takes no thumbprint", device->id);
    case PICKET_AUTHENTICATION_THUMBPRINT:
        return has_prints && !has_keys
                   ? PICKET_OK
                   : picket_fail(error, PICKET_INVALID,
                                 "device %s: it takes one or two thumbprints, and no keys",
                                 device->id);
    case PICKET_AUTHENTICATION_CA:
        return !has_prints && !has_keys
                   ? PICKET_OK
                   : picket_fail(error, PICKET_INVALID,
                                 "device %s: with a CA's certificate it takes neither keys nor "
                                 "thumbprints",
                                 device->id);
    default:
        return picket_fail(error, PICKET_INVALID, "device %s: no such authentication: %d",
                           device->id, device->authentication);
    }
}

static int check_device(const struct picket_device_identity *device, struct picket_error *error)
{
    int status = check_device_id(device->id, error);
    return status == PICKET_OK ? check_credentials(device, error) : status;
}

int picket_store_device_add(struct picket_store *store, const struct picket_device_identity *device,
                            struct picket_error *error)
{
    int status = check_device(device, error);
    return status == PICKET_OK ? store->engine->device_add(store, device, error) : status;
}

int picket_store_devices_add(struct picket_store *store,
                             const struct picket_device_identity *devices, size_t count, size_t *at,
                             struct picket_error *error)
{
    for (*at = 0; *at < count; ++*at) {
        int status = check_device(&devices[*at], error);
        if (status != PICKET_OK)
            return status;
    }
    return store->engine->devices_add(store, devices, count, at, error);
}

int picket_store_device_set_credentials(struct picket_store *store,
                                        const struct picket_device_identity *device,
                                        struct picket_error *error)
{
    int status = check_credentials(device, error);
    return status == PICKET_OK ? store->engine->device_set_credentials(store, device, error)
                               : status;
}

int picket_store_device_get(struct picket_store *store, const char *id,
                            struct picket_device_identity *device, struct picket_error *error)
{
    return store->engine->device_get(store, id, device, error);
}

int picket_store_device_enable(struct picket_store *store, const char *id, bool enabled,
                               struct picket_error *error)
{
    return store->engine->device_enable(store, id, enabled, error);
}

int picket_store_device_remove(struct picket_store *store, const char *id,
                               struct picket_error *error)
{
    return store->engine->device_remove(store, id, error);
}

int picket_store_devices(struct picket_store *store, const struct picket_device_query *query,
                         picket_device_visit visit, void *context, struct picket_error *error)
{
    struct picket_device_query limited = *query;
    if (limited.limit <= 0)
        limited.limit = DEFAULT_LIMIT;
    return store->engine->devices(store, &limited, visit, context, error);
}

/* ---- the writer's batch ---- */

int picket_store_begin(struct picket_store *store, struct picket_error *error)
{
    return store->engine->begin(store, error);
}

int picket_store_commit(struct picket_store *store, struct picket_error *error)
{
    return store->engine->commit(store, error);
}

void picket_store_rollback(struct picket_store *store)
{
    store->engine->rollback(store);
}

int picket_store_put_event(struct picket_store *store, const struct picket_event_row *event,
                           int64_t *event_id, struct picket_error *error)
{
    return store->engine->put_event(store, event, event_id, error);
}

int picket_store_put_flows(struct picket_store *store, int64_t event_id,
                           const struct picket_flow *flows, size_t count,
                           struct picket_error *error)
{
    return store->engine->put_flows(store, event_id, flows, count, error);
}

int picket_store_update_device(struct picket_store *store, const struct picket_device_state *state,
                               struct picket_error *error)
{
    return store->engine->update_device(store, state, error);
}

int picket_store_put_dead_letter(struct picket_store *store,
                                 const struct picket_dead_letter *letter,
                                 struct picket_error *error)
{
    return store->engine->put_dead_letter(store, letter, error);
}

int picket_store_tidy(struct picket_store *store, const struct picket_store_bounds *bounds,
                      int64_t now_ms, struct picket_store_tidied *tidied,
                      struct picket_error *error)
{
    return store->engine->tidy(store, bounds, now_ms, tidied, error);
}

int picket_store_reserve(struct picket_store *store, bool *done, struct picket_error *error)
{
    return store->engine->reserve(store, done, error);
}

/* ---- alerts ---- */

const char *picket_severity_name(int severity)
{
    switch (severity) {
    case PICKET_SEVERITY_LOW:
        return "low";
    case PICKET_SEVERITY_MEDIUM:
        return "medium";
    case PICKET_SEVERITY_HIGH:
        return "high";
    default:
        return "unknown";
    }
}

static const char *const role_names[] = {"threat", "allow", "shared"};

enum { ROLE_COUNT = sizeof role_names / sizeof *role_names };

const char *picket_feed_role_name(int role)
{
    return role >= 0 && role < ROLE_COUNT ? role_names[role] : NULL;
}

int picket_feed_role_named(const char *name)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        if (strcmp(role_names[role], name) == 0)
            return role;
    return -1;
}

const char *picket_alert_status_name(int status)
{
    static const char *const names[] = {"unknown",   "new",      "acknowledged",
                                        "dismissed", "resolved", "suppressed"};
    bool known = status > 0 && status < (int)(sizeof names / sizeof *names);
    return names[known ? status : 0];
}

const char *picket_tlp_name(int tlp)
{
    static const char *const names[] = {NULL, "clear", "green", "amber", "amber+strict", "red"};
    return tlp > 0 && tlp < (int)(sizeof names / sizeof *names) ? names[tlp] : NULL;
}

int picket_store_raise(struct picket_store *store, const struct picket_finding *finding,
                       const char *const *targets, int64_t *alert_id, bool *is_told,
                       struct picket_error *error)
{
    int64_t ignored_id;
    bool ignored_told;
    return store->engine->raise(store, finding, targets, alert_id != NULL ? alert_id : &ignored_id,
                                is_told != NULL ? is_told : &ignored_told, error);
}

int picket_store_alert_decide(struct picket_store *store,
                              const struct picket_alert_decision *decision,
                              struct picket_error *error)
{
    return store->engine->alert_decide(store, decision, error);
}

int picket_store_alerts(struct picket_store *store, const struct picket_alert_query *query,
                        picket_alert_visit visit, void *context, struct picket_error *error)
{
    struct picket_alert_query limited = *query;
    if (limited.limit <= 0)
        limited.limit = DEFAULT_LIMIT;
    return store->engine->alerts(store, &limited, visit, context, error);
}

int picket_store_alerts_decide(struct picket_store *store, const struct picket_alert_query *query,
                               const struct picket_alert_decision *decision, int64_t *count,
                               struct picket_error *error)
{
    int64_t ignored_count;
    return store->engine->alerts_decide(store, query, decision,
                                        count != NULL ? count : &ignored_count, error);
}

int picket_store_alert_groups(struct picket_store *store, const struct picket_alert_query *query,
                              picket_alert_group_visit visit, void *context,
                              struct picket_error *error)
{
    struct picket_alert_query limited = *query;
    if (limited.limit <= 0)
        limited.limit = DEFAULT_LIMIT;
    return store->engine->alert_groups(store, &limited, visit, context, error);
}

/* ---- events and dead letters, for people ---- */

int picket_store_events(struct picket_store *store, const struct picket_event_query *query,
                        picket_event_visit visit, void *context, struct picket_error *error)
{
    struct picket_event_query limited = *query;
    if (limited.limit <= 0)
        limited.limit = DEFAULT_LIMIT;
    return store->engine->events(store, &limited, visit, context, error);
}

int picket_store_events_between(struct picket_store *store, int64_t since_ms, int64_t until_ms,
                                int64_t *first, int64_t *end, struct picket_error *error)
{
    return store->engine->events_between(store, since_ms, until_ms, first, end, error);
}

int picket_store_flows_search(struct picket_store *store, struct picket_flow_search *search,
                              picket_stored_flows_visit visit, void *context,
                              struct picket_error *error)
{
    if (search->events_max <= 0)
        search->events_max = SEARCH_EVENTS;
    return store->engine->flows_search(store, search, visit, context, error);
}

int picket_store_hunted_get(struct picket_store *store, struct picket_hunted *hunted,
                            struct picket_error *error)
{
    return store->engine->hunted_get(store, hunted, error);
}

int picket_store_hunted_put(struct picket_store *store, const struct picket_hunted *hunted,
                            struct picket_error *error)
{
    return store->engine->hunted_put(store, hunted, error);
}

int picket_store_event_head(struct picket_store *store, int64_t event_id,
                            struct picket_event_head *head, struct picket_error *error)
{
    return store->engine->event_head(store, event_id, head, error);
}

int picket_store_dead_letters(struct picket_store *store, int limit, picket_dead_letter_visit visit,
                              void *context, struct picket_error *error)
{
    return store->engine->dead_letters(store, limit > 0 ? limit : DEFAULT_LIMIT, visit, context,
                                       error);
}

/* ---- outbox ---- */

int picket_store_enqueue(struct picket_store *store, const char *target,
                         const struct picket_outbox_item *item, struct picket_error *error)
{
    return store->engine->enqueue(store, target, item, error);
}

int picket_store_outbox(struct picket_store *store, const char *target, int limit,
                        int64_t bytes_max, picket_outbox_visit visit, void *context,
                        struct picket_error *error)
{
    return store->engine->outbox(store, target, limit > 0 ? limit : DEFAULT_LIMIT, bytes_max, visit,
                                 context, error);
}

int picket_store_outbox_done(struct picket_store *store, const char *target, int64_t id,
                             struct picket_error *error)
{
    return store->engine->outbox_done(store, target, id, error);
}

int picket_store_outbox_done_one(struct picket_store *store, const char *target, int64_t id,
                                 struct picket_error *error)
{
    return store->engine->outbox_done_one(store, target, id, error);
}

int picket_store_outbox_set_aside(struct picket_store *store, const char *target, int64_t id,
                                  const char *reason, struct picket_error *error)
{
    return store->engine->outbox_set_aside(store, target, id, reason, error);
}

int picket_store_outbox_put_back(struct picket_store *store, const char *target, int64_t *count,
                                 struct picket_error *error)
{
    return store->engine->outbox_put_back(store, target, count, error);
}

int picket_store_outbox_depth(struct picket_store *store, const char *target, int64_t *depth,
                              struct picket_error *error)
{
    return store->engine->outbox_depth(store, target, depth, error);
}

int picket_store_targets(struct picket_store *store, picket_target_visit visit, void *context,
                         struct picket_error *error)
{
    return store->engine->targets(store, visit, context, error);
}

/* ---- feeds and indicators ---- */

bool picket_feed_is_kept(const struct picket_feed *feed)
{
    return feed->source[0] == '\0';
}

int picket_store_feed_put(struct picket_store *store, const struct picket_feed *feed,
                          struct picket_error *error)
{
    if (feed->name[0] == '\0')
        return picket_fail(error, PICKET_INVALID, "a feed's name must not be empty");
    return store->engine->feed_put(store, feed, error);
}

int picket_store_feed_remove(struct picket_store *store, const char *name,
                             struct picket_error *error)
{
    return store->engine->feed_remove(store, name, error);
}

int picket_store_feeds(struct picket_store *store, picket_feed_visit visit, void *context,
                       struct picket_error *error)
{
    return store->engine->feeds(store, visit, context, error);
}

int picket_store_feed_problems_put(struct picket_store *store, const char *feed,
                                   const struct picket_feed_problem *problems, size_t count,
                                   struct picket_error *error)
{
    return store->engine->feed_problems_put(store, feed, problems, count, error);
}

int picket_store_feed_problems(struct picket_store *store, const char *feed,
                               picket_feed_problem_visit visit, void *context,
                               struct picket_error *error)
{
    return store->engine->feed_problems(store, feed, visit, context, error);
}

int picket_store_feed_parts_change(struct picket_store *store, const char *feed, bool whole,
                                   const struct picket_feed_part *parts, size_t count,
                                   struct picket_error *error)
{
    return store->engine->feed_parts_change(store, feed, whole, parts, count, error);
}

int picket_store_feed_parts(struct picket_store *store, const char *feed,
                            picket_feed_part_visit visit, void *context, struct picket_error *error)
{
    return store->engine->feed_parts(store, feed, visit, context, error);
}

int picket_store_indicators_replace(struct picket_store *store, const char *feed,
                                    const struct picket_indicator *indicators, size_t count,
                                    picket_indicator_change_visit visit, void *context,
                                    struct picket_feed_delta *delta, struct picket_error *error)
{
    return picket_store_indicators_replace_at_least(store, feed, indicators, count, 0, visit,
                                                    context, delta, error);
}

int picket_store_indicators_replace_at_least(struct picket_store *store, const char *feed,
                                             const struct picket_indicator *indicators,
                                             size_t count, int64_t least,
                                             picket_indicator_change_visit visit, void *context,
                                             struct picket_feed_delta *delta,
                                             struct picket_error *error)
{
    struct picket_feed_delta ignored;
    return store->engine->indicators_replace(store, feed, indicators, count, least, visit, context,
                                             delta != NULL ? delta : &ignored, error);
}

int picket_store_indicators_put(struct picket_store *store, const char *feed,
                                const struct picket_indicator *indicators, size_t count,
                                picket_indicator_change_visit visit, void *context,
                                struct picket_feed_delta *delta, struct picket_error *error)
{
    struct picket_feed_delta ignored;
    return store->engine->indicators_put(store, feed, indicators, count, visit, context,
                                         delta != NULL ? delta : &ignored, error);
}

int picket_store_indicators_change(struct picket_store *store, const char *feed,
                                   const struct picket_indicator_change *changes, size_t count,
                                   picket_indicator_change_visit visit, void *context,
                                   struct picket_feed_delta *delta, size_t *at,
                                   struct picket_error *error)
{
    struct picket_feed_delta ignored;
    size_t nowhere;
    return store->engine->indicators_change(store, feed, changes, count, visit, context,
                                            delta != NULL ? delta : &ignored,
                                            at != NULL ? at : &nowhere, error);
}

int picket_store_kept_indicators(struct picket_store *store, const struct picket_kept_query *query,
                                 picket_indicator_visit visit, void *context,
                                 struct picket_error *error)
{
    return store->engine->kept_indicators(store, query, visit, context, error);
}

int picket_store_kept_expiring(struct picket_store *store, const char *list, int64_t after_ms,
                               int64_t until_ms, picket_indicator_visit visit, void *context,
                               int64_t *next_ms, struct picket_error *error)
{
    return store->engine->kept_expiring(store, list, after_ms, until_ms, visit, context, next_ms,
                                        error);
}

int picket_store_kept_forget(struct picket_store *store, int64_t before_ms,
                             picket_indicator_visit visit, void *context, bool *more,
                             struct picket_error *error)
{
    return store->engine->kept_forget(store, before_ms, visit, context, more, error);
}

int picket_store_indicators_take_out(struct picket_store *store, const char *feed,
                                     const struct picket_indicator *which, size_t count,
                                     picket_indicator_change_visit visit, void *context, size_t *at,
                                     struct picket_error *error)
{
    size_t ignored;
    return store->engine->indicators_take_out(store, feed, which, count, visit, context,
                                              at != NULL ? at : &ignored, error);
}

int picket_store_indicators(struct picket_store *store, const char *feed,
                            picket_indicator_visit visit, void *context, struct picket_error *error)
{
    return store->engine->indicators(store, feed, visit, context, error);
}

int picket_store_indicator(struct picket_store *store, const char *feed,
                           const struct picket_indicator *which, picket_indicator_visit visit,
                           void *context, struct picket_error *error)
{
    return store->engine->indicator(store, feed, which, visit, context, error);
}

/* ---- totals ---- */

int picket_store_totals(struct picket_store *store, struct picket_store_totals *totals,
                        struct picket_error *error)
{
    return store->engine->totals(store, totals, error);
}

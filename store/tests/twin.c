#include "twin.h"

#include "picket/base/time.h"
#include "picket/store/suppressions.h"

const char *const twin_targets[TWIN_TARGETS + 1] = {"siem", "hook", NULL};

static const char *device_name(int device)
{
    static const char *const names[TWIN_DEVICES] = {"a", "b", "c", "pump-1", "pump-2", "x:y", "z"};
    return names[device];
}

/* ---- steps ---- */

static bool twin_knows(const struct twin *twin, const struct twin_event *event)
{
    for (int i = 0; i < twin->event_count; i++) {
        const struct twin_event *known = &twin->events[i];
        if (known->device == event->device && strcmp(known->module, event->module) == 0 &&
            known->time_s == event->time_s && known->key == event->key)
            return true;
    }
    return false;
}

static void twin_put_event(struct twin *twin, const struct twin_event *event)
{
    assert_true(twin->event_count < TWIN_EVENTS_MAX);
    twin->events[twin->event_count++] = *event;
    twin->flow_count += event->flows;
    twin->devices[event->device].known = true;
}

static int put_flows(struct picket_store *store, int64_t id, const struct twin_event *event)
{
    struct picket_flow flows[8];
    for (int i = 0; i < event->flows; i++)
        flows[i] = flow_of(event->key + (uint64_t)i);
    return picket_store_put_flows(store, id, flows, (size_t)event->flows, &error);
}

static int step_event(struct twin *twin, struct picket_store *store, uint64_t *seed)
{
    struct twin_event event = {
        .device = random_below(seed, TWIN_DEVICES),
        .module = "",
        .time_s = 1000 + random_below(seed, 20),
        .key = (uint64_t)random_below(seed, 30),
        .flows = random_below(seed, 9),
    };
    if (random_below(seed, 4) == 0)
        strcpy(event.module, "m");
    struct picket_event_row row = event_of(device_name(event.device), event.time_s, event.key);
    row.module = event.module;
    bool known = twin_knows(twin, &event);
    twin->devices[event.device].known = true;
    if (!known)
        twin_put_event(twin, &event);
    int64_t id = -1;
    int status = picket_store_put_event(store, &row, &id, &error);
    if (status != PICKET_OK)
        return status;
    assert_int_equal(id == 0, known);
    return known ? PICKET_OK : put_flows(store, id, &event);
}

static struct twin_alert *twin_find(struct twin *twin, const struct twin_alert *alert)
{
    for (int i = 0; i < twin->alert_count; i++)
        if (twin->alerts[i].device == alert->device &&
            strcmp(twin->alerts[i].subject, alert->subject) == 0)
            return &twin->alerts[i];
    return NULL;
}

/* True: its severity has risen. */
static bool twin_fold(struct twin_alert *alert, const struct twin_alert *finding)
{
    bool rises = finding->severity > alert->severity;
    alert->count++;
    if (rises)
        alert->severity = finding->severity;
    if (finding->first_seen_ms < alert->first_seen_ms) {
        alert->first_seen_ms = finding->first_seen_ms;
        alert->first_evidence = finding->first_evidence;
    }
    if (finding->last_seen_ms >= alert->last_seen_ms) {
        alert->last_seen_ms = finding->last_seen_ms;
        alert->last_evidence = finding->last_evidence;
    }
    return rises;
}

static void twin_enqueue(struct twin *twin, int target, int64_t alert_id, uint64_t payload)
{
    assert_true(twin->item_count < TWIN_ITEMS_MAX);
    twin->items[twin->item_count++] = (struct twin_item){target, alert_id, payload};
}

/* True: it is told to the targets. */
static bool twin_raise(struct twin *twin, const struct twin_alert *finding)
{
    struct twin_alert *alert = twin_find(twin, finding);
    twin->suppressed_findings += finding->device == TWIN_SUPPRESSED;
    if (alert != NULL && !twin_fold(alert, finding))
        return false;
    if (alert == NULL) {
        assert_true(twin->alert_count < TWIN_ALERTS_MAX);
        alert = &twin->alerts[twin->alert_count++];
        *alert = *finding;
        twin->suppressed_alerts += finding->device == TWIN_SUPPRESSED;
    }
    if (finding->device == TWIN_SUPPRESSED)
        return false;
    for (int i = 0; i < TWIN_TARGETS; i++)
        twin_enqueue(twin, i, alert - twin->alerts + 1, 0);
    return true;
}

static int step_raise(struct twin *twin, struct picket_store *store, uint64_t *seed)
{
    struct twin_alert alert = {
        .device = random_below(seed, TWIN_DEVICES),
        .severity = 1 + random_below(seed, 3),
        .first_seen_ms = random_below(seed, 100),
        .count = 1,
        .first_evidence = (int64_t)(next_random(seed) >> 1),
    };
    snprintf(alert.subject, sizeof alert.subject, "s%d", random_below(seed, 50));
    alert.last_seen_ms = alert.first_seen_ms;
    alert.last_evidence = alert.first_evidence;
    char evidence[32];
    snprintf(evidence, sizeof evidence, "%lld", (long long)alert.first_evidence);
    struct picket_finding finding =
        finding_of(device_name(alert.device), alert.subject, alert.first_seen_ms);
    finding.severity = alert.severity;
    finding.evidence = evidence;
    bool expect_told = twin_raise(twin, &alert), is_told = !expect_told;
    int status = picket_store_raise(store, &finding, twin_targets, NULL, &is_told, &error);
    if (status == PICKET_OK)
        assert_int_equal(is_told, expect_told);
    return status;
}

static int step_device(struct twin *twin, struct picket_store *store, uint64_t *seed)
{
    int device = random_below(seed, TWIN_DEVICES);
    struct twin_device *entry = &twin->devices[device];
    char os_info[8];
    snprintf(os_info, sizeof os_info, "os%d", random_below(seed, 3));
    struct picket_device_state state = {
        .device = device_name(device),
        .seen_ms = random_below(seed, 100000),
        .new_events = (uint64_t)random_below(seed, 3),
        .flows_lost = (uint64_t)random_below(seed, 3),
        .bytes_lost = (uint64_t)random_below(seed, 1000),
        .os_info = random_below(seed, 2) == 0 ? os_info : NULL,
    };
    entry->known = true;
    entry->events += (int64_t)state.new_events;
    entry->flows_lost += (int64_t)state.flows_lost;
    entry->bytes_lost += (int64_t)state.bytes_lost;
    if (state.seen_ms > entry->last_seen_ms)
        entry->last_seen_ms = state.seen_ms;
    if (state.os_info != NULL)
        strcpy(entry->os_info, os_info);
    return picket_store_update_device(store, &state, &error);
}

static int step_enqueue(struct twin *twin, struct picket_store *store, uint64_t *seed)
{
    int target = random_below(seed, TWIN_TARGETS);
    uint64_t payload = next_random(seed);
    struct picket_outbox_item item = {
        .device = device_name(random_below(seed, TWIN_DEVICES)),
        .payload = (const uint8_t *)&payload,
        .payload_bytes = sizeof payload,
    };
    twin_enqueue(twin, target, 0, payload);
    return picket_store_enqueue(store, twin_targets[target], &item, &error);
}

static int step_dead_letter(struct twin *twin, struct picket_store *store, uint64_t *seed)
{
    struct picket_dead_letter letter = {
        .device = device_name(random_below(seed, TWIN_DEVICES)),
        .module = "",
        .reason = "reason",
        .properties = "",
        .payload = (const uint8_t *)"x",
        .payload_bytes = 1,
    };
    twin->dead_letter_count++;
    return picket_store_put_dead_letter(store, &letter, &error);
}

int twin_step(struct twin *twin, struct picket_store *store, uint64_t *seed)
{
    switch (random_below(seed, 10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        return step_event(twin, store, seed);
    case 4:
    case 5:
        return step_raise(twin, store, seed);
    case 6:
    case 7:
        return step_device(twin, store, seed);
    case 8:
        return step_enqueue(twin, store, seed);
    default:
        return step_dead_letter(twin, store, seed);
    }
}

static int64_t last_item_id;

static void note_id(void *context, const struct picket_outbox_item *item)
{
    (void)context;
    last_item_id = item->id;
}

int twin_deliver(struct twin *twin, struct picket_store *store, uint64_t *seed)
{
    int target = random_below(seed, TWIN_TARGETS), limit = 1 + random_below(seed, 20), kept = 0;
    last_item_id = 0;
    MUST(picket_store_outbox(store, twin_targets[target], limit, INT64_MAX, note_id, NULL, &error));
    int status = picket_store_outbox_done(store, twin_targets[target], last_item_id, &error);
    if (status != PICKET_OK)
        return status;
    for (int i = 0; i < twin->item_count; i++)
        if (twin->items[i].target != target || limit-- <= 0)
            twin->items[kept++] = twin->items[i];
    twin->item_count = kept;
    return PICKET_OK;
}

/* ---- comparison ---- */

/* How far a comparison has come. */
struct walk {
    const struct twin *twin;
    int device; /* events: of this one; < 0: all */
    int target;
    int at;
};

static void check_event(void *context, int64_t id, const struct picket_event_row *event,
                        const struct picket_flow *flows, size_t flow_count)
{
    struct walk *walk = context;
    while (walk->at > 0 && walk->device >= 0 &&
           walk->twin->events[walk->at - 1].device != walk->device)
        walk->at--;
    assert_true(walk->at > 0);
    const struct twin_event *expected = &walk->twin->events[--walk->at];
    uint64_t key;
    memcpy(&key, event->key, sizeof key);
    assert_int_equal(id, walk->at + 1);
    assert_string_equal(event->device, device_name(expected->device));
    assert_string_equal(event->module, expected->module);
    assert_int_equal(event->time_s, expected->time_s);
    assert_int_equal(key, expected->key);
    assert_int_equal(flow_count, expected->flows);
    for (size_t i = 0; i < flow_count; i++) {
        struct picket_flow flow = flow_of(key + i);
        assert_true(flows_are_equal(&flows[i], &flow));
    }
}

static void compare_events(const struct twin *twin, struct picket_store *store)
{
    for (int device = -1; device < TWIN_DEVICES; device++) {
        struct walk walk = {.twin = twin, .device = device, .at = twin->event_count};
        struct picket_event_query query = {.device = device >= 0 ? device_name(device) : NULL,
                                           .limit = TWIN_EVENTS_MAX};
        MUST(picket_store_events(store, &query, check_event, &walk, &error));
        while (walk.at > 0 && device >= 0 && twin->events[walk.at - 1].device != device)
            walk.at--;
        assert_int_equal(walk.at, 0);
    }
}

static void check_alert(void *context, const struct picket_alert *alert)
{
    struct walk *walk = context;
    assert_true(walk->at < walk->twin->alert_count);
    const struct twin_alert *expected = &walk->twin->alerts[walk->at++];
    assert_int_equal(alert->id, walk->at);
    assert_string_equal(alert->device, device_name(expected->device));
    assert_string_equal(alert->subject, expected->subject);
    assert_string_equal(alert->status, expected->device == TWIN_SUPPRESSED ? "suppressed" : "new");
    assert_int_equal(alert->severity, expected->severity);
    assert_int_equal(alert->count, expected->count);
    assert_int_equal(alert->first_seen_ms, expected->first_seen_ms);
    assert_int_equal(alert->last_seen_ms, expected->last_seen_ms);
    assert_int_equal(atoll(alert->first_evidence), expected->first_evidence);
    assert_int_equal(atoll(alert->last_evidence), expected->last_evidence);
}

static void check_item(void *context, const struct picket_outbox_item *item)
{
    struct walk *walk = context;
    while (walk->at < walk->twin->item_count && walk->twin->items[walk->at].target != walk->target)
        walk->at++;
    assert_true(walk->at < walk->twin->item_count);
    const struct twin_item *expected = &walk->twin->items[walk->at++];
    assert_int_equal(item->alert_id, expected->alert_id);
    assert_int_equal(item->payload_bytes, expected->alert_id > 0 ? 0 : 8);
    if (item->payload_bytes > 0)
        assert_memory_equal(item->payload, &expected->payload, 8);
}

static void check_device(void *context, const struct picket_device_summary *device)
{
    struct walk *walk = context;
    while (walk->at < TWIN_DEVICES && !walk->twin->devices[walk->at].known)
        walk->at++;
    assert_true(walk->at < TWIN_DEVICES);
    const struct twin_device *expected = &walk->twin->devices[walk->at++];
    assert_string_equal(device->id, device_name(walk->at - 1));
    assert_int_equal(device->last_seen_ms, expected->last_seen_ms);
    assert_int_equal(device->events, expected->events);
    assert_int_equal(device->flows_lost, expected->flows_lost);
    assert_int_equal(device->bytes_lost, expected->bytes_lost);
    assert_string_equal(device->os_info, expected->os_info);
}

static void compare_totals(const struct twin *twin, struct picket_store *store)
{
    struct picket_store_totals totals = totals_of(store);
    assert_int_equal(totals.events, twin->event_count);
    assert_int_equal(totals.flows, twin->flow_count);
    assert_int_equal(totals.alerts, twin->alert_count);
    assert_int_equal(totals.alerts_open, twin->alert_count - twin->suppressed_alerts);
    assert_int_equal(totals.dead_letters, twin->dead_letter_count);
    assert_int_equal(totals.outbox, twin->item_count);
}

static void check_suppression(void *context, const struct picket_suppression *suppression)
{
    struct walk *walk = context;
    assert_int_equal(suppression->hits, walk->twin->suppressed_findings);
    walk->at++;
}

void twin_suppress(struct picket_store *store)
{
    struct picket_suppression suppression = {.reason = "test", .created_ms = picket_unix_ms()};
    snprintf(suppression.device, sizeof suppression.device, "%s", device_name(TWIN_SUPPRESSED));
    suppression.until_ms = suppression.created_ms + 24 * 3600 * 1000;
    MUST(picket_store_suppression_add(store, &suppression, NULL, &error));
}

void twin_compare(const struct twin *twin, struct picket_store *store)
{
    compare_totals(twin, store);
    compare_events(twin, store);
    struct walk alerts = {.twin = twin};
    struct picket_alert_query query = {.oldest_first = true, .limit = TWIN_ALERTS_MAX};
    MUST(picket_store_alerts(store, &query, check_alert, &alerts, &error));
    assert_int_equal(alerts.at, twin->alert_count);
    struct walk suppressions = {.twin = twin};
    MUST(picket_store_suppressions(store, check_suppression, &suppressions, &error));
    assert_int_equal(suppressions.at, 1);
    for (int target = 0; target < TWIN_TARGETS; target++) {
        struct walk items = {.twin = twin, .target = target};
        MUST(picket_store_outbox(store, twin_targets[target], TWIN_ITEMS_MAX, INT64_MAX, check_item,
                                 &items, &error));
    }
    struct walk devices = {.twin = twin};
    struct picket_device_query all = {.limit = TWIN_DEVICES};
    MUST(picket_store_devices(store, &all, check_device, &devices, &error));
}

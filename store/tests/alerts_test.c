#include "support.h"

enum { SEEN_MAX = 200, TEXT_MAX = 64 };

static struct seen {
    struct picket_alert alerts[SEEN_MAX];
    char texts[SEEN_MAX][8][TEXT_MAX];
    char reasons[TEXT_MAX]; /* of the last */
    int count;
} seen;

static void note(void *context, const struct picket_alert *alert)
{
    (void)context;
    int at = seen.count++;
    assert_true(at < SEEN_MAX);
    seen.alerts[at] = *alert;
    const char *texts[] = {alert->type,  alert->device,         alert->subject,      alert->status,
                           alert->title, alert->first_evidence, alert->last_evidence};
    for (int i = 0; i < 7; i++)
        snprintf(seen.texts[at][i], TEXT_MAX, "%s", texts[i]);
    snprintf(seen.reasons, TEXT_MAX, "%s", alert->reasons);
    snprintf(seen.texts[at][7], TEXT_MAX, "%s %s", alert->verdict, alert->reason);
    assert_string_equal(alert->description, "description");
    assert_string_equal(alert->remediation, "remediation");
    assert_string_equal(alert->technique, "T1071");
}

static void look(struct picket_store *store, struct picket_alert_query query)
{
    seen.count = 0;
    MUST(picket_store_alerts(store, &query, note, NULL, &error));
}

static int64_t raise_to(struct picket_store *store, const struct picket_finding *finding,
                        const char *const *targets, bool expect_told)
{
    int64_t id = -1;
    bool is_told = !expect_told;
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_raise(store, finding, targets, &id, &is_told, &error));
    MUST(picket_store_commit(store, &error));
    assert_true(id > 0);
    assert_int_equal(is_told, expect_told);
    return id;
}

static int64_t raise_alone(struct picket_store *store, const struct picket_finding *finding,
                           bool expect_told)
{
    return raise_to(store, finding, NULL, expect_told);
}

static void a_finding_becomes_an_alert(void **state)
{
    struct picket_finding finding = finding_of("d", "203.0.113.0/24", 5000);
    finding.evidence = "{\"a\":1}";
    int64_t id = raise_alone(*state, &finding, true);
    look(*state, (struct picket_alert_query){.id = id});
    assert_int_equal(seen.count, 1);
    const struct picket_alert *alert = &seen.alerts[0];
    assert_int_equal(alert->id, id);
    assert_int_equal(alert->severity, PICKET_SEVERITY_MEDIUM);
    assert_int_equal(alert->first_seen_ms, 5000);
    assert_int_equal(alert->last_seen_ms, 5000);
    assert_true(alert->raised_ms > 1700000000000);
    assert_int_equal(alert->count, 1);
    static const char *const texts[] = {"IoT_Test", "d",         "203.0.113.0/24", "new",
                                        "title",    "{\"a\":1}", "{\"a\":1}"};
    for (int i = 0; i < 7; i++)
        assert_string_equal(seen.texts[0][i], texts[i]);
}

static void findings_of_one_subject_are_one_alert(void **state)
{
    struct picket_finding finding = finding_of("d", "s", 5000);
    finding.evidence = "5";
    int64_t id = raise_alone(*state, &finding, true);
    finding.seen_ms = 9000;
    finding.evidence = "9";
    finding.severity = PICKET_SEVERITY_HIGH;
    assert_int_equal(raise_alone(*state, &finding, true), id);
    finding.seen_ms = 1000; /* late */
    finding.evidence = "1";
    finding.severity = PICKET_SEVERITY_LOW;
    assert_int_equal(raise_alone(*state, &finding, false), id);
    finding.seen_ms = 7000;
    finding.evidence = "7";
    assert_int_equal(raise_alone(*state, &finding, false), id);
    look(*state, (struct picket_alert_query){.limit = 0});
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.alerts[0].count, 4);
    assert_int_equal(seen.alerts[0].first_seen_ms, 1000);
    assert_int_equal(seen.alerts[0].last_seen_ms, 9000);
    assert_int_equal(seen.alerts[0].severity, PICKET_SEVERITY_HIGH);
    assert_string_equal(seen.texts[0][5], "1");
    assert_string_equal(seen.texts[0][6], "9");
}

static void alerts_differ_by_type_device_and_subject(void **state)
{
    struct picket_finding finding = finding_of("d", "s", 1);
    raise_alone(*state, &finding, true);
    finding.type = "IoT_Other";
    raise_alone(*state, &finding, true);
    finding.device = "e";
    raise_alone(*state, &finding, true);
    finding.subject = "t";
    raise_alone(*state, &finding, true);
    raise_alone(*state, &finding, false);
    assert_int_equal(totals_of(*state).alerts, 4);
    assert_int_equal(totals_of(*state).alerts_open, 4);
}

static void a_closed_alert_is_not_folded_into(void **state)
{
    struct picket_finding finding = finding_of("d", "s", 1);
    int64_t id = raise_alone(*state, &finding, true);
    run_sql("picket.db", "update alerts set status = 2");
    assert_int_equal(raise_alone(*state, &finding, false), id);
    run_sql("picket.db", "update alerts set status = 3");
    int64_t second = raise_alone(*state, &finding, true);
    assert_true(second > id);
    run_sql("picket.db", "update alerts set status = 4 where status = 1");
    assert_true(raise_alone(*state, &finding, true) > second);
    look(*state, (struct picket_alert_query){.limit = 0});
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.texts[0][3], "new");
    assert_string_equal(seen.texts[1][3], "resolved");
    assert_string_equal(seen.texts[2][3], "dismissed");
    assert_int_equal(totals_of(*state).alerts_open, 1);
}

static int decide(struct picket_store *store, int64_t id, const char *status, const char *verdict)
{
    struct picket_alert_decision decision = {.id = id,
                                             .status = status,
                                             .verdict = verdict,
                                             .reason = "because",
                                             .decided_ms = 777,
                                             .uid = 1000};
    return picket_store_alert_decide(store, &decision, &error);
}

static void an_alert_is_acknowledged_and_closed(void **state)
{
    struct picket_finding finding = finding_of("d", "s", 1);
    int64_t id = raise_alone(*state, &finding, true);
    look(*state, (struct picket_alert_query){.id = id});
    assert_int_equal(seen.alerts[0].decided_ms, 0);
    assert_int_equal(seen.alerts[0].decided_uid, -1);
    MUST(decide(*state, id, "acknowledged", ""));
    MUST(decide(*state, id, "acknowledged", ""));
    assert_int_equal(raise_alone(*state, &finding, false), id);
    look(*state, (struct picket_alert_query){.id = id});
    assert_string_equal(seen.texts[0][3], "acknowledged");
    assert_string_equal(seen.texts[0][7], " because");
    assert_int_equal(seen.alerts[0].decided_ms, 777);
    assert_int_equal(seen.alerts[0].decided_uid, 1000);
    MUST(decide(*state, id, "dismissed", "false-positive"));
    look(*state, (struct picket_alert_query){.id = id});
    assert_string_equal(seen.texts[0][3], "dismissed");
    assert_string_equal(seen.texts[0][7], "false-positive because");
    assert_int_equal(totals_of(*state).alerts_open, 0);
    assert_true(raise_alone(*state, &finding, true) > id);
}

static void what_cannot_be_decided_is_told(void **state)
{
    struct picket_finding finding = finding_of("d", "s", 1);
    int64_t id = raise_alone(*state, &finding, true);
    assert_int_equal(decide(*state, id, "new", ""), PICKET_EXISTS);
    assert_int_equal(decide(*state, id, "unknown", ""), PICKET_INVALID);
    assert_int_equal(decide(*state, id, "suppressed", ""), PICKET_INVALID);
    assert_int_equal(decide(*state, id + 1, "resolved", "x"), PICKET_NOT_FOUND);
    MUST(decide(*state, id, "resolved", "true-positive"));
    assert_int_equal(decide(*state, id, "acknowledged", ""), PICKET_EXISTS);
    assert_non_null(strstr(error.text, "alert 1 is closed already: resolved"));
}

static struct picket_outbox_item items[SEEN_MAX];
static char item_texts[SEEN_MAX][TEXT_MAX];
static int item_count;

static void note_item(void *context, const struct picket_outbox_item *item)
{
    (void)context;
    assert_true(item_count < SEEN_MAX);
    snprintf(item_texts[item_count], TEXT_MAX, "%s%s%s %s %.*s", item->device,
             item->module[0] != '\0' ? "/" : "", item->module, item->properties,
             (int)item->payload_bytes, (const char *)item->payload);
    items[item_count++] = *item;
}

static void look_at_outbox(struct picket_store *store, const char *target, int limit)
{
    item_count = 0;
    MUST(picket_store_outbox(store, target, limit, INT64_MAX, note_item, NULL, &error));
}

static int64_t depth_of(struct picket_store *store, const char *target)
{
    int64_t depth = -1;
    MUST(picket_store_outbox_depth(store, target, &depth, &error));
    return depth;
}

static void a_new_alert_goes_to_every_target_and_a_folded_one_to_none(void **state)
{
    static const char *const targets[] = {"siem", "hook", NULL};
    struct picket_finding finding = finding_of("d", "s", 1);
    int64_t id = raise_to(*state, &finding, targets, true);
    raise_to(*state, &finding, targets, false);
    assert_int_equal(depth_of(*state, NULL), 2);
    for (int i = 0; i < 2; i++) {
        look_at_outbox(*state, targets[i], 10);
        assert_int_equal(item_count, 1);
        assert_int_equal(items[0].alert_id, id);
        assert_int_equal(items[0].payload_bytes, 0);
        assert_string_equal(item_texts[0], "d  ");
    }
}

static void an_alert_is_sent_again_when_its_severity_rises(void **state)
{
    static const char *const targets[] = {"siem", NULL};
    struct picket_finding finding = finding_of("d", "s", 1);
    finding.severity = PICKET_SEVERITY_LOW;
    int64_t id = raise_to(*state, &finding, targets, true);
    raise_to(*state, &finding, targets, false);
    finding.severity = PICKET_SEVERITY_HIGH;
    raise_to(*state, &finding, targets, true);
    raise_to(*state, &finding, targets, false);
    finding.severity = PICKET_SEVERITY_MEDIUM;
    raise_to(*state, &finding, targets, false);
    look_at_outbox(*state, "siem", 10);
    assert_int_equal(item_count, 2);
    assert_int_equal(items[1].alert_id, id);
}

static void the_reasons_are_those_of_the_highest_severity(void **state)
{
    struct picket_finding finding = finding_of("d", "s", 1);
    finding.reasons = "[1]";
    raise_alone(*state, &finding, true);
    finding.severity = PICKET_SEVERITY_LOW;
    finding.reasons = "[2]";
    raise_alone(*state, &finding, false);
    look(*state, (struct picket_alert_query){.limit = 1});
    assert_string_equal(seen.reasons, "[1]");
    finding.severity = PICKET_SEVERITY_HIGH;
    finding.reasons = "[3]";
    raise_alone(*state, &finding, true);
    finding.reasons = NULL;
    raise_alone(*state, &finding, false);
    look(*state, (struct picket_alert_query){.limit = 1});
    assert_string_equal(seen.reasons, "[3]");
}

static struct picket_standing standing;

static void note_standing(void *context, const struct picket_standing *known,
                          struct picket_finding *finding)
{
    standing = *known;
    finding->severity = *(int *)context;
}

static void raise_weighed(struct picket_store *store, const char *device, int64_t seen_ms,
                          int severity)
{
    struct picket_finding finding = finding_of(device, "s", seen_ms);
    finding.weigh = note_standing;
    finding.weigh_context = &severity;
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_raise(store, &finding, NULL, NULL, NULL, &error));
    MUST(picket_store_commit(store, &error));
}

static void a_finding_is_weighed_by_what_is_known_of_its_kind(void **state)
{
    raise_weighed(*state, "a", 5000, PICKET_SEVERITY_MEDIUM);
    assert_true(standing.count == 0 && standing.devices == 0);
    raise_weighed(*state, "a", 9000, PICKET_SEVERITY_HIGH);
    raise_weighed(*state, "a", 7000, PICKET_SEVERITY_LOW);
    assert_int_equal(standing.count, 2);
    assert_int_equal(standing.first_seen_ms, 5000);
    assert_int_equal(standing.last_seen_ms, 9000);
    assert_int_equal(standing.devices, 0);
    look(*state, (struct picket_alert_query){.limit = 1});
    assert_int_equal(seen.alerts[0].severity, PICKET_SEVERITY_HIGH);
}

static void devices_that_were_only_tried_or_long_ago_are_not_counted(void **state)
{
    char name[16];
    raise_weighed(*state, "old", 1, PICKET_SEVERITY_HIGH);
    raise_weighed(*state, "tried", 1000LL + PICKET_STANDING_MS, PICKET_SEVERITY_LOW);
    for (int i = 0; i < PICKET_STANDING_DEVICES + 3; i++) {
        snprintf(name, sizeof name, "d%d", i);
        raise_weighed(*state, name, 1000LL + PICKET_STANDING_MS, PICKET_SEVERITY_MEDIUM);
        assert_int_equal(standing.devices,
                         i < PICKET_STANDING_DEVICES ? i : PICKET_STANDING_DEVICES);
    }
    run_sql("picket.db", "update alerts set status = 3");
    raise_weighed(*state, "new", 1000LL + PICKET_STANDING_MS, PICKET_SEVERITY_MEDIUM);
    assert_int_equal(standing.devices, 0);
}

static void an_alert_that_is_rolled_back_is_not_sent(void **state)
{
    static const char *const targets[] = {"siem", NULL};
    struct picket_finding finding = finding_of("d", "s", 1);
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_raise(*state, &finding, targets, NULL, NULL, &error));
    picket_store_rollback(*state);
    assert_int_equal(depth_of(*state, NULL), 0);
    assert_int_equal(totals_of(*state).alerts, 0);
}

static void enqueue(struct picket_store *store, const char *target, const char *payload)
{
    struct picket_outbox_item item = {
        .device = "d",
        .module = "m",
        .properties = "p=1",
        .received_ms = 5,
        .payload = (const uint8_t *)payload,
        .payload_bytes = strlen(payload),
    };
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_enqueue(store, target, &item, &error));
    MUST(picket_store_commit(store, &error));
}

static void the_outbox_keeps_the_order_of_each_target(void **state)
{
    enqueue(*state, "a", "a1");
    enqueue(*state, "b", "b1");
    enqueue(*state, "a", "a2");
    enqueue(*state, "a", "");
    look_at_outbox(*state, "a", 10);
    assert_int_equal(item_count, 3);
    assert_string_equal(item_texts[0], "d/m p=1 a1");
    assert_string_equal(item_texts[1], "d/m p=1 a2");
    assert_string_equal(item_texts[2], "d/m p=1 ");
    assert_int_equal(items[0].alert_id, 0);
    assert_int_equal(items[0].received_ms, 5);
    assert_true(items[0].id < items[1].id);
    look_at_outbox(*state, "a", 2);
    assert_int_equal(item_count, 2);
    look_at_outbox(*state, "c", 2);
    assert_int_equal(item_count, 0);
}

static void what_is_done_is_gone_and_the_rest_stays(void **state)
{
    enqueue(*state, "a", "a1");
    enqueue(*state, "b", "b1");
    enqueue(*state, "a", "a2");
    enqueue(*state, "a", "a3");
    look_at_outbox(*state, "a", 10);
    int64_t last = items[2].id;
    MUST(picket_store_outbox_done(*state, "a", items[1].id, &error));
    assert_int_equal(depth_of(*state, "a"), 1);
    assert_int_equal(depth_of(*state, "b"), 1);
    assert_int_equal(depth_of(*state, NULL), 2);
    MUST(picket_store_outbox_done(*state, "a", last, &error));
    MUST(picket_store_outbox_done(*state, "a", last, &error));
    MUST(picket_store_outbox_done(*state, "b", last, &error));
    assert_int_equal(totals_of(*state).outbox, 0);
    enqueue(*state, "a", "a4");
    look_at_outbox(*state, "a", 10);
    assert_true(items[0].id > last); /* ids are not used twice */
}

static void alerts_are_found_by_device_time_and_id(void **state)
{
    for (int i = 1; i <= 120; i++) {
        char subject[20];
        snprintf(subject, sizeof subject, "s%d", i);
        struct picket_finding finding = finding_of(i % 3 ? "a" : "b", subject, i * 10);
        assert_int_equal(raise_alone(*state, &finding, true), i);
    }
    look(*state, (struct picket_alert_query){.limit = 0});
    assert_int_equal(seen.count, 100);
    assert_int_equal(seen.alerts[0].id, 120);
    assert_int_equal(seen.alerts[99].id, 21);
    look(*state, (struct picket_alert_query){.after_id = 115});
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.alerts[0].id, 116);
    look(*state, (struct picket_alert_query){.device = "b", .limit = 2});
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.alerts[0].id, 120);
    assert_int_equal(seen.alerts[1].id, 117);
    look(*state, (struct picket_alert_query){.device = "b", .after_id = 110, .limit = 2});
    assert_int_equal(seen.alerts[0].id, 111);
    assert_int_equal(seen.alerts[1].id, 114);
    look(*state, (struct picket_alert_query){.oldest_first = true, .limit = 2});
    assert_int_equal(seen.alerts[0].id, 1);
    assert_int_equal(seen.alerts[1].id, 2);
    look(*state, (struct picket_alert_query){.device = "b", .oldest_first = true, .limit = 2});
    assert_int_equal(seen.alerts[0].id, 3);
    look(*state, (struct picket_alert_query){.before_id = 5});
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.alerts[0].id, 4);
    look(*state, (struct picket_alert_query){.device = "b", .before_id = 10, .limit = 2});
    assert_int_equal(seen.alerts[0].id, 9);
    assert_int_equal(seen.alerts[1].id, 6);
    look(*state, (struct picket_alert_query){.since_ms = 1150});
    assert_int_equal(seen.count, 6);
    look(*state, (struct picket_alert_query){.device = "a", .since_ms = 1150});
    assert_int_equal(seen.count, 4);
    look(*state, (struct picket_alert_query){.device = "nobody"});
    assert_int_equal(seen.count, 0);
    look(*state, (struct picket_alert_query){.id = 121});
    assert_int_equal(seen.count, 0);
    look(*state, (struct picket_alert_query){.id = INT64_MAX, .after_id = 3});
    assert_int_equal(seen.count, 0);
}

static void since_finds_alerts_whatever_the_order_in_which_they_were_seen(void **state)
{
    static int64_t last_seen[101];
    uint64_t seed = 9;
    for (int i = 1; i <= 300; i++) {
        int id = i <= 100 ? i : 1 + random_below(&seed, 100);
        int64_t at = 1 + random_below(&seed, 5000);
        char subject[20];
        snprintf(subject, sizeof subject, "s%d", id);
        struct picket_finding finding = finding_of("d", subject, at);
        raise_alone(*state, &finding, i <= 100);
        last_seen[id] = at > last_seen[id] ? at : last_seen[id];
    }
    for (int i = 0; i < 200; i++) {
        bool ascending = i % 2;
        struct picket_alert_query query = {.since_ms = random_below(&seed, 5100),
                                           .oldest_first = ascending,
                                           .limit = 1 + random_below(&seed, 30)};
        int edge = 1 + random_below(&seed, 100), found = 0;
        query.after_id = ascending ? edge : 0;
        query.before_id = ascending ? 0 : edge;
        look(*state, query);
        for (int id = edge + (ascending ? 1 : -1); id >= 1 && id <= 100 && found < query.limit;
             id += ascending ? 1 : -1)
            if (last_seen[id] >= query.since_ms)
                assert_int_equal(seen.alerts[found++].id, id);
        assert_int_equal(seen.count, found);
    }
}

static int64_t open_alerts;

static void note_open_alerts(void *context, const struct picket_device_summary *device)
{
    (void)context;
    open_alerts = device->open_alerts;
}

static void a_device_shows_its_open_alerts(void **state)
{
    struct picket_device_identity device = identity_of("d");
    MUST(picket_store_device_add(*state, &device, &error));
    struct picket_finding finding = finding_of("d", "s", 1);
    raise_alone(*state, &finding, true);
    run_sql("picket.db", "update alerts set status = 3");
    raise_alone(*state, &finding, true);
    finding.subject = "t";
    raise_alone(*state, &finding, true);
    struct picket_device_query one = {.id = "d"};
    MUST(picket_store_devices(*state, &one, note_open_alerts, NULL, &error));
    assert_int_equal(open_alerts, 2);
}

static void look_again(void *context, const struct picket_alert *alert)
{
    struct picket_alert_query query = {.limit = 1};
    (void)alert;
    assert_int_equal(picket_store_alerts(context, &query, look_again, context, &error),
                     PICKET_INVALID);
    assert_non_null(strstr(error.text, "within its own visit"));
}

static void a_visit_may_not_ask_the_same_again(void **state)
{
    struct picket_finding finding = finding_of("d", "s", 1);
    raise_alone(*state, &finding, true);
    struct picket_alert_query query = {.limit = 1};
    MUST(picket_store_alerts(*state, &query, look_again, *state, &error));
}

static void no_more_is_read_than_so_many_bytes_of_payloads_need(void **state)
{
    enqueue(*state, "a", "four");
    enqueue(*state, "a", "five5");
    enqueue(*state, "a", "six");
    item_count = 0;
    MUST(picket_store_outbox(*state, "a", 10, 5, note_item, NULL, &error));
    assert_int_equal(item_count, 2);
    item_count = 0;
    MUST(picket_store_outbox(*state, "a", 10, 4, note_item, NULL, &error));
    assert_int_equal(item_count, 1);
    look_at_outbox(*state, "a", 10);
    assert_int_equal(item_count, 3);
}

static void look_up_alert(void *context, const struct picket_outbox_item *item)
{
    struct picket_alert_query query = {.id = item->alert_id};
    MUST(picket_store_alerts(context, &query, note, NULL, &error));
}

static void an_outbox_visit_may_look_up_the_alert(void **state)
{
    static const char *const targets[] = {"siem", NULL};
    struct picket_finding finding = finding_of("d", "s", 1);
    raise_to(*state, &finding, targets, true);
    seen.count = 0;
    MUST(picket_store_outbox(*state, "siem", 1, INT64_MAX, look_up_alert, *state, &error));
    assert_int_equal(seen.count, 1);
}

static void severities_have_names(void **state)
{
    (void)state;
    assert_string_equal(picket_severity_name(PICKET_SEVERITY_LOW), "low");
    assert_string_equal(picket_severity_name(PICKET_SEVERITY_MEDIUM), "medium");
    assert_string_equal(picket_severity_name(PICKET_SEVERITY_HIGH), "high");
    assert_string_equal(picket_severity_name(0), "unknown");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(a_finding_becomes_an_alert),
        TEST(findings_of_one_subject_are_one_alert),
        TEST(alerts_differ_by_type_device_and_subject),
        TEST(a_closed_alert_is_not_folded_into),
        TEST(an_alert_is_acknowledged_and_closed),
        TEST(what_cannot_be_decided_is_told),
        TEST(a_new_alert_goes_to_every_target_and_a_folded_one_to_none),
        TEST(an_alert_is_sent_again_when_its_severity_rises),
        TEST(the_reasons_are_those_of_the_highest_severity),
        TEST(a_finding_is_weighed_by_what_is_known_of_its_kind),
        TEST(devices_that_were_only_tried_or_long_ago_are_not_counted),
        TEST(an_alert_that_is_rolled_back_is_not_sent),
        TEST(the_outbox_keeps_the_order_of_each_target),
        TEST(what_is_done_is_gone_and_the_rest_stays),
        TEST(alerts_are_found_by_device_time_and_id),
        TEST(since_finds_alerts_whatever_the_order_in_which_they_were_seen),
        TEST(a_device_shows_its_open_alerts),
        TEST(a_visit_may_not_ask_the_same_again),
        TEST(no_more_is_read_than_so_many_bytes_of_payloads_need),
        TEST(an_outbox_visit_may_look_up_the_alert),
        TEST(severities_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Alerts asked for by all that they can be asked for, decided on by the same, and taken together,
 * against arrays searched from end to end. */
#include "support.h"

enum { ALERTS = 400, TEXT_MAX = 24 };

struct row {
    int64_t id;
    int device, type, subject, severity, status;
    int64_t last_seen_ms, count;
};
static struct row rows[ALERTS];

static const char *name_of(char letter, int number)
{
    static char names[4][TEXT_MAX];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, TEXT_MAX, "%c%d", letter, number);
    return name;
}

static void raise_row(struct picket_store *store, struct row *row)
{
    char device[TEXT_MAX], subject[TEXT_MAX], type[TEXT_MAX], sql[120];
    snprintf(device, TEXT_MAX, "d%d", row->device);
    snprintf(subject, TEXT_MAX, "s%d", row->subject);
    snprintf(type, TEXT_MAX, "t%d", row->type);
    struct picket_finding finding = finding_of(device, subject, row->last_seen_ms);
    finding.type = type;
    finding.severity = row->severity;
    MUST(picket_store_begin(store, &error));
    for (int i = 0; i < row->count; i++)
        MUST(picket_store_raise(store, &finding, NULL, &row->id, NULL, &error));
    MUST(picket_store_commit(store, &error));
    snprintf(sql, sizeof sql, "update alerts set status = %d where id = %lld", row->status,
             (long long)row->id);
    run_sql("picket.db", sql);
}

/* Closed ones of a kind may be many, open and suppressed ones not. */
static bool is_taken(int count, const struct row *row)
{
    for (int i = 0; i < count; i++)
        if (rows[i].device == row->device && rows[i].type == row->type &&
            rows[i].subject == row->subject && rows[i].status != 3 && rows[i].status != 4)
            return true;
    return false;
}

static void fill(struct picket_store *store, uint64_t *seed)
{
    for (int i = 0; i < ALERTS;) {
        struct row row = {.device = random_below(seed, 8),
                          .type = random_below(seed, 3),
                          .subject = random_below(seed, 10),
                          .severity = 1 + random_below(seed, 3),
                          .status = 1 + random_below(seed, 5),
                          .last_seen_ms = 1 + random_below(seed, 1000),
                          .count = 1 + random_below(seed, 2)};
        if (is_taken(i, &row))
            row.status = 3 + random_below(seed, 2);
        if (is_taken(i, &row))
            row.subject = 1000 + i;
        rows[i] = row;
        raise_row(store, &rows[i++]);
    }
}

/* What is asked for, as numbers; -1: all. */
struct asked {
    int device, type, subject, severity;
    unsigned statuses;
    int64_t since_ms;
};

static struct asked ask_at_random(uint64_t *seed)
{
    struct asked asked = {-1, -1, -1, 0, 0, 0};
    if (random_below(seed, 2))
        asked.device = random_below(seed, 8);
    if (random_below(seed, 2))
        asked.type = random_below(seed, 3);
    if (random_below(seed, 2))
        asked.subject = random_below(seed, 10);
    if (random_below(seed, 2))
        asked.severity = 1 + random_below(seed, 3);
    if (random_below(seed, 2))
        asked.statuses = (unsigned)random_below(seed, 32) << 1;
    if (random_below(seed, 2))
        asked.since_ms = random_below(seed, 1000);
    return asked;
}

static bool is_asked_for(const struct asked *asked, const struct row *row)
{
    return (asked->device < 0 || asked->device == row->device) &&
           (asked->type < 0 || asked->type == row->type) &&
           (asked->subject < 0 || asked->subject == row->subject) &&
           asked->severity <= row->severity && asked->since_ms <= row->last_seen_ms &&
           (asked->statuses == 0 || (asked->statuses & 1U << row->status) != 0);
}

static struct picket_alert_query query_of(const struct asked *asked)
{
    struct picket_alert_query query = {
        .since_ms = asked->since_ms, .severity = asked->severity, .statuses = asked->statuses};
    if (asked->device >= 0)
        query.device = name_of('d', asked->device);
    if (asked->type >= 0)
        query.type = name_of('t', asked->type);
    if (asked->subject >= 0)
        query.subject = name_of('s', asked->subject);
    return query;
}

static int64_t seen[ALERTS];
static int seen_count;

static void note(void *context, const struct picket_alert *alert)
{
    (void)context;
    assert_true(seen_count < ALERTS);
    seen[seen_count++] = alert->id;
}

/* Some of them from a certain id on, in either order. */
static void compare_page(struct picket_store *store, const struct asked *asked, uint64_t *seed)
{
    struct picket_alert_query query = query_of(asked);
    bool ascending = random_below(seed, 2);
    int from = random_below(seed, ALERTS), at = 0;
    query.limit = 1 + random_below(seed, ALERTS);
    query.oldest_first = ascending;
    query.after_id = ascending ? from : 0;
    query.before_id = ascending ? 0 : from;
    seen_count = 0;
    MUST(picket_store_alerts(store, &query, note, NULL, &error));
    for (int i = 0; i < ALERTS && at < query.limit; i++) {
        const struct row *row = &rows[ascending ? i : ALERTS - 1 - i];
        bool is_there = ascending ? row->id > from : from == 0 || row->id < from;
        if (!is_there || !is_asked_for(asked, row))
            continue;
        assert_true(at < seen_count);
        assert_int_equal(seen[at++], row->id);
    }
    assert_int_equal(at, seen_count);
}

static void alerts_are_found_by_all_that_is_asked(void **state)
{
    uint64_t seed = 3;
    fill(*state, &seed);
    for (int i = 0; i < 600; i++) {
        struct asked asked = ask_at_random(&seed);
        compare_page(*state, &asked, &seed);
    }
}

struct walk {
    const struct asked *asked;
    int64_t last_ms;
    int alerts;
};

static void check_group(void *context, const struct picket_alert_group *group)
{
    struct walk *walk = context;
    struct picket_alert_group expected = {.first_seen_ms = INT64_MAX};
    bool devices[8] = {false};
    for (int i = 0; i < ALERTS; i++) {
        const struct row *row = &rows[i];
        if (!is_asked_for(walk->asked, row) || strcmp(name_of('t', row->type), group->type) != 0 ||
            strcmp(name_of('s', row->subject), group->subject) != 0)
            continue;
        expected.alerts++;
        expected.open += row->status <= 2;
        expected.count += row->count;
        expected.devices += !devices[row->device];
        devices[row->device] = true;
        if (row->severity > expected.severity)
            expected.severity = row->severity;
        if (row->last_seen_ms > expected.last_seen_ms)
            expected.last_seen_ms = row->last_seen_ms;
        if (row->last_seen_ms < expected.first_seen_ms)
            expected.first_seen_ms = row->last_seen_ms;
    }
    assert_int_equal(group->alerts, expected.alerts);
    assert_int_equal(group->open, expected.open);
    assert_int_equal(group->count, expected.count);
    assert_int_equal(group->devices, expected.devices);
    assert_int_equal(group->severity, expected.severity);
    assert_int_equal(group->last_seen_ms, expected.last_seen_ms);
    assert_int_equal(group->first_seen_ms, expected.first_seen_ms);
    assert_true(devices[group->device[1] - '0']);
    assert_true(group->last_seen_ms <= walk->last_ms);
    walk->last_ms = group->last_seen_ms;
    walk->alerts += (int)group->alerts;
}

static void alerts_of_one_subject_are_taken_together(void **state)
{
    uint64_t seed = 4;
    fill(*state, &seed);
    for (int i = 0; i < 100; i++) {
        struct asked asked = ask_at_random(&seed);
        struct picket_alert_query query = query_of(&asked);
        struct walk walk = {&asked, INT64_MAX, 0};
        int expected = 0;
        query.limit = ALERTS;
        MUST(picket_store_alert_groups(*state, &query, check_group, &walk, &error));
        for (int k = 0; k < ALERTS; k++)
            expected += is_asked_for(&asked, &rows[k]);
        assert_int_equal(walk.alerts, expected);
    }
}

static void open_alerts_are_closed_by_what_is_asked_and_no_others(void **state)
{
    uint64_t seed = 5;
    struct picket_alert_decision close = {.status = "dismissed",
                                          .verdict = "false-positive",
                                          .reason = "r",
                                          .decided_ms = 9,
                                          .uid = 7};
    fill(*state, &seed);
    for (int i = 0; i < 40; i++) {
        struct asked asked = ask_at_random(&seed);
        struct picket_alert_query query = query_of(&asked);
        int64_t count = -1, expected = 0;
        MUST(picket_store_alerts_decide(*state, &query, &close, &count, &error));
        for (int k = 0; k < ALERTS; k++) {
            if (rows[k].status > 2 || !is_asked_for(&asked, &rows[k]))
                continue;
            rows[k].status = PICKET_ALERT_DISMISSED;
            expected++;
        }
        assert_int_equal(count, expected);
        assert_int_equal(
            ask_sql("picket.db",
                    "select count(*) from alerts where decided_ms = 9 and decided_uid = 7 "
                    "and verdict = 'false-positive'"),
            ask_sql("picket.db", "select count(*) from alerts where verdict <> ''"));
    }
    close.status = "new";
    struct picket_alert_query all = {0};
    assert_int_equal(picket_store_alerts_decide(*state, &all, &close, NULL, &error),
                     PICKET_INVALID);
}

/* Each names the index that it goes by: were it of no use to the statement, that would be an error.
 */
static void each_way_to_ask_can_use_its_index(void **state)
{
    static const struct picket_alert_query asked[] = {
        {.subject = "s"},
        {.device = "d", .type = "t"},
        {.statuses = 1 << PICKET_ALERT_NEW},
        {.severity = PICKET_SEVERITY_HIGH},
        {.type = "t", .since_ms = 5},
        {.subject = "s", .device = "d", .severity = 2, .statuses = 6, .since_ms = 1},
    };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct picket_alert_query query = asked[i];
        query.limit = 10;
        seen_count = 0;
        MUST(picket_store_alerts(*state, &query, note, NULL, &error));
        assert_int_equal(seen_count, 0);
    }
}

static int decide(struct picket_store *store, int64_t id, const char *status, const char *verdict,
                  bool change)
{
    struct picket_alert_decision decision = {.id = id,
                                             .status = status,
                                             .verdict = verdict,
                                             .reason = "r",
                                             .decided_ms = 5,
                                             .change = change};
    return picket_store_alert_decide(store, &decision, &error);
}

static void a_verdict_is_changed_only_if_that_is_meant(void **state)
{
    struct row row = {.status = PICKET_ALERT_NEW, .severity = 1, .count = 1, .last_seen_ms = 1};
    raise_row(*state, &row);
    MUST(decide(*state, row.id, "dismissed", "unknown", false));
    assert_int_equal(decide(*state, row.id, "resolved", "true-positive", false), PICKET_EXISTS);
    MUST(decide(*state, row.id, "resolved", "true-positive", true));
    assert_int_equal(decide(*state, row.id, "acknowledged", "", true), PICKET_EXISTS);
    assert_int_equal(ask_sql("picket.db", "select count(*) from alerts where status = 4 and "
                                          "verdict = 'true-positive'"),
                     1);
}

static void a_closed_alert_is_opened_again_unless_another_of_its_kind_is(void **state)
{
    struct row row = {.status = PICKET_ALERT_NEW, .severity = 1, .count = 1, .last_seen_ms = 1};
    raise_row(*state, &row);
    int64_t first = row.id;
    assert_int_equal(decide(*state, first, "new", "", false), PICKET_EXISTS);
    MUST(decide(*state, first, "dismissed", "unknown", false));
    MUST(decide(*state, first, "new", "", false));
    raise_row(*state, &row);
    assert_int_equal(row.id, first);
    MUST(decide(*state, first, "dismissed", "unknown", false));
    raise_row(*state, &row);
    assert_true(row.id > first);
    assert_int_equal(decide(*state, first, "new", "", false), PICKET_EXISTS);
    assert_string_equal(error.text, "alert 1 cannot be opened: alert 2 is of the same kind, and "
                                    "open");
    assert_int_equal(decide(*state, 77, "new", "", false), PICKET_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(alerts_are_found_by_all_that_is_asked),
        TEST(alerts_of_one_subject_are_taken_together),
        TEST(open_alerts_are_closed_by_what_is_asked_and_no_others),
        TEST(each_way_to_ask_can_use_its_index),
        TEST(a_verdict_is_changed_only_if_that_is_meant),
        TEST(a_closed_alert_is_opened_again_unless_another_of_its_kind_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

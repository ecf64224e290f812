/* What is kept back, for how long, and that nothing of it is lost. */
#include "support.h"

#include "picket/base/time.h"
#include "picket/store/suppressions.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static struct picket_suppression suppression_of(const char *type, const char *device,
                                                const char *prefix)
{
    struct picket_suppression suppression = {
        .reason = "known", .created_ms = picket_unix_ms(), .has_prefix = prefix[0] != '\0'};
    suppression.until_ms = suppression.created_ms + DAY_MS;
    snprintf(suppression.type, sizeof suppression.type, "%s", type);
    snprintf(suppression.device, sizeof suppression.device, "%s", device);
    if (suppression.has_prefix)
        assert_true(picket_prefix_parse(&suppression.prefix, prefix, strlen(prefix)));
    return suppression;
}

static int64_t add(struct picket_store *store, const char *type, const char *device,
                   const char *prefix)
{
    struct picket_suppression suppression = suppression_of(type, device, prefix);
    int64_t id = 0;
    MUST(picket_store_suppression_add(store, &suppression, &id, &error));
    assert_true(id > 0);
    return id;
}

/* ---- which it covers ---- */

static bool bit(const struct picket_address *address, int number)
{
    return (address->bytes[number / 8] >> (7 - number % 8) & 1) != 0;
}

/* Bit by bit. */
static bool covers_naively(const struct picket_prefix *wide, const struct picket_prefix *narrow)
{
    if (wide->address.family != narrow->address.family || wide->length > narrow->length)
        return false;
    for (int i = 0; i < wide->length; i++)
        if (bit(&wide->address, i) != bit(&narrow->address, i))
            return false;
    return true;
}

static struct picket_prefix prefix_at_random(uint64_t *seed)
{
    struct picket_prefix prefix = {.address.family = random_below(seed, 2) ? 4 : 6};
    int bits = prefix.address.family == 4 ? 32 : 128;
    for (int i = 0; i < bits / 8; i++) /* few values, so that many cover each other */
        prefix.address.bytes[i] =
            (uint8_t)(random_below(seed, 4) == 0 ? 1 << random_below(seed, 8) : 0);
    prefix.length = (uint8_t)(random_below(seed, 3) == 0 ? bits : random_below(seed, bits + 1));
    picket_prefix_mask(&prefix);
    return prefix;
}

static void it_covers_as_a_naive_comparison_of_bits_says(void **state)
{
    static const char *const types[] = {"", "t", "u"}, *const devices[] = {"", "a", "b"};
    uint64_t seed = 21;
    int covered = 0;
    (void)state;
    for (int i = 0; i < 50000; i++) {
        struct picket_suppression suppression = {.has_prefix = random_below(&seed, 4) > 0,
                                                 .prefix = prefix_at_random(&seed)};
        struct picket_prefix subject = prefix_at_random(&seed);
        char text[PICKET_PREFIX_TEXT_BYTES];
        snprintf(suppression.type, sizeof suppression.type, "%s", types[random_below(&seed, 3)]);
        snprintf(suppression.device, sizeof suppression.device, "%s",
                 devices[random_below(&seed, 3)]);
        const char *type = types[1 + random_below(&seed, 2)],
                   *device = devices[1 + random_below(&seed, 2)];
        bool expected = (suppression.type[0] == '\0' || suppression.type[0] == type[0]) &&
                        (suppression.device[0] == '\0' || suppression.device[0] == device[0]) &&
                        (!suppression.has_prefix || covers_naively(&suppression.prefix, &subject));
        covered += expected;
        picket_prefix_format(&subject, text);
        if (picket_suppression_covers(&suppression, type, device, text) != expected)
            fail_msg("%d: %s", i, text);
    }
    assert_in_range(covered, 1000, 49000);
}

static void a_subject_that_is_no_prefix_is_covered_by_none_that_has_one(void **state)
{
    (void)state;
    struct picket_suppression all = suppression_of("", "", "0.0.0.0/0");
    assert_false(picket_suppression_covers(&all, "t", "d", "CA plant"));
    assert_false(picket_suppression_covers(&all, "t", "d", ""));
    struct picket_suppression of_type = suppression_of("t", "", "");
    assert_true(picket_suppression_covers(&of_type, "t", "d", "CA plant"));
}

/* ---- what becomes of findings ---- */

static const char *const targets[] = {"siem", NULL};

static bool raise_finding(struct picket_store *store, const char *device, const char *subject,
                          int severity, int64_t *id)
{
    struct picket_finding finding = finding_of(device, subject, 1000);
    bool is_told = false;
    finding.severity = severity;
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_raise(store, &finding, targets, id, &is_told, &error));
    MUST(picket_store_commit(store, &error));
    return is_told;
}

static struct seen {
    int64_t id, count, suppression, decided_ms, hits, last_hit_ms;
    char status[16];
    int severity, rows;
    int64_t until_ms;
    char reason[16];
} seen;

static void note_alert(void *context, const struct picket_alert *alert)
{
    (void)context;
    seen.id = alert->id;
    seen.count = alert->count;
    seen.severity = alert->severity;
    seen.suppression = alert->suppression;
    seen.decided_ms = alert->decided_ms;
    snprintf(seen.status, sizeof seen.status, "%s", alert->status);
}

static void look(struct picket_store *store, int64_t id)
{
    struct picket_alert_query query = {.id = id, .limit = 1};
    memset(&seen, 0, sizeof seen);
    MUST(picket_store_alerts(store, &query, note_alert, NULL, &error));
    assert_int_equal(seen.id, id);
}

static void note_suppression(void *context, const struct picket_suppression *suppression)
{
    if (context != NULL && *(int64_t *)context != suppression->id)
        return;
    seen.rows++;
    seen.hits = suppression->hits;
    seen.last_hit_ms = suppression->last_hit_ms;
    seen.until_ms = suppression->until_ms;
    snprintf(seen.reason, sizeof seen.reason, "%s", suppression->reason);
}

static int64_t depth(struct picket_store *store)
{
    int64_t depth = -1;
    MUST(picket_store_outbox_depth(store, NULL, &depth, &error));
    return depth;
}

static void what_is_suppressed_is_kept_and_counted_and_told_to_nobody(void **state)
{
    int64_t id, same, before = picket_unix_ms();
    int64_t suppression = add(*state, "", "d", "203.0.113.0/24");
    assert_false(raise_finding(*state, "d", "203.0.113.9/32", PICKET_SEVERITY_LOW, &id));
    assert_false(raise_finding(*state, "d", "203.0.113.9/32", PICKET_SEVERITY_HIGH, &same));
    assert_int_equal(id, same);
    assert_int_equal(depth(*state), 0);
    look(*state, id);
    assert_string_equal(seen.status, "suppressed");
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.severity, PICKET_SEVERITY_HIGH);
    assert_int_equal(seen.suppression, suppression);
    assert_true(seen.decided_ms >= before);
    MUST(picket_store_suppressions(*state, note_suppression, &suppression, &error));
    assert_int_equal(seen.hits, 2);
    assert_true(seen.last_hit_ms >= before);
    assert_string_equal(seen.reason, "known");
    assert_int_equal(totals_of(*state).alerts_open, 0);
    assert_true(raise_finding(*state, "e", "203.0.113.9/32", PICKET_SEVERITY_LOW, &same));
    assert_true(raise_finding(*state, "d", "203.0.112.9/32", PICKET_SEVERITY_LOW, &same));
    assert_int_equal(depth(*state), 2);
}

static void when_it_has_ended_the_next_finding_is_a_new_alert(void **state)
{
    int64_t id, later;
    add(*state, "IoT_Test", "", "");
    raise_finding(*state, "d", "s", PICKET_SEVERITY_LOW, &id);
    run_sql("picket.db", "update suppressions set until_ms = created_ms");
    assert_true(raise_finding(*state, "d", "s", PICKET_SEVERITY_LOW, &later));
    assert_true(later > id);
    look(*state, later);
    assert_string_equal(seen.status, "new");
    look(*state, id);
    assert_string_equal(seen.status, "suppressed");
    assert_int_equal(seen.count, 1);
    int64_t second = add(*state, "IoT_Test", "", "");
    raise_finding(*state, "d", "s", PICKET_SEVERITY_LOW, &later);
    assert_int_equal(later, id);
    look(*state, id);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.suppression, second);
}

static void an_alert_that_is_open_stays_so_and_grows_no_more(void **state)
{
    int64_t id, other;
    raise_finding(*state, "d", "s", PICKET_SEVERITY_LOW, &id);
    add(*state, "", "d", "");
    raise_finding(*state, "d", "s", PICKET_SEVERITY_HIGH, &other);
    assert_true(other != id);
    look(*state, id);
    assert_string_equal(seen.status, "new");
    assert_int_equal(seen.count, 1);
    assert_int_equal(depth(*state), 1);
}

static void a_batch_that_is_rolled_back_counts_no_hit(void **state)
{
    int64_t suppression = add(*state, "", "d", "");
    struct picket_finding finding = finding_of("d", "s", 1);
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_raise(*state, &finding, targets, NULL, NULL, &error));
    picket_store_rollback(*state);
    seen.hits = -1;
    MUST(picket_store_suppressions(*state, note_suppression, &suppression, &error));
    assert_int_equal(seen.hits, 0);
    assert_int_equal(totals_of(*state).alerts, 0);
}

static void nobody_decides_on_a_suppressed_alert(void **state)
{
    int64_t id;
    add(*state, "", "d", "");
    raise_finding(*state, "d", "s", PICKET_SEVERITY_LOW, &id);
    struct picket_alert_decision decision = {
        .id = id, .status = "new", .verdict = "", .reason = ""};
    assert_int_equal(picket_store_alert_decide(*state, &decision, &error), PICKET_EXISTS);
    assert_non_null(strstr(error.text, "is suppressed"));
}

static void what_another_handle_adds_counts_from_the_next_batch_on(void **state)
{
    struct picket_store *other;
    int64_t id;
    MUST(picket_store_open(&other, folder, &error));
    assert_true(raise_finding(*state, "d", "a", PICKET_SEVERITY_LOW, &id));
    int64_t suppression = add(other, "", "d", "");
    assert_false(raise_finding(*state, "d", "b", PICKET_SEVERITY_LOW, &id));
    MUST(picket_store_suppression_remove(other, suppression, &error));
    assert_true(raise_finding(*state, "d", "b", PICKET_SEVERITY_LOW, &id));
    assert_int_equal(picket_store_suppression_remove(other, suppression, &error), PICKET_NOT_FOUND);
    picket_store_close(other);
}

/* ---- what is refused, and bounds ---- */

static void one_without_end_reason_or_subject_is_refused(void **state)
{
    char long_reason[PICKET_SUPPRESSION_REASON_BYTES_MAX + 2];
    memset(long_reason, 'r', sizeof long_reason - 1);
    long_reason[sizeof long_reason - 1] = '\0';
    struct picket_suppression good = suppression_of("t", "", ""), bad = good;
    bad.type[0] = '\0';
    assert_int_equal(picket_store_suppression_add(*state, &bad, NULL, &error), PICKET_INVALID);
    bad = good;
    bad.until_ms = bad.created_ms;
    assert_int_equal(picket_store_suppression_add(*state, &bad, NULL, &error), PICKET_INVALID);
    bad.until_ms = bad.created_ms + PICKET_SUPPRESSION_DAYS_MAX * (int64_t)DAY_MS + 1;
    assert_int_equal(picket_store_suppression_add(*state, &bad, NULL, &error), PICKET_INVALID);
    bad = good;
    bad.reason = "";
    assert_int_equal(picket_store_suppression_add(*state, &bad, NULL, &error), PICKET_INVALID);
    bad.reason = long_reason;
    assert_int_equal(picket_store_suppression_add(*state, &bad, NULL, &error), PICKET_INVALID);
    good.until_ms = good.created_ms + PICKET_SUPPRESSION_DAYS_MAX * (int64_t)DAY_MS;
    MUST(picket_store_suppression_add(*state, &good, NULL, &error));
}

static void when_full_ended_ones_make_room_and_others_do_not(void **state)
{
    struct picket_suppression suppression = suppression_of("t", "", "");
    for (int i = 0; i < PICKET_SUPPRESSIONS_MAX; i++)
        MUST(picket_store_suppression_add(*state, &suppression, NULL, &error));
    assert_int_equal(picket_store_suppression_add(*state, &suppression, NULL, &error), PICKET_FULL);
    run_sql("picket.db", "update suppressions set until_ms = id where id in (7, 9)");
    MUST(picket_store_suppression_add(*state, &suppression, NULL, &error));
    assert_int_equal(ask_sql("picket.db", "select count(*) from suppressions where id = 7"), 0);
    assert_int_equal(ask_sql("picket.db", "select count(*) from suppressions where id = 9"), 1);
    MUST(picket_store_suppression_add(*state, &suppression, NULL, &error));
    assert_int_equal(picket_store_suppression_add(*state, &suppression, NULL, &error), PICKET_FULL);
    seen.rows = 0;
    MUST(picket_store_suppressions(*state, note_suppression, NULL, &error));
    assert_int_equal(seen.rows, PICKET_SUPPRESSIONS_MAX);
}

static void suppressed_alerts_are_aged_by_when_they_were_last_kept_back(void **state)
{
    struct picket_store_bounds bounds = {.closed_alert_age_s = 3600};
    struct picket_store_tidied tidied;
    int64_t id, now_ms = picket_unix_ms();
    add(*state, "", "d", "");
    raise_finding(*state, "d", "s", PICKET_SEVERITY_LOW, &id);
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_tidy(*state, &bounds, now_ms, &tidied, &error));
    assert_int_equal(tidied.alerts, 0);
    MUST(picket_store_tidy(*state, &bounds, now_ms + 2 * 3600 * 1000, &tidied, &error));
    assert_int_equal(tidied.alerts, 1);
    MUST(picket_store_commit(*state, &error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_covers_as_a_naive_comparison_of_bits_says),
        cmocka_unit_test(a_subject_that_is_no_prefix_is_covered_by_none_that_has_one),
        TEST(what_is_suppressed_is_kept_and_counted_and_told_to_nobody),
        TEST(when_it_has_ended_the_next_finding_is_a_new_alert),
        TEST(an_alert_that_is_open_stays_so_and_grows_no_more),
        TEST(a_batch_that_is_rolled_back_counts_no_hit),
        TEST(nobody_decides_on_a_suppressed_alert),
        TEST(what_another_handle_adds_counts_from_the_next_batch_on),
        TEST(one_without_end_reason_or_subject_is_refused),
        TEST(when_full_ended_ones_make_room_and_others_do_not),
        TEST(suppressed_alerts_are_aged_by_when_they_were_last_kept_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

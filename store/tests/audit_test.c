#include "picket/store/audit.h"
#include "support.h"

static void append(struct picket_store *store, const char *act, int64_t time_ms, int64_t age_s)
{
    struct picket_audit_entry entry = {.time_ms = time_ms,
                                       .uid = 1000,
                                       .pid = 4242,
                                       .act = act,
                                       .thing = "pump-7",
                                       .detail = "{\"a\":1}"};
    MUST(picket_store_audit_append(store, &entry, age_s, &error));
}

static char seen[20000];

static void note(void *context, const struct picket_audit_entry *entry)
{
    (void)context;
    char line[300];
    snprintf(line, sizeof line, "%lld:%s ", (long long)entry->id, entry->act);
    strncat(seen, line, sizeof seen - strlen(seen) - 1);
}

static const char *look(struct picket_store *store, struct picket_audit_query query)
{
    seen[0] = '\0';
    MUST(picket_store_audit(store, &query, note, NULL, &error));
    return seen;
}

static struct picket_audit_check check(struct picket_store *store)
{
    struct picket_audit_check checked;
    MUST(picket_store_audit_check(store, &checked, &error));
    return checked;
}

/* Computed with Python's hashlib from the description in audit.h. */
static void a_seal_is_what_its_description_says(void **state)
{
    static const uint8_t expected[PICKET_SEAL_BYTES] = {
        0x92, 0x31, 0x23, 0xd1, 0x23, 0x2b, 0x6f, 0x5f, 0x78, 0x75, 0x8c,
        0x14, 0xe1, 0xbd, 0x08, 0xf5, 0x24, 0x70, 0xdc, 0x98, 0x49, 0xaa,
        0xd7, 0xd5, 0x5a, 0x56, 0xc7, 0x2f, 0x3b, 0x37, 0xb9, 0x70};
    const uint8_t zeros[PICKET_SEAL_BYTES] = {0};
    uint8_t seal[PICKET_SEAL_BYTES];
    const struct picket_audit_entry entry = {.id = 1,
                                             .time_ms = 1763749800123,
                                             .uid = 1000,
                                             .pid = 4242,
                                             .of = 0,
                                             .status = 0,
                                             .act = "device.add",
                                             .thing = "pump-7",
                                             .detail = "{\"request\":{\"id\":\"pump-7\"}}"};
    (void)state;
    picket_audit_seal(&entry, zeros, seal);
    assert_memory_equal(seal, expected, sizeof seal);
}

static void entries_are_given_back_in_both_orders_and_pages(void **state)
{
    static const char *const acts[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 5; i++)
        append(*state, acts[i], 1000 * (i + 1), 0);
    assert_string_equal(look(*state, (struct picket_audit_query){0}), "5:e 4:d 3:c 2:b 1:a ");
    assert_string_equal(look(*state, (struct picket_audit_query){.before_id = 3, .limit = 1}),
                        "2:b ");
    assert_string_equal(look(*state, (struct picket_audit_query){.oldest_first = true, .limit = 2}),
                        "1:a 2:b ");
    assert_string_equal(look(*state, (struct picket_audit_query){.after_id = 2, .since_ms = 4000}),
                        "4:d 5:e ");
    assert_string_equal(look(*state, (struct picket_audit_query){.since_ms = 4500}), "5:e ");
}

static void an_untouched_log_holds_together(void **state)
{
    struct picket_audit_check checked = check(*state);
    assert_int_equal(checked.count, 0);
    for (int i = 0; i < 2500; i++)
        append(*state, "act", 1000, 0);
    picket_store_close(*state);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
    append(*state, "act", 1000, 0);
    checked = check(*state);
    assert_int_equal(checked.count, 2501);
    assert_int_equal(checked.first_id, 1);
    assert_int_equal(checked.last_id, 2501);
    assert_int_equal(checked.broken_id, 0);
}

static void what_was_changed_taken_out_or_put_in_shows(void **state)
{
    static const struct {
        const char *sql;
        int64_t broken_id;
    } cases[] = {
        {"update audit set thing = 'pump-8' where id = 3", 3},
        {"update audit set uid = 0 where id = 3", 3},
        {"update audit set detail = '{}' where id = 1", 1},
        {"update audit set time_ms = time_ms + 1 where id = 5", 5},
        {"update audit set status = 200 where id = 2", 2},
        {"delete from audit where id = 3", 4},
        {"update audit set seal = zeroblob(32) where id = 4", 4},
        {"update audit set act = thing, thing = act where id = 2", 2},
        {"delete from audit where id = 3; update audit set id = 3 where id = 4", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run_sql("picket.db", "delete from audit");
        for (int n = 0; n < 5; n++)
            append(*state, "act", 1000, 0);
        assert_int_equal(check(*state).broken_id, 0);
        run_sql("picket.db", cases[i].sql);
        if (check(*state).broken_id != cases[i].broken_id)
            fail_msg("%s: %lld", cases[i].sql, (long long)check(*state).broken_id);
    }
}

static void a_check_of_the_newest_looks_at_no_others(void **state)
{
    struct picket_audit_check checked;
    for (int i = 0; i < 5; i++)
        append(*state, "a", i, 0);
    MUST(picket_store_audit_check_after(*state, 3, &checked, &error));
    assert_int_equal(checked.count, 2);
    assert_int_equal(checked.first_id, 4);
    assert_int_equal(checked.broken_id, 0);
    run_sql("picket.db", "update audit set thing = 'x' where id in (2, 5)");
    MUST(picket_store_audit_check_after(*state, 3, &checked, &error));
    assert_int_equal(checked.broken_id, 5);
}

static void old_entries_age_from_the_low_end_and_the_rest_holds_together(void **state)
{
    for (int i = 0; i < 10; i++)
        append(*state, "old", 1000 * i, 0);
    append(*state, "new", 20000, 15); /* from 5000 on stay */
    assert_string_equal(look(*state, (struct picket_audit_query){.oldest_first = true, .limit = 2}),
                        "6:old 7:old ");
    append(*state, "a clock set back", 1000, 15);
    append(*state, "later", 1000000, 15);
    assert_string_equal(look(*state, (struct picket_audit_query){0}), "13:later ");
    append(*state, "next", 2000000, 15);
    struct picket_audit_check checked = check(*state);
    assert_int_equal(checked.first_id, 14); /* the newest always stays */
    assert_int_equal(checked.broken_id, 0);
    append(*state, "last", 2000001, 15);
    assert_int_equal(check(*state).broken_id, 0);
    assert_int_equal(check(*state).count, 2);
}

static void an_entry_behind_one_that_stays_does_not_age(void **state)
{
    append(*state, "stays", 100000, 0);
    append(*state, "a clock set back", 1000, 0);
    append(*state, "now", 101000, 10);
    assert_int_equal(check(*state).count, 3);
}

static void a_detail_has_a_bound(void **state)
{
    static char detail[PICKET_AUDIT_DETAIL_BYTES_MAX + 2];
    memset(detail, 'x', sizeof detail - 1);
    struct picket_audit_entry entry = {.act = "a", .thing = "", .detail = detail};
    assert_int_equal(picket_store_audit_append(*state, &entry, 0, &error), PICKET_INVALID);
    detail[PICKET_AUDIT_DETAIL_BYTES_MAX] = '\0';
    MUST(picket_store_audit_append(*state, &entry, 0, &error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seal_is_what_its_description_says),
        TEST(entries_are_given_back_in_both_orders_and_pages),
        TEST(an_untouched_log_holds_together),
        TEST(what_was_changed_taken_out_or_put_in_shows),
        TEST(a_check_of_the_newest_looks_at_no_others),
        TEST(old_entries_age_from_the_low_end_and_the_rest_holds_together),
        TEST(an_entry_behind_one_that_stays_does_not_age),
        TEST(a_detail_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

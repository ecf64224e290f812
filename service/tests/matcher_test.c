/* Flows of one event against a table: which of them share a finding, and which match nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "intel/matching/matcher.h"
#include "picket/base/counter.h"

enum {
    FLOWS_MAX = 200,
    PLAIN = 1,
    SPECIAL = 2,
    OWN = 3,
    ALLOWED = 4,
    ALSO_ALLOWED = 5,
    SHARED = 6
};

static struct table *table;
static struct table_batch *batch;
static struct picket_flow flows[FLOWS_MAX];
static size_t flow_count;
static char reasons[2000];                     /* of the last finding */
static char found[8000];                       /* "subject flows severity;" for each finding */
static char shared_by[500], description[2000]; /* "list prefix\\n"; of the first finding */
static struct silences silences;
static uint64_t before; /* flows that were silent before the test */
static struct picket_prefix own_network;

struct counter_search {
    const char *name;
    uint64_t value;
};

static void look_at_counter(const struct picket_counter *counter, void *context)
{
    struct counter_search *search = context;
    if (strcmp(counter->name, search->name) == 0)
        search->value = atomic_load(&counter->value);
}

static uint64_t counted(const char *name)
{
    struct counter_search search = {name, 0};
    picket_counters_each(look_at_counter, &search);
    return search.value;
}

/* Since the test began: by allow lists, and as the fleet's own. */
static uint64_t silenced(void)
{
    return counted("service_flows_allowed") + counted("service_flows_own_networks") - before;
}

static void add_feed(struct table_feed feed, uint16_t number)
{
    assert_int_equal(table_add_feed(table, &feed), number);
}

static int begin(void **state)
{
    (void)state;
    table = table_new();
    add_feed((struct table_feed){.name = "plain"}, PLAIN);
    add_feed((struct table_feed){.name = "special", .match_special_purpose = true}, SPECIAL);
    add_feed((struct table_feed){.name = "own", .match_own_networks = true}, OWN);
    add_feed((struct table_feed){.name = "allowed", .role = PICKET_FEED_ALLOW}, ALLOWED);
    add_feed((struct table_feed){.name = "also", .role = PICKET_FEED_ALLOW}, ALSO_ALLOWED);
    add_feed((struct table_feed){.name = "shared", .role = PICKET_FEED_SHARED}, SHARED);
    assert_true(picket_prefix_parse(&own_network, "45.0.0.0/24", 11));
    silences_open(&silences);
    batch = table_batch_new(table);
    flow_count = 0;
    found[0] = shared_by[0] = description[0] = '\0';
    before += silenced();
    return 0;
}

static int end(void **state)
{
    (void)state;
    silences_close(&silences);
    return 0;
}

static void list(uint16_t feed, const char *prefix, uint16_t port, uint8_t confidence,
                 int64_t until_ms)
{
    struct picket_indicator indicator = {
        .port = port, .confidence = confidence, .valid_until_ms = until_ms, .tags = ""};
    assert_true(picket_prefix_parse(&indicator.prefix, prefix, strlen(prefix)));
    assert_true(table_put(batch, feed, &indicator));
}

static void flow(const char *remote, uint16_t port)
{
    struct picket_flow *added = &flows[flow_count++];
    memset(added, 0, sizeof *added);
    assert_true(picket_address_parse(&added->remote, remote, strlen(remote)));
    added->local = added->remote;
    added->remote_port = port;
    added->bytes_out = 10;
}

static int note(void *context, const struct picket_finding *finding)
{
    json_t *evidence = json_loads(finding->evidence, 0, NULL);
    assert_non_null(evidence);
    (void)context;
    size_t i;
    json_t *shared = json_object_get(evidence, "shared_by"), *list;
    json_array_foreach(shared, i, list)
    {
        snprintf(shared_by + strlen(shared_by), sizeof shared_by - strlen(shared_by), "%s %s\n",
                 json_string_value(json_object_get(list, "feed")),
                 json_string_value(json_object_get(list, "indicator")));
    }
    if (description[0] == '\0')
        snprintf(description, sizeof description, "%s", finding->description);
    snprintf(found + strlen(found), sizeof found - strlen(found), "%s %lld/%lld %s%s;",
             finding->subject,
             (long long)json_integer_value(json_object_get(evidence, "flow_count")),
             (long long)json_integer_value(json_object_get(evidence, "match_count")),
             picket_severity_name(finding->severity), shared != NULL ? " shared" : "");
    assert_true(json_array_size(json_object_get(evidence, "flows")) <= 10);
    struct picket_finding weighed = *finding;
    if (context != NULL)
        finding->weigh(finding->weigh_context, context, &weighed);
    snprintf(reasons, sizeof reasons, "%s %s", picket_severity_name(weighed.severity),
             weighed.reasons);
    json_decref(evidence);
    return PICKET_OK;
}

/* standing: what is known of its kind; NULL: nothing is asked. */
static const char *inspect_knowing(int64_t seen_ms, struct picket_standing *standing)
{
    struct picket_event event = {.device = "pump",
                                 .group = "",
                                 .event_id = 1,
                                 .seen_ms = seen_ms,
                                 .flows = flows,
                                 .flow_count = flow_count};
    assert_int_equal(table_apply(batch, NULL), PICKET_OK);
    struct matching matching = {.table = table, .own_networks = {&own_network, 1}};
    bool finds = matcher_finds(&matching, &event);
    matching.silences = &silences;
    assert_int_equal(matcher_inspect(&matching, &event, note, standing), PICKET_OK);
    assert_int_equal(finds, found[0] != '\0' || silenced() > 0);
    table_free(table);
    return found;
}

static const char *inspect(int64_t seen_ms)
{
    return inspect_knowing(seen_ms, NULL);
}

static void severity_counts_feeds_ports_and_bytes_of_all_flows(void **state)
{
    (void)state;
    list(PLAIN, "8.8.0.0/16", 0, 40, 0);
    list(PLAIN, "8.8.8.0/24", 0, 60, 0);
    list(SPECIAL, "8.8.8.8", 443, 50, 0);
    flow("8.8.8.8", 443);
    flow("8.8.8.8", 443);
    flows[1].bytes_out = 700000;
    flows[0].bytes_out = 400000;
    inspect(1000);
    assert_string_equal(
        reasons,
        "high [{\"points\":2,\"reason\":\"confidence 60 of 100, the highest of its feeds\"},"
        "{\"points\":1,\"reason\":\"2 feeds list it\"},"
        "{\"points\":1,\"reason\":\"the indicator names the very port or protocol\"},"
        "{\"points\":1,\"reason\":\"the device sent 1100000 bytes, and no data came back\"},"
        "{\"points\":1,\"reason\":\"the device sent much: 1100000 bytes\"}]");
}

static void severity_is_weighed_again_by_what_is_known_of_its_kind(void **state)
{
    enum { HOUR_MS = 3600 * 1000 };
    struct picket_standing standing = {
        .count = 9, .first_seen_ms = 1000, .last_seen_ms = 2000, .devices = 2};
    (void)state;
    list(PLAIN, "8.8.8.8", 0, 60, 0);
    flow("8.8.8.8", 443);
    inspect_knowing(1000 + 2 * HOUR_MS, &standing);
    assert_string_equal(found, "8.8.8.8/32 1/1 medium;");
    assert_string_equal(
        reasons, "high [{\"points\":2,\"reason\":\"confidence 60 of 100\"},"
                 "{\"points\":1,\"reason\":\"the device sent 10 bytes, and no data came back\"},"
                 "{\"points\":1,\"reason\":\"seen 10 times within 2 h\"},"
                 "{\"points\":1,\"reason\":\"3 devices talk to it\"}]");
}

static void flows_to_one_prefix_are_one_finding(void **state)
{
    (void)state;
    list(PLAIN, "8.8.8.0/24", 0, 50, 0);
    list(PLAIN, "9.9.9.9", 0, 50, 0);
    list(PLAIN, "2606:4700::/32", 0, 80, 0);
    flow("8.8.8.8", 53);
    flow("2606:4700::1111", 53);
    flow("1.1.1.1", 53);
    flow("9.9.9.9", 53);
    flow("8.8.8.9", 443);
    assert_string_equal(inspect(1000), "8.8.8.0/24 2/1 medium;9.9.9.9/32 1/1 medium;"
                                       "2606:4700::/32 1/1 medium;");
}

static void the_narrowest_that_matches_is_the_subject_and_all_are_evidence(void **state)
{
    (void)state;
    list(PLAIN, "8.0.0.0/8", 0, 10, 0);
    list(SPECIAL, "8.8.0.0/16", 0, 20, 0);
    list(PLAIN, "8.8.8.8", 443, 90, 0);
    flow("8.8.8.8", 443);
    flow("8.8.8.8", 53); /* not the port of the narrowest */
    flow("8.1.1.1", 53);
    assert_string_equal(inspect(1000), "8.0.0.0/8 1/1 low;8.8.0.0/16 1/2 low;"
                                       "8.8.8.8/32 1/3 high;");
}

static void an_indicator_of_a_protocol_matches_that_alone(void **state)
{
    (void)state;
    struct picket_indicator indicator = {.port = 53, .protocol = PICKET_UDP + 1, .tags = ""};
    assert_true(picket_prefix_parse(&indicator.prefix, "8.8.8.8", 7));
    assert_true(table_put(batch, PLAIN, &indicator));
    flow("8.8.8.8", 53);
    flows[0].protocol = PICKET_TCP;
    flow("8.8.8.8", 53);
    flows[1].protocol = PICKET_UDP;
    flow("8.8.8.8", 54);
    flows[2].protocol = PICKET_UDP;
    assert_string_equal(inspect(1000), "8.8.8.8/32 1/1 low;");
}

static void what_has_expired_by_the_time_of_the_event_does_not_match(void **state)
{
    (void)state;
    list(PLAIN, "8.8.8.8", 0, 90, 5000);
    list(PLAIN, "9.9.9.9", 0, 90, 5000);
    flow("8.8.8.8", 1);
    assert_string_equal(inspect(5000), "");
    end(NULL);
    begin(NULL);
    list(PLAIN, "8.8.8.8", 0, 90, 5000);
    flow("8.8.8.8", 1);
    assert_string_equal(inspect(4999), "8.8.8.8/32 1/1 medium;");
}

static void special_purpose_addresses_match_only_feeds_that_ask_for_them(void **state)
{
    (void)state;
    list(PLAIN, "127.0.0.1", 0, 90, 0);
    list(SPECIAL, "127.0.0.0/8", 0, 50, 0);
    list(PLAIN, "10.0.0.0/8", 0, 90, 0);
    list(PLAIN, "ff00::/8", 0, 90, 0);
    flow("127.0.0.1", 80);
    flow("10.1.2.3", 80);
    flow("ff02::1", 0);
    assert_string_equal(inspect(1000), "127.0.0.0/8 1/1 medium;");
}

static void many_flows_are_counted_and_few_are_shown(void **state)
{
    (void)state;
    list(PLAIN, "8.8.8.0/24", 0, 50, 0);
    for (int i = 0; i < FLOWS_MAX; i++)
        flow(i % 2 ? "8.8.8.8" : "1.1.1.1", (uint16_t)i);
    assert_string_equal(inspect(1000), "8.8.8.0/24 100/1 medium;");
}

static void an_allow_list_silences_what_it_covers_however_narrow_the_threat(void **state)
{
    (void)state;
    list(PLAIN, "8.8.8.0/24", 0, 90, 0);
    list(ALLOWED, "8.8.8.8", 0, 50, 0);
    list(PLAIN, "9.9.9.9", 0, 90, 0);
    list(PLAIN, "9.9.9.0/24", 0, 90, 0);
    list(ALLOWED, "9.9.0.0/16", 0, 50, 0);
    list(PLAIN, "2606:4700::/32", 0, 80, 0);
    list(ALLOWED, "2606:4700::1111", 0, 0, 0);
    flow("8.8.8.8", 53);
    flow("8.8.8.9", 53);
    flow("9.9.9.9", 443);
    flow("9.10.9.9", 443);
    flow("2606:4700::1111", 53);
    flow("2606:4700::1112", 53);
    assert_string_equal(inspect(1000), "8.8.8.0/24 1/1 medium;2606:4700::/32 1/1 medium;");
    assert_int_equal(silences_of(&silences, "allowed"), 3);
    assert_int_equal(silences_of(&silences, "also"), 0);
}

static void an_allow_entry_of_a_port_or_protocol_silences_that_alone(void **state)
{
    (void)state;
    struct picket_indicator udp = {.port = 53, .protocol = PICKET_UDP + 1, .tags = ""};
    list(PLAIN, "8.8.8.8", 0, 50, 0);
    list(ALLOWED, "8.8.8.8", 443, 50, 0);
    assert_true(picket_prefix_parse(&udp.prefix, "8.8.8.0/24", 10));
    assert_true(table_put(batch, ALSO_ALLOWED, &udp));
    flow("8.8.8.8", 443);
    flow("8.8.8.8", 53);
    flow("8.8.8.8", 53);
    flows[2].protocol = PICKET_UDP;
    flow("8.8.8.8", 80);
    assert_string_equal(inspect(1000), "8.8.8.8/32 2/1 medium;");
    assert_int_equal(silences_of(&silences, "allowed"), 1);
    assert_int_equal(silences_of(&silences, "also"), 1);
}

static void an_allow_entry_that_has_expired_silences_nothing(void **state)
{
    (void)state;
    list(PLAIN, "8.8.8.8", 0, 50, 0);
    list(ALLOWED, "8.8.8.8", 0, 50, 5000);
    flow("8.8.8.8", 443);
    assert_string_equal(inspect(5000), "8.8.8.8/32 1/1 medium;");
    end(NULL);
    begin(NULL);
    list(PLAIN, "8.8.8.8", 0, 50, 0);
    list(ALLOWED, "8.8.8.8", 0, 50, 5000);
    flow("8.8.8.8", 443);
    assert_string_equal(inspect(4000), "");
}

static void allow_and_shared_lists_raise_nothing_themselves(void **state)
{
    (void)state;
    list(ALLOWED, "8.8.8.8", 0, 90, 0);
    list(SHARED, "9.9.9.9", 0, 90, 0);
    flow("8.8.8.8", 443);
    flow("9.9.9.9", 443);
    assert_string_equal(inspect(1000), "");
    assert_int_equal(silenced(), 0);
}

static void what_is_shared_is_told_and_weighs_less(void **state)
{
    (void)state;
    list(PLAIN, "8.8.8.8", 0, 80, 0);
    list(SHARED, "8.8.0.0/16", 0, 0, 0);
    list(SHARED, "8.8.8.8", 53, 0, 0);
    list(PLAIN, "9.9.9.9", 0, 80, 0);
    flow("8.8.8.8", 443);
    flow("9.9.9.9", 443);
    flows[0].bytes_in = flows[1].bytes_in = 5000;
    flows[0].bytes_out = flows[1].bytes_out = 5000;
    assert_string_equal(inspect(1000), "8.8.8.8/32 1/1 medium shared;9.9.9.9/32 1/1 high;");
    assert_string_equal(shared_by, "shared 8.8.0.0/16\n");
    assert_non_null(strstr(description, "Many use this address, says list \"shared\""));
}

static void shared_weighs_less_only_if_all_flows_go_to_shared_addresses(void **state)
{
    (void)state;
    list(PLAIN, "8.8.8.0/24", 0, 80, 0);
    list(SHARED, "8.8.8.8", 0, 0, 0);
    flow("8.8.8.8", 443);
    flow("8.8.8.9", 443);
    flows[0].bytes_in = flows[1].bytes_in = 5000;
    flows[0].bytes_out = flows[1].bytes_out = 5000;
    assert_string_equal(inspect(1000), "8.8.8.0/24 2/1 high shared;");
    assert_null(strstr(description, "Many use"));
}

static void an_allow_list_covers_special_purpose_addresses_too(void **state)
{
    (void)state;
    list(SPECIAL, "10.0.0.0/8", 0, 50, 0);
    list(ALLOWED, "10.1.0.0/16", 0, 50, 0);
    flow("10.1.2.3", 80);
    flow("10.2.2.3", 80);
    assert_string_equal(inspect(1000), "10.0.0.0/8 1/1 medium;");
    assert_int_equal(silences_of(&silences, "allowed"), 1);
}

static void the_fleets_own_addresses_match_only_feeds_that_ask_for_them(void **state)
{
    (void)state;
    list(PLAIN, "45.0.0.0/16", 0, 90, 0);
    list(OWN, "45.0.0.9", 0, 50, 0);
    flow("45.0.0.8", 80);
    flow("45.0.0.9", 80);
    flow("45.0.1.1", 80);
    assert_string_equal(inspect(1000), "45.0.0.0/16 1/1 medium;45.0.0.9/32 1/1 medium;");
    assert_int_equal(silenced(), 1);
}

#define MATCHER_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MATCHER_TEST(severity_counts_feeds_ports_and_bytes_of_all_flows),
        MATCHER_TEST(severity_is_weighed_again_by_what_is_known_of_its_kind),
        MATCHER_TEST(flows_to_one_prefix_are_one_finding),
        MATCHER_TEST(the_narrowest_that_matches_is_the_subject_and_all_are_evidence),
        MATCHER_TEST(an_indicator_of_a_protocol_matches_that_alone),
        MATCHER_TEST(what_has_expired_by_the_time_of_the_event_does_not_match),
        MATCHER_TEST(special_purpose_addresses_match_only_feeds_that_ask_for_them),
        MATCHER_TEST(many_flows_are_counted_and_few_are_shown),
        MATCHER_TEST(an_allow_list_silences_what_it_covers_however_narrow_the_threat),
        MATCHER_TEST(an_allow_entry_of_a_port_or_protocol_silences_that_alone),
        MATCHER_TEST(an_allow_entry_that_has_expired_silences_nothing),
        MATCHER_TEST(allow_and_shared_lists_raise_nothing_themselves),
        MATCHER_TEST(what_is_shared_is_told_and_weighs_less),
        MATCHER_TEST(shared_weighs_less_only_if_all_flows_go_to_shared_addresses),
        MATCHER_TEST(an_allow_list_covers_special_purpose_addresses_too),
        MATCHER_TEST(the_fleets_own_addresses_match_only_feeds_that_ask_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

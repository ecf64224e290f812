/* Captures × feeds, end to end in memory: each address of each capture, as the remote end of its
 * flows, against the table of all feeds that can be read. What lies in which feed was found by
 * others (data/matches.csv): every such address is a finding with exactly those indicators, unless
 * it is a special-purpose address for which the feeds do not ask, or one of a list that allows,
 * which must stay silent; and nothing else is a finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel/formats/feed_reader.h"
#include "intel/matching/matcher.h"
#include "shared_data.h"

enum { NAME_BYTES = 96, FLOWS_MAX = 20000, ROWS_MAX = 4000 };

/* ---- feeds ---- */

/* How the feeds are added. */
struct roles {
    bool allow;   /* allow_*.json, MISP's warninglists, are of the role allow; otherwise threats */
    bool special; /* feeds ask for special-purpose addresses */
};

static struct roles roles;

static bool is_allow_list(const char *feed)
{
    return roles.allow && strncmp(feed, "allow_", 6) == 0;
}

static char loaded_feeds[64][NAME_BYTES];
static size_t loaded_count;

static bool is_loaded(const char *feed)
{
    for (size_t i = 0; i < loaded_count; i++)
        if (strcmp(loaded_feeds[i], feed) == 0)
            return true;
    return false;
}

static void load_feed(struct table *table, struct table_batch *batch, const char *name)
{
    char path[200];
    size_t size;
    struct feed_reading reading;
    snprintf(path, sizeof path, "data/feeds/%s", name);
    char *text = shared_file(path, &size);
    const struct feed_options options = {.confidence = 50};
    if (feed_read(&reading, text, size, &options, NULL) == PICKET_OK) {
        const struct table_feed added = {.name = name,
                                         .match_special_purpose = roles.special,
                                         .role = is_allow_list(name) ? PICKET_FEED_ALLOW
                                                                     : PICKET_FEED_THREAT};
        uint16_t feed = table_add_feed(table, &added);
        assert_true(feed != 0 && loaded_count < 64);
        snprintf(loaded_feeds[loaded_count++], NAME_BYTES, "%s", name);
        for (size_t i = 0; i < reading.indicators.count; i++)
            assert_true(table_put(batch, feed, &reading.indicators.items[i]));
    }
    feed_reading_free(&reading);
    free(text);
}

static struct table *load_feeds(void)
{
    size_t size;
    char *saved, *index = shared_file("data/feeds/INDEX.csv", &size);
    struct table *table = table_new();
    struct table_batch *batch = table_batch_new(table);
    for (char *line = strtok_r(index, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        char name[NAME_BYTES];
        if (sscanf(line, "open,%95[^,]", name) == 1)
            load_feed(table, batch, name);
    }
    free(index);
    assert_int_equal(table_apply(batch, NULL), PICKET_OK);
    return table;
}

/* ---- what others found ---- */

struct match_row {
    char capture[NAME_BYTES], address[NAME_BYTES], feed[NAME_BYTES], prefix[NAME_BYTES];
    bool found;
};

static struct match_row rows[ROWS_MAX];
static size_t row_count;

static struct match_row *find_row(const char *capture, const char *address, const char *feed,
                                  const char *prefix)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].capture, capture) == 0 && strcmp(rows[i].address, address) == 0 &&
            strcmp(rows[i].feed, feed) == 0 && strcmp(rows[i].prefix, prefix) == 0)
            return &rows[i];
    return NULL;
}

static bool is_allowed(const char *capture, const char *address)
{
    for (size_t i = 0; i < row_count; i++)
        if (is_allow_list(rows[i].feed) && strcmp(rows[i].capture, capture) == 0 &&
            strcmp(rows[i].address, address) == 0)
            return true;
    return false;
}

static bool is_silent(const char *capture, const char *text)
{
    struct picket_address address;
    assert_true(picket_address_parse(&address, text, strlen(text)));
    return (!roles.special && picket_address_special_purpose(&address) != NULL) ||
           is_allowed(capture, text);
}

static void load_rows(void)
{
    size_t size;
    char *saved, *text = shared_file("data/matches.csv", &size);
    for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        struct match_row row = {.found = false};
        if (sscanf(line, "%95[^,],%95[^,],%*[^,],%95[^,],%95[^,]", row.capture, row.address,
                   row.feed, row.prefix) != 4 ||
            strcmp(row.capture, "capture") == 0 || !is_loaded(row.feed) ||
            find_row(row.capture, row.address, row.feed, row.prefix) != NULL)
            continue;
        assert_true(row_count < ROWS_MAX);
        rows[row_count++] = row;
    }
    free(text);
}

/* ---- a capture's flows, both ends once as the remote one ---- */

static struct picket_flow flows[FLOWS_MAX];
static size_t flow_count;

static uint8_t protocol_of(unsigned number)
{
    return number == 6 ? PICKET_TCP : number == 17 ? PICKET_UDP : PICKET_ICMP;
}

static void load_flows(const char *capture)
{
    char path[200];
    size_t size;
    snprintf(path, sizeof path, "data/pcaps/%s.flows.csv", capture);
    char *saved, *text = shared_file(path, &size);
    flow_count = 0;
    for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        char from[64], to[64];
        unsigned protocol, from_port, to_port, packets, bytes;
        struct picket_flow out = {.local_port = 0}, in;
        if (sscanf(line, "%63[^,],%63[^,],%u,%u,%u,%u,%u", from, to, &protocol, &from_port,
                   &to_port, &packets, &bytes) != 7)
            continue;
        assert_true(picket_address_parse(&out.local, from, strlen(from)));
        assert_true(picket_address_parse(&out.remote, to, strlen(to)));
        out.local_port = (uint16_t)from_port;
        out.remote_port = (uint16_t)to_port;
        out.protocol = protocol_of(protocol);
        out.bytes_out = bytes;
        in = out;
        in.local = out.remote;
        in.remote = out.local;
        in.local_port = out.remote_port;
        in.remote_port = out.local_port;
        in.bytes_in = bytes;
        in.bytes_out = 0;
        assert_true(flow_count + 2 <= FLOWS_MAX);
        flows[flow_count++] = out;
        flows[flow_count++] = in;
    }
    free(text);
}

static int compare_remotes(const void *a, const void *b)
{
    return memcmp(&((const struct picket_flow *)a)->remote,
                  &((const struct picket_flow *)b)->remote, sizeof(struct picket_address));
}

/* ---- comparing ---- */

static const char *current_capture;
static struct picket_address current_address;
static size_t findings;

static int take_finding(void *context, const struct picket_finding *finding)
{
    (void)context;
    char address[PICKET_ADDRESS_TEXT_BYTES];
    picket_address_format(&current_address, address);
    if (is_silent(current_capture, address))
        fail_msg("%s: %s is special-purpose or allowed, and alerted", current_capture, address);
    assert_string_equal(finding->type, "IoT_SuspiciousIpCommunication");
    assert_string_equal(finding->device, current_capture);
    json_t *evidence = json_loads(finding->evidence, 0, NULL), *match;
    size_t i;
    assert_string_equal(json_string_value(json_object_get(evidence, "remote_address")), address);
    assert_true(json_integer_value(json_object_get(evidence, "flow_count")) > 0);
    json_array_foreach(json_object_get(evidence, "matches"), i, match)
    {
        const char *feed = json_string_value(json_object_get(match, "feed"));
        const char *prefix = json_string_value(json_object_get(match, "indicator"));
        struct match_row *row = find_row(current_capture, address, feed, prefix);
        if (row == NULL)
            fail_msg("%s: %s in %s of %s: nobody else finds that", current_capture, address, prefix,
                     feed);
        if (i == 0)
            assert_string_equal(finding->subject, prefix);
        row->found = true;
    }
    json_decref(evidence);
    findings++;
    return PICKET_OK;
}

static void inspect_capture(const struct table *table, const char *capture)
{
    current_capture = capture;
    load_flows(capture);
    qsort(flows, flow_count, sizeof *flows, compare_remotes);
    for (size_t first = 0; first < flow_count;) {
        size_t end = first;
        while (end < flow_count && compare_remotes(&flows[first], &flows[end]) == 0)
            end++;
        struct picket_event event = {.device = capture,
                                     .group = "",
                                     .seen_ms = 1700000000000,
                                     .flows = flows + first,
                                     .flow_count = end - first};
        current_address = flows[first].remote;
        struct matching matching = {.table = table};
        assert_int_equal(matcher_inspect(&matching, &event, take_finding, NULL), PICKET_OK);
        first = end;
    }
}

static void check_captures(void)
{
    loaded_count = row_count = findings = 0;
    struct table *table = load_feeds();
    load_rows();
    size_t size, captures = 0, silent = 0;
    char *saved, *index = shared_file("data/pcaps/INDEX.csv", &size);
    for (char *line = strtok_r(index, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        char name[NAME_BYTES], path[300];
        if (sscanf(line, "open,%95[^,]", name) != 1)
            continue;
        snprintf(path, sizeof path, "%s/data/pcaps/%s.flows.csv", PICKET_SHARED_DIRECTORY, name);
        if (access(path, R_OK) != 0)
            continue;
        inspect_capture(table, name);
        captures++;
    }
    free(index);
    for (size_t i = 0; i < row_count; i++) {
        bool is_right = is_silent(rows[i].capture, rows[i].address);
        silent += is_right;
        if (!is_right && !rows[i].found)
            fail_msg("%s: %s in %s of %s was not found", rows[i].capture, rows[i].address,
                     rows[i].prefix, rows[i].feed);
    }
    print_message("%zu captures, %zu feeds, %zu findings, %zu rows rightly silent\n", captures,
                  loaded_count, findings, silent);
    assert_true(captures > 50 && findings > 0 && silent > 0);
    table_free(table);
}

static void captures_against_feeds_alert_where_they_should_and_nowhere_else(void **state)
{
    (void)state;
    if (!shared_data_is_here())
        skip();
    roles = (struct roles){.allow = false};
    check_captures();
}

static void warninglists_silence_what_they_allow_and_the_genuine_hits_remain(void **state)
{
    (void)state;
    if (!shared_data_is_here())
        skip();
    roles = (struct roles){.allow = true};
    check_captures();
}

static void warninglists_silence_special_purpose_addresses_that_feeds_ask_for(void **state)
{
    (void)state;
    if (!shared_data_is_here())
        skip();
    roles = (struct roles){.allow = true, .special = true};
    check_captures();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_against_feeds_alert_where_they_should_and_nowhere_else),
        cmocka_unit_test(warninglists_silence_what_they_allow_and_the_genuine_hits_remain),
        cmocka_unit_test(warninglists_silence_special_purpose_addresses_that_feeds_ask_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

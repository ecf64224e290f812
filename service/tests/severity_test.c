/* What each input comes to, by itself and with others. */
#include "check.h"

#include <jansson.h>

#include "intel/matching/severity.h"

static struct severity weigh(struct severity_inputs inputs)
{
    struct severity severity;
    if (inputs.times == 0)
        inputs.times = 1;
    if (inputs.devices == 0)
        inputs.devices = 1;
    if (inputs.sources == 0)
        inputs.sources = 1;
    severity_weigh(&inputs, &severity);
    return severity;
}

enum { HOUR_MS = 3600 * 1000 };

/* The manual's table, a line each: inputs, points, severity. */
static void each_input_counts_as_the_table_says(void **state)
{
    (void)state;
    static const struct {
        struct severity_inputs inputs;
        int points, severity;
    } rows[] = {
        {{.confidence = 24, .contact = SEVERITY_EXCHANGE}, 2, PICKET_SEVERITY_LOW},
        {{.confidence = 25, .contact = SEVERITY_EXCHANGE}, 3, PICKET_SEVERITY_MEDIUM},
        {{.confidence = 49, .contact = SEVERITY_EXCHANGE}, 3, PICKET_SEVERITY_MEDIUM},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE}, 4, PICKET_SEVERITY_MEDIUM},
        {{.confidence = 74, .contact = SEVERITY_EXCHANGE}, 4, PICKET_SEVERITY_MEDIUM},
        {{.confidence = 75, .contact = SEVERITY_EXCHANGE}, 5, PICKET_SEVERITY_HIGH},
        {{.confidence = 100, .contact = SEVERITY_EXCHANGE}, 5, PICKET_SEVERITY_HIGH},
        {{.confidence = 90, .contact = SEVERITY_ATTEMPT}, 4, PICKET_SEVERITY_MEDIUM},
        {{.confidence = 50, .contact = SEVERITY_ATTEMPT}, 3, PICKET_SEVERITY_MEDIUM},
        {{.confidence = 49, .contact = SEVERITY_ATTEMPT}, 2, PICKET_SEVERITY_LOW},
        {{.confidence = 90, .contact = SEVERITY_PROBE}, 3, PICKET_SEVERITY_LOW},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .sources = 2}, 5, PICKET_SEVERITY_HIGH},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .sources = 30}, 5, PICKET_SEVERITY_HIGH},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .feed_severity = PICKET_SEVERITY_HIGH},
         5,
         PICKET_SEVERITY_HIGH},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .feed_severity = PICKET_SEVERITY_MEDIUM},
         4,
         PICKET_SEVERITY_MEDIUM},
        {{.confidence = 90, .contact = SEVERITY_EXCHANGE, .feed_severity = PICKET_SEVERITY_LOW},
         4,
         PICKET_SEVERITY_MEDIUM},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .names_port = true},
         5,
         PICKET_SEVERITY_HIGH},
        {{.confidence = 50, .contact = SEVERITY_ATTEMPT, .bytes_out = 999999},
         3,
         PICKET_SEVERITY_MEDIUM},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .bytes_out = 1000000},
         5,
         PICKET_SEVERITY_HIGH},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .bytes_in = 1 << 30},
         4,
         PICKET_SEVERITY_MEDIUM},
        {{.confidence = 90, .contact = SEVERITY_ATTEMPT, .times = 10, .span_ms = HOUR_MS},
         5,
         PICKET_SEVERITY_HIGH},
        {{.confidence = 90, .contact = SEVERITY_ATTEMPT, .times = 9, .span_ms = 9 * HOUR_MS},
         4,
         PICKET_SEVERITY_MEDIUM},
        {{.confidence = 90, .contact = SEVERITY_ATTEMPT, .times = 99, .span_ms = HOUR_MS - 1},
         4,
         PICKET_SEVERITY_MEDIUM},
        {{.confidence = 90, .contact = SEVERITY_ATTEMPT, .devices = 2}, 4, PICKET_SEVERITY_MEDIUM},
        {{.confidence = 90, .contact = SEVERITY_ATTEMPT, .devices = 3}, 5, PICKET_SEVERITY_HIGH},
        {{.confidence = 90, .contact = SEVERITY_EXCHANGE, .is_shared = true},
         3,
         PICKET_SEVERITY_MEDIUM},
        {{.confidence = 50, .contact = SEVERITY_EXCHANGE, .is_shared = true},
         2,
         PICKET_SEVERITY_LOW},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct severity severity = weigh(rows[i].inputs);
        if (severity.points != rows[i].points || severity.severity != rows[i].severity)
            fail_msg("row %zu: %d points, %s", i, severity.points,
                     picket_severity_name(severity.severity));
    }
}

static void whatever_else_there_is_a_bound_holds(void **state)
{
    (void)state;
    struct severity_inputs all = {.confidence = 100,
                                  .sources = 9,
                                  .feed_severity = PICKET_SEVERITY_HIGH,
                                  .contact = SEVERITY_EXCHANGE,
                                  .bytes_out = 1 << 30,
                                  .names_port = true,
                                  .times = 1000,
                                  .span_ms = 1000LL * HOUR_MS,
                                  .devices = 16};
    assert_int_equal(weigh(all).severity, PICKET_SEVERITY_HIGH);
    assert_int_equal(weigh(all).points, 11);
    struct severity_inputs probe = all, unsure = all, shared = all, shared_port = all;
    probe.contact = SEVERITY_PROBE;
    probe.bytes_out = 0;
    assert_int_equal(weigh(probe).severity, PICKET_SEVERITY_LOW);
    unsure.confidence = 49;
    assert_int_equal(weigh(unsure).severity, PICKET_SEVERITY_MEDIUM);
    shared.is_shared = true;
    shared.names_port = false;
    assert_int_equal(weigh(shared).severity, PICKET_SEVERITY_MEDIUM);
    shared_port.is_shared = true;
    assert_int_equal(weigh(shared_port).severity, PICKET_SEVERITY_HIGH);
}

/* What a security operator would call it, case by case: from the flow to the severity. */
static void cases_of_the_field_come_out_as_an_operator_would_judge(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct picket_flow flow;
        struct severity_inputs inputs;
        int severity;
    } cases[] = {
        {"a C2 server of its own, one feed, it answered",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 90},
         PICKET_SEVERITY_HIGH},
        /* One feed is no proof against an address that thousands of sites share; the port of a
         * CDN is theirs as well. Whatever else speaks for it makes it high. */
        {"a C2 server behind a CDN, port given, one sure feed",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 100, .is_shared = true, .names_port = true},
         PICKET_SEVERITY_MEDIUM},
        {"the same, and another feed lists it",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 95, .is_shared = true, .names_port = true, .sources = 2},
         PICKET_SEVERITY_HIGH},
        {"the same, and the device goes on for an hour",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 95, .is_shared = true, .names_port = true, .times = 60, .span_ms = HOUR_MS},
         PICKET_SEVERITY_HIGH},
        {"a CDN's address without a port, two sure feeds, thirty devices",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 100, .is_shared = true, .sources = 2, .devices = 30},
         PICKET_SEVERITY_MEDIUM},
        {"a Tor exit that looks for an open telnet",
         {.local_port = 23, .remote_port = 51000, .bytes_in = 44, .bytes_out = 20},
         {.confidence = 75},
         PICKET_SEVERITY_LOW},
        {"a device that talks to a Tor exit, on a list of medium confidence",
         {.local_port = 50000, .remote_port = 9001, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 50},
         PICKET_SEVERITY_MEDIUM},
        {"one packet of a scanner",
         {.local_port = 2323, .remote_port = 61000, .bytes_in = 20},
         {.confidence = 100, .sources = 4, .feed_severity = PICKET_SEVERITY_HIGH},
         PICKET_SEVERITY_LOW},
        {"pings of a scanner, answered, on thirty devices",
         {.protocol = PICKET_ICMP, .bytes_in = 640, .bytes_out = 640},
         {.confidence = 100, .sources = 2, .devices = 30},
         PICKET_SEVERITY_LOW},
        {"a scanner that was let in",
         {.local_port = 23, .remote_port = 51000, .bytes_in = 900, .bytes_out = 4000},
         {.confidence = 90},
         PICKET_SEVERITY_HIGH},
        {"5 MB sent to what a blocklist is 40 of 100 sure of",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 90000, .bytes_out = 5000000},
         {.confidence = 40},
         PICKET_SEVERITY_MEDIUM},
        {"the same, nothing came back",
         {.protocol = PICKET_UDP, .remote_port = 53, .bytes_out = 5000000},
         {.confidence = 40},
         PICKET_SEVERITY_MEDIUM},
        {"5 MB sent to what a list of medium confidence has",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 90000, .bytes_out = 5000000},
         {.confidence = 50},
         PICKET_SEVERITY_HIGH},
        {"thirty devices talk to an indicator of medium confidence",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 50, .devices = 30},
         PICKET_SEVERITY_HIGH},
        {"thirty devices try to reach a C2 server that is gone",
         {.local_port = 50000, .remote_port = 443, .bytes_out = 120},
         {.confidence = 90, .devices = 30},
         PICKET_SEVERITY_HIGH},
        {"thirty devices talk to what no list is sure of",
         {.local_port = 50000, .remote_port = 443, .bytes_in = 3000, .bytes_out = 900},
         {.confidence = 40, .devices = 30},
         PICKET_SEVERITY_MEDIUM},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct picket_flow flow = cases[i].flow;
        struct severity_inputs inputs = cases[i].inputs;
        inputs.contact = severity_contact_of(&flow);
        inputs.bytes_in = flow.bytes_in;
        inputs.bytes_out = flow.bytes_out;
        struct severity severity = weigh(inputs);
        if (severity.severity != cases[i].severity)
            fail_msg("%s: %s, with %d points", cases[i].what,
                     picket_severity_name(severity.severity), severity.points);
    }
}

/* The reasons' points add up, and a bound is named only if it is reached. */
static void reasons_say_what_counted_and_nothing_else(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        struct severity_inputs inputs = {.confidence = (int)(next_random(&seed) % 101),
                                         .sources = (uint32_t)(next_random(&seed) % 4),
                                         .feed_severity = (int)(next_random(&seed) % 4),
                                         .contact = next_random(&seed) % 3,
                                         .bytes_in = next_random(&seed) % 3000000,
                                         .bytes_out = next_random(&seed) % 3000000,
                                         .names_port = next_random(&seed) % 2,
                                         .is_shared = next_random(&seed) % 2,
                                         .times = (int64_t)(next_random(&seed) % 20),
                                         .span_ms = (int64_t)(next_random(&seed) % (3 * HOUR_MS)),
                                         .devices = (int64_t)(next_random(&seed) % 6)};
        struct severity severity = weigh(inputs);
        int points = 0, at_most = PICKET_SEVERITY_HIGH;
        assert_in_range(severity.reason_count, 0, SEVERITY_REASONS_MAX);
        for (int k = 0; k < severity.reason_count; k++) {
            const struct severity_reason *reason = &severity.reasons[k];
            assert_true((reason->points != 0) != (reason->at_most != 0));
            assert_true(reason->text[0] != '\0' && strlen(reason->text) < sizeof reason->text - 1);
            points += reason->points;
            if (reason->at_most != 0)
                at_most = reason->at_most;
        }
        int by_points = points >= 5 ? 3 : points >= 3 ? 2 : 1;
        assert_int_equal(points, severity.points);
        assert_int_equal(severity.severity, at_most < by_points ? at_most : by_points);
        assert_int_equal(at_most <= PICKET_SEVERITY_LOW, inputs.contact == SEVERITY_PROBE);
        assert_true(at_most == PICKET_SEVERITY_HIGH || severity.severity == at_most);
    }
}

static void reasons_are_json(void **state)
{
    (void)state;
    struct severity severity = weigh((struct severity_inputs){
        .confidence = 90, .contact = SEVERITY_PROBE, .bytes_in = 40, .sources = 2});
    char *text = severity_reasons_text(&severity);
    assert_string_equal(
        text,
        "[{\"points\":3,\"reason\":\"confidence 90 of 100, the highest of its feeds\"},"
        "{\"points\":1,\"reason\":\"2 feeds list it\"},"
        "{\"at_most\":\"low\",\"reason\":\"a probe from outside: the device sent nothing\"}]");
    free(text);
}

static void contact_is_told_by_bytes_and_ports(void **state)
{
    (void)state;
    static const struct {
        uint8_t protocol;
        uint16_t local_port, remote_port;
        uint32_t bytes_in, bytes_out;
        enum severity_contact contact;
    } rows[] = {
        {PICKET_TCP, 23, 50000, 40, 0, SEVERITY_PROBE},
        {PICKET_UDP, 161, 50000, 4000, 0, SEVERITY_PROBE},
        {PICKET_TCP, 23, 50000, 40, 20, SEVERITY_PROBE},    /* SYN, RST */
        {PICKET_TCP, 23, 50000, 120, 199, SEVERITY_PROBE},  /* SYN, SYN-ACK again and again */
        {PICKET_TCP, 50000, 443, 0, 240, SEVERITY_ATTEMPT}, /* SYN, SYN, ... */
        {PICKET_TCP, 50000, 443, 20, 40, SEVERITY_ATTEMPT}, /* SYN, RST */
        {PICKET_TCP, 23, 50000, 0, 40, SEVERITY_ATTEMPT},   /* nobody came */
        {PICKET_TCP, 23, 50000, 199, 5000, SEVERITY_ATTEMPT},
        {PICKET_TCP, 50000, 443, 200, 200, SEVERITY_EXCHANGE},
        {PICKET_TCP, 23, 50000, 200, 200, SEVERITY_EXCHANGE}, /* somebody was let in */
        {PICKET_UDP, 50000, 53, 60, 40, SEVERITY_EXCHANGE},
        {PICKET_UDP, 161, 50000, 60, 40, SEVERITY_EXCHANGE},
        {PICKET_ICMP, 0, 0, 64, 64, SEVERITY_PROBE}, /* a ping, answered */
        {PICKET_ICMP, 0, 0, 6400, 6400, SEVERITY_PROBE},
        {PICKET_ICMP, 0, 0, 64, 0, SEVERITY_PROBE},
        {PICKET_ICMP, 0, 0, 0, 64, SEVERITY_ATTEMPT},
        {PICKET_ICMP, 0, 0, 64, 128, SEVERITY_ATTEMPT},
        {PICKET_ICMP, 0, 0, 6400, 64000, SEVERITY_EXCHANGE}, /* a tunnel */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct picket_flow flow = {.protocol = rows[i].protocol,
                                   .local_port = rows[i].local_port,
                                   .remote_port = rows[i].remote_port,
                                   .bytes_in = rows[i].bytes_in,
                                   .bytes_out = rows[i].bytes_out};
        if (severity_contact_of(&flow) != rows[i].contact)
            fail_msg("row %zu: %d", i, severity_contact_of(&flow));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_input_counts_as_the_table_says),
        cmocka_unit_test(whatever_else_there_is_a_bound_holds),
        cmocka_unit_test(cases_of_the_field_come_out_as_an_operator_would_judge),
        cmocka_unit_test(reasons_say_what_counted_and_nothing_else),
        cmocka_unit_test(reasons_are_json),
        cmocka_unit_test(contact_is_told_by_bytes_and_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

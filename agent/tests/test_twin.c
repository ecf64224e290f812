/* The agent beside a naive twin that keeps everything: random packets, time jumps, lost
 * connections, messages refused at once or later, early reports, restarts. What the agent reported,
 * plus what it says it lost, is what the twin counted; and no flow is reported twice in a message
 * or with more than it had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

enum { FLOWS = 300, ROUNDS = 60, ACTIONS = 3000 };

struct twin_flow {
    struct packet_spec spec;
    uint64_t counted[2]; /* by enum picket_direction */
    uint64_t reported[2];
    uint64_t last_message; /* in which it was reported */
};

struct twin {
    struct harness *harness;
    struct twin_flow flows[FLOWS];
    uint64_t lost[2];          /* verdict LOST */
    uint64_t reported_lost[2]; /* in messages */
    uint64_t message_number;
    unsigned flow_count;
};

static struct harness harness;
static struct twin twin;

static void start_twin(uint64_t seed)
{
    memset(&twin, 0, sizeof twin);
    twin.harness = &harness;
    harness_setup(&harness);
    harness.random_state = seed;
    twin.flow_count = 1 + harness_random(&harness) % FLOWS;
    for (unsigned i = 0; i < twin.flow_count; i++)
        twin.flows[i].spec = (struct packet_spec){
            .version = harness_random(&harness) % 2 ? 4 : 6,
            .protocol = (uint8_t)(harness_random(&harness) % 2), /* ports tell flows apart */
            .local = 0x0A000001,
            .remote = 0x0A000000 + harness_random(&harness) % 4,
            .local_port = (uint16_t)i,
            .remote_port = (uint16_t)(harness_random(&harness) % 4)};
}

static void configure(void)
{
    struct picket_flow_storage *storages[] = {&harness.config.ipv4, &harness.config.ipv6};
    for (size_t i = 0; i < 2; i++) {
        storages[i]->capacity = 1 + harness_random(&harness) % 200;
        storages[i]->reserve = harness_random(&harness) % 40;
        storages[i]->bucket_count = 2u << harness_random(&harness) % 8;
    }
    harness.config.early_report_min_interval_s = harness_random(&harness) % 10;
    harness.config.first_delay_max_s = harness_random(&harness) % 100;
    harness.config.send_empty_events = harness_random(&harness) % 2;
    harness.config.interval_s[PICKET_PRIORITY_HIGH] = 1 + harness_random(&harness) % 20;
}

static void count_some(struct harness *port, void *context)
{
    struct twin *with = context;
    for (unsigned left = harness_random(port) % 40; left > 0; left--) {
        struct twin_flow *flow = &with->flows[harness_random(port) % with->flow_count];
        struct packet_spec spec = flow->spec;
        spec.direction = harness_random(port) % 2 ? PICKET_IN : PICKET_OUT;
        spec.payload_bytes = harness_random(port) % 1400;
        uint64_t bytes = spec.payload_bytes + (spec.protocol == PICKET_WIRE_TCP ? 20 : 8);
        enum picket_packet_verdict verdict = harness_count(port, &spec);
        if (verdict == PICKET_PACKET_COUNTED) {
            flow->counted[spec.direction] += bytes;
        } else {
            assert_int_equal(verdict, PICKET_PACKET_LOST);
            with->lost[spec.direction] += bytes;
        }
    }
}

static void take_flow(struct picket_wire_flow flow, uint8_t version)
{
    assert_true(flow.local_port < twin.flow_count);
    struct twin_flow *expected = &twin.flows[flow.local_port];
    assert_int_equal(expected->spec.version, version);
    assert_int_equal(expected->spec.protocol, flow.protocol);
    assert_int_equal(expected->spec.remote_port, flow.remote_port);
    assert_int_equal(expected->spec.remote & 0xFF, flow.remote_address[version == 4 ? 3 : 15]);
    assert_int_not_equal(expected->last_message, twin.message_number);
    expected->last_message = twin.message_number;
    expected->reported[PICKET_IN] += flow.bytes_in;
    expected->reported[PICKET_OUT] += flow.bytes_out;
}

static void take_event(const struct picket_wire_event_view *event)
{
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(event);
    for (uint32_t i = 0; i < activity.ipv4_count; i++)
        take_flow(picket_wire_ipv4_flow_at(&activity, i).flow, 4);
    for (uint32_t i = 0; i < activity.ipv6_count; i++)
        take_flow(picket_wire_ipv6_flow_at(&activity, i).flow, 6);
    twin.reported_lost[PICKET_IN] += activity.lost_bytes_in;
    twin.reported_lost[PICKET_OUT] += activity.lost_bytes_out;
    if (activity.lost_bytes_in > 0 || activity.lost_bytes_out > 0)
        assert_in_range(activity.lost_flows, 1, twin.flow_count);
}

static void take_messages(void)
{
    for (size_t i = 0; i < harness.message_count; i++) {
        const struct picket_wire_message_view *view = &harness.messages[i].view;
        twin.message_number++;
        for (uint32_t j = 0; j < view->event_count; j++) {
            struct picket_wire_event_view event = picket_wire_event_at(view, j);
            if (event.payload_type == PICKET_WIRE_NETWORK_ACTIVITY)
                take_event(&event);
        }
    }
    harness_forget_messages(&harness);
    harness_check_tables(&harness);
}

static void act(void)
{
    uint32_t choice = harness_random(&harness) % 100;
    if (choice < 50)
        count_some(&harness, &twin);
    else if (choice < 80)
        harness_run(&harness, 1 + harness_random(&harness) % 3);
    else if (choice < 85)
        harness.uptime_s += harness_random(&harness) % 1000, picket_agent_poll(&harness.agent);
    else if (choice < 89)
        harness.connected = !harness.connected;
    else if (choice < 92)
        harness.later = !harness.later;
    else if (choice < 94)
        harness.accepts = !harness.accepts;
    else if (choice < 97)
        harness.outcome = (enum picket_send_result)(harness_random(&harness) % 3);
    else
        picket_agent_flush(&harness.agent);
    take_messages();
}

/* What is unsent goes out; then everything has been reported, or lost and reported as that. */
static void settle_accounts(void)
{
    harness.connected = harness.accepts = true;
    harness.during_send = NULL;
    harness.later = false;
    harness.outcome = PICKET_SEND_ACCEPTED;
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_ACCEPTED);
    take_messages();
    uint64_t missing[2] = {0, 0};
    for (unsigned i = 0; i < twin.flow_count; i++)
        for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++) {
            const struct twin_flow *flow = &twin.flows[i];
            assert_true(flow->reported[direction] <= flow->counted[direction]);
            missing[direction] += flow->counted[direction] - flow->reported[direction];
        }
    /* Missing is only what met a full chain when it was put back, and that is lost. */
    for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++)
        assert_int_equal(twin.lost[direction] + missing[direction], twin.reported_lost[direction]);
    if (harness.config.ipv4.bucket_count >= 256 && harness.config.ipv6.bucket_count >= 256)
        assert_int_equal(missing[PICKET_IN] + missing[PICKET_OUT], 0);
}

static void open_new_accounts(void)
{
    for (unsigned i = 0; i < twin.flow_count; i++)
        for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++)
            twin.flows[i].counted[direction] = twin.flows[i].reported[direction] = 0;
    for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++)
        twin.lost[direction] = twin.reported_lost[direction] = 0;
}

static void everything_counted_is_reported_or_said_to_be_lost(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        start_twin(round);
        for (unsigned start = 0; start < 3; start++) { /* disabled and enabled again */
            configure();
            open_new_accounts();
            harness_start(&harness);
            harness.during_send = count_some;
            harness.during_send_context = &twin;
            for (unsigned i = 0; i < ACTIONS / 3; i++)
                act();
            settle_accounts();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_counted_is_reported_or_said_to_be_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

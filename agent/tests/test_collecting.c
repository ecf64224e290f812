/* What is counted is reported, once, whatever the transport does; what is lost is said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

static struct harness harness;

static int setup(void **state)
{
    (void)state;
    harness_setup(&harness);
    harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    harness_forget_messages(&harness);
    return 0;
}

static struct picket_wire_network_activity_view only_activity(void)
{
    assert_int_equal(harness.message_count, 1);
    assert_int_equal(harness.messages[0].view.event_count, 1);
    /* The activity refers to the message, not to the event. */
    struct picket_wire_event_view event = picket_wire_event_at(&harness.messages[0].view, 0);
    assert_int_equal(event.payload_type, PICKET_WIRE_NETWORK_ACTIVITY);
    return picket_wire_network_activity(&event);
}

static void an_ipv4_flow_is_reported_with_its_ends_and_bytes_in_and_out(void **state)
{
    (void)state;
    harness_start(&harness);
    struct packet_spec spec = {.version = 4,
                               .protocol = PICKET_WIRE_TCP,
                               .local = 0x0A000001,
                               .remote = 0xC0000207,
                               .local_port = 50000,
                               .remote_port = 443,
                               .payload_bytes = 100,
                               .direction = PICKET_OUT};
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    spec.direction = PICKET_IN;
    spec.payload_bytes = 1000;
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    picket_agent_poll(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv4_count, 1);
    assert_int_equal(activity.ipv6_count, 0);
    struct picket_wire_flow flow = picket_wire_ipv4_flow_at(&activity, 0).flow;
    assert_memory_equal(flow.local_address, "\x0A\0\0\x01", 4);
    assert_memory_equal(flow.remote_address, "\xC0\0\x02\x07", 4);
    assert_int_equal(flow.local_port, 50000);
    assert_int_equal(flow.remote_port, 443);
    assert_int_equal(flow.protocol, PICKET_WIRE_TCP);
    assert_int_equal(flow.bytes_out, 120);
    assert_int_equal(flow.bytes_in, 1020);
}

static void an_ipv6_flow_is_reported_with_its_ends_and_bytes_in_and_out(void **state)
{
    (void)state;
    harness_start(&harness);
    struct packet_spec spec = {.version = 6,
                               .protocol = PICKET_WIRE_UDP,
                               .local = 1,
                               .remote = 2,
                               .local_port = 5683,
                               .remote_port = 40001,
                               .payload_bytes = 10,
                               .direction = PICKET_IN};
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    spec.direction = PICKET_OUT;
    spec.payload_bytes = 20;
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    picket_agent_poll(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv4_count, 0);
    assert_int_equal(activity.ipv6_count, 1);
    struct picket_wire_flow flow = picket_wire_ipv6_flow_at(&activity, 0).flow;
    assert_memory_equal(flow.local_address, "\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    assert_memory_equal(flow.remote_address, "\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
    assert_int_equal(flow.local_port, 5683);
    assert_int_equal(flow.remote_port, 40001);
    assert_int_equal(flow.protocol, PICKET_WIRE_UDP);
    assert_int_equal(flow.bytes_in, 18);
    assert_int_equal(flow.bytes_out, 28);
}

static void inbound_icmpv6_is_counted(void **state)
{
    (void)state;
    harness_start(&harness);
    struct packet_spec spec = {.version = 6,
                               .protocol = PICKET_WIRE_ICMP,
                               .local = 1,
                               .remote = 2,
                               .payload_bytes = 56,
                               .direction = PICKET_IN};
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    picket_agent_poll(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(picket_wire_ipv6_flow_at(&activity, 0).flow.bytes_in, 60);
}

static void flows_of_one_bucket_differ_in_any_part_of_their_key(void **state)
{
    (void)state;
    harness.config.ipv4.bucket_count = harness.config.ipv6.bucket_count = 2;
    harness_start(&harness);
    struct packet_spec base = {.version = 4,
                               .protocol = PICKET_WIRE_TCP,
                               .local = 1,
                               .remote = 2,
                               .local_port = 3,
                               .remote_port = 4,
                               .direction = PICKET_OUT};
    for (uint8_t version = 4; version <= 6; version += 2) {
        base.version = version;
        struct packet_spec other = base;
        harness_count(&harness, &other);
        other = base, other.protocol = PICKET_WIRE_UDP;
        harness_count(&harness, &other);
        other = base, other.local = 5;
        harness_count(&harness, &other);
        other = base, other.remote = 5;
        harness_count(&harness, &other);
        other = base, other.local_port = 5;
        harness_count(&harness, &other);
        other = base, other.remote_port = 5;
        harness_count(&harness, &other);
    }
    picket_agent_poll(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv4_count, 6);
    assert_int_equal(activity.ipv6_count, 6);
}

static void only_unicast_is_counted_inbound_unless_all_is_wanted(void **state)
{
    (void)state;
    static const uint32_t ipv4[] = {0xE0000001, 0xEFFFFFFA, 0xFFFFFFFF};
    for (int unicast_only = 0; unicast_only <= 1; unicast_only++) {
        harness.config.unicast_only = unicast_only;
        harness_start(&harness);
        struct packet_spec spec = {
            .version = 4, .protocol = PICKET_WIRE_UDP, .remote = 2, .direction = PICKET_IN};
        enum picket_packet_verdict expected =
            unicast_only ? PICKET_PACKET_MULTICAST : PICKET_PACKET_COUNTED;
        for (size_t i = 0; i < 3; i++) {
            spec.local = ipv4[i];
            assert_int_equal(harness_count(&harness, &spec), expected);
            /* As the remote end of what is sent it counts always. */
            struct packet_spec sent = spec;
            sent.local = 1, sent.remote = ipv4[i], sent.direction = PICKET_OUT;
            assert_int_equal(harness_count(&harness, &sent), PICKET_PACKET_COUNTED);
        }
        spec.direction = PICKET_IN;
        spec.local = 0xDFFFFFFF;
        assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
        spec.local = 0xF0000000;
        assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);

        uint8_t packet[PACKET_BYTES_MAX];
        spec.version = 6;
        size_t size_bytes = packet_build(packet, &spec);
        packet[24] = 0xFF;
        assert_int_equal(picket_agent_count_packet(&harness.agent, packet, size_bytes,
                                                   PICKET_WIRE_BYTES_UNKNOWN, PICKET_IN),
                         expected);
        packet[24] = 0xFE;
        assert_int_equal(picket_agent_count_packet(&harness.agent, packet, size_bytes,
                                                   PICKET_WIRE_BYTES_UNKNOWN, PICKET_IN),
                         PICKET_PACKET_COUNTED);
    }
}

static void a_family_without_storage_is_not_counted(void **state)
{
    (void)state;
    harness.config.ipv6 = (struct picket_flow_storage){0};
    harness_start(&harness);
    struct packet_spec spec = {.version = 6, .protocol = PICKET_WIRE_UDP, .direction = PICKET_OUT};
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_OTHER_PROTOCOL);
    picket_agent_poll(&harness.agent);
    harness_run(&harness, 1);
    assert_int_equal(harness.attempts, 0);
    assert_int_equal(harness_count_udp(&harness, 1, 1), PICKET_PACKET_COUNTED);
    picket_agent_flush(&harness.agent);
    assert_int_equal(only_activity().ipv4_count, 1);
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    assert_int_equal(statistics.packets_ignored, 1);
    assert_int_equal(statistics.packets_lost, 0);
}

static void a_known_flow_is_counted_when_the_table_is_full(void **state)
{
    (void)state;
    harness.connected = false;
    harness_start(&harness);
    for (uint16_t port = 0; port < 64; port++)
        assert_int_equal(harness_count_udp(&harness, port, 92), PICKET_PACKET_COUNTED);
    assert_int_equal(harness_count_udp(&harness, 64, 42), PICKET_PACKET_LOST);
    for (uint16_t port = 0; port < 64; port++)
        assert_int_equal(harness_count_udp(&harness, port, 92), PICKET_PACKET_COUNTED);
    harness.connected = true;
    picket_agent_poll(&harness.agent);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 64);
    assert_int_equal(totals.bytes_out, 12800);
    assert_int_equal(totals.lost_flows, 1);
    assert_int_equal(totals.lost_bytes_out, 50);
}

static void flows_without_room_are_reported_as_lost_with_their_bytes(void **state)
{
    (void)state;
    harness.connected = false;
    harness_start(&harness);
    struct packet_spec spec = {.version = 6,
                               .protocol = PICKET_WIRE_UDP,
                               .local = 1,
                               .payload_bytes = 92,
                               .direction = PICKET_IN};
    for (uint32_t remote = 0; remote < 94; remote++) {
        spec.remote = remote;
        assert_int_equal(harness_count(&harness, &spec),
                         remote < 64 ? PICKET_PACKET_COUNTED : PICKET_PACKET_LOST);
        harness_count(&harness, &spec);
    }
    spec.direction = PICKET_OUT;
    harness_count(&harness, &spec);
    harness.connected = true;
    picket_agent_poll(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv6_count, 64);
    assert_int_equal(activity.lost_bytes_in, 30 * 200);
    assert_int_equal(activity.lost_bytes_out, 100);
    /* 30 flows into 256 bits: a lower bound, and rarely less than 25. */
    assert_in_range(activity.lost_flows, 24, 30);
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    assert_int_equal(statistics.packets_lost, 61);
    assert_int_equal(statistics.packets_counted, 128);
    /* Told once. */
    harness_forget_messages(&harness);
    harness_run(&harness, 30);
    assert_int_equal(harness.message_count, 0);
}

static void refuse_new_flows(struct harness *port, void *context)
{
    (void)context;
    for (uint16_t remote = 1000; remote < 1072; remote++)
        harness_count_udp(port, remote, 92);
}

static void packets_with_too_many_extension_headers_are_reported_as_lost(void **state)
{
    (void)state;
    enum { MAX = PICKET_AGENT_EXTENSION_HEADERS_MAX };
    harness_start(&harness);
    struct packet_spec spec = {.version = 6,
                               .protocol = PICKET_WIRE_UDP,
                               .local = 1,
                               .payload_bytes = 92,
                               .direction = PICKET_OUT,
                               .extension_headers = MAX};
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    spec.extension_headers = MAX + 1;
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_HEADER_CHAIN);
    spec.direction = PICKET_IN;
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_HEADER_CHAIN);
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_HEADER_CHAIN);
    /* They are kept while a message is refused. */
    harness.accepts = false;
    picket_agent_poll(&harness.agent);
    harness.accepts = true;
    harness_run(&harness, 3);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv6_count, 1);
    assert_int_equal(activity.lost_bytes_out, 8 * (MAX + 1) + 100); /* whatever they are */
    assert_int_equal(activity.lost_bytes_in, 2 * (8 * (MAX + 1) + 100));
    assert_int_equal(activity.lost_flows, 1); /* more cannot be told */
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    assert_int_equal(statistics.packets_lost, 3);
    assert_int_equal(statistics.packets_ignored, 0);
}

static void too_many_extension_headers_are_no_loss_where_the_packet_is_not_wanted(void **state)
{
    (void)state;
    harness_start(&harness);
    struct packet_spec spec = {.version = 6,
                               .protocol = PICKET_WIRE_UDP,
                               .direction = PICKET_IN,
                               .extension_headers = PICKET_AGENT_EXTENSION_HEADERS_MAX + 1};
    uint8_t packet[PACKET_BYTES_MAX];
    size_t size_bytes = packet_build(packet, &spec);
    packet[24] = 0xFF; /* multicast */
    assert_int_equal(picket_agent_count_packet(&harness.agent, packet, size_bytes,
                                               PICKET_WIRE_BYTES_UNKNOWN, PICKET_IN),
                     PICKET_PACKET_MULTICAST);
    const struct picket_collector_config disabled = {.enabled = false};
    assert_true(
        picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &disabled));
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_OTHER_PROTOCOL);
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    assert_int_equal(statistics.packets_lost, 0);
    assert_int_equal(statistics.packets_ignored, 2);
}

static void losses_are_reported_even_if_there_is_no_flow(void **state)
{
    (void)state;
    harness_start(&harness);
    for (uint16_t port = 0; port < 64; port++)
        harness_count_udp(&harness, port, 92);
    /* While those are on their way 4 new flows find room in the reserve, 68 do not. */
    harness.during_send = refuse_new_flows;
    picket_agent_poll(&harness.agent);
    harness.during_send = NULL;
    harness_forget_messages(&harness);
    picket_agent_flush(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv4_count, 4);
    assert_int_equal(activity.lost_bytes_out, 6800);
    assert_in_range(activity.lost_flows, 50, 68);
}

static void a_message_with_losses_only_is_sent(void **state)
{
    (void)state;
    harness.config.ipv4.reserve = 0;
    harness_start(&harness);
    for (uint16_t port = 0; port < 64; port++)
        harness_count_udp(&harness, port, 92);
    harness.during_send = refuse_new_flows;
    picket_agent_poll(&harness.agent);
    harness.during_send = NULL;
    harness_forget_messages(&harness);
    harness_run(&harness, 10);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv4_count, 0);
    assert_int_equal(activity.lost_bytes_out, 7200);
}

static void losses_are_kept_when_the_message_is_refused(void **state)
{
    (void)state;
    harness.accepts = false;
    harness_start(&harness);
    for (uint16_t port = 0; port < 66; port++)
        harness_count_udp(&harness, port, 92);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.attempts, 1);
    harness_count_udp(&harness, 65, 92);
    harness_count_udp(&harness, 66, 92);
    harness.accepts = true;
    picket_agent_flush(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.lost_bytes_out, 400);
    /* Two before, two since, one of which may be both: a lower bound. */
    assert_int_equal(activity.lost_flows, 2);
}

static void what_was_refused_is_sent_later_with_what_came_since(void **state)
{
    (void)state;
    harness_start(&harness);
    harness.accepts = false;
    for (uint16_t port = 0; port < 10; port++)
        harness_count_udp(&harness, port, 92);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.attempts, 1);
    harness_count_udp(&harness, 3, 92);
    harness_count_udp(&harness, 10, 92);
    harness.accepts = true;
    harness_run(&harness, 2);
    assert_int_equal(harness.attempts, 1);
    harness_run(&harness, 1);
    assert_int_equal(harness.attempts, 2);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 11);
    assert_int_equal(totals.bytes_out, 1200);
}

static void count_during_send(struct harness *port, void *context)
{
    (void)context;
    harness_count_udp(port, 3, 92);
    harness_count_udp(port, 10, 92);
}

static void packets_during_the_sending_are_in_the_next_report(void **state)
{
    (void)state;
    for (int accepts = 0; accepts <= 1; accepts++) {
        harness_start(&harness);
        for (uint16_t port = 0; port < 10; port++)
            harness_count_udp(&harness, port, 92);
        harness.accepts = accepts;
        harness.during_send = count_during_send;
        picket_agent_poll(&harness.agent);
        harness.during_send = NULL;
        assert_int_equal(harness_totals(&harness).bytes_out, accepts ? 1000 : 0);
        harness_forget_messages(&harness);
        harness.accepts = true;
        picket_agent_flush(&harness.agent);
        struct harness_totals totals = harness_totals(&harness);
        assert_int_equal(totals.flows, accepts ? 2 : 11);
        assert_int_equal(totals.bytes_out, accepts ? 200 : 1200);
        harness_forget_messages(&harness);
    }
}

static void byte_counters_saturate(void **state)
{
    (void)state;
    harness.accepts = false;
    harness_start(&harness);
    for (unsigned i = 0; i < 66070; i++)
        harness_count_udp(&harness, 1, 65000);
    for (unsigned i = 0; i < 66068; i++)
        harness_count_udp(&harness, 2, 65000);
    picket_agent_poll(&harness.agent);
    /* Merging saturates, too: the second flow was just below. */
    harness_count_udp(&harness, 2, 65000);
    harness.accepts = true;
    picket_agent_flush(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv4_count, 2);
    assert_int_equal(picket_wire_ipv4_flow_at(&activity, 0).flow.bytes_out, UINT32_MAX);
    assert_int_equal(picket_wire_ipv4_flow_at(&activity, 1).flow.bytes_out, UINT32_MAX);
}

static void lost_bytes_saturate(void **state)
{
    (void)state;
    harness.config.ipv4.capacity = 1;
    harness.config.ipv4.reserve = 0;
    harness.accepts = false;
    harness_start(&harness);
    harness_count_udp(&harness, 0, 0);
    for (unsigned i = 0; i < 70000; i++)
        harness_count_udp(&harness, 1, 65000);
    picket_agent_poll(&harness.agent);
    harness_count_udp(&harness, 1, 65000);
    harness.accepts = true;
    picket_agent_flush(&harness.agent);
    assert_int_equal(only_activity().lost_bytes_out, UINT32_MAX);
}

static void a_full_table_of_each_family_fits_one_message(void **state)
{
    (void)state;
    harness_start(&harness);
    struct packet_spec spec = {.version = 4, .protocol = PICKET_WIRE_UDP};
    for (uint8_t version = 4; version <= 6; version += 2)
        for (uint32_t remote = 0; remote < 64; remote++) {
            spec.version = version;
            spec.remote = 0x0A000000 + remote;
            spec.direction = PICKET_OUT;
            harness_count(&harness, &spec);
            spec.direction = PICKET_IN;
            harness_count(&harness, &spec);
        }
    picket_agent_poll(&harness.agent);
    struct picket_wire_network_activity_view activity = only_activity();
    assert_int_equal(activity.ipv4_count, 64);
    assert_int_equal(activity.ipv6_count, 64);
    assert_int_equal(activity.lost_flows, 0);
}

static void a_table_can_be_as_large_as_its_index(void **state)
{
    (void)state;
    enum { FLOWS = 5461, BUCKETS = 8192 };
    struct picket_ipv6_flow *flows = calloc(FLOWS, sizeof *flows);
    picket_flow_index *buckets = calloc(BUCKETS, sizeof *buckets);
    harness.config.ipv6 = (struct picket_flow_storage){flows, buckets, FLOWS, 0, BUCKETS};
    harness_start(&harness);
    struct packet_spec spec = {
        .version = 6, .protocol = PICKET_WIRE_UDP, .direction = PICKET_OUT, .payload_bytes = 92};
    unsigned counted = 0;
    for (uint32_t remote = 0; remote < FLOWS; remote++) {
        spec.remote = remote * 16;
        counted += harness_count(&harness, &spec) == PICKET_PACKET_COUNTED;
    }
    assert_in_range(counted, FLOWS - 10, FLOWS);
    /* More than one message holds: they follow one another, each no larger than a hub takes. */
    picket_agent_poll(&harness.agent);
    assert_in_range(harness.message_count, 2, 17);
    for (size_t i = 0; i < harness.message_count; i++)
        assert_in_range(harness.messages[i].size_bytes, 1, 256 * 1024);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, counted);
    assert_int_equal(totals.bytes_out, counted * 100);
    assert_int_equal(totals.bytes_out + totals.lost_bytes_out, FLOWS * 100);
    free(flows);
    free(buckets);
}

static unsigned refuse_after;

static void refuse_later_messages(struct harness *port, void *context)
{
    (void)context;
    if (port->attempts > refuse_after)
        port->accepts = false;
}

static void of_several_messages_those_refused_are_sent_later(void **state)
{
    (void)state;
    enum { FLOWS = 10900, BUCKETS = 16384 };
    struct picket_ipv4_flow *flows = calloc(FLOWS, sizeof *flows);
    picket_flow_index *buckets = calloc(BUCKETS, sizeof *buckets);
    harness.config.ipv4 = (struct picket_flow_storage){flows, buckets, FLOWS, 0, BUCKETS};
    harness_start(&harness);
    for (uint32_t port = 0; port < FLOWS; port++)
        harness_count_udp(&harness, (uint16_t)port, 92);
    refuse_after = 2;
    harness.during_send = refuse_later_messages;
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.attempts, 3);
    assert_int_equal(harness.message_count, 2);
    harness.during_send = NULL;
    harness.accepts = true;
    harness_run(&harness, 3);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.bytes_out + totals.lost_bytes_out, FLOWS * 100);
    assert_in_range(totals.flows, FLOWS - 10, FLOWS);
    free(flows);
    free(buckets);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ipv4_flow_is_reported_with_its_ends_and_bytes_in_and_out),
        TEST(an_ipv6_flow_is_reported_with_its_ends_and_bytes_in_and_out),
        TEST(inbound_icmpv6_is_counted),
        TEST(flows_of_one_bucket_differ_in_any_part_of_their_key),
        TEST(only_unicast_is_counted_inbound_unless_all_is_wanted),
        TEST(a_family_without_storage_is_not_counted),
        TEST(a_known_flow_is_counted_when_the_table_is_full),
        TEST(flows_without_room_are_reported_as_lost_with_their_bytes),
        TEST(packets_with_too_many_extension_headers_are_reported_as_lost),
        TEST(too_many_extension_headers_are_no_loss_where_the_packet_is_not_wanted),
        TEST(losses_are_reported_even_if_there_is_no_flow),
        TEST(a_message_with_losses_only_is_sent),
        TEST(losses_are_kept_when_the_message_is_refused),
        TEST(what_was_refused_is_sent_later_with_what_came_since),
        TEST(packets_during_the_sending_are_in_the_next_report),
        TEST(byte_counters_saturate),
        TEST(lost_bytes_saturate),
        TEST(a_full_table_of_each_family_fits_one_message),
        TEST(a_table_can_be_as_large_as_its_index),
        TEST(of_several_messages_those_refused_are_sent_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

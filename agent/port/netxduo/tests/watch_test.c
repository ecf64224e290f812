/* Which packets of which NX_IP become flows, and that the stack and the application's filters
 * notice nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "double.h"
#include "reports.h"

static NX_IP ip, other;
static ULONG asked;         /* calls of the application's filter */
static UINT filter_answers; /* what it says */

static int setup(void **state)
{
    (void)state;
    double_reset();
    reports_reset();
    asked = 0;
    filter_answers = NX_SUCCESS;
    double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    picket_netxduo_stop();
    return 0;
}

static void start(void)
{
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
}

/* ---- packets ---- */

static struct packet_spec udp(enum picket_direction direction)
{
    return (struct packet_spec){.version = 4,
                                .protocol = PICKET_WIRE_UDP,
                                .local = 0x0A000001,
                                .remote = 0x0A000002,
                                .local_port = 5000,
                                .remote_port = 6000,
                                .payload_bytes = 0,
                                .direction = direction};
}

static void receive(NX_IP *by, struct packet_spec spec)
{
    uint8_t packet[PACKET_BYTES_MAX];
    spec.direction = PICKET_IN;
    size_t size_bytes = packet_build(packet, &spec);
    double_receive(by, packet, size_bytes, size_bytes + spec.payload_bytes);
}

static bool send_out(NX_IP *by, struct packet_spec spec)
{
    uint8_t packet[PACKET_BYTES_MAX];
    spec.direction = PICKET_OUT;
    size_t size_bytes = packet_build(packet, &spec);
    return double_send(by, packet, size_bytes, size_bytes + spec.payload_bytes);
}

/* ---- what is counted ---- */

static void packets_in_and_out_are_one_flow(void **state)
{
    (void)state;
    start();
    receive(&ip, udp(PICKET_IN));
    assert_true(send_out(&ip, udp(PICKET_OUT)));
    reports_flush();
    assert_int_equal(reports.flows, 1);
    assert_int_equal(reports.bytes_in, 8);
    assert_int_equal(reports.bytes_out, 8);
    assert_int_equal(double_state.delivered, 1);
}

static void payload_in_further_packets_of_a_chain_counts(void **state)
{
    (void)state;
    start();
    struct packet_spec spec = udp(PICKET_OUT);
    spec.payload_bytes = 3000;
    receive(&ip, spec);
    send_out(&ip, spec);
    reports_flush();
    assert_int_equal(reports.bytes_in, 3008);
    assert_int_equal(reports.bytes_out, 3008);
}

static void icmpv6_counts_in_both_directions(void **state)
{
    (void)state;
    double_ipv6_enable(&ip);
    start();
    struct packet_spec spec = {.version = 6, .protocol = PICKET_WIRE_ICMP, .local = 1, .remote = 2};
    receive(&ip, spec);
    send_out(&ip, spec);
    reports_flush();
    assert_int_equal(reports.flows, 1);
    assert_int_equal(reports.bytes_in, 4);
    assert_int_equal(reports.bytes_out, 4);
}

static void a_packet_that_the_stack_refuses_is_no_flow(void **state)
{
    (void)state;
    ULONG *counters[] = {&ip.nx_ip_receive_packets_dropped, &ip.nx_ip_tcp_invalid_packets,
                         &ip.nx_ip_udp_invalid_packets, &ip.nx_ip_icmp_invalid_packets};
    start();
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        double_state.refuses = counters[i];
        receive(&ip, udp(PICKET_IN));
    }
    double_state.refuses = NULL;
    reports_flush();
    assert_int_equal(reports.flows, 0);
    assert_int_equal(double_state.delivered, 4);
}

static void a_packet_that_is_forwarded_is_no_flow_of_the_device(void **state)
{
    (void)state;
    start();
    double_state.refuses = &ip.nx_ip_packets_forwarded;
    receive(&ip, udp(PICKET_IN));
    reports_flush();
    assert_int_equal(reports.flows, 0);
}

static void a_truncated_transport_header_is_not_read(void **state)
{
    (void)state;
    uint8_t packet[PACKET_BYTES_MAX];
    struct packet_spec spec = udp(PICKET_IN);
    start();
    size_t size_bytes = packet_build(packet, &spec);
    for (size_t cut = 1; cut < size_bytes; cut++)
        double_receive(&ip, packet, cut, cut);
    reports_flush();
    assert_int_equal(reports.flows, 0);
}

static void a_subnets_broadcast_is_not_unicast(void **state)
{
    (void)state;
    start();
    struct packet_spec spec = udp(PICKET_IN);
    spec.local = 0x0A0000FF;
    receive(&ip, spec);
    reports_flush();
    assert_int_equal(reports.flows, 0);
    assert_int_equal(double_state.delivered, 1);
}

static void a_network_of_one_address_has_no_broadcast(void **state)
{
    (void)state;
    ip.nx_ip_interface[0].nx_interface_ip_network_mask = 0xFFFFFFFF;
    ip.nx_ip_interface[0].nx_interface_ip_network = 0x0A000001;
    start();
    receive(&ip, udp(PICKET_IN));
    reports_flush();
    assert_int_equal(reports.bytes_in, 8);
}

static void broadcasts_count_where_they_are_wanted(void **state)
{
    (void)state;
    static struct picket_agent_config config;
    picket_netxduo_config_defaults(&config);
    config.unicast_only = false;
    assert_int_equal(picket_netxduo_start_with(&config, &reports_transport, NULL), NX_SUCCESS);
    struct packet_spec spec = udp(PICKET_IN);
    spec.local = 0x0A0000FF;
    receive(&ip, spec);
    reports_flush();
    assert_int_equal(reports.flows, 1);
}

/* ---- NX_IP instances ---- */

static void each_nx_ip_receives_its_own_packets(void **state)
{
    (void)state;
    double_ip_create(&other, 0x0A000101, 0xFFFFFF00);
    start();
    struct packet_spec spec = udp(PICKET_IN);
    receive(&ip, spec);
    spec.local = 0x0A000101;
    receive(&other, spec);
    reports_flush();
    assert_int_equal(reports.flows, 2);
    assert_int_equal(double_state.delivered, 2);
    assert_int_equal(ip.nx_ip_total_packets_received, 1);
}

static void an_nx_ip_created_later_is_watched_from_the_next_poll_on(void **state)
{
    (void)state;
    start();
    double_ip_create(&other, 0x0A000101, 0xFFFFFF00);
    picket_netxduo_poll();
    struct packet_spec spec = udp(PICKET_IN);
    spec.local = 0x0A000101;
    receive(&other, spec);
    reports_flush();
    assert_int_equal(reports.flows, 1);
}

static void ipv6_enabled_later_is_watched_from_the_next_poll_on(void **state)
{
    (void)state;
    start();
    double_ipv6_enable(&ip);
    picket_netxduo_poll();
    struct packet_spec spec = udp(PICKET_IN);
    spec.version = 6;
    receive(&ip, spec);
    reports_flush();
    assert_int_equal(reports.flows, 1);
}

static void an_nx_ip_may_be_deleted_and_created_again_in_its_place(void **state)
{
    (void)state;
    start();
    double_ip_delete(&ip);
    picket_netxduo_poll();
    double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
    picket_netxduo_poll();
    receive(&ip, udp(PICKET_IN));
    double_ip_delete(&ip);
    double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
    picket_netxduo_poll();
    receive(&ip, udp(PICKET_IN));
    reports_flush();
    assert_int_equal(reports.bytes_in, 16);
    assert_int_equal(double_state.delivered, 2);
}

static void an_nx_ip_without_a_place_works_on_and_is_told(void **state)
{
    (void)state;
    static NX_IP more[PICKET_NETXDUO_IP_INSTANCES];
    struct picket_netxduo_statistics statistics;
    for (size_t i = 0; i < PICKET_NETXDUO_IP_INSTANCES; i++)
        double_ip_create(&more[i], 0x0A000201, 0xFFFFFF00);
    start();
    receive(&more[PICKET_NETXDUO_IP_INSTANCES - 1], udp(PICKET_IN));
    assert_int_equal(double_state.delivered, 1);
    assert_int_equal(picket_netxduo_statistics(&statistics), NX_SUCCESS);
    assert_int_equal(statistics.ip_instances_watched, PICKET_NETXDUO_IP_INSTANCES);
    assert_int_equal(statistics.ip_instances_unwatched, 1);
    /* When there is room, it is watched. */
    double_ip_delete(&ip);
    picket_netxduo_poll();
    assert_int_equal(picket_netxduo_statistics(&statistics), NX_SUCCESS);
    assert_int_equal(statistics.ip_instances_unwatched, 0);
}

/* ---- the application's filter ---- */

#ifdef DOUBLE_NETXDUO_6_1_0
#define FILTER_OF(ip)    ((ip).nx_ip_packet_filter)
#define FILTER_ARGUMENTS VOID *header, UINT direction
#define PASSED_ON        header, direction
#define UNUSED           ((void)header)
#else
#define FILTER_OF(ip)    ((ip).nx_ip_packet_filter_extended)
#define FILTER_ARGUMENTS NX_IP *filtered, NX_PACKET *packet, UINT direction
#define PASSED_ON        filtered, packet, direction
#define UNUSED           ((void)filtered, (void)packet)
#endif

static UINT firewall(FILTER_ARGUMENTS)
{
    UNUSED, (void)direction;
    asked++;
    return filter_answers;
}

static UINT (*below)(FILTER_ARGUMENTS);

static UINT chaining_firewall(FILTER_ARGUMENTS)
{
    asked++;
    return below(PASSED_ON);
}

static void the_applications_filter_is_asked_and_put_back(void **state)
{
    (void)state;
    FILTER_OF(ip) = firewall;
    start();
    assert_true(send_out(&ip, udp(PICKET_OUT)));
    receive(&ip, udp(PICKET_IN));
    assert_int_equal(asked, 2);
    picket_netxduo_stop();
    assert_ptr_equal(FILTER_OF(ip), firewall);
}

static void what_the_applications_filter_refuses_is_refused_and_not_counted(void **state)
{
    (void)state;
    FILTER_OF(ip) = firewall;
    filter_answers = NX_NOT_SUCCESSFUL;
    start();
    assert_false(send_out(&ip, udp(PICKET_OUT)));
    receive(&ip, udp(PICKET_IN));
    reports_flush();
    assert_int_equal(reports.flows, 0);
    assert_int_equal(double_state.delivered, 0);
}

static void a_filter_set_over_ours_is_asked_from_then_on_and_packets_count(void **state)
{
    (void)state;
    start();
    FILTER_OF(ip) = firewall;
    picket_netxduo_poll();
    send_out(&ip, udp(PICKET_OUT));
    reports_flush();
    assert_int_equal(asked, 1);
    assert_int_equal(reports.bytes_out, 8);
    picket_netxduo_stop();
    assert_ptr_equal(FILTER_OF(ip), firewall);
}

static void a_filter_that_calls_ours_does_not_go_round_in_circles(void **state)
{
    (void)state;
    start();
    below = FILTER_OF(ip);
    FILTER_OF(ip) = chaining_firewall;
    send_out(&ip, udp(PICKET_OUT));
    picket_netxduo_poll();
    send_out(&ip, udp(PICKET_OUT));
    reports_flush();
    assert_int_equal(asked, 2);
    assert_int_equal(reports.bytes_out, 16);
}

static void a_filter_that_calls_ours_may_stay_when_the_watch_has_ended(void **state)
{
    (void)state;
    FILTER_OF(ip) = firewall;
    start();
    below = FILTER_OF(ip);
    FILTER_OF(ip) = chaining_firewall;
    picket_netxduo_stop();
    assert_ptr_equal(FILTER_OF(ip), chaining_firewall);
    assert_true(send_out(&ip, udp(PICKET_OUT)));
    assert_int_equal(asked, 2); /* it, then through our hook the one that was there first */
}

static void a_filter_that_is_taken_out_before_the_end_leaves_no_trace(void **state)
{
    (void)state;
    start();
    below = FILTER_OF(ip);
    FILTER_OF(ip) = chaining_firewall;
    picket_netxduo_poll();
    FILTER_OF(ip) = below;
    picket_netxduo_stop();
    assert_null(FILTER_OF(ip));
}

static UINT other_firewall(FILTER_ARGUMENTS)
{
    UNUSED, (void)direction;
    return NX_SUCCESS;
}

static void filters_may_take_turns(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 20; i++) {
        FILTER_OF(ip) = i % 4 == 0   ? NULL
                        : i % 4 == 1 ? firewall
                        : i % 4 == 2 ? chaining_firewall
                                     : other_firewall;
        below = firewall;
        picket_netxduo_poll();
        send_out(&ip, udp(PICKET_OUT));
    }
    reports_flush();
    assert_int_equal(asked, 15);
    assert_int_equal(reports.bytes_out, 160);
}

#ifndef DOUBLE_NETXDUO_6_1_0
static UINT header_firewall(VOID *header, UINT direction)
{
    (void)header, (void)direction;
    asked++;
    return filter_answers;
}

static void the_applications_older_filter_is_left_alone(void **state)
{
    (void)state;
    ip.nx_ip_packet_filter = header_firewall;
    start();
    assert_true(send_out(&ip, udp(PICKET_OUT)));
    filter_answers = NX_NOT_SUCCESSFUL;
    assert_false(send_out(&ip, udp(PICKET_OUT)));
    assert_int_equal(asked, 2);
    reports_flush();
    assert_int_equal(reports.bytes_out, 8);
    picket_netxduo_stop();
    assert_ptr_equal(ip.nx_ip_packet_filter, header_firewall);
}
#endif

#define FIREWALL(name)                                                                             \
    static UINT name(FILTER_ARGUMENTS)                                                             \
    {                                                                                              \
        UNUSED, (void)direction;                                                                   \
        asked++;                                                                                   \
        return filter_answers;                                                                     \
    }
FIREWALL(firewall_1)
FIREWALL(firewall_2)
FIREWALL(firewall_3)
FIREWALL(firewall_4)
FIREWALL(firewall_5)

static void of_many_filters_the_last_is_asked_though_it_is_more_than_we_can_tell_apart(void **state)
{
    (void)state;
    UINT(*const firewalls[])
    (FILTER_ARGUMENTS) = {firewall_1, firewall_2, firewall_3, firewall_4, firewall_5};
    start();
    for (size_t i = 0; i < sizeof firewalls / sizeof *firewalls; i++) {
        FILTER_OF(ip) = firewalls[i];
        picket_netxduo_poll();
        filter_answers = NX_SUCCESS;
        assert_true(send_out(&ip, udp(PICKET_OUT)));
        filter_answers = NX_NOT_SUCCESSFUL;
        assert_false(send_out(&ip, udp(PICKET_OUT)));
        assert_int_equal(asked, 2 * (i + 1));
    }
    picket_netxduo_stop();
    assert_ptr_equal(FILTER_OF(ip), firewall_5);
}

/* ---- the end ---- */

static void hooks_that_somebody_has_saved_let_packets_pass_when_the_watch_has_ended(void **state)
{
    (void)state;
    start();
    const NX_IP hooked = ip;
    picket_netxduo_stop();
    ip.nx_ipv4_packet_receive = hooked.nx_ipv4_packet_receive;
    FILTER_OF(ip) = FILTER_OF(hooked);
    receive(&ip, udp(PICKET_IN));
    assert_true(send_out(&ip, udp(PICKET_OUT)));
    assert_int_equal(double_state.delivered, 1);
    start();
    receive(&ip, udp(PICKET_IN));
    assert_true(send_out(&ip, udp(PICKET_OUT)));
    reports_flush();
    assert_int_equal(double_state.delivered, 2);
    assert_int_equal(reports.bytes_in, 8);
    assert_int_equal(reports.bytes_out, 8);
}

static void stopping_leaves_no_trace_and_starting_again_works(void **state)
{
    (void)state;
    NX_IP before = ip;
    for (int round = 0; round < 3; round++) {
        start();
        receive(&ip, udp(PICKET_IN));
        reports_flush();
        assert_int_equal(picket_netxduo_stop(), NX_SUCCESS);
        before.nx_ip_total_packets_received = ip.nx_ip_total_packets_received;
        assert_memory_equal(&ip, &before, sizeof ip);
        receive(&ip, udp(PICKET_IN));
        assert_int_equal(picket_netxduo_flush(), NX_NOT_ENABLED);
    }
    assert_int_equal(reports.bytes_in, 24);
    assert_int_equal(double_state.delivered, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(packets_in_and_out_are_one_flow),
        TEST(payload_in_further_packets_of_a_chain_counts),
        TEST(icmpv6_counts_in_both_directions),
        TEST(a_packet_that_the_stack_refuses_is_no_flow),
        TEST(a_packet_that_is_forwarded_is_no_flow_of_the_device),
        TEST(a_truncated_transport_header_is_not_read),
        TEST(a_subnets_broadcast_is_not_unicast),
        TEST(a_network_of_one_address_has_no_broadcast),
        TEST(broadcasts_count_where_they_are_wanted),
        TEST(each_nx_ip_receives_its_own_packets),
        TEST(an_nx_ip_created_later_is_watched_from_the_next_poll_on),
        TEST(ipv6_enabled_later_is_watched_from_the_next_poll_on),
        TEST(an_nx_ip_may_be_deleted_and_created_again_in_its_place),
        TEST(an_nx_ip_without_a_place_works_on_and_is_told),
        TEST(the_applications_filter_is_asked_and_put_back),
        TEST(what_the_applications_filter_refuses_is_refused_and_not_counted),
        TEST(a_filter_set_over_ours_is_asked_from_then_on_and_packets_count),
        TEST(a_filter_that_calls_ours_does_not_go_round_in_circles),
        TEST(a_filter_that_calls_ours_may_stay_when_the_watch_has_ended),
        TEST(a_filter_that_is_taken_out_before_the_end_leaves_no_trace),
        TEST(filters_may_take_turns),
#ifndef DOUBLE_NETXDUO_6_1_0
        TEST(the_applications_older_filter_is_left_alone),
#endif
        TEST(of_many_filters_the_last_is_asked_though_it_is_more_than_we_can_tell_apart),
        TEST(hooks_that_somebody_has_saved_let_packets_pass_when_the_watch_has_ended),
        TEST(stopping_leaves_no_trace_and_starting_again_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

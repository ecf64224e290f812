/* The agent of the device: clocks, randomness, what it says of itself, start and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../src/device.h"
#include "double.h"
#include "reports.h"

static NX_IP ip;

static int setup(void **state)
{
    (void)state;
    double_reset();
    reports_reset();
    double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    picket_netxduo_stop();
    picket_netxduo_random_set(NULL);
    picket_netxduo_identity_set(NULL);
    return 0;
}

static UINT unix_time(ULONG *now)
{
    *now = 1700000000;
    return NX_SUCCESS;
}

static UINT no_unix_time(ULONG *now)
{
    (void)now;
    return NX_NOT_SUCCESSFUL;
}

static void second(void)
{
    double_state.ticks += TX_TIMER_TICKS_PER_SECOND;
    picket_netxduo_poll();
}

static void a_missing_callback_is_refused(void **state)
{
    (void)state;
    struct picket_netxduo_transport transport = reports_transport;
    assert_int_equal(picket_netxduo_start(NULL, NULL), NX_PTR_ERROR);
    transport.send = NULL;
    assert_int_equal(picket_netxduo_start(&transport, NULL), NX_PTR_ERROR);
    transport = reports_transport;
    transport.connected = NULL;
    assert_int_equal(picket_netxduo_start(&transport, NULL), NX_PTR_ERROR);
}

static void calls_in_the_wrong_order_say_so(void **state)
{
    (void)state;
    struct picket_netxduo_statistics statistics;
    assert_int_equal(picket_netxduo_stop(), NX_NOT_ENABLED);
    assert_int_equal(picket_netxduo_poll(), 0);
    assert_int_equal(picket_netxduo_flush(), NX_NOT_ENABLED);
    assert_int_equal(picket_netxduo_statistics(&statistics), NX_NOT_ENABLED);
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_ALREADY_ENABLED);
}

static void a_configuration_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct picket_agent_config config;
    picket_netxduo_config_defaults(&config);
    config.first_delay_min_s = 2;
    config.first_delay_max_s = 1;
    assert_int_equal(picket_netxduo_start_with(&config, &reports_transport, NULL),
                     NX_INVALID_PARAMETERS);
    assert_int_equal(picket_netxduo_flush(), NX_NOT_ENABLED);
}

static void a_wall_clock_that_is_missing_or_fails_is_told_and_does_no_harm(void **state)
{
    (void)state;
    UINT (*clocks[])(ULONG *) = {NULL, no_unix_time};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(picket_netxduo_start(&reports_transport, clocks[i]), NX_SUCCESS);
        reports_flush();
        assert_int_equal(reports.last_time_s, UINT32_MAX);
        picket_netxduo_stop();
    }
    assert_int_equal(picket_netxduo_start(&reports_transport, unix_time), NX_SUCCESS);
    reports_flush();
    assert_int_equal(reports.last_time_s, 1700000000);
}

static void the_first_report_comes_within_its_delay(void **state)
{
    (void)state;
    assert_int_equal(picket_netxduo_start(&reports_transport, unix_time), NX_SUCCESS);
    for (unsigned i = 0; i < PICKET_AGENT_FIRST_DELAY_MIN_S - 1; i++)
        second();
    assert_int_equal(reports.messages, 0);
    for (unsigned i = 0; i <= PICKET_AGENT_FIRST_DELAY_MAX_S; i++)
        second();
    assert_true(reports.messages > 0);
}

static void ticks_may_wrap(void **state)
{
    (void)state;
    double_state.ticks = (ULONG)0 - 20 * TX_TIMER_TICKS_PER_SECOND;
    assert_int_equal(picket_netxduo_start(&reports_transport, unix_time), NX_SUCCESS);
    for (unsigned i = 0; i < 200; i++)
        second();
    /* Heartbeat and system information each minute. */
    assert_true(reports.messages >= 2 && reports.messages <= 4);
}

static void two_devices_and_two_boots_do_not_say_the_same_though_rand_does(void **state)
{
    (void)state;
    uint8_t ids[3][16];
    for (int i = 0; i < 3; i++) {
        double_reset();
        double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
        ip.nx_ip_interface[0].nx_interface_physical_address_lsw = i == 1 ? 7 : 8;
        double_state.ticks = i == 2 ? 12345 : 1;
        assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
        reports_flush();
        memcpy(ids[i], reports.last_id, 16);
        picket_netxduo_stop();
    }
    assert_memory_not_equal(ids[0], ids[1], 16);
    assert_memory_not_equal(ids[0], ids[2], 16);
    assert_memory_not_equal(ids[1], ids[2], 16);
}

static void a_fleet_does_not_report_first_in_one_second_though_rand_says_the_same(void **state)
{
    (void)state;
    enum { DEVICES = 10 };
    unsigned seconds[DEVICES], others = 0;
    for (ULONG i = 0; i < DEVICES; i++) {
        double_reset();
        reports_reset();
        double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
        ip.nx_ip_interface[0].nx_interface_physical_address_lsw = i;
        assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
        for (seconds[i] = 0; reports.messages == 0; seconds[i]++)
            second();
        picket_netxduo_stop();
        others += seconds[i] != seconds[0];
    }
    assert_true(others >= DEVICES / 2);
}

static VOID all_sevens(VOID *bytes, UINT size)
{
    memset(bytes, 7, size);
}

static void randomness_may_be_the_applications(void **state)
{
    (void)state;
    static const uint8_t sevens[16] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    picket_netxduo_random_set(all_sevens);
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    reports_flush();
    assert_memory_equal(reports.last_id, sevens, 16);
}

static void system_information_names_versions_features_and_identity(void **state)
{
    (void)state;
    picket_netxduo_identity_set("Contoso Pump 7, firmware 1.4.2");
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    reports_flush();
    assert_string_equal(reports.os_info, "ThreadX 6.4.2");
#ifdef DOUBLE_NETXDUO_6_1_0
    assert_memory_equal(reports.kernel_info, "NetX Duo 6.1.0 ", 15);
#else
    assert_memory_equal(reports.kernel_info, "NetX Duo 6.4.2 ", 15);
#endif
    assert_non_null(strstr(reports.kernel_info, " ipv4 ipv6"));
    assert_null(strstr(reports.kernel_info, "tls"));
    assert_string_equal(reports.hw_info, "Contoso Pump 7, firmware 1.4.2");
}

static void open_ports_are_told_at_each_address(void **state)
{
    (void)state;
    static const uint8_t ipv4[4] = {10, 0, 0, 1};
    static const uint8_t ipv6[16] = {0xFE, 0x80, [15] = 7};
    NX_TCP_LISTEN https = {443, NULL}, http = {80, &https};
    NX_UDP_SOCKET unbound = {0, NULL, NULL}, dns = {53, NULL, &unbound};
    https.nx_tcp_listen_next = &http;
    dns.nx_udp_socket_bound_next = &dns;
    unbound.nx_udp_socket_created_next = &dns;
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    reports_flush();
    assert_int_equal(reports.ports, 0);
    ip.nx_ip_tcp_active_listen_requests = &http;
    reports_flush();
    assert_int_equal(reports.ports, 2);
    assert_int_equal(reports.last_port, 443);
    assert_memory_equal(reports.last_port_address, ipv4, 4);
    ip.nx_ip_udp_created_sockets_ptr = &unbound;
    ip.nx_ip_udp_created_sockets_count = 2;
    reports_flush();
    assert_int_equal(reports.ports, 3);
    assert_int_equal(reports.last_port, 53);
    ip.nx_ip_interface[1] = ip.nx_ip_interface[0];
    reports_flush();
    assert_int_equal(reports.ports, 6);
    double_ipv6_enable(&ip);
    ip.nx_ipv6_address[2].nxd_ipv6_address_valid = 1;
    ip.nx_ipv6_address[2].nxd_ipv6_address[0] = 0xFE800000;
    ip.nx_ipv6_address[2].nxd_ipv6_address[3] = 7;
    reports_flush();
    assert_int_equal(reports.ports, 9);
    assert_memory_equal(reports.last_port_address, ipv6, 16);
}

static void more_open_ports_than_one_event_holds_do_no_harm(void **state)
{
    (void)state;
    enum { SOCKETS = PICKET_AGENT_LISTENING_PORTS + 3 };
    static NX_UDP_SOCKET sockets[SOCKETS];
    for (UINT i = 0; i < SOCKETS; i++) {
        sockets[i].nx_udp_socket_port = 1000 + i;
        sockets[i].nx_udp_socket_bound_next = &sockets[i];
        sockets[i].nx_udp_socket_created_next = &sockets[(i + 1) % SOCKETS];
    }
    ip.nx_ip_udp_created_sockets_ptr = sockets;
    ip.nx_ip_udp_created_sockets_count = SOCKETS;
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    reports_flush();
    assert_int_equal(reports.ports, PICKET_AGENT_LISTENING_PORTS);
    assert_int_equal(reports.ports_unlisted, 3);
}

static void a_port_is_not_open_where_there_is_no_address(void **state)
{
    (void)state;
    NX_TCP_LISTEN http = {80, NULL};
    http.nx_tcp_listen_next = &http;
    ip.nx_ip_tcp_active_listen_requests = &http;
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    ip.nx_ip_interface[1].nx_interface_valid = 1; /* waits for DHCP */
    reports_flush();
    assert_int_equal(reports.ports, 1);
    ip.nx_ip_interface[0].nx_interface_valid = 0;
    reports_flush();
    assert_int_equal(reports.ports, 0);
}

static void interrupts_are_as_they_were_after_every_call(void **state)
{
    (void)state;
    for (UINT posture = 0; posture < 2; posture++) {
        double_state.posture = posture;
        picket_netxduo_start(&reports_transport, unix_time);
        assert_int_equal(double_state.posture, posture);
        reports_flush();
        picket_netxduo_poll();
        assert_int_equal(double_state.posture, posture);
        picket_netxduo_stop();
        assert_int_equal(double_state.posture, posture);
    }
}

/* ---- stopping while another thread polls ---- */

static UINT stopped_within;

static enum picket_send_result stop_within_send(void *context,
                                                const struct picket_wire_message *message)
{
    (void)context, (void)message;
    stopped_within = picket_netxduo_stop();
    return PICKET_SEND_ACCEPTED;
}

static void stopping_from_within_a_poll_is_refused(void **state)
{
    (void)state;
    static struct picket_netxduo_transport transport;
    transport = reports_transport;
    transport.send = stop_within_send;
    assert_int_equal(picket_netxduo_start(&transport, NULL), NX_SUCCESS);
    reports_flush();
    assert_int_equal(stopped_within, NX_CALLER_ERROR);
    assert_int_equal(picket_netxduo_flush(), NX_SUCCESS);
}

/* ---- two threads start at the same moment ---- */

static TX_THREAD other_thread;
static jmp_buf waiting;
static bool waited;

static void leave_the_wait(void)
{
    longjmp(waiting, 1);
}

/* Where the first thread is in the middle of starting, the second one comes. */
static UINT start_on_another_thread(ULONG *now)
{
    TX_THREAD *self = double_state.thread;
    double_state.thread = &other_thread;
    double_state.sleeping = leave_the_wait;
    if (setjmp(waiting) == 0)
        picket_netxduo_start(&reports_transport, NULL);
    else
        waited = true;
    double_state.sleeping = NULL;
    double_state.thread = self;
    return no_unix_time(now);
}

static void of_two_threads_that_start_at_once_the_second_waits_and_finds_it_started(void **state)
{
    (void)state;
    waited = false;
    assert_int_equal(picket_netxduo_start(&reports_transport, start_on_another_thread), NX_SUCCESS);
    assert_true(waited);
    double_state.thread = &other_thread;
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_ALREADY_ENABLED);
    assert_int_equal(picket_netxduo_flush(), NX_SUCCESS);
}

/* ---- a transport that says later what arrived ---- */

static enum picket_send_result outcome_now;

static enum picket_send_result take_it(void *context, const struct picket_wire_message *message)
{
    (void)context, (void)message;
    reports.messages++;
    return PICKET_SEND_PENDING;
}

static enum picket_send_result tell_outcome(void *context)
{
    (void)context;
    return outcome_now;
}

static void a_transport_of_ones_own_may_say_later_what_arrived(void **state)
{
    (void)state;
    struct picket_netxduo_statistics statistics;
    struct picket_netxduo_transport transport = reports_transport;
    transport.send = take_it;
    transport.delivered = tell_outcome;
    outcome_now = PICKET_SEND_PENDING;
    assert_int_equal(picket_netxduo_start(&transport, NULL), NX_SUCCESS);
    assert_int_equal(picket_netxduo_flush(), NX_IN_PROGRESS);
    assert_int_equal(picket_netxduo_flush(), NX_IN_PROGRESS);
    assert_int_equal(reports.messages, 1);
    outcome_now = PICKET_SEND_ACCEPTED;
    picket_netxduo_poll();
    assert_int_equal(picket_netxduo_statistics(&statistics), NX_SUCCESS);
    assert_int_equal(statistics.agent.messages_sent, 1);
    outcome_now = PICKET_SEND_REFUSED;
    picket_netxduo_flush();
    picket_netxduo_poll();
    assert_int_equal(picket_netxduo_statistics(&statistics), NX_SUCCESS);
    assert_int_equal(statistics.agent.messages_refused, 1);
}

/* ---- changes while it runs ---- */

static void intervals_and_collectors_change_while_it_runs(void **state)
{
    (void)state;
    const uint32_t good[PICKET_PRIORITIES] = {1, 2, 3}, bad[PICKET_PRIORITIES] = {1, 0, 3};
    assert_int_equal(picket_netxduo_set_intervals(good), NX_NOT_ENABLED);
    assert_int_equal(
        picket_netxduo_set_collector(PICKET_COLLECTOR_HEARTBEAT, false, PICKET_PRIORITY_LOW),
        NX_NOT_ENABLED);
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    assert_int_equal(picket_netxduo_set_intervals(bad), NX_INVALID_PARAMETERS);
    assert_int_equal(picket_netxduo_set_intervals(good), NX_SUCCESS);
    assert_int_equal(picket_netxduo_set_collector(PICKET_COLLECTOR_HEARTBEAT, false,
                                                  (enum picket_priority)PICKET_PRIORITIES),
                     NX_INVALID_PARAMETERS);
    reports.messages = 0;
    for (int i = 0; i < 9; i++)
        second();
    assert_int_equal(reports.messages, 3);
    picket_netxduo_set_collector(PICKET_COLLECTOR_HEARTBEAT, false, PICKET_PRIORITY_LOW);
    picket_netxduo_set_collector(PICKET_COLLECTOR_SYSTEM_INFORMATION, false, PICKET_PRIORITY_LOW);
    picket_netxduo_set_collector(PICKET_COLLECTOR_LISTENING_PORTS, false, PICKET_PRIORITY_LOW);
    reports.messages = 0;
    for (int i = 0; i < 9; i++)
        second();
    assert_int_equal(reports.messages, 0);
}

static unsigned slept;

static void the_other_thread_leaves(void)
{
    if (++slept == 3)
        picket_device_leave();
}

static void a_thread_waits_until_the_other_has_left(void **state)
{
    (void)state;
    TX_THREAD *self = double_state.thread;
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    double_state.thread = &other_thread;
    assert_non_null(picket_device_enter());
    double_state.thread = self;
    double_state.sleeping = the_other_thread_leaves;
    slept = 0;
    assert_int_equal(picket_netxduo_flush(), NX_SUCCESS);
    assert_int_equal(slept, 3);
    double_state.thread = &other_thread;
    assert_non_null(picket_device_enter());
    double_state.thread = self;
    slept = 0;
    assert_int_equal(picket_netxduo_stop(), NX_SUCCESS);
    assert_int_equal(slept, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_missing_callback_is_refused),
        TEST(calls_in_the_wrong_order_say_so),
        TEST(a_configuration_that_cannot_be_is_refused),
        TEST(a_wall_clock_that_is_missing_or_fails_is_told_and_does_no_harm),
        TEST(the_first_report_comes_within_its_delay),
        TEST(ticks_may_wrap),
        TEST(two_devices_and_two_boots_do_not_say_the_same_though_rand_does),
        TEST(a_fleet_does_not_report_first_in_one_second_though_rand_says_the_same),
        TEST(randomness_may_be_the_applications),
        TEST(system_information_names_versions_features_and_identity),
        TEST(open_ports_are_told_at_each_address),
        TEST(more_open_ports_than_one_event_holds_do_no_harm),
        TEST(a_port_is_not_open_where_there_is_no_address),
        TEST(interrupts_are_as_they_were_after_every_call),
        TEST(stopping_from_within_a_poll_is_refused),
        TEST(of_two_threads_that_start_at_once_the_second_waits_and_finds_it_started),
        TEST(a_transport_of_ones_own_may_say_later_what_arrived),
        TEST(intervals_and_collectors_change_while_it_runs),
        TEST(a_thread_waits_until_the_other_has_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

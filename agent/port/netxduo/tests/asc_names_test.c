/* What firmware configured for the removed module means the same here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "double.h"
#include "packets.h"
#include "picket/netxduo/netxduo.h"

static void an_old_configuration_means_what_it_meant(void **state)
{
    (void)state;
    struct picket_agent_config config;
    picket_netxduo_config_defaults(&config);
    assert_string_equal(config.security_module_id, "defender-iot-micro-agent");
    assert_int_equal(config.interval_s[PICKET_PRIORITY_HIGH], 11);
    assert_int_equal(config.interval_s[PICKET_PRIORITY_MEDIUM], 31);
    assert_int_equal(config.interval_s[PICKET_PRIORITY_LOW], 61);
    assert_int_equal(config.first_delay_min_s, 20);
    assert_int_equal(config.first_delay_max_s, 60);
    assert_int_equal(config.pending_time_s, 240);
    assert_int_equal(config.send_retry_s, 4);
    assert_true(config.unicast_only);
    assert_false(config.send_empty_events);
    assert_int_equal(config.ipv4.capacity, 32);
    assert_int_equal(PICKET_AGENT_UDP, 0);
    assert_int_equal(PICKET_AGENT_TCP, 1);
    assert_int_equal(PICKET_AGENT_IPV6, 0);
}

static void what_an_old_configuration_does_not_name_is_off(void **state)
{
    (void)state;
    struct picket_agent_config config;
    picket_netxduo_config_defaults(&config);
    assert_true(config.collectors[PICKET_COLLECTOR_NETWORK_ACTIVITY].enabled);
    assert_true(config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled);
    assert_false(config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled);
}

static enum picket_packet_verdict verdict_of(uint8_t version, uint8_t protocol)
{
    static struct picket_agent agent;
    static struct picket_agent_config config;
    uint8_t packet[PACKET_BYTES_MAX];
    struct packet_spec spec = {.version = version, .protocol = protocol, .direction = PICKET_OUT};
    size_t size_bytes = packet_build(packet, &spec);
    picket_netxduo_config_defaults(&config);
    double_reset();
    picket_agent_init(&agent, &config);
    return picket_agent_count_packet(&agent, packet, size_bytes, PICKET_WIRE_BYTES_UNKNOWN,
                                     PICKET_OUT);
}

static void what_an_old_configuration_leaves_out_is_another_protocol(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(4, PICKET_WIRE_TCP), PICKET_PACKET_COUNTED);
    assert_int_equal(verdict_of(4, PICKET_WIRE_UDP), PICKET_PACKET_OTHER_PROTOCOL);
    assert_int_equal(verdict_of(6, PICKET_WIRE_TCP), PICKET_PACKET_OTHER_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_configuration_means_what_it_meant),
        cmocka_unit_test(what_an_old_configuration_does_not_name_is_off),
        cmocka_unit_test(what_an_old_configuration_leaves_out_is_another_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

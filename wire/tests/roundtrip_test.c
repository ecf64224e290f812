/* What the encoder writes, the decoder reads back: random messages, compared field by field. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "picket/wire/decoder.h"
#include "random_message.h"
#include "reencode.h"

static void check_text(struct picket_wire_string found, const char *expected)
{
    if (expected == NULL) {
        assert_null(found.text);
        return;
    }
    assert_int_equal(found.size_bytes, strlen(expected));
    assert_string_equal(found.text, expected);
}

static void check_flow(struct picket_wire_flow_view found, const struct picket_wire_flow *expected,
                       size_t address_bytes)
{
    assert_memory_equal(found.flow.local_address, expected->local_address, address_bytes);
    assert_memory_equal(found.flow.remote_address, expected->remote_address, address_bytes);
    assert_int_equal(found.flow.bytes_in, expected->bytes_in);
    assert_int_equal(found.flow.bytes_out, expected->bytes_out);
    assert_int_equal(found.flow.local_port, expected->local_port);
    assert_int_equal(found.flow.remote_port, expected->remote_port);
    assert_int_equal(found.flow.protocol, expected->protocol);
}

static void check_activity(const struct picket_wire_event_view *view,
                           const struct picket_wire_network_activity *expected)
{
    struct picket_wire_network_activity_view found = picket_wire_network_activity(view);
    const struct random_flows *ipv4 = expected->ipv4.table, *ipv6 = expected->ipv6.table;
    assert_int_equal(found.ipv4_count, ipv4->count);
    assert_int_equal(found.ipv6_count, ipv6->count);
    for (uint32_t i = 0; i < found.ipv4_count; i++)
        check_flow(picket_wire_ipv4_flow_at(&found, i), &ipv4->flows[i], 4);
    for (uint32_t i = 0; i < found.ipv6_count; i++)
        check_flow(picket_wire_ipv6_flow_at(&found, i), &ipv6->flows[i], 16);
    assert_int_equal(found.lost_flows, expected->lost_flows);
    assert_int_equal(found.lost_bytes_in, expected->lost_bytes_in);
    assert_int_equal(found.lost_bytes_out, expected->lost_bytes_out);
}

static void check_port(struct picket_wire_listening_port found,
                       const struct picket_wire_open_port *expected)
{
    assert_memory_equal(found.local_address, expected->address, expected->is_ipv6 ? 16 : 4);
    assert_int_equal(found.local_port, expected->port);
    assert_int_equal(found.protocol, expected->protocol);
}

static void check_ports(const struct picket_wire_event_view *view,
                        const struct picket_wire_listening_ports *expected)
{
    struct picket_wire_listening_ports_view found = picket_wire_listening_ports(view);
    const struct picket_wire_open_port *port = expected->ipv4.ports;
    assert_int_equal(found.ipv4_count, expected->ipv4.count);
    assert_int_equal(found.ipv6_count, expected->ipv6.count);
    for (uint32_t ipv4 = 0, ipv6 = 0; ipv4 + ipv6 < found.ipv4_count + found.ipv6_count; port++)
        check_port(port->is_ipv6 ? picket_wire_ipv6_port_at(&found, ipv6++)
                                 : picket_wire_ipv4_port_at(&found, ipv4++),
                   port);
    assert_int_equal(found.unlisted, expected->unlisted);
}

static void check_event(const struct picket_wire_event_view *found,
                        const struct picket_wire_event *expected)
{
    assert_memory_equal(found->id, expected->id, sizeof expected->id);
    assert_int_equal(found->time_s, expected->time_s);
    assert_int_equal(found->collection_interval_s, expected->collection_interval_s);
    assert_int_equal(found->duration_s, expected->duration_s);
    assert_int_equal(found->payload_type, expected->payload_type);
    if (expected->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        check_activity(found, &expected->payload.network_activity);
    } else if (expected->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
        struct picket_wire_system_information_view system = picket_wire_system_information(found);
        check_text(system.os_info, expected->payload.system_information.os_info);
        check_text(system.kernel_info, expected->payload.system_information.kernel_info);
        check_text(system.hw_info, expected->payload.system_information.hw_info);
    } else if (expected->payload_type == PICKET_WIRE_LISTENING_PORTS) {
        check_ports(found, &expected->payload.listening_ports);
    } else {
        assert_int_equal(picket_wire_heartbeat(found).uptime_s,
                         expected->payload.heartbeat.uptime_s);
    }
}

static void check_seed(uint64_t seed)
{
    static struct random_message random;
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    size_t size_bytes;
    random_message(&random, seed);
    unsigned char *bytes = encode_exactly(&random.message, &size_bytes);
    assert_non_null(bytes);
    if (!picket_wire_open(&view, bytes, size_bytes, &error))
        fail_msg("seed %" PRIu64 ": byte %u: %s", seed, error.offset, error.reason);
    check_text(view.security_module_id, random.message.security_module_id);
    assert_int_equal(view.security_module_version, random.message.security_module_version);
    assert_int_equal(view.timezone, 0);
    assert_int_equal(view.event_count, random.message.event_count);
    for (uint32_t i = 0; i < view.event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(&view, i);
        check_event(&event, &random.events[i]);
    }
    free(bytes);
}

static void what_is_encoded_is_decoded_alike(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++)
        check_seed(seed);
}

/* Device code reads and writes at any address. */
static void a_message_is_decoded_at_any_address(void **state)
{
    static struct random_message random;
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    size_t size_bytes;
    (void)state;
    random_message(&random, 3);
    unsigned char *bytes = encode_exactly(&random.message, &size_bytes);
    unsigned char *moved = malloc(size_bytes + 3);
    assert_non_null(moved);
    for (size_t shift = 1; shift <= 3; shift++) {
        memcpy(moved + shift, bytes, size_bytes);
        assert_true(picket_wire_open(&view, moved + shift, size_bytes, &error));
        for (uint32_t i = 0; i < view.event_count; i++) {
            struct picket_wire_event_view event = picket_wire_event_at(&view, i);
            check_event(&event, &random.events[i]);
        }
    }
    free(moved);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_decoded_alike),
        cmocka_unit_test(a_message_is_decoded_at_any_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The open ports of a device, as the port tells them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

static struct harness harness;
static struct picket_wire_open_port open_ports[PICKET_AGENT_LISTENING_PORTS + 10];
static uint32_t open_count;

static uint32_t listening_ports(void *context, struct picket_wire_open_port *ports, uint32_t max)
{
    (void)context;
    for (uint32_t i = 0; i < open_count && i < max; i++)
        ports[i] = open_ports[i];
    return open_count;
}

static int setup(void **state)
{
    (void)state;
    harness_setup(&harness);
    harness.config.callbacks.listening_ports = listening_ports;
    for (uint32_t i = 0; i < sizeof open_ports / sizeof *open_ports; i++) {
        open_ports[i] = (struct picket_wire_open_port){{0x20, (uint8_t)i, 3, 4},
                                                       (uint16_t)(1000 + i),
                                                       i % 2 ? PICKET_WIRE_UDP : PICKET_WIRE_TCP,
                                                       i % 3 == 0};
        open_ports[i].address[15] = (uint8_t)(i + 1);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    harness_forget_messages(&harness);
    return 0;
}

static bool find(struct picket_wire_listening_ports_view *view)
{
    for (size_t i = 0; i < harness.message_count; i++)
        for (uint32_t j = 0; j < harness.messages[i].view.event_count; j++) {
            struct picket_wire_event_view event =
                picket_wire_event_at(&harness.messages[i].view, j);
            if (event.payload_type != PICKET_WIRE_LISTENING_PORTS)
                continue;
            *view = picket_wire_listening_ports(&event);
            return true;
        }
    return false;
}

static void each_open_port_is_told_with_its_address(void **state)
{
    (void)state;
    struct picket_wire_listening_ports_view view;
    open_count = 7;
    harness_start(&harness);
    harness_run(&harness, 1);
    assert_true(find(&view));
    assert_int_equal(view.ipv6_count, 3);
    assert_int_equal(view.ipv4_count, 4);
    assert_int_equal(view.unlisted, 0);
    for (uint32_t i = 0, at[2] = {0}; i < open_count; i++) {
        const struct picket_wire_open_port *expected = &open_ports[i];
        uint32_t index = at[expected->is_ipv6]++;
        struct picket_wire_listening_port port = expected->is_ipv6
                                                     ? picket_wire_ipv6_port_at(&view, index)
                                                     : picket_wire_ipv4_port_at(&view, index);
        assert_memory_equal(port.local_address, expected->address, expected->is_ipv6 ? 16 : 4);
        assert_int_equal(port.local_port, expected->port);
        assert_int_equal(port.protocol, expected->protocol);
    }
}

static void ports_that_do_not_fit_are_counted(void **state)
{
    (void)state;
    struct picket_wire_listening_ports_view view;
    open_count = PICKET_AGENT_LISTENING_PORTS + 10;
    harness_start(&harness);
    harness_run(&harness, 1);
    assert_true(find(&view));
    assert_int_equal(view.ipv4_count + view.ipv6_count, PICKET_AGENT_LISTENING_PORTS);
    assert_int_equal(view.unlisted, 10);
}

static void a_device_without_an_open_port_says_so(void **state)
{
    (void)state;
    struct picket_wire_listening_ports_view view;
    open_count = 0;
    harness_start(&harness);
    harness_run(&harness, 1);
    assert_true(find(&view));
    assert_int_equal(view.ipv4_count + view.ipv6_count, 0);
}

static void a_port_that_cannot_tell_sends_nothing(void **state)
{
    (void)state;
    struct picket_wire_listening_ports_view view;
    harness.config.callbacks.listening_ports = NULL;
    harness_start(&harness);
    harness_run(&harness, 100);
    assert_false(find(&view));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(each_open_port_is_told_with_its_address),
        TEST(ports_that_do_not_fit_are_counted),
        TEST(a_device_without_an_open_port_says_so),
        TEST(a_port_that_cannot_tell_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "message_bytes.h"
#include "picket/agent/options.h"

static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8};

static uint32_t next_flow(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    (void)table;
    *flow = (struct picket_wire_flow){
        .local_address = address, .remote_address = address, .protocol = PICKET_WIRE_UDP};
    return cursor + 1;
}

/* All flows and ports that the options let into one message, and the largest ones; the last chain
 * that is taken out of a table may bring some more flows. */
static void a_message_of_all_that_may_be_in_one_can_be_encoded(void **state)
{
    const uint32_t flows = PICKET_AGENT_MESSAGE_FLOWS_MAX + PICKET_AGENT_CHAIN_MAX - 1;
    static struct picket_wire_open_port ports[PICKET_AGENT_LISTENING_PORTS];
    for (uint32_t i = 0; i < PICKET_AGENT_LISTENING_PORTS; i++)
        ports[i].is_ipv6 = true;
    struct picket_wire_event events[] = {
        {.payload_type = PICKET_WIRE_NETWORK_ACTIVITY,
         .payload.network_activity = {.ipv6 = {flows, next_flow, NULL}, .lost_bytes_out = 1}},
        {.payload_type = PICKET_WIRE_LISTENING_PORTS,
         .payload.listening_ports = {.ipv6 = {PICKET_AGENT_LISTENING_PORTS, ports}, .unlisted = 1}},
        {.payload_type = PICKET_WIRE_SYSTEM_INFORMATION,
         .payload.system_information = {"an operating system", "a kernel", "a machine"}},
        {.payload_type = PICKET_WIRE_HEARTBEAT, .payload.heartbeat = {1}},
    };
    struct picket_wire_message message = {"picket-agent", 1, events,
                                          sizeof events / sizeof events[0]};
    struct picket_error error;
    uint8_t *bytes;
    uint32_t size_bytes;
    (void)state;
    assert_int_equal(message_bytes_encode(&message, &bytes, &size_bytes, &error), PICKET_OK);
    assert_in_range(size_bytes, 64 * flows, PICKET_WIRE_MESSAGE_BYTES_MAX);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_of_all_that_may_be_in_one_can_be_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The whole agent, driven by a sequence of commands of two bytes each: packets, time, connection,
 * transport, flush, collectors and intervals, restart. Whatever comes, what was reported and what
 * was lost is what was counted. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "picket/agent/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAPACITY = 6, RESERVE = 2, BUCKETS = 4 };

struct port {
    const uint8_t *data;
    size_t left;
    uint32_t uptime_s;
    uint8_t drawn;
    bool locked;
    bool connected;
    bool accepts;
    bool later; /* how a message fared is said later */
    enum picket_send_result outcome;
    uint64_t told;    /* by the message on its way */
    uint64_t counted; /* bytes, lost ones too */
    uint64_t reported;
    struct picket_agent_config config;
    struct picket_agent agent;
    struct picket_ipv4_flow ipv4_flows[CAPACITY + RESERVE];
    struct picket_ipv6_flow ipv6_flows[CAPACITY + RESERVE];
    picket_flow_index ipv4_buckets[BUCKETS];
    picket_flow_index ipv6_buckets[BUCKETS];
};

static uint32_t lock(void *context)
{
    struct port *port = context;
    assert(!port->locked);
    port->locked = true;
    return 0;
}

static void unlock(void *context, uint32_t posture)
{
    struct port *port = context;
    assert(port->locked && posture == 0);
    port->locked = false;
}

static uint32_t uptime_s(void *context)
{
    return ((struct port *)context)->uptime_s;
}

static void random_bytes(void *context, void *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(((struct port *)context)->drawn += 101);
}

static bool connected(void *context)
{
    return ((struct port *)context)->connected;
}

static bool take_byte(struct port *port, uint8_t *byte)
{
    if (port->left == 0)
        return false;
    *byte = *port->data++;
    port->left--;
    return true;
}

static bool network_activity_enabled(const struct port *port)
{
    return port->agent.collectors[PICKET_COLLECTOR_NETWORK_ACTIVITY].enabled;
}

static void count_packet(struct port *port, uint8_t choice)
{
    uint8_t packet[60] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    uint32_t header_bytes = 20;
    if (choice & 1) {
        memset(packet, 0, sizeof packet);
        packet[0] = 0x60;
        packet[5] = 8;
        packet[6] = 17;
        header_bytes = 40;
    }
    packet[header_bytes - 1] = choice >> 2; /* the destination */
    enum picket_direction direction = choice & 2 ? PICKET_IN : PICKET_OUT;
    enum picket_packet_verdict verdict = picket_agent_count_packet(
        &port->agent, packet, header_bytes + 8, PICKET_WIRE_BYTES_UNKNOWN, direction);
    if (verdict == PICKET_PACKET_OTHER_PROTOCOL) {
        assert(!network_activity_enabled(port));
        return;
    }
    assert(verdict == PICKET_PACKET_COUNTED || verdict == PICKET_PACKET_LOST);
    port->counted += 8;
}

static uint64_t bytes_of(const struct picket_wire_flows *flows)
{
    uint64_t bytes = 0;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < flows->count; i++) {
        struct picket_wire_flow flow;
        cursor = flows->next(flows->table, cursor, &flow);
        bytes += (uint64_t)flow.bytes_in + flow.bytes_out;
    }
    return bytes;
}

static bool drop(void *context, const void *piece, size_t size_bytes)
{
    (void)piece;
    *(size_t *)context += size_bytes;
    return true;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    struct port *port = context;
    assert(!port->locked && message->event_count > 0);
    size_t size_bytes = 0;
    assert(picket_wire_encode(message, drop, &size_bytes));
    uint8_t count, choice;
    if (take_byte(port, &count)) /* packets meanwhile */
        for (count %= 16; count > 0 && take_byte(port, &choice); count--)
            count_packet(port, choice);
    size_t again = 0;
    assert(picket_wire_encode(message, drop, &again) && again == size_bytes);
    port->told = 0;
    for (uint32_t i = 0; i < message->event_count; i++) {
        if (message->events[i].payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
            continue;
        const struct picket_wire_network_activity *activity =
            &message->events[i].payload.network_activity;
        port->told += bytes_of(&activity->ipv4) + bytes_of(&activity->ipv6);
        port->told += (uint64_t)activity->lost_bytes_in + activity->lost_bytes_out;
    }
    port->outcome = PICKET_SEND_PENDING;
    if (!port->later)
        port->outcome = port->accepts ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED;
    if (port->outcome == PICKET_SEND_ACCEPTED)
        port->reported += port->told;
    return port->outcome;
}

static void decide(struct port *port, uint8_t choice)
{
    if (port->outcome == PICKET_SEND_PENDING && (choice & 4) != 0)
        port->outcome = choice & 8 ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED;
    port->later = choice & 16;
}

static enum picket_send_result delivered(void *context)
{
    struct port *port = context;
    assert(!port->locked && port->agent.on_way != 0);
    if (port->outcome == PICKET_SEND_ACCEPTED)
        port->reported += port->told;
    return port->outcome;
}

static void start(struct port *port)
{
    port->config = (struct picket_agent_config){
        PICKET_AGENT_CONFIG_DEFAULTS,
        .callbacks = {.context = port,
                      .lock = lock,
                      .unlock = unlock,
                      .uptime_s = uptime_s,
                      .unix_time_s = picket_agent_no_clock,
                      .random = random_bytes,
                      .connected = connected,
                      .send = send,
                      .delivered = delivered},
        .ipv4 = {port->ipv4_flows, port->ipv4_buckets, CAPACITY, RESERVE, BUCKETS},
        .ipv6 = {port->ipv6_flows, port->ipv6_buckets, CAPACITY, RESERVE, BUCKETS}};
    assert(picket_agent_config_valid(&port->config));
    picket_agent_init(&port->agent, &port->config);
}

static void set_collector(struct port *port, unsigned collector, bool enabled, unsigned priority)
{
    const struct picket_collector_config config = {enabled, (uint8_t)priority};
    bool valid = collector < PICKET_COLLECTORS && priority < PICKET_PRIORITIES;
    assert(picket_agent_set_collector(&port->agent, (enum picket_collector)collector, &config) ==
           valid);
}

static void set_intervals(struct port *port, uint8_t choice)
{
    const uint32_t interval_s[PICKET_PRIORITIES] = {choice & 3, 1u + (choice >> 2 & 7),
                                                    (choice & 0x20) ? 0x80000000u : 60};
    bool valid = interval_s[0] != 0 && interval_s[2] < 0x80000000u;
    assert(picket_agent_set_intervals(&port->agent, interval_s) == valid);
}

static void flush_or_configure(struct port *port, uint8_t choice)
{
    if (choice < 0x40)
        picket_agent_flush(&port->agent);
    else if (choice < 0x80)
        set_intervals(port, choice);
    else
        set_collector(port, choice & 7, choice & 8, choice >> 4 & 3);
}

static void flush(struct port *port)
{
    port->connected = port->accepts = true;
    decide(port, 4 + 8);
    set_collector(port, PICKET_COLLECTOR_NETWORK_ACTIVITY, true, PICKET_PRIORITY_HIGH);
    picket_agent_flush(&port->agent); /* the one before may have been refused */
    assert(picket_agent_flush(&port->agent) == PICKET_SEND_ACCEPTED);
}

/* Disabled and enabled again: what is unsent goes out first, and what comes in meanwhile after it.
 */
static void restart(struct port *port)
{
    size_t left;
    do {
        left = port->left;
        flush(port);
    } while (port->left != left);
    assert(port->reported == port->counted);
    start(port);
}

static void act(struct port *port, uint8_t command, uint8_t argument)
{
    switch (command % 8) {
    case 0:
        port->connected = argument & 1;
        port->accepts = argument & 2;
        decide(port, argument);
        break;
    case 1:
        port->uptime_s += (uint32_t)argument << (argument & 31);
        picket_agent_poll(&port->agent);
        break;
    case 2:
        flush_or_configure(port, argument);
        break;
    case 3:
        restart(port);
        break;
    default:
        count_packet(port, argument);
        port->uptime_s += command >> 6;
        assert(picket_agent_poll(&port->agent) >= 1);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct port port;
    memset(&port, 0, sizeof port);
    port.data = data;
    port.left = size;
    start(&port);
    uint8_t command, argument;
    while (take_byte(&port, &command) && take_byte(&port, &argument))
        act(&port, command, argument);
    port.left = 0;
    flush(&port);
    assert(port.reported == port.counted);
    return 0;
}

#include "port.h"

#include <string.h>

struct port port;

static uint32_t lock(void *context)
{
    (void)context;
    check(!port.locked, "the lock is not taken twice");
    port.locked = true;
    return 0x600D;
}

static void unlock(void *context, uint32_t posture)
{
    (void)context;
    check(port.locked && posture == 0x600D, "the lock is given back as it was taken");
    port.locked = false;
}

static uint32_t uptime_s(void *context)
{
    (void)context;
    return port.uptime_s;
}

static uint32_t unix_time_s(void *context)
{
    (void)context;
    return port.uptime_s % 4 != 0 ? port.uptime_s + 1000 : UINT32_MAX;
}

static void random_bytes(void *context, void *bytes, size_t size_bytes)
{
    (void)context;
    for (size_t i = 0; i < size_bytes; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)random_number();
}

static bool connected(void *context)
{
    (void)context;
    return port.connected;
}

#if PICKET_AGENT_LISTENING_PORTS > 0
/* Some ports of both families, more than there is room for now and then. */
static uint32_t listening_ports(void *context, struct picket_wire_open_port *ports, uint32_t max)
{
    uint32_t open = random_below(max + 4);
    (void)context;
    for (uint32_t i = 0; i < open && i < max; i++) {
        ports[i] = (struct picket_wire_open_port){.address = {(uint8_t)(i + 1), 2, 3, 4},
                                                  .port = (uint16_t)random_number(),
                                                  .protocol = (uint8_t)random_below(2),
                                                  .is_ipv6 = random_below(2)};
    }
    return open;
}
#endif

/* The sum of the flows' digests: it does not matter in which order they come. */
static uint64_t flows_digest(const struct picket_wire_network_activity_view *activity)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < activity->ipv4_count; i++) {
        struct picket_wire_flow flow = picket_wire_ipv4_flow_at(activity, i).flow;
        sum += digest_flow(&flow, PICKET_WIRE_IPV4_BYTES);
        if (port.take_flow != NULL)
            port.take_flow(&flow, 4);
    }
    for (uint32_t i = 0; i < activity->ipv6_count; i++) {
        struct picket_wire_flow flow = picket_wire_ipv6_flow_at(activity, i).flow;
        sum += digest_flow(&flow, PICKET_WIRE_IPV6_BYTES);
        if (port.take_flow != NULL)
            port.take_flow(&flow, 6);
    }
    return sum;
}

static void take_activity(const struct picket_wire_event_view *event)
{
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(event);
    port.content += flows_digest(&activity);
    port.content = digest_number(port.content, activity.lost_bytes_in);
    port.content = digest_number(port.content, activity.lost_bytes_out);
    port.layout = digest_number(port.layout, activity.lost_flows);
    if (port.take_losses != NULL)
        port.take_losses(&activity);
}

static void take_system(const struct picket_wire_event_view *event)
{
    struct picket_wire_system_information_view system = picket_wire_system_information(event);
    port.content = digest_bytes(port.content, system.os_info.text, system.os_info.size_bytes);
}

static void take_ports(const struct picket_wire_event_view *event)
{
    struct picket_wire_listening_ports_view ports = picket_wire_listening_ports(event);
    port.content = digest_number(port.content, ports.unlisted);
    for (uint32_t i = 0; i < ports.ipv4_count + ports.ipv6_count; i++) {
        bool ipv4 = i < ports.ipv4_count;
        struct picket_wire_listening_port one =
            ipv4 ? picket_wire_ipv4_port_at(&ports, i)
                 : picket_wire_ipv6_port_at(&ports, i - ports.ipv4_count);
        port.content = digest_bytes(port.content, one.local_address, ipv4 ? 4 : 16);
        port.content = digest_number(port.content, one.local_port);
        port.content = digest_number(port.content, one.protocol);
    }
}

static void take_message(const struct picket_wire_message_view *view)
{
    port.messages++;
    port.content = digest_number(port.content, view->size_bytes);
    port.layout = digest_bytes(port.layout, view->bytes, view->size_bytes);
    for (uint32_t i = 0; i < view->event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(view, i);
        port.content = digest_bytes(port.content, event.id, PICKET_WIRE_EVENT_ID_BYTES);
        port.content = digest_number(port.content, event.time_s);
        port.content = digest_number(port.content, event.duration_s);
        port.content = digest_number(port.content, event.payload_type);
        if (event.payload_type == PICKET_WIRE_NETWORK_ACTIVITY)
            take_activity(&event);
        else if (event.payload_type == PICKET_WIRE_SYSTEM_INFORMATION)
            take_system(&event);
        else if (event.payload_type == PICKET_WIRE_LISTENING_PORTS)
            take_ports(&event);
        else
            port.content = digest_number(port.content, picket_wire_heartbeat(&event).uptime_s);
    }
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    struct picket_wire_message_view view;
    (void)context;
    check(!port.locked, "nothing is sent under the lock");
    struct sink before = {.digest = DIGEST_START};
    check(picket_wire_encode(message, sink_take, &before), "a message of the agent is encoded");
    if (port.during_send != NULL)
        port.during_send();
    struct sink sink = encode_at_edge(message, &view);
    check(sink.digest == before.digest, "a message on its way does not change");
    if (!port.accepts)
        return PICKET_SEND_REFUSED;
    take_message(&view);
    return PICKET_SEND_ACCEPTED;
}

void port_start(uint32_t buckets)
{
    static const struct picket_wire_system_information information = {.os_info = "a machine"};
    static struct picket_agent_config config;
    config = (struct picket_agent_config){PICKET_AGENT_CONFIG_DEFAULTS};
    config.callbacks = (struct picket_agent_callbacks){.lock = lock,
                                                       .unlock = unlock,
                                                       .uptime_s = uptime_s,
                                                       .unix_time_s = unix_time_s,
                                                       .random = random_bytes,
                                                       .connected = connected,
                                                       .send = send};
#if PICKET_AGENT_LISTENING_PORTS > 0
    config.callbacks.listening_ports = listening_ports;
#endif
    config.first_delay_min_s = config.first_delay_max_s = 0;
    config.system_information = &information;
    config.ipv4 = (struct picket_flow_storage){port.ipv4_flows, port.ipv4_buckets, IPV4_CAPACITY,
                                               RESERVE, buckets};
    config.ipv6 = (struct picket_flow_storage){port.ipv6_flows, port.ipv6_buckets, IPV6_CAPACITY,
                                               RESERVE, buckets};
    port.connected = port.accepts = true;
    check(picket_agent_config_valid(&config), "the configuration is valid");
    picket_agent_init(&port.agent, &config);
}

enum picket_packet_verdict port_count(const uint8_t *packet, size_t captured_bytes,
                                      uint32_t wire_bytes, enum picket_direction direction)
{
    uint8_t *at = board_edge() - captured_bytes;
    memcpy(at, packet, captured_bytes);
    if (random_below(2) == 0)
        return picket_agent_count_packet(&port.agent, at, captured_bytes, wire_bytes, direction);
    struct picket_packet_reading reading;
    picket_agent_read_packet(&port.agent, at, captured_bytes, wire_bytes, direction, &reading);
    memset(at, 0xFF, captured_bytes);
    return picket_agent_count_reading(&port.agent, &reading);
}

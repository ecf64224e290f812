/* Any content that a device may send: encoded, decoded, compared. The flows are made as they are
 * asked for, of a seed and their place. */
#include <string.h>

#include "emulation.h"

enum { ROUNDS = 200, EVENTS = 3, FLOWS_MAX = 24, PORTS_MAX = 4 };

struct flow_list {
    uint32_t seed;
    uint32_t count;
};

bool sink_take(void *context, const void *piece, size_t size_bytes)
{
    struct sink *sink = context;
    sink->digest = digest_bytes(sink->digest, piece, size_bytes);
    if (sink->bytes != NULL)
        memcpy(sink->bytes + sink->size_bytes, piece, size_bytes);
    sink->size_bytes += size_bytes;
    return true;
}

struct sink encode_at_edge(const struct picket_wire_message *message,
                           struct picket_wire_message_view *view)
{
    struct picket_wire_error error;
    uint32_t size_bytes = picket_wire_message_size(message);
    check(size_bytes > 0 && size_bytes <= EDGE_BYTES, "a message has a size");
    struct sink sink = {.bytes = board_edge() - size_bytes, .digest = DIGEST_START};
    check(picket_wire_encode(message, sink_take, &sink), "a message is encoded");
    check(sink.size_bytes == size_bytes, "a message has the size that was promised");
    check(picket_wire_open(view, sink.bytes, size_bytes, &error), "what was encoded is opened");
    return sink;
}

uint64_t digest_flow(const struct picket_wire_flow *flow, size_t address_bytes)
{
    uint64_t digest = digest_bytes(DIGEST_START, flow->local_address, address_bytes);
    digest = digest_bytes(digest, flow->remote_address, address_bytes);
    digest = digest_number(digest, flow->bytes_in);
    digest = digest_number(digest, flow->bytes_out);
    digest = digest_number(digest, (uint32_t)flow->local_port << 16 | flow->remote_port);
    return digest_number(digest, flow->protocol);
}

static uint32_t mix(uint32_t *state)
{
    *state = (*state ^ *state >> 16) * UINT32_C(0x45D9F3B) + 1;
    return *state ^ *state >> 15;
}

/* Often 0 or the largest: fields are left out, counters saturate. */
static uint32_t some_number(uint32_t *state, uint32_t largest)
{
    uint32_t choice = mix(state) % 4;
    return choice == 0 ? 0 : choice == 1 ? largest : mix(state) & largest;
}

static uint32_t next_flow(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    static uint8_t addresses[2][16];
    const struct flow_list *list = table;
    uint32_t state = list->seed + cursor * 31;
    for (uint32_t i = 0; i < sizeof addresses; i++)
        addresses[i / 16][i % 16] = (uint8_t)mix(&state);
    flow->local_address = addresses[0];
    flow->remote_address = addresses[1];
    flow->bytes_in = some_number(&state, UINT32_MAX);
    flow->bytes_out = some_number(&state, UINT32_MAX);
    flow->local_port = (uint16_t)some_number(&state, UINT16_MAX);
    flow->remote_port = (uint16_t)some_number(&state, UINT16_MAX);
    flow->protocol = (uint8_t)(mix(&state) % 3);
    return cursor + 1;
}

static uint64_t digest_port(const uint8_t *address, bool is_ipv6, uint16_t port, uint8_t protocol)
{
    uint64_t digest = digest_bytes(DIGEST_START, address, is_ipv6 ? 16 : 4);
    return digest_number(digest_number(digest, port), protocol);
}

static uint64_t expected_flow(const struct flow_list *list, uint32_t index, size_t address_bytes)
{
    struct picket_wire_flow flow;
    next_flow(list, index, &flow);
    return digest_flow(&flow, address_bytes);
}

static struct picket_wire_flows random_list(struct flow_list *list)
{
    list->seed = random_number();
    list->count = random_below(FLOWS_MAX);
    struct picket_wire_flows flows = {list->count, next_flow, list};
    return flows;
}

/* Of both families, mixed in one array. */
static void random_ports(struct picket_wire_listening_ports *lists,
                         struct picket_wire_open_port ports[PORTS_MAX])
{
    uint32_t count = random_below(PORTS_MAX + 1), ipv6 = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t state = random_number();
        for (uint32_t byte = 0; byte < sizeof ports[i].address; byte++)
            ports[i].address[byte] = (uint8_t)mix(&state);
        ports[i].port = (uint16_t)some_number(&state, UINT16_MAX);
        ports[i].protocol = (uint8_t)(mix(&state) % 3);
        ports[i].is_ipv6 = mix(&state) % 2;
        ipv6 += ports[i].is_ipv6;
    }
    lists->ipv4 = (struct picket_wire_ports){count - ipv6, ports};
    lists->ipv6 = (struct picket_wire_ports){ipv6, ports};
    lists->unlisted = random_below(2) * random_number();
}

static const char *random_text(void)
{
    static const char *const texts[] = {NULL, "", "a", "ThreadX 6.4.2", "two \xC3\xA9", "12345678"};
    return texts[random_below(sizeof texts / sizeof texts[0])];
}

static void random_event(struct picket_wire_event *event, struct flow_list lists[2],
                         struct picket_wire_open_port ports[PORTS_MAX])
{
    for (uint32_t i = 0; i < sizeof event->id; i++)
        event->id[i] = (uint8_t)random_number();
    event->time_s = random_number();
    event->collection_interval_s = random_below(100);
    event->duration_s = random_below(2) * random_number();
    switch (random_below(4)) {
    case 0:
        event->payload_type = PICKET_WIRE_NETWORK_ACTIVITY;
        event->payload.network_activity.ipv4 = random_list(&lists[0]);
        event->payload.network_activity.ipv6 = random_list(&lists[1]);
        event->payload.network_activity.lost_flows = random_below(2) * random_number();
        event->payload.network_activity.lost_bytes_in = random_below(2) * random_number();
        event->payload.network_activity.lost_bytes_out = random_below(2) * random_number();
        break;
    case 1:
        event->payload_type = PICKET_WIRE_SYSTEM_INFORMATION;
        event->payload.system_information.os_info = random_text();
        event->payload.system_information.kernel_info = random_text();
        event->payload.system_information.hw_info = random_text();
        break;
    case 2:
        event->payload_type = PICKET_WIRE_LISTENING_PORTS;
        random_ports(&event->payload.listening_ports, ports);
        break;
    default:
        event->payload_type = PICKET_WIRE_HEARTBEAT;
        event->payload.heartbeat.uptime_s = random_below(2) * random_number();
    }
}

static void check_text(struct picket_wire_string found, const char *expected)
{
    uint32_t length = 0;
    check((found.text == NULL) == (expected == NULL), "a text is absent or there");
    if (expected == NULL)
        return;
    while (expected[length] != '\0')
        length++;
    check(found.size_bytes == length && memcmp(found.text, expected, length) == 0,
          "a text is what it was");
}

static void check_activity(const struct picket_wire_event_view *found,
                           const struct picket_wire_network_activity *expected,
                           const struct flow_list lists[2])
{
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(found);
    check(activity.ipv4_count == lists[0].count && activity.ipv6_count == lists[1].count,
          "flows are as many as they were");
    check(activity.lost_flows == expected->lost_flows &&
              activity.lost_bytes_in == expected->lost_bytes_in &&
              activity.lost_bytes_out == expected->lost_bytes_out,
          "losses are what they were");
    for (uint32_t i = 0; i < activity.ipv4_count; i++) {
        struct picket_wire_flow flow = picket_wire_ipv4_flow_at(&activity, i).flow;
        check(digest_flow(&flow, 4) == expected_flow(&lists[0], i, 4), "an IPv4 flow is itself");
    }
    for (uint32_t i = 0; i < activity.ipv6_count; i++) {
        struct picket_wire_flow flow = picket_wire_ipv6_flow_at(&activity, i).flow;
        check(digest_flow(&flow, 16) == expected_flow(&lists[1], i, 16), "an IPv6 flow is itself");
    }
}

static void check_ports(const struct picket_wire_event_view *found,
                        const struct picket_wire_listening_ports *expected)
{
    struct picket_wire_listening_ports_view ports = picket_wire_listening_ports(found);
    const struct picket_wire_open_port *one = expected->ipv4.ports;
    check(ports.ipv4_count == expected->ipv4.count && ports.ipv6_count == expected->ipv6.count &&
              ports.unlisted == expected->unlisted,
          "ports are as many as they were");
    for (uint32_t ipv4 = 0, ipv6 = 0; ipv4 + ipv6 < ports.ipv4_count + ports.ipv6_count; one++) {
        struct picket_wire_listening_port port = one->is_ipv6
                                                     ? picket_wire_ipv6_port_at(&ports, ipv6++)
                                                     : picket_wire_ipv4_port_at(&ports, ipv4++);
        check(digest_port(port.local_address, one->is_ipv6, port.local_port, port.protocol) ==
                  digest_port(one->address, one->is_ipv6, one->port, one->protocol),
              "a port is itself");
    }
}

static void check_event(const struct picket_wire_event_view *found,
                        const struct picket_wire_event *expected, const struct flow_list lists[2])
{
    check(memcmp(found->id, expected->id, sizeof expected->id) == 0 &&
              found->time_s == expected->time_s &&
              found->collection_interval_s == expected->collection_interval_s &&
              found->duration_s == expected->duration_s &&
              found->payload_type == expected->payload_type,
          "an event is what it was");
    if (expected->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        check_activity(found, &expected->payload.network_activity, lists);
    } else if (expected->payload_type == PICKET_WIRE_LISTENING_PORTS) {
        check_ports(found, &expected->payload.listening_ports);
    } else if (expected->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
        struct picket_wire_system_information_view system = picket_wire_system_information(found);
        check_text(system.os_info, expected->payload.system_information.os_info);
        check_text(system.kernel_info, expected->payload.system_information.kernel_info);
        check_text(system.hw_info, expected->payload.system_information.hw_info);
    } else {
        check(picket_wire_heartbeat(found).uptime_s == expected->payload.heartbeat.uptime_s,
              "a heartbeat is what it was");
    }
}

static uint64_t run_message(void)
{
    struct picket_wire_event events[EVENTS];
    struct flow_list lists[EVENTS][2];
    static struct picket_wire_open_port ports[EVENTS][PORTS_MAX];
    struct picket_wire_message_view view;
    const char *id = random_text();
    struct picket_wire_message message = {id != NULL ? id : "", random_number(), events,
                                          random_below(EVENTS + 1)};
    for (uint32_t i = 0; i < message.event_count; i++)
        random_event(&events[i], lists[i], ports[i]);
    struct sink sink = encode_at_edge(&message, &view);
    check_text(view.security_module_id, message.security_module_id);
    check(view.security_module_version == message.security_module_version &&
              view.event_count == message.event_count,
          "a message is what it was");
    for (uint32_t i = 0; i < message.event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(&view, i);
        check_event(&event, &events[i], lists[i]);
    }
    return sink.digest;
}

void run_messages(void)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t digest = run_message();
        board_print("content");
        print_number("message", round);
        print_digest("digest", digest);
        board_print("\n");
    }
}

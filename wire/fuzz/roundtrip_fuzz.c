/* Any content: bytes say what is in a message; it is encoded, decoded and compared. */
#include <stdlib.h>
#include <string.h>

#include "picket/wire/decoder.h"
#include "reencode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLOWS_MAX = 64, TEXT_MAX = 200 };

/* Bytes that are used up; zeros after the last. */
struct source {
    const uint8_t *at;
    size_t left;
};

struct list {
    uint32_t count;
    struct picket_wire_flow flows[FLOWS_MAX];
    uint8_t addresses[FLOWS_MAX][2][16];
};

struct content {
    struct picket_wire_message message;
    struct picket_wire_event events[PICKET_WIRE_EVENTS_MAX];
    struct list lists[PICKET_WIRE_EVENTS_MAX][2];
    struct picket_wire_open_port ports[PICKET_WIRE_EVENTS_MAX][2 * FLOWS_MAX];
    char texts[3 * PICKET_WIRE_EVENTS_MAX + 1][TEXT_MAX + 1];
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static uint32_t take(struct source *source, size_t bytes)
{
    uint32_t value = 0;
    for (; bytes > 0 && source->left > 0; bytes--, source->left--)
        value = value << 8 | *source->at++;
    return value;
}

static const char *take_text(struct source *source, char *text)
{
    uint32_t length = take(source, 1);
    if (length > TEXT_MAX)
        return NULL;
    for (uint32_t i = 0; i < length; i++) {
        text[i] = (char)take(source, 1);
        if (text[i] == '\0')
            break;
    }
    return text;
}

static uint32_t next_flow(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    *flow = ((const struct list *)table)->flows[cursor];
    return cursor + 1;
}

/* A byte says which numbers of a flow are not zero. */
static void take_list(struct source *source, struct list *list, struct picket_wire_flows *flows)
{
    list->count = take(source, 1) % (FLOWS_MAX + 1);
    for (uint32_t i = 0; i < list->count; i++) {
        struct picket_wire_flow *flow = &list->flows[i];
        uint32_t present = take(source, 1);
        memset(list->addresses[i], (int)take(source, 1), sizeof list->addresses[i]);
        *flow = (struct picket_wire_flow){
            .local_address = list->addresses[i][0],
            .remote_address = list->addresses[i][1],
            .bytes_in = present & 1 ? take(source, 4) : 0,
            .bytes_out = present & 2 ? take(source, 4) : 0,
            .local_port = (uint16_t)(present & 4 ? take(source, 2) : 0),
            .remote_port = (uint16_t)(present & 8 ? take(source, 2) : 0),
            .protocol = (uint8_t)(present >> 6),
        };
    }
    *flows = (struct picket_wire_flows){list->count, next_flow, list};
}

/* Both families in one array, as they come. */
static void take_ports(struct source *source, struct picket_wire_open_port *ports,
                       struct picket_wire_listening_ports *lists)
{
    uint32_t count = take(source, 1) % (2 * FLOWS_MAX + 1);
    lists->ipv4 = (struct picket_wire_ports){0, ports};
    lists->ipv6 = (struct picket_wire_ports){0, ports};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t present = take(source, 1);
        memset(ports[i].address, (int)take(source, 1), sizeof ports[i].address);
        ports[i].port = (uint16_t)(present & 4 ? take(source, 2) : 0);
        ports[i].protocol = (uint8_t)(present >> 6);
        ports[i].is_ipv6 = present & 1;
        (ports[i].is_ipv6 ? &lists->ipv6 : &lists->ipv4)->count++;
    }
}

static void take_event(struct source *source, struct content *content, uint32_t index)
{
    struct picket_wire_event *event = &content->events[index];
    for (size_t i = 0; i < sizeof event->id; i++)
        event->id[i] = (uint8_t)take(source, 1);
    event->time_s = take(source, 4);
    event->collection_interval_s = take(source, 2);
    event->duration_s = take(source, 1);
    switch (take(source, 1) % 4) {
    case 0: {
        struct picket_wire_network_activity *activity = &event->payload.network_activity;
        event->payload_type = PICKET_WIRE_NETWORK_ACTIVITY;
        take_list(source, &content->lists[index][0], &activity->ipv4);
        take_list(source, &content->lists[index][1], &activity->ipv6);
        activity->lost_flows = take(source, 1);
        activity->lost_bytes_in = take(source, 1);
        activity->lost_bytes_out = take(source, 1);
        break;
    }
    case 1: {
        struct picket_wire_system_information *system = &event->payload.system_information;
        event->payload_type = PICKET_WIRE_SYSTEM_INFORMATION;
        system->os_info = take_text(source, content->texts[3 * index]);
        system->kernel_info = take_text(source, content->texts[3 * index + 1]);
        system->hw_info = take_text(source, content->texts[3 * index + 2]);
        break;
    }
    case 2: {
        struct picket_wire_listening_ports *ports = &event->payload.listening_ports;
        event->payload_type = PICKET_WIRE_LISTENING_PORTS;
        take_ports(source, content->ports[index], ports);
        ports->unlisted = take(source, 1);
        break;
    }
    default:
        event->payload_type = PICKET_WIRE_HEARTBEAT;
        event->payload.heartbeat.uptime_s = take(source, 4);
    }
}

static void compare_text(struct picket_wire_string found, const char *expected)
{
    require((found.text == NULL) == (expected == NULL));
    require(expected == NULL || (found.size_bytes == strlen(expected) &&
                                 memcmp(found.text, expected, found.size_bytes) == 0));
}

static void compare_flow(struct picket_wire_flow_view found, const struct picket_wire_flow *flow,
                         size_t address_bytes)
{
    require(memcmp(found.flow.local_address, flow->local_address, address_bytes) == 0);
    require(memcmp(found.flow.remote_address, flow->remote_address, address_bytes) == 0);
    require(found.flow.bytes_in == flow->bytes_in && found.flow.bytes_out == flow->bytes_out);
    require(found.flow.local_port == flow->local_port);
    require(found.flow.remote_port == flow->remote_port);
    require(found.flow.protocol == flow->protocol);
    require(found.executable.text == NULL && found.commandline.text == NULL);
}

static void compare_activity(const struct picket_wire_event_view *event,
                             const struct picket_wire_network_activity *expected,
                             const struct list lists[2])
{
    struct picket_wire_network_activity_view found = picket_wire_network_activity(event);
    require(found.ipv4_count == lists[0].count && found.ipv6_count == lists[1].count);
    require(found.lost_flows == expected->lost_flows);
    require(found.lost_bytes_in == expected->lost_bytes_in);
    require(found.lost_bytes_out == expected->lost_bytes_out);
    for (uint32_t i = 0; i < found.ipv4_count; i++)
        compare_flow(picket_wire_ipv4_flow_at(&found, i), &lists[0].flows[i], 4);
    for (uint32_t i = 0; i < found.ipv6_count; i++)
        compare_flow(picket_wire_ipv6_flow_at(&found, i), &lists[1].flows[i], 16);
}

static void compare_port(struct picket_wire_listening_port found,
                         const struct picket_wire_open_port *port)
{
    require(memcmp(found.local_address, port->address, port->is_ipv6 ? 16 : 4) == 0);
    require(found.local_port == port->port && found.protocol == port->protocol);
}

static void compare_ports(const struct picket_wire_event_view *event,
                          const struct picket_wire_listening_ports *expected)
{
    struct picket_wire_listening_ports_view found = picket_wire_listening_ports(event);
    const struct picket_wire_open_port *port = expected->ipv4.ports;
    require(found.ipv4_count == expected->ipv4.count && found.ipv6_count == expected->ipv6.count);
    require(found.unlisted == expected->unlisted);
    for (uint32_t ipv4 = 0, ipv6 = 0; ipv4 + ipv6 < found.ipv4_count + found.ipv6_count; port++)
        compare_port(port->is_ipv6 ? picket_wire_ipv6_port_at(&found, ipv6++)
                                   : picket_wire_ipv4_port_at(&found, ipv4++),
                     port);
}

static void compare_event(const struct picket_wire_event_view *found, const struct content *content,
                          uint32_t index)
{
    const struct picket_wire_event *event = &content->events[index];
    require(memcmp(found->id, event->id, sizeof event->id) == 0);
    require(found->time_s == event->time_s);
    require(found->collection_interval_s == event->collection_interval_s);
    require(found->duration_s == event->duration_s);
    require(found->payload_type == event->payload_type);
    if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        compare_activity(found, &event->payload.network_activity, content->lists[index]);
    } else if (event->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
        struct picket_wire_system_information_view system = picket_wire_system_information(found);
        compare_text(system.os_info, event->payload.system_information.os_info);
        compare_text(system.kernel_info, event->payload.system_information.kernel_info);
        compare_text(system.hw_info, event->payload.system_information.hw_info);
    } else if (event->payload_type == PICKET_WIRE_LISTENING_PORTS) {
        compare_ports(found, &event->payload.listening_ports);
    } else {
        require(picket_wire_heartbeat(found).uptime_s == event->payload.heartbeat.uptime_s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct content content;
    struct source source = {data, size};
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    size_t size_bytes;

    memset(&content, 0, sizeof content);
    const char *id = take_text(&source, content.texts[3 * PICKET_WIRE_EVENTS_MAX]);
    content.message.security_module_id = id != NULL ? id : "";
    content.message.security_module_version = take(&source, 4);
    content.message.events = content.events;
    content.message.event_count = take(&source, 1) % (PICKET_WIRE_EVENTS_MAX + 1);
    for (uint32_t i = 0; i < content.message.event_count; i++)
        take_event(&source, &content, i);

    unsigned char *bytes = encode_exactly(&content.message, &size_bytes);
    require(bytes != NULL);
    require(picket_wire_open(&view, bytes, size_bytes, &error));
    compare_text(view.security_module_id, content.message.security_module_id);
    require(view.security_module_version == content.message.security_module_version);
    require(view.event_count == content.message.event_count);
    for (uint32_t i = 0; i < view.event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(&view, i);
        compare_event(&event, &content, i);
    }
    free(bytes);
    return 0;
}

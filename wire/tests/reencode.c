#include "reencode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t next_ipv4(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    *flow = picket_wire_ipv4_flow_at(table, cursor).flow;
    return cursor + 1;
}

static uint32_t next_ipv6(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    *flow = picket_wire_ipv6_flow_at(table, cursor).flow;
    return cursor + 1;
}

static void prepare_activity(struct picket_wire_event *event,
                             struct picket_wire_network_activity_view *view)
{
    event->payload.network_activity = (struct picket_wire_network_activity){
        .ipv4 = {.count = view->ipv4_count, .next = next_ipv4, .table = view},
        .ipv6 = {.count = view->ipv6_count, .next = next_ipv6, .table = view},
        .lost_flows = view->lost_flows,
        .lost_bytes_in = view->lost_bytes_in,
        .lost_bytes_out = view->lost_bytes_out,
    };
}

static struct picket_wire_open_port open_port(struct picket_wire_listening_port from, bool is_ipv6)
{
    struct picket_wire_open_port port = {
        .port = from.local_port, .protocol = from.protocol, .is_ipv6 = is_ipv6};
    memcpy(port.address, from.local_address, is_ipv6 ? 16 : 4);
    return port;
}

static bool prepare_ports(struct reencoding *reencoding, struct picket_wire_event *event,
                          const struct picket_wire_listening_ports_view *view)
{
    struct picket_wire_open_port *ports = reencoding->ports + reencoding->port_count;
    uint32_t left = REENCODE_PORTS_MAX - reencoding->port_count;
    if (view->ipv4_count > left || view->ipv6_count > left - view->ipv4_count)
        return false;
    reencoding->port_count += view->ipv4_count + view->ipv6_count;
    event->payload.listening_ports = (struct picket_wire_listening_ports){
        .ipv4 = {view->ipv4_count, ports},
        .ipv6 = {view->ipv6_count, ports},
        .unlisted = view->unlisted,
    };
    for (uint32_t i = 0; i < view->ipv6_count; i++)
        *ports++ = open_port(picket_wire_ipv6_port_at(view, i), true);
    for (uint32_t i = 0; i < view->ipv4_count; i++)
        *ports++ = open_port(picket_wire_ipv4_port_at(view, i), false);
    return true;
}

static bool prepare_event(struct reencoding *reencoding, struct picket_wire_event *event,
                          struct picket_wire_network_activity_view *activity,
                          const struct picket_wire_event_view *view)
{
    memcpy(event->id, view->id, sizeof event->id);
    event->time_s = view->time_s;
    event->collection_interval_s = view->collection_interval_s;
    event->duration_s = view->duration_s;
    event->payload_type = view->payload_type;
    switch (view->payload_type) {
    case PICKET_WIRE_NETWORK_ACTIVITY:
        *activity = picket_wire_network_activity(view);
        prepare_activity(event, activity);
        return true;
    case PICKET_WIRE_SYSTEM_INFORMATION: {
        struct picket_wire_system_information_view system = picket_wire_system_information(view);
        event->payload.system_information = (struct picket_wire_system_information){
            system.os_info.text, system.kernel_info.text, system.hw_info.text};
        return true;
    }
    case PICKET_WIRE_LISTENING_PORTS: {
        struct picket_wire_listening_ports_view ports = picket_wire_listening_ports(view);
        return prepare_ports(reencoding, event, &ports);
    }
    case PICKET_WIRE_HEARTBEAT:
        event->payload.heartbeat.uptime_s = picket_wire_heartbeat(view).uptime_s;
        return true;
    default:
        return false;
    }
}

bool reencoding_prepare(struct reencoding *reencoding, const struct picket_wire_message_view *view)
{
    if (view->event_count > PICKET_WIRE_EVENTS_MAX)
        return false;
    memset(reencoding, 0, sizeof *reencoding);
    reencoding->message = (struct picket_wire_message){
        .security_module_id = view->security_module_id.text,
        .security_module_version = view->security_module_version,
        .events = reencoding->events,
        .event_count = view->event_count,
    };
    for (uint32_t i = 0; i < view->event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(view, i);
        if (!prepare_event(reencoding, &reencoding->events[i], &reencoding->activities[i], &event))
            return false;
    }
    return true;
}

bool sink_buffer_take(void *context, const void *piece, size_t size_bytes)
{
    struct sink_buffer *buffer = context;
    buffer->pieces++;
    if (buffer->pieces == buffer->refuse_at)
        return false;
    if (size_bytes == 0 || size_bytes > buffer->capacity_bytes - buffer->size_bytes) {
        fprintf(stderr, "a piece of %zu bytes at %zu of %zu\n", size_bytes, buffer->size_bytes,
                buffer->capacity_bytes);
        abort();
    }
    memcpy(buffer->bytes + buffer->size_bytes, piece, size_bytes);
    buffer->size_bytes += size_bytes;
    return true;
}

unsigned char *encode_exactly(const struct picket_wire_message *message, size_t *size_bytes)
{
    struct sink_buffer buffer = {.capacity_bytes = picket_wire_message_size(message)};
    *size_bytes = buffer.capacity_bytes;
    if (buffer.capacity_bytes == 0)
        return NULL;
    buffer.bytes = malloc(buffer.capacity_bytes);
    if (buffer.bytes == NULL || !picket_wire_encode(message, sink_buffer_take, &buffer) ||
        buffer.size_bytes != buffer.capacity_bytes) {
        fprintf(stderr, "%zu bytes of %zu written\n", buffer.size_bytes, buffer.capacity_bytes);
        abort();
    }
    return buffer.bytes;
}

#include "reports.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "double.h"
#include "picket/wire/decoder.h"
#include "picket/wire/encoder.h"

struct reports reports;

static void read_flows(const struct picket_wire_event_view *event)
{
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(event);
    reports.lost_flows += activity.lost_flows;
    for (uint32_t i = 0; i < activity.ipv4_count + activity.ipv6_count; i++) {
        struct picket_wire_flow flow =
            i < activity.ipv4_count
                ? picket_wire_ipv4_flow_at(&activity, i).flow
                : picket_wire_ipv6_flow_at(&activity, i - activity.ipv4_count).flow;
        reports.flows++;
        reports.bytes_in += flow.bytes_in;
        reports.bytes_out += flow.bytes_out;
    }
}

static void read_ports(const struct picket_wire_event_view *event)
{
    struct picket_wire_listening_ports_view view = picket_wire_listening_ports(event);
    reports.ports = view.ipv4_count + view.ipv6_count;
    reports.ports_unlisted = view.unlisted;
    for (uint32_t i = 0; i < reports.ports; i++) {
        bool is_ipv4 = i < view.ipv4_count;
        struct picket_wire_listening_port port =
            is_ipv4 ? picket_wire_ipv4_port_at(&view, i)
                    : picket_wire_ipv6_port_at(&view, i - view.ipv4_count);
        reports.last_port = port.local_port;
        memcpy(reports.last_port_address, port.local_address, is_ipv4 ? 4 : 16);
    }
}

static void text(struct picket_wire_string string, char *out, size_t size_bytes)
{
    snprintf(out, size_bytes, "%.*s", (int)string.size_bytes, string.text ? string.text : "");
}

static void read_system_information(const struct picket_wire_event_view *event)
{
    struct picket_wire_system_information_view view = picket_wire_system_information(event);
    text(view.os_info, reports.os_info, sizeof reports.os_info);
    text(view.kernel_info, reports.kernel_info, sizeof reports.kernel_info);
    text(view.hw_info, reports.hw_info, sizeof reports.hw_info);
}

void reports_read(const uint8_t *bytes, size_t size_bytes)
{
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    bool opened = picket_wire_open(&view, bytes, size_bytes, &error);
    assert(opened && view.event_count > 0);
    reports.messages++;
    for (uint32_t i = 0; i < view.event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(&view, i);
        if (i == 0)
            memcpy(reports.last_id, event.id, sizeof reports.last_id);
        reports.last_time_s = event.time_s;
        if (event.payload_type == PICKET_WIRE_NETWORK_ACTIVITY)
            read_flows(&event);
        else if (event.payload_type == PICKET_WIRE_SYSTEM_INFORMATION)
            read_system_information(&event);
        else if (event.payload_type == PICKET_WIRE_LISTENING_PORTS)
            read_ports(&event);
    }
}

struct buffer {
    uint8_t bytes[32768];
    size_t filled;
};

static bool append(void *context, const void *piece, size_t size_bytes)
{
    struct buffer *buffer = context;
    if (size_bytes > sizeof buffer->bytes - buffer->filled)
        return false;
    memcpy(buffer->bytes + buffer->filled, piece, size_bytes);
    buffer->filled += size_bytes;
    return true;
}

static bool connected(void *context)
{
    return ((struct reports *)context)->connected;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    static struct buffer buffer;
    buffer.filled = 0;
    if (!((struct reports *)context)->accepts || !picket_wire_encode(message, append, &buffer))
        return PICKET_SEND_REFUSED;
    reports_read(buffer.bytes, buffer.filled);
    return PICKET_SEND_ACCEPTED;
}

const struct picket_netxduo_transport reports_transport = {&reports, connected, send, NULL};

void reports_reset(void)
{
    memset(&reports, 0, sizeof reports);
    reports.connected = true;
    reports.accepts = true;
}

void reports_flush(void)
{
    double_state.ticks += TX_TIMER_TICKS_PER_SECOND;
    picket_netxduo_flush();
}

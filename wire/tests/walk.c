#include "walk.h"

static uint64_t bytes_sum(const void *bytes, size_t count)
{
    uint64_t sum = 0;
    const uint8_t *at = bytes;
    for (size_t i = 0; i < count; i++)
        sum = sum * 31 + at[i];
    return sum;
}

/* With the terminator, which must be there. */
static uint64_t text_sum(struct picket_wire_string text)
{
    return text.text == NULL ? 1 : bytes_sum(text.text, (size_t)text.size_bytes + 1);
}

static uint64_t flow_sum(struct picket_wire_flow_view view, size_t address_bytes)
{
    return bytes_sum(view.flow.local_address, address_bytes) +
           bytes_sum(view.flow.remote_address, address_bytes) + view.flow.bytes_in +
           view.flow.bytes_out + view.flow.local_port + view.flow.remote_port + view.flow.protocol +
           view.process_id + view.user_id + text_sum(view.executable) + text_sum(view.commandline);
}

static uint64_t activity_sum(const struct picket_wire_event_view *event)
{
    struct picket_wire_network_activity_view view = picket_wire_network_activity(event);
    uint64_t sum = view.lost_flows + view.lost_bytes_in + view.lost_bytes_out;
    for (uint32_t i = 0; i < view.ipv4_count; i++)
        sum += flow_sum(picket_wire_ipv4_flow_at(&view, i), 4);
    for (uint32_t i = 0; i < view.ipv6_count; i++)
        sum += flow_sum(picket_wire_ipv6_flow_at(&view, i), 16);
    return sum;
}

static uint64_t port_sum(struct picket_wire_listening_port port, size_t address_bytes)
{
    return bytes_sum(port.local_address, address_bytes) + port.local_port + port.protocol;
}

static uint64_t ports_sum(const struct picket_wire_event_view *event)
{
    struct picket_wire_listening_ports_view view = picket_wire_listening_ports(event);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < view.ipv4_count; i++)
        sum += port_sum(picket_wire_ipv4_port_at(&view, i), 4);
    for (uint32_t i = 0; i < view.ipv6_count; i++)
        sum += port_sum(picket_wire_ipv6_port_at(&view, i), 16);
    return sum + view.unlisted;
}

static uint64_t baseline_sum(const struct picket_wire_event_view *event)
{
    struct picket_wire_baseline_view view = picket_wire_baseline(event);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < view.check_count; i++) {
        struct picket_wire_baseline_check_view check = picket_wire_baseline_check_at(&view, i);
        sum += text_sum(check.id) + text_sum(check.error) + text_sum(check.description) +
               text_sum(check.remediation) + check.result + check.severity;
    }
    return sum;
}

static uint64_t log_sum(const struct picket_wire_event_view *event)
{
    struct picket_wire_log_view view = picket_wire_log(event);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < view.record_count; i++) {
        struct picket_wire_record_view record = picket_wire_record_at(&view, i);
        sum += text_sum(record.message) + text_sum(record.filename) + record.timestamp +
               record.line + record.level;
    }
    return sum;
}

static uint64_t process_sum(const struct picket_wire_event_view *event)
{
    struct picket_wire_process_view view = picket_wire_process(event);
    return text_sum(view.executable) + text_sum(view.commandline) + text_sum(view.user_name) +
           view.process_id + view.parent_process_id + view.user_id + view.hit_count +
           view.event_type;
}

static uint64_t system_sum(const struct picket_wire_event_view *event)
{
    struct picket_wire_system_information_view view = picket_wire_system_information(event);
    return text_sum(view.os_info) + text_sum(view.kernel_info) + text_sum(view.hw_info);
}

static uint64_t payload_sum(const struct picket_wire_event_view *event)
{
    switch (event->payload_type) {
    case PICKET_WIRE_NETWORK_ACTIVITY:
        return activity_sum(event);
    case PICKET_WIRE_SYSTEM_INFORMATION:
        return system_sum(event);
    case PICKET_WIRE_LISTENING_PORTS:
        return ports_sum(event);
    case PICKET_WIRE_HEARTBEAT:
        return picket_wire_heartbeat(event).uptime_s;
    case PICKET_WIRE_BASELINE:
        return baseline_sum(event);
    case PICKET_WIRE_PROCESS:
        return process_sum(event);
    case PICKET_WIRE_LOG:
        return log_sum(event);
    default:
        return 0;
    }
}

uint64_t walk_message(const struct picket_wire_message_view *view)
{
    uint64_t sum = text_sum(view->security_module_id) + view->security_module_version +
                   (uint64_t)view->timezone;
    for (uint32_t i = 0; i < view->event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(view, i);
        sum += bytes_sum(event.id, PICKET_WIRE_EVENT_ID_BYTES) + event.time_s +
               event.collection_interval_s + event.duration_s + payload_sum(&event);
    }
    return sum;
}

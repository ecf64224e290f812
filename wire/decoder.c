#include "picket/wire/decoder.h"

#include "bytes.h"
#include "schema.h"
#include "validate.h"

/* All that follows reads a message that picket_wire_validate() has accepted. */

typedef const struct picket_wire_message_view message_view;

/* Where the table's field is; 0: absent. */
static uint32_t field_at(const uint8_t *bytes, uint32_t table, uint32_t id)
{
    const uint8_t *vtable = bytes + (table - load_32(bytes + table));
    if (4 + 2 * id >= load_16(vtable))
        return 0;
    uint32_t entry = load_16(vtable + 4 + 2 * id);
    return entry == 0 ? 0 : table + entry;
}

static uint8_t byte_of(const uint8_t *bytes, uint32_t table, uint32_t id)
{
    uint32_t at = field_at(bytes, table, id);
    return at == 0 ? 0 : bytes[at];
}

static uint16_t short_of(const uint8_t *bytes, uint32_t table, uint32_t id)
{
    uint32_t at = field_at(bytes, table, id);
    return at == 0 ? 0 : load_16(bytes + at);
}

static uint32_t word_of(const uint8_t *bytes, uint32_t table, uint32_t id, uint32_t fallback)
{
    uint32_t at = field_at(bytes, table, id);
    return at == 0 ? fallback : load_32(bytes + at);
}

/* Where the field's offset leads; 0: absent. */
static uint32_t target_of(const uint8_t *bytes, uint32_t table, uint32_t id)
{
    uint32_t at = field_at(bytes, table, id);
    return at == 0 ? 0 : at + load_32(bytes + at);
}

static struct picket_wire_string string_of(const uint8_t *bytes, uint32_t table, uint32_t id)
{
    struct picket_wire_string string = {NULL, 0};
    uint32_t at = target_of(bytes, table, id);
    if (at != 0) {
        string.text = (const char *)bytes + at + 4;
        string.size_bytes = load_32(bytes + at);
    }
    return string;
}

/* The number of elements of a vector, and the first in *at; 0 if it is absent. */
static uint32_t vector_of(const uint8_t *bytes, uint32_t table, uint32_t id, uint32_t *at)
{
    uint32_t vector = target_of(bytes, table, id);
    *at = vector == 0 ? 0 : vector + 4;
    return vector == 0 ? 0 : load_32(bytes + vector);
}

static uint32_t table_in(const uint8_t *bytes, uint32_t elements_at, uint32_t index)
{
    uint32_t at = elements_at + 4 * index;
    return at + load_32(bytes + at);
}

bool picket_wire_open(struct picket_wire_message_view *view, const void *bytes, size_t size_bytes,
                      struct picket_wire_error *error)
{
    if (size_bytes > PICKET_WIRE_MESSAGE_BYTES_MAX) {
        error->reason = "message larger than 262144 bytes";
        error->offset = PICKET_WIRE_MESSAGE_BYTES_MAX;
        return false;
    }
    if (!picket_wire_validate(bytes, (uint32_t)size_bytes, error))
        return false;
    view->bytes = bytes;
    view->size_bytes = (uint32_t)size_bytes;
    uint32_t root = load_32(view->bytes);
    view->security_module_id = string_of(bytes, root, MESSAGE_MODULE_ID);
    view->security_module_version = word_of(bytes, root, MESSAGE_MODULE_VERSION, 0);
    view->timezone = (int8_t)byte_of(bytes, root, MESSAGE_TIMEZONE);
    view->event_count = vector_of(bytes, root, MESSAGE_EVENTS, &view->events_at);
    return true;
}

struct picket_wire_event_view picket_wire_event_at(message_view *view, uint32_t index)
{
    const uint8_t *bytes = view->bytes;
    uint32_t table = table_in(bytes, view->events_at, index);
    struct picket_wire_event_view event;
    event.message = view;
    event.id = bytes + field_at(bytes, table, EVENT_ID);
    event.time_s = word_of(bytes, table, EVENT_TIME, 0);
    event.collection_interval_s = word_of(bytes, table, EVENT_COLLECTION_INTERVAL, 0);
    event.duration_s = word_of(bytes, table, EVENT_DURATION, 0);
    event.payload_type = byte_of(bytes, table, EVENT_PAYLOAD_TYPE);
    event.payload_at = target_of(bytes, table, EVENT_PAYLOAD);
    return event;
}

struct picket_wire_network_activity_view
picket_wire_network_activity(const struct picket_wire_event_view *event)
{
    const uint8_t *bytes = event->message->bytes;
    uint32_t table = event->payload_at;
    struct picket_wire_network_activity_view activity;
    activity.message = event->message;
    activity.ipv4_count = vector_of(bytes, table, ACTIVITY_IPV4, &activity.ipv4_at);
    activity.ipv6_count = vector_of(bytes, table, ACTIVITY_IPV6, &activity.ipv6_at);
    activity.lost_flows = word_of(bytes, table, ACTIVITY_LOST_FLOWS, 0);
    activity.lost_bytes_in = word_of(bytes, table, ACTIVITY_LOST_BYTES_IN, 0);
    activity.lost_bytes_out = word_of(bytes, table, ACTIVITY_LOST_BYTES_OUT, 0);
    return activity;
}

static struct picket_wire_flow_view flow_of(const uint8_t *bytes, uint32_t table,
                                            uint32_t address_bytes)
{
    struct picket_wire_flow_view view;
    uint32_t addresses = field_at(bytes, table, FLOW_ADDRESSES);
    uint32_t common = target_of(bytes, table, FLOW_COMMON);
    view.flow.local_address = bytes + addresses;
    view.flow.remote_address = bytes + addresses + address_bytes;
    view.flow.bytes_in = word_of(bytes, common, COMMON_BYTES_IN, 0);
    view.flow.bytes_out = word_of(bytes, common, COMMON_BYTES_OUT, 0);
    view.flow.local_port = short_of(bytes, common, COMMON_LOCAL_PORT);
    view.flow.remote_port = short_of(bytes, common, COMMON_REMOTE_PORT);
    view.flow.protocol = byte_of(bytes, common, COMMON_PROTOCOL);
    view.process_id = short_of(bytes, common, COMMON_PROCESS_ID);
    view.user_id = short_of(bytes, common, COMMON_USER_ID);
    view.executable = string_of(bytes, common, COMMON_EXECUTABLE);
    view.commandline = string_of(bytes, common, COMMON_COMMANDLINE);
    return view;
}

struct picket_wire_flow_view
picket_wire_ipv4_flow_at(const struct picket_wire_network_activity_view *activity, uint32_t index)
{
    const uint8_t *bytes = activity->message->bytes;
    return flow_of(bytes, table_in(bytes, activity->ipv4_at, index), PICKET_WIRE_IPV4_BYTES);
}

struct picket_wire_flow_view
picket_wire_ipv6_flow_at(const struct picket_wire_network_activity_view *activity, uint32_t index)
{
    const uint8_t *bytes = activity->message->bytes;
    return flow_of(bytes, table_in(bytes, activity->ipv6_at, index), PICKET_WIRE_IPV6_BYTES);
}

struct picket_wire_system_information_view
picket_wire_system_information(const struct picket_wire_event_view *event)
{
    const uint8_t *bytes = event->message->bytes;
    struct picket_wire_system_information_view system;
    system.os_info = string_of(bytes, event->payload_at, SYSTEM_OS);
    system.kernel_info = string_of(bytes, event->payload_at, SYSTEM_KERNEL);
    system.hw_info = string_of(bytes, event->payload_at, SYSTEM_HARDWARE);
    return system;
}

struct picket_wire_heartbeat_view picket_wire_heartbeat(const struct picket_wire_event_view *event)
{
    struct picket_wire_heartbeat_view heartbeat;
    heartbeat.uptime_s = word_of(event->message->bytes, event->payload_at, HEARTBEAT_UPTIME, 0);
    return heartbeat;
}

struct picket_wire_listening_ports_view
picket_wire_listening_ports(const struct picket_wire_event_view *event)
{
    const uint8_t *bytes = event->message->bytes;
    struct picket_wire_listening_ports_view ports;
    ports.message = event->message;
    ports.ipv4_count = vector_of(bytes, event->payload_at, PORTS_IPV4, &ports.ipv4_at);
    ports.ipv6_count = vector_of(bytes, event->payload_at, PORTS_IPV6, &ports.ipv6_at);
    return ports;
}

/* The struct is the address, the port, the protocol and a byte that means nothing. */
static struct picket_wire_listening_port port_of(const uint8_t *at, uint32_t address_bytes)
{
    struct picket_wire_listening_port port;
    port.local_address = at;
    port.local_port = load_16(at + address_bytes);
    port.protocol = at[address_bytes + 2];
    return port;
}

struct picket_wire_listening_port
picket_wire_ipv4_port_at(const struct picket_wire_listening_ports_view *ports, uint32_t index)
{
    return port_of(ports->message->bytes + ports->ipv4_at + IPV4_PORT_BYTES * index,
                   PICKET_WIRE_IPV4_BYTES);
}

struct picket_wire_listening_port
picket_wire_ipv6_port_at(const struct picket_wire_listening_ports_view *ports, uint32_t index)
{
    return port_of(ports->message->bytes + ports->ipv6_at + IPV6_PORT_BYTES * index,
                   PICKET_WIRE_IPV6_BYTES);
}

struct picket_wire_baseline_view picket_wire_baseline(const struct picket_wire_event_view *event)
{
    struct picket_wire_baseline_view baseline;
    baseline.message = event->message;
    baseline.check_count =
        vector_of(event->message->bytes, event->payload_at, BASELINE_CHECKS, &baseline.checks_at);
    return baseline;
}

struct picket_wire_baseline_check_view
picket_wire_baseline_check_at(const struct picket_wire_baseline_view *baseline, uint32_t index)
{
    const uint8_t *bytes = baseline->message->bytes;
    uint32_t table = table_in(bytes, baseline->checks_at, index);
    struct picket_wire_baseline_check_view check;
    check.id = string_of(bytes, table, CHECK_ID);
    check.result = byte_of(bytes, table, CHECK_RESULT);
    check.error = string_of(bytes, table, CHECK_ERROR);
    check.description = string_of(bytes, table, CHECK_DESCRIPTION);
    check.severity = byte_of(bytes, table, CHECK_SEVERITY);
    check.remediation = string_of(bytes, table, CHECK_REMEDIATION);
    return check;
}

struct picket_wire_process_view picket_wire_process(const struct picket_wire_event_view *event)
{
    const uint8_t *bytes = event->message->bytes;
    uint32_t table = event->payload_at;
    struct picket_wire_process_view process;
    process.executable = string_of(bytes, table, PROCESS_EXECUTABLE);
    process.process_id = word_of(bytes, table, PROCESS_PROCESS_ID, 0);
    process.parent_process_id = word_of(bytes, table, PROCESS_PARENT_PROCESS_ID, 0);
    process.user_id = word_of(bytes, table, PROCESS_USER_ID, 0);
    process.user_name = string_of(bytes, table, PROCESS_USER_NAME);
    process.commandline = string_of(bytes, table, PROCESS_COMMANDLINE);
    process.event_type = byte_of(bytes, table, PROCESS_EVENT_TYPE);
    process.hit_count = word_of(bytes, table, PROCESS_HIT_COUNT, 1);
    return process;
}

struct picket_wire_log_view picket_wire_log(const struct picket_wire_event_view *event)
{
    struct picket_wire_log_view log;
    log.message = event->message;
    log.record_count =
        vector_of(event->message->bytes, event->payload_at, LOG_RECORDS, &log.records_at);
    return log;
}

struct picket_wire_record_view picket_wire_record_at(const struct picket_wire_log_view *log,
                                                     uint32_t index)
{
    const uint8_t *bytes = log->message->bytes;
    uint32_t table = table_in(bytes, log->records_at, index);
    uint32_t timestamp_at = field_at(bytes, table, RECORD_TIMESTAMP);
    struct picket_wire_record_view record;
    record.message = string_of(bytes, table, RECORD_MESSAGE);
    record.level = byte_of(bytes, table, RECORD_LEVEL);
    record.timestamp = timestamp_at == 0 ? 0 : load_64(bytes + timestamp_at);
    record.line = word_of(bytes, table, RECORD_LINE, 0);
    record.filename = string_of(bytes, table, RECORD_FILENAME);
    return record;
}

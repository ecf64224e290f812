#include "picket/wire/decoder.h"

#include "bytes.h"
#include "schema.h"
#include "validate.h"

/* All that follows reads a message that picket_wire_validate() has accepted. */

typedef const struct picket_wire_message_view message_view;

struct table_view {
    const uint8_t *bytes; /* of the message */
    const uint8_t *vtable;
    uint32_t vtable_bytes;
    uint32_t at;
};

static inline struct table_view table_at(const uint8_t *bytes, uint32_t at)
{
    const uint8_t *vtable = bytes + (at - load_32(bytes + at));
    return (struct table_view){bytes, vtable, load_16(vtable), at};
}

/* Where the field is; 0: absent. */
static inline uint32_t field_at(const struct table_view *table, uint32_t id)
{
    if (4 + 2 * id >= table->vtable_bytes)
        return 0;
    uint32_t entry = load_16(table->vtable + 4 + 2 * id);
    return entry == 0 ? 0 : table->at + entry;
}

static inline uint8_t byte_of(const struct table_view *table, uint32_t id)
{
    uint32_t at = field_at(table, id);
    return at == 0 ? 0 : table->bytes[at];
}

static inline uint16_t short_of(const struct table_view *table, uint32_t id)
{
    uint32_t at = field_at(table, id);
    return at == 0 ? 0 : load_16(table->bytes + at);
}

static inline uint32_t word_of(const struct table_view *table, uint32_t id, uint32_t fallback)
{
    uint32_t at = field_at(table, id);
    return at == 0 ? fallback : load_32(table->bytes + at);
}

/* Where the field's offset leads; 0: absent. */
static inline uint32_t target_of(const struct table_view *table, uint32_t id)
{
    uint32_t at = field_at(table, id);
    return at == 0 ? 0 : at + load_32(table->bytes + at);
}

static struct picket_wire_string string_of(const struct table_view *table, uint32_t id)
{
    struct picket_wire_string string = {NULL, 0};
    uint32_t at = target_of(table, id);
    if (at != 0) {
        string.text = (const char *)table->bytes + at + 4;
        string.size_bytes = load_32(table->bytes + at);
    }
    return string;
}

/* The number of elements of a vector, and the first in *at; 0 if it is absent. */
static uint32_t vector_of(const struct table_view *table, uint32_t id, uint32_t *at)
{
    uint32_t vector = target_of(table, id);
    *at = vector == 0 ? 0 : vector + 4;
    return vector == 0 ? 0 : load_32(table->bytes + vector);
}

/* The table that an element of a vector leads to. */
static struct table_view table_in(const uint8_t *bytes, uint32_t elements_at, uint32_t index)
{
    uint32_t at = elements_at + 4 * index;
    return table_at(bytes, at + load_32(bytes + at));
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
    const struct table_view table = table_at(bytes, load_32(view->bytes));
    view->security_module_id = string_of(&table, MESSAGE_MODULE_ID);
    view->security_module_version = word_of(&table, MESSAGE_MODULE_VERSION, 0);
    view->timezone = (int8_t)byte_of(&table, MESSAGE_TIMEZONE);
    view->event_count = vector_of(&table, MESSAGE_EVENTS, &view->events_at);
    return true;
}

struct picket_wire_event_view picket_wire_event_at(message_view *view, uint32_t index)
{
    const uint8_t *bytes = view->bytes;
    const struct table_view table = table_in(bytes, view->events_at, index);
    struct picket_wire_event_view event;
    event.message = view;
    event.id = bytes + field_at(&table, EVENT_ID);
    event.time_s = word_of(&table, EVENT_TIME, 0);
    event.collection_interval_s = word_of(&table, EVENT_COLLECTION_INTERVAL, 0);
    event.duration_s = word_of(&table, EVENT_DURATION, 0);
    event.payload_type = byte_of(&table, EVENT_PAYLOAD_TYPE);
    event.payload_at = target_of(&table, EVENT_PAYLOAD);
    return event;
}

static struct table_view payload_of(const struct picket_wire_event_view *event)
{
    return table_at(event->message->bytes, event->payload_at);
}

struct picket_wire_network_activity_view
picket_wire_network_activity(const struct picket_wire_event_view *event)
{
    const struct table_view table = payload_of(event);
    struct picket_wire_network_activity_view activity;
    activity.message = event->message;
    activity.ipv4_count = vector_of(&table, ACTIVITY_IPV4, &activity.ipv4_at);
    activity.ipv6_count = vector_of(&table, ACTIVITY_IPV6, &activity.ipv6_at);
    activity.lost_flows = word_of(&table, ACTIVITY_LOST_FLOWS, 0);
    activity.lost_bytes_in = word_of(&table, ACTIVITY_LOST_BYTES_IN, 0);
    activity.lost_bytes_out = word_of(&table, ACTIVITY_LOST_BYTES_OUT, 0);
    return activity;
}

static struct picket_wire_flow_view flow_of(struct table_view table, uint32_t address_bytes)
{
    struct picket_wire_flow_view view;
    const uint8_t *addresses = table.bytes + field_at(&table, FLOW_ADDRESSES);
    const struct table_view common = table_at(table.bytes, target_of(&table, FLOW_COMMON));
    view.flow.local_address = addresses;
    view.flow.remote_address = addresses + address_bytes;
    view.flow.bytes_in = word_of(&common, COMMON_BYTES_IN, 0);
    view.flow.bytes_out = word_of(&common, COMMON_BYTES_OUT, 0);
    view.flow.local_port = short_of(&common, COMMON_LOCAL_PORT);
    view.flow.remote_port = short_of(&common, COMMON_REMOTE_PORT);
    view.flow.protocol = byte_of(&common, COMMON_PROTOCOL);
    view.process_id = view.user_id = 0;
    view.executable = view.commandline = (struct picket_wire_string){NULL, 0};
    if (4 + 2 * COMMON_PROCESS_ID >= common.vtable_bytes) /* as from every ThreadX device */
        return view;
    view.process_id = short_of(&common, COMMON_PROCESS_ID);
    view.user_id = short_of(&common, COMMON_USER_ID);
    view.executable = string_of(&common, COMMON_EXECUTABLE);
    view.commandline = string_of(&common, COMMON_COMMANDLINE);
    return view;
}

struct picket_wire_flow_view
picket_wire_ipv4_flow_at(const struct picket_wire_network_activity_view *activity, uint32_t index)
{
    const uint8_t *bytes = activity->message->bytes;
    return flow_of(table_in(bytes, activity->ipv4_at, index), PICKET_WIRE_IPV4_BYTES);
}

struct picket_wire_flow_view
picket_wire_ipv6_flow_at(const struct picket_wire_network_activity_view *activity, uint32_t index)
{
    const uint8_t *bytes = activity->message->bytes;
    return flow_of(table_in(bytes, activity->ipv6_at, index), PICKET_WIRE_IPV6_BYTES);
}

struct picket_wire_system_information_view
picket_wire_system_information(const struct picket_wire_event_view *event)
{
    const struct table_view table = payload_of(event);
    struct picket_wire_system_information_view system;
    system.os_info = string_of(&table, SYSTEM_OS);
    system.kernel_info = string_of(&table, SYSTEM_KERNEL);
    system.hw_info = string_of(&table, SYSTEM_HARDWARE);
    return system;
}

struct picket_wire_heartbeat_view picket_wire_heartbeat(const struct picket_wire_event_view *event)
{
    const struct table_view table = payload_of(event);
    struct picket_wire_heartbeat_view heartbeat;
    heartbeat.uptime_s = word_of(&table, HEARTBEAT_UPTIME, 0);
    return heartbeat;
}

struct picket_wire_listening_ports_view
picket_wire_listening_ports(const struct picket_wire_event_view *event)
{
    const struct table_view table = payload_of(event);
    struct picket_wire_listening_ports_view ports;
    ports.message = event->message;
    ports.ipv4_count = vector_of(&table, PORTS_IPV4, &ports.ipv4_at);
    ports.ipv6_count = vector_of(&table, PORTS_IPV6, &ports.ipv6_at);
    ports.unlisted = word_of(&table, PORTS_UNLISTED, 0);
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
    const struct table_view table = payload_of(event);
    struct picket_wire_baseline_view baseline;
    baseline.message = event->message;
    baseline.check_count = vector_of(&table, BASELINE_CHECKS, &baseline.checks_at);
    return baseline;
}

struct picket_wire_baseline_check_view
picket_wire_baseline_check_at(const struct picket_wire_baseline_view *baseline, uint32_t index)
{
    const uint8_t *bytes = baseline->message->bytes;
    const struct table_view table = table_in(bytes, baseline->checks_at, index);
    struct picket_wire_baseline_check_view check;
    check.id = string_of(&table, CHECK_ID);
    check.result = byte_of(&table, CHECK_RESULT);
    check.error = string_of(&table, CHECK_ERROR);
    check.description = string_of(&table, CHECK_DESCRIPTION);
    check.severity = byte_of(&table, CHECK_SEVERITY);
    check.remediation = string_of(&table, CHECK_REMEDIATION);
    return check;
}

struct picket_wire_process_view picket_wire_process(const struct picket_wire_event_view *event)
{
    const struct table_view table = payload_of(event);
    struct picket_wire_process_view process;
    process.executable = string_of(&table, PROCESS_EXECUTABLE);
    process.process_id = word_of(&table, PROCESS_PROCESS_ID, 0);
    process.parent_process_id = word_of(&table, PROCESS_PARENT_PROCESS_ID, 0);
    process.user_id = word_of(&table, PROCESS_USER_ID, 0);
    process.user_name = string_of(&table, PROCESS_USER_NAME);
    process.commandline = string_of(&table, PROCESS_COMMANDLINE);
    process.event_type = byte_of(&table, PROCESS_EVENT_TYPE);
    process.hit_count = word_of(&table, PROCESS_HIT_COUNT, 1);
    return process;
}

struct picket_wire_log_view picket_wire_log(const struct picket_wire_event_view *event)
{
    const struct table_view table = payload_of(event);
    struct picket_wire_log_view log;
    log.message = event->message;
    log.record_count = vector_of(&table, LOG_RECORDS, &log.records_at);
    return log;
}

struct picket_wire_record_view picket_wire_record_at(const struct picket_wire_log_view *log,
                                                     uint32_t index)
{
    const uint8_t *bytes = log->message->bytes;
    const struct table_view table = table_in(bytes, log->records_at, index);
    uint32_t timestamp_at = field_at(&table, RECORD_TIMESTAMP);
    struct picket_wire_record_view record;
    record.message = string_of(&table, RECORD_MESSAGE);
    record.level = byte_of(&table, RECORD_LEVEL);
    record.timestamp = timestamp_at == 0 ? 0 : load_64(bytes + timestamp_at);
    record.line = word_of(&table, RECORD_LINE, 0);
    record.filename = string_of(&table, RECORD_FILENAME);
    return record;
}

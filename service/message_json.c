#include "message_json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/address.h"

/* Members are collected first and checked once: an object that lacks one for want of memory is not
 * handed out. */
struct object {
    json_t *json;
    bool whole;
};

static struct object object_begin(void)
{
    json_t *json = json_object();
    return (struct object){json, json != NULL};
}

static void add(struct object *object, const char *name, json_t *value)
{
    if (json_object_set_new(object->json, name, value) != 0)
        object->whole = false;
}

static json_t *object_end(struct object object)
{
    if (object.whole)
        return object.json;
    json_decref(object.json);
    return NULL;
}

static void add_number(struct object *object, const char *name, uint32_t value)
{
    add(object, name, json_integer(value));
}

/* ---- text ---- */

/* The bytes of the well-formed UTF-8 sequence (Unicode 15, table 3-7) at text, or 0 if there is
 * none. */
static size_t sequence_bytes(const unsigned char *text, size_t room)
{
    unsigned char first = text[0], low = 0x80, high = 0xBF;
    if (first < 0x80)
        return 1;
    size_t bytes = first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2);
    if (first < 0xC2 || first > 0xF4 || bytes > room)
        return 0;
    if (first == 0xE0)
        low = 0xA0;
    if (first == 0xED)
        high = 0x9F;
    if (first == 0xF0)
        low = 0x90;
    if (first == 0xF4)
        high = 0x8F;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    }
    return bytes;
}

static json_t *repaired_text(const char *text, size_t size_bytes)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    const unsigned char *from = (const unsigned char *)text;
    char *repaired = malloc(3 * size_bytes + 1);
    size_t length = 0;
    if (repaired == NULL)
        return NULL;
    for (size_t at = 0; at < size_bytes;) {
        size_t bytes = sequence_bytes(from + at, size_bytes - at);
        if (bytes == 0) {
            memcpy(repaired + length, replacement, 3);
            length += 3;
            at++;
            continue;
        }
        memcpy(repaired + length, from + at, bytes);
        length += bytes;
        at += bytes;
    }
    json_t *json = json_stringn(repaired, length);
    free(repaired);
    return json;
}

static void add_text(struct object *object, const char *name, struct picket_wire_string text)
{
    if (text.text == NULL)
        return;
    json_t *json = json_stringn(text.text, text.size_bytes);
    if (json == NULL)
        json = repaired_text(text.text, text.size_bytes);
    add(object, name, json);
}

static void add_ipv4(struct object *object, const char *name, const uint8_t *bytes)
{
    char text[PICKET_ADDRESS_TEXT_BYTES];
    struct picket_address address = picket_address_ipv4(bytes);
    add(object, name, json_string(picket_address_format(&address, text)));
}

static void add_ipv6(struct object *object, const char *name, const uint8_t *bytes)
{
    char text[PICKET_ADDRESS_TEXT_BYTES];
    struct picket_address address = picket_address_ipv6(bytes);
    add(object, name, json_string(picket_address_format(&address, text)));
}

/* ---- enumerations ---- */

struct names {
    const char *const *names;
    size_t count;
};
#define NAMES(array)                                                                               \
    {                                                                                              \
        array, sizeof(array) / sizeof(array)[0]                                                    \
    }

static const char *const protocol_names[] = {"TCP", "UDP", "ICMP"};
static const char *const result_names[] = {"PASS", "FAIL", "ERROR"};
static const char *const severity_names[] = {"CRITICAL", "IMPORTANT", "WARNING", "INFORMATIONAL"};
static const char *const process_event_names[] = {"FORK", "EXEC", "EXIT"};
static const char *const level_names[] = {"NOTSET", "FATAL", "ERROR", "WARN", "INFO", "DEBUG"};

static const struct names protocols = NAMES(protocol_names);
static const struct names results = NAMES(result_names);
static const struct names severities = NAMES(severity_names);
static const struct names process_events = NAMES(process_event_names);
static const struct names levels = NAMES(level_names);

/* The schema's enumerations are signed bytes. */
static void add_enum(struct object *object, const char *name, const struct names *names,
                     uint8_t value)
{
    if (value < names->count)
        add(object, name, json_string(names->names[value]));
    else
        add(object, name, json_integer((int8_t)value));
}

const char *picket_payload_name(uint8_t payload_type)
{
    static const char *const names[] = {
        [PICKET_WIRE_NETWORK_ACTIVITY] = "NetworkActivity",
        [PICKET_WIRE_SYSTEM_INFORMATION] = "SystemInformation",
        [PICKET_WIRE_LISTENING_PORTS] = "ListeningPorts",
        [PICKET_WIRE_HEARTBEAT] = "Heartbeat",
        [PICKET_WIRE_BASELINE] = "Baseline",
        [PICKET_WIRE_PROCESS] = "Process",
        [PICKET_WIRE_LOG] = "Log",
    };
    return payload_type < sizeof names / sizeof names[0] ? names[payload_type] : NULL;
}

/* ---- payloads ---- */

typedef json_t *(*element_json)(const void *list, uint32_t index);

static void add_list(struct object *object, const char *name, const void *list, uint32_t count,
                     element_json element)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++) {
        if (json_array_append_new(array, element(list, i)) != 0) {
            object->whole = false;
            break;
        }
    }
    add(object, name, array);
}

static json_t *flow_json(const struct picket_wire_flow_view *view,
                         void (*add_address)(struct object *, const char *, const uint8_t *))
{
    struct object flow = object_begin(), addresses = object_begin(), common = object_begin();
    add_address(&addresses, "local_address", view->flow.local_address);
    add_address(&addresses, "remote_address", view->flow.remote_address);
    add(&flow, "addresses", object_end(addresses));

    add_number(&common, "local_port", view->flow.local_port);
    add_number(&common, "remote_port", view->flow.remote_port);
    add_number(&common, "bytes_in", view->flow.bytes_in);
    add_number(&common, "bytes_out", view->flow.bytes_out);
    add_enum(&common, "protocol", &protocols, view->flow.protocol);
    add_number(&common, "process_id", view->process_id);
    add_number(&common, "user_id", view->user_id);
    add_text(&common, "executable", view->executable);
    add_text(&common, "commandline", view->commandline);
    add(&flow, "common", object_end(common));
    return object_end(flow);
}

static json_t *ipv4_flow_json(const void *activity, uint32_t index)
{
    struct picket_wire_flow_view view = picket_wire_ipv4_flow_at(activity, index);
    return flow_json(&view, add_ipv4);
}

static json_t *ipv6_flow_json(const void *activity, uint32_t index)
{
    struct picket_wire_flow_view view = picket_wire_ipv6_flow_at(activity, index);
    return flow_json(&view, add_ipv6);
}

static json_t *network_activity_json(const struct picket_wire_event_view *event)
{
    struct picket_wire_network_activity_view view = picket_wire_network_activity(event);
    struct object object = object_begin();
    add_list(&object, "ipv4_activity", &view, view.ipv4_count, ipv4_flow_json);
    add_list(&object, "ipv6_activity", &view, view.ipv6_count, ipv6_flow_json);
    add_number(&object, "lost_flows", view.lost_flows);
    add_number(&object, "lost_bytes_in", view.lost_bytes_in);
    add_number(&object, "lost_bytes_out", view.lost_bytes_out);
    return object_end(object);
}

static json_t *system_information_json(const struct picket_wire_event_view *event)
{
    struct picket_wire_system_information_view view = picket_wire_system_information(event);
    struct object object = object_begin();
    add_text(&object, "os_info", view.os_info);
    add_text(&object, "kernel_info", view.kernel_info);
    add_text(&object, "hw_info", view.hw_info);
    return object_end(object);
}

static json_t *heartbeat_json(const struct picket_wire_event_view *event)
{
    struct object object = object_begin();
    add_number(&object, "uptime", picket_wire_heartbeat(event).uptime_s);
    return object_end(object);
}

static json_t *port_json(struct picket_wire_listening_port port,
                         void (*add_address)(struct object *, const char *, const uint8_t *))
{
    struct object object = object_begin(), common = object_begin();
    add_address(&object, "local_address", port.local_address);
    add_number(&common, "local_port", port.local_port);
    add_enum(&common, "protocol", &protocols, port.protocol);
    add(&object, "common", object_end(common));
    return object_end(object);
}

static json_t *ipv4_port_json(const void *ports, uint32_t index)
{
    return port_json(picket_wire_ipv4_port_at(ports, index), add_ipv4);
}

static json_t *ipv6_port_json(const void *ports, uint32_t index)
{
    return port_json(picket_wire_ipv6_port_at(ports, index), add_ipv6);
}

static json_t *listening_ports_json(const struct picket_wire_event_view *event)
{
    struct picket_wire_listening_ports_view view = picket_wire_listening_ports(event);
    struct object object = object_begin();
    add_list(&object, "ipv4_ports", &view, view.ipv4_count, ipv4_port_json);
    add_list(&object, "ipv6_ports", &view, view.ipv6_count, ipv6_port_json);
    add_number(&object, "unlisted", view.unlisted);
    return object_end(object);
}

static json_t *check_json(const void *baseline, uint32_t index)
{
    struct picket_wire_baseline_check_view view = picket_wire_baseline_check_at(baseline, index);
    struct object object = object_begin();
    add_text(&object, "id", view.id);
    add_enum(&object, "result", &results, view.result);
    add_text(&object, "error", view.error);
    add_text(&object, "description", view.description);
    add_enum(&object, "severity", &severities, view.severity);
    add_text(&object, "remediation", view.remediation);
    return object_end(object);
}

static json_t *baseline_json(const struct picket_wire_event_view *event)
{
    struct picket_wire_baseline_view view = picket_wire_baseline(event);
    struct object object = object_begin();
    add_list(&object, "baseline_checks", &view, view.check_count, check_json);
    return object_end(object);
}

static json_t *process_json(const struct picket_wire_event_view *event)
{
    struct picket_wire_process_view view = picket_wire_process(event);
    struct object object = object_begin();
    add_text(&object, "executable", view.executable);
    add_number(&object, "process_id", view.process_id);
    add_number(&object, "parent_process_id", view.parent_process_id);
    add_number(&object, "user_id", view.user_id);
    add_text(&object, "user_name", view.user_name);
    add_text(&object, "commandline", view.commandline);
    add_enum(&object, "event_type", &process_events, view.event_type);
    add_number(&object, "hit_count", view.hit_count);
    return object_end(object);
}

static json_t *timestamp_json(uint64_t timestamp)
{
    char digits[24];
    if (timestamp <= INT64_MAX)
        return json_integer((json_int_t)timestamp);
    snprintf(digits, sizeof digits, "%" PRIu64, timestamp);
    return json_string(digits);
}

static json_t *record_json(const void *log, uint32_t index)
{
    struct picket_wire_record_view view = picket_wire_record_at(log, index);
    struct object object = object_begin();
    add_text(&object, "message", view.message);
    add_enum(&object, "level", &levels, view.level);
    add(&object, "timestamp", timestamp_json(view.timestamp));
    add_number(&object, "line", view.line);
    add_text(&object, "filename", view.filename);
    return object_end(object);
}

static json_t *log_json(const struct picket_wire_event_view *event)
{
    struct picket_wire_log_view view = picket_wire_log(event);
    struct object object = object_begin();
    add_list(&object, "logs", &view, view.record_count, record_json);
    return object_end(object);
}

json_t *picket_payload_json(const struct picket_wire_event_view *event)
{
    switch (event->payload_type) {
    case PICKET_WIRE_NETWORK_ACTIVITY:
        return network_activity_json(event);
    case PICKET_WIRE_SYSTEM_INFORMATION:
        return system_information_json(event);
    case PICKET_WIRE_LISTENING_PORTS:
        return listening_ports_json(event);
    case PICKET_WIRE_HEARTBEAT:
        return heartbeat_json(event);
    case PICKET_WIRE_BASELINE:
        return baseline_json(event);
    case PICKET_WIRE_PROCESS:
        return process_json(event);
    case PICKET_WIRE_LOG:
        return log_json(event);
    default:
        return json_null();
    }
}

/* ---- events and the message ---- */

json_t *picket_event_json(const struct picket_wire_event_view *event)
{
    struct object object = object_begin();
    const char *payload_name = picket_payload_name(event->payload_type);
    char id[2 * PICKET_WIRE_EVENT_ID_BYTES + 1];
    for (size_t i = 0; i < PICKET_WIRE_EVENT_ID_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02x", event->id[i]);
    add(&object, "id", json_string(id));
    add_number(&object, "time", event->time_s);
    add_number(&object, "collection_interval", event->collection_interval_s);
    add_number(&object, "duration", event->duration_s);
    if (payload_name != NULL)
        add(&object, "payload_type", json_string(payload_name));
    else
        add_number(&object, "payload_type", event->payload_type);
    add(&object, "payload", picket_payload_json(event));
    return object_end(object);
}

static json_t *event_json_at(const void *message, uint32_t index)
{
    struct picket_wire_event_view event = picket_wire_event_at(message, index);
    return picket_event_json(&event);
}

json_t *picket_message_json(const struct picket_wire_message_view *view)
{
    struct object object = object_begin();
    uint32_t version = view->security_module_version;
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u", version >> 24, version >> 16 & 0xFF, version & 0xFFFF);
    add_text(&object, "security_module_id", view->security_module_id);
    add(&object, "security_module_version", json_string(text));
    add(&object, "timezone", json_integer(view->timezone));
    add_list(&object, "events", view, view->event_count, event_json_at);
    return object_end(object);
}

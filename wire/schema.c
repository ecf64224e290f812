#include "schema.h"

/* clang-format off */
#define SCALAR(bytes)            {INLINE, bytes, bytes, 0, 0}
#define STRUCT_OR(bytes, align, missing) {INLINE, bytes, align, 0, missing}
#define TEXT                     {STRING, 4, 4, 0, 0}
#define TEXT_OR(missing)         {STRING, 4, 4, 0, missing}
#define STRUCT_VECTOR(bytes)     {STRUCTS, 4, 4, bytes, 0}
#define TABLE_VECTOR(child)      {CHILDREN, 4, 4, child, 0}
#define TABLE_VECTOR_OR(child, missing) {CHILDREN, 4, 4, child, missing}
#define TABLE_OR(child, missing) {CHILD, 4, 4, child, missing}
#define UNION_OR(missing)        {UNION, 4, 4, 0, missing}

static const struct field message_fields[] = {
    TEXT_OR("required Message.security_module_id absent"),
    SCALAR(4),
    SCALAR(1),
    TABLE_VECTOR_OR(EVENT, "required Message.events absent"),
};
static const struct field event_fields[] = {
    STRUCT_OR(16, 1, "required Event.id absent"),
    SCALAR(4),
    SCALAR(4),
    SCALAR(1),
    UNION_OR("required Event.payload absent"),
    SCALAR(4),
};
static const struct field network_activity_fields[] = {
    TABLE_VECTOR(NETWORK_ACTIVITY_V4),
    TABLE_VECTOR(NETWORK_ACTIVITY_V6),
    SCALAR(4),
    SCALAR(4),
    SCALAR(4),
};
static const struct field network_activity_v4_fields[] = {
    STRUCT_OR(IPV4_ADDRESSES_BYTES, 4, "required NetworkActivityV4.addresses absent"),
    TABLE_OR(NETWORK_ACTIVITY_COMMON, "required NetworkActivityV4.common absent"),
};
static const struct field network_activity_v6_fields[] = {
    STRUCT_OR(IPV6_ADDRESSES_BYTES, 4, "required NetworkActivityV6.addresses absent"),
    TABLE_OR(NETWORK_ACTIVITY_COMMON, "required NetworkActivityV6.common absent"),
};
static const struct field network_activity_common_fields[] = {
    SCALAR(2), SCALAR(2), SCALAR(4), SCALAR(4), SCALAR(1), SCALAR(2), SCALAR(2), TEXT, TEXT,
};
static const struct field system_information_fields[] = {TEXT, TEXT, TEXT};
static const struct field listening_ports_fields[] = {
    STRUCT_VECTOR(IPV4_PORT_BYTES),
    STRUCT_VECTOR(IPV6_PORT_BYTES),
    SCALAR(4),
};
static const struct field heartbeat_fields[] = {SCALAR(4)};
static const struct field baseline_fields[] = {TABLE_VECTOR(BASELINE_CHECK)};
static const struct field baseline_check_fields[] = {
    TEXT_OR("required BaselineCheck.id absent"), SCALAR(1), TEXT, TEXT, SCALAR(1), TEXT,
};
static const struct field process_fields[] = {
    TEXT, SCALAR(4), SCALAR(4), SCALAR(4), TEXT, TEXT, SCALAR(1), SCALAR(4),
};
static const struct field log_fields[] = {TABLE_VECTOR(RECORD)};
static const struct field record_fields[] = {
    TEXT_OR("required Record.message absent"),
    SCALAR(1),
    SCALAR(8),
    SCALAR(4),
    TEXT_OR("required Record.filename absent"),
};

#define FIELDS(array) {array, sizeof(array) / sizeof(array)[0]}

const struct table_fields picket_wire_schema[TABLES] = {
    [MESSAGE] = FIELDS(message_fields),
    [EVENT] = FIELDS(event_fields),
    [NETWORK_ACTIVITY] = FIELDS(network_activity_fields),
    [NETWORK_ACTIVITY_V4] = FIELDS(network_activity_v4_fields),
    [NETWORK_ACTIVITY_V6] = FIELDS(network_activity_v6_fields),
    [NETWORK_ACTIVITY_COMMON] = FIELDS(network_activity_common_fields),
    [SYSTEM_INFORMATION] = FIELDS(system_information_fields),
    [LISTENING_PORTS] = FIELDS(listening_ports_fields),
    [HEARTBEAT] = FIELDS(heartbeat_fields),
    [BASELINE] = FIELDS(baseline_fields),
    [BASELINE_CHECK] = FIELDS(baseline_check_fields),
    [PROCESS] = FIELDS(process_fields),
    [LOG] = FIELDS(log_fields),
    [RECORD] = FIELDS(record_fields),
};

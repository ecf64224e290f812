/* The schema as data: what each field of each table is. The reader's checks walk these tables, so
 * that there is one check of each kind and none by hand. Must say what security_message.fbs says.
 */
#ifndef PICKET_WIRE_SCHEMA_H
#define PICKET_WIRE_SCHEMA_H

#include <stdint.h>

enum table {
    MESSAGE,
    EVENT,
    NETWORK_ACTIVITY,
    NETWORK_ACTIVITY_V4,
    NETWORK_ACTIVITY_V6,
    NETWORK_ACTIVITY_COMMON,
    SYSTEM_INFORMATION,
    LISTENING_PORTS,
    HEARTBEAT,
    BASELINE,
    BASELINE_CHECK,
    PROCESS,
    LOG,
    RECORD,
    TABLES
};

enum {
    TABLE_DEPTH_MAX = 5, /* Message, Event, NetworkActivity, NetworkActivityV4, ...Common */

    IPV4_ADDRESSES_BYTES = 8,
    IPV6_ADDRESSES_BYTES = 32,
    IPV4_PORT_BYTES = 8,
    IPV6_PORT_BYTES = 20
};

enum field_kind {
    INLINE, /* a scalar or a struct */
    STRING,
    STRUCTS,  /* vector of structs of element_bytes */
    CHILDREN, /* vector of tables of the type child */
    CHILD,    /* table of the type child */
    UNION     /* a table whose type the field with the id before this one tells */
};

struct field {
    uint8_t kind;        /* enum field_kind */
    uint8_t bytes;       /* in the table: of the scalar, the struct or the offset */
    uint8_t alignment;   /* from the begin of the message */
    uint8_t child;       /* enum table, or the bytes of a STRUCTS element */
    const char *missing; /* of required fields: what to say if it is absent */
};

struct table_fields {
    const struct field *fields; /* by id */
    uint8_t count;
};

extern const struct table_fields picket_wire_schema[TABLES];

/* Ids of fields that are looked up. */
enum {
    MESSAGE_MODULE_ID = 0,
    MESSAGE_MODULE_VERSION = 1,
    MESSAGE_TIMEZONE = 2,
    MESSAGE_EVENTS = 3,

    EVENT_ID = 0,
    EVENT_TIME = 1,
    EVENT_COLLECTION_INTERVAL = 2,
    EVENT_PAYLOAD_TYPE = 3,
    EVENT_PAYLOAD = 4,
    EVENT_DURATION = 5,

    ACTIVITY_IPV4 = 0,
    ACTIVITY_IPV6 = 1,
    ACTIVITY_LOST_FLOWS = 2,
    ACTIVITY_LOST_BYTES_IN = 3,
    ACTIVITY_LOST_BYTES_OUT = 4,

    FLOW_ADDRESSES = 0,
    FLOW_COMMON = 1,

    COMMON_LOCAL_PORT = 0,
    COMMON_REMOTE_PORT = 1,
    COMMON_BYTES_IN = 2,
    COMMON_BYTES_OUT = 3,
    COMMON_PROTOCOL = 4,
    COMMON_PROCESS_ID = 5,
    COMMON_USER_ID = 6,
    COMMON_EXECUTABLE = 7,
    COMMON_COMMANDLINE = 8,

    SYSTEM_OS = 0,
    SYSTEM_KERNEL = 1,
    SYSTEM_HARDWARE = 2,

    PORTS_IPV4 = 0,
    PORTS_IPV6 = 1,
    PORTS_UNLISTED = 2,

    HEARTBEAT_UPTIME = 0,

    BASELINE_CHECKS = 0,
    CHECK_ID = 0,
    CHECK_RESULT = 1,
    CHECK_ERROR = 2,
    CHECK_DESCRIPTION = 3,
    CHECK_SEVERITY = 4,
    CHECK_REMEDIATION = 5,

    PROCESS_EXECUTABLE = 0,
    PROCESS_PROCESS_ID = 1,
    PROCESS_PARENT_PROCESS_ID = 2,
    PROCESS_USER_ID = 3,
    PROCESS_USER_NAME = 4,
    PROCESS_COMMANDLINE = 5,
    PROCESS_EVENT_TYPE = 6,
    PROCESS_HIT_COUNT = 7,

    LOG_RECORDS = 0,
    RECORD_MESSAGE = 0,
    RECORD_LEVEL = 1,
    RECORD_TIMESTAMP = 2,
    RECORD_LINE = 3,
    RECORD_FILENAME = 4
};

#endif

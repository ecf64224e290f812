/* A decoded security message as JSON, for people and for the store.
 *
 * Members are named, and nested, as in wire/security_message.fbs, with these differences from what
 * flatc prints: addresses are text (RFC 5952), an event's id is 32 hexadecimal digits, the module's
 * version is "3.5.4". Scalars are shown whether or not they were stored; an absent string is
 * omitted; an absent vector is an empty one. Enumerations are the schema's names, or the number
 * when it has none. A payload of a type that this reader does not know is {"payload_type": NUMBER,
 * "payload": null}. Text that is not UTF-8 has U+FFFD for each byte that does not fit.
 * Record.timestamp beyond 2^63 - 1, which JSON integers of this library end at, is a string of
 * digits.
 *
 * All return a new reference, or NULL when memory is short. Thread: any.
 */
#ifndef PICKET_SERVICE_MESSAGE_JSON_H
#define PICKET_SERVICE_MESSAGE_JSON_H

#include <jansson.h>

#include "picket/wire/decoder.h"

/* {"security_module_id": ..., "events": [...]} */
json_t *picket_message_json(const struct picket_wire_message_view *view);

/* {"id": ..., "time": ..., "payload_type": "Heartbeat", "payload": {...}} */
json_t *picket_event_json(const struct picket_wire_event_view *event);

/* What is under "payload": null for an unknown type. */
json_t *picket_payload_json(const struct picket_wire_event_view *event);

/* The schema's name of a payload type, "NetworkActivity"; NULL if it has none. */
const char *picket_payload_name(uint8_t payload_type);

#endif

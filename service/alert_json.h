/* An alert as the JSON that people and programs get: API, webhook and file say the same.
 * docs/outputs.md describes the members.
 *
 * Thread: pure function.
 */
#ifndef SERVICE_ALERT_JSON_H
#define SERVICE_ALERT_JSON_H

#include <jansson.h>

#include "picket/store/store.h"

/* A new reference, or NULL when memory is short. Text that is not UTF-8 is made printable; evidence
 * that is not a JSON object is left out. */
json_t *picket_alert_json(const struct picket_alert *alert);

#endif

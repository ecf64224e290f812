/* What would silence an alert: commands that can be copied, and what each would do.
 *
 * Thread: pure function.
 */
#ifndef SERVICE_SILENCE_H
#define SERVICE_SILENCE_H

#include <jansson.h>

/* alert: as picket_alert_json() has it, open ones and closed ones alike; indicators: of its last
 * evidence, as the API's explanation has them. [{"command": "picket …", "effect": "…"}]; what the
 * owner has to fill in is in capitals. NULL: no memory. */
json_t *silence_json(const json_t *alert, const json_t *indicators);

#endif

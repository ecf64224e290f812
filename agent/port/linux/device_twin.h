/* The device twin of this agent: what its owner desires is applied to the agent, and each property
 * is answered among what the device reports, in the form of IoT Plug and Play:
 *
 *     desired    "NetworkActivity_Disabled": true
 *     reported   "NetworkActivity_Disabled": {"value": true, "ac": 200, "av": 7}
 *
 * ac 200: applied, 400: the value cannot be, and "ad" says what was expected; av: the version of
 * what is desired. Names that are not the agent's are passed over: others share the twin.
 *
 *     connected ─▶ the whole is asked for ─▶ applied, what is answered otherwise reported
 *               ─▶ changes as they come   ─▶ the same
 *
 * Source: docs/hub.md; picket/agent/properties.h. Thread: the agent's polling one.
 */
#ifndef PICKET_AGENT_LINUX_DEVICE_TWIN_H
#define PICKET_AGENT_LINUX_DEVICE_TWIN_H

#include <stddef.h>
#include <stdint.h>

#include "picket/agent/properties.h"
#include "picket/base/error.h"

#define DEVICE_TWIN_ASK_TOPIC    "$iothub/twin/GET/?$rid=0"
#define DEVICE_TWIN_REPORT_TOPIC "$iothub/twin/PATCH/properties/reported/?$rid=1"

enum { DEVICE_TWIN_NEVER = -1, DEVICE_TWIN_AGAIN_S = 30 };

struct device_twin {
    struct picket_agent *agent;
    struct picket_properties properties;
    void *answers;   /* json_t *: by name, {"value":…,"ac":…}; without ac: not the agent's */
    int64_t version; /* the newest of what is desired that this connection told of */
};

/* Of an agent that has been started. */
int device_twin_init(struct device_twin *twin, struct picket_agent *agent,
                     struct picket_error *error);
void device_twin_free(struct device_twin *twin);

/* On a new connection versions begin anew: the device may have been enrolled again. */
void device_twin_connected(struct device_twin *twin);

struct device_twin_orders {
    char *report; /* a patch for DEVICE_TWIN_REPORT_TOPIC, for the caller to free; NULL: none */
    int ask_in_s; /* ask for the whole then, by DEVICE_TWIN_ASK_TOPIC; DEVICE_TWIN_NEVER */
};

/* What came on a topic of the twin; of anything else nothing follows. */
void device_twin_take(struct device_twin *twin, const char *topic, const char *payload,
                      size_t payload_bytes, struct device_twin_orders *orders);

#endif

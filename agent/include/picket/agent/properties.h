/* The agent's configuration by name and value, as a device twin's desired properties bring it.
 * Names and values are those of the Defender-IoT micro-agents.
 *
 *     CollectorsCore_PriorityIntervals    "30,60,1440"   high, medium, low in minutes;
 * "10s,30s,60s": seconds <Collector>_Disabled                true or false
 *     <Collector>_MessageFrequency        "High", "Medium" or "Low": the collector's priority group
 *     SystemInformation_HardwareVendor, _HardwareModel, _HardwareSerialNumber,
 *     SystemInformation_FirmwareVendor, _FirmwareVersion
 *                                         text, up to PICKET_PROPERTY_TEXT_BYTES - 1 bytes of
 * printable ASCII
 *
 * with the collectors NetworkActivity, SystemInformation, ListeningPorts, Heartbeat. null, which is
 * how a twin takes a property away, restores what the agent was started with.
 *
 * Optional: who does not call it does not pay for it. Thread: the polling one.
 */
#ifndef PICKET_AGENT_PROPERTIES_H
#define PICKET_AGENT_PROPERTIES_H

#include "picket/agent/agent.h"

enum { PICKET_PROPERTY_TEXT_BYTES = 32, PICKET_IDENTITY_PARTS = 5 };

/* The caller's storage, as long as the agent runs. */
struct picket_properties {
    struct picket_agent *agent;

    /* What the agent was started with. */
    uint32_t interval_s[PICKET_PRIORITIES];
    struct picket_collector_config collectors[PICKET_COLLECTORS];
    const struct picket_wire_system_information *system_information;

    /* What properties say of the device, in the order of the list above, and all of it together. */
    char parts[PICKET_IDENTITY_PARTS][PICKET_PROPERTY_TEXT_BYTES];
    char identity[PICKET_IDENTITY_PARTS * PICKET_PROPERTY_TEXT_BYTES];
    struct picket_wire_system_information described; /* with it */
};

/* Of an agent that has been started. */
void picket_properties_init(struct picket_properties *properties, struct picket_agent *agent);

/* What a value is in JSON. */
enum picket_property_kind {
    PICKET_PROPERTY_NULL,
    PICKET_PROPERTY_TRUE,
    PICKET_PROPERTY_FALSE,
    PICKET_PROPERTY_STRING, /* without its quotes, unescaped */
    PICKET_PROPERTY_OTHER   /* a number, an object, an array */
};

enum picket_property_result {
    PICKET_PROPERTY_APPLIED,
    PICKET_PROPERTY_UNKNOWN, /* not one of the agent's: another's, or a newer agent's */
    PICKET_PROPERTY_INVALID  /* the value cannot be; nothing has changed */
};

/* Applies one property. name and value need no NUL; value is read for PICKET_PROPERTY_STRING only.
 * Before the first of a set of changes, call picket_agent_flush(): what is unsent goes out as it
 * was collected. */
enum picket_property_result picket_properties_apply(struct picket_properties *properties,
                                                    const char *name, size_t name_bytes,
                                                    enum picket_property_kind kind,
                                                    const char *value, size_t value_bytes);

#endif

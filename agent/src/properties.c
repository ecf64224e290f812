#include "picket/agent/properties.h"

#include <string.h>

#include "schedule.h"

enum action { SET_INTERVALS, SET_DISABLED, SET_FREQUENCY, SET_IDENTITY };

static const struct {
    const char *name;
    uint8_t action;
    uint8_t which; /* collector, or part of the identity */
} known[] = {
    {"CollectorsCore_PriorityIntervals", SET_INTERVALS, 0},
    {"NetworkActivity_Disabled", SET_DISABLED, PICKET_COLLECTOR_NETWORK_ACTIVITY},
    {"NetworkActivity_MessageFrequency", SET_FREQUENCY, PICKET_COLLECTOR_NETWORK_ACTIVITY},
    {"SystemInformation_Disabled", SET_DISABLED, PICKET_COLLECTOR_SYSTEM_INFORMATION},
    {"SystemInformation_MessageFrequency", SET_FREQUENCY, PICKET_COLLECTOR_SYSTEM_INFORMATION},
    {"Heartbeat_Disabled", SET_DISABLED, PICKET_COLLECTOR_HEARTBEAT},
    {"Heartbeat_MessageFrequency", SET_FREQUENCY, PICKET_COLLECTOR_HEARTBEAT},
#if PICKET_AGENT_LISTENING_PORTS > 0
    {"ListeningPorts_Disabled", SET_DISABLED, PICKET_COLLECTOR_LISTENING_PORTS},
    {"ListeningPorts_MessageFrequency", SET_FREQUENCY, PICKET_COLLECTOR_LISTENING_PORTS},
#endif
    {"SystemInformation_HardwareVendor", SET_IDENTITY, 0},
    {"SystemInformation_HardwareModel", SET_IDENTITY, 1},
    {"SystemInformation_HardwareSerialNumber", SET_IDENTITY, 2},
    {"SystemInformation_FirmwareVendor", SET_IDENTITY, 3},
    {"SystemInformation_FirmwareVersion", SET_IDENTITY, 4},
};

struct value {
    enum picket_property_kind kind;
    const char *text;
    size_t size_bytes;
};

void picket_properties_init(struct picket_properties *properties, struct picket_agent *agent)
{
    memset(properties, 0, sizeof *properties);
    properties->agent = agent;
    memcpy(properties->interval_s, agent->interval_s, sizeof properties->interval_s);
    memcpy(properties->collectors, agent->collectors, sizeof properties->collectors);
    properties->system_information = agent->system_information;
}

static bool same_text(const char *name, const char *text, size_t size_bytes)
{
    size_t i = 0;
    while (i < size_bytes && name[i] != '\0' && name[i] == text[i])
        i++;
    return i == size_bytes && name[i] == '\0';
}

/* ---- intervals ---- */

/* A number of minutes, or of seconds if an s follows. Returns what is behind it, or NULL. */
static const char *read_time(const char *at, const char *end, uint32_t *seconds)
{
    uint32_t number = 0;
    const char *digits = at;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        if (number > PICKET_TIME_MAX_S / 10 - 1)
            return NULL;
        number = number * 10 + (uint32_t)(*at - '0');
    }
    if (at == digits)
        return NULL;
    bool is_seconds = at < end && *at == 's';
    if (!is_seconds && number > PICKET_TIME_MAX_S / 60)
        return NULL;
    *seconds = is_seconds ? number : number * 60;
    return at + is_seconds;
}

static bool set_intervals(struct picket_properties *properties, const struct value *value)
{
    uint32_t interval_s[PICKET_PRIORITIES];
    const char *at = value->text;
    const char *end = value->text + value->size_bytes;
    if (value->kind == PICKET_PROPERTY_NULL)
        return picket_agent_set_intervals(properties->agent, properties->interval_s);
    if (value->kind != PICKET_PROPERTY_STRING)
        return false;
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++) {
        if (priority > 0 && (at == end || *at++ != ','))
            return false;
        at = read_time(at, end, &interval_s[priority]);
        if (at == NULL)
            return false;
    }
    if (at != end)
        return false;
    return picket_agent_set_intervals(properties->agent, interval_s);
}

/* ---- collectors ---- */

static bool set_disabled(struct picket_properties *properties, unsigned collector,
                         const struct value *value)
{
    struct picket_collector_config config = properties->agent->collectors[collector];
    if (value->kind == PICKET_PROPERTY_NULL)
        config.enabled = properties->collectors[collector].enabled;
    else if (value->kind == PICKET_PROPERTY_TRUE || value->kind == PICKET_PROPERTY_FALSE)
        config.enabled = value->kind == PICKET_PROPERTY_FALSE;
    else
        return false;
    return picket_agent_set_collector(properties->agent, (enum picket_collector)collector, &config);
}

static bool set_frequency(struct picket_properties *properties, unsigned collector,
                          const struct value *value)
{
    static const char *const names[PICKET_PRIORITIES] = {"High", "Medium", "Low"};
    struct picket_collector_config config = properties->agent->collectors[collector];
    unsigned priority = PICKET_PRIORITIES;
    if (value->kind == PICKET_PROPERTY_NULL)
        priority = properties->collectors[collector].priority;
    for (unsigned i = 0; value->kind == PICKET_PROPERTY_STRING && i < PICKET_PRIORITIES; i++)
        if (same_text(names[i], value->text, value->size_bytes))
            priority = i;
    config.priority = (uint8_t)priority;
    return picket_agent_set_collector(properties->agent, (enum picket_collector)collector, &config);
}

/* ---- identity ---- */

static void describe(struct picket_properties *properties)
{
    char *out = properties->identity;
    for (unsigned i = 0; i < PICKET_IDENTITY_PARTS; i++) {
        const char *part = properties->parts[i];
        if (*part != '\0' && out != properties->identity)
            *out++ = ' ';
        while (*part != '\0')
            *out++ = *part++;
    }
    *out = '\0';
    if (properties->system_information != NULL)
        properties->described = *properties->system_information;
    properties->described.hw_info = properties->identity;
    bool any = out != properties->identity;
    properties->agent->system_information =
        any ? &properties->described : properties->system_information;
}

static bool set_identity(struct picket_properties *properties, unsigned which,
                         const struct value *value)
{
    char *part = properties->parts[which];
    size_t size_bytes = value->kind == PICKET_PROPERTY_STRING ? value->size_bytes : 0;
    if ((value->kind != PICKET_PROPERTY_STRING && value->kind != PICKET_PROPERTY_NULL) ||
        size_bytes >= PICKET_PROPERTY_TEXT_BYTES)
        return false;
    for (size_t i = 0; i < size_bytes; i++)
        if (value->text[i] < ' ' || value->text[i] > '~')
            return false;
    for (size_t i = 0; i < size_bytes; i++)
        part[i] = value->text[i];
    part[size_bytes] = '\0';
    describe(properties);
    return true;
}

/* ---- by name ---- */

static bool apply(struct picket_properties *properties, enum action action, unsigned which,
                  const struct value *value)
{
    switch (action) {
    case SET_INTERVALS:
        return set_intervals(properties, value);
    case SET_DISABLED:
        return set_disabled(properties, which, value);
    case SET_FREQUENCY:
        return set_frequency(properties, which, value);
    default:
        return set_identity(properties, which, value);
    }
}

enum picket_property_result picket_properties_apply(struct picket_properties *properties,
                                                    const char *name, size_t name_bytes,
                                                    enum picket_property_kind kind,
                                                    const char *value, size_t value_bytes)
{
    const struct value given = {kind, value, value_bytes};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!same_text(known[i].name, name, name_bytes))
            continue;
        bool applied = apply(properties, (enum action)known[i].action, known[i].which, &given);
        return applied ? PICKET_PROPERTY_APPLIED : PICKET_PROPERTY_INVALID;
    }
    return PICKET_PROPERTY_UNKNOWN;
}

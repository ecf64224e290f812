#include "dialect.h"

#include <string.h>

/* Skips devices/DEVICE/ or devices/DEVICE/modules/MODULE/. */
static bool skip_own(struct slice *topic, const char *device, const char *module)
{
    if (!slice_skip(topic, "devices/") || !slice_equals(slice_cut(topic, '/'), device))
        return false;
    if (module[0] == '\0')
        return true;
    return slice_skip(topic, "modules/") && slice_equals(slice_cut(topic, '/'), module);
}

enum dialect_topic dialect_published(struct slice topic, const char *device, const char *module,
                                     struct slice *bag)
{
    *bag = (struct slice){"", 0};
    if (slice_skip(&topic, "$iothub/twin/GET/") ||
        slice_skip(&topic, "$iothub/twin/PATCH/properties/reported/"))
        return DIALECT_TWIN_REQUEST;
    if (slice_skip(&topic, "$iothub/methods/res/"))
        return DIALECT_METHOD_RESULT;
    if (!skip_own(&topic, device, module) || !slice_skip(&topic, "messages/events"))
        return DIALECT_FOREIGN_TOPIC;
    if (topic.size == 0)
        return DIALECT_EVENTS;
    if (!slice_skip(&topic, "/"))
        return DIALECT_FOREIGN_TOPIC;
    if (topic.size > 0 && topic.bytes[topic.size - 1] == '/')
        topic.size--;
    if (topic.size > 0)
        *bag = topic;
    return DIALECT_EVENTS;
}

static enum dialect_filter own_filter(struct slice filter, const char *device, const char *module)
{
    struct slice device_bound = filter;
    if (slice_skip(&device_bound, "devices/")) {
        struct slice id = slice_cut(&device_bound, '/');
        if ((slice_equals(id, "+") || slice_equals(id, device)) &&
            slice_equals(device_bound, "messages/devicebound/#"))
            return DIALECT_DEVICE_BOUND;
    }
    if (module[0] == '\0' || !skip_own(&filter, device, module))
        return DIALECT_FOREIGN_FILTER;
    if (slice_equals(filter, "#"))
        return DIALECT_MODULE_ALL;
    return slice_equals(filter, "inputs/#") ? DIALECT_MODULE_INPUTS : DIALECT_FOREIGN_FILTER;
}

enum dialect_filter dialect_filtered(struct slice filter, const char *device, const char *module)
{
    if (slice_equals(filter, "$iothub/twin/res/#"))
        return DIALECT_TWIN_RESULTS;
    if (slice_equals(filter, "$iothub/twin/PATCH/properties/desired/#"))
        return DIALECT_TWIN_DESIRED;
    if (slice_equals(filter, "$iothub/methods/POST/#"))
        return DIALECT_METHODS;
    return own_filter(filter, device, module);
}

bool dialect_bag_append(char *bag, size_t *size, size_t capacity, const char *property)
{
    size_t added = strlen(property);
    size_t separator = *size > 0 ? 1 : 0;
    if (capacity - *size < added + separator)
        return false;
    if (separator > 0)
        bag[(*size)++] = '&';
    memcpy(bag + *size, property, added);
    *size += added;
    return true;
}

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

static const char twin_get[] = "$iothub/twin/GET/";
static const char twin_report[] = "$iothub/twin/PATCH/properties/reported/";
static const char method_result[] = "$iothub/methods/res/";

enum dialect_topic dialect_published(struct slice topic, const char *device, const char *module,
                                     struct slice *bag)
{
    *bag = (struct slice){"", 0};
    if (slice_skip(&topic, twin_get))
        return DIALECT_TWIN_GET;
    if (slice_skip(&topic, twin_report))
        return DIALECT_TWIN_REPORT;
    if (slice_skip(&topic, method_result))
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

/* STATUS/ at the begin of a method result; devices use more than HTTP's. */
static bool cut_status(struct slice *topic, int *status)
{
    struct slice digits = slice_cut(topic, '/');
    bool negative = slice_skip(&digits, "-");
    if (digits.size == 0 || digits.size > 9)
        return false;
    *status = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
            return false;
        *status = *status * 10 + (digits.bytes[i] - '0');
    }
    *status = negative ? -*status : *status;
    return true;
}

const char *dialect_request_parse(struct dialect_request *request, struct slice topic)
{
    *request = (struct dialect_request){.rid = {"", 0}};
    if (slice_skip(&topic, method_result)) {
        if (!cut_status(&topic, &request->status))
            return "its topic has no status";
    } else if (!slice_skip(&topic, twin_get)) {
        slice_skip(&topic, twin_report);
    }
    if (!slice_skip(&topic, "?"))
        return "its topic has no ?$rid=";
    while (topic.size > 0 && request->rid.size == 0) {
        struct slice field = slice_cut(&topic, '&');
        if (slice_skip(&field, "$rid="))
            request->rid = field;
    }
    if (request->rid.size == 0)
        return "its topic has no ?$rid=";
    return request->rid.size <= DIALECT_RID_BYTES_MAX ? NULL : "its $rid exceeds 128 bytes";
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

#include "route.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "picket/base/properties.h"

enum { SENDER_BYTES = 2 * 128 + 2 };

/* A pattern with / is of DEVICE/MODULE, the module being empty for the device itself. */
static bool fits(const char *pattern, const struct picket_log_message *message)
{
    char sender[SENDER_BYTES];
    if (strchr(pattern, '/') == NULL)
        return fnmatch(pattern, message->device, 0) == 0;
    snprintf(sender, sizeof sender, "%s/%s", message->device, message->module);
    return fnmatch(pattern, sender, FNM_PATHNAME) == 0;
}

static bool is_of_devices(const struct picket_route_filter *filter,
                          const struct picket_log_message *message)
{
    for (size_t i = 0; i < filter->device_count; i++)
        if (fits(filter->devices[i], message))
            return true;
    return filter->device_count == 0;
}

bool route_takes(const struct picket_route_filter *filter, const struct picket_log_message *message)
{
    for (size_t i = 0; i < filter->property_count; i++)
        if (!picket_properties_have(message->properties, filter->properties[i].name,
                                    filter->properties[i].value))
            return false;
    return is_of_devices(filter, message);
}

#include "user_name.h"

#include <string.h>

static bool begins_query(struct slice segment)
{
    return slice_skip(&segment, "?") || slice_skip(&segment, "api-version=");
}

const char *user_name_parse(struct user_name *name, struct slice text)
{
    memset(name, 0, sizeof *name);
    name->host = slice_cut(&text, '/');
    name->device = slice_cut(&text, '/');
    if (name->host.size == 0 || name->device.size == 0)
        return "is not HOST/DEVICE[/MODULE]/?api-version=…";
    if (text.size > 0 && !begins_query(text))
        name->module = slice_cut(&text, '/');
    if (text.size > 0 && !begins_query(text))
        return "has more parts than host, device and module";
    slice_skip(&text, "?");
    name->query = text;
    return NULL;
}

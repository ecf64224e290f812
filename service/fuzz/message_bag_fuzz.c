/* The property bag of a message: any text as one is an object; and any name and value, put into
 * one, come out of it as they were, unless they do not fit or are no UTF-8. The input up to a NUL
 * is a name, up to the next a value, the rest a bag. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/message_bag.h"

enum { BAG_BYTES = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool is_utf8(const char *text)
{
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

static void try_pair(const char *name, const char *value)
{
    char bag[BAG_BYTES] = "";
    if (!message_bag_add(bag, sizeof bag, name, value))
        return;
    check(strlen(bag) < sizeof bag && strpbrk(bag, "/+# ") == NULL);
    json_t *object = message_bag_json(bag);
    check(json_is_object(object));
    if (*name && is_utf8(name) && is_utf8(value)) {
        const char *found = json_string_value(json_object_get(object, name));
        check(found != NULL && strcmp(found, value) == 0);
    }
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 3);
    memcpy(text, data, size);
    memset(text + size, 0, 3);
    const char *name = text, *value = name + strlen(name) + 1;
    const char *bag = value < text + size ? value + strlen(value) + 1 : value;
    try_pair(name, value);
    json_t *object = message_bag_json(bag <= text + size ? bag : "");
    check(json_is_object(object));
    json_decref(object);
    free(text);
    return 0;
}

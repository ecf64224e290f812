#include "message_bag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static bool is_plain(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') ||
           (character != '\0' && strchr("-._~", character) != NULL);
}

static bool append_encoded(char *bag, size_t size_bytes, const char *text)
{
    size_t used = strlen(bag);
    for (; *text; text++) {
        size_t needed = is_plain(*text) ? 1 : 3;
        if (used + needed >= size_bytes)
            return false;
        used += (size_t)snprintf(bag + used, size_bytes - used, needed == 1 ? "%c" : "%%%02X",
                                 needed == 1 ? *text : (unsigned char)*text);
    }
    return true;
}

static bool append_character(char *bag, size_t size_bytes, char character)
{
    size_t used = strlen(bag);
    if (used + 1 >= size_bytes)
        return false;
    bag[used] = character;
    bag[used + 1] = '\0';
    return true;
}

bool message_bag_add(char *bag, size_t size_bytes, const char *name, const char *value)
{
    return (!*bag || append_character(bag, size_bytes, '&')) &&
           append_encoded(bag, size_bytes, name) && append_character(bag, size_bytes, '=') &&
           append_encoded(bag, size_bytes, value);
}

static int hexadecimal(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* In place; what is no escape stays. Returns the length. */
static size_t decode(char *text, size_t length)
{
    size_t out = 0;
    for (size_t in = 0; in < length; in++, out++) {
        int high = text[in] == '%' && in + 2 < length ? hexadecimal(text[in + 1]) : -1;
        int low = high >= 0 ? hexadecimal(text[in + 2]) : -1;
        text[out] = low >= 0 ? (char)(high * 16 + low) : text[in];
        in += low >= 0 ? 2 : 0;
    }
    text[out] = '\0';
    return out;
}

static void add_pair(json_t *object, char *pair)
{
    char *equals = strchr(pair, '=');
    char *value = equals ? equals + 1 : pair + strlen(pair);
    size_t value_length = decode(value, strlen(value));
    if (equals)
        *equals = '\0';
    size_t name_length = decode(pair, strlen(pair));
    json_t *name = text_json(pair, name_length);
    if (name)
        json_object_set_new(object, json_string_value(name), text_json(value, value_length));
    json_decref(name);
}

json_t *message_bag_json(const char *bag)
{
    json_t *object = json_object();
    char *copy = strdup(bag), *rest = copy;
    for (char *pair; copy && (pair = strsep(&rest, "&"));)
        if (*pair)
            add_pair(object, pair);
    free(copy);
    return object;
}

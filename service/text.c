#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The size of the UTF-8 character (RFC 3629) at the start of text, or 0 if there is none. */
static size_t character_size(const uint8_t *text, size_t size)
{
    uint8_t first = text[0];
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return size >= 2 && is_continuation(text[1]) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        if (size < 3 || !is_continuation(text[1]) || !is_continuation(text[2]))
            return 0;
        bool overlong = first == 0xe0 && text[1] < 0xa0;
        bool surrogate = first == 0xed && text[1] >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if (size < 4 || !is_continuation(text[1]) || !is_continuation(text[2]) ||
            !is_continuation(text[3]))
            return 0;
        bool overlong = first == 0xf0 && text[1] < 0x90;
        bool beyond = first == 0xf4 && text[1] >= 0x90;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

char *text_clean(const char *text, size_t size_bytes, char *out, size_t out_bytes)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t written = 0;
    for (size_t i = 0; i < size_bytes;) {
        size_t character = character_size(bytes + i, size_bytes - i);
        bool keep = character > 1 || (character == 1 && bytes[i] >= 0x20 && bytes[i] != 0x7f);
        size_t size = keep ? character : 1;
        if (written + size >= out_bytes)
            break;
        if (keep)
            memcpy(out + written, text + i, size);
        else
            out[written] = '?';
        written += size;
        i += character > 0 ? character : 1;
    }
    out[written] = '\0';
    return out;
}

json_t *text_json(const char *text, size_t size_bytes)
{
    json_t *string = json_stringn(text, size_bytes);
    if (string != NULL && memchr(text, '\0', size_bytes) == NULL)
        return string;
    json_decref(string);
    char *clean = malloc(size_bytes + 1);
    if (clean == NULL)
        return NULL;
    string = json_string(text_clean(text, size_bytes, clean, size_bytes + 1));
    free(clean);
    return string;
}

const char *text_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

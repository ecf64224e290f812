#include "slice.h"

#include <string.h>
#include <strings.h>

#include "picket/base/hexadecimal.h"

struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

bool slice_equals(struct slice slice, const char *text)
{
    size_t size = strlen(text);
    return slice.size == size && (size == 0 || memcmp(slice.bytes, text, size) == 0);
}

bool slice_equals_ignoring_case(struct slice slice, const char *text)
{
    size_t size = strlen(text);
    return slice.size == size && (size == 0 || strncasecmp(slice.bytes, text, size) == 0);
}

bool slice_skip(struct slice *slice, const char *text)
{
    size_t size = strlen(text);
    if (slice->size < size || (size > 0 && memcmp(slice->bytes, text, size) != 0))
        return false;
    slice->bytes += size;
    slice->size -= size;
    return true;
}

struct slice slice_cut(struct slice *rest, char separator)
{
    struct slice head = *rest;
    const char *found = rest->size > 0 ? memchr(rest->bytes, separator, rest->size) : NULL;
    if (found == NULL) {
        *rest = (struct slice){NULL, 0};
        return head;
    }
    head.size = (size_t)(found - head.bytes);
    rest->bytes = found + 1;
    rest->size -= head.size + 1;
    return head;
}

char *slice_copy(char **at, struct slice slice)
{
    char *copy = *at;
    if (slice.size > 0)
        memcpy(copy, slice.bytes, slice.size);
    copy[slice.size] = '\0';
    *at += slice.size + 1;
    return copy;
}

long slice_percent_decode(struct slice slice, char *out, size_t out_size)
{
    size_t written = 0;
    for (size_t i = 0; i < slice.size; i++) {
        char byte = slice.bytes[i];
        if (byte == '%') {
            if (slice.size - i < 3)
                return -1;
            int high = picket_hexadecimal_digit(slice.bytes[i + 1]);
            int low = picket_hexadecimal_digit(slice.bytes[i + 2]);
            if (high < 0 || low < 0)
                return -1;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        if (written == out_size)
            return -1;
        out[written++] = byte;
    }
    return (long)written;
}

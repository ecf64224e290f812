#include "picket/store/thumbprint.h"

#include <stdio.h>
#include <string.h>

#include "picket/base/hexadecimal.h"

/* Two digits; false if they are none. */
static bool parse_byte(const char *text, uint8_t *byte)
{
    int high = picket_hexadecimal_digit(text[0]);
    int low = high >= 0 ? picket_hexadecimal_digit(text[1]) : -1;
    *byte = (uint8_t)(high * 16 + low);
    return low >= 0;
}

bool picket_thumbprint_parse(struct picket_thumbprint *thumbprint, const char *text)
{
    struct picket_thumbprint parsed = {{0}, 0};
    memset(thumbprint, 0, sizeof *thumbprint);
    while (*text != '\0') {
        if (parsed.size_bytes > 0 && (*text == ':' || *text == ' '))
            text++;
        if (parsed.size_bytes == sizeof parsed.bytes ||
            !parse_byte(text, &parsed.bytes[parsed.size_bytes]))
            return false;
        parsed.size_bytes++;
        text += 2;
    }
    if (parsed.size_bytes != PICKET_THUMBPRINT_SHA1_BYTES &&
        parsed.size_bytes != PICKET_THUMBPRINT_SHA256_BYTES)
        return false;
    *thumbprint = parsed;
    return true;
}

char *picket_thumbprint_format(const struct picket_thumbprint *thumbprint, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < thumbprint->size_bytes; i++)
        snprintf(out + 2 * i, 3, "%02X", thumbprint->bytes[i]);
    return out;
}

bool picket_thumbprint_equals(const struct picket_thumbprint *one,
                              const struct picket_thumbprint *other)
{
    return one->size_bytes == other->size_bytes &&
           memcmp(one->bytes, other->bytes, one->size_bytes) == 0;
}

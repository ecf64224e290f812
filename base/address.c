#include "picket/base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static int family_of(const struct picket_address *address)
{
    return address->family == 4 ? AF_INET : AF_INET6;
}

static uint8_t bits_of(const struct picket_address *address)
{
    return address->family == 4 ? 32 : 128;
}

struct picket_address picket_address_ipv4(const uint8_t bytes[4])
{
    struct picket_address address = {.family = 4};
    memcpy(address.bytes, bytes, 4);
    return address;
}

struct picket_address picket_address_ipv6(const uint8_t bytes[16])
{
    struct picket_address address = {.family = 6};
    memcpy(address.bytes, bytes, 16);
    return address;
}

bool picket_address_parse(struct picket_address *address, const char *text, size_t size_bytes)
{
    char copy[PICKET_ADDRESS_TEXT_BYTES];
    if (size_bytes == 0 || size_bytes >= sizeof copy || memchr(text, '\0', size_bytes) != NULL)
        return false;
    memcpy(copy, text, size_bytes);
    copy[size_bytes] = '\0';
    memset(address, 0, sizeof *address);
    address->family = memchr(copy, ':', size_bytes) != NULL ? 6 : 4;
    return inet_pton(family_of(address), copy, address->bytes) == 1;
}

char *picket_address_format(const struct picket_address *address, char *out)
{
    if (inet_ntop(family_of(address), address->bytes, out, PICKET_ADDRESS_TEXT_BYTES) == NULL)
        out[0] = '\0';
    return out;
}

static bool parse_length(const char *text, size_t size_bytes, uint8_t max, uint8_t *length)
{
    unsigned value = 0;
    if (size_bytes == 0 || size_bytes > 3 || (size_bytes > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *length = (uint8_t)value;
    return value <= max;
}

bool picket_prefix_parse(struct picket_prefix *prefix, const char *text, size_t size_bytes)
{
    const char *slash = size_bytes > 0 ? memchr(text, '/', size_bytes) : NULL;
    size_t address_bytes = slash != NULL ? (size_t)(slash - text) : size_bytes;
    memset(prefix, 0, sizeof *prefix);
    if (!picket_address_parse(&prefix->address, text, address_bytes))
        return false;
    uint8_t bits = bits_of(&prefix->address);
    prefix->length = bits;
    if (slash != NULL &&
        !parse_length(slash + 1, size_bytes - address_bytes - 1, bits, &prefix->length))
        return false;
    picket_prefix_mask(prefix);
    return true;
}

char *picket_prefix_format(const struct picket_prefix *prefix, char *out)
{
    size_t used = strlen(picket_address_format(&prefix->address, out));
    snprintf(out + used, PICKET_PREFIX_TEXT_BYTES - used, "/%u", prefix->length);
    return out;
}

void picket_prefix_mask(struct picket_prefix *prefix)
{
    unsigned whole = prefix->length / 8;
    if (whole >= sizeof prefix->address.bytes)
        return;
    prefix->address.bytes[whole] &= (uint8_t)(0xff00 >> (prefix->length % 8));
    memset(prefix->address.bytes + whole + 1, 0, sizeof prefix->address.bytes - whole - 1);
}

bool picket_prefix_covers(const struct picket_prefix *prefix, const struct picket_address *address)
{
    if (prefix->address.family != address->family)
        return false;
    unsigned whole = prefix->length / 8;
    if (memcmp(prefix->address.bytes, address->bytes, whole) != 0)
        return false;
    unsigned rest = prefix->length % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return rest == 0 || ((prefix->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

#include "indicator_block.h"

#include <string.h>

enum {
    HAS_IPV6 = 1,
    HAS_PORT = 2,
    HAS_LENGTH = 4,
    HAS_CONFIDENCE = 8,
    HAS_FIRST_SEEN = 16,
    HAS_VALID_UNTIL = 32,
    HAS_TAGS = 64,
    HEAD_KNOWN = 127,
};

void indicator_coder_start(struct indicator_coder *coder)
{
    *coder = (struct indicator_coder){.tags = ""};
}

/* ---- numbers ---- */

static uint8_t *put_number(uint8_t *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *out++ = (uint8_t)(number | 0x80);
    *out++ = (uint8_t)number;
    return out;
}

static bool take_number(uint64_t *number, const uint8_t **at, const uint8_t *end)
{
    *number = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* Differences wrap around, and back again when they are added. */
static uint8_t *put_difference(uint8_t *out, int64_t value, int64_t before)
{
    uint64_t difference = (uint64_t)value - (uint64_t)before;
    return put_number(out, difference << 1 ^ (0 - (difference >> 63)));
}

static bool take_difference(int64_t *value, const uint8_t **at, const uint8_t *end)
{
    uint64_t zigzag;
    if (!take_number(&zigzag, at, end))
        return false;
    uint64_t sum = (uint64_t)*value + (zigzag >> 1 ^ (0 - (zigzag & 1)));
    memcpy(value, &sum, sizeof sum);
    return true;
}

/* ---- packing ---- */

static uint8_t single_length(uint8_t head)
{
    return head & HAS_IPV6 ? 128 : 32;
}

static uint8_t head_of(const struct indicator_coder *coder,
                       const struct picket_indicator *indicator)
{
    uint8_t head = indicator->prefix.address.family == 6 ? HAS_IPV6 : 0;
    head |= indicator->port != 0 ? HAS_PORT : 0;
    head |= indicator->prefix.length != single_length(head) ? HAS_LENGTH : 0;
    head |= indicator->confidence != coder->confidence ? HAS_CONFIDENCE : 0;
    head |= indicator->first_seen_ms != coder->first_seen_ms ? HAS_FIRST_SEEN : 0;
    head |= indicator->valid_until_ms != coder->valid_until_ms ? HAS_VALID_UNTIL : 0;
    head |= strcmp(indicator->tags, coder->tags) != 0 ? HAS_TAGS : 0;
    return head;
}

static void remember(struct indicator_coder *coder, const struct picket_indicator *indicator)
{
    coder->confidence = indicator->confidence;
    coder->first_seen_ms = indicator->first_seen_ms;
    coder->valid_until_ms = indicator->valid_until_ms;
    coder->line = indicator->line;
    coder->tags = indicator->tags;
}

size_t indicator_pack(struct indicator_coder *coder, const struct picket_indicator *indicator,
                      uint8_t *out)
{
    uint8_t head = head_of(coder, indicator), *at = out;
    size_t address_bytes = head & HAS_IPV6 ? 16 : 4;
    *at++ = head;
    memcpy(at, indicator->prefix.address.bytes, address_bytes);
    at = put_difference(at + address_bytes, indicator->line, coder->line);
    if (head & HAS_PORT) {
        *at++ = (uint8_t)indicator->port;
        *at++ = (uint8_t)(indicator->port >> 8);
    }
    if (head & HAS_LENGTH)
        *at++ = indicator->prefix.length;
    if (head & HAS_CONFIDENCE)
        *at++ = indicator->confidence;
    if (head & HAS_FIRST_SEEN)
        at = put_difference(at, indicator->first_seen_ms, coder->first_seen_ms);
    if (head & HAS_VALID_UNTIL)
        at = put_difference(at, indicator->valid_until_ms, coder->valid_until_ms);
    if (head & HAS_TAGS) {
        size_t size = strlen(indicator->tags) + 1;
        at = put_number(at, size);
        memcpy(at, indicator->tags, size);
        at += size;
    }
    remember(coder, indicator);
    return (size_t)(at - out);
}

/* ---- unpacking ---- */

static bool take_prefix(struct picket_prefix *prefix, uint8_t head, const uint8_t **at,
                        const uint8_t *end)
{
    ptrdiff_t size = head & HAS_IPV6 ? 16 : 4;
    if (end - *at < size)
        return false;
    prefix->address = head & HAS_IPV6 ? picket_address_ipv6(*at) : picket_address_ipv4(*at);
    *at += size;
    return true;
}

static bool take_line(struct indicator_coder *coder, const uint8_t **at, const uint8_t *end)
{
    int64_t line = coder->line;
    if (!take_difference(&line, at, end) || line < 0 || line > UINT32_MAX)
        return false;
    coder->line = (uint32_t)line;
    return true;
}

static bool take_byte(uint8_t *value, const uint8_t **at, const uint8_t *end)
{
    if (*at == end)
        return false;
    *value = *(*at)++;
    return true;
}

static bool take_port(uint16_t *port, const uint8_t **at, const uint8_t *end)
{
    uint8_t low, high;
    if (!take_byte(&low, at, end) || !take_byte(&high, at, end))
        return false;
    *port = (uint16_t)(low | high << 8);
    return true;
}

static bool take_tags(const char **tags, const uint8_t **at, const uint8_t *end)
{
    uint64_t size;
    if (!take_number(&size, at, end) || size == 0 || size > (uint64_t)(end - *at))
        return false;
    if (memchr(*at, '\0', size) != *at + size - 1)
        return false;
    *tags = (const char *)*at;
    *at += size;
    return true;
}

/* What only some have; the rest is as before. */
static bool take_optional(struct indicator_coder *coder, struct picket_indicator *indicator,
                          uint8_t head, const uint8_t **at, const uint8_t *end)
{
    indicator->port = 0;
    indicator->prefix.length = single_length(head);
    if (head & HAS_PORT && !take_port(&indicator->port, at, end))
        return false;
    if (head & HAS_LENGTH && !take_byte(&indicator->prefix.length, at, end))
        return false;
    if (head & HAS_CONFIDENCE && !take_byte(&coder->confidence, at, end))
        return false;
    if (head & HAS_FIRST_SEEN && !take_difference(&coder->first_seen_ms, at, end))
        return false;
    if (head & HAS_VALID_UNTIL && !take_difference(&coder->valid_until_ms, at, end))
        return false;
    return !(head & HAS_TAGS) || take_tags(&coder->tags, at, end);
}

bool indicator_unpack(struct indicator_coder *coder, struct picket_indicator *indicator,
                      const uint8_t **at, const uint8_t *end)
{
    uint8_t head;
    if (!take_byte(&head, at, end) || head > HEAD_KNOWN ||
        !take_prefix(&indicator->prefix, head, at, end) || !take_line(coder, at, end) ||
        !take_optional(coder, indicator, head, at, end) ||
        indicator->prefix.length > single_length(head))
        return false;
    indicator->confidence = coder->confidence;
    indicator->first_seen_ms = coder->first_seen_ms;
    indicator->valid_until_ms = coder->valid_until_ms;
    indicator->line = coder->line;
    indicator->tags = coder->tags;
    return true;
}

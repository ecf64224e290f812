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
    HAS_MORE = 128,
};

enum {
    HAS_PROTOCOL = 1,
    HAS_SEVERITY = 2,
    HAS_TLP = 4,
    HAS_LISTED = 8,
    HAS_MALWARE = 16,
    HAS_REFERENCE = 32,
    MORE_KNOWN = 63,
};

enum { NUMBER_BYTES_MAX = 10 };

size_t indicator_bytes_max(const struct picket_indicator *indicator)
{
    size_t fixed = 1 + 16 + NUMBER_BYTES_MAX + 2 + 1 + 1 + 2 * NUMBER_BYTES_MAX;
    size_t more = 1 + 1 + 1 + 1 + NUMBER_BYTES_MAX;
    size_t texts = strlen(indicator_text(indicator->tags)) +
                   strlen(indicator_text(indicator->malware)) +
                   strlen(indicator_text(indicator->reference));
    return fixed + more + texts + 3 * (NUMBER_BYTES_MAX + 1);
}

void indicator_coder_start(struct indicator_coder *coder)
{
    *coder = (struct indicator_coder){.tags = "", .malware = "", .reference = ""};
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

static bool differs(const char *text, const char *before)
{
    return strcmp(indicator_text(text), before) != 0;
}

static uint8_t more_of(const struct indicator_coder *coder,
                       const struct picket_indicator *indicator)
{
    uint8_t more = indicator->protocol != 0 ? HAS_PROTOCOL : 0;
    more |= indicator->severity != coder->severity ? HAS_SEVERITY : 0;
    more |= indicator->tlp != coder->tlp ? HAS_TLP : 0;
    more |= indicator->listed_ms != coder->listed_ms ? HAS_LISTED : 0;
    more |= differs(indicator->malware, coder->malware) ? HAS_MALWARE : 0;
    more |= differs(indicator->reference, coder->reference) ? HAS_REFERENCE : 0;
    return more;
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
    head |= differs(indicator->tags, coder->tags) ? HAS_TAGS : 0;
    return head;
}

static void remember(struct indicator_coder *coder, const struct picket_indicator *indicator)
{
    coder->confidence = indicator->confidence;
    coder->severity = indicator->severity;
    coder->tlp = indicator->tlp;
    coder->line = indicator->line;
    coder->first_seen_ms = indicator->first_seen_ms;
    coder->listed_ms = indicator->listed_ms;
    coder->valid_until_ms = indicator->valid_until_ms;
    coder->tags = indicator_text(indicator->tags);
    coder->malware = indicator_text(indicator->malware);
    coder->reference = indicator_text(indicator->reference);
}

static uint8_t *put_text(uint8_t *out, const char *text)
{
    size_t size = strlen(indicator_text(text)) + 1;
    out = put_number(out, size);
    memcpy(out, indicator_text(text), size);
    return out + size;
}

static uint8_t *put_more(const struct indicator_coder *coder,
                         const struct picket_indicator *indicator, uint8_t more, uint8_t *at)
{
    *at++ = more;
    if (more & HAS_PROTOCOL)
        *at++ = indicator->protocol;
    if (more & HAS_SEVERITY)
        *at++ = indicator->severity;
    if (more & HAS_TLP)
        *at++ = indicator->tlp;
    if (more & HAS_LISTED)
        at = put_difference(at, indicator->listed_ms, coder->listed_ms);
    if (more & HAS_MALWARE)
        at = put_text(at, indicator->malware);
    if (more & HAS_REFERENCE)
        at = put_text(at, indicator->reference);
    return at;
}

size_t indicator_pack(struct indicator_coder *coder, const struct picket_indicator *indicator,
                      uint8_t *out)
{
    uint8_t head = head_of(coder, indicator), more = more_of(coder, indicator), *at = out;
    size_t address_bytes = head & HAS_IPV6 ? 16 : 4;
    *at++ = more != 0 ? head | HAS_MORE : head;
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
    if (head & HAS_TAGS)
        at = put_text(at, indicator->tags);
    if (more != 0)
        at = put_more(coder, indicator, more, at);
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

static bool take_text(const char **text, const uint8_t **at, const uint8_t *end)
{
    uint64_t size;
    if (!take_number(&size, at, end) || size == 0 || size > (uint64_t)(end - *at))
        return false;
    if (memchr(*at, '\0', size) != *at + size - 1)
        return false;
    *text = (const char *)*at;
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
    return !(head & HAS_TAGS) || take_text(&coder->tags, at, end);
}

static bool take_more(struct indicator_coder *coder, struct picket_indicator *indicator,
                      const uint8_t **at, const uint8_t *end)
{
    uint8_t more;
    if (!take_byte(&more, at, end) || more > MORE_KNOWN)
        return false;
    if (more & HAS_PROTOCOL && !take_byte(&indicator->protocol, at, end))
        return false;
    if (more & HAS_SEVERITY && !take_byte(&coder->severity, at, end))
        return false;
    if (more & HAS_TLP && !take_byte(&coder->tlp, at, end))
        return false;
    if (more & HAS_LISTED && !take_difference(&coder->listed_ms, at, end))
        return false;
    if (more & HAS_MALWARE && !take_text(&coder->malware, at, end))
        return false;
    return !(more & HAS_REFERENCE) || take_text(&coder->reference, at, end);
}

/* What is said of it as of the one before. */
static void take_over(const struct indicator_coder *coder, struct picket_indicator *indicator)
{
    indicator->confidence = coder->confidence;
    indicator->severity = coder->severity;
    indicator->tlp = coder->tlp;
    indicator->line = coder->line;
    indicator->first_seen_ms = coder->first_seen_ms;
    indicator->listed_ms = coder->listed_ms;
    indicator->valid_until_ms = coder->valid_until_ms;
    indicator->tags = coder->tags;
    indicator->malware = coder->malware;
    indicator->reference = coder->reference;
}

bool indicator_unpack(struct indicator_coder *coder, struct picket_indicator *indicator,
                      const uint8_t **at, const uint8_t *end)
{
    uint8_t head;
    indicator->protocol = 0;
    if (!take_byte(&head, at, end) || !take_prefix(&indicator->prefix, head, at, end) ||
        !take_line(coder, at, end) || !take_optional(coder, indicator, head, at, end) ||
        indicator->prefix.length > single_length(head) ||
        (head & HAS_MORE && !take_more(coder, indicator, at, end)))
        return false;
    take_over(coder, indicator);
    return true;
}

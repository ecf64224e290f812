#include "indicator_text.h"

#include <string.h>

enum { TEXT_BYTES_MAX = 300, IPV4_BITS = 32, IPV6_BITS = 128 };

struct slice {
    const char *text;
    size_t size;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_digit(text.text[i]))
            return false;
    return text.size > 0;
}

static size_t find(struct slice text, char c)
{
    const char *at = memchr(text.text, c, text.size);
    return at != NULL ? (size_t)(at - text.text) : text.size;
}

static struct slice from(struct slice text, size_t start)
{
    return (struct slice){text.text + start, text.size - start};
}

static struct slice trimmed(struct slice text)
{
    while (text.size > 0 && (text.text[0] == ' ' || text.text[0] == '\t'))
        text = from(text, 1);
    while (text.size > 0 && (text.text[text.size - 1] == ' ' || text.text[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* A decimal number of at most max; false for anything else, leading zeros included. */
static bool parse_number(struct slice text, uint32_t max, uint32_t *number)
{
    if (!all_digits(text) || text.size > 5 || (text.size > 1 && text.text[0] == '0'))
        return false;
    *number = 0;
    for (size_t i = 0; i < text.size; i++)
        *number = *number * 10 + (uint32_t)(text.text[i] - '0');
    return *number <= max;
}

/* Leading zeros: 010 is 8 to one reader and 10 to the next, so it is refused, unless all octets
 * have three digits: that is the fixed-width decimal notation of p2p lists. */
static const char *parse_ipv4(struct slice text, wide_address *address)
{
    uint32_t value = 0;
    unsigned octets = 0, wide_octets = 0;
    bool zeros = false;
    for (size_t i = 0; i < text.size;) {
        uint32_t octet = 0;
        size_t start = i;
        for (; i < text.size && is_digit(text.text[i]) && i - start < 4; i++)
            octet = octet * 10 + (uint32_t)(text.text[i] - '0');
        size_t digits = i - start;
        if (digits == 0)
            return "not an address";
        if (digits > 3 || octet > 255)
            return find(text, '.') == text.size ? "not an address" : "an octet exceeds 255";
        zeros |= digits > 1 && text.text[start] == '0';
        wide_octets += digits == 3;
        value = value << 8 | octet;
        octets++;
        if (i == text.size)
            break;
        if (text.text[i] != '.')
            return "not an address";
        if (octets == 4)
            return "more than four octets";
        i++;
    }
    if (octets < 4 || text.text[text.size - 1] == '.')
        return "not an address";
    if (zeros && wide_octets < 4)
        return "octets with leading zeros are ambiguous";
    *address = value;
    return NULL;
}

static const wide_address ipv4_mapped = (wide_address)0xffff << 32;

static wide_address wide_from_bytes(const uint8_t *bytes, size_t size)
{
    wide_address address = 0;
    for (size_t i = 0; i < size; i++)
        address = address << 8 | bytes[i];
    return address;
}

static const char *parse_ipv6(struct slice text, wide_address *address)
{
    struct picket_address parsed;
    if (memchr(text.text, '%', text.size) != NULL)
        return "an address with a scope is local to one machine";
    if (!picket_address_parse(&parsed, text.text, text.size) || parsed.family != 6)
        return "not an address";
    *address = wide_from_bytes(parsed.bytes, 16);
    return NULL;
}

static const char *parse_address(struct slice text, uint8_t *family, wide_address *address)
{
    if (text.size == 0)
        return "no address";
    *family = find(text, ':') < text.size ? 6 : 4;
    return *family == 6 ? parse_ipv6(text, address) : parse_ipv4(text, address);
}

/* A flow with an IPv4-mapped address (RFC 4291, 2.5.5.2) reaches us as IPv4. */
static void unmap_ipv4(struct address_range *range)
{
    if (range->family != 6 || range->first >> IPV4_BITS != ipv4_mapped >> IPV4_BITS ||
        range->last >> IPV4_BITS != ipv4_mapped >> IPV4_BITS)
        return;
    range->family = 4;
    range->first = (uint32_t)range->first;
    range->last = (uint32_t)range->last;
}

/* A range that holds half of all addresses, or all of IPv6's global unicast (2000::/3), would match
 * whatever a device talks to. */
static const char *check_width(const struct address_range *range)
{
    const wide_address global_first = (wide_address)1 << 125;
    const wide_address global_last = ((wide_address)1 << 126) - 1;
    unsigned bits = range->family == 4 ? IPV4_BITS : IPV6_BITS;
    if ((range->last - range->first) >> (bits - 1) != 0 ||
        range->last - range->first == ((wide_address)1 << (bits - 1)) - 1)
        return "covers half of all addresses or more";
    if (range->family == 6 && range->first <= global_first && range->last >= global_last)
        return "covers all of the IPv6 internet";
    return NULL;
}

static void widen_to_prefix(struct address_range *range, unsigned length)
{
    unsigned bits = range->family == 4 ? IPV4_BITS : IPV6_BITS;
    wide_address all = ~(wide_address)0 >> (IPV6_BITS - bits);
    wide_address host = length == 0 ? all : length == bits ? 0 : all >> length;
    range->first &= ~host;
    range->last = range->first | host;
}

/* 255.255.255.0 → 24; false if its ones are not in front. */
static bool netmask_length(struct slice text, unsigned *length)
{
    wide_address mask;
    if (parse_ipv4(text, &mask) != NULL)
        return false;
    uint32_t host = ~(uint32_t)mask;
    *length = host == 0 ? IPV4_BITS : (unsigned)__builtin_clz(host);
    return (host & (host + 1)) == 0;
}

static const char *parse_prefix(struct slice address, struct slice length_text,
                                struct address_range *range)
{
    const char *reason = parse_address(address, &range->family, &range->first);
    if (reason != NULL)
        return reason;
    uint32_t length;
    if (!all_digits(length_text)) {
        if (range->family != 4 || !netmask_length(length_text, &length))
            return "neither a prefix length nor a netmask follows the slash";
    } else if (!parse_number(length_text, range->family == 4 ? IPV4_BITS : IPV6_BITS, &length)) {
        return range->family == 4 ? "prefix length exceeds 32" : "prefix length exceeds 128";
    }
    widen_to_prefix(range, length);
    return NULL;
}

static const char *parse_range(struct slice first, struct slice last, struct address_range *range)
{
    uint8_t last_family;
    const char *reason = parse_address(trimmed(first), &range->family, &range->first);
    if (reason == NULL)
        reason = parse_address(trimmed(last), &last_family, &range->last);
    if (reason != NULL)
        return reason;
    if (last_family != range->family)
        return "the range's ends are of different families";
    return range->last < range->first ? "the range is reversed" : NULL;
}

static const char *parse_port(struct slice text, uint16_t *port)
{
    uint32_t number;
    if (!parse_number(text, 65535, &number) || number == 0)
        return "the port is not a number from 1 to 65535";
    *port = (uint16_t)number;
    return NULL;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS], [ADDRESS]:PORT */
static const char *parse_endpoint(struct slice text, struct address_range *range)
{
    struct slice address = text, port = {NULL, 0};
    if (text.size > 0 && text.text[0] == '[') {
        size_t end = find(text, ']');
        if (end == text.size)
            return "a bracket is not closed";
        address = (struct slice){text.text + 1, end - 1};
        port = from(text, end + 1);
        if (port.size > 0 && port.text[0] != ':')
            return "not an address";
    } else {
        size_t colon = find(text, ':');
        if (colon < text.size && find(from(text, colon + 1), ':') == text.size - colon - 1) {
            address.size = colon;
            port = from(text, colon);
        }
    }
    const char *reason = parse_address(address, &range->family, &range->first);
    range->last = range->first;
    if (reason == NULL && port.size > 0)
        reason = parse_port(from(port, 1), &range->port);
    return reason;
}

/* Skips "http://", "hxxps://", "tcp://"; false if there is none. */
static bool skip_scheme(struct slice *text)
{
    size_t letters = 0;
    while (letters < text->size && is_letter(text->text[letters]))
        letters++;
    if (letters == 0 || text->size < letters + 3 || memcmp(text->text + letters, "://", 3) != 0)
        return false;
    *text = from(*text, letters + 3);
    return true;
}

static const char *parse_plain_text(struct slice text, struct address_range *range)
{
    bool is_url = skip_scheme(&text);
    size_t slash = find(text, '/'), dash = find(text, '-');
    if (!is_url && dash < slash)
        return parse_range((struct slice){text.text, dash}, from(text, dash + 1), range);
    struct slice host = {text.text, slash};
    if (slash == text.size)
        return parse_endpoint(host, range);
    struct slice rest = from(text, slash + 1);
    bool is_length = all_digits(rest) || (find(rest, '.') < rest.size && is_digit(rest.text[0]) &&
                                          find(rest, '/') == rest.size);
    if (!is_url && is_length)
        return parse_prefix(host, rest, range);
    if (!is_url && rest.size == 0)
        return "nothing follows the slash";
    return parse_endpoint(host, range); /* a URL: its host */
}

/* The spellings that keep an address from being clicked on. */
static const struct {
    char size;
    char text[6];
    char means;
} defanged[] = {{3, "[.]", '.'},   {3, "(.)", '.'},   {3, "{.}", '.'},
                {5, "[dot]", '.'}, {5, "(dot)", '.'}, {3, "[:]", ':'}};

static struct slice refang(struct slice text, char *buffer)
{
    size_t written = 0;
    for (size_t i = 0; i < text.size;) {
        size_t taken = 0;
        for (size_t k = 0; k < sizeof defanged / sizeof *defanged && taken == 0; k++) {
            size_t size = (size_t)defanged[k].size;
            if (text.size - i >= size && memcmp(text.text + i, defanged[k].text, size) == 0) {
                buffer[written++] = defanged[k].means;
                taken = size;
            }
        }
        if (taken == 0) {
            buffer[written++] = text.text[i];
            taken = 1;
        }
        i += taken;
    }
    return (struct slice){buffer, written};
}

const char *indicator_text_parse(const char *text, size_t size_bytes, struct address_range *range)
{
    char buffer[TEXT_BYTES_MAX];
    struct slice whole = {text, size_bytes};
    memset(range, 0, sizeof *range);
    if (size_bytes == 0)
        return "no address";
    if (size_bytes > sizeof buffer)
        return "too long for an address";
    /* The usual case first: a dotted quad and nothing else. */
    if (parse_ipv4(whole, &range->first) == NULL) {
        range->family = 4;
        range->last = range->first;
        return NULL;
    }
    if (find(whole, '[') < size_bytes || find(whole, '(') < size_bytes ||
        find(whole, '{') < size_bytes)
        whole = refang(whole, buffer);
    const char *reason = parse_plain_text(whole, range);
    if (reason != NULL)
        return reason;
    unmap_ipv4(range);
    return check_width(range);
}

static unsigned trailing_zeros(wide_address address)
{
    uint64_t low = (uint64_t)address, high = (uint64_t)(address >> 64);
    if (low != 0)
        return (unsigned)__builtin_ctzll(low);
    return high != 0 ? 64 + (unsigned)__builtin_ctzll(high) : IPV6_BITS;
}

static void prefix_from(uint8_t family, wide_address address, unsigned length,
                        struct picket_prefix *prefix)
{
    unsigned size = family == 4 ? 4 : 16;
    memset(prefix, 0, sizeof *prefix);
    prefix->address.family = family;
    prefix->length = (uint8_t)length;
    for (unsigned i = size; i-- > 0; address >>= 8)
        prefix->address.bytes[i] = (uint8_t)address;
}

bool address_range_next_prefix(struct address_range *range, struct picket_prefix *prefix)
{
    unsigned bits = range->family == 4 ? IPV4_BITS : IPV6_BITS;
    if (range->first > range->last)
        return false;
    unsigned host_bits = trailing_zeros(range->first);
    if (host_bits > bits)
        host_bits = bits;
    wide_address left = range->last - range->first;
    while (host_bits == IPV6_BITS || left < ((wide_address)1 << host_bits) - 1)
        host_bits--;
    prefix_from(range->family, range->first, bits - host_bits, prefix);
    wide_address next = range->first + ((wide_address)1 << host_bits);
    if (next > range->last || next < range->first) { /* done, or past the last address there is */
        range->first = 1;
        range->last = 0;
    } else {
        range->first = next;
    }
    return true;
}

/* IP addresses and prefixes. Thread: pure functions. */
#ifndef PICKET_BASE_ADDRESS_H
#define PICKET_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICKET_ADDRESS_TEXT_BYTES = 46, PICKET_PREFIX_TEXT_BYTES = 50 };

/* bytes: network order, 4 used for IPv4 and the rest zero, so that memcmp() compares. */
struct picket_address {
    uint8_t family; /* 4 or 6 */
    uint8_t bytes[16];
};

/* Host bits of the address are zero. */
struct picket_prefix {
    struct picket_address address;
    uint8_t length; /* 0..32 or 0..128 */
};

struct picket_address picket_address_ipv4(const uint8_t bytes[4]);
struct picket_address picket_address_ipv6(const uint8_t bytes[16]);

/* Of an IPv4 address: as a number in host order. */
static inline uint32_t picket_address_ipv4_number(const struct picket_address *address)
{
    const uint8_t *bytes = address->bytes;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Dotted quad of four decimal octets (no leading zeros), or RFC 4291 text; no blanks, no scope, no
 * brackets. False if it is not an address. */
bool picket_address_parse(struct picket_address *address, const char *text, size_t size_bytes);

/* RFC 5952 text into out, of PICKET_ADDRESS_TEXT_BYTES; returns out. */
char *picket_address_format(const struct picket_address *address, char *out);

/* ADDRESS or ADDRESS/LENGTH; host bits are masked away. */
bool picket_prefix_parse(struct picket_prefix *prefix, const char *text, size_t size_bytes);
/* ADDRESS/LENGTH, always with the length, into out, of PICKET_PREFIX_TEXT_BYTES; returns out. */
char *picket_prefix_format(const struct picket_prefix *prefix, char *out);
void picket_prefix_mask(struct picket_prefix *prefix);
bool picket_prefix_covers(const struct picket_prefix *prefix, const struct picket_address *address);

/* The prefix of the special-purpose registries (RFC 6890 and its updates; multicast: RFC 5771, RFC
 * 4291) that the address lies in, as a word for people ("private-use", "loopback", "multicast",
 * "link-local"...), or NULL if the address is globally routable. */
const char *picket_address_special_purpose(const struct picket_address *address);

#endif

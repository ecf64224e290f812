#include "packet.h"

static bool is_extension(uint32_t number)
{
    const uint64_t extensions = UINT64_C(1) << PICKET_NUMBER_ROUTING |
                                UINT64_C(1) << PICKET_NUMBER_FRAGMENT |
                                UINT64_C(1) << PICKET_NUMBER_AUTHENTICATION |
                                UINT64_C(1) << PICKET_NUMBER_DESTINATION_OPTIONS;
    return number < 64 && (extensions >> number & 1) != 0;
}

static struct picket_extension_walk ended(size_t at, uint32_t number, bool later_fragment)
{
    struct picket_extension_walk walk = {(uint32_t)at, (uint8_t)number, later_fragment,
                                         PICKET_PACKET_COUNTED};
    return walk;
}

static struct picket_extension_walk stopped(enum picket_packet_verdict verdict)
{
    struct picket_extension_walk walk = {0, 0, false, (uint8_t)verdict};
    return walk;
}

struct picket_extension_walk picket_packet_walk_extensions(const uint8_t *bytes,
                                                           size_t captured_bytes, uint32_t end)
{
    size_t at = PICKET_IPV6_HEADER_BYTES;
    uint32_t number = bytes[6];
    if (number == PICKET_NUMBER_HOP_BY_HOP) /* like destination options, but here only */
        number = PICKET_NUMBER_DESTINATION_OPTIONS;
    /* The last offset at which the shortest of them is there. */
    size_t last = (captured_bytes < end ? captured_bytes : end) - PICKET_EXTENSION_BYTES_MIN;
    for (uint32_t left = PICKET_AGENT_EXTENSION_HEADERS_MAX; is_extension(number); left--) {
        if (left == 0)
            return stopped(PICKET_PACKET_HEADER_CHAIN);
        if (at > last)
            return stopped(at + PICKET_EXTENSION_BYTES_MIN > end ? PICKET_PACKET_MALFORMED
                                                                 : PICKET_PACKET_TRUNCATED);
        const uint8_t *header = bytes + at;
        if (number == PICKET_NUMBER_FRAGMENT) {
            at += PICKET_EXTENSION_BYTES_MIN;
            if ((picket_big_endian_16(header + 2) & 0xFFF8) != 0)
                return ended(at, header[0], true);
        } else if (number == PICKET_NUMBER_AUTHENTICATION) {
            at += (header[1] + 2u) * 4;
        } else {
            at += (header[1] + 1u) * 8;
        }
        number = header[0];
    }
    return ended(at, number, false);
}

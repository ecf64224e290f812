/* The packet parser on any bytes. The first two are its length on the wire, 0: unknown. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../src/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint32_t wire_bytes = (uint32_t)data[0] << 8 | data[1];
    if (wire_bytes == 0)
        wire_bytes = PICKET_WIRE_BYTES_UNKNOWN;
    size_t captured_bytes = size - 2;
    uint8_t *bytes = malloc(captured_bytes > 0 ? captured_bytes : 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data + 2, captured_bytes);
    struct picket_packet packet;
    enum picket_packet_verdict verdict =
        picket_packet_parse(&packet, bytes, captured_bytes, wire_bytes);
    if (verdict == PICKET_PACKET_COUNTED) {
        /* What is said to be there is there. */
        assert(packet.address_words == 1 || packet.address_words == 4);
        const uint8_t *addresses = picket_packet_addresses(bytes, packet.address_words);
        assert(addresses + 8u * packet.address_words <= bytes + captured_bytes);
        assert(packet.protocol <= PICKET_WIRE_ICMP);
        assert(packet.payload_bytes <= 65535);
        assert(wire_bytes == PICKET_WIRE_BYTES_UNKNOWN || packet.payload_bytes <= wire_bytes);
    }
    if (verdict == PICKET_PACKET_HEADER_CHAIN)
        assert(packet.address_words == 4 && captured_bytes >= PICKET_IPV6_HEADER_BYTES);
    assert(verdict != PICKET_PACKET_LOST && verdict != PICKET_PACKET_MULTICAST);
    free(bytes);
    return 0;
}

/* The first two bytes choose the link layer, the third how much longer the frame was on the wire.
 */
#include <stdlib.h>

#include "link_layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    int link = data[0] << 8 | data[1];
    const uint8_t *frame = data + 3;
    size_t captured = size - 3;
    uint32_t wire = (uint32_t)captured + data[2];
    struct ip_packet packet;
    if (link_layer_find_ip(link, frame, captured, wire, &packet) != LINK_IP)
        return 0;
    /* Inside the frame, up to its end, and of the version it says. */
    if (packet.captured_bytes == 0 || packet.bytes + packet.captured_bytes != frame + captured ||
        packet.wire_bytes != packet.captured_bytes + data[2] ||
        packet.bytes[0] >> 4 != packet.version || packet.vlan > 0xfff)
        abort();
    return 0;
}

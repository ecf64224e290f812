#include "picket/base/flow.h"

const char *picket_protocol_name(uint8_t protocol)
{
    switch (protocol) {
    case PICKET_TCP:
        return "tcp";
    case PICKET_UDP:
        return "udp";
    case PICKET_ICMP:
        return "icmp";
    default:
        return "other";
    }
}

/* One aggregated flow, as hosted parts hand it around. */
#ifndef PICKET_BASE_FLOW_H
#define PICKET_BASE_FLOW_H

#include <stdint.h>

#include "picket/base/address.h"

enum picket_protocol { PICKET_TCP = 0, PICKET_UDP = 1, PICKET_ICMP = 2 }; /* numbers of the wire */

struct picket_flow {
    struct picket_address local;
    struct picket_address remote;
    uint16_t local_port; /* 0 for ICMP */
    uint16_t remote_port;
    uint8_t protocol; /* enum picket_protocol; a device may send a number that is none of them */
    uint32_t bytes_in;
    uint32_t bytes_out;
};

/* "tcp", "udp", "icmp"; "other" for any other number. */
const char *picket_protocol_name(uint8_t protocol);

#endif

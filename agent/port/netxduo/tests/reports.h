/* What the agent's messages said, as the decoder reads them. */
#ifndef PICKET_NETXDUO_TESTS_REPORTS_H
#define PICKET_NETXDUO_TESTS_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packets.h"
#include "picket/netxduo/netxduo.h"

struct reports {
    bool connected;
    bool accepts;
    unsigned messages;
    unsigned flows;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint32_t lost_flows;
    unsigned ports; /* open ones */
    uint32_t ports_unlisted;
    uint16_t last_port;
    uint8_t last_port_address[16];
    uint8_t last_id[16]; /* of the last message's first event */
    uint32_t last_time_s;
    char os_info[64];
    char kernel_info[200];
    char hw_info[64];
};

/* A transport that reads what it gets into the context, a struct reports. */
extern struct reports reports;
extern const struct picket_netxduo_transport reports_transport;
void reports_reset(void); /* connected, accepting, empty */
void reports_read(const uint8_t *bytes, size_t size_bytes);

/* Goes on by one second and sends everything. */
void reports_flush(void);

#endif

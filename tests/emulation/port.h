/* The agent of the program, as its parts share it: storage, a clock, a connection, a transport. */
#ifndef PICKET_EMULATION_PORT_H
#define PICKET_EMULATION_PORT_H

#include "emulation.h"

enum { IPV4_CAPACITY = 32, IPV6_CAPACITY = 24, RESERVE = 4, BUCKETS = 64 };

struct port {
    struct picket_agent agent;
    uint32_t uptime_s;
    bool locked;
    bool connected;
    bool accepts;
    uint32_t messages; /* accepted */
    uint64_t content;  /* digests of the messages accepted */
    uint64_t layout;

    /* Within send(), with the message encoded; NULL: nothing. */
    void (*during_send)(void);
    /* A flow of an accepted message, and what it says was lost; NULL: nothing. */
    void (*take_flow)(const struct picket_wire_flow *flow, uint8_t version);
    void (*take_losses)(const struct picket_wire_network_activity_view *activity);

    struct picket_ipv4_flow ipv4_flows[IPV4_CAPACITY + RESERVE];
    struct picket_ipv6_flow ipv6_flows[IPV6_CAPACITY + RESERVE];
    picket_flow_index ipv4_buckets[BUCKETS];
    picket_flow_index ipv6_buckets[BUCKETS];
};

extern struct port port;

/* Begins anew, connected and accepting, the clock where it is; buckets: a power of two up to
 * BUCKETS. Digests and totals go on. */
void port_start(uint32_t buckets);

/* Counts a packet whose last byte is the last before the edge: in one step, or read first and
 * counted when it is gone. */
enum picket_packet_verdict port_count(const uint8_t *packet, size_t captured_bytes,
                                      uint32_t wire_bytes, enum picket_direction direction);

#endif

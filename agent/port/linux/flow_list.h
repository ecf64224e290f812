/* The flows of the security messages that were handed to it, and how they print.
 *
 *     protocol,local_address,local_port,remote_address,remote_port,bytes_in,bytes_out
 *     udp,192.168.1.20,5353,224.0.0.251,5353,0,1208
 */
#ifndef PICKET_AGENT_LINUX_FLOW_LIST_H
#define PICKET_AGENT_LINUX_FLOW_LIST_H

#include <stdio.h>

#include "picket/base/error.h"
#include "picket/base/flow.h"
#include "picket/wire/encoder.h"

struct flow_list {
    struct picket_flow *flows;
    size_t count;
    size_t capacity;
    uint64_t lost_flows; /* that the messages report */
    uint64_t saturated;  /* flows with a counter at its end, 2^32 - 1 */
};

/* Appends every flow of every network activity of the message. */
int flow_list_append_message(struct flow_list *list, const struct picket_wire_message *message,
                             struct picket_error *error);
void flow_list_clear(struct flow_list *list);

/* By protocol, then IPv4 before IPv6, then local address and port, then remote. */
void flow_list_sort(struct flow_list *list);
void flow_list_print_csv(const struct flow_list *list, FILE *out);

#endif

/* What became of every packet: the bytes that the agent said it counted or lost, what its messages
 * reported, and what it forgot when it was started again. Thread: any of the machine's, none is
 * pre-empted in here. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "packets.h"
#include "picket/netxduo/netxduo.h"
#include "stack.h"

enum {
    ACCOUNT_IPS = 3,
    ACCOUNT_FLOWS_EACH = 8, /* of an NX_IP and an IP version */
    ACCOUNT_FLOWS = ACCOUNT_IPS * 2 * ACCOUNT_FLOWS_EACH
};

void account_reset(void);

/* The address of an NX_IP of the account's. */
ULONG account_address(unsigned ip);

/* A packet of one of its flows. */
struct stack_packet *account_packet(unsigned ip, enum picket_direction direction);

/* Times that the agent was handed the packet that this thread has let pass since account_packet().
 */
unsigned account_calls(void);

/* An interrupt may come while a packet passes, and let another pass: between the two. */
struct account_passing {
    unsigned calls;
    unsigned flow;
    uint32_t bytes;
};
struct account_passing account_put_aside(void);
void account_take_up(struct account_passing passing);

/* Reads a message that has arrived; or one that never will, of an agent that has been started anew.
 */
void account_read(const uint8_t *bytes, size_t size_bytes);
void account_forget_message(const uint8_t *bytes, size_t size_bytes);

/* Whether the agent has sent a message of which it does not know yet whether it has arrived. */
bool account_is_on_way(void);

/* Fails unless all that was counted or lost has been reported or told as lost, or forgotten; the
 * agent does not run, or owes nothing. */
void account_settle(void);

/* What the agent says of itself has to agree, if it was started once. */
void account_compare(const struct picket_agent_statistics *statistics);

/* How much of it there was, so that a test can tell that it tested something. */
struct account_totals {
    uint64_t packets;
    uint64_t lost_packets;
    uint64_t messages;
    uint64_t starts;
};
struct account_totals account_totals(void);

#endif

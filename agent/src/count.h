/* The ways into a table; agent.h has the others, picket_agent_count_packet() and its two steps. */
#ifndef PICKET_AGENT_SRC_COUNT_H
#define PICKET_AGENT_SRC_COUNT_H

#include "picket/agent/agent.h"

/* Puts a frozen flow, which is in no list any more, back into its chain; or adds it to the flow
 * that was opened in its place meanwhile. If its chain is full, which needs more flows than
 * PICKET_AGENT_CHAIN_MAX to meet, it is counted as lost. The lock is held. Thread: the polling one.
 */
void picket_count_again(struct picket_agent *agent, struct picket_flow_table *table,
                        struct picket_flow_head *frozen, picket_flow_index index);

#endif

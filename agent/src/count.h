/* The ways into a table; agent.h has the other one, picket_agent_count_packet(). */
#ifndef PICKET_AGENT_SRC_COUNT_H
#define PICKET_AGENT_SRC_COUNT_H

#include "picket/agent/agent.h"

/* Puts a frozen flow back into its chain, or adds it to the flow that was opened in its place
 * meanwhile. If its chain is full, which needs more flows than PICKET_AGENT_CHAIN_MAX to meet, it
 * is counted as lost. Takes the lock. Thread: the polling one. */
void picket_count_again(struct picket_agent *agent, struct picket_flow_table *table,
                        picket_flow_index index);

#endif

/* Memory for the agent's tables of flows. */
#ifndef PICKET_AGENT_LINUX_FLOW_STORAGE_H
#define PICKET_AGENT_LINUX_FLOW_STORAGE_H

#include "picket/agent/agent.h"
#include "picket/base/error.h"

/* Gives config tables of the capacities, each with the reserve on top. */
int flow_storage_allocate(struct picket_agent_config *config, uint32_t ipv4_capacity,
                          uint32_t ipv6_capacity, uint32_t reserve, struct picket_error *error);
void flow_storage_free(struct picket_agent_config *config);

#endif

/* An agent that has nothing to do, for tests of what acts on one. */
#ifndef PICKET_AGENT_LINUX_TESTS_IDLE_AGENT_H
#define PICKET_AGENT_LINUX_TESTS_IDLE_AGENT_H

#include "picket/agent/agent.h"

/* With room for so many flows of either family, as settings of the command line are by default. The
 * configuration's storage is freed by flow_storage_free(). Ends the program without memory. */
void idle_agent_start(struct picket_agent *agent, struct picket_agent_config *config,
                      uint32_t flows);

/* Messages that it has sent since the program began. */
unsigned idle_agent_messages(void);

#endif

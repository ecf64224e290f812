/* Makes one message of what collectors have, and sees it accepted or takes it back. */
#ifndef PICKET_AGENT_SRC_REPORT_H
#define PICKET_AGENT_SRC_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/agent/agent.h"

/* Reports the collectors owed, in one message or, if the flows exceed one, several. True: nothing
 * is owed any more. False: the transport refused a message, or is not connected; what it would have
 * carried is back in its place, and stays owed. */
bool picket_report_owed(struct picket_agent *agent, uint32_t now_s);

#endif

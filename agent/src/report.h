/* Makes messages of what collectors have, one after the other, and sees each delivered or takes it
 * back. */
#ifndef PICKET_AGENT_SRC_REPORT_H
#define PICKET_AGENT_SRC_REPORT_H

#include <stdint.h>

#include "picket/agent/agent.h"

/* Settles what is on its way, if its outcome is known, then reports the collectors owed, in one
 * message or, if the flows exceed one, several, as far as connection and transport let it. Returns
 * the seconds after which to come again, UINT32_MAX if nothing is left. What a refused message
 * would have carried is back in its place, and owed. */
uint32_t picket_report_owed(struct picket_agent *agent, uint32_t now_s);

#endif

/* When collectors are due. All times are uptime_s of the monotonic clock, and may wrap. */
#ifndef PICKET_AGENT_SRC_SCHEDULE_H
#define PICKET_AGENT_SRC_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/agent/agent.h"

/* Times beyond this cannot be told from times past. */
#define PICKET_TIME_MAX_S UINT32_C(0x7FFFFFFF)

/* Whether a moment has come; right for moments up to 2^31 seconds away. */
static inline bool picket_reached(uint32_t now_s, uint32_t moment_s)
{
    return now_s - moment_s < UINT32_C(0x80000000);
}

/* Draws the moment of the first collection. */
void picket_schedule_start(struct picket_agent *agent, uint32_t now_s);

/* Marks as owed the collectors of the groups that are due, and sets when they are due again: on the
 * grid of their interval, so that groups that meet go on meeting, and what was missed is not made
 * up for. Returns the seconds until the next group with an enabled collector is due; UINT32_MAX:
 * never. */
uint32_t picket_schedule_advance(struct picket_agent *agent, uint32_t now_s);

#endif

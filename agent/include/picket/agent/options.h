/* Every compile-time option of the agent: purpose, default, cost. Override on the compiler's command
 * line or in a file named by PICKET_AGENT_OPTIONS_FILE. */
#ifndef PICKET_AGENT_OPTIONS_H
#define PICKET_AGENT_OPTIONS_H

#ifdef PICKET_AGENT_OPTIONS_FILE
#include PICKET_AGENT_OPTIONS_FILE
#endif

/* Bits of a flow's index in its table: 16 for devices, 32 for hosts that want more than 65,534 flows. */
#ifndef PICKET_AGENT_INDEX_BITS
#define PICKET_AGENT_INDEX_BITS 16
#endif

#endif

/* The encoder's options as they follow from the agent's, for who compiles both together:
 * -DPICKET_WIRE_OPTIONS_FILE='"picket/agent/wire_options.h"' leaves out of the encoder what the
 * agent never sends.
 */
#ifndef PICKET_AGENT_WIRE_OPTIONS_H
#define PICKET_AGENT_WIRE_OPTIONS_H

#include "picket/agent/options.h"

#ifndef PICKET_WIRE_WITH_IPV6
#define PICKET_WIRE_WITH_IPV6 PICKET_AGENT_IPV6
#endif
#ifndef PICKET_WIRE_WITH_LISTENING_PORTS
#define PICKET_WIRE_WITH_LISTENING_PORTS (PICKET_AGENT_LISTENING_PORTS > 0)
#endif

#endif

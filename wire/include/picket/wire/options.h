/* What of the encoder is built in. Override on the compiler's command line, or in a header of your
 * own: -DPICKET_WIRE_OPTIONS_FILE='"my_wire_options.h"'. Costs are those of a Cortex-M4. The
 * decoder reads everything.
 */
#ifndef PICKET_WIRE_OPTIONS_H
#define PICKET_WIRE_OPTIONS_H

#ifdef PICKET_WIRE_OPTIONS_FILE
#include PICKET_WIRE_OPTIONS_FILE
#endif

/* Lists of IPv6 flows and ports (0 or 1); with 0 they are left out of messages. Cost: some 70 bytes
 * of flash. */
#ifndef PICKET_WIRE_WITH_IPV6
#define PICKET_WIRE_WITH_IPV6 1
#endif

/* Listening ports (0 or 1); with 0 a message with such an event cannot be encoded. Cost: some 80
 * bytes of flash. */
#ifndef PICKET_WIRE_WITH_LISTENING_PORTS
#define PICKET_WIRE_WITH_LISTENING_PORTS 1
#endif

#endif

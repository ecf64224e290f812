/* All that can be left out of the encoder. */
#define PICKET_WIRE_WITH_IPV6            0
#define PICKET_WIRE_WITH_LISTENING_PORTS 0

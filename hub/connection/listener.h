/* Accepts connections, within the hub's bounds. Thread: the hub's; listener_open(): before it
 * starts.
 *
 * connections_max reached, or no descriptors left: whoever comes is turned away at once.
 * handshakes_max reached: if some unauthenticated peer has been silent for a while, it makes room;
 * otherwise newcomers wait in the kernel's queue, so that a fleet that comes back after a power cut
 * is served in turn and half-open connections of an attacker hold nobody up. */
#ifndef PICKET_HUB_LISTENER_H
#define PICKET_HUB_LISTENER_H

#include "internal.h"

int listener_open(struct picket_hub *hub, struct picket_error *error);
int listener_start(struct picket_hub *hub, struct picket_error *error);
void listener_close(struct picket_hub *hub);

/* There may be room again. */
void listener_resume(struct picket_hub *hub);

#endif

/* The software of the device: versions, how the stack was built, which add-ons are linked.
 */
#ifndef PICKET_NETXDUO_SRC_FEATURES_H
#define PICKET_NETXDUO_SRC_FEATURES_H

#include "picket/agent/agent.h"

/* Fills in os_info, "ThreadX 6.4.2", newer releases with a build, and a letter for a hotfix:
 * "ThreadX 6.5.0.202601a"; and kernel_info, "NetX Duo 6.4.2 ipv4 ipv6 tls mqtt": version, what the
 * stack was built with, its add-ons. Thread: the one that starts. */
void picket_features_tell(struct picket_wire_system_information *information);

#endif

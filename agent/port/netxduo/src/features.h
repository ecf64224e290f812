/* The software of the device: versions, how the stack was built, which add-ons are linked.
 *
 * Thread: the one that starts. */
#ifndef PICKET_NETXDUO_SRC_FEATURES_H
#define PICKET_NETXDUO_SRC_FEATURES_H

/* "ThreadX 6.4.2"; newer releases have a build, and a letter for a hotfix: "ThreadX 6.5.0.202601a".
 */
const char *picket_operating_system(void);

/* "NetX Duo 6.4.2 ipv4 ipv6 tls mqtt": version, what the stack was built with, its add-ons. */
const char *picket_network_stack(void);

#endif

/* Every compile-time option of the NetX Duo port: what it is for, its default, what it costs. Those
 * of the core are in picket/agent/options.h, which takes this file in when it is named there:
 * -DPICKET_AGENT_OPTIONS_FILE='"picket/netxduo/options.h"'. Core, encoder and port must all be
 * compiled with the same options; the CMake target sees to it.
 *
 * Override on the compiler's command line, or in a header of your own:
 * -DPICKET_NETXDUO_OPTIONS_FILE='"my_picket_options.h"'. Costs are for a 32-bit device.
 */
#ifndef PICKET_NETXDUO_OPTIONS_H
#define PICKET_NETXDUO_OPTIONS_H

#ifdef PICKET_NETXDUO_OPTIONS_FILE
#include PICKET_NETXDUO_OPTIONS_FILE
#endif

/* NX_IP instances that are watched, 1 to 4. One that has no place is not watched, and
 * picket_netxduo_statistics() says so. Cost: 32 bytes of RAM each. */
#ifndef PICKET_NETXDUO_IP_INSTANCES
#define PICKET_NETXDUO_IP_INSTANCES 2
#endif

/* The stack's add-ons in the device, by the names of their folders: "dns dhcp mqtt". Part of the
 * system information, so that the service can tell whom a vulnerability concerns. Cost: the text.
 */
#ifndef PICKET_NETXDUO_ADDONS
#define PICKET_NETXDUO_ADDONS ""
#endif

/* Find out about the add-ons by weak references (0 or 1): right only if the stack is linked as a
 * library. Where its files are linked one by one, as many IDEs do, a weak reference would keep what
 * the linker removes otherwise. Cost: 0.6 KB of flash, and PICKET_NETXDUO_FEATURES_BYTES of RAM. */
#ifndef PICKET_NETXDUO_FIND_ADDONS
#define PICKET_NETXDUO_FIND_ADDONS 0
#endif
#ifndef PICKET_NETXDUO_FEATURES_BYTES
#define PICKET_NETXDUO_FEATURES_BYTES 128
#endif

#if PICKET_NETXDUO_IP_INSTANCES < 1 || PICKET_NETXDUO_IP_INSTANCES > 4
#error "PICKET_NETXDUO_IP_INSTANCES is 1 to 4"
#endif

/* Whoever calls picket_netxduo_poll() comes each second. */
#ifndef PICKET_AGENT_WAKE
#define PICKET_AGENT_WAKE 0
#endif

/* The most flows in one message: 8.3 KB at most. It has to fit into the hub's TCP window, or it is
 * never sent, and into a TLS record of 16 KB. Cost: as in picket/agent/options.h. */
#ifndef PICKET_AGENT_MESSAGE_FLOWS_MAX
#define PICKET_AGENT_MESSAGE_FLOWS_MAX 128
#endif

/* ---- Names of the security module that NetX Duo had until 6.3.0 ----
 *
 * Firmware that sets them keeps them; a PICKET_AGENT_ name wins. As there, a flag is set by being
 * defined, whatever its value. Where firmware has a configuration header of that module,
 * -DPICKET_NETXDUO_ASC_CONFIG_FILE='"asc_config.h"' reads it, and then a collector it does not name
 * is off; without such a header, all are on. */
#ifdef PICKET_NETXDUO_ASC_CONFIG_FILE
#include PICKET_NETXDUO_ASC_CONFIG_FILE
#if !defined(PICKET_AGENT_NETWORK_ACTIVITY_ENABLED) &&                                             \
    !defined(ASC_COLLECTOR_NETWORK_ACTIVITY_ENABLED)
#define PICKET_AGENT_NETWORK_ACTIVITY_ENABLED 0
#endif
#if !defined(PICKET_AGENT_SYSTEM_INFORMATION_ENABLED) &&                                           \
    !defined(ASC_COLLECTOR_SYSTEM_INFORMATION_ENABLED)
#define PICKET_AGENT_SYSTEM_INFORMATION_ENABLED 0
#endif
#if !defined(PICKET_AGENT_LISTENING_PORTS) && !defined(ASC_COLLECTOR_LISTENING_PORTS_ENABLED)
#define PICKET_AGENT_LISTENING_PORTS 0
#endif
#if !defined(PICKET_AGENT_HEARTBEAT_ENABLED) && !defined(ASC_COLLECTOR_HEARTBEAT_ENABLED)
#define PICKET_AGENT_HEARTBEAT_ENABLED 0
#endif
#if !defined(PICKET_AGENT_UNICAST_ONLY) &&                                                         \
    !defined(ASC_COLLECTOR_NETWORK_ACTIVITY_CAPTURE_UNICAST_ONLY)
#define PICKET_AGENT_UNICAST_ONLY 0
#endif
#endif

#if !defined(PICKET_AGENT_SECURITY_MODULE_ID) && defined(ASC_SECURITY_MODULE_ID)
#define PICKET_AGENT_SECURITY_MODULE_ID ASC_SECURITY_MODULE_ID
#endif
#if !defined(PICKET_AGENT_SEND_RETRY_S) && defined(ASC_SECURITY_MODULE_SEND_MESSAGE_RETRY_TIME)
#define PICKET_AGENT_SEND_RETRY_S (ASC_SECURITY_MODULE_SEND_MESSAGE_RETRY_TIME)
#endif
#if !defined(PICKET_AGENT_PENDING_TIME_S) && defined(ASC_SECURITY_MODULE_PENDING_TIME)
#define PICKET_AGENT_PENDING_TIME_S (ASC_SECURITY_MODULE_PENDING_TIME)
#endif
#if !defined(PICKET_AGENT_FIRST_DELAY_MIN_S) && defined(ASC_FIRST_COLLECTION_INTERVAL)
/* That module waited from once to three times this. */
#define PICKET_AGENT_FIRST_DELAY_MIN_S (ASC_FIRST_COLLECTION_INTERVAL)
#define PICKET_AGENT_FIRST_DELAY_MAX_S (3 * (ASC_FIRST_COLLECTION_INTERVAL))
#endif
#if !defined(PICKET_AGENT_HIGH_INTERVAL_S) && defined(ASC_HIGH_PRIORITY_INTERVAL)
#define PICKET_AGENT_HIGH_INTERVAL_S (ASC_HIGH_PRIORITY_INTERVAL)
#endif
#if !defined(PICKET_AGENT_MEDIUM_INTERVAL_S) && defined(ASC_MEDIUM_PRIORITY_INTERVAL)
#define PICKET_AGENT_MEDIUM_INTERVAL_S (ASC_MEDIUM_PRIORITY_INTERVAL)
#endif
#if !defined(PICKET_AGENT_LOW_INTERVAL_S) && defined(ASC_LOW_PRIORITY_INTERVAL)
#define PICKET_AGENT_LOW_INTERVAL_S (ASC_LOW_PRIORITY_INTERVAL)
#endif
#if !defined(PICKET_AGENT_TCP) && defined(ASC_COLLECTOR_NETWORK_ACTIVITY_TCP_DISABLED)
#define PICKET_AGENT_TCP 0
#endif
#if !defined(PICKET_AGENT_UDP) && defined(ASC_COLLECTOR_NETWORK_ACTIVITY_UDP_DISABLED)
#define PICKET_AGENT_UDP 0
#endif
#if !defined(PICKET_AGENT_ICMP) && defined(ASC_COLLECTOR_NETWORK_ACTIVITY_ICMP_DISABLED)
#define PICKET_AGENT_ICMP 0
#endif
#if !defined(PICKET_AGENT_SEND_EMPTY_EVENTS) &&                                                    \
    defined(ASC_COLLECTOR_NETWORK_ACTIVITY_SEND_EMPTY_EVENTS)
#define PICKET_AGENT_SEND_EMPTY_EVENTS 1
#endif
#if !defined(PICKET_AGENT_IPV4_FLOWS) &&                                                           \
    defined(ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV4_OBJECTS_IN_CACHE)
#define PICKET_AGENT_IPV4_FLOWS (ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV4_OBJECTS_IN_CACHE)
#endif
#if !defined(PICKET_AGENT_IPV6_FLOWS) &&                                                           \
    defined(ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV6_OBJECTS_IN_CACHE)
#define PICKET_AGENT_IPV6_FLOWS (ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV6_OBJECTS_IN_CACHE)
#if ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV6_OBJECTS_IN_CACHE == 0 && !defined(PICKET_AGENT_IPV6)
#define PICKET_AGENT_IPV6 0
#endif
#endif

#endif

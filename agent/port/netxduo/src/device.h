/* The device's agent, for the parts of the port that configure it. */
#ifndef PICKET_NETXDUO_SRC_DEVICE_H
#define PICKET_NETXDUO_SRC_DEVICE_H

#include "picket/netxduo/netxduo.h"

#include "ports.h"
#include "seed.h"

/* ---- what any configuration has in common ---- */

extern struct picket_ipv4_flow picket_device_ipv4_flows[PICKET_IPV4_FLOW_ENTRIES];
extern picket_flow_index picket_device_ipv4_buckets[PICKET_AGENT_BUCKETS];
#if PICKET_AGENT_IPV6
extern struct picket_ipv6_flow picket_device_ipv6_flows[PICKET_IPV6_FLOW_ENTRIES];
extern picket_flow_index picket_device_ipv6_buckets[PICKET_AGENT_BUCKETS];
#define PICKET_DEVICE_IPV6                                                                         \
    , .ipv6 = PICKET_IPV6_FLOW_STORAGE(picket_device_ipv6_flows, picket_device_ipv6_buckets)
#else
#define PICKET_DEVICE_IPV6
#endif

extern struct picket_wire_system_information picket_device_information;

uint32_t picket_device_lock(void *context);
void picket_device_unlock(void *context, uint32_t posture);
uint32_t picket_device_uptime_s(void *context);
uint32_t picket_device_unix_time_s(void *context);

#if PICKET_AGENT_LISTENING_PORTS > 0
#define PICKET_DEVICE_PORTS , .listening_ports = picket_ports_list
#else
#define PICKET_DEVICE_PORTS
#endif

/* A configuration with these callbacks of struct picket_netxduo_transport, without a context. */
#define PICKET_DEVICE_CONFIG(connects, sends, delivers)                                            \
    {                                                                                              \
        PICKET_AGENT_CONFIG_DEFAULTS,                                                              \
            .callbacks = {.lock = picket_device_lock,                                              \
                          .unlock = picket_device_unlock,                                          \
                          .uptime_s = picket_device_uptime_s,                                      \
                          .unix_time_s = picket_device_unix_time_s,                                \
                          .random = picket_seed_random,                                            \
                          .connected = (connects),                                                 \
                          .send = (sends),                                                         \
                          .delivered = (delivers)PICKET_DEVICE_PORTS},                             \
            .system_information = &picket_device_information,                                      \
            .ipv4 = PICKET_IPV4_FLOW_STORAGE(picket_device_ipv4_flows, picket_device_ipv4_buckets) \
                PICKET_DEVICE_IPV6                                                                 \
    }

/* ---- start ---- */

/* Where the configuration's callbacks find the transport, if there is one. */
extern const struct picket_netxduo_transport *picket_device_transport;

/* config: valid, and to be kept, as is the transport. See picket_netxduo_start(). */
UINT picket_device_start(const struct picket_agent_config *config,
                         const struct picket_netxduo_transport *transport,
                         UINT (*unix_time_get)(ULONG *unix_time));

/* How often it was started: what is remembered of one run does not hold for the next. */
unsigned picket_device_starts(void);

/* Waits until no other thread is at the agent, and returns it; NULL: it does not run, or this
 * thread is at it already. Others wait until picket_device_leave(). Thread: any, not an interrupt.
 */
struct picket_agent *picket_device_enter(void);
void picket_device_leave(void);

#endif

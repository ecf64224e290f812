/* The micro-agent in a device with ThreadX and NetX Duo, 6.1 or later.
 *
 *     picket_netxduo_start(&transport, unix_time_get);      once
 *     picket_netxduo_poll();                                every second, on one thread
 *
 * That is for devices with a connection of their own. Those with the Azure IoT middleware call
 * nx_azure_iot_security_module_enable() of nx_azure_iot_security_module.h and nothing else.
 *
 * What is watched. Every NX_IP that exists, and every one that is created later, from the next poll
 * on: all its interfaces, inbound and outbound, TCP, UDP, ICMP over IPv4 and IPv6. Inbound packets
 * are counted after the stack has looked at them: those it refuses (lengths, checksums it verifies
 * on arrival, addresses that are not its own) or forwards do not become flows. Outbound ones are
 * counted where the stack asks its packet filter, which needs NX_ENABLE_IP_PACKET_FILTER; a filter
 * of the application's is asked first, and what it refuses is not counted. The application may set,
 * chain and take out its filter at any time; packets that it sends before the next poll after it
 * has set one that does not call the one before may be missed.
 *
 * One agent in a device. Return values are those of NetX Duo.
 */
#ifndef PICKET_NETXDUO_NETXDUO_H
#define PICKET_NETXDUO_NETXDUO_H

#include "nx_api.h"

#include "picket/agent/agent.h"
#include "picket/netxduo/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The way out, the caller's as long as the agent runs. All is called on the thread that polls. */
struct picket_netxduo_transport {
    void *context;

    /* Can send() succeed now? */
    bool (*connected)(void *context);

    /* See picket_agent_callbacks.send: picket_wire_encode() straight into what the transport has.
     */
    enum picket_send_result (*send)(void *context, const struct picket_wire_message *message);

    /* What became of a message for which send() returned PICKET_SEND_PENDING; NULL where it never
     * does. See picket_agent_callbacks.delivered. */
    enum picket_send_result (*delivered)(void *context);
};

/* Where randomness comes from, an application's own: size bytes that a peer cannot predict. */
typedef VOID (*picket_netxduo_random)(VOID *bytes, UINT size);

/* Takes over from the default, which stirs NX_RAND, the clocks, the stack's addresses and how many
 * packets it has seen: different on each device and at each boot, but no better than NX_RAND
 * against one who knows them all. NULL: the default again. Thread: any, before
 * picket_netxduo_start(). */
VOID picket_netxduo_random_set(picket_netxduo_random random_get);

/* Who made the device, for the event of system information: one line, "Contoso Pump 7,
 * firmware 1.4.2" say. The text must stay; NULL: none. Thread: any, before picket_netxduo_start().
 */
VOID picket_netxduo_identity_set(const CHAR *identity);

/* Starts to count. unix_time_get tells Unix seconds and returns NX_SUCCESS; it may be NULL or fail,
 * and then events say that their time is unknown. NX_SUCCESS; NX_PTR_ERROR: a callback of transport
 * is missing; NX_ALREADY_ENABLED. Thread: any, not an interrupt; of two that start at once, the
 * second waits and finds it enabled. */
UINT picket_netxduo_start(const struct picket_netxduo_transport *transport,
                          UINT (*unix_time_get)(ULONG *unix_time));

/* The same with a configuration of your own, which must stay as long as the agent runs:
 * picket_netxduo_config_defaults() first, then change what need not be as compiled (intervals,
 * collectors, delays). NX_INVALID_PARAMETERS: see picket_agent_config_valid(). */
VOID picket_netxduo_config_defaults(struct picket_agent_config *config);
UINT picket_netxduo_start_with(const struct picket_agent_config *config,
                               const struct picket_netxduo_transport *transport,
                               UINT (*unix_time_get)(ULONG *unix_time));

/* Takes every hook out again, and forgets what was not sent; picket_netxduo_flush() first to send
 * it. A filter that somebody set over ours stays, and goes on being asked. NX_SUCCESS,
 * NX_NOT_ENABLED; NX_CALLER_ERROR: called from within a callback of the agent. Thread: any, not an
 * interrupt; it waits for the one that polls. */
UINT picket_netxduo_stop(VOID);

/* Looks for new NX_IP instances, and does what is due. Returns the seconds after which it wants to
 * be called again, at least 1; 0: not started. Thread: any, not an interrupt, here and below; one
 * at a time is at the agent, and the others wait. So not from within a callback of the stack
 * either, which holds its NX_IP's lock: who is at the agent may be waiting for that. */
ULONG picket_netxduo_poll(VOID);

/* Sends all there is now. NX_SUCCESS; NX_IN_PROGRESS: a message is on its way; NX_NOT_SUCCESSFUL:
 * refused, and kept; NX_NOT_ENABLED. */
UINT picket_netxduo_flush(VOID);

/* Changes the agent while it runs; what is unsent goes out first, or stays for the next message.
 * See picket_agent_set_intervals() and picket_agent_set_collector(). NX_SUCCESS, NX_NOT_ENABLED,
 * NX_INVALID_PARAMETERS: nothing has changed. */
UINT picket_netxduo_set_intervals(const uint32_t interval_s[PICKET_PRIORITIES]);
UINT picket_netxduo_set_collector(enum picket_collector collector, bool enabled,
                                  enum picket_priority priority);

struct picket_netxduo_statistics {
    struct picket_agent_statistics agent;
    UINT ip_instances_watched;
    UINT ip_instances_unwatched; /* PICKET_NETXDUO_IP_INSTANCES is too small */
};

/* NX_SUCCESS, NX_NOT_ENABLED. */
UINT picket_netxduo_statistics(struct picket_netxduo_statistics *statistics);

#ifdef __cplusplus
}
#endif

#endif

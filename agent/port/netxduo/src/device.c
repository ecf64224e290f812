/* The one agent of a device: its storage, its clocks and lock, its start and end. */
#include "picket/netxduo/netxduo.h"

#include <string.h>

#include "device.h"
#include "features.h"
#include "ports.h"
#include "seed.h"
#include "watch.h"

static struct picket_ipv4_flow ipv4_flows[PICKET_IPV4_FLOW_ENTRIES];
static picket_flow_index ipv4_buckets[PICKET_AGENT_BUCKETS];
#if PICKET_AGENT_IPV6
static struct picket_ipv6_flow ipv6_flows[PICKET_IPV6_FLOW_ENTRIES];
static picket_flow_index ipv6_buckets[PICKET_AGENT_BUCKETS];
#endif

static struct {
    struct picket_agent agent;
    struct picket_netxduo_transport transport;
    UINT (*unix_time_get)(ULONG *unix_time);
    const CHAR *identity;
    TX_THREAD *within; /* the thread that is at the agent; NULL: none is */
    ULONG ticks;       /* up to which uptime_s counts */
    uint32_t uptime_s;
    unsigned starts;
    bool started;
} device;

/* ---- what the agent asks for ---- */

/* Interrupts off, for one table operation: packets may be handled by IP threads, by the
 * application's and by interrupts. */
static uint32_t lock(void *context)
{
    (void)context;
    return (uint32_t)tx_interrupt_control(TX_INT_DISABLE);
}

static void unlock(void *context, uint32_t posture)
{
    (void)context;
    tx_interrupt_control((UINT)posture);
}

/* Ticks wrap, in 49 days where a second has 1,000; polls are closer than that. */
static uint32_t uptime_s(void *context)
{
    (void)context;
    ULONG seconds = (tx_time_get() - device.ticks) / TX_TIMER_TICKS_PER_SECOND;
    device.ticks += seconds * TX_TIMER_TICKS_PER_SECOND;
    device.uptime_s += (uint32_t)seconds;
    return device.uptime_s;
}

static bool unix_time_s(void *context, uint32_t *seconds)
{
    ULONG now = 0;
    (void)context;
    if (device.unix_time_get == NULL || device.unix_time_get(&now) != NX_SUCCESS)
        return false;
    *seconds = (uint32_t)now;
    return true;
}

static bool connected(void *context)
{
    (void)context;
    return device.transport.connected(device.transport.context);
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    (void)context;
    return device.transport.send(device.transport.context, message);
}

/* ---- what it is started with ---- */

VOID picket_netxduo_identity_set(const CHAR *identity)
{
    device.identity = identity;
}

VOID picket_netxduo_config_defaults(struct picket_agent_config *config)
{
    picket_agent_config_defaults(config);
    config->callbacks.lock = lock;
    config->callbacks.unlock = unlock;
    config->callbacks.uptime_s = uptime_s;
    config->callbacks.unix_time_s = unix_time_s;
    config->callbacks.random = picket_seed_random;
    config->callbacks.connected = connected;
    config->callbacks.send = send;
#if PICKET_AGENT_LISTENING_PORTS > 0
    config->callbacks.listening_ports = picket_ports_list;
#endif
    config->system_information.os_info = picket_operating_system();
    config->system_information.kernel_info = picket_network_stack();
    config->system_information.hw_info = device.identity;
    config->ipv4 = (struct picket_flow_storage)PICKET_IPV4_FLOW_STORAGE(ipv4_flows, ipv4_buckets);
#if PICKET_AGENT_IPV6
    config->ipv6 = (struct picket_flow_storage)PICKET_IPV6_FLOW_STORAGE(ipv6_flows, ipv6_buckets);
#endif
}

/* ---- one thread at a time ---- */

unsigned picket_device_starts(void)
{
    return device.starts;
}

/* Waits until no other thread is at the agent. False: it runs, or does not, other than wanted, or
 * this thread is at it already. Before there are threads, none can come in between. */
static bool enter(bool started)
{
    TX_THREAD *self = tx_thread_identify();
    for (;;) {
        UINT posture = tx_interrupt_control(TX_INT_DISABLE);
        const TX_THREAD *within = device.within;
        bool may = device.started == started && (within == NULL || within != self);
        if (may && within == NULL)
            device.within = self;
        tx_interrupt_control(posture);
        if (!may || within == NULL)
            return may;
        tx_thread_sleep(1);
    }
}

struct picket_agent *picket_device_enter(void)
{
    return enter(true) ? &device.agent : NULL;
}

/* With interrupts off, as it was entered: so who enters next sees all that was done. */
static void leave(bool started)
{
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    device.started = started;
    device.within = NULL;
    tx_interrupt_control(posture);
}

void picket_device_leave(void)
{
    leave(true);
}

/* ---- start and end ---- */

/* A hook that an earlier watch left half way, on a thread that was pre-empted there, must not come
 * to the tables before they are whole. Before there are threads, both calls only fail. */
static bool prepare(const struct picket_agent_config *config)
{
    UINT threshold = 0;
    tx_thread_preemption_change(device.within, 0, &threshold);
    picket_seed_gather(device.unix_time_get);
    bool valid = picket_agent_init(&device.agent, config);
    tx_thread_preemption_change(device.within, threshold, &threshold);
    return valid;
}

UINT picket_netxduo_start_with(const struct picket_agent_config *config,
                               const struct picket_netxduo_transport *transport,
                               UINT (*unix_time_get)(ULONG *unix_time))
{
    if (transport == NULL || transport->connected == NULL || transport->send == NULL)
        return NX_PTR_ERROR;
    if (!enter(false))
        return NX_ALREADY_ENABLED;
    device.transport = *transport;
    device.unix_time_get = unix_time_get;
    bool valid = prepare(config);
    if (valid) {
        device.starts++;
        picket_watch(&device.agent);
    }
    leave(valid);
    return valid ? NX_SUCCESS : NX_INVALID_PARAMETERS;
}

UINT picket_netxduo_start(const struct picket_netxduo_transport *transport,
                          UINT (*unix_time_get)(ULONG *unix_time))
{
    struct picket_agent_config config;
    picket_netxduo_config_defaults(&config);
    return picket_netxduo_start_with(&config, transport, unix_time_get);
}

ULONG picket_netxduo_poll(VOID)
{
    struct picket_agent *agent = picket_device_enter();
    if (agent == NULL)
        return 0;
    picket_watch(agent);
    ULONG next_s = picket_agent_poll(agent);
    picket_device_leave();
    return next_s;
}

UINT picket_netxduo_flush(VOID)
{
    struct picket_agent *agent = picket_device_enter();
    if (agent == NULL)
        return NX_NOT_ENABLED;
    bool sent = picket_agent_flush(agent);
    picket_device_leave();
    return sent ? NX_SUCCESS : NX_NOT_SUCCESSFUL;
}

UINT picket_netxduo_set_intervals(const uint32_t interval_s[PICKET_PRIORITIES])
{
    struct picket_agent *agent = picket_device_enter();
    if (agent == NULL)
        return NX_NOT_ENABLED;
    picket_agent_flush(agent);
    bool valid = picket_agent_set_intervals(agent, interval_s);
    picket_device_leave();
    return valid ? NX_SUCCESS : NX_INVALID_PARAMETERS;
}

UINT picket_netxduo_set_collector(enum picket_collector collector, bool enabled,
                                  enum picket_priority priority)
{
    const struct picket_collector_config config = {enabled, priority};
    struct picket_agent *agent = picket_device_enter();
    if (agent == NULL)
        return NX_NOT_ENABLED;
    picket_agent_flush(agent);
    bool valid = picket_agent_set_collector(agent, collector, &config);
    picket_device_leave();
    return valid ? NX_SUCCESS : NX_INVALID_PARAMETERS;
}

UINT picket_netxduo_statistics(struct picket_netxduo_statistics *statistics)
{
    struct picket_agent *agent = picket_device_enter();
    if (agent == NULL)
        return NX_NOT_ENABLED;
    picket_agent_statistics(agent, &statistics->agent);
    picket_watch_statistics(&statistics->ip_instances_watched, &statistics->ip_instances_unwatched);
    picket_device_leave();
    return NX_SUCCESS;
}

UINT picket_netxduo_stop(VOID)
{
    if (!enter(true))
        return device.started ? NX_CALLER_ERROR : NX_NOT_ENABLED;
    picket_watch(NULL);
    leave(false);
    return NX_SUCCESS;
}

/* The one agent of a device: its storage, its clocks and lock, its start and end. */
#include "picket/netxduo/netxduo.h"

#include <string.h>

#include "device.h"
#include "features.h"
#include "watch.h"

struct picket_ipv4_flow picket_device_ipv4_flows[PICKET_IPV4_FLOW_ENTRIES];
picket_flow_index picket_device_ipv4_buckets[PICKET_AGENT_BUCKETS];
#if PICKET_AGENT_IPV6
struct picket_ipv6_flow picket_device_ipv6_flows[PICKET_IPV6_FLOW_ENTRIES];
picket_flow_index picket_device_ipv6_buckets[PICKET_AGENT_BUCKETS];
#endif

struct picket_wire_system_information picket_device_information;
const struct picket_netxduo_transport *picket_device_transport;

static struct {
    UINT (*unix_time_get)(ULONG *unix_time);
    TX_THREAD *within; /* the thread that is at the agent; NULL: none is */
    ULONG ticks;       /* up to which uptime_s counts */
    uint32_t uptime_s;
    unsigned starts;
    bool started;
    struct picket_agent agent; /* behind what is small, and so is reached with shorter code */
} device;

/* ---- what the agent asks for ---- */

/* Interrupts off, for one table operation: packets may be handled by IP threads, by the
 * application's and by interrupts. */
uint32_t picket_device_lock(void *context)
{
    (void)context;
    return (uint32_t)tx_interrupt_control(TX_INT_DISABLE);
}

void picket_device_unlock(void *context, uint32_t posture)
{
    (void)context;
    tx_interrupt_control((UINT)posture);
}

/* Ticks wrap, in 49 days where a second has 1,000; polls are closer than that. */
uint32_t picket_device_uptime_s(void *context)
{
    (void)context;
    ULONG seconds = (tx_time_get() - device.ticks) / TX_TIMER_TICKS_PER_SECOND;
    device.ticks += seconds * TX_TIMER_TICKS_PER_SECOND;
    device.uptime_s += (uint32_t)seconds;
    return device.uptime_s;
}

uint32_t picket_device_unix_time_s(void *context)
{
    ULONG now = 0;
    (void)context;
    if (device.unix_time_get == NULL || device.unix_time_get(&now) != NX_SUCCESS)
        return UINT32_MAX;
    return (uint32_t)now;
}

VOID picket_netxduo_identity_set(const CHAR *identity)
{
    picket_device_information.hw_info = identity;
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
static void prepare(const struct picket_agent_config *config)
{
    UINT threshold = 0;
    tx_thread_preemption_change(device.within, 0, &threshold);
    picket_agent_init(&device.agent, config);
    tx_thread_preemption_change(device.within, threshold, &threshold);
}

UINT picket_device_start(const struct picket_agent_config *config,
                         const struct picket_netxduo_transport *transport,
                         UINT (*unix_time_get)(ULONG *unix_time))
{
    if (!enter(false))
        return NX_ALREADY_ENABLED;
    picket_device_transport = transport;
    device.unix_time_get = unix_time_get;
    picket_seed_gather(picket_device_unix_time_s(NULL));
    picket_features_tell(&picket_device_information);
    prepare(config);
    device.starts++;
    picket_watch(&device.agent);
    leave(true);
    return NX_SUCCESS;
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
    enum picket_send_result result = picket_agent_flush(agent);
    picket_device_leave();
    if (result == PICKET_SEND_PENDING)
        return NX_IN_PROGRESS;
    return result == PICKET_SEND_ACCEPTED ? NX_SUCCESS : NX_NOT_SUCCESSFUL;
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
    const struct picket_collector_config config = {enabled, (uint8_t)priority};
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

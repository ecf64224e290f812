#include "watch.h"

#include "instances.h"

#ifndef NX_ENABLE_IP_PACKET_FILTER
#error "Define NX_ENABLE_IP_PACKET_FILTER in nx_user.h: the stack asks it for every packet it sends"
#endif

/* The filter that is told the NX_IP and the packet came with 6.1.8; before, a filter was told the
 * IP header only. */
#define FILTER_HAS_PACKET                                                                          \
    ((NETXDUO_MAJOR_VERSION << 16 | NETXDUO_MINOR_VERSION << 8 | NETXDUO_PATCH_VERSION) >= 0x060108)

/* What is called twice, and not to be there twice; and what would cost a hook registers to keep,
 * and so stack. */
#ifdef __GNUC__
#define APART    static __attribute__((noinline))
#define IN_PLACE static inline __attribute__((always_inline))
#else
#define APART    static
#define IN_PLACE static
#endif

typedef VOID (*receive)(NX_IP *ip, NX_PACKET *packet);

#if FILTER_HAS_PACKET
typedef UINT (*filter)(NX_IP *ip, NX_PACKET *packet, UINT direction);
#define FILTER_OF(ip) ((ip)->nx_ip_packet_filter_extended)
#else
typedef UINT (*filter)(VOID *header, UINT direction);
#define FILTER_OF(ip) ((ip)->nx_ip_packet_filter)
#endif

/* Filters of the application's that we can tell from one another, none at all being one. */
enum { FILTER_LEVELS = 4 };

/* Written with interrupts off, and read by hooks with them on: what is volatile is a word or less,
 * and each is right by itself. */
struct watch {
    NX_IP *volatile ip;        /* NULL: a free slot */
    volatile receive stack[2]; /* the stack's, for IPv4 and for IPv6 */
    /* The application's, asked by our filter of that level, or NULL. */
    volatile filter under[FILTER_LEVELS];
    uint8_t levels;         /* that have been used */
    volatile uint8_t level; /* of our filter that is on top */
};

static struct watch watches[PICKET_NETXDUO_IP_INSTANCES];
static struct picket_agent *volatile counting; /* NULL: hooks let everything pass */

/* The slot of an NX_IP, or the last one if it has none. A hook is set only where there is a slot,
 * and that is kept while the NX_IP exists. */
IN_PLACE struct watch *watch_of(const NX_IP *ip)
{
    struct watch *watch = watches;
    while (watch->ip != ip && watch < &watches[PICKET_NETXDUO_IP_INSTANCES - 1])
        watch++;
    return watch;
}

/* ---- inbound ---- */

/* Counts up with each packet that the stack refuses or forwards; one with a wrong checksum is
 * invalid, too. */
APART ULONG refusals(const NX_IP *ip)
{
    ULONG count = 0;
    (void)ip; /* where the stack does not count */
#ifndef NX_DISABLE_IP_INFO
    count += ip->nx_ip_receive_packets_dropped + ip->nx_ip_packets_forwarded;
#endif
#ifndef NX_DISABLE_TCP_INFO
    count += ip->nx_ip_tcp_invalid_packets;
#endif
#ifndef NX_DISABLE_UDP_INFO
    count += ip->nx_ip_udp_invalid_packets;
#endif
#ifndef NX_DISABLE_ICMP_INFO
    count += ip->nx_ip_icmp_invalid_packets;
#endif
    return count;
}

#ifndef NX_DISABLE_IPV4
/* An IPv4 packet to a subnet's own broadcast address, which only the interface's mask tells from a
 * host's. The stack has noted the interface, whether the driver did or not. */
static bool is_subnet_broadcast(const NX_PACKET *packet)
{
    const NX_INTERFACE *interface = packet->nx_packet_address.nx_packet_interface_ptr;
    const UCHAR *to = packet->nx_packet_prepend_ptr + 16;
    uint32_t address = (uint32_t)to[0] << 24 | (uint32_t)to[1] << 16 | (uint32_t)to[2] << 8 | to[3];
    uint32_t host_bits = ~(uint32_t)interface->nx_interface_ip_network_mask;
    return host_bits != 0 && (address ^ (uint32_t)interface->nx_interface_ip_network) == host_bits;
}
#endif

/* The packet is the stack's once it has been handed over: what a flow needs is read before. */
static void read_packet(const struct picket_agent *agent, const NX_PACKET *packet,
                        struct picket_packet_reading *reading)
{
    const UCHAR *header = packet->nx_packet_prepend_ptr;
    picket_agent_read_packet(agent, header, (size_t)(packet->nx_packet_append_ptr - header),
                             (uint32_t)packet->nx_packet_length, PICKET_IN, reading);
#ifndef NX_DISABLE_IPV4
    if (reading->verdict == PICKET_PACKET_COUNTED && reading->address_words == 1 &&
        agent->config->unicast_only && is_subnet_broadcast(packet))
        reading->verdict = PICKET_PACKET_MULTICAST;
#endif
}

/* In the place of the stack's functions for both families; of the version that the header begins
 * with, 4 or 6, the second bit tells which. */
static VOID receive_packet(NX_IP *ip, NX_PACKET *packet)
{
    struct picket_packet_reading reading;
    struct picket_agent *agent = counting;
    receive stack = watch_of(ip)->stack[*packet->nx_packet_prepend_ptr >> 5 & 1];
    if (agent != NULL)
        read_packet(agent, packet, &reading);
    ULONG before = refusals(ip);
    stack(ip, packet);
    if (agent != NULL && refusals(ip) == before)
        picket_agent_count_reading(agent, &reading);
}

/* ---- outbound ---- */

static void count_outbound(const UCHAR *header, size_t captured_bytes, uint32_t wire_bytes)
{
    struct picket_agent *agent = counting;
    if (agent != NULL)
        picket_agent_count_packet(agent, header, captured_bytes, wire_bytes, PICKET_OUT);
}

/* Our filter of a level asks the one that was there before, and that may ask ours of the level
 * below, which it found when it was set. The topmost of ours counts. */
#if FILTER_HAS_PACKET
static UINT filter_outbound(NX_IP *ip, NX_PACKET *packet, UINT direction, UINT level)
{
    const struct watch *watch = watch_of(ip);
    filter under = watch->under[level];
    bool counts = direction == NX_IP_PACKET_OUT && level == watch->level;
    UINT status = under != NX_NULL ? under(ip, packet, direction) : NX_SUCCESS;
    if (status == NX_SUCCESS && counts)
        count_outbound(packet->nx_packet_prepend_ptr,
                       (size_t)(packet->nx_packet_append_ptr - packet->nx_packet_prepend_ptr),
                       (uint32_t)packet->nx_packet_length);
    return status;
}

#define FILTER_OF_LEVEL(level)                                                                     \
    static UINT filter_##level(NX_IP *ip, NX_PACKET *packet, UINT direction)                       \
    {                                                                                              \
        return filter_outbound(ip, packet, direction, level);                                      \
    }
FILTER_OF_LEVEL(0)
FILTER_OF_LEVEL(1)
FILTER_OF_LEVEL(2)
FILTER_OF_LEVEL(3)

static filter filter_for(const struct watch *watch, UINT level)
{
    static const filter filters[FILTER_LEVELS] = {filter_0, filter_1, filter_2, filter_3};
    (void)watch;
    return filters[level];
}
#else
/* The header is the stack's own work, and its declared length the packet's. */
static UINT filter_outbound(VOID *header, UINT direction, const struct watch *watch, UINT level)
{
    filter under = watch->under[level];
    UINT status = under != NX_NULL ? under(header, direction) : NX_SUCCESS;
    if (status == NX_SUCCESS && direction == NX_IP_PACKET_OUT && level == watch->level)
        count_outbound(header, UINT16_MAX, PICKET_WIRE_BYTES_UNKNOWN);
    return status;
}

/* Such a filter is not told the NX_IP: each slot has functions of its own. */
#define FILTER_OF_LEVEL(slot, level)                                                               \
    static UINT filter_##slot##_##level(VOID *header, UINT direction)                              \
    {                                                                                              \
        return filter_outbound(header, direction, &watches[slot], level);                          \
    }
#define FILTERS_OF_SLOT(slot)                                                                      \
    FILTER_OF_LEVEL(slot, 0)                                                                       \
    FILTER_OF_LEVEL(slot, 1) FILTER_OF_LEVEL(slot, 2) FILTER_OF_LEVEL(slot, 3)
#define NAMES_OF_SLOT(slot)                                                                        \
    {                                                                                              \
        filter_##slot##_0, filter_##slot##_1, filter_##slot##_2, filter_##slot##_3                 \
    }

FILTERS_OF_SLOT(0)
#if PICKET_NETXDUO_IP_INSTANCES > 1
FILTERS_OF_SLOT(1)
#endif
#if PICKET_NETXDUO_IP_INSTANCES > 2
FILTERS_OF_SLOT(2)
#endif
#if PICKET_NETXDUO_IP_INSTANCES > 3
FILTERS_OF_SLOT(3)
#endif

static filter filter_for(const struct watch *watch, UINT level)
{
    static const filter filters[PICKET_NETXDUO_IP_INSTANCES][FILTER_LEVELS] = {
        NAMES_OF_SLOT(0),
#if PICKET_NETXDUO_IP_INSTANCES > 1
        NAMES_OF_SLOT(1),
#endif
#if PICKET_NETXDUO_IP_INSTANCES > 2
        NAMES_OF_SLOT(2),
#endif
#if PICKET_NETXDUO_IP_INSTANCES > 3
        NAMES_OF_SLOT(3),
#endif
    };
    return filters[watch - watches][level];
}
#endif

/* ---- hooks ----
 *
 * Interrupts are off. What is in a place and not ours is the stack's or the application's: it is
 * remembered, and then ours is put there, or what it stood in for. */

/* Whoever sets a filter may have saved the one that was there, and call it, or put it back later.
 * So ours of a level stays what it was, and comes over a filter it has not seen as ours of the
 * next; beyond the last level a filter stays on top. */
static void set_filter(NX_IP *ip, struct watch *watch, bool ours)
{
    filter top = FILTER_OF(ip);
    UINT level = 0;
    while (level < watch->levels && top != filter_for(watch, level) && top != watch->under[level])
        level++;
    if (level == FILTER_LEVELS)
        return;
    if (level == watch->levels) {
        watch->levels++;
        watch->under[level] = top;
    }
    watch->level = (uint8_t)level;
    FILTER_OF(ip) = ours ? filter_for(watch, level) : watch->under[level];
}

APART void set_receive(volatile receive *place, volatile receive *stack, bool ours)
{
    receive found = *place;
    if (found == NX_NULL)
        return;
    if (found != receive_packet)
        *stack = found;
    *place = ours ? receive_packet : *stack;
}

static bool exists(const NX_IP *wanted)
{
    const NX_IP *ip = picket_instance_after(NULL);
    while (ip != NULL && ip != wanted)
        ip = picket_instance_after(ip);
    return ip != NULL;
}

/* The slot of an NX_IP, a new one if it has none; NULL: there is no place. */
static struct watch *slot_for(NX_IP *ip)
{
    struct watch *watch = watch_of(ip);
    if (watch->ip == ip)
        return watch;
    for (watch = watches; watch < &watches[PICKET_NETXDUO_IP_INSTANCES]; watch++)
        if (!exists(watch->ip)) {
            watch->ip = ip;
            watch->levels = 0;
            return watch;
        }
    return NULL;
}

static void set_hooks(NX_IP *ip, bool ours)
{
    struct watch *watch = slot_for(ip);
    if (watch == NULL)
        return;
#ifndef NX_DISABLE_IPV4
    set_receive(&ip->nx_ipv4_packet_receive, &watch->stack[0], ours);
#endif
#ifdef FEATURE_NX_IPV6
    set_receive(&ip->nx_ipv6_packet_receive, &watch->stack[1], ours);
#endif
    set_filter(ip, watch, ours);
}

void picket_watch(struct picket_agent *agent)
{
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    counting = agent;
    for (NX_IP *ip = picket_instance_after(NULL); ip != NULL; ip = picket_instance_after(ip))
        set_hooks(ip, agent != NULL);
    tx_interrupt_control(posture);
}

void picket_watch_statistics(UINT *watched, UINT *unwatched)
{
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    *watched = *unwatched = 0;
    for (const NX_IP *ip = picket_instance_after(NULL); ip != NULL; ip = picket_instance_after(ip))
        ++*(watch_of(ip)->ip == ip ? watched : unwatched);
    tx_interrupt_control(posture);
}

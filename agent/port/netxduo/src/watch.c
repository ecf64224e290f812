#include "watch.h"

#include "nx_ip.h"

#ifndef NX_ENABLE_IP_PACKET_FILTER
#error "Define NX_ENABLE_IP_PACKET_FILTER in nx_user.h: the stack asks it for every packet it sends"
#endif

/* The filter that is told the NX_IP and the packet came with 6.1.8; before, a filter was told the
 * IP header only. */
#define FILTER_HAS_PACKET                                                                          \
    ((NETXDUO_MAJOR_VERSION << 16 | NETXDUO_MINOR_VERSION << 8 | NETXDUO_PATCH_VERSION) >= 0x060108)

typedef VOID (*receive)(NX_IP *ip, NX_PACKET *packet);

#if FILTER_HAS_PACKET
typedef UINT (*filter)(NX_IP *ip, NX_PACKET *packet, UINT direction);
#define FILTER_OF(ip) ((ip)->nx_ip_packet_filter_extended)
#else
typedef UINT (*filter)(VOID *header, UINT direction);
#define FILTER_OF(ip) ((ip)->nx_ip_packet_filter)
#endif

/* Filters of the application's that can be set one over the other, while we come in between. */
enum { FILTER_LEVELS = 4 };

/* Written with interrupts off, and read by hooks with them on: what is volatile is a word or less,
 * and each is right by itself. */
struct watch {
    NX_IP *volatile ip; /* NULL: a free slot */
#ifndef NX_DISABLE_IPV4
    volatile receive ipv4_receive; /* the stack's */
#endif
#ifdef FEATURE_NX_IPV6
    volatile receive ipv6_receive; /* the stack's, once IPv6 is enabled */
#endif
    /* The application's, asked by our filter of that level, or NULL. */
    volatile filter under[FILTER_LEVELS];
    uint8_t levels;         /* that have been used */
    volatile uint8_t level; /* of our filter that is on top */
};

static struct watch watches[PICKET_NETXDUO_IP_INSTANCES];
static struct picket_agent *volatile counting; /* NULL: hooks let everything pass */

/* A hook is set only where there is a slot, and the slot is kept while the NX_IP exists. */
static struct watch *watch_of(const NX_IP *ip)
{
    for (UINT i = 0; i < PICKET_NETXDUO_IP_INSTANCES; i++)
        if (watches[i].ip == ip)
            return &watches[i];
    return NULL;
}

/* ---- inbound ---- */

/* Counts up with each packet that the stack refuses or forwards. */
static ULONG refusals(const NX_IP *ip)
{
    ULONG count = 0;
    (void)ip; /* where the stack does not count */
#ifndef NX_DISABLE_IP_INFO
    count += ip->nx_ip_receive_packets_dropped + ip->nx_ip_packets_forwarded;
#endif
#ifndef NX_DISABLE_TCP_INFO
    count += ip->nx_ip_tcp_invalid_packets + ip->nx_ip_tcp_checksum_errors;
#endif
#ifndef NX_DISABLE_UDP_INFO
    count += ip->nx_ip_udp_invalid_packets;
#endif
#ifndef NX_DISABLE_ICMP_INFO
    count += ip->nx_ip_icmp_invalid_packets + ip->nx_ip_icmp_checksum_errors;
#endif
    return count;
}

#ifndef NX_DISABLE_IPV4
/* A subnet's own broadcast address, which only the interface's mask tells from a host's. */
static bool is_subnet_broadcast(const NX_PACKET *packet)
{
    const NX_INTERFACE *interface = packet->nx_packet_address.nx_packet_interface_ptr;
    const UCHAR *header = packet->nx_packet_prepend_ptr;
    if (interface == NX_NULL || packet->nx_packet_ip_version != NX_IP_VERSION_V4 ||
        packet->nx_packet_length < sizeof(NX_IPV4_HEADER))
        return false;
    uint32_t destination = (uint32_t)header[16] << 24 | (uint32_t)header[17] << 16 |
                           (uint32_t)header[18] << 8 | header[19];
    uint32_t host_bits = ~(uint32_t)interface->nx_interface_ip_network_mask;
    return host_bits != 0 &&
           destination == ((uint32_t)interface->nx_interface_ip_network | host_bits);
}
#endif

/* The packet is the stack's once it has been handed over: what a flow needs is read before. */
static VOID receive_and_count(NX_IP *ip, NX_PACKET *packet, receive stack)
{
    struct picket_packet_reading reading;
    struct picket_agent *agent = counting;
    if (agent == NULL) {
        stack(ip, packet);
        return;
    }
    size_t captured_bytes = (size_t)(packet->nx_packet_append_ptr - packet->nx_packet_prepend_ptr);
    picket_agent_read_packet(packet->nx_packet_prepend_ptr, captured_bytes,
                             (uint32_t)packet->nx_packet_length, &reading);
#ifndef NX_DISABLE_IPV4
    if (agent->config.unicast_only && is_subnet_broadcast(packet))
        reading.verdict = PICKET_PACKET_MULTICAST;
#endif
    ULONG before = refusals(ip);
    stack(ip, packet);
    if (refusals(ip) == before)
        picket_agent_count_reading(agent, &reading, PICKET_IN);
}

#ifndef NX_DISABLE_IPV4
static VOID receive_ipv4(NX_IP *ip, NX_PACKET *packet)
{
    const struct watch *watch = watch_of(ip);
    if (watch != NULL)
        receive_and_count(ip, packet, watch->ipv4_receive);
    else
        nx_packet_release(packet);
}
#endif

#ifdef FEATURE_NX_IPV6
static VOID receive_ipv6(NX_IP *ip, NX_PACKET *packet)
{
    const struct watch *watch = watch_of(ip);
    if (watch != NULL)
        receive_and_count(ip, packet, watch->ipv6_receive);
    else
        nx_packet_release(packet);
}
#endif

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
static UINT filter_outbound(uint8_t level, NX_IP *ip, NX_PACKET *packet, UINT direction)
{
    const struct watch *watch = watch_of(ip);
    UINT status = NX_SUCCESS;
    if (watch == NULL)
        return NX_SUCCESS;
    filter under = watch->under[level];
    if (under != NX_NULL)
        status = under(ip, packet, direction);
    if (status == NX_SUCCESS && direction == NX_IP_PACKET_OUT && level == watch->level)
        count_outbound(packet->nx_packet_prepend_ptr,
                       (size_t)(packet->nx_packet_append_ptr - packet->nx_packet_prepend_ptr),
                       (uint32_t)packet->nx_packet_length);
    return status;
}

#define FILTER_OF_LEVEL(level)                                                                     \
    static UINT filter_##level(NX_IP *ip, NX_PACKET *packet, UINT direction)                       \
    {                                                                                              \
        return filter_outbound(level, ip, packet, direction);                                      \
    }
FILTER_OF_LEVEL(0)
FILTER_OF_LEVEL(1)
FILTER_OF_LEVEL(2)
FILTER_OF_LEVEL(3)

static filter filter_for(const struct watch *watch, uint8_t level)
{
    static const filter filters[FILTER_LEVELS] = {filter_0, filter_1, filter_2, filter_3};
    (void)watch;
    return filters[level];
}
#else
/* The header is the stack's own work, and its declared length the packet's. */
static UINT filter_outbound(const struct watch *watch, uint8_t level, VOID *header, UINT direction)
{
    UINT status = NX_SUCCESS;
    filter under = watch->under[level];
    if (under != NX_NULL)
        status = under(header, direction);
    if (status == NX_SUCCESS && direction == NX_IP_PACKET_OUT && level == watch->level)
        count_outbound(header, UINT16_MAX, PICKET_WIRE_BYTES_UNKNOWN);
    return status;
}

/* Such a filter is not told the NX_IP: each slot has functions of its own. */
#define FILTER_OF_LEVEL(slot, level)                                                               \
    static UINT filter_##slot##_##level(VOID *header, UINT direction)                              \
    {                                                                                              \
        return filter_outbound(&watches[slot], level, header, direction);                          \
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

static filter filter_for(const struct watch *watch, uint8_t level)
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

/* ---- hooks ---- */

/* Whoever sets a filter may have saved the one that was there, and call it, or put it back later.
 * So ours of a level stays what it was, and comes over a filter it has not seen as ours of the
 * next; only where there is none at all, nobody is left who could call ours. Beyond the last level
 * a filter stays on top. Interrupts are off. */
static void hook_filter(struct watch *watch)
{
    filter top = FILTER_OF(watch->ip);
    uint8_t level;
    for (level = 0; level < FILTER_LEVELS; level++)
        if (top == filter_for(watch, level)) {
            watch->level = level;
            return;
        }
    if (top == NX_NULL)
        watch->levels = 0;
    for (level = 0; level < watch->levels; level++)
        if (top == watch->under[level])
            break;
    if (level == FILTER_LEVELS)
        return;
    if (level == watch->levels)
        watch->levels++;
    watch->under[level] = top;
    watch->level = level;
    FILTER_OF(watch->ip) = filter_for(watch, level);
}

/* What is not our hook is the stack's or the application's: it is remembered, and ours takes its
 * place. Interrupts are off. */
static void hook(struct watch *watch)
{
    NX_IP *ip = watch->ip;
#ifndef NX_DISABLE_IPV4
    if (ip->nx_ipv4_packet_receive != NX_NULL && ip->nx_ipv4_packet_receive != receive_ipv4) {
        watch->ipv4_receive = ip->nx_ipv4_packet_receive;
        ip->nx_ipv4_packet_receive = receive_ipv4;
    }
#endif
#ifdef FEATURE_NX_IPV6
    if (ip->nx_ipv6_packet_receive != NX_NULL && ip->nx_ipv6_packet_receive != receive_ipv6) {
        watch->ipv6_receive = ip->nx_ipv6_packet_receive;
        ip->nx_ipv6_packet_receive = receive_ipv6;
    }
#endif
    hook_filter(watch);
}

/* Interrupts are off. */
static void unhook(const struct watch *watch)
{
    NX_IP *ip = watch->ip;
#ifndef NX_DISABLE_IPV4
    if (ip->nx_ipv4_packet_receive == receive_ipv4)
        ip->nx_ipv4_packet_receive = watch->ipv4_receive;
#endif
#ifdef FEATURE_NX_IPV6
    if (ip->nx_ipv6_packet_receive == receive_ipv6)
        ip->nx_ipv6_packet_receive = watch->ipv6_receive;
#endif
    if (FILTER_OF(ip) == filter_for(watch, watch->level))
        FILTER_OF(ip) = watch->under[watch->level];
}

/* Interrupts are off: the stack's list changes with them off, too. */
static bool exists(const NX_IP *wanted)
{
    NX_IP *ip = _nx_ip_created_ptr;
    for (ULONG i = 0; i < _nx_ip_created_count; i++, ip = ip->nx_ip_created_next)
        if (ip == wanted)
            return true;
    return false;
}

static struct watch *slot_for(NX_IP *ip)
{
    struct watch *watch = watch_of(ip);
    if (watch == NULL && (watch = watch_of(NULL)) != NULL) {
        watch->levels = 0;
        watch->ip = ip;
    }
    return watch;
}

void picket_watch_scan(struct picket_agent *agent, UINT *watched, UINT *unwatched)
{
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    counting = agent;
    *watched = *unwatched = 0;
    for (UINT i = 0; i < PICKET_NETXDUO_IP_INSTANCES; i++)
        if (!exists(watches[i].ip))
            watches[i].ip = NULL;
    NX_IP *ip = _nx_ip_created_ptr;
    for (ULONG i = 0; i < _nx_ip_created_count; i++, ip = ip->nx_ip_created_next) {
        struct watch *watch = slot_for(ip);
        if (watch == NULL) {
            ++*unwatched;
            continue;
        }
        hook(watch);
        ++*watched;
    }
    tx_interrupt_control(posture);
}

void picket_watch_end(void)
{
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    counting = NULL;
    for (UINT i = 0; i < PICKET_NETXDUO_IP_INSTANCES; i++)
        if (exists(watches[i].ip))
            unhook(&watches[i]);
    tx_interrupt_control(posture);
}

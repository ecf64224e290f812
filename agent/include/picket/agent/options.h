/* Every compile-time option of the agent: what it is for, its default, what it costs.
 *
 * Override on the compiler's command line, or in a header of your own:
 * -DPICKET_AGENT_OPTIONS_FILE='"my_picket_options.h"'. Costs are for a 32-bit device. What can be
 * chosen at run time is in struct picket_agent_config; its defaults are options of the second half.
 */
#ifndef PICKET_AGENT_OPTIONS_H
#define PICKET_AGENT_OPTIONS_H

#ifdef PICKET_AGENT_OPTIONS_FILE
#include PICKET_AGENT_OPTIONS_FILE
#endif

/* ---- Built in or not, and how large ---- */

/* Bits of a flow's index in its table: 16 for devices, 32 for hosts that want more than 10,922 IPv4
 * or 5,461 IPv6 flows. 32 costs 4 bytes per flow and 2 per bucket. */
#ifndef PICKET_AGENT_INDEX_BITS
#define PICKET_AGENT_INDEX_BITS 16
#endif

/* Count IPv6 at all (0 or 1). Cost: some 700 bytes of flash. */
#ifndef PICKET_AGENT_IPV6
#define PICKET_AGENT_IPV6 1
#endif

/* Count TCP, UDP, ICMP with ICMPv6 (0 or 1 each). Cost: 20 to 60 bytes of flash each. */
#ifndef PICKET_AGENT_TCP
#define PICKET_AGENT_TCP 1
#endif
#ifndef PICKET_AGENT_UDP
#define PICKET_AGENT_UDP 1
#endif
#ifndef PICKET_AGENT_ICMP
#define PICKET_AGENT_ICMP 1
#endif

/* Entries of the storage that PICKET_IPV4_FLOW_STORAGE and PICKET_IPV6_FLOW_STORAGE define. A flow
 * costs 24 bytes (IPv4) or 48 (IPv6), a bucket 2. */
#ifndef PICKET_AGENT_IPV4_FLOWS
#define PICKET_AGENT_IPV4_FLOWS 64
#endif
#ifndef PICKET_AGENT_IPV6_FLOWS
#define PICKET_AGENT_IPV6_FLOWS 64
#endif

/* Entries on top of those, usable only while a report is on its way out: its flows are frozen then,
 * and a packet of any flow needs an entry beside them. Same cost per flow. */
#ifndef PICKET_AGENT_RESERVE_FLOWS
#define PICKET_AGENT_RESERVE_FLOWS 2
#endif

/* Buckets of each hash table, a power of two, best not below the number of flows. */
#ifndef PICKET_AGENT_BUCKETS
#define PICKET_AGENT_BUCKETS 64
#endif

/* The most flows one bucket holds: what a packet walks at worst. With as many buckets as flows a
 * full table of 64 has a flow too many for its bucket once in 14,000 fillings; that flow is counted
 * as lost. Cost: 7 instructions of the worst packet each; no memory. Hosts, with their large
 * tables, have more. */
#ifndef PICKET_AGENT_CHAIN_MAX
#if PICKET_AGENT_INDEX_BITS == 32
#define PICKET_AGENT_CHAIN_MAX 16
#else
#define PICKET_AGENT_CHAIN_MAX 8
#endif
#endif

/* The most IPv6 extension headers that are walked; a packet with more cannot be told to be of a
 * flow, and is counted as lost (PICKET_PACKET_HEADER_CHAIN). RFC 8200 recommends an order in which
 * six can stand; more than two are hardly ever seen. Cost: about 18 instructions of the worst
 * packet each; no memory. */
#ifndef PICKET_AGENT_EXTENSION_HEADERS_MAX
#define PICKET_AGENT_EXTENSION_HEADERS_MAX 4
#endif

/* Open ports that one event tells at most, TCP and UDP, each with an address of the device: what
 * does not fit is counted. 0: no collector of listening ports. Cost: 20 bytes of poll()'s stack
 * each, and some 400 bytes of flash with the port's side. */
#ifndef PICKET_AGENT_LISTENING_PORTS
#if PICKET_AGENT_INDEX_BITS == 32
#define PICKET_AGENT_LISTENING_PORTS 512
#else
#define PICKET_AGENT_LISTENING_PORTS 16
#endif
#endif

/* Bits of the sketch that counts distinct flows for which there was no room, a power of two from 32
 * to 16,384: the number reported is a lower bound and cannot exceed this. Of 64 such flows 256 bits
 * tell 57 on average, of 200 they tell 139. Cost: an eighth of it in bytes. */
#ifndef PICKET_AGENT_LOST_FLOW_BITS
#define PICKET_AGENT_LOST_FLOW_BITS 256
#endif

/* An early report is asked for when a table is this many eighths full. No cost. */
#ifndef PICKET_AGENT_EARLY_REPORT_EIGHTHS
#define PICKET_AGENT_EARLY_REPORT_EIGHTHS 7
#endif

/* The most flows in one message; more are sent in several messages one after the other. A flow
 * takes 36 or 40 bytes (IPv4), 60 or 64 (IPv6); the default keeps a message, with 512 ports of IPv6
 * in it, within the 256 KiB that an IoT hub takes and picket_wire_encode() gives. Lower it if the
 * transport's buffers are smaller. No cost. */
#ifndef PICKET_AGENT_MESSAGE_FLOWS_MAX
#define PICKET_AGENT_MESSAGE_FLOWS_MAX 3840
#endif

/* Seconds that a message may be on its way (PICKET_SEND_PENDING) before it counts as refused. No
 * cost. */
#ifndef PICKET_AGENT_DELIVERY_TIMEOUT_S
#define PICKET_AGENT_DELIVERY_TIMEOUT_S 60
#endif

/* Tell the port when a table is filling up (callbacks.wake, 0 or 1). Not needed where poll() runs
 * every second anyway. Cost: 60 bytes of flash. */
#ifndef PICKET_AGENT_WAKE
#define PICKET_AGENT_WAKE 1
#endif

/* The version that messages carry. The build sets it; by hand it is this one. */
#ifndef PICKET_AGENT_VERSION_MAJOR
#define PICKET_AGENT_VERSION_MAJOR 0
#define PICKET_AGENT_VERSION_MINOR 1
#define PICKET_AGENT_VERSION_PATCH 0
#endif

/* ---- Defaults of struct picket_agent_config; no cost ---- */

/* The name by which messages tell who wrote them. */
#ifndef PICKET_AGENT_SECURITY_MODULE_ID
#define PICKET_AGENT_SECURITY_MODULE_ID "picket-agent"
#endif

/* Seconds between two collections of each priority group. */
#ifndef PICKET_AGENT_HIGH_INTERVAL_S
#define PICKET_AGENT_HIGH_INTERVAL_S 10
#endif
#ifndef PICKET_AGENT_MEDIUM_INTERVAL_S
#define PICKET_AGENT_MEDIUM_INTERVAL_S 30
#endif
#ifndef PICKET_AGENT_LOW_INTERVAL_S
#define PICKET_AGENT_LOW_INTERVAL_S 60
#endif

/* The first collection is delayed by a random time between these two. */
#ifndef PICKET_AGENT_FIRST_DELAY_MIN_S
#define PICKET_AGENT_FIRST_DELAY_MIN_S 30
#endif
#ifndef PICKET_AGENT_FIRST_DELAY_MAX_S
#define PICKET_AGENT_FIRST_DELAY_MAX_S 90
#endif

/* Seconds after which a refused message is tried again. */
#ifndef PICKET_AGENT_SEND_RETRY_S
#define PICKET_AGENT_SEND_RETRY_S 3
#endif

/* Seconds without a connection after which the agent is suspended. */
#ifndef PICKET_AGENT_PENDING_TIME_S
#define PICKET_AGENT_PENDING_TIME_S 300
#endif

/* At most one early report in this many seconds. */
#ifndef PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S
#define PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S 5
#endif

/* Collectors that run (0 or 1). */
#ifndef PICKET_AGENT_NETWORK_ACTIVITY_ENABLED
#define PICKET_AGENT_NETWORK_ACTIVITY_ENABLED 1
#endif
#ifndef PICKET_AGENT_SYSTEM_INFORMATION_ENABLED
#define PICKET_AGENT_SYSTEM_INFORMATION_ENABLED 1
#endif
#ifndef PICKET_AGENT_LISTENING_PORTS_ENABLED
#define PICKET_AGENT_LISTENING_PORTS_ENABLED 1
#endif
#ifndef PICKET_AGENT_HEARTBEAT_ENABLED
#define PICKET_AGENT_HEARTBEAT_ENABLED 1
#endif

/* Network activity without a flow is an event, too (0 or 1). */
#ifndef PICKET_AGENT_SEND_EMPTY_EVENTS
#define PICKET_AGENT_SEND_EMPTY_EVENTS 0
#endif

/* Inbound broadcast and multicast are not counted (0 or 1). */
#ifndef PICKET_AGENT_UNICAST_ONLY
#define PICKET_AGENT_UNICAST_ONLY 1
#endif

#if PICKET_AGENT_INDEX_BITS != 16 && PICKET_AGENT_INDEX_BITS != 32
#error "PICKET_AGENT_INDEX_BITS is 16 or 32"
#endif
#if PICKET_AGENT_LOST_FLOW_BITS < 32 || PICKET_AGENT_LOST_FLOW_BITS > 16384 ||                     \
    (PICKET_AGENT_LOST_FLOW_BITS & (PICKET_AGENT_LOST_FLOW_BITS - 1)) != 0
#error "PICKET_AGENT_LOST_FLOW_BITS is a power of two, 32 to 16384"
#endif
#if PICKET_AGENT_BUCKETS < 2 || PICKET_AGENT_BUCKETS > 32768 ||                                    \
    (PICKET_AGENT_BUCKETS & (PICKET_AGENT_BUCKETS - 1)) != 0
#error "PICKET_AGENT_BUCKETS is a power of two, 2 to 32768"
#endif
#if PICKET_AGENT_INDEX_BITS == 16 &&                                                               \
    (PICKET_AGENT_IPV4_FLOWS + PICKET_AGENT_RESERVE_FLOWS > 10922 ||                               \
     PICKET_AGENT_IPV6_FLOWS + PICKET_AGENT_RESERVE_FLOWS > 5461)
#error                                                                                             \
    "PICKET_AGENT_IPV4_FLOWS and PICKET_AGENT_RESERVE_FLOWS are at most 10922, PICKET_AGENT_IPV6_FLOWS and it 5461"
#endif
#if PICKET_AGENT_EARLY_REPORT_EIGHTHS < 1 || PICKET_AGENT_EARLY_REPORT_EIGHTHS > 8
#error "PICKET_AGENT_EARLY_REPORT_EIGHTHS is 1 to 8"
#endif
#if PICKET_AGENT_HIGH_INTERVAL_S < 1 || PICKET_AGENT_HIGH_INTERVAL_S > 0x7FFFFFFF ||               \
    PICKET_AGENT_MEDIUM_INTERVAL_S < 1 || PICKET_AGENT_MEDIUM_INTERVAL_S > 0x7FFFFFFF ||           \
    PICKET_AGENT_LOW_INTERVAL_S < 1 || PICKET_AGENT_LOW_INTERVAL_S > 0x7FFFFFFF
#error "PICKET_AGENT_HIGH_INTERVAL_S, _MEDIUM_ and _LOW_ are at least 1 second, and less than 2^31"
#endif
#if PICKET_AGENT_FIRST_DELAY_MIN_S < 0 ||                                                          \
    PICKET_AGENT_FIRST_DELAY_MIN_S > PICKET_AGENT_FIRST_DELAY_MAX_S ||                             \
    PICKET_AGENT_FIRST_DELAY_MAX_S > 0x7FFFFFFF
#error                                                                                             \
    "PICKET_AGENT_FIRST_DELAY_MIN_S is at most PICKET_AGENT_FIRST_DELAY_MAX_S, and that less than 2^31"
#endif
#if PICKET_AGENT_SEND_RETRY_S < 1 || PICKET_AGENT_SEND_RETRY_S > 0x7FFFFFFF ||                     \
    PICKET_AGENT_DELIVERY_TIMEOUT_S < 1 || PICKET_AGENT_DELIVERY_TIMEOUT_S > 0x7FFFFFFF
#error                                                                                             \
    "PICKET_AGENT_SEND_RETRY_S and PICKET_AGENT_DELIVERY_TIMEOUT_S are at least 1 second, and less than 2^31"
#endif
#if PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S < 0 ||                                                \
    PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S > 0x7FFFFFFF
#error "PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S is less than 2^31"
#endif
#if PICKET_AGENT_CHAIN_MAX < 1 || PICKET_AGENT_MESSAGE_FLOWS_MAX < 1
#error "PICKET_AGENT_CHAIN_MAX and PICKET_AGENT_MESSAGE_FLOWS_MAX are at least 1"
#endif

#endif

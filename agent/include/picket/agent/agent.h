/* The micro-agent: folds packets into flows and reports them, with system information and
 * heartbeats, in security messages.
 *
 * A port (agent/port/...) gives it packets, a clock, a lock, randomness and a way to send; the core
 * has no operating system, no heap and no thread of its own:
 *
 *     packet hook(s) ──▶ picket_agent_count_packet()      many threads or interrupts
 *     1 s tick ────────▶ picket_agent_poll()               one thread
 *                           └─▶ callbacks.send(message)    on that thread, without the lock
 *
 * Flow table. Storage is the caller's. A packet costs one hash and a bounded walk; the hash is
 * seeded, and a chain has a hard limit, so that a peer cannot make a packet expensive. When the
 * table is full, known flows go on being counted, others are counted as lost and reported as such.
 *
 * Collecting. When network activity is due, the flows present are frozen: the message is laid out
 * straight from the table while packets that arrive meanwhile open new entries (the reserve keeps
 * room for them). If the transport accepts the message the frozen flows are released; if not they
 * are thawed and merged with what came since: nothing is forgotten. A transport that learns only
 * later whether a message has arrived says so: until then its flows stay frozen, and nothing else
 * is sent. The lock is held for one table operation at a time, never while a message is encoded or
 * sent.
 *
 * Time. Intervals run on the monotonic clock; the wall clock only stamps events.
 *
 * States: pending (collects, no connection yet) → active (collects and sends) → suspended (no
 * connection for pending_time_s: keeps counting flows within the table's bound, attempts nothing) →
 * active again with the connection.
 */
#ifndef PICKET_AGENT_AGENT_H
#define PICKET_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/agent/flow_table.h"
#include "picket/agent/options.h"
#include "picket/wire/encoder.h"

enum picket_send_result {
    PICKET_SEND_ACCEPTED, /* the message has arrived, or the transport will deliver it */
    PICKET_SEND_REFUSED,  /* it will not; the agent keeps everything and tries again */
    PICKET_SEND_PENDING   /* the transport has the message, and does not know yet */
};

/* What the port supplies. All get callbacks.context. */
struct picket_agent_callbacks {
    void *context;

    /* Mutual exclusion between packet hooks and poll(); picket_agent_no_lock() and
     * picket_agent_no_unlock() where there is one thread only. lock() returns what unlock() is
     * handed (an interrupt posture, say). Held for 275 instructions at most (x86-64, default
     * options), whatever comes; for some 100 unless a peer knows the seed of the hash. */
    uint32_t (*lock)(void *context);
    void (*unlock)(void *context, uint32_t posture);

    uint32_t (*uptime_s)(void *context);    /* monotonic, seconds since boot */
    uint32_t (*unix_time_s)(void *context); /* UINT32_MAX: unknown; picket_agent_no_clock() */
    void (*random)(void *context, void *bytes, size_t size_bytes); /* not predictable by a peer */

    bool (*connected)(void *context); /* can send() succeed now? */

    /* Sends one message, through picket_wire_encode() into whatever the transport has; may be
     * encoded several times, for several hubs. The message is valid during the call only. */
    enum picket_send_result (*send)(void *context, const struct picket_wire_message *message);

    /* What became of the message for which send() returned PENDING: asked by each poll() until it
     * is known, PICKET_AGENT_DELIVERY_TIMEOUT_S long; then the message counts as refused, and what
     * it says may be said twice. Nothing is sent meanwhile. NULL where send() never returns
     * PENDING. */
    enum picket_send_result (*delivered)(void *context);

    /* Fills ports with up to max of those that are open now; returns how many there are. NULL: no
     * event of listening ports. Never called where PICKET_AGENT_LISTENING_PORTS is 0. */
    uint32_t (*listening_ports)(void *context, struct picket_wire_open_port *ports, uint32_t max);

    /* A table is filling up: call picket_agent_poll() soon, for an early report. Called from
     * picket_agent_count_packet(), without the lock. May be NULL where poll() runs every second.
     * Never called where PICKET_AGENT_WAKE is 0. */
    void (*wake)(void *context);
};

enum picket_priority { PICKET_PRIORITY_HIGH, PICKET_PRIORITY_MEDIUM, PICKET_PRIORITY_LOW };
enum { PICKET_PRIORITIES = 3 };

enum picket_collector {
    PICKET_COLLECTOR_NETWORK_ACTIVITY,
    PICKET_COLLECTOR_SYSTEM_INFORMATION,
    PICKET_COLLECTOR_HEARTBEAT,
    PICKET_COLLECTOR_LISTENING_PORTS
};
enum { PICKET_COLLECTORS = PICKET_AGENT_LISTENING_PORTS > 0 ? 4 : 3 };

struct picket_collector_config {
    bool enabled;
    uint8_t priority; /* enum picket_priority */
};

/* The caller's, as long as the agent runs; the agent only reads it, so that it may be constant. */
struct picket_agent_config {
    struct picket_agent_callbacks callbacks;

    /* NULL: no event of system information. Read when that is due: texts may change in between, on
     * the polling thread. */
    const struct picket_wire_system_information *system_information;

    const char *security_module_id;
    uint32_t interval_s[PICKET_PRIORITIES]; /* to begin with, as the next */
    struct picket_collector_config collectors[PICKET_COLLECTORS];
    bool send_empty_events; /* network activity without a flow is an event, too */
    bool unicast_only;      /* inbound broadcast and multicast are not counted */
    uint32_t
        first_delay_min_s; /* the first collection is delayed at random between the two, so that */
    uint32_t first_delay_max_s; /* a fleet does not report in one instant; both 0: at once */
    uint32_t send_retry_s;
    uint32_t pending_time_s;
    uint32_t
        early_report_min_interval_s; /* at most one early report of a filling table in this time */

    /* Storage, the caller's: reserve entries on top of the capacity are for packets that arrive
     * while a report is on its way out. See picket/agent/flow_table.h for the sizes. */
    struct picket_flow_storage ipv4;
#if PICKET_AGENT_IPV6
    struct picket_flow_storage ipv6;
#endif
};

/* All defaults of picket/agent/options.h, to initialise a configuration with; to be completed by
 * callbacks, storage and system information:
 *
 *     static const struct picket_agent_config config = {
 *         PICKET_AGENT_CONFIG_DEFAULTS,
 *         .callbacks = {…},
 *         .ipv4 = PICKET_IPV4_FLOW_STORAGE(flows, buckets),
 *     };
 */
#if PICKET_AGENT_LISTENING_PORTS > 0
#define PICKET_AGENT_LISTENING_PORTS_DEFAULT                                                       \
    ,                                                                                              \
    {                                                                                              \
        PICKET_AGENT_LISTENING_PORTS_ENABLED, PICKET_PRIORITY_LOW                                  \
    }
#else
#define PICKET_AGENT_LISTENING_PORTS_DEFAULT
#endif
#define PICKET_AGENT_CONFIG_DEFAULTS                                                               \
    .security_module_id = PICKET_AGENT_SECURITY_MODULE_ID,                                         \
    .interval_s = {PICKET_AGENT_HIGH_INTERVAL_S, PICKET_AGENT_MEDIUM_INTERVAL_S,                   \
                   PICKET_AGENT_LOW_INTERVAL_S},                                                   \
    .collectors = {{PICKET_AGENT_NETWORK_ACTIVITY_ENABLED, PICKET_PRIORITY_HIGH},                  \
                   {PICKET_AGENT_SYSTEM_INFORMATION_ENABLED, PICKET_PRIORITY_LOW},                 \
                   {PICKET_AGENT_HEARTBEAT_ENABLED,                                                \
                    PICKET_PRIORITY_LOW} PICKET_AGENT_LISTENING_PORTS_DEFAULT},                    \
    .send_empty_events = PICKET_AGENT_SEND_EMPTY_EVENTS,                                           \
    .unicast_only = PICKET_AGENT_UNICAST_ONLY,                                                     \
    .first_delay_min_s = PICKET_AGENT_FIRST_DELAY_MIN_S,                                           \
    .first_delay_max_s = PICKET_AGENT_FIRST_DELAY_MAX_S,                                           \
    .send_retry_s = PICKET_AGENT_SEND_RETRY_S, .pending_time_s = PICKET_AGENT_PENDING_TIME_S,      \
    .early_report_min_interval_s = PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S

/* Callbacks for who has none of his own. */
uint32_t picket_agent_no_lock(void *context);
void picket_agent_no_unlock(void *context, uint32_t posture);
uint32_t picket_agent_no_clock(void *context);

/* Whether an agent can run with a configuration. False if a callback that is needed (lock, unlock,
 * uptime_s, unix_time_s, random, connected, send) or the module's name is missing, storage is
 * inconsistent, a collector's group is unknown, a time is 2^31 seconds or more (but for
 * pending_time_s), an interval or send_retry_s is 0, or first_delay_min_s exceeds _max_s. */
bool picket_agent_config_valid(const struct picket_agent_config *config);

enum picket_agent_state { PICKET_AGENT_PENDING, PICKET_AGENT_ACTIVE, PICKET_AGENT_SUSPENDED };

/* What became of a packet. */
enum picket_packet_verdict {
    PICKET_PACKET_COUNTED,
    PICKET_PACKET_LOST,           /* no room for its flow: counted as lost */
    PICKET_PACKET_MULTICAST,      /* inbound and not unicast, and only unicast is wanted */
    PICKET_PACKET_OTHER_PROTOCOL, /* neither TCP, UDP nor ICMP, or one that is compiled out */
    PICKET_PACKET_TRUNCATED,      /* headers are not all there */
    PICKET_PACKET_MALFORMED,      /* a length or version field cannot be true */
    PICKET_PACKET_HEADER_CHAIN /* more IPv6 extension headers than are walked: its bytes are lost */
};

/* Since the start, modulo 2^32. */
struct picket_agent_statistics {
    uint32_t packets_counted;
    uint32_t packets_lost;    /* no room, or too many extension headers */
    uint32_t packets_ignored; /* every other verdict */
    uint32_t messages_sent;
    uint32_t messages_refused; /* or not known to be delivered in time */
    uint32_t early_reports;
    bool message_on_way; /* handed over, with an outcome that is not known yet */
};

/* The control block: the caller's storage, its members the agent's. What a packet needs comes
 * first: near offsets are short instructions. */
struct picket_agent {
    const struct picket_agent_config *config;

    /* The polling thread's. */
    uint8_t owed;   /* collectors that were due and not sent, a bit each */
    uint8_t on_way; /* those with an event in the message that is on its way */
    uint8_t state;  /* enum picket_agent_state */

    /* Under the lock. */
    struct picket_flow_table tables[PICKET_FAMILIES];
    struct picket_losses losses;
    uint32_t packets_counted;
    uint32_t packets_lost;
    uint32_t packets_ignored;

    /* The polling thread's. Times are uptime_s. */
    uint32_t due_s[PICKET_PRIORITIES];
    uint32_t interval_s[PICKET_PRIORITIES];
    struct picket_collector_config collectors[PICKET_COLLECTORS];
    uint32_t window_start_s[PICKET_COLLECTORS]; /* what was before has been reported */
    uint32_t collected_s;                       /* the last message */
    uint32_t retry_s;                           /* before it nothing is sent */
    uint32_t early_report_s;                    /* the last one */
    uint32_t connected_s;                       /* last seen connected, or started */
    uint32_t messages_sent;
    uint32_t messages_refused;
    uint32_t early_reports;
    struct picket_losses losses_told; /* by messages that are not known to be delivered */
    const struct picket_wire_system_information *system_information;

    /* Under the lock. */
    uint32_t lost_flows[PICKET_AGENT_LOST_FLOW_BITS / 32]; /* a bit for each hash */

    /* Constant after picket_agent_init(). */
    struct picket_flow_hash_keys hash_keys;
};

/* Prepares a control block for a configuration that is valid: storage is cleared, seeds are drawn,
 * the first collection is scheduled. The control block must not be moved afterwards. */
void picket_agent_init(struct picket_agent *agent, const struct picket_agent_config *config);

enum { PICKET_WIRE_BYTES_UNKNOWN = 0xFFFFFFFF };

/* Counts one IP packet. packet points to captured_bytes contiguous bytes from the first of the IP
 * header on (as much of it as is at hand: the IP headers and 20 bytes behind them are always
 * enough); wire_bytes is how long it really was, so that a declared length beyond it is refused, or
 * PICKET_WIRE_BYTES_UNKNOWN to believe the header. Never blocks but for the lock.
 * Thread: any, interrupts too where the lock allows it. */
enum picket_packet_verdict picket_agent_count_packet(struct picket_agent *agent,
                                                     const uint8_t *packet, size_t captured_bytes,
                                                     uint32_t wire_bytes,
                                                     enum picket_direction direction);

/* What is kept of a packet, for a port that learns only later whether it was good. */
struct picket_packet_reading {
    struct picket_flow_words key; /* of its flow */
    uint32_t payload_bytes;
    picket_flow_index hash;
    uint8_t address_words;
    uint8_t direction; /* enum picket_direction */
    uint8_t verdict; /* enum picket_packet_verdict; but for COUNTED and HEADER_CHAIN the rest is not
                        filled in */
};

/* picket_agent_count_packet() in two steps: packet need not exist any more when it is counted.
 * Reading takes no lock; a port may put another verdict into the reading, of those that ignore it.
 * An agent that is started anew in between counts it all the same. */
void picket_agent_read_packet(const struct picket_agent *agent, const uint8_t *packet,
                              size_t captured_bytes, uint32_t wire_bytes,
                              enum picket_direction direction,
                              struct picket_packet_reading *reading);
enum picket_packet_verdict picket_agent_count_reading(struct picket_agent *agent,
                                                      const struct picket_packet_reading *reading);

/* Does what is due. Returns the seconds after which it wants to be called again, at least 1;
 * calling it more often does no harm. Thread: one, the same for all functions below. */
uint32_t picket_agent_poll(struct picket_agent *agent);

/* Collects and sends all enabled collectors now, whatever the schedule. ACCEPTED: nothing is left.
 * REFUSED: it was not accepted, or one before it did not arrive, or there is no connection; it is
 * kept. PENDING: a message is on its way, this one or, then to be followed by what there is
 * besides, one before it. */
enum picket_send_result picket_agent_flush(struct picket_agent *agent);

/* Changes the intervals of all groups, in seconds; a group whose interval changes is due again one
 * interval from now. False, and nothing changes: one is 0 or 2^31 or more. */
bool picket_agent_set_intervals(struct picket_agent *agent,
                                const uint32_t interval_s[PICKET_PRIORITIES]);

/* Enables or disables a collector, or puts it into another group. While network activity is
 * disabled, packets open no flows and none count as lost; flows that are in the table already go on
 * and are reported when it is enabled again. False, and nothing changes: no such collector or
 * group. */
bool picket_agent_set_collector(struct picket_agent *agent, enum picket_collector collector,
                                const struct picket_collector_config *config);

enum picket_agent_state picket_agent_state(const struct picket_agent *agent);
void picket_agent_statistics(struct picket_agent *agent, struct picket_agent_statistics *out);

#endif

/* The hub's state: one loop, its connections, and the queues that share the loop's time among them.
 *
 * Everything here belongs to the hub's thread, except what says otherwise.
 *
 *     listener ─▶ connection ─▶ session ─▶ log
 *                  ▲   socket,    rules     │ durable (another thread: `waker`)
 *                  │   TLS                  ▼
 *                  └────────────── acknowledgement
 *
 * Handshakes are made by threads of their own (handshakes.h). A connection that has something to do
 * and may not do it at once waits in one of three queues; the loop gives each queue a bounded turn
 * (work.c):
 *
 *     ready        its turn was used up with input left, or it may read again
 *     waiting      its message did not fit into the log; first come, first served
 *     memory       its packet is large and the budget for such is used up; the same
 *
 * Memory of a quiet connection: struct connection, its libuv handle, its names, and OpenSSL's
 * state. Buffers live only while bytes are in them.
 */
#ifndef PICKET_HUB_INTERNAL_H
#define PICKET_HUB_INTERNAL_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "activity/activity.h"
#include "conduct/addresses.h"
#include "conduct/conduct.h"
#include "connection/handshakes.h"
#include "connection/tls.h"
#include "ending.h"
#include "exchange/exchange.h"
#include "exchange/methods.h"
#include "identity/admission.h"
#include "identity/credential.h"
#include "identity/registry.h"
#include "mqtt/mqtt.h"
#include "picket/base/address.h"
#include "picket/hub/hub.h"

enum {
    HUB_LISTENERS_MAX = 8,
    HUB_SCRATCH_BYTES = 16384 + 64,  /* a TLS record, and the begin of a packet before it */
    HUB_BAG_BYTES = 65536 + 64,      /* the longest topic and what we append to it */
    HUB_CONNECT_BYTES_MAX = 16384,   /* every packet but PUBLISH, and all before CONNECT */
    HUB_IN_FLIGHT_MAX = 1024,        /* unacknowledged messages of a connection */
    HUB_WILLS_BYTES_MAX = 1 << 20,   /* of wills that wait for the log */
    HUB_SWEEP_MS = 250,              /* how often deadlines are looked at */
    HUB_SILENCE_MS = 2000,           /* after which an unauthenticated peer makes room for others */
    HUB_LINGER_MS = 2000,            /* for a refused client to read its CONNACK */
    HUB_STALL_MS = 60000,            /* for a peer to take our bytes */
    HUB_PACKET_MS = 300000,          /* for a peer to finish a packet it began */
    HUB_PACKET_MS_WHEN_SHORT = 10000 /* the same, of a large one, while others wait for memory */
};

enum connection_state {
    CONNECTION_HANDSHAKING,
    CONNECTION_ANONYMOUS, /* TLS stands, no CONNECT yet */
    CONNECTION_ACCEPTED,
    CONNECTION_LINGERING, /* refused; its CONNACK is on the way */
    CONNECTION_CLOSED     /* only its memory is left, until libuv lets go of it */
};

enum work_queue { WORK_NONE, WORK_READY, WORK_WAITING, WORK_MEMORY, WORK_QUEUES };

struct bytes {
    uint8_t *data; /* NULL when there are none */
    uint32_t size;
    uint32_t capacity;
};

struct will {
    uint32_t payload_bytes;
    uint32_t bag_bytes;
    uint8_t content[]; /* bag, NUL, payload */
};

/* One that found the log full. */
struct waiting_will {
    char *device; /* and the module, in the same block */
    const char *module;
    struct will *will;
    int64_t received_ms;
    uint32_t bytes; /* that all of it takes */
    STAILQ_ENTRY(waiting_will) next;
};
STAILQ_HEAD(will_queue, waiting_will);

struct connection {
    uv_poll_t poll;
    struct picket_hub *hub;
    SSL *ssl;
    struct tls_patience patience;
    int fd;
    uint32_t slot; /* in hub->connections */
    struct picket_address address;
    uint16_t port;

    uint8_t state;        /* enum connection_state */
    uint8_t queue;        /* enum work_queue */
    bool unauthenticated; /* is in hub->unauthenticated */
    bool window_full;     /* HUB_IN_FLIGHT_MAX reached: nothing more is read */
    bool held_back;       /* its rate is used up: the same; see conduct.h */
    bool read_wants_write;
    bool shaking;            /* `ssl`, `fd` and `patience` are a handshake thread's: handshakes.h */
    uint8_t handshake_error; /* SSL_ERROR_… of the last step */
    const char *handshake_problem; /* with it, if it failed; a constant */
    int polled;                    /* uv events asked for */
    int turn_work;                 /* that its turn may still do; see stream.c */

    struct bytes kept;   /* input not yet handled: begins with a packet's first byte */
    struct bytes unsent; /* output the socket did not take */
    uint32_t reserved;   /* of the budget for large packets; see input_budget.h */
    uint32_t wanted;     /* in WORK_MEMORY: so many */

    int64_t since_ms;  /* monotonic: of the state */
    int64_t heard_ms;  /* last input */
    int64_t packet_ms; /* when the packet in `kept` began */
    int64_t unsent_ms; /* since when there is output that the socket does not take */

    char *device; /* NUL-terminated; NULL until known */
    char *module; /* within the same block; "" for the device itself */
    struct will *will;
    struct credential credential;
    int64_t expires_s;                 /* Unix time */
    uint16_t keep_alive_s;             /* 0: none */
    bool keeps_session;                /* clean session 0 */
    uint16_t subscriptions;            /* subscriptions.h */
    uint16_t subscriptions_kept;       /* as they are on disk */
    uint16_t requests;                 /* that the exchange has not answered */
    struct conduct *conduct;           /* NULL: it is not accepted */
    struct device_bound *device_bound; /* NULL: it does not subscribe to messages */
    struct connection_tally *tally;    /* NULL: there is nothing to tell */
    int64_t tally_due_ms;              /* monotonic */
    uint32_t in_flight;                /* messages taken and not acknowledged */
    uint64_t last_in_flight; /* sequence of the newest of them, 0: none; see acknowledgement.h */

    TAILQ_ENTRY(connection) in_queue;
    TAILQ_ENTRY(connection) in_unauthenticated;
    LIST_ENTRY(connection) in_bucket;
    LIST_ENTRY(connection) in_source; /* while it is in hub->unauthenticated */
};
TAILQ_HEAD(connection_queue, connection);
LIST_HEAD(connection_bucket, connection);

/* A connection as others may remember it: the generation tells a later tenant of its slot apart. */
struct slot {
    struct connection *connection; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

struct in_flight {
    uint64_t position; /* in the log */
    uint64_t previous; /* sequence of the same connection's message before, 0: none */
    uint32_t slot;
    uint32_t generation;
    uint16_t packet_id;
};

struct acknowledgements {
    struct in_flight *ring; /* sequence s in ring[s % capacity] */
    uint64_t capacity;      /* a power of two */
    uint64_t first;         /* sequence of the oldest; sequences begin at 1 */
    uint64_t end;           /* one after the newest */
    uint64_t last_position;
};

/* What the log's thread may touch. It outlives the hub, because the log does. */
struct waker {
    pthread_mutex_t lock;
    uv_async_t *async; /* NULL: the hub has gone */
    _Atomic uint64_t durable;
    struct waker *next;
};

/* Ids that picket_hub_device_changed() was told of. */
struct changed_device {
    struct changed_device *next;
    char id[PICKET_DEVICE_ID_BYTES];
};

/* What picket_hub_messages_changed() was told. */
struct queue_change {
    struct queue_change *next;
    enum tally_kind kind;
    uint64_t count;
    char id[PICKET_DEVICE_ID_BYTES];
};

/* What picket_hub_twin_changed() was told. */
struct twin_change {
    STAILQ_ENTRY(twin_change) next;
    int64_t version;
    const char *module; /* these point into content */
    const char *patch;
    char content[]; /* device, module, patch */
};
STAILQ_HEAD(twin_change_queue, twin_change);

struct picket_hub {
    struct picket_hub_config config; /* bounds filled in; texts not kept but host_name */
    char *host_name;
    char *store_folder; /* NULL: the registry is not a store */
    struct hub_registry registry;
    struct picket_log *log;
    SSL_CTX *tls;

    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_async_t shaken; /* handshakes wait to be taken back */
    uv_timer_t sweep;
    uv_idle_t work; /* runs while a queue has something */
    struct waker *waker;
    _Atomic bool stopping;
    bool stopped;

    uv_poll_t listeners[HUB_LISTENERS_MAX];
    int listener_fds[HUB_LISTENERS_MAX];
    int listener_count;
    bool listening;
    int reserve_fd; /* given up for a moment to turn a client away when descriptors run out */
    uint16_t port;

    struct slot *slots;  /* config.connections_max */
    uint32_t slots_used; /* never more were open at once */
    uint32_t free_slot;
    struct connection_bucket *buckets; /* devices by hash of their id */
    uint32_t bucket_mask;
    uint64_t hash_seed;

    struct connection_queue queues[WORK_QUEUES];
    struct connection_queue unauthenticated; /* the one that was heard of longest ago first */
    uint32_t unauthenticated_count;
    struct connection_bucket *sources; /* the unauthenticated by hash of their address */
    uint32_t source_mask;
    uint64_t input_bytes;  /* reserved by all connections */
    uint64_t output_bytes; /* of `unsent` of all connections */
    struct will_queue wills;
    size_t wills_bytes;
    uint32_t turns; /* given by the loop */
    bool log_may_have_room;
    struct connection *resuming; /* goes before all that wait, until one message of it is taken */

    struct acknowledgements acknowledgements;

    struct handshakes handshakes;
    struct exchange exchange;
    struct methods methods;

    pthread_mutex_t changed_lock;
    struct changed_device *changed;
    struct twin_change_queue twin_changes;
    struct queue_change *queue_changes;
    struct admission *next_admission; /* NULL: nothing new */

    struct admission *admission;
    struct activity_table activity;
    int64_t certificate_until_s; /* of the server's, or the first of its chain; 0: not known */
    int64_t expiry_due_ms;       /* monotonic; see expiry.h */
    struct address_table addresses;
    struct conduct_table conduct;

    _Atomic uint64_t connection_count;
    _Atomic uint64_t device_count;
    _Atomic uint64_t awaiting_count;

    uint8_t scratch[HUB_SCRATCH_BYTES];
    char bag[HUB_BAG_BYTES];
};

/* What follows a PUBLISH's fixed header at most: topic, packet id, payload. */
static inline uint32_t hub_publish_bytes_max(const struct picket_hub_config *config)
{
    return config->message_bytes_max + 2 + UINT16_MAX + 2;
}

#endif

/* How devices conduct themselves, over their connections: how fast they send, how often they
 * connect, how many connections they have. Remembered for a while after the last one, so that
 * connecting anew begins nothing anew.
 *
 *     device ──▶ conduct of the device      rate of it and its modules together; how many there are
 *     module ──▶ conduct of the module      each has its own hold-off, as the device has
 *
 * Only who has authenticated has a conduct: nobody without the credential gets a device held off.
 * Beyond its rate a device is not dropped but read more slowly; beyond its connects it is refused
 * for a time, and a connection that it has stays.
 *
 * Thread: the hub's, but for conduct_look().
 */
#ifndef PICKET_HUB_CONDUCT_H
#define PICKET_HUB_CONDUCT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ending.h"
#include "hold_off.h"
#include "picket/hub/hub.h"

struct picket_hub;
struct connection;

enum {
    CONDUCT_REMEMBERED_MAX = 65536, /* of those without a connection */
    CONDUCT_REMEMBERED_MS = 60000,  /* at least; longer while a hold-off counts */
    CONDUCT_HOLD_OFF_FIRST_MS = 10000,
    CONDUCT_HOLD_OFF_LONGEST_MS = 300000
};

struct conduct {
    LIST_ENTRY(conduct) in_bucket;
    TAILQ_ENTRY(conduct) in_idle; /* while references is 0 */
    struct conduct *of_device;    /* of a module, its device's; else itself */
    uint32_t references;          /* of connections, and of a device's modules */
    uint32_t members;             /* of a device: its conduct and those of its modules */
    struct hold_off connects;     /* under the table's lock */
    struct rate_bucket packets;   /* of a device */
    struct rate_bucket bytes;
    int64_t idle_ms; /* monotonic: since when there is no reference */
    _Atomic uint32_t connected;
    _Atomic uint64_t held_back;
    const char *module; /* within names */
    char names[];       /* device, NUL, module, NUL */
};
LIST_HEAD(conduct_bucket, conduct);
TAILQ_HEAD(conduct_queue, conduct);

struct conduct_table {
    pthread_mutex_t lock; /* of the buckets' lists and of hold-offs, which other threads look at */
    struct conduct_bucket *buckets;
    uint32_t mask;
    struct conduct_queue idle; /* the one that is without a connection for longest first */
    uint32_t idle_count;
    struct hold_off_rule connects;
    struct rate packets;
    struct rate bytes;
};

void conduct_register_counters(void);
bool conduct_open(struct picket_hub *hub);
void conduct_close(struct picket_hub *hub);

/* An authenticated CONNECT counts. ENDING_NONE: it may go on, and conduct_leave() follows; else why
 * not, and *wait_ms for how long. */
enum ending conduct_enter(struct connection *connection, int64_t *wait_ms);
void conduct_leave(struct connection *connection);

/* At the begin of a turn, and before conduct_admits() of a connection that was held back. */
void conduct_refill(struct connection *connection, int64_t now_ms);
/* False: its rate is used up. */
bool conduct_admits(const struct connection *connection);
void conduct_charge(struct connection *connection, uint64_t bytes);
/* It is held back from now on; connection_check() lets it go on. */
void conduct_hold_back(struct connection *connection);

/* Forgets who has been quiet for long, a bounded number. */
void conduct_sweep(struct picket_hub *hub, int64_t now_ms);

/* What is known of the device and its modules. Thread: any. */
void conduct_look(struct picket_hub *hub, const char *device,
                  struct picket_hub_device_statistics *out);

#endif

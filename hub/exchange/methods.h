/* Direct methods: a question of the owner to a device, which the device answers while the owner
 * waits.
 *
 *     any thread: picket_hub_call_start() ─▶ new ──────▶ waiting ──────────▶ sent ───┐ the device's
 *                 picket_hub_call_wait()            for its connection   for its     │ answer, or
 *                        ▲                          and subscription     answer      │ time is over
 *                        └───────────────────────────────────────────────────────────┘
 *
 * A call is known by a number that the device sends back. It is the device's, not the connection's:
 * one that lost its connection may answer on the next. Calls outlive the hub if need be: who waits
 * and the hub hold each a share of it.
 */
#ifndef PICKET_HUB_METHODS_H
#define PICKET_HUB_METHODS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "mqtt/slice.h"
#include "picket/hub/hub.h"

struct connection;
struct dialect_request;

enum { METHODS_CALLS_MAX = 256 };

TAILQ_HEAD(call_queue, picket_hub_call);

struct methods {
    struct call_queue waiting; /* the loop's */
    struct call_queue sent;
    uint64_t last_number;

    pthread_mutex_t lock; /* of what follows */
    struct call_queue started;
    uint32_t count; /* of all three */
    bool stopped;
};

void methods_open(struct methods *methods);
/* Ends all calls; later ones are refused. */
void methods_stop(struct methods *methods);
void methods_close(struct methods *methods);
void methods_register_counters(void);

/* ---- the hub's thread ---- */

/* Sends what was started, or lets it wait. */
void methods_run(struct picket_hub *hub);
/* The device has subscribed to its methods. */
void methods_subscribed(struct connection *connection);
/* Its answer. */
void methods_take(struct connection *connection, const struct dialect_request *request,
                  struct slice payload);
/* Ends the calls whose time is over. */
void methods_check(struct picket_hub *hub, int64_t now_ms);

#endif

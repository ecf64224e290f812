/* TLS handshakes, on threads of their own: one costs as much processor time as hundreds of
 * messages, and when a fleet comes back, those who are connected must not wait for those who come.
 *
 *     loop: handshakes_put ─▶ to do ─▶ a thread: SSL_accept, one step ─▶ done ─▶ loop:
 * handshakes_run
 *
 * In between the connection is `shaking`: its SSL and socket are the thread's, all else of it stays
 * the loop's, which may end it meanwhile; what remains is then let go when it comes back. The
 * threads are as many as processors, and nicer than the loop's.
 *
 * Thread: the hub's, but for start and stop before and after it.
 */
#ifndef PICKET_HUB_HANDSHAKES_H
#define PICKET_HUB_HANDSHAKES_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "picket/base/error.h"

struct connection;
struct picket_hub;

enum { HANDSHAKE_THREADS_MAX = 8 };

TAILQ_HEAD(handshake_queue, connection);

struct handshakes {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct handshake_queue to_do;
    struct handshake_queue done;
    bool stopping;
    uv_async_t *wake;
    pthread_t threads[HANDSHAKE_THREADS_MAX];
    int thread_count;
};

void handshakes_open(struct handshakes *handshakes);
int handshakes_start(struct handshakes *handshakes, uv_async_t *wake, struct picket_error *error);

/* Its peer's next message is there, or there is room for ours. */
void handshakes_put(struct connection *connection);

/* Goes on with those whose step is done, a bounded number. */
void handshakes_run(struct picket_hub *hub);
bool handshakes_are_due(struct picket_hub *hub);

/* Ends the threads; afterwards no connection is shaking. */
void handshakes_stop(struct picket_hub *hub);
void handshakes_close(struct handshakes *handshakes);

#endif

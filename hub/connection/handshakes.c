#include "handshakes.h"

#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connection.h"
#include "internal.h"
#include "picket/base/thread.h"
#include "tls.h"

enum { TAKEN_BACK_A_ROUND = 16, NICER = 5 };

/* ---- the threads ---- */

static const char *tls_problem(int system_error)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (reason == NULL && system_error != 0)
        reason = strerrordesc_np(system_error);
    return reason != NULL ? reason : "closed by the peer";
}

static void step(struct connection *connection)
{
    ERR_clear_error();
    errno = 0;
    tls_begin_read(&connection->patience);
    int result = SSL_accept(connection->ssl);
    int system_error = errno;
    connection->handshake_error = (uint8_t)SSL_get_error(connection->ssl, result);
    connection->handshake_problem = tls_problem(system_error);
}

static struct connection *next_to_do(struct handshakes *handshakes)
{
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&handshakes->to_do)) == NULL && !handshakes->stopping)
        pthread_cond_wait(&handshakes->more, &handshakes->lock);
    if (handshakes->stopping)
        return NULL;
    TAILQ_REMOVE(&handshakes->to_do, connection, in_queue);
    return connection;
}

/* OpenSSL writes without MSG_NOSIGNAL; and signals are the program's, not this thread's. */
static void keep_signals_out(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void *run(void *context)
{
    struct handshakes *handshakes = context;
    struct connection *connection;
    keep_signals_out();
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICER); /* on Linux: of this thread */
    pthread_mutex_lock(&handshakes->lock);
    while ((connection = next_to_do(handshakes)) != NULL) {
        pthread_mutex_unlock(&handshakes->lock);
        step(connection);
        pthread_mutex_lock(&handshakes->lock);
        bool was_empty = TAILQ_EMPTY(&handshakes->done);
        TAILQ_INSERT_TAIL(&handshakes->done, connection, in_queue);
        if (was_empty)
            uv_async_send(handshakes->wake);
    }
    pthread_mutex_unlock(&handshakes->lock);
    return NULL;
}

/* ---- the loop ---- */

void handshakes_put(struct connection *connection)
{
    struct handshakes *handshakes = &connection->hub->handshakes;
    connection->shaking = true;
    pthread_mutex_lock(&handshakes->lock);
    TAILQ_INSERT_TAIL(&handshakes->to_do, connection, in_queue);
    pthread_cond_signal(&handshakes->more);
    pthread_mutex_unlock(&handshakes->lock);
}

static struct connection *take_back(struct handshakes *handshakes)
{
    pthread_mutex_lock(&handshakes->lock);
    struct connection *connection = TAILQ_FIRST(&handshakes->done);
    if (connection != NULL)
        TAILQ_REMOVE(&handshakes->done, connection, in_queue);
    pthread_mutex_unlock(&handshakes->lock);
    if (connection != NULL)
        connection->shaking = false;
    return connection;
}

void handshakes_run(struct picket_hub *hub)
{
    struct connection *connection;
    for (int i = 0; i < TAKEN_BACK_A_ROUND; i++) {
        if ((connection = take_back(&hub->handshakes)) == NULL)
            return;
        if (connection_is_open(connection))
            connection_turn(connection);
        else
            connection_let_go(connection);
    }
}

bool handshakes_are_due(struct picket_hub *hub)
{
    struct handshakes *handshakes = &hub->handshakes;
    pthread_mutex_lock(&handshakes->lock);
    bool due = !TAILQ_EMPTY(&handshakes->done);
    pthread_mutex_unlock(&handshakes->lock);
    return due;
}

/* ---- start and stop ---- */

void handshakes_open(struct handshakes *handshakes)
{
    pthread_mutex_init(&handshakes->lock, NULL);
    pthread_cond_init(&handshakes->more, NULL);
    TAILQ_INIT(&handshakes->to_do);
    TAILQ_INIT(&handshakes->done);
}

void handshakes_close(struct handshakes *handshakes)
{
    pthread_cond_destroy(&handshakes->more);
    pthread_mutex_destroy(&handshakes->lock);
}

int handshakes_start(struct handshakes *handshakes, uv_async_t *wake, struct picket_error *error)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int wanted = processors < 1                       ? 1
                 : processors > HANDSHAKE_THREADS_MAX ? HANDSHAKE_THREADS_MAX
                                                      : (int)processors;
    handshakes->wake = wake;
    while (handshakes->thread_count < wanted) {
        int failed = picket_thread_start(&handshakes->threads[handshakes->thread_count],
                                         "hub handshake", run, handshakes);
        if (failed != 0)
            return picket_fail(error, PICKET_IO, "hub: no thread for handshakes: %s",
                               strerror(failed));
        handshakes->thread_count++;
    }
    return PICKET_OK;
}

static void join_threads(struct handshakes *handshakes)
{
    pthread_mutex_lock(&handshakes->lock);
    handshakes->stopping = true;
    pthread_cond_broadcast(&handshakes->more);
    pthread_mutex_unlock(&handshakes->lock);
    while (handshakes->thread_count > 0)
        pthread_join(handshakes->threads[--handshakes->thread_count], NULL);
}

void handshakes_stop(struct picket_hub *hub)
{
    struct handshakes *handshakes = &hub->handshakes;
    struct connection *connection;
    join_threads(handshakes);
    TAILQ_CONCAT(&handshakes->done, &handshakes->to_do, in_queue);
    while ((connection = take_back(handshakes)) != NULL)
        if (!connection_is_open(connection))
            connection_let_go(connection);
}

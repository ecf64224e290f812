#include "reserving.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/wait.h"
#include "picket/store/store.h"

/* A start has more to do than this, and many who start stop at once: then nothing is written. */
enum { FIRST_PAUSE_MS = 5000, PAUSE_MS = 50, BUSY_PAUSE_MS = 1000 };

struct reserving {
    const char *store_folder;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t change;
    bool stopping;
};

/* False: it is time to stop. */
static bool pause_for(struct reserving *reserving, int milliseconds)
{
    struct timespec until = picket_deadline(milliseconds);
    pthread_mutex_lock(&reserving->lock);
    while (!reserving->stopping &&
           pthread_cond_timedwait(&reserving->change, &reserving->lock, &until) != ETIMEDOUT)
        ;
    bool go_on = !reserving->stopping;
    pthread_mutex_unlock(&reserving->lock);
    return go_on;
}

static void reserve(struct reserving *reserving, struct picket_store *store)
{
    int status;
    bool done = false;
    struct picket_error error;
    do {
        status = picket_store_reserve(store, &done, &error);
        if (status != PICKET_OK && status != PICKET_BUSY) {
            picket_say(PICKET_DEBUG, "store", "%s", error.text);
            return;
        }
    } while (!(status == PICKET_OK && done) &&
             pause_for(reserving, status == PICKET_BUSY ? BUSY_PAUSE_MS : PAUSE_MS));
}

static void *run(void *context)
{
    struct reserving *reserving = context;
    struct picket_store *store;
    if (!pause_for(reserving, FIRST_PAUSE_MS))
        return NULL;
    if (picket_store_open(&store, reserving->store_folder, NULL) == PICKET_OK) {
        reserve(reserving, store);
        picket_store_close(store);
    }
    return NULL;
}

static void destroy(struct reserving *reserving)
{
    pthread_cond_destroy(&reserving->change);
    pthread_mutex_destroy(&reserving->lock);
    free(reserving);
}

struct reserving *reserving_start(const char *store_folder)
{
    struct reserving *reserving = calloc(1, sizeof *reserving);
    if (!reserving)
        return NULL;
    reserving->store_folder = store_folder;
    pthread_mutex_init(&reserving->lock, NULL);
    picket_condition_init(&reserving->change);
    if (picket_thread_start(&reserving->thread, "reserve", run, reserving) == 0)
        return reserving;
    destroy(reserving);
    return NULL;
}

void reserving_stop(struct reserving *reserving)
{
    if (!reserving)
        return;
    pthread_mutex_lock(&reserving->lock);
    reserving->stopping = true;
    pthread_cond_signal(&reserving->change);
    pthread_mutex_unlock(&reserving->lock);
    pthread_join(reserving->thread, NULL);
    destroy(reserving);
}

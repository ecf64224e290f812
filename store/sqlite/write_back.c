#include "write_back.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"

enum { BOUND_FACTOR = 4, REST_DIVISOR = 16, PASSES_MAX = 8 };

enum state {
    IDLE,
    ASKED,         /* the thread is at it, or about to be */
    ALL_BUT_A_REST /* which is for who commits */
};

struct write_back {
    char *path;
    int due;
    sqlite3 *handle; /* the thread's */
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* around what follows */
    pthread_cond_t asked;
    pthread_cond_t answered; /* the state is ASKED no more */
    enum state state;
    int pages; /* in the log after the last commit */
    int next;  /* at which it is written back next */
    bool stopping;
};

/* ---- the thread ---- */

static void complain(const struct write_back *write_back, int code)
{
    static struct picket_say_limit limit;
    picket_say_limited(
        &limit, PICKET_WARNING, "store",
        "%s: the log cannot be written back beside the commits: %s", write_back->path,
        write_back->handle != NULL ? sqlite3_errmsg(write_back->handle) : sqlite3_errstr(code));
}

/* Reads, so that the connection finds the log. */
static bool open_handle(struct write_back *write_back)
{
    if (write_back->handle != NULL)
        return true;
    int code = sqlite3_open_v2(write_back->path, &write_back->handle,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(write_back->handle,
                            "pragma synchronous = full; select count(*) from sqlite_schema", NULL,
                            NULL, NULL);
    if (code == SQLITE_OK)
        return true;
    complain(write_back, code);
    sqlite3_close(write_back->handle);
    write_back->handle = NULL;
    return false;
}

static int pages_now(struct write_back *write_back)
{
    pthread_mutex_lock(&write_back->lock);
    int pages = write_back->stopping ? 0 : write_back->pages;
    pthread_mutex_unlock(&write_back->lock);
    return pages;
}

/* Each pass takes as long as the last one's commits have left to write. */
static void write_pages(struct write_back *write_back)
{
    int pass = 0, done = 0;
    do {
        int in_log;
        int code = sqlite3_wal_checkpoint_v2(write_back->handle, "main", SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &done);
        if (code != SQLITE_OK) {
            if (code != SQLITE_BUSY)
                complain(write_back, code);
            return;
        }
    } while (pages_now(write_back) - done > write_back->due / REST_DIVISOR && ++pass < PASSES_MAX);
}

static bool wait_until_asked(struct write_back *write_back)
{
    pthread_mutex_lock(&write_back->lock);
    while (write_back->state != ASKED && !write_back->stopping)
        pthread_cond_wait(&write_back->asked, &write_back->lock);
    bool go_on = !write_back->stopping;
    pthread_mutex_unlock(&write_back->lock);
    return go_on;
}

static void *run(void *context)
{
    struct write_back *write_back = context;
    while (wait_until_asked(write_back)) {
        if (open_handle(write_back))
            write_pages(write_back);
        pthread_mutex_lock(&write_back->lock);
        write_back->state = ALL_BUT_A_REST;
        pthread_cond_signal(&write_back->answered);
        pthread_mutex_unlock(&write_back->lock);
    }
    sqlite3_close(write_back->handle);
    return NULL;
}

/* ---- the thread that commits ---- */

/* False: there is no thread. */
static bool ask(struct write_back *write_back)
{
    if (!write_back->started)
        write_back->started =
            picket_thread_start(&write_back->thread, "write back", run, write_back) == 0;
    write_back->state = write_back->started ? ASKED : IDLE;
    pthread_cond_signal(&write_back->asked);
    return write_back->started;
}

static bool is_for_caller(struct write_back *write_back)
{
    if (write_back->state == IDLE && write_back->pages >= write_back->next && !ask(write_back))
        return true;
    while (write_back->state == ASKED && write_back->pages >= BOUND_FACTOR * write_back->due)
        pthread_cond_wait(&write_back->answered, &write_back->lock);
    if (write_back->state != ALL_BUT_A_REST)
        return false;
    /* If a reader keeps the log from beginning anew, it is not tried at each commit. */
    write_back->state = IDLE;
    write_back->next = write_back->pages + write_back->due / BOUND_FACTOR;
    return true;
}

bool write_back_after_commit(struct write_back *write_back, int pages)
{
    pthread_mutex_lock(&write_back->lock);
    if (pages < write_back->pages) /* it has begun anew */
        write_back->next = write_back->due;
    write_back->pages = pages;
    bool for_caller = is_for_caller(write_back);
    pthread_mutex_unlock(&write_back->lock);
    return for_caller;
}

struct write_back *write_back_new(const char *path, int due)
{
    struct write_back *write_back = calloc(1, sizeof *write_back);
    if (write_back == NULL || (write_back->path = strdup(path)) == NULL) {
        free(write_back);
        return NULL;
    }
    write_back->due = write_back->next = due;
    pthread_mutex_init(&write_back->lock, NULL);
    pthread_cond_init(&write_back->asked, NULL);
    pthread_cond_init(&write_back->answered, NULL);
    return write_back;
}

void write_back_free(struct write_back *write_back)
{
    if (write_back == NULL)
        return;
    pthread_mutex_lock(&write_back->lock);
    write_back->stopping = true;
    pthread_cond_signal(&write_back->asked);
    pthread_mutex_unlock(&write_back->lock);
    if (write_back->started)
        pthread_join(write_back->thread, NULL);
    pthread_cond_destroy(&write_back->asked);
    pthread_cond_destroy(&write_back->answered);
    pthread_mutex_destroy(&write_back->lock);
    free(write_back->path);
    free(write_back);
}

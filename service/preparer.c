#include "preparer.h"

#include <pthread.h>
#include <stdlib.h>

#include "picket/base/thread.h"
#include "picket/base/wait.h"

enum { READ_TIMEOUT_MS = 500 };

struct chunk {
    struct prepared_message messages[CHUNK_MESSAGES];
    int count;
    bool is_full; /* the arena had no room for another */
    struct arena arena;
};

struct preparer {
    struct picket_log *log;
    const struct picket_detector *detectors;
    size_t detector_count;
    struct chunk *chunks;
    size_t chunk_count;
    int chunk_messages;
    int batch_max;
    const struct prepared_message **batch; /* what is taken */
    pthread_t thread;
    bool started;

    pthread_mutex_t lock;    /* around what follows; the log's own may be taken within it */
    pthread_cond_t prepared; /* there is a chunk to take, or there will be no more */
    pthread_cond_t released; /* there is a chunk to fill, or it is over */
    uint64_t filled;         /* chunks so far; chunk n is chunks[n % chunk_count] */
    uint64_t taken;
    uint64_t free;        /* up to which they may be filled */
    bool ended;           /* there will be no more */
    bool committer_reads; /* the log is read by who commits, which has nothing else to do */
    bool parked;          /* so the thread waits until it is its turn again */
    bool stopping;
};

static struct chunk *chunk_of(const struct preparer *preparer, uint64_t number)
{
    return &preparer->chunks[number % preparer->chunk_count];
}

/* ---- preparing ---- */

static struct chunk *empty(struct chunk *chunk)
{
    chunk->count = 0;
    chunk->is_full = false;
    chunk->arena.used = 0;
    return chunk;
}

static bool has_room(const struct preparer *preparer, const struct chunk *chunk)
{
    return chunk->count < preparer->chunk_messages && !chunk->is_full;
}

/* The last chunk, as long as nobody has taken it and there is room in it; otherwise an empty one.
 * NULL: it is over. */
static struct chunk *take_back_or_wait(struct preparer *preparer)
{
    struct chunk *chunk = NULL;
    pthread_mutex_lock(&preparer->lock);
    bool last_is_here = preparer->filled > preparer->taken &&
                        has_room(preparer, chunk_of(preparer, preparer->filled - 1));
    while (!last_is_here && preparer->filled == preparer->free && !preparer->stopping)
        pthread_cond_wait(&preparer->released, &preparer->lock);
    if (!preparer->stopping && last_is_here)
        chunk = chunk_of(preparer, --preparer->filled);
    else if (!preparer->stopping)
        chunk = empty(chunk_of(preparer, preparer->filled));
    pthread_mutex_unlock(&preparer->lock);
    return chunk;
}

static void hand_over(struct preparer *preparer)
{
    pthread_mutex_lock(&preparer->lock);
    preparer->filled++;
    pthread_cond_signal(&preparer->prepared);
    pthread_mutex_unlock(&preparer->lock);
}

/* As many as there is room for, and returns how many; a message that is too large for a chunk goes
 * into one alone. */
static int fill(struct preparer *preparer, struct chunk *chunk,
                const struct picket_log_message *messages, int count)
{
    int added = 0;
    for (; added < count && has_room(preparer, chunk); added++) {
        bool was_empty = chunk->count == 0;
        chunk->is_full =
            !prepare_message(&chunk->arena, &messages[added], &chunk->messages[chunk->count]);
        if (chunk->is_full && !was_empty)
            break;
        prepare_clear(&chunk->arena, preparer->detectors, preparer->detector_count,
                      &chunk->messages[chunk->count]);
        chunk->count++;
    }
    return added;
}

/* False: it is over. */
static bool prepare_all(struct preparer *preparer, const struct picket_log_message *messages,
                        int count)
{
    while (count > 0) {
        struct chunk *chunk = take_back_or_wait(preparer);
        if (chunk == NULL)
            return false;
        int added = fill(preparer, chunk, messages, count);
        messages += added;
        count -= added;
        hand_over(preparer);
    }
    return true;
}

/* False: it is over. */
static bool wait_for_turn(struct preparer *preparer)
{
    pthread_mutex_lock(&preparer->lock);
    while (preparer->committer_reads && !preparer->stopping) {
        preparer->parked = true;
        pthread_cond_signal(&preparer->prepared);
        pthread_cond_wait(&preparer->released, &preparer->lock);
    }
    preparer->parked = false;
    bool go_on = !preparer->stopping;
    pthread_mutex_unlock(&preparer->lock);
    return go_on;
}

static void *run(void *context)
{
    struct preparer *preparer = context;
    while (wait_for_turn(preparer)) {
        const struct picket_log_message *messages;
        int count =
            picket_log_read(preparer->log, &messages, preparer->chunk_messages, READ_TIMEOUT_MS);
        if (count < 0 || !prepare_all(preparer, messages, count))
            break;
    }
    pthread_mutex_lock(&preparer->lock);
    preparer->ended = true;
    pthread_cond_signal(&preparer->prepared);
    pthread_mutex_unlock(&preparer->lock);
    return NULL;
}

/* ---- handing over ---- */

/* No more messages than chunks are free, since one may need a chunk alone, and nobody could free
 * another meanwhile. The lock is held, but not while reading. */
static void read_and_prepare(struct preparer *preparer, int timeout_ms)
{
    const struct picket_log_message *messages;
    uint64_t room = preparer->free - preparer->filled;
    int max = room < (uint64_t)preparer->chunk_messages ? (int)room : preparer->chunk_messages;
    pthread_mutex_unlock(&preparer->lock);
    picket_log_gather(preparer->log, 1);
    int count = picket_log_read(preparer->log, &messages, max, timeout_ms);
    if (count > 0)
        prepare_all(preparer, messages, count);
    pthread_mutex_lock(&preparer->lock);
    preparer->ended |= count < 0;
}

/* Who has nothing to commit reads the log itself once the thread has left it: a message that comes
 * alone is not handed from thread to thread. */
static void wait_until_prepared(struct preparer *preparer, int timeout_ms)
{
    preparer->committer_reads = true;
    picket_log_gather(preparer->log, 0);
    while (preparer->filled == preparer->taken && !preparer->parked && !preparer->ended)
        pthread_cond_wait(&preparer->prepared, &preparer->lock);
    if (preparer->filled == preparer->taken && !preparer->ended)
        read_and_prepare(preparer, timeout_ms);
    if (preparer->filled == preparer->taken)
        return;
    preparer->committer_reads = false;
    picket_log_gather(preparer->log, preparer->chunk_messages);
    pthread_cond_signal(&preparer->released);
}

/* How many messages there are then. */
static int take_chunk(struct preparer *preparer, int count)
{
    const struct chunk *chunk = chunk_of(preparer, preparer->taken++);
    for (int i = 0; i < chunk->count; i++)
        preparer->batch[count++] = &chunk->messages[i];
    return count;
}

int preparer_take(struct preparer *preparer, const struct prepared_message *const **messages,
                  int timeout_ms)
{
    int count = 0;
    pthread_mutex_lock(&preparer->lock);
    if (preparer->filled == preparer->taken && !preparer->ended)
        wait_until_prepared(preparer, timeout_ms);
    bool at_end = preparer->ended && preparer->taken == preparer->filled;
    while (preparer->taken < preparer->filled &&
           count + chunk_of(preparer, preparer->taken)->count <= preparer->batch_max)
        count = take_chunk(preparer, count);
    pthread_mutex_unlock(&preparer->lock);
    *messages = preparer->batch;
    return at_end ? PICKET_CLOSED : count;
}

void preparer_release(struct preparer *preparer)
{
    pthread_mutex_lock(&preparer->lock);
    preparer->free = preparer->taken + preparer->chunk_count;
    pthread_cond_signal(&preparer->released);
    pthread_mutex_unlock(&preparer->lock);
}

/* ---- start and stop ---- */

/* So many chunks that one batch of them can be committed while the next is prepared. */
static bool make_chunks(struct preparer *preparer)
{
    size_t a_batch = (size_t)(preparer->batch_max + CHUNK_MESSAGES - 1) / CHUNK_MESSAGES;
    size_t count = 2 * a_batch + 2 < CHUNKS_MAX ? 2 * a_batch + 2 : CHUNKS_MAX;
    preparer->chunks = calloc(count, sizeof *preparer->chunks);
    preparer->batch = calloc((size_t)preparer->batch_max, sizeof *preparer->batch);
    if (preparer->chunks == NULL || preparer->batch == NULL)
        return false;
    for (; preparer->chunk_count < count; preparer->chunk_count++)
        if (!arena_resize(&preparer->chunks[preparer->chunk_count].arena, CHUNK_BYTES))
            return false;
    preparer->free = preparer->chunk_count;
    return true;
}

int preparer_start(struct preparer **preparer, struct picket_log *log, int batch_max,
                   const struct picket_detector *detectors, size_t detector_count,
                   struct picket_error *error)
{
    struct preparer *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory to prepare messages");
    pthread_mutex_init(&started->lock, NULL);
    picket_condition_init(&started->prepared);
    picket_condition_init(&started->released);
    started->log = log;
    started->detectors = detectors;
    started->detector_count = detector_count;
    started->batch_max = batch_max;
    started->chunk_messages = batch_max < CHUNK_MESSAGES ? batch_max : CHUNK_MESSAGES;
    int status = PICKET_OK;
    if (!make_chunks(started))
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory to prepare messages");
    else if (picket_thread_start(&started->thread, "prepare", run, started) != 0)
        status = picket_fail(error, PICKET_NO_MEMORY, "no thread to prepare messages");
    else
        started->started = true;
    if (status != PICKET_OK)
        preparer_stop(started);
    else
        *preparer = started;
    return status;
}

void preparer_stop(struct preparer *preparer)
{
    if (preparer == NULL)
        return;
    pthread_mutex_lock(&preparer->lock);
    preparer->stopping = true;
    pthread_cond_signal(&preparer->released);
    pthread_mutex_unlock(&preparer->lock);
    if (preparer->started)
        pthread_join(preparer->thread, NULL);
    for (size_t i = 0; i < preparer->chunk_count; i++)
        arena_free(&preparer->chunks[i].arena);
    free(preparer->chunks);
    free(preparer->batch);
    pthread_cond_destroy(&preparer->prepared);
    pthread_cond_destroy(&preparer->released);
    pthread_mutex_destroy(&preparer->lock);
    free(preparer);
}

/* The direct log: a hand-over in memory.
 *
 *     position   committed            read              appended
 *         ... ───────┼── being handled ─┼── waiting ───────┤
 *                    └──────── held: slots, and the byte ring ─┘
 *
 * Messages stand in an array of slots, position p in slot (p - 1) % capacity; their bytes in a byte
 * ring. Whatever is held stays where it is until it is committed, so the consumer is given the
 * slots themselves. How many bytes a slot holds stands beside it: whoever commits has no need to
 * look at messages again.
 *
 * One lock guards all; no call-back is made under it, and producers never wait for anything but it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "byte_ring.h"
#include "engine.h"
#include "picket/base/wait.h"

enum { DEFAULT_MESSAGES = 65536, MESSAGES_MAX = 1 << 28 };
#define DEFAULT_BYTES ((size_t)64 << 20)
#define BYTES_MAX     ((size_t)1 << 36)

struct direct_log {
    struct picket_log log;
    struct picket_log_message *slots;
    size_t *sizes; /* bytes held by each slot */
    size_t capacity;
    picket_log_durable durable;
    void *durable_context;

    pthread_mutex_t lock;
    pthread_cond_t arrived; /* there is enough to read, or the log was closed */
    bool reader_waits;
    uint64_t gathered; /* messages that are enough */
    bool closed;
    uint64_t appended; /* positions of the last of each kind */
    uint64_t read;
    uint64_t committed;
    struct byte_ring ring;
    size_t bytes_held;
    uint64_t refused;
};

static struct direct_log *direct_of(struct picket_log *log)
{
    return (struct direct_log *)log;
}

static bool has_enough(const struct direct_log *direct)
{
    return direct->appended - direct->read >= direct->gathered;
}

static size_t index_of(const struct direct_log *direct, uint64_t position)
{
    return (position - 1) % direct->capacity;
}

/* ---- producers ---- */

static size_t size_of(const struct picket_log_message *message)
{
    return message->payload_bytes + strlen(message->device) + 1 + strlen(message->module) + 1 +
           strlen(message->properties) + 1;
}

static const char *copy_text(uint8_t **to, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*to, text, size);
    *to += size;
    return copy;
}

/* The payload comes first: it may want the block's alignment. */
static void copy_message(struct picket_log_message *slot, const struct picket_log_message *message,
                         uint8_t *block)
{
    slot->payload = block;
    slot->payload_bytes = message->payload_bytes;
    if (message->payload_bytes > 0)
        memcpy(block, message->payload, message->payload_bytes);
    block += message->payload_bytes;
    slot->device = copy_text(&block, message->device);
    slot->module = copy_text(&block, message->module);
    slot->properties = copy_text(&block, message->properties);
    slot->received_ms = message->received_ms;
    slot->kind = message->kind;
}

static int append_locked(struct direct_log *direct, const struct picket_log_message *message,
                         size_t size_bytes)
{
    if (direct->closed)
        return PICKET_CLOSED;
    uint8_t *block = NULL;
    if (direct->appended - direct->committed < direct->capacity)
        block = byte_ring_take(&direct->ring, size_bytes);
    if (block == NULL) {
        direct->refused++;
        return PICKET_BUSY;
    }
    uint64_t position = ++direct->appended;
    size_t index = index_of(direct, position);
    copy_message(&direct->slots[index], message, block);
    direct->slots[index].position = position;
    direct->sizes[index] = size_bytes;
    direct->bytes_held += size_bytes;
    return PICKET_OK;
}

static int direct_append(struct picket_log *log, const struct picket_log_message *message,
                         uint64_t *position)
{
    struct direct_log *direct = direct_of(log);
    size_t size_bytes = size_of(message);
    if (size_bytes > direct->ring.capacity)
        return PICKET_INVALID;
    pthread_mutex_lock(&direct->lock);
    int status = append_locked(direct, message, size_bytes);
    if (status == PICKET_OK && position != NULL)
        *position = direct->appended;
    bool wake = status == PICKET_OK && direct->reader_waits && has_enough(direct);
    direct->reader_waits &= !wake;
    pthread_mutex_unlock(&direct->lock);
    if (wake)
        pthread_cond_signal(&direct->arrived);
    return status;
}

static void direct_on_durable(struct picket_log *log, picket_log_durable durable, void *context)
{
    direct_of(log)->durable = durable;
    direct_of(log)->durable_context = context;
}

static void direct_close(struct picket_log *log)
{
    struct direct_log *direct = direct_of(log);
    pthread_mutex_lock(&direct->lock);
    direct->closed = true;
    pthread_mutex_unlock(&direct->lock);
    pthread_cond_signal(&direct->arrived);
}

/* ---- the consumer ---- */

static void wait_for_arrival(struct direct_log *direct, int timeout_ms)
{
    struct timespec deadline = picket_deadline(timeout_ms);
    int timed_out = timeout_ms == 0;
    while (!has_enough(direct) && !direct->closed && !timed_out) {
        direct->reader_waits = true;
        if (timeout_ms < 0)
            pthread_cond_wait(&direct->arrived, &direct->lock);
        else
            timed_out = pthread_cond_timedwait(&direct->arrived, &direct->lock, &deadline);
    }
    direct->reader_waits = false;
}

/* As many as lie side by side: at the end of the array a batch is cut short. */
static int take_unread(struct direct_log *direct, const struct picket_log_message **messages,
                       int max)
{
    size_t first = direct->read % direct->capacity;
    size_t count = direct->appended - direct->read;
    if (count > direct->capacity - first)
        count = direct->capacity - first;
    if (max < 0 || count > (size_t)max)
        count = max < 0 ? 0 : (size_t)max;
    *messages = &direct->slots[first];
    direct->read += count;
    return (int)count;
}

static int direct_read(struct picket_log *log, const struct picket_log_message **messages, int max,
                       int timeout_ms)
{
    struct direct_log *direct = direct_of(log);
    pthread_mutex_lock(&direct->lock);
    wait_for_arrival(direct, timeout_ms);
    bool at_end = direct->closed && direct->read == direct->appended;
    int result = at_end ? PICKET_CLOSED : take_unread(direct, messages, max);
    pthread_mutex_unlock(&direct->lock);
    return result;
}

static void direct_gather(struct picket_log *log, int at_least)
{
    struct direct_log *direct = direct_of(log);
    pthread_mutex_lock(&direct->lock);
    direct->gathered = at_least > 0 ? (uint64_t)at_least : 0;
    bool wake = direct->reader_waits && has_enough(direct);
    direct->reader_waits &= !wake;
    pthread_mutex_unlock(&direct->lock);
    if (wake)
        pthread_cond_signal(&direct->arrived);
}

static void forget_oldest(struct direct_log *direct)
{
    direct->bytes_held -= direct->sizes[index_of(direct, ++direct->committed)];
    byte_ring_give_back(&direct->ring,
                        direct->slots[index_of(direct, direct->committed + 1)].payload);
}

static void direct_commit(struct picket_log *log, uint64_t position)
{
    struct direct_log *direct = direct_of(log);
    pthread_mutex_lock(&direct->lock);
    if (position > direct->read)
        position = direct->read; /* nobody can have handled what was not handed out */
    bool progress = position > direct->committed;
    while (direct->committed < position)
        forget_oldest(direct);
    pthread_mutex_unlock(&direct->lock);
    if (progress && direct->durable != NULL)
        direct->durable(direct->durable_context, position);
}

/* ---- both ---- */

static void direct_statistics(struct picket_log *log, struct picket_log_statistics *out)
{
    struct direct_log *direct = direct_of(log);
    pthread_mutex_lock(&direct->lock);
    *out = (struct picket_log_statistics){
        .messages_held = direct->appended - direct->committed,
        .bytes_held = direct->bytes_held,
        .refused = direct->refused,
    };
    pthread_mutex_unlock(&direct->lock);
}

static void direct_destroy(struct picket_log *log)
{
    struct direct_log *direct = direct_of(log);
    pthread_cond_destroy(&direct->arrived);
    pthread_mutex_destroy(&direct->lock);
    byte_ring_close(&direct->ring);
    free(direct->slots);
    free(direct->sizes);
    free(direct);
}

static const struct log_engine direct_engine = {
    .destroy = direct_destroy,
    .append = direct_append,
    .on_durable = direct_on_durable,
    .read = direct_read,
    .gather = direct_gather,
    .commit = direct_commit,
    .close = direct_close,
    .statistics = direct_statistics,
};

static void make_locks(struct direct_log *direct)
{
    picket_condition_init(&direct->arrived);
    pthread_mutex_init(&direct->lock, NULL);
}

int picket_log_open_direct(struct picket_log **log, const struct picket_log_limits *limits,
                           struct picket_error *error)
{
    size_t messages = limits != NULL && limits->messages > 0 ? limits->messages : DEFAULT_MESSAGES;
    size_t bytes = limits != NULL && limits->bytes > 0 ? limits->bytes : DEFAULT_BYTES;
    if (messages > MESSAGES_MAX || bytes > BYTES_MAX)
        return picket_fail(error, PICKET_INVALID,
                           "log: a bound of %zu messages in %zu bytes exceeds %d in %zu", messages,
                           bytes, MESSAGES_MAX, BYTES_MAX);
    struct direct_log *direct = calloc(1, sizeof *direct);
    if (direct == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "log: no memory");
    direct->log.engine = &direct_engine;
    direct->capacity = messages;
    direct->gathered = 1;
    direct->slots = calloc(messages, sizeof *direct->slots);
    direct->sizes = calloc(messages, sizeof *direct->sizes);
    make_locks(direct);
    if (!byte_ring_open(&direct->ring, bytes) || direct->slots == NULL || direct->sizes == NULL) {
        direct_destroy(&direct->log);
        return picket_fail(error, PICKET_NO_MEMORY, "log: no memory for %zu messages in %zu bytes",
                           messages, bytes);
    }
    *log = &direct->log;
    return PICKET_OK;
}

#include "arrivals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/time.h"
#include "picket/base/wait.h"

enum { FIRST_NOTES = 64 };

void arrivals_open(struct arrivals *arrivals)
{
    memset(arrivals, 0, sizeof *arrivals);
    pthread_mutex_init(&arrivals->lock, NULL);
    picket_condition_init(&arrivals->changed);
}

void arrivals_close(struct arrivals *arrivals)
{
    arrivals_notes_free(&arrivals->notes);
    pthread_cond_destroy(&arrivals->changed);
    pthread_mutex_destroy(&arrivals->lock);
}

void arrivals_start(struct arrivals *arrivals, int64_t newest_event, int64_t latest_ms)
{
    int64_t now_ms = picket_unix_ms();
    arrivals->start_event = newest_event;
    atomic_store(&arrivals->begun, newest_event);
    arrivals->start_ms = arrivals->stamped_ms = now_ms > latest_ms ? now_ms : latest_ms;
}

/* ---- whoever changes the table ---- */

int64_t arrivals_now_ms(struct arrivals *arrivals)
{
    int64_t now_ms = picket_unix_ms();
    pthread_mutex_lock(&arrivals->lock);
    if (now_ms <= arrivals->stamped_ms)
        now_ms = arrivals->stamped_ms + 1;
    arrivals->stamped_ms = now_ms;
    pthread_mutex_unlock(&arrivals->lock);
    return now_ms;
}

void arrivals_begin(struct arrivals *arrivals)
{
    pthread_mutex_lock(&arrivals->lock);
    atomic_store(&arrivals->noting, true);
    arrivals->last_ms = picket_monotonic_ms();
    if (arrivals->first_ms == 0)
        arrivals->first_ms = arrivals->last_ms;
    pthread_mutex_unlock(&arrivals->lock);
}

void arrivals_end(struct arrivals *arrivals)
{
    pthread_mutex_lock(&arrivals->lock);
    arrivals->last_ms = picket_monotonic_ms();
    pthread_cond_broadcast(&arrivals->changed);
    pthread_mutex_unlock(&arrivals->lock);
}

/* ---- the detector ---- */

void arrivals_event(struct arrivals *arrivals, int64_t event_id)
{
    if (event_id > 0) /* the hub's own are not stored, if they are of no device */
        atomic_store(&arrivals->begun, event_id);
}

static void add_note(struct arrivals_notes *notes, const struct arrivals_note *note)
{
    if (notes->count == notes->capacity) {
        size_t capacity = notes->capacity > 0 ? 2 * notes->capacity : FIRST_NOTES;
        struct arrivals_note *items = realloc(notes->items, capacity * sizeof *items);
        if (items == NULL)
            return; /* at worst the search counts it, too */
        notes->items = items;
        notes->capacity = capacity;
    }
    notes->items[notes->count++] = *note;
    notes->is_sorted = false;
}

void arrivals_found(struct arrivals *arrivals, int64_t event_id, const char *subject)
{
    struct arrivals_note note = {.event_id = event_id};
    if (!atomic_load(&arrivals->noting) ||
        !picket_prefix_parse(&note.prefix, subject, strlen(subject)))
        return;
    pthread_mutex_lock(&arrivals->lock);
    if (arrivals->notes.count < ARRIVALS_NOTES_MAX)
        add_note(&arrivals->notes, &note);
    if (arrivals->notes.count == ARRIVALS_NOTES_MAX / 2)
        pthread_cond_broadcast(&arrivals->changed);
    pthread_mutex_unlock(&arrivals->lock);
}

/* ---- who searches ---- */

/* Until when more is waited for. */
static int64_t due_ms(const struct arrivals *arrivals, int64_t quiet_ms, int64_t longest_ms)
{
    int64_t quiet = arrivals->last_ms + quiet_ms, longest = arrivals->first_ms + longest_ms;
    if (arrivals->notes.count >= ARRIVALS_NOTES_MAX / 2)
        return 0;
    return quiet < longest ? quiet : longest;
}

bool arrivals_wait(struct arrivals *arrivals, int64_t quiet_ms, int64_t longest_ms)
{
    pthread_mutex_lock(&arrivals->lock);
    while (!arrivals->stopping) {
        if (arrivals->first_ms == 0) {
            pthread_cond_wait(&arrivals->changed, &arrivals->lock);
            continue;
        }
        int64_t left_ms = due_ms(arrivals, quiet_ms, longest_ms) - picket_monotonic_ms();
        if (left_ms <= 0)
            break;
        struct timespec until = picket_deadline(left_ms);
        pthread_cond_timedwait(&arrivals->changed, &arrivals->lock, &until);
    }
    bool goes_on = !arrivals->stopping;
    pthread_mutex_unlock(&arrivals->lock);
    return goes_on;
}

void arrivals_make_up(struct arrivals *arrivals, int64_t *to_ms, int64_t *end_event)
{
    pthread_mutex_lock(&arrivals->lock);
    *to_ms = arrivals->stamped_ms;
    *end_event = atomic_load(&arrivals->begun) + 1;
    arrivals->first_ms = arrivals->last_ms = 0;
    pthread_mutex_unlock(&arrivals->lock);
}

static int compare(const void *a, const void *b)
{
    const struct arrivals_note *x = a, *y = b;
    return (x->event_id > y->event_id) - (x->event_id < y->event_id);
}

void arrivals_take_notes(struct arrivals *arrivals, int64_t end_event, struct arrivals_notes *notes)
{
    size_t kept = 0;
    pthread_mutex_lock(&arrivals->lock);
    for (size_t i = 0; i < arrivals->notes.count; i++) {
        const struct arrivals_note *note = &arrivals->notes.items[i];
        if (note->event_id < end_event)
            add_note(notes, note);
        else
            arrivals->notes.items[kept++] = *note;
    }
    arrivals->notes.count = kept;
    if (arrivals->first_ms == 0) {
        arrivals->notes.count = 0;
        atomic_store(&arrivals->noting, false);
    }
    pthread_mutex_unlock(&arrivals->lock);
}

static void sort(struct arrivals_notes *notes)
{
    if (notes->count > 1)
        qsort(notes->items, notes->count, sizeof *notes->items, compare);
    notes->is_sorted = true;
}

/* The first of that event or a later one. */
static size_t first_of(const struct arrivals_notes *notes, int64_t event_id)
{
    size_t low = 0, high = notes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (notes->items[middle].event_id < event_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool arrivals_notes_have(struct arrivals_notes *notes, int64_t event_id,
                         const struct picket_address *address)
{
    if (!notes->is_sorted)
        sort(notes);
    for (size_t i = first_of(notes, event_id);
         i < notes->count && notes->items[i].event_id == event_id; i++)
        if (picket_prefix_covers(&notes->items[i].prefix, address))
            return true;
    return false;
}

void arrivals_notes_free(struct arrivals_notes *notes)
{
    free(notes->items);
    *notes = (struct arrivals_notes){.items = NULL};
}

void arrivals_stop(struct arrivals *arrivals)
{
    pthread_mutex_lock(&arrivals->lock);
    arrivals->stopping = true;
    pthread_cond_broadcast(&arrivals->changed);
    pthread_mutex_unlock(&arrivals->lock);
}

/* Lists whose indicators their owner changes one by one. */
#include <stdlib.h>
#include <string.h>

#include "intel/formats/feed_reader.h"
#include "intel_internal.h"
#include "picket/base/time.h"

/* ---- one change: the store takes it, then the table ---- */

/* What the store does with them, telling `taking` of each. */
struct list_work {
    int (*run)(struct list_work *work, struct picket_store *store, struct taking *taking,
               struct picket_error *error);
    const char *list;
    const void *items;
    size_t count;
    struct picket_feed_delta delta;
    size_t *at;
    void (*stamp)(void *coming, size_t count, int64_t now_ms); /* NULL: nothing comes */
    void *coming;                                              /* the items */
};

/* The store keeps what it knows of those that it has, unless they had expired. */
static void stamp_indicators(void *coming, size_t count, int64_t now_ms)
{
    struct picket_indicator *indicators = coming;
    for (size_t i = 0; i < count; i++)
        indicators[i].first_seen_ms = now_ms;
}

static void stamp_changes(void *coming, size_t count, int64_t now_ms)
{
    struct picket_indicator_change *changes = coming;
    for (size_t i = 0; i < count; i++)
        changes[i].to.first_seen_ms = now_ms;
}

/* With the lock held. */
static int change_list(struct picket_intel *intel, struct list_work *work,
                       struct picket_error *error)
{
    struct taking taking;
    uint16_t number = table_feed_number(intel->published.table, work->list);
    if (!intel_begin_taking(intel, number, &taking))
        return picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory", work->list);
    if (work->stamp != NULL)
        work->stamp(work->coming, work->count, arrivals_now_ms(&intel->arrivals));
    int status = work->run(work, intel->store, &taking, error);
    if (status == PICKET_OK)
        return intel_publish(intel, &taking, error);
    table_batch_free(taking.batch);
    return status;
}

static int run_work(struct picket_intel *intel, struct list_work *work, struct picket_error *error)
{
    if (work->at != NULL)
        *work->at = work->count;
    pthread_mutex_lock(&intel->changing);
    int status = change_list(intel, work, error);
    pthread_mutex_unlock(&intel->changing);
    return status;
}

/* ---- putting ---- */

/* With the lock held. */
static int ensure_local(struct picket_intel *intel, const char *list, struct picket_error *error)
{
    static const struct picket_feed made_when_used[] = {
        {.name = PICKET_LIST_LOCAL, .confidence = PICKET_LIST_CONFIDENCE},
        {.name = PICKET_LIST_ALLOW, .confidence = 100, .role = PICKET_FEED_ALLOW}};
    for (size_t i = 0; i < sizeof made_when_used / sizeof *made_when_used; i++)
        if (strcmp(list, made_when_used[i].name) == 0)
            return kept_list_ensure(intel, &made_when_used[i], error);
    return PICKET_OK;
}

static int put(struct list_work *work, struct picket_store *store, struct taking *taking,
               struct picket_error *error)
{
    return picket_store_indicators_put(store, work->list, work->items, work->count,
                                       intel_take_change, taking, &work->delta, error);
}

static int put_all(struct picket_intel *intel, const char *list,
                   struct picket_indicator *indicators, size_t count,
                   struct picket_feed_delta *delta, struct picket_error *error)
{
    struct list_work work = {.run = put,
                             .list = list,
                             .items = indicators,
                             .count = count,
                             .stamp = stamp_indicators,
                             .coming = indicators};
    pthread_mutex_lock(&intel->changing);
    int status = ensure_local(intel, list, error);
    pthread_mutex_unlock(&intel->changing);
    if (status == PICKET_OK)
        status = run_work(intel, &work, error);
    if (delta != NULL)
        *delta = work.delta;
    return status;
}

int picket_intel_put(struct picket_intel *intel, const char *list,
                     const struct picket_indicator *indicators, size_t count,
                     struct picket_feed_delta *delta, struct picket_error *error)
{
    struct picket_indicator *copies = calloc(count > 0 ? count : 1, sizeof *copies);
    if (copies == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory for %zu indicators", list,
                           count);
    for (size_t i = 0; i < count; i++)
        copies[i] = indicators[i];
    int status = put_all(intel, list, copies, count, delta, error);
    free(copies);
    return status;
}

/* ---- importing ---- */

static int find_list(struct picket_intel *intel, const char *name, struct picket_feed *list,
                     struct picket_error *error)
{
    pthread_mutex_lock(&intel->changing);
    int status = ensure_local(intel, name, error);
    if (status == PICKET_OK)
        status = intel_find_feed(intel, name, list, error);
    pthread_mutex_unlock(&intel->changing);
    return status;
}

static int put_reading(struct picket_intel *intel, struct feed_reading *reading,
                       struct picket_feed_report *report, struct picket_error *error)
{
    struct indicator_list *indicators = &reading->indicators;
    report->feed.skipped = (int64_t)reading->skipped;
    report->passed_over = (int64_t)reading->passed_over;
    report->problem_count = reading->problem_count;
    memcpy(report->problems, reading->problems, sizeof report->problems);
    if (indicators->count == 0 && reading->skipped > 0)
        return picket_fail(error, PICKET_INVALID, "no indicator; line %u (\"%.60s\"): %s",
                           reading->problems[0].line, reading->problems[0].text,
                           reading->problems[0].reason);
    return put_all(intel, report->feed.name, indicators->items, indicators->count, &report->delta,
                   error);
}

int picket_intel_import(struct picket_intel *intel, const char *list, const char *text,
                        size_t size_bytes, const char *format_name, int confidence,
                        struct picket_feed_report *report, struct picket_error *error)
{
    int64_t started_ms = picket_monotonic_ms();
    memset(report, 0, sizeof *report);
    int format = feed_format_named(format_name);
    if (format < 0)
        return picket_fail(error, PICKET_INVALID, "format %s is not known", format_name);
    int status = find_list(intel, list, &report->feed, error);
    if (status != PICKET_OK)
        return status;
    struct feed_reading reading;
    const struct feed_options options = {.format = (enum feed_format)format,
                                         .confidence = confidence >= 0 ? confidence
                                                                       : report->feed.confidence};
    status = feed_read(&reading, text, size_bytes, &options, error);
    if (status == PICKET_OK)
        status = put_reading(intel, &reading, report, error);
    feed_reading_free(&reading);
    report->feed.indicators += report->delta.added;
    report->duration_ms = picket_monotonic_ms() - started_ms;
    return status;
}

/* ---- changing, taking out ---- */

static int change(struct list_work *work, struct picket_store *store, struct taking *taking,
                  struct picket_error *error)
{
    return picket_store_indicators_change(store, work->list, work->items, work->count,
                                          intel_take_change, taking, &work->delta, work->at, error);
}

int picket_intel_change(struct picket_intel *intel, const char *list,
                        const struct picket_indicator_change *changes, size_t count,
                        struct picket_feed_delta *delta, size_t *at, struct picket_error *error)
{
    struct picket_indicator_change *copies = calloc(count > 0 ? count : 1, sizeof *copies);
    if (copies == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory for %zu changes", list,
                           count);
    for (size_t i = 0; i < count; i++)
        copies[i] = changes[i];
    struct list_work work = {.run = change,
                             .list = list,
                             .items = copies,
                             .count = count,
                             .at = at,
                             .stamp = stamp_changes,
                             .coming = copies};
    int status = run_work(intel, &work, error);
    if (delta != NULL)
        *delta = work.delta;
    free(copies);
    return status;
}

static int take_out(struct list_work *work, struct picket_store *store, struct taking *taking,
                    struct picket_error *error)
{
    return picket_store_indicators_take_out(store, work->list, work->items, work->count,
                                            intel_take_change, taking, work->at, error);
}

int picket_intel_take_out(struct picket_intel *intel, const char *list,
                          const struct picket_indicator *which, size_t count, size_t *at,
                          struct picket_error *error)
{
    struct list_work work = {
        .run = take_out, .list = list, .items = which, .count = count, .at = at};
    return run_work(intel, &work, error);
}

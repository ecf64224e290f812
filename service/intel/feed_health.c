#include "feed_health.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/diagnostics.h"
#include "text.h"

enum { STALE_INTERVALS = 3 };
static const int64_t day_ms = 24 * 3600 * 1000;
/* What is told is an alert some time later: for so long one is looked for that is to be closed. */
static const int64_t settle_ms = 3600 * 1000;

/* What is known of a feed. */
struct patient {
    struct patient *next;
    char name[65];
    enum feed_state state;
    int64_t told_ms;        /* 0: not yet, in this state */
    int64_t close_until_ms; /* alerts of other states are closed at each look */
    bool is_there;
};

struct feed_health {
    pthread_mutex_t lock;
    struct picket_store *store;
    struct picket_log *log; /* NULL: nobody is told */
    struct patient *first;
};

/* ---- one feed ---- */

enum feed_state feed_state_of(const struct picket_feed *feed, int64_t now_ms)
{
    int64_t patience_ms = STALE_INTERVALS * (int64_t)feed->refresh_s * 1000;
    if (patience_ms < day_ms)
        patience_ms = day_ms;
    if (feed->waits)
        return FEED_WAITS;
    if (feed->problem[0] == '\0')
        return FEED_WELL;
    return feed->refresh_s > 0 && now_ms - feed->succeeded_ms > patience_ms ? FEED_STALE
                                                                            : FEED_UNSURE;
}

/* Queries of addresses may hold keys, and alerts go to others than the feed's owner. */
static void without_queries(const char *text, char *out, size_t out_bytes)
{
    size_t used = 0;
    for (const char *at = text; *at != '\0' && used + 4 < out_bytes;) {
        out[used++] = *at;
        if (*at++ != '?')
            continue;
        size_t query = strcspn(at, " \"");
        if (query > 0 && at[query - 1] == ':')
            query--;
        memcpy(out + used, "...", query > 0 ? 3 : 0);
        used += query > 0 ? 3 : 0;
        at += query;
    }
    out[used] = '\0';
}

static char *telling_of(const struct picket_feed *feed, enum feed_state state)
{
    char problem[sizeof feed->problem];
    without_queries(feed->problem, problem, sizeof problem);
    json_t *content = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "about", "feed", "feed", feed->name, "state",
        state == FEED_WAITS ? "waits" : "stale", "indicators", (json_int_t)feed->indicators,
        "would_hold", (json_int_t)feed->would_hold, "succeeded_ms", (json_int_t)feed->succeeded_ms,
        "refresh_s", (json_int_t)feed->refresh_s, "problem", text_json(problem, strlen(problem)));
    char *text = json_dumps(content, JSON_COMPACT);
    json_decref(content);
    return text;
}

/* False: the log has no room. */
static bool tell(const struct feed_health *health, const struct picket_feed *feed,
                 enum feed_state state, int64_t now_ms)
{
    char *text = telling_of(feed, state);
    const struct picket_log_message message = {.kind = PICKET_LOG_OF_HUB,
                                               .device = "",
                                               .module = "",
                                               .received_ms = now_ms,
                                               .properties = text,
                                               .payload = (const uint8_t *)""};
    bool told = text != NULL && picket_log_append(health->log, &message, NULL) == PICKET_OK;
    free(text);
    return told;
}

static const char *reason_to_close(const struct patient *patient)
{
    if (!patient->is_there)
        return "Closed by Picket: the feed was removed";
    return patient->state == FEED_WELL ? "Closed by Picket: the feed is well again"
                                       : "Closed by Picket: something else is the matter with the "
                                         "feed now, and told by another alert";
}

static int close_alert(struct feed_health *health, const struct patient *patient, const char *type,
                       int64_t now_ms, struct picket_error *error)
{
    const struct picket_alert_query query = {.type = type,
                                             .subject = patient->name,
                                             .statuses = 1 << PICKET_ALERT_NEW |
                                                         1 << PICKET_ALERT_ACKNOWLEDGED};
    const struct picket_alert_decision decision = {.status = "resolved",
                                                   .verdict = "true-positive",
                                                   .reason = reason_to_close(patient),
                                                   .decided_ms = now_ms,
                                                   .uid = -1};
    int64_t count = 0;
    int status = picket_store_alerts_decide(health->store, &query, &decision, &count, error);
    if (count > 0)
        picket_say(PICKET_NOTICE, "service", "feed %s: %s is over, its alert closed", patient->name,
                   type);
    return status;
}

/* Those of what it is not, or not any more. */
static void close_alerts(struct feed_health *health, struct patient *patient, int64_t now_ms)
{
    static struct picket_say_limit limit;
    struct picket_error error = {0};
    int status = PICKET_OK;
    if (patient->state != FEED_WAITS)
        status = close_alert(health, patient, FEED_ALERT_WAITS, now_ms, &error);
    if (status == PICKET_OK && patient->state != FEED_STALE)
        status = close_alert(health, patient, FEED_ALERT_STALE, now_ms, &error);
    if (status == PICKET_OK)
        return;
    patient->close_until_ms = now_ms + settle_ms;
    picket_say_limited(&limit, PICKET_WARNING, "service", "feed %s: an alert is not closed: %s",
                       patient->name, error.text);
}

/* ---- all feeds ---- */

static struct patient *patient_of(struct feed_health *health, const char *name)
{
    struct patient *patient = health->first;
    while (patient != NULL && strcmp(patient->name, name) != 0)
        patient = patient->next;
    if (patient != NULL)
        return patient;
    patient = calloc(1, sizeof *patient);
    if (patient == NULL)
        return NULL;
    snprintf(patient->name, sizeof patient->name, "%s", name);
    patient->next = health->first;
    health->first = patient;
    return patient;
}

/* At a start there may be an alert of what has passed meanwhile, but none on its way. */
static void enter(struct patient *patient, enum feed_state state, int64_t now_ms)
{
    patient->close_until_ms = patient->state == FEED_UNSURE ? now_ms : now_ms + settle_ms;
    patient->state = state;
    patient->told_ms = 0;
}

/* Told later than now: by who looked at the same time, or the clock was set back. */
static bool is_due(const struct patient *patient, int64_t now_ms)
{
    int64_t age_ms = now_ms - patient->told_ms;
    return patient->told_ms == 0 || age_ms >= day_ms || age_ms < -day_ms;
}

struct looking {
    struct feed_health *health;
    int64_t now_ms;
};

static void look_at(void *context, const struct picket_feed *feed)
{
    const struct looking *looking = context;
    struct patient *patient = patient_of(looking->health, feed->name);
    enum feed_state state = feed_state_of(feed, looking->now_ms);
    if (patient == NULL)
        return;
    patient->is_there = true;
    if (state != FEED_UNSURE && state != patient->state)
        enter(patient, state, looking->now_ms);
    if (patient->state > FEED_WELL && is_due(patient, looking->now_ms) &&
        tell(looking->health, feed, patient->state, looking->now_ms))
        patient->told_ms = looking->now_ms;
}

/* Those that were removed are forgotten when their alerts are. */
static void close_what_is_over(struct feed_health *health, int64_t now_ms)
{
    for (struct patient **link = &health->first; *link != NULL;) {
        struct patient *patient = *link;
        if (!patient->is_there && patient->state != FEED_WELL)
            enter(patient, FEED_WELL, now_ms);
        if (patient->state != FEED_UNSURE && now_ms <= patient->close_until_ms)
            close_alerts(health, patient, now_ms);
        if (!patient->is_there && now_ms > patient->close_until_ms) {
            *link = patient->next;
            free(patient);
        } else {
            link = &patient->next;
        }
    }
}

static void look(struct feed_health *health, int64_t now_ms)
{
    struct looking looking = {health, now_ms};
    for (struct patient *patient = health->first; patient != NULL; patient = patient->next)
        patient->is_there = false;
    if (picket_store_feeds(health->store, look_at, &looking, NULL) == PICKET_OK)
        close_what_is_over(health, now_ms);
}

void feed_health_look(struct feed_health *health, int64_t now_ms)
{
    pthread_mutex_lock(&health->lock);
    if (health->log != NULL)
        look(health, now_ms);
    pthread_mutex_unlock(&health->lock);
}

/* ---- the whole ---- */

int feed_health_open(struct feed_health **health, const char *store_folder,
                     struct picket_error *error)
{
    struct feed_health *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for intelligence");
    pthread_mutex_init(&opened->lock, NULL);
    int status = picket_store_open(&opened->store, store_folder, error);
    if (status == PICKET_OK)
        *health = opened;
    else
        feed_health_close(opened);
    return status;
}

void feed_health_close(struct feed_health *health)
{
    if (health == NULL)
        return;
    while (health->first != NULL) {
        struct patient *next = health->first->next;
        free(health->first);
        health->first = next;
    }
    if (health->store != NULL)
        picket_store_close(health->store);
    pthread_mutex_destroy(&health->lock);
    free(health);
}

void feed_health_tell(struct feed_health *health, struct picket_log *log)
{
    pthread_mutex_lock(&health->lock);
    health->log = log;
    pthread_mutex_unlock(&health->lock);
}

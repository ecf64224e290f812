#include "feed_watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "feed_folder.h"
#include "intel/feed_settings.h"
#include "intel/intel_internal.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"

enum {
    WATCHED_EVENTS =
        IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MOVE_SELF,
    STILL_WRITTEN_MS = 10 * 1000, /* since the last write, if it is not closed */
    LOOK_AGAIN_MS = 30 * 1000,    /* folders may be others: one above them was renamed */
    LOOK_FOR_MISSING_MS = 1000,   /* folders may come that were not there */
    CHECK_WRITERS_MS = 500,
    WRITTEN_MAX = 64 /* files of a feed at a time; of more the feed is just refreshed later */
};

struct written {
    char name[256];
    int64_t last_ms;
};

/* A feed's folder, or the folder of its file. */
struct watched {
    struct watched *next;
    char feed[65];
    char folder[1024];
    char file[256];    /* of a feed that is one file; "" for a folder */
    char pattern[128]; /* of a folder */
    int descriptor;    /* of inotify; -1: not watched now */
    bool is_pending;   /* something changed while something else is being written */
    bool is_wanted;    /* while looking which are */
    struct written written[WRITTEN_MAX];
    size_t written_count;
};

struct feed_watch {
    struct picket_intel *intel;
    pthread_t thread;
    int inotify, wake;
    bool stop; /* under lock, as what follows */
    bool look_again;
    pthread_mutex_t lock; /* taken alone */
    struct watched *first;
};

/* ---- which are watched ---- */

/* Folder, file and pattern of a feed; false: it is none that is watched. */
static bool place_of(const struct picket_feed *feed, struct watched *place)
{
    enum feed_kind kind = feed_kind_of(feed->source);
    const char *path = feed_location(feed->source);
    if (feed->refresh_s == 0 || path[0] != '/' || (kind != FEED_ON_DISK && kind != FEED_MISP))
        return false;
    memset(place, 0, sizeof *place);
    memcpy(place->feed, feed->name, sizeof place->feed);
    memcpy(place->pattern, feed->pattern, sizeof place->pattern);
    place->descriptor = -1;
    snprintf(place->folder, sizeof place->folder, "%s", path);
    if (kind == FEED_MISP) {
        strcpy(place->file, "manifest.json");
    } else if (!feed_is_folder(path)) {
        char *slash = strrchr(place->folder, '/');
        snprintf(place->file, sizeof place->file, "%s", slash + 1);
        slash[slash == place->folder ? 1 : 0] = '\0';
    }
    return true;
}

static bool same_place(const struct watched *a, const struct watched *b)
{
    return strcmp(a->feed, b->feed) == 0 && strcmp(a->folder, b->folder) == 0 &&
           strcmp(a->file, b->file) == 0 && strcmp(a->pattern, b->pattern) == 0;
}

/* Unless another feed's files are in the same folder. */
static void stop_watching(struct feed_watch *watch, int descriptor)
{
    for (const struct watched *other = watch->first; other != NULL; other = other->next)
        if (other->descriptor == descriptor)
            return;
    if (descriptor >= 0)
        inotify_rm_watch(watch->inotify, descriptor);
}

static void want(void *context, const struct picket_feed *feed)
{
    struct feed_watch *watch = context;
    struct watched place;
    if (!place_of(feed, &place))
        return;
    struct watched *watched = watch->first;
    while (watched != NULL && !same_place(watched, &place))
        watched = watched->next;
    if (watched == NULL) {
        watched = malloc(sizeof *watched);
        if (watched == NULL)
            return;
        *watched = place;
        watched->next = watch->first;
        watch->first = watched;
    }
    watched->is_wanted = true;
}

static void drop_unwanted(struct feed_watch *watch)
{
    struct watched **link = &watch->first;
    while (*link != NULL) {
        struct watched *watched = *link;
        if (watched->is_wanted) {
            link = &watched->next;
            continue;
        }
        *link = watched->next;
        stop_watching(watch, watched->descriptor);
        free(watched);
    }
}

/* The folder that has the name now, which may be another than the last time. What has changed
 * before it was watched is found by asking once. */
static void watch_folder(struct feed_watch *watch, struct watched *watched)
{
    static struct picket_say_limit limit;
    int before = watched->descriptor;
    watched->descriptor =
        inotify_add_watch(watch->inotify, watched->folder, WATCHED_EVENTS | IN_ONLYDIR);
    if (watched->descriptor < 0 && errno != ENOENT && errno != ENOTDIR)
        picket_say_limited(&limit, PICKET_WARNING, "service",
                           "feed %s: %s is not watched for changes: %s", watched->feed,
                           watched->folder, strerror(errno));
    if (watched->descriptor == before)
        return;
    stop_watching(watch, before);
    watched->written_count = 0;
    watched->is_pending = watched->is_pending || watched->descriptor >= 0;
}

static void watch_wanted(struct feed_watch *watch)
{
    for (struct watched *watched = watch->first; watched != NULL; watched = watched->next)
        watch_folder(watch, watched);
}

/* True: some are still missing. */
static bool watch_missing(struct feed_watch *watch)
{
    bool some_missing = false;
    pthread_mutex_lock(&watch->lock);
    for (struct watched *watched = watch->first; watched != NULL; watched = watched->next) {
        if (watched->descriptor < 0)
            watch_folder(watch, watched);
        some_missing = some_missing || watched->descriptor < 0;
    }
    pthread_mutex_unlock(&watch->lock);
    return some_missing;
}

static void look(struct feed_watch *watch)
{
    struct picket_intel *intel = watch->intel;
    pthread_mutex_lock(&intel->changing);
    pthread_mutex_lock(&watch->lock);
    for (struct watched *watched = watch->first; watched != NULL; watched = watched->next)
        watched->is_wanted = false;
    int status = picket_store_feeds(intel->store, want, watch, NULL);
    if (status == PICKET_OK) {
        drop_unwanted(watch);
        watch_wanted(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    pthread_mutex_unlock(&intel->changing);
}

/* ---- what happens ---- */

static bool concerns(const struct watched *watched, const char *name)
{
    return watched->file[0] != '\0' ? strcmp(watched->file, name) == 0
                                    : feed_folder_takes(watched->pattern, name);
}

static void forget_writer(struct watched *watched, const char *name)
{
    for (size_t i = 0; i < watched->written_count; i++)
        if (strcmp(watched->written[i].name, name) == 0)
            watched->written[i--] = watched->written[--watched->written_count];
}

static void note_writer(struct watched *watched, const char *name)
{
    forget_writer(watched, name);
    if (watched->written_count == WRITTEN_MAX)
        return;
    struct written *written = &watched->written[watched->written_count++];
    snprintf(written->name, sizeof written->name, "%s", name);
    written->last_ms = picket_monotonic_ms();
}

static void take_event(struct watched *watched, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        watched->is_pending = true;
    } else if (watched->descriptor == event->wd &&
               (event->mask & (IN_IGNORED | IN_MOVE_SELF)) != 0) {
        watched->descriptor = -1;
        watched->written_count = 0;
    } else if (watched->descriptor == event->wd && event->len > 0 &&
               concerns(watched, event->name)) {
        watched->is_pending = true;
        if ((event->mask & IN_MODIFY) != 0)
            note_writer(watched, event->name);
        else
            forget_writer(watched, event->name);
    }
}

static void take_events(struct feed_watch *watch)
{
    _Alignas(struct inotify_event) char buffer[16384];
    ssize_t size = read(watch->inotify, buffer, sizeof buffer);
    pthread_mutex_lock(&watch->lock);
    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *event =
            (const struct inotify_event *)(const void *)(buffer + at);
        for (struct watched *watched = watch->first; watched != NULL; watched = watched->next)
            take_event(watched, event);
        if ((event->mask & IN_MOVE_SELF) != 0)
            stop_watching(watch, event->wd);
        at += (ssize_t)(sizeof *event + event->len);
    }
    pthread_mutex_unlock(&watch->lock);
}

static void forget_idle_writers(struct watched *watched)
{
    int64_t now_ms = picket_monotonic_ms();
    for (size_t i = 0; i < watched->written_count; i++)
        if (now_ms - watched->written[i].last_ms > STILL_WRITTEN_MS)
            watched->written[i--] = watched->written[--watched->written_count];
}

/* The name of a feed that is to be read now; "": none. */
static void next_ready(struct feed_watch *watch, char name[65])
{
    name[0] = '\0';
    pthread_mutex_lock(&watch->lock);
    for (struct watched *watched = watch->first; watched != NULL; watched = watched->next) {
        forget_idle_writers(watched);
        if (watched->is_pending && watched->written_count == 0 && name[0] == '\0') {
            watched->is_pending = false;
            memcpy(name, watched->feed, 65);
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

static void ask_for_ready(struct feed_watch *watch)
{
    char name[65];
    for (next_ready(watch, name); name[0] != '\0'; next_ready(watch, name))
        refresher_ask(watch->intel->refresher, name);
}

static bool has_writers(struct feed_watch *watch)
{
    bool has = false;
    pthread_mutex_lock(&watch->lock);
    for (const struct watched *watched = watch->first; watched != NULL; watched = watched->next)
        has = has || watched->written_count > 0;
    pthread_mutex_unlock(&watch->lock);
    return has;
}

/* ---- the thread ---- */

static bool is_to_stop(struct feed_watch *watch, bool *look_again)
{
    pthread_mutex_lock(&watch->lock);
    bool stop = watch->stop;
    *look_again = watch->look_again;
    watch->look_again = false;
    pthread_mutex_unlock(&watch->lock);
    return stop;
}

static void *run(void *context)
{
    struct feed_watch *watch = context;
    int64_t looked_ms = 0;
    bool look_again;
    while (!is_to_stop(watch, &look_again)) {
        int64_t now_ms = picket_monotonic_ms();
        if (look_again || now_ms - looked_ms >= LOOK_AGAIN_MS) {
            look(watch);
            looked_ms = now_ms;
        }
        bool some_missing = watch_missing(watch);
        ask_for_ready(watch);
        int timeout_ms = has_writers(watch) ? CHECK_WRITERS_MS
                         : some_missing     ? LOOK_FOR_MISSING_MS
                                            : LOOK_AGAIN_MS;
        struct pollfd pollers[2] = {{.fd = watch->inotify, .events = POLLIN},
                                    {.fd = watch->wake, .events = POLLIN}};
        poll(pollers, 2, timeout_ms);
        uint64_t count;
        if ((pollers[1].revents & POLLIN) != 0 && read(watch->wake, &count, sizeof count) < 0)
            continue;
        if ((pollers[0].revents & POLLIN) != 0)
            take_events(watch);
    }
    return NULL;
}

static void release(struct feed_watch *watch)
{
    while (watch->first != NULL) {
        struct watched *next = watch->first->next;
        free(watch->first);
        watch->first = next;
    }
    if (watch->inotify >= 0)
        close(watch->inotify);
    if (watch->wake >= 0)
        close(watch->wake);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

struct feed_watch *feed_watch_start(struct picket_intel *intel)
{
    struct feed_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->intel = intel;
    watch->look_again = true;
    pthread_mutex_init(&watch->lock, NULL);
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (watch->inotify >= 0 && watch->wake >= 0 &&
        picket_thread_start(&watch->thread, "feed watch", run, watch) == 0)
        return watch;
    picket_say(PICKET_WARNING, "service", "files of feeds are not watched for changes: %s",
               strerror(errno));
    release(watch);
    return NULL;
}

static void wake(struct feed_watch *watch)
{
    const uint64_t one = 1;
    if (write(watch->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        picket_say(PICKET_WARNING, "service", "feeds' watch: %s", strerror(errno));
}

void feed_watch_stop(struct feed_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_mutex_unlock(&watch->lock);
    wake(watch);
    pthread_join(watch->thread, NULL);
    release(watch);
}

void feed_watch_look_again(struct feed_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->look_again = true;
    pthread_mutex_unlock(&watch->lock);
    wake(watch);
}

bool feed_watch_is_written(struct feed_watch *watch, const char *feed, char *file,
                           size_t file_bytes)
{
    bool is_written = false;
    if (watch == NULL)
        return false;
    pthread_mutex_lock(&watch->lock);
    for (const struct watched *watched = watch->first; watched != NULL; watched = watched->next) {
        if (strcmp(watched->feed, feed) != 0 || watched->written_count == 0)
            continue;
        snprintf(file, file_bytes, "%s", watched->written[0].name);
        is_written = true;
    }
    pthread_mutex_unlock(&watch->lock);
    return is_written;
}

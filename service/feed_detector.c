#include "feed_detector.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "hub_events.h"
#include "intel/feed_health.h"
#include "picket/base/time.h"
#include "text.h"

static long long number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void say_waiting(const json_t *content, struct picket_finding *finding, char *description,
                        char *remediation, size_t bytes)
{
    const char *feed = text_member(content, "feed");
    finding->type = FEED_ALERT_WAITS;
    finding->title = "A feed has lost most of its indicators, and waits for a yes";
    snprintf(description, bytes,
             "Feed %.64s now holds %lld indicators, of %lld that were there. Those that were there "
             "stay, and go on being matched; nothing that is new is taken until the feed grows "
             "again, or somebody says that it is right.",
             feed, number_of(content, "would_hold"), number_of(content, "indicators"));
    snprintf(remediation, bytes,
             "1. Look at the feed's source: was so much taken out on purpose, or has its server "
             "lost it? picket feed show %.64s tells more. 2. If it is right, take it: picket feed "
             "refresh %.64s --accept-shrink. 3. If not, tell who publishes it: as soon as it has "
             "grown again, it is taken by itself. Either way this alert is closed then.",
             feed, feed);
}

static void say_stale(const json_t *content, struct picket_finding *finding, char *description,
                      char *remediation, size_t bytes)
{
    const char *feed = text_member(content, "feed");
    char since[PICKET_TIME_TEXT_BYTES];
    picket_time_format(number_of(content, "succeeded_ms"), since);
    finding->type = FEED_ALERT_STALE;
    finding->title = "A feed has not been read for long";
    snprintf(description, bytes,
             "No attempt to read feed %.64s has succeeded since %.19sZ. Its %lld indicators of "
             "then go on being matched; what came since is missing. The last attempt: %.500s",
             feed, since, number_of(content, "indicators"), text_member(content, "problem"));
    snprintf(remediation, bytes,
             "1. Look why it cannot be read: picket feed show %.64s; picket feed refresh %.64s "
             "tries at once. 2. If its address, credentials or format are others now, set them: "
             "picket feed set %.64s. 3. If it is published no more, remove it: picket feed remove "
             "%.64s. As soon as it has been read, this alert is closed.",
             feed, feed, feed, feed);
}

static int yield_finding(const struct picket_event *event, const json_t *content,
                         picket_yield yield, void *context)
{
    char description[1000], remediation[1000];
    struct picket_finding finding = {.device = event->device,
                                     .subject = text_member(content, "feed"),
                                     .severity = PICKET_SEVERITY_MEDIUM,
                                     .seen_ms = event->seen_ms,
                                     .description = description,
                                     .remediation = remediation,
                                     .technique = "",
                                     .evidence = event->content};
    if (strcmp(text_member(content, "state"), "waits") == 0)
        say_waiting(content, &finding, description, remediation, sizeof description);
    else
        say_stale(content, &finding, description, remediation, sizeof description);
    return yield(context, &finding);
}

static int inspect(void *state, const struct picket_event *event, picket_yield yield, void *context)
{
    (void)state;
    if (event->type != PICKET_EVENT_OF_HUB || event->content == NULL || event->device[0] != '\0')
        return PICKET_OK;
    json_t *content = json_loads(event->content, 0, NULL);
    int status = strcmp(text_member(content, "about"), "feed") == 0
                     ? yield_finding(event, content, yield, context)
                     : PICKET_OK;
    json_decref(content);
    return status;
}

struct picket_detector feed_detector(void)
{
    return hub_events_detector("feeds", inspect);
}

#include "twins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "publish.h"
#include "session/subscriptions.h"

#define COUNTER(variable, counter_name, counter_help)                                              \
    static struct picket_counter variable = {.name = counter_name, .help = counter_help}

static struct picket_counter answered = {.name = "hub_twin_requests_answered",
                                         .help = "twin requests of devices answered as asked",
                                         .is_work = true};
static struct picket_counter told = {
    .name = "hub_twin_changes_sent", .help = "desired changes sent to devices", .is_work = true};
COUNTER(refused, "hub_twin_requests_refused",
        "twin requests answered with 400: the patch is wrong");
COUNTER(throttled, "hub_twin_requests_throttled",
        "twin requests answered with 429: too much waits, of the device or in all");
COUNTER(failed, "hub_twin_requests_failed", "twin requests answered with 5xx: the store failed");
COUNTER(unheard, "hub_twin_answers_unheard",
        "answers not sent: the device does not subscribe to $iothub/twin/res/#");
COUNTER(untold, "hub_twin_changes_dropped",
        "desired changes not sent: connected devices have too much to read; they find them when "
        "they ask next");

void twins_register_counters(void)
{
    struct picket_counter *const counters[] = {&answered, &told,    &refused, &throttled,
                                               &failed,   &unheard, &untold};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        picket_counter_register(counters[i]);
}

/* Of "$iothub/twin/res/STATUS/?$rid=RID&$version=N". */
enum { RESULT_TOPIC_BYTES = DIALECT_RID_BYTES_MAX + 80 };

static void send_result(struct connection *connection, const char *topic, const char *body)
{
    if (subscriptions_have(connection, DIALECT_TWIN_RESULTS))
        publish(connection, slice_of(topic), slice_of(body), 0, 0);
    else
        picket_count(&unheard, 1);
}

/* ---- errors ---- */

static int http_status(int status)
{
    switch (status) {
    case PICKET_INVALID:
        return 400;
    case PICKET_NOT_FOUND:
        return 404;
    case PICKET_BUSY:
        return 429;
    case PICKET_FULL:
    case PICKET_CLOSED:
        return 503;
    default:
        return 500;
    }
}

static enum tally_kind tally_of(int http)
{
    return http == 429 ? TALLY_TWIN_THROTTLED : http < 500 ? TALLY_TWIN_REFUSED : TALLY_TWIN_FAILED;
}

static struct picket_counter *counter_of(int http)
{
    return http == 429 ? &throttled : http < 500 ? &refused : &failed;
}

/* What stands between the quotes of a JSON string: text from outside, made plain. */
static void copy_plain(char *out, size_t size, const char *text)
{
    size_t used = 0;
    for (; *text != '\0' && used + 1 < size; text++) {
        bool plain = *text >= 0x20 && *text < 0x7f && *text != '"' && *text != '\\';
        out[used++] = plain ? *text : '?';
    }
    out[used] = '\0';
}

/* errorCode as Azure numbers them: the status and three digits. */
static void answer_error(struct connection *connection, struct slice rid, int status,
                         const char *problem)
{
    static struct picket_say_limit limit;
    char topic[RESULT_TOPIC_BYTES], message[300], body[400];
    int http = http_status(status);
    picket_count(counter_of(http), 1);
    picket_say_limited(&limit, PICKET_NOTICE, "hub", "device %s: a twin request gets %d: %s",
                       connection->device, http, problem);
    copy_plain(message, sizeof message, problem);
    snprintf(topic, sizeof topic, "$iothub/twin/res/%d/?$rid=%.*s", http, (int)rid.size, rid.bytes);
    snprintf(body, sizeof body, "{\"errorCode\":%d,\"message\":\"%s\"}", http * 1000 + 1, message);
    send_result(connection, topic, body);
}

/* ---- requests ---- */

static const char *sentence_of(int status)
{
    switch (status) {
    case PICKET_BUSY:
        return "too many requests wait; try again later";
    case PICKET_CLOSED:
        return "no twins are kept here";
    default:
        return "no memory";
    }
}

void twins_take(struct connection *connection, enum dialect_topic kind,
                const struct dialect_request *request, struct slice payload)
{
    int status = PICKET_BUSY;
    if (kind == DIALECT_TWIN_GET) /* some clients send a space */
        payload = (struct slice){"", 0};
    if (!publish_is_over_bound(connection->hub))
        status = exchange_put(connection,
                              kind == DIALECT_TWIN_GET ? EXCHANGE_TWIN_GET : EXCHANGE_TWIN_REPORT,
                              request->rid, payload);
    if (status == PICKET_OK)
        return;
    hub_activity_count(connection, tally_of(http_status(status)), 1);
    answer_error(connection, request->rid, status, sentence_of(status));
}

static enum tally_kind tally_of_request(const struct exchange_request *request)
{
    if (request->status != PICKET_OK)
        return tally_of(http_status(request->status));
    return request->kind == EXCHANGE_TWIN_GET ? TALLY_GETS : TALLY_REPORTS;
}

void twins_count(struct picket_hub *hub, struct connection *connection,
                 const struct exchange_request *request)
{
    if (connection != NULL)
        hub_activity_count(connection, tally_of_request(request), 1);
    else
        hub_activity_count_of(hub, request->device, request->module, tally_of_request(request), 1);
}

void twins_answer(struct connection *connection, const struct exchange_request *request)
{
    char topic[RESULT_TOPIC_BYTES];
    if (request->status != PICKET_OK) {
        answer_error(connection, slice_of(request->rid), request->status, request->problem);
    } else if (request->kind == EXCHANGE_TWIN_GET) {
        picket_count(&answered, 1);
        snprintf(topic, sizeof topic, "$iothub/twin/res/200/?$rid=%s", request->rid);
        send_result(connection, topic, request->answer);
    } else {
        picket_count(&answered, 1);
        snprintf(topic, sizeof topic, "$iothub/twin/res/204/?$rid=%s&$version=%" PRId64,
                 request->rid, request->version);
        send_result(connection, topic, "");
    }
    publish_flush(connection);
}

/* ---- changes ---- */

void twins_tell(struct connection *connection, int64_t version, const char *patch)
{
    char topic[100], *body;
    if (!subscriptions_have(connection, DIALECT_TWIN_DESIRED))
        return;
    if (publish_is_over_bound(connection->hub) ||
        asprintf(&body, "%.*s%s\"$version\":%" PRId64 "}", (int)strlen(patch) - 1, patch,
                 strcmp(patch, "{}") == 0 ? "" : ",", version) < 0) {
        picket_count(&untold, 1);
        return;
    }
    snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%" PRId64,
             version);
    picket_count(&told, 1);
    hub_activity_count(connection, TALLY_DESIRED_SENT, 1);
    publish(connection, slice_of(topic), slice_of(body), 0, 0);
    free(body);
    publish_flush(connection);
}

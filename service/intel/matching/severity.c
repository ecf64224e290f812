#include "severity.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

/* An echo's answer is as long as the echo, whoever sent it; what goes through a tunnel is not. */
static bool is_ping(const struct picket_flow *flow)
{
    return flow->protocol == PICKET_ICMP && flow->bytes_in == flow->bytes_out;
}

enum severity_contact severity_contact_of(const struct picket_flow *flow)
{
    uint32_t less = flow->bytes_in < flow->bytes_out ? flow->bytes_in : flow->bytes_out;
    if (flow->bytes_out == 0 || is_ping(flow))
        return SEVERITY_PROBE;
    if (flow->protocol == PICKET_UDP ? less > 0 : less >= SEVERITY_HANDSHAKE_BYTES)
        return SEVERITY_EXCHANGE;
    bool came_from_outside = flow->bytes_in > 0 && flow->bytes_out < SEVERITY_HANDSHAKE_BYTES &&
                             flow->local_port < flow->remote_port;
    return came_from_outside ? SEVERITY_PROBE : SEVERITY_ATTEMPT;
}

static struct severity_reason *add_reason(struct severity *severity, const char *format,
                                          va_list arguments) __attribute__((format(printf, 2, 0)));

static struct severity_reason *add_reason(struct severity *severity, const char *format,
                                          va_list arguments)
{
    struct severity_reason *reason = &severity->reasons[severity->reason_count++];
    *reason = (struct severity_reason){0};
    vsnprintf(reason->text, sizeof reason->text, format, arguments);
    return reason;
}

static void add_points(struct severity *severity, int points, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_points(struct severity *severity, int points, const char *format, ...)
{
    va_list arguments;
    if (points == 0)
        return;
    va_start(arguments, format);
    add_reason(severity, format, arguments)->points = points;
    va_end(arguments);
    severity->points += points;
}

static void bound(struct severity *severity, int at_most, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One that is not reached is no reason. */
static void bound(struct severity *severity, int at_most, const char *format, ...)
{
    va_list arguments;
    if (severity->severity < at_most)
        return;
    va_start(arguments, format);
    add_reason(severity, format, arguments)->at_most = at_most;
    va_end(arguments);
    severity->severity = at_most;
}

static int confidence_points(int confidence)
{
    return (confidence >= SEVERITY_SURE) + (confidence >= SEVERITY_LIKELY) +
           (confidence >= SEVERITY_POSSIBLE);
}

static void weigh_feeds(const struct severity_inputs *inputs, struct severity *severity)
{
    add_points(severity, confidence_points(inputs->confidence), "confidence %d of 100%s",
               inputs->confidence, inputs->sources > 1 ? ", the highest of its feeds" : "");
    add_points(severity, inputs->sources > 1, "%" PRIu32 " feeds list it", inputs->sources);
    add_points(severity,
               (inputs->feed_severity == PICKET_SEVERITY_HIGH) -
                   (inputs->feed_severity == PICKET_SEVERITY_LOW),
               "a feed calls it %s", picket_severity_name(inputs->feed_severity));
    add_points(severity, inputs->names_port, "the indicator names the very port or protocol");
    add_points(severity, inputs->is_shared ? -2 : 0,
               "the address is shared by many (CDN, carrier NAT, public service)");
}

static void weigh_conduct(const struct severity_inputs *inputs, struct severity *severity)
{
    if (inputs->contact == SEVERITY_EXCHANGE)
        add_points(severity, 2, "data went both ways: %" PRIu64 " bytes sent, %" PRIu64 " received",
                   inputs->bytes_out, inputs->bytes_in);
    else if (inputs->contact == SEVERITY_ATTEMPT)
        add_points(severity, 1, "the device sent %" PRIu64 " bytes, and no data came back",
                   inputs->bytes_out);
    add_points(severity, inputs->bytes_out >= SEVERITY_MUCH_BYTES,
               "the device sent much: %" PRIu64 " bytes", inputs->bytes_out);
}

static void weigh_repetition(const struct severity_inputs *inputs, struct severity *severity)
{
    bool repeated =
        inputs->times >= SEVERITY_REPEATED_TIMES && inputs->span_ms >= SEVERITY_REPEATED_MS;
    add_points(severity, repeated, "seen %" PRId64 " times within %" PRId64 " h", inputs->times,
               inputs->span_ms / (3600 * 1000));
    add_points(severity, inputs->devices >= SEVERITY_DEVICES, "%s%" PRId64 " devices talk to it",
               inputs->devices > PICKET_STANDING_DEVICES ? "at least " : "", inputs->devices);
}

static int severity_of_points(int points)
{
    return points >= SEVERITY_HIGH_POINTS     ? PICKET_SEVERITY_HIGH
           : points >= SEVERITY_MEDIUM_POINTS ? PICKET_SEVERITY_MEDIUM
                                              : PICKET_SEVERITY_LOW;
}

static void apply_bounds(const struct severity_inputs *inputs, struct severity *severity)
{
    if (inputs->contact == SEVERITY_PROBE)
        bound(severity, PICKET_SEVERITY_LOW, "a probe from outside: the device sent %s",
              inputs->bytes_out == 0 ? "nothing"
                                     : "no more than it takes to refuse, or to answer a ping");
    if (inputs->confidence < SEVERITY_LIKELY)
        bound(severity, PICKET_SEVERITY_MEDIUM, "no feed is surer of it than %d of 100",
              inputs->confidence);
    if (inputs->is_shared && !inputs->names_port)
        bound(severity, PICKET_SEVERITY_MEDIUM,
              "a shared address is no proof by itself, and no indicator names the port");
}

void severity_weigh(const struct severity_inputs *inputs, struct severity *severity)
{
    severity->points = severity->reason_count = 0;
    weigh_feeds(inputs, severity);
    weigh_conduct(inputs, severity);
    weigh_repetition(inputs, severity);
    severity->severity = severity_of_points(severity->points);
    apply_bounds(inputs, severity);
}

static json_t *reason_json(const struct severity_reason *reason)
{
    json_t *object = json_object();
    if (reason->at_most != 0)
        json_object_set_new(object, "at_most", json_string(picket_severity_name(reason->at_most)));
    else
        json_object_set_new(object, "points", json_integer(reason->points));
    json_object_set_new(object, "reason", json_string(reason->text));
    return object;
}

char *severity_reasons_text(const struct severity *severity)
{
    json_t *array = json_array();
    for (int i = 0; i < severity->reason_count; i++)
        json_array_append_new(array, reason_json(&severity->reasons[i]));
    char *text = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    return text;
}

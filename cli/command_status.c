/* picket status */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "page.h"
#include "picket/base/time.h"
#include "request.h"
#include "text.h"

enum { LABEL_COLUMN = 14, DAY_S = 86400 };

static void line(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line(const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = text_formatted(format, arguments);
    va_end(arguments);
    page_line(label, LABEL_COLUMN, "%s", text);
    free(text);
}

static void print_hub(const json_t *hub)
{
    const char *address = member_text(hub, "address");
    char connections[64], devices[64], messages[64];
    if (!hub) {
        line("hub", "not started");
        return;
    }
    line("hub", "%s, listening on %s%s%s port %lld", member_text(hub, "host_name"),
         strchr(address, ':') ? "[" : "", *address ? address : "every address",
         strchr(address, ':') ? "]" : "", member_number(hub, "port"));
    line("", "%s, %s connected, %s to be acknowledged",
         text_count(member_number(hub, "connections"), "connection", connections),
         text_count(member_number(hub, "devices_connected"), "device", devices),
         text_count(member_number(hub, "awaiting_durable"), "message", messages));
}

static const char *days_or_hours(long long seconds, char *out)
{
    return text_span(seconds >= DAY_S ? seconds / DAY_S * DAY_S : seconds, out);
}

/* Nothing where all are good for long. */
static void print_certificates(const json_t *status)
{
    size_t index;
    json_t *certificate;
    char when[32], span[32];
    int64_t now_ms = 0, until_ms = 0;
    json_array_foreach(json_object_get(status, "certificates_ending"), index, certificate)
    {
        bool is_ca = strcmp(member_text(certificate, "of"), "ca") == 0;
        const char *until = member_text(certificate, "until");
        bool timed = picket_time_parse(member_text(status, "time"), &now_ms) &&
                     picket_time_parse(until, &until_ms) && until_ms > now_ms;
        line(index == 0 ? "certificates" : "", "%s %s %s %s%s%s",
             is_ca ? "CA" : "the hub's own, of", member_text(certificate, "name"),
             timed ? "ENDS" : "EXPIRED", text_time(until, when), timed ? ", in " : "",
             timed ? days_or_hours((until_ms - now_ms) / 1000, span) : "");
    }
}

static void print_service(const json_t *service)
{
    char when[32];
    if (strcmp(member_text(service, "state"), "stalled") == 0)
        line("service", "STALLED since %s: %s",
             text_time(member_time(service, "stalled_since"), when),
             member_shown(service, "problem"));
    else
        line("service", "running%s%s", *member_text(service, "problem") ? "; " : "",
             member_text(service, "problem"));
}

static void print_alerts(const json_t *store)
{
    long long open = member_number(store, "alerts_open"), all = member_number(store, "alerts");
    long long removed = member_number(store, "alerts_aged");
    if (removed > 0)
        line("alerts", "%lld open, %lld in all; %lld removed, closed long ago", open, all, removed);
    else
        line("alerts", "%lld open, %lld in all", open, all);
}

/* How far back events go, and how far they are to. */
static void print_events(const json_t *store)
{
    char when[32], span[32], bytes[32], room[64] = "", removed[80] = "";
    const char *oldest = member_time(store, "oldest_event");
    long long retention_s = member_number(store, "retention_s");
    text_span(retention_s, span);
    if (member_number(store, "events_aged") > 0)
        snprintf(removed, sizeof removed, "; %lld older ones removed",
                 member_number(store, "events_aged"));
    if (member_number(store, "max_bytes") > 0)
        snprintf(room, sizeof room, " or until the store holds %s",
                 text_bytes(member_number(store, "max_bytes"), bytes));
    line("", "events %s%s, kept for %s%s%s", oldest ? "since " : "none",
         oldest ? text_time(oldest, when) : "", retention_s > 0 ? span : "ever", room, removed);
}

static void print_dead_letters(const json_t *store)
{
    char size[32];
    long long dropped = member_number(store, "dead_letters_dropped");
    text_bytes(member_number(store, "dead_letter_bytes"), size);
    if (dropped > 0)
        line("dead letters", "%lld, %s; %lld older ones DROPPED for want of room",
             member_number(store, "dead_letters"), size, dropped);
    else
        line("dead letters", "%lld, %s", member_number(store, "dead_letters"), size);
}

static void print_store(const json_t *status)
{
    const json_t *store = json_object_get(status, "store");
    char size[32], devices[64], events[64], flows[64];
    if (json_object_get(status, "store_problem"))
        line("store", "CANNOT BE READ: %s", member_text(status, "store_problem"));
    line("store", "%s, %s, %s, %s", text_count(member_number(store, "devices"), "device", devices),
         text_count(member_number(store, "events"), "event", events),
         text_count(member_number(store, "flows"), "flow", flows),
         text_bytes(member_number(store, "size_bytes"), size));
    print_events(store);
    print_alerts(store);
    print_dead_letters(store);
}

static void print_feeds(const json_t *status)
{
    const json_t *store = json_object_get(status, "store");
    char indicators[64];
    size_t index;
    json_t *feed;
    line("feeds", "%lld, %s in memory", member_number(store, "feeds"),
         text_count(member_number(json_object_get(status, "intelligence"), "indicators"),
                    "indicator", indicators));
    json_array_foreach(json_object_get(status, "feeds_with_problems"), index, feed)
    {
        line("", "PROBLEM with %s: %s", member_text(feed, "name"), member_text(feed, "problem"));
    }
}

static void print_hunts(const json_t *hunts)
{
    size_t index;
    json_t *hunt;
    json_array_foreach(hunts, index, hunt)
    {
        long long first = member_number(hunt, "first_event");
        long long all = member_number(hunt, "end_event") - first;
        long long done = member_number(hunt, "next_event") - first;
        line(index == 0 ? "hunts" : "",
             "%s: stored reports are searched for %s; %lld %%, %lld found",
             member_text(hunt, "state"), member_text(hunt, "what"), all > 0 ? done * 100 / all : 0,
             member_number(hunt, "found"));
    }
}

static void print_output(const char *label, const json_t *output)
{
    char what[128] = "NOT CONFIGURED any more", aside[200] = "", dropped[80] = "", when[32];
    if (*member_text(output, "kind"))
        snprintf(what, sizeof what, "%s, %s", member_text(output, "kind"),
                 member_text(output, "takes"));
    if (member_number(output, "dropped") > 0)
        snprintf(dropped, sizeof dropped, "; %lld DROPPED undelivered",
                 member_number(output, "dropped"));
    if (member_number(output, "set_aside") > 0)
        snprintf(aside, sizeof aside, "; %lld SET ASIDE until the next start: %.100s",
                 member_number(output, "set_aside"), member_text(output, "last_refusal"));
    line(label, "%s (%s): %lld waiting%s%s", member_text(output, "name"), what,
         member_number(output, "waiting"), aside, dropped);
    if (*member_text(output, "problem"))
        line("", "FAILING since %s: %s", text_time(member_time(output, "failing_since"), when),
             member_text(output, "problem"));
}

static void print_outputs(const json_t *outputs)
{
    size_t index;
    json_t *output;
    if (json_array_size(outputs) == 0)
        line("outputs", "none");
    json_array_foreach(outputs, index, output)
    {
        print_output(index == 0 ? "outputs" : "", output);
    }
}

/* Any other kind, a new one too, is taken for a loss. */
static bool is_work(const json_t *counter)
{
    return strcmp(member_text(counter, "kind"), "work") == 0;
}

static void print_counters(const json_t *counters, bool work, const char *title, const char *none)
{
    size_t index, shown = 0;
    json_t *counter;
    json_array_foreach(counters, index, counter)
    {
        if (member_number(counter, "value") == 0 || is_work(counter) != work)
            continue;
        if (shown++ == 0)
            printf("\n%s\n", title);
        int column = printf("%14lld  ", member_number(counter, "value"));
        page_text((size_t)column, (size_t)column, member_text(counter, "help"));
    }
    if (shown == 0)
        printf("\n%s\n", none);
}

static void print_status(const json_t *status)
{
    const json_t *log = json_object_get(status, "log");
    char span[32], when[32], bytes[32], messages[64];
    line("picket", "%s, up %s, since %s", member_text(status, "version"),
         text_span(member_number(status, "uptime_s"), span),
         text_time(member_time(status, "started"), when));
    print_hub(json_object_get(status, "hub"));
    print_certificates(status);
    line("log", "%s waiting (%s)",
         text_count(member_number(log, "messages_held"), "message", messages),
         text_bytes(member_number(log, "bytes_held"), bytes));
    print_service(json_object_get(status, "service"));
    print_store(status);
    print_feeds(status);
    print_hunts(json_object_get(status, "hunts"));
    print_outputs(json_object_get(status, "outputs"));
    print_counters(json_object_get(status, "counters"), true, "Done since the start",
                   "Nothing was done since the start.");
    print_counters(json_object_get(status, "counters"), false,
                   "Dropped, refused or lost since the start",
                   "Nothing was dropped, refused or lost since the start.");
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "GET",
                                           .path = "/v1/status",
                                           .json_help = "print everything as a JSON object",
                                           .print = print_status};
    return request_run(command, argc, argv, &request);
}

const struct command command_status = {"status", "", "Shows how the running picket does",
                                       "  picket status\n"
                                       "  picket status --json | jq .hub.port\n",
                                       run};

/* picket alert list | show */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "activity.h"
#include "alert_page.h"
#include "client.h"
#include "command.h"
#include "page.h"
#include "picket/base/time.h"
#include "table.h"
#include "text.h"

enum { FOLLOW_WAIT_S = 5, FOLLOW_FIRST = 10, PAGE = 1000, LIST_LIMIT = 100 };

struct alert_options {
    const char *socket_path;
    const char *device;
    const char *type;
    const char *indicator;
    const char *severity;
    const char *status;
    const char *since;
    long long limit; /* negative: not given */
    bool as_json;
    bool follow;
    bool by_indicator;
};

/* ---- list ---- */

/* All but the time. */
static void alerts_url(struct client_url *url, const char *path,
                       const struct alert_options *options)
{
    const struct {
        const char *name, *value;
    } asked[] = {{"device", options->device},
                 {"type", options->type},
                 {"subject", options->indicator},
                 {"severity", options->severity},
                 {"status", options->status}};
    client_url(url, path, NULL);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if (asked[i].value)
            client_url_query(url, asked[i].name, asked[i].value);
}

/* Up to so many of the newest; the caller's to release, if EXIT_DONE. */
static int newest(const struct alert_options *options, long long limit, json_t **alerts)
{
    struct client_url url;
    alerts_url(&url, "/v1/alerts", options);
    if (options->since)
        client_url_query(&url, "since", options->since);
    *alerts = json_array();
    int result = client_newest(options->socket_path, &url, "alerts", PAGE, limit, *alerts);
    if (result != EXIT_DONE)
        json_decref(*alerts);
    return result;
}

/* A title begins with "Communication with 203.0.113.113"; the other columns take 80 with it. */
static const struct table_column alert_columns[] = {
    {"ID", .right = true},
    {.title = "SEVERITY"},
    {"STATUS", .leave_out = 2},
    {"DEVICE", .cut_to = 10},
    {"COUNT", .right = true, .leave_out = 1},
    {"LAST SEEN", .leave_out = 3},
    {"TITLE", .cut_to = 33},
};

static void print_alerts(const json_t *alerts)
{
    struct table table;
    size_t index;
    json_t *alert;
    table_begin(&table, "alerts", alert_columns, 7);
    json_array_foreach(alerts, index, alert)
    {
        table_cell(&table, "%lld", member_number(alert, "id"));
        table_severity_color(&table, member_text(alert, "severity"));
        table_cell(&table, "%s", member_text(alert, "severity"));
        table_cell(&table, "%s", member_text(alert, "status"));
        table_cell(&table, "%s", member_shown(alert, "device"));
        table_cell(&table, "%lld", member_number(alert, "count"));
        table_time(&table, member_time(alert, "last_seen"));
        table_cell(&table, "%s", member_text(alert, "title"));
    }
    table_end(&table);
}

/* ---- by indicator ---- */

static const struct table_column group_columns[] = {
    {.title = "SEVERITY"},
    {.title = "INDICATOR", .cut_to = 34},
    {.title = "DEVICES", .cut_to = 14},
    {"OPEN", .right = true, .leave_out = 2},
    {"COUNT", .right = true, .leave_out = 1},
    {"FIRST SEEN", .leave_out = 3},
    {.title = "LAST SEEN"},
    {"TYPE", .cut_to = 20, .leave_out = 1},
};

/* A device by its name, several by their number. */
static void devices_cell(struct table *table, const json_t *group)
{
    if (member_number(group, "devices") == 1)
        table_cell(table, "%s", member_shown(group, "device"));
    else
        table_cell(table, "%lld devices", member_number(group, "devices"));
}

static void print_groups(const json_t *groups)
{
    struct table table;
    size_t index;
    json_t *group;
    table_begin(&table, "alerts", group_columns, sizeof group_columns / sizeof group_columns[0]);
    json_array_foreach(groups, index, group)
    {
        table_severity_color(&table, member_text(group, "severity"));
        table_cell(&table, "%s", member_text(group, "severity"));
        table_cell(&table, "%s", member_shown(group, "subject"));
        devices_cell(&table, group);
        table_cell(&table, "%lld", member_number(group, "open"));
        table_cell(&table, "%lld", member_number(group, "count"));
        table_time(&table, member_time(group, "first_seen"));
        table_time(&table, member_time(group, "last_seen"));
        table_cell(&table, "%s", member_text(group, "type"));
    }
    table_end(&table);
}

static int list_by_indicator(const struct alert_options *options)
{
    struct client_url url;
    alerts_url(&url, "/v1/alerts/groups", options);
    if (options->since)
        client_url_query(&url, "since", options->since);
    client_url_query_number(&url, "limit", options->limit < 0 ? LIST_LIMIT : options->limit);
    return client_show(options->socket_path, &url, "groups", options->as_json, print_groups);
}

/* ---- follow ---- */

static void print_followed(const json_t *alert, bool as_json)
{
    if (as_json) {
        print_json_line(alert);
        return;
    }
    const char *severity = member_text(alert, "severity"), *color = severity_color(severity);
    char when[32];
    int time_column = printf("%s  ", text_time(member_time(alert, "raised"), when));
    int column = time_column + printf("#%lld  %s%-6s%s  ", member_number(alert, "id"), color,
                                      severity, severity_color_end(severity));
    column -= (int)(strlen(color) + strlen(severity_color_end(severity))); /* take no room */
    char *text;
    if (asprintf(&text, "%s  %s", member_text(alert, "device"), member_text(alert, "title")) < 0)
        abort();
    page_text((size_t)column, (size_t)time_column, text);
    free(text);
}

/* Prints those after *last, waiting for them, and moves *last on. */
static int follow_once(const struct alert_options *options, long long *last)
{
    struct client_url url;
    json_t *answer, *alert;
    size_t index;
    alerts_url(&url, "/v1/alerts", options);
    client_url_query_number(&url, "after", *last);
    client_url_query_number(&url, "wait", FOLLOW_WAIT_S);
    client_url_query_number(&url, "limit", PAGE);
    int result = client_try(options->socket_path, "GET", &url, NULL, &answer);
    if (result != EXIT_DONE)
        return result;
    json_array_foreach(json_object_get(answer, "alerts"), index, alert)
    {
        print_followed(alert, options->as_json);
        *last = member_number(alert, "id");
    }
    json_decref(answer);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* A pipe whose other end is closed: no alert needs to come for that to be noticed. */
static bool reader_has_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

/* Ids go on where they were when picket comes back, so that none is left out. */
static int follow_from(const struct alert_options *options, long long last)
{
    bool was_gone = false;
    for (;;) {
        int result = reader_has_gone() ? EXIT_FAILED : follow_once(options, &last);
        if (result != EXIT_DONE && result != CLIENT_GONE)
            return result;
        bool is_gone = result == CLIENT_GONE;
        if (is_gone != was_gone)
            complain(is_gone ? "picket has gone; waiting until it is back" : "picket is back");
        was_gone = is_gone;
        if (is_gone)
            nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
}

/* The id of the newest alert, whenever its device was last seen; 0: there is none. */
static int newest_id(const struct alert_options *options, long long *id)
{
    struct alert_options any_time = *options;
    json_t *alerts;
    any_time.since = NULL;
    int result = newest(&any_time, 1, &alerts);
    if (result != EXIT_DONE)
        return result;
    *id = member_number(json_array_get(alerts, 0), "id");
    json_decref(alerts);
    return EXIT_DONE;
}

/* What follows comes after the newest alert of now, so that nothing is shown twice or left out. */
static int follow(const struct alert_options *options)
{
    json_t *alerts;
    long long last;
    int result = newest_id(options, &last);
    if (result == EXIT_DONE)
        result = newest(options, options->limit < 0 ? FOLLOW_FIRST : options->limit, &alerts);
    if (result != EXIT_DONE)
        return result;
    for (size_t i = json_array_size(alerts); i > 0; i--) {
        const json_t *alert = json_array_get(alerts, i - 1);
        if (member_number(alert, "id") <= last)
            print_followed(alert, options->as_json);
    }
    json_decref(alerts);
    fflush(stdout);
    return follow_from(options, last);
}

static int list(const struct alert_options *options)
{
    json_t *alerts;
    int result = newest(options, options->limit < 0 ? LIST_LIMIT : options->limit, &alerts);
    if (result == EXIT_DONE)
        print_either(alerts, NULL, options->as_json, print_alerts);
    return result;
}

static int run_list(const struct command *command, int argc, char **argv)
{
    struct alert_options alerts = {.limit = -1};
    const struct option_spec options[] = {
        {"follow", OPTION_FLAG, &alerts.follow, NULL, "print the last ones, then each as it comes"},
        {"by-indicator", OPTION_FLAG, &alerts.by_indicator, NULL,
         "a line for each indicator: on which devices, since when, how often"},
        {"device", OPTION_TEXT, &alerts.device, "ID", "of this device only"},
        {"indicator", OPTION_TEXT, &alerts.indicator, "PREFIX",
         "of this indicator, or what else an alert is about"},
        {"type", OPTION_TEXT, &alerts.type, "TYPE", "of this type only"},
        {"severity", OPTION_TEXT, &alerts.severity, "SEVERITY",
         "at least that: low, medium or high"},
        {"status", OPTION_TEXT, &alerts.status, "STATUS",
         "new, acknowledged, dismissed, resolved, suppressed; open, closed, all; or some of "
         "them with commas (default: all but suppressed)"},
        {"since", OPTION_TEXT, &alerts.since, "TIME",
         "last seen since: 2026-11-20T23:51:17Z, or 90s, 15m, 24h, 7d ago"},
        {"limit", OPTION_NUMBER, &alerts.limit, "N", "the newest N (default 100; --follow: 10)"},
        {"json", OPTION_FLAG, &alerts.as_json, NULL,
         "print a JSON array; with --follow, one object a line"},
        OPTION_SOCKET(alerts.socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (alerts.limit == 0) {
        complain("--limit: expected a number from 1");
        return EXIT_USAGE;
    }
    if (alerts.follow && alerts.by_indicator) {
        complain("--follow and --by-indicator exclude each other");
        return EXIT_USAGE;
    }
    if (alerts.by_indicator)
        return list_by_indicator(&alerts);
    return alerts.follow ? follow(&alerts) : list(&alerts);
}

const struct command command_alert_list = {
    "alert list", "", "Lists alerts, newest first",
    "--follow shows new alerts; another finding of the same kind in an open alert\n"
    "adds to its count. When picket stops, it waits until picket is back.\n"
    "\n"
    "  picket alert list --since 24h\n"
    "  picket alert list --by-indicator --status open\n"
    "  picket alert list --indicator 203.0.113.9 --severity high\n"
    "  picket alert list --follow --json | while read -r alert; do ...; done\n",
    run_list};

/* ---- show ---- */

/* "drop, line 12: 198.51.100.0/24, confidence 90, since 2026-11-20T23:51:17Z: botnet" */
static void print_match(const json_t *match)
{
    char text[400], since[32], until[32], port[24] = "";
    const char *tags = member_text(match, "tags"), *valid_until = member_time(match, "valid_until");
    if (member_number(match, "port"))
        snprintf(port, sizeof port, " port %lld", member_number(match, "port"));
    snprintf(text, sizeof text, "%.64s, line %lld: %.50s%s, confidence %lld, since %s%s%s%s%.150s",
             member_text(match, "feed"), member_number(match, "line"),
             member_text(match, "indicator"), port, member_number(match, "confidence"),
             text_time(member_time(match, "since"), since), valid_until ? ", until " : "",
             valid_until ? text_time(valid_until, until) : "", *tags ? ": " : "", tags);
    alert_page_line("feed", text);
}

/* {"address": "10.0.0.7", "tls": "TLSv1.2"} as "address 10.0.0.7, tls TLSv1.2". */
static char *object_text(json_t *object)
{
    const char *name;
    json_t *value;
    char text[1000] = "";
    size_t used = 0;
    json_object_foreach(object, name, value)
    {
        char *dumped = json_is_string(value) ? strdup(json_string_value(value))
                                             : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (dumped && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s", used ? ", " : "",
                                     name, dumped);
        free(dumped);
    }
    return strdup(text);
}

/* What ends with _ms is a time; the label goes without. */
static char *value_text(json_t *value, char *label)
{
    char when[PICKET_TIME_TEXT_BYTES];
    size_t length = strlen(label);
    if (json_is_integer(value) && length > 3 && strcmp(label + length - 3, "_ms") == 0) {
        label[length - 3] = 0;
        return strdup(picket_time_format(json_integer_value(value), when));
    }
    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (json_is_object(value))
        return object_text(value);
    return json_is_null(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void print_value(const char *name, json_t *value)
{
    char label[64];
    snprintf(label, sizeof label, "%.63s", name);
    char *text = value_text(value, label);
    for (char *at = label; *at; at++)
        *at = *at == '_' ? ' ' : *at;
    if (text && *text)
        alert_page_line(label, text);
    free(text);
}

/* What the hub saw is said in words; of the rest of it, that. */
static bool print_activity(json_t *evidence)
{
    char words[ACTIVITY_WORDS_BYTES];
    const char *about = member_text(evidence, "about");
    if (strcmp(about, "activity") != 0 && strcmp(about, "unauthorized") != 0)
        return false;
    alert_page_line("seen", activity_words(evidence, "", words));
    for (const char *const *name =
             (const char *const[]){"since_ms", "last_refused", "last_accepted", "event_id", NULL};
         *name; name++)
        if (json_object_get(evidence, *name))
            print_value(*name, json_object_get(evidence, *name));
    return true;
}

/* What is known by name is shown as such; detectors may add members, and those are shown too. */
static void print_evidence(const char *title, json_t *evidence)
{
    const char *name;
    json_t *value;
    size_t index;
    if (!json_is_object(evidence))
        return;
    printf("\n%s\n", title);
    if (print_activity(evidence))
        return;
    json_object_foreach(evidence, name, value)
    {
        if (json_is_object(value) && json_object_get(value, "remote_address"))
            alert_page_flow(value);
        else if (strcmp(name, "matches") != 0 && strcmp(name, "flows") != 0)
            print_value(name, value);
    }
    json_array_foreach(json_object_get(evidence, "matches"), index, value)
    {
        print_match(value);
    }
    json_array_foreach(json_object_get(evidence, "flows"), index, value)
    {
        alert_page_flow(value);
    }
}

static void print_techniques(const json_t *techniques)
{
    char text[200] = "";
    size_t index, used = 0;
    json_t *technique;
    json_array_foreach(techniques, index, technique)
    {
        const char *id = json_string_value(technique);
        if (id && used + strlen(id) + 2 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "", id);
    }
    if (*text)
        alert_page_line("technique", text);
}

/* What is known of its kind on other devices. */
static void print_alike(const json_t *alike)
{
    char text[160], devices[64], times[64], first[32];
    if (member_number(alike, "devices") < 2)
        return;
    snprintf(text, sizeof text, "%s, %s, since %s",
             text_count(member_number(alike, "devices"), "device", devices),
             text_count(member_number(alike, "count"), "finding", times),
             text_time(member_time(alike, "first_seen"), first));
    alert_page_line("on all devices", text);
}

static void print_alert(const json_t *alert)
{
    char text[100], when[32];
    alert_page_title(alert);
    page_paragraph(member_text(alert, "description"));
    printf("\nWho and when\n");
    snprintf(text, sizeof text, "#%lld, %.40s", member_number(alert, "id"),
             member_text(alert, "status"));
    alert_page_line("alert", text);
    alert_page_decision(alert);
    alert_page_line("type", member_text(alert, "type"));
    alert_page_line("device", member_shown(alert, "device"));
    if (*member_text(alert, "subject"))
        alert_page_line("about", member_text(alert, "subject"));
    alert_page_line("first seen", text_time(member_time(alert, "first_seen"), when));
    alert_page_line("last seen", text_time(member_time(alert, "last_seen"), when));
    alert_page_line("raised", text_time(member_time(alert, "raised"), when));
    snprintf(text, sizeof text, "%lld", member_number(alert, "count"));
    alert_page_line("times", text);
    print_alike(json_object_get(alert, "alike"));
    print_techniques(json_object_get(alert, "technique"));
    alert_page_reasons(member_text(alert, "severity"), json_object_get(alert, "severity_reasons"));
    json_t *first = json_object_get(alert, "first_evidence");
    print_evidence(first ? "Evidence, last" : "Evidence", json_object_get(alert, "evidence"));
    print_evidence("Evidence, first", first);
    printf("\nWhat to do\n");
    page_paragraph(member_text(alert, "remediation"));
}

static int run_show(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/alerts/{id}", operands.words[0] + (operands.words[0][0] == '#'));
    return client_show(socket_path, &url, NULL, as_json, print_alert);
}

const struct command command_alert_show = {
    "alert show", "ID", "Explains an alert, and says what to do",
    "What happened, on which device, since when, why Picket thinks so, what to do.\n"
    "\n"
    "  picket alert show 12\n",
    run_show};

/* picket alert explain */
#include <stdio.h>
#include <string.h>

#include "alert_page.h"
#include "client.h"
#include "command.h"
#include "page.h"
#include "text.h"

/* Nothing for what is not known. */
static void print_known(const char *label, const json_t *object, const char *name)
{
    if (*member_text(object, name))
        alert_page_line(label, member_text(object, name));
}

static void print_when(const char *label, const json_t *object, const char *name)
{
    char when[32];
    if (member_time(object, name))
        alert_page_line(label, text_time(member_time(object, name), when));
}

/* ---- the rule ---- */

static void print_technique(const json_t *technique)
{
    char text[300];
    snprintf(text, sizeof text, "%.20s %.200s (%.20s)", member_text(technique, "id"),
             member_shown(technique, "name"), member_shown(technique, "matrix"));
    alert_page_line("technique", text);
}

static void print_rule(const json_t *rule)
{
    size_t index;
    json_t *item;
    printf("\nRule\n");
    alert_page_line("detector", member_text(rule, "detector"));
    alert_page_line("raised when", member_text(rule, "what"));
    alert_page_line("type", member_text(rule, "type"));
    json_array_foreach(json_object_get(rule, "techniques"), index, item)
    {
        print_technique(item);
    }
    alert_page_reasons(member_text(rule, "severity"), json_object_get(rule, "severity_reasons"));
}

/* ---- the indicators ---- */

static void print_place(const json_t *indicator)
{
    char text[300], port[24] = "", line[32] = "", protocol[16] = "";
    if (member_number(indicator, "port"))
        snprintf(port, sizeof port, " port %lld", member_number(indicator, "port"));
    if (*member_text(indicator, "protocol"))
        snprintf(protocol, sizeof protocol, " %.10s", member_text(indicator, "protocol"));
    if (member_number(indicator, "line"))
        snprintf(line, sizeof line, ", line %lld", member_number(indicator, "line"));
    snprintf(text, sizeof text, "%.64s%s: %.50s%s%s, confidence %lld of 100",
             member_text(indicator, "feed"), line, member_text(indicator, "indicator"), port,
             protocol, member_number(indicator, "confidence"));
    alert_page_line("feed", text);
}

static void print_now(const json_t *now)
{
    const char *state = member_text(now, "state");
    char text[200], when[32];
    text_time(member_time(now, "valid_until"), when);
    if (strcmp(state, "listed") == 0 && member_number(now, "line"))
        snprintf(text, sizeof text, "listed, line %lld", member_number(now, "line"));
    else if (strcmp(state, "expired") == 0)
        snprintf(text, sizeof text, "EXPIRED %.30s: matches no more", when);
    else if (strcmp(state, "gone") == 0)
        snprintf(text, sizeof text, "GONE: the feed lists it no more");
    else if (strcmp(state, "feed removed") == 0)
        snprintf(text, sizeof text, "GONE: the feed was removed");
    else
        snprintf(text, sizeof text, "%.30s", *state ? state : "not known");
    alert_page_line("now", text);
}

static void print_then(const json_t *indicator)
{
    const json_t *was_listed = json_object_get(indicator, "was_listed");
    if (json_is_boolean(was_listed))
        alert_page_line("at the flow", json_is_true(was_listed)
                                           ? "listed"
                                           : "NOT LISTED YET: the flow was found afterwards");
}

static void print_indicator(const json_t *indicator)
{
    print_place(indicator);
    print_known("malware", indicator, "malware");
    print_known("tags", indicator, "tags");
    print_known("severity", indicator, "severity");
    print_known("TLP", indicator, "tlp");
    print_known("reference", indicator, "reference");
    print_when("listed since", indicator, "listed");
    print_when("here since", indicator, "since");
    print_when("valid until", indicator, "valid_until");
    print_then(indicator);
    print_now(json_object_get(indicator, "now"));
}

static void print_indicators(const json_t *indicators)
{
    size_t index;
    json_t *indicator;
    json_array_foreach(indicators, index, indicator)
    {
        printf("\nIndicator%s\n", index == 0 ? "" : ", wider or of another feed");
        print_indicator(indicator);
    }
}

/* ---- the traffic ---- */

/* Of an alert about the past: which time was searched. */
static void print_searched(const json_t *past)
{
    char text[100], from[32], to[32];
    if (!json_is_object(past))
        return;
    snprintf(text, sizeof text, "what was received from %s to %s",
             text_time(member_time(past, "searched_from"), from),
             text_time(member_time(past, "searched_to"), to));
    alert_page_line("searched", text);
}

static void print_traffic(const json_t *traffic)
{
    size_t index;
    json_t *flow;
    const json_t *flows = json_object_get(traffic, "flows");
    if (json_array_size(flows) == 0)
        return;
    printf("\nTraffic, as last seen\n");
    print_searched(json_object_get(traffic, "retrospective"));
    json_array_foreach(flows, index, flow)
    {
        alert_page_flow(flow);
    }
    if (member_number(traffic, "flow_count") > (long long)index) {
        char more[64];
        snprintf(more, sizeof more, "and %lld more",
                 member_number(traffic, "flow_count") - (long long)index);
        alert_page_line("", more);
    }
}

/* ---- today ---- */

/* Why a threat feed's match is silent. */
static void silence_text(const json_t *today, const json_t *match, char *out, size_t out_bytes)
{
    const char *outcome = member_text(match, "outcome");
    const json_t *allow = json_object_get(match, "allowed_by");
    if (json_is_object(allow))
        snprintf(out, out_bytes, "raises no alert: list %.64s allows %.50s%s%.200s",
                 member_text(allow, "feed"), member_text(allow, "indicator"),
                 *member_text(allow, "tags") ? ": " : "", member_text(allow, "tags"));
    else if (strcmp(outcome, "special-purpose") == 0)
        snprintf(out, out_bytes, "raises no alert: a special-purpose address (%.60s)",
                 member_text(today, "special_purpose"));
    else if (strcmp(outcome, "own-network") == 0)
        snprintf(out, out_bytes, "raises no alert: an address of the fleet's own (%.60s)",
                 member_text(today, "own_network"));
    else
        snprintf(out, out_bytes, "raises no alert: %.60s", outcome);
}

static void print_today(const json_t *today)
{
    size_t index;
    json_t *match;
    char text[500] = "raises no alert: nothing lists it any more";
    if (!json_is_object(today))
        return;
    json_array_foreach(json_object_get(today, "matches"), index, match)
    {
        if (strcmp(member_text(match, "role"), "threat") != 0)
            continue;
        silence_text(today, match, text, sizeof text);
        break;
    }
    if (member_true(today, "alerts"))
        snprintf(text, sizeof text, "raises an alert, or counts up an open one");
    alert_page_line("the same today", text);
}

/* ---- others ---- */

static void print_other(const char *label, const json_t *alert)
{
    char text[480], first[32], last[32], times[64], user[64];
    const char *verdict = member_text(alert, "verdict"), *reason = member_text(alert, "reason");
    bool is_known = json_is_integer(json_object_get(alert, "decided_uid"));
    snprintf(text, sizeof text, "#%lld %.10s, %.20s%s%.20s%s%s%s%.150s, %s, %s to %s",
             member_number(alert, "id"), member_text(alert, "severity"),
             member_text(alert, "status"), *verdict ? " as " : "", verdict, is_known ? " by " : "",
             is_known ? text_user(member_number(alert, "decided_uid"), user) : "",
             *reason ? ": " : "", reason,
             text_count(member_number(alert, "count"), "finding", times),
             text_time(member_time(alert, "first_seen"), first),
             text_time(member_time(alert, "last_seen"), last));
    alert_page_line(label, text);
}

static void print_others(const json_t *explanation)
{
    size_t index;
    json_t *alert;
    const json_t *others = json_object_get(explanation, "other_devices"),
                 *earlier = json_object_get(explanation, "earlier");
    const json_t *alike = json_object_get(json_object_get(explanation, "alert"), "alike");
    long long more = member_number(alike, "devices") - 1 - (long long)json_array_size(others);
    printf("\nOther devices with the same%s\n", json_array_size(others) ? "" : ": none");
    json_array_foreach(others, index, alert)
    {
        print_other(member_shown(alert, "device"), alert);
    }
    if (more > 0) {
        char text[64];
        snprintf(text, sizeof text, "and %lld more", more);
        alert_page_line("", text);
    }
    printf("\nEarlier on this device%s\n", json_array_size(earlier) ? "" : ": none");
    json_array_foreach(earlier, index, alert)
    {
        print_other("alert", alert);
    }
}

/* ---- what would silence it ---- */

static void print_indented(int indent, const char *text)
{
    printf("%*s", indent, "");
    page_text((size_t)indent, (size_t)indent, text);
}

static void print_silence(const json_t *explanation)
{
    size_t index;
    json_t *item;
    char text[200], until[32];
    printf("\nWhat would silence it\n");
    json_array_foreach(json_object_get(explanation, "suppressed_by"), index, item)
    {
        snprintf(text, sizeof text, "suppression %lld does already, until %s: %.100s",
                 member_number(item, "id"), text_time(member_time(item, "until"), until),
                 member_text(item, "reason"));
        print_indented(2, text);
    }
    json_array_foreach(json_object_get(explanation, "silence"), index, item)
    {
        print_indented(2, member_text(item, "command"));
        print_indented(6, member_text(item, "effect"));
    }
}

static void print_explanation(const json_t *explanation)
{
    const json_t *alert = json_object_get(explanation, "alert");
    char text[200], first[32], last[32], times[64];
    alert_page_title(alert);
    snprintf(text, sizeof text, "#%lld, %.20s; %s from %s to %s", member_number(alert, "id"),
             member_text(alert, "status"),
             text_count(member_number(alert, "count"), "finding", times),
             text_time(member_time(alert, "first_seen"), first),
             text_time(member_time(alert, "last_seen"), last));
    alert_page_line("alert", text);
    alert_page_decision(alert);
    alert_page_line("device", member_shown(alert, "device"));
    print_known("about", alert, "subject");
    print_rule(json_object_get(explanation, "rule"));
    print_indicators(json_object_get(explanation, "indicators"));
    print_traffic(json_object_get(explanation, "traffic"));
    print_today(json_object_get(explanation, "today"));
    print_others(explanation);
    print_silence(explanation);
}

static int run_explain(const struct command *command, int argc, char **argv)
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
    client_url(&url, "/v1/alerts/{id}/explanation",
               operands.words[0] + (operands.words[0][0] == '#'));
    return client_show(socket_path, &url, NULL, as_json, print_explanation);
}

const struct command command_alert_explain = {
    "alert explain", "ID", "Says why there is an alert, and what ends it",
    "Which rule, which feed and line, since when it was listed and whether it still\n"
    "is, what was sent and received, which other devices, what was decided before.\n"
    "\n"
    "  picket alert explain 12\n",
    run_explain};

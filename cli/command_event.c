/* picket event list, picket dead-letter list */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activity.h"
#include "client.h"
#include "command.h"
#include "table.h"
#include "text.h"

enum { LIST_LIMIT = 100, PAGE = 200 };

struct event_options {
    const char *socket_path;
    const char *device;
    const char *since;
    long long limit;
    bool as_json;
    bool flows;
    bool of_hub;
};

/* ---- event list ---- */

static int get_events(const struct event_options *options, json_t *events)
{
    struct client_url url;
    client_url(&url, "/v1/events", NULL);
    if (options->device)
        client_url_query(&url, "device", options->device);
    if (options->since)
        client_url_query(&url, "since", options->since);
    if (options->of_hub)
        client_url_query(&url, "of", "hub");
    return client_newest(options->socket_path, &url, "events", PAGE, options->limit, events);
}

/* "12 flows, 3.1 kB in, 900 B out, 2 flows lost" */
static void describe_flows(const json_t *event, char *out, size_t size_bytes)
{
    const json_t *flows = json_object_get(event, "flows"), *lost = json_object_get(event, "lost");
    long long bytes_in = 0, bytes_out = 0, lost_flows = member_number(lost, "flows");
    char in_text[32], out_text[32], lost_text[64] = "";
    size_t index;
    json_t *flow;
    json_array_foreach(flows, index, flow)
    {
        bytes_in += member_number(flow, "bytes_in");
        bytes_out += member_number(flow, "bytes_out");
    }
    if (lost_flows > 0)
        snprintf(lost_text, sizeof lost_text, ", %lld flows lost on the device", lost_flows);
    snprintf(out, size_bytes, "%zu flow%s, %s in, %s out%s", json_array_size(flows),
             json_array_size(flows) == 1 ? "" : "s", text_bytes(bytes_in, in_text),
             text_bytes(bytes_out, out_text), lost_text);
}

/* ", tcp 0.0.0.0:80" for each, as far as there is room; how many there are. */
static size_t describe_ports(const json_t *ports, char *out, size_t size_bytes)
{
    size_t index, used = strlen(out);
    json_t *port;
    json_array_foreach(ports, index, port)
    {
        const json_t *common = json_object_get(port, "common");
        const char *address = member_text(port, "local_address");
        bool is_ipv6 = strchr(address, ':') != NULL;
        if (used < size_bytes)
            used += (size_t)snprintf(out + used, size_bytes - used, ", %s %s%s%s:%lld",
                                     member_text(common, "protocol"), is_ipv6 ? "[" : "", address,
                                     is_ipv6 ? "]" : "", member_number(common, "local_port"));
    }
    return json_array_size(ports);
}

/* "2 ports, TCP 0.0.0.0:80, UDP [::]:53" */
static void describe_listening(const json_t *content, char *out, size_t size_bytes)
{
    char ports[1000] = "", count[64];
    long long known =
        (long long)(describe_ports(json_object_get(content, "ipv4_ports"), ports, sizeof ports) +
                    describe_ports(json_object_get(content, "ipv6_ports"), ports, sizeof ports));
    snprintf(out, size_bytes, "%s%s",
             text_count(known + member_number(content, "unlisted"), "port", count), ports);
}

/* {"os_info": "ThreadX", "uptime": 5} as "os_info ThreadX, uptime 5". */
static void describe_content(json_t *content, char *out, size_t size_bytes)
{
    const char *name;
    json_t *value;
    size_t used = 0;
    snprintf(out, size_bytes, "-");
    json_object_foreach(content, name, value)
    {
        char *text = json_is_string(value) ? strdup(json_string_value(value))
                                           : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (text && used < size_bytes)
            used += (size_t)snprintf(out + used, size_bytes - used, "%s%s %s", used ? ", " : "",
                                     name, text);
        free(text);
    }
}

/* "up 9 min 58 s"; the predecessor does not tell how long it has been up. */
static void describe_heartbeat(const json_t *content, char *out, size_t size_bytes)
{
    char span[32];
    long long uptime_s = member_number(content, "uptime");
    snprintf(out, size_bytes, "%s%s", uptime_s > 0 ? "up " : "-",
             uptime_s > 0 ? text_span(uptime_s, span) : "");
}

static void add_event(struct table *table, const json_t *event)
{
    char what[1000];
    if (strcmp(member_text(event, "type"), "NetworkActivity") == 0)
        describe_flows(event, what, sizeof what);
    else if (strcmp(member_text(event, "type"), "ListeningPorts") == 0)
        describe_listening(json_object_get(event, "content"), what, sizeof what);
    else if (strcmp(member_text(event, "type"), "Heartbeat") == 0)
        describe_heartbeat(json_object_get(event, "content"), what, sizeof what);
    else
        describe_content(json_object_get(event, "content"), what, sizeof what);
    table_cell(table, "%lld", member_number(event, "id"));
    table_time(table, member_time(event, "received"));
    table_cell(table, "%s%s%s", member_text(event, "device"),
               *member_text(event, "module") ? "/" : "", member_text(event, "module"));
    table_cell(table, "%s", member_text(event, "type"));
    table_cell(table, "%s", what);
}

static void add_flows(struct table *table, const json_t *event)
{
    size_t index;
    json_t *flow;
    json_array_foreach(json_object_get(event, "flows"), index, flow)
    {
        table_cell(table, "%lld", member_number(event, "id"));
        table_cell(table, "%s", member_text(event, "device"));
        table_cell(table, "%s", member_text(flow, "protocol"));
        table_cell(table, "%s", member_text(flow, "local_address"));
        table_cell(table, "%lld", member_number(flow, "local_port"));
        table_cell(table, "%s", member_text(flow, "remote_address"));
        table_cell(table, "%lld", member_number(flow, "remote_port"));
        table_cell(table, "%lld", member_number(flow, "bytes_in"));
        table_cell(table, "%lld", member_number(flow, "bytes_out"));
    }
}

static const struct table_column event_columns[] = {
    {"ID", .right = true},    {"RECEIVED", .leave_out = 2}, {"DEVICE", .cut_to = 12},
    {"TYPE", .leave_out = 1}, {"WHAT", .cut_to = 27},
};

static const struct table_column flow_columns[] = {
    {"EVENT", .right = true, .leave_out = 1},
    {"DEVICE", .cut_to = 12, .leave_out = 4},
    {"PROTO", .leave_out = 5},
    {"LOCAL", .leave_out = 2},
    {"PORT", .right = true, .leave_out = 2},
    {.title = "REMOTE"},
    {"PORT", .right = true},
    {"IN", .right = true, .leave_out = 3},
    {"OUT", .right = true, .leave_out = 3},
};

static void print_events(const json_t *events, bool flows)
{
    struct table table;
    size_t index;
    json_t *event;
    if (flows)
        table_begin(&table, "flows", flow_columns, 9);
    else
        table_begin(&table, "events", event_columns, 5);
    json_array_foreach(events, index, event)
    {
        if (flows)
            add_flows(&table, event);
        else
            add_event(&table, event);
    }
    table_end(&table);
}

static int run_list(const struct command *command, int argc, char **argv)
{
    struct event_options list = {.limit = LIST_LIMIT};
    const struct option_spec options[] = {
        {"device", OPTION_TEXT, &list.device, "ID", "of this device only"},
        {"since", OPTION_TEXT, &list.since, "TIME",
         "received since: 2026-11-20T23:51:17Z, or 90s, 15m, 24h, 7d ago"},
        {"limit", OPTION_NUMBER, &list.limit, "N", "the newest N (default 100)"},
        {"hub", OPTION_FLAG, &list.of_hub, NULL, "what the hub saw of devices, instead"},
        {"flows", OPTION_FLAG, &list.flows, NULL, "a row for each flow, with its bytes in and out"},
        {"json", OPTION_FLAG, &list.as_json, NULL, "print a JSON array, flows included"},
        OPTION_SOCKET(list.socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (list.limit == 0) {
        complain("--limit: expected a number from 1");
        return EXIT_USAGE;
    }
    json_t *events = json_array();
    result = get_events(&list, events);
    if (result == EXIT_DONE && list.as_json)
        print_json(events);
    else if (result == EXIT_DONE && list.of_hub && json_array_size(events) > 0)
        activity_print(events, true);
    else if (result == EXIT_DONE)
        print_events(events, list.flows);
    json_decref(events);
    return result;
}

const struct command command_event_list = {
    "event list", "", "Lists what devices reported, newest first",
    "With --hub, what the hub itself saw of each device and module: who connected\n"
    "how, what was refused, what ended, within a minute; how much went to and fro,\n"
    "and what else the device asked for, by the hour.\n"
    "\n"
    "  picket event list --device pump-7 --since 1h\n"
    "  picket event list --device pump-7 --limit 1 --flows\n"
    "  picket event list --device pump-7 --hub\n",
    run_list};

/* ---- dead-letter list ---- */

static const struct table_column letter_columns[] = {
    {"ID", .right = true},
    {"RECEIVED", .leave_out = 3},
    {"DEVICE", .cut_to = 12},
    {"BYTES", .right = true, .leave_out = 1},
    {"AT BYTE", .right = true, .leave_out = 2},
    {"REASON", .cut_to = 36},
};

static void print_dead_letters(const json_t *letters)
{
    struct table table;
    size_t index;
    json_t *letter;
    table_begin(&table, "dead letters", letter_columns, 6);
    json_array_foreach(letters, index, letter)
    {
        table_cell(&table, "%lld", member_number(letter, "id"));
        table_time(&table, member_time(letter, "received"));
        table_cell(&table, "%s", member_text(letter, "device"));
        table_cell(&table, "%lld", member_number(letter, "payload_bytes"));
        table_cell(&table, "%lld", member_number(letter, "offset"));
        table_cell(&table, "%s", member_text(letter, "reason"));
    }
    table_end(&table);
}

static int run_dead_letters(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false, payload = false;
    long long limit = LIST_LIMIT;
    const struct option_spec options[] = {
        {"limit", OPTION_NUMBER, &limit, "N", "the newest N, at most 1000 (default 100)"},
        {"payload", OPTION_FLAG, &payload, NULL, "with --json: the message itself too, as base64"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON array"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/dead-letters", NULL);
    client_url_query_number(&url, "limit", limit);
    if (payload && as_json)
        client_url_query(&url, "payload", "true");
    return client_show(socket_path, &url, "dead_letters", as_json, print_dead_letters);
}

const struct command command_dead_letter_list = {
    "dead-letter list", "", "Lists messages that could not be read",
    "Newest first, with the reason and the byte at which it was found.\n"
    "\n"
    "  picket dead-letter list\n"
    "  picket dead-letter list --limit 1 --json --payload |\n"
    "    jq -r '.[0].payload' | base64 -d >letter.bin\n",
    run_dead_letters};

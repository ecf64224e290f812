/* picket allow add | list | remove */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "picket/base/time.h"
#include "request.h"
#include "table.h"
#include "text.h"

static const char path[] = "/v1/intelligence/allow";

/* Of an entry: "port 443 tcp". */
static const char *traffic_text(const json_t *entry, char *out, size_t size_bytes)
{
    const char *protocol = member_text(entry, "protocol");
    long long port = member_number(entry, "port");
    if (port)
        snprintf(out, size_bytes, "port %lld%s%s", port, protocol[0] ? " " : "", protocol);
    else
        snprintf(out, size_bytes, "%s", protocol[0] ? protocol : "any");
    return out;
}

/* ---- add ---- */

struct entry_options {
    const char *reason, *protocol, *expires;
    long long port; /* negative: not given */
};

/* A span counts from now; whatever else there is, the server judges. */
static const char *expiry_text(const char *expires, char *out)
{
    int64_t span_s;
    if (expires && picket_span_parse(expires, &span_s))
        return picket_time_format(picket_unix_ms() + span_s * 1000, out);
    return expires;
}

/* NULL after saying why. */
static json_t *entry_body(const char *prefix, const struct entry_options *options)
{
    char expires[PICKET_TIME_TEXT_BYTES];
    json_t *body =
        json_pack("{s:s, s:s*, s:s*, s:s*}", "prefix", prefix, "protocol", options->protocol,
                  "reason", options->reason, "expires", expiry_text(options->expires, expires));
    if (!body)
        complain("prefix, protocol, reason and time must be UTF-8");
    else if (options->port >= 0)
        json_object_set_new(body, "port", json_integer(options->port));
    return body;
}

static void print_added(const json_t *entry)
{
    char traffic[40], expires[32];
    printf("%s, %s, is allowed", member_text(entry, "prefix"),
           traffic_text(entry, traffic, sizeof traffic));
    if (*member_text(entry, "expires"))
        printf(" until %s\n", text_time(member_text(entry, "expires"), expires));
    else
        printf(", with no end\n");
    fflush(stdout);
}

static int run_add(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    struct entry_options entry = {.port = -1};
    const struct option_spec options[] = {
        {"reason", OPTION_TEXT, &entry.reason, "TEXT", "why: wanted, for who reads the list"},
        {"expires", OPTION_TEXT, &entry.expires, "SPAN|TIME",
         "until when: 30d, 2026-12-31 ...; else it has no end"},
        {"port", OPTION_NUMBER, &entry.port, "PORT", "flows to that port only"},
        {"protocol", OPTION_TEXT, &entry.protocol, "NAME", "of that only: tcp, udp or icmp"},
        {"json", OPTION_FLAG, &as_json, NULL, "print the entry as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (!entry.reason) {
        complain("--reason is missing: why may devices talk to %s?", operands.words[0]);
        return EXIT_USAGE;
    }
    json_t *body = entry_body(operands.words[0], &entry);
    if (!body)
        return EXIT_USAGE;
    client_url(&url, path, NULL);
    return client_change(socket_path, "POST", &url, body, as_json, print_added);
}

const struct command command_allow_add = {
    "allow add", "PREFIX", "Lets flows to a prefix raise no alert",
    "PREFIX is an IPv4 or IPv6 address or ADDRESS/LENGTH. Whatever feed lists it, and\n"
    "however narrow, it stays silent from the next event on; open alerts stay. Added\n"
    "again, an entry takes the new reason and end.\n"
    "\n"
    "  picket allow add 203.0.113.9 --reason \"our supplier's updates\" --expires 90d\n"
    "  picket allow add 198.51.100.0/24 --port 443 --protocol tcp --reason \"cloud\"\n",
    run_add};

/* ---- list ---- */

static const struct table_column entry_columns[] = {
    {.title = "PREFIX"},         {"TRAFFIC", .leave_out = 2}, {.title = "STATE"},
    {"EXPIRES", .leave_out = 3}, {"ADDED", .leave_out = 1},   {"REASON", .cut_to = 34},
};

static void print_entries(const json_t *answer)
{
    struct table table;
    char traffic[40];
    size_t index;
    json_t *entry;
    table_begin(&table, "allow entries", entry_columns, 6);
    json_array_foreach(json_object_get(answer, "entries"), index, entry)
    {
        const char *state = member_text(entry, "state");
        table_cell(&table, "%s", member_text(entry, "prefix"));
        table_cell(&table, "%s", traffic_text(entry, traffic, sizeof traffic));
        table_cell(&table, "%s", strcmp(state, "expired") == 0 ? "EXPIRED" : state);
        table_time(&table, member_time(entry, "expires"));
        table_time(&table, member_time(entry, "added"));
        table_cell(&table, "%s", member_shown(entry, "reason"));
    }
    table_end(&table);
    if (json_array_size(json_object_get(answer, "entries")) == 0)
        return;
    fprintf(stderr, "%lld flow%s silenced by it since the start\n",
            member_number(answer, "silenced"), member_number(answer, "silenced") == 1 ? "" : "s");
}

static int run_list(const struct command *command, int argc, char **argv)
{
    static const struct request request = {
        .method = "GET", .path = path, .json_help = "print a JSON object", .print = print_entries};
    return request_run(command, argc, argv, &request);
}

const struct command command_allow_list = {
    "allow list", "", "Lists what is allowed, why, and until when",
    "Those that have expired stay in the list and allow nothing any more; those that\n"
    "end within seven days say so. Who added one is in `picket audit list`.\n"
    "\n"
    "  picket allow list\n",
    run_list};

/* ---- remove ---- */

static int run_remove(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    struct entry_options entry = {.port = -1};
    const struct option_spec options[] = {
        {"port", OPTION_NUMBER, &entry.port, "PORT", "the entry of that port"},
        {"protocol", OPTION_TEXT, &entry.protocol, "NAME", "the entry of that protocol"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *body = entry_body(operands.words[0], &entry);
    if (!body)
        return EXIT_USAGE;
    client_url(&url, path, NULL);
    return client_change(socket_path, "DELETE", &url, body, false, NULL);
}

const struct command command_allow_remove = {
    "allow remove", "PREFIX", "Takes an entry back: it raises alerts again",
    "The entry of just that prefix, port and protocol.\n"
    "\n"
    "  picket allow remove 203.0.113.9\n"
    "  picket allow remove 198.51.100.0/24 --port 443 --protocol tcp\n",
    run_remove};

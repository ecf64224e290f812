/* picket intel lookup */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "table.h"
#include "text.h"

enum { ADDRESSES_AT_ONCE = 1000 }; /* the API's bound */

/* Of the indicator of an allow list that wins. */
static void add_allowed(struct table *table, const json_t *allow)
{
    char line[32] = "", until[64] = "", end[32];
    const char *reason = member_text(allow, "tags"), *expires = member_text(allow, "valid_until");
    if (member_number(allow, "line"))
        snprintf(line, sizeof line, " line %lld", member_number(allow, "line"));
    if (expires[0])
        snprintf(until, sizeof until, " until %s", text_time(expires, end));
    table_cell(table, "silent: %s allows %s%s%s%s%s", member_text(allow, "feed"),
               member_text(allow, "indicator"), line, until, reason[0] ? ": " : "", reason);
}

static void add_outcome(struct table *table, const json_t *result, const json_t *match)
{
    const char *outcome = member_text(match, "outcome");
    const json_t *allow = json_object_get(match, "allowed_by");
    if (json_is_object(allow))
        add_allowed(table, allow);
    else if (strcmp(outcome, "special-purpose") == 0)
        table_cell(table, "silent: %s", member_text(result, "special_purpose"));
    else if (strcmp(outcome, "own-network") == 0)
        table_cell(table, "silent: own network %s", member_text(result, "own_network"));
    else if (strcmp(outcome, "other-traffic") == 0)
        table_cell(table, "other port or protocol");
    else
        table_cell(table, "%s", strcmp(outcome, "alert") == 0 ? "ALERT" : outcome);
}

static void add_indicator(struct table *table, const json_t *match)
{
    char port[32] = "";
    const char *protocol = member_text(match, "protocol");
    if (member_number(match, "port"))
        snprintf(port, sizeof port, " port %lld", member_number(match, "port"));
    table_cell(table, "%s%s%s%s", member_text(match, "indicator"), port, protocol[0] ? " " : "",
               protocol);
}

static void add_row(struct table *table, const json_t *result, const json_t *match)
{
    table_cell(table, "%s", member_text(result, "address"));
    add_indicator(table, match);
    table_cell(table, "%s", member_text(match, "feed"));
    table_cell(table, "%s", member_text(match, "role"));
    table_cell(table, "%lld", member_number(match, "line"));
    table_cell(table, "%lld", member_number(match, "confidence"));
    table_time(table, member_time(match, "since"));
    table_time(table, member_time(match, "valid_until"));
    add_outcome(table, result, match);
    table_cell(table, "%s", member_shown(match, "tags"));
}

static const struct table_column match_columns[] = {
    {"ADDRESS", .leave_out = 7},
    {.title = "INDICATOR"},
    {"FEED", .cut_to = 12},
    {"ROLE", .leave_out = 6},
    {"LINE", .right = true, .leave_out = 2},
    {"CONFIDENCE", .right = true, .leave_out = 5},
    {"SINCE", .leave_out = 3},
    {"VALID UNTIL", .leave_out = 1},
    {"OUTCOME", .cut_to = 30},
    {"TAGS", .cut_to = 20, .leave_out = 4},
};

static void print_results(const json_t *results)
{
    struct table table;
    size_t i, j;
    json_t *result, *match;
    table_begin(&table, "matches", match_columns, 10);
    json_array_foreach(results, i, result)
    {
        json_array_foreach(json_object_get(result, "matches"), j, match)
        {
            add_row(&table, result, match);
        }
    }
    if (table.count > 0)
        table_end(&table);
    fflush(stdout);
}

/* How many are covered; says which are not. */
static size_t count_covered(const json_t *results, bool silent)
{
    size_t index, covered = 0;
    json_t *result;
    json_array_foreach(results, index, result)
    {
        if (json_array_size(json_object_get(result, "matches")) > 0)
            covered++;
        else if (!silent)
            fprintf(stderr, "%s: no indicator covers it\n", member_text(result, "address"));
    }
    return covered;
}

/* What goes there; negative and NULL: whatever. */
struct traffic_options {
    long long port;
    const char *protocol;
};

static int look_up(const char *socket_path, const struct traffic_options *traffic, char **addresses,
                   int count, json_t *results)
{
    struct client_url url;
    json_t *answer, *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_string(addresses[i]));
    json_t *body = json_pack("{s:o, s:s*}", "addresses", list, "protocol", traffic->protocol);
    if (!body) {
        complain("--protocol must be UTF-8");
        return EXIT_USAGE;
    }
    if (traffic->port >= 0)
        json_object_set_new(body, "port", json_integer(traffic->port));
    client_url(&url, "/v1/intelligence/lookup", NULL);
    int result = client_call(socket_path, "POST", &url, body, &answer);
    json_decref(body);
    if (result != EXIT_DONE)
        return result;
    json_array_extend(results, json_object_get(answer, "results"));
    json_decref(answer);
    return EXIT_DONE;
}

static int run_lookup(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    struct traffic_options traffic = {.port = -1};
    const struct option_spec options[] = {
        {"port", OPTION_NUMBER, &traffic.port, "PORT", "what comes of flows to that port"},
        {"protocol", OPTION_TEXT, &traffic.protocol, "NAME", "of that protocol: tcp, udp or icmp"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON array, one object for each address"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result = EXIT_DONE;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *results = json_array();
    for (int done = 0; done < operands.count && result == EXIT_DONE; done += ADDRESSES_AT_ONCE) {
        int left = operands.count - done;
        result = look_up(socket_path, &traffic, operands.words + done,
                         left < ADDRESSES_AT_ONCE ? left : ADDRESSES_AT_ONCE, results);
    }
    if (result == EXIT_DONE) {
        if (as_json)
            print_json(results);
        else
            print_results(results);
        result = count_covered(results, as_json) ? EXIT_DONE : EXIT_FAILED;
    }
    json_decref(results);
    return result;
}

const struct command command_intel_lookup = {
    "intel lookup", "ADDRESS...", "Shows every indicator that covers an address",
    "The most specific comes first. OUTCOME says what becomes of a flow to it: an\n"
    "alert, or why not. The exit code is 1 when no indicator covers any of them.\n"
    "\n"
    "  picket intel lookup 198.51.100.7 2001:db8::1\n"
    "  picket intel lookup 198.51.100.7 --port 443 --protocol tcp\n",
    run_lookup};

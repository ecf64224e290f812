/* picket intel lookup */
#include <stdio.h>

#include "client.h"
#include "command.h"
#include "table.h"
#include "text.h"

enum { ADDRESSES_AT_ONCE = 1000 }; /* the API's bound */

static void add_row(struct table *table, const json_t *result, const json_t *match)
{
    table_cell(table, "%s", member_text(result, "address"));
    if (member_number(match, "port"))
        table_cell(table, "%s port %lld", member_text(match, "indicator"),
                   member_number(match, "port"));
    else
        table_cell(table, "%s", member_text(match, "indicator"));
    table_cell(table, "%s", member_text(match, "feed"));
    table_cell(table, "%lld", member_number(match, "line"));
    table_cell(table, "%lld", member_number(match, "confidence"));
    table_time(table, member_time(match, "since"));
    table_time(table, member_time(match, "valid_until"));
    if (json_is_true(json_object_get(match, "suppressed")))
        table_cell(table, "%s: raises no alert", member_shown(result, "special_purpose"));
    else
        table_cell(table, "%s", member_shown(match, "tags"));
}

/* Tags may say "private-use: raises no alert". */
static const struct table_column match_columns[] = {
    {"ADDRESS", .leave_out = 6},
    {.title = "INDICATOR"},
    {"FEED", .cut_to = 12},
    {"LINE", .right = true, .leave_out = 2},
    {"CONFIDENCE", .right = true, .leave_out = 5},
    {"SINCE", .leave_out = 3},
    {"VALID UNTIL", .leave_out = 1},
    {"TAGS", .cut_to = 28},
};

static void print_results(const json_t *results)
{
    struct table table;
    size_t i, j;
    json_t *result, *match;
    table_begin(&table, match_columns, 8);
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

static int look_up(const char *socket_path, char **addresses, int count, json_t *results)
{
    struct client_url url;
    json_t *answer, *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_string(addresses[i]));
    json_t *body = json_pack("{s:o}", "addresses", list);
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
    const struct option_spec options[] = {
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
        result = look_up(socket_path, operands.words + done,
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
    "The most specific comes first. The exit code is 1 when no indicator covers any\n"
    "of them. Special-purpose addresses (private, loopback, multicast ...) raise\n"
    "alerts only for feeds added with --match-special-purpose.\n"
    "\n"
    "  picket intel lookup 198.51.100.7 2001:db8::1\n",
    run_lookup};

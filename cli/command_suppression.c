/* picket suppression add | list | remove */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "request.h"
#include "table.h"
#include "text.h"

/* ---- add ---- */

static void print_added(const json_t *added)
{
    char until[32], open[64];
    long long still_open = member_number(added, "open_alerts");
    printf("suppression %lld, until %s\n", member_number(added, "id"),
           text_time(member_time(added, "until"), until));
    fflush(stdout);
    if (still_open > 0)
        fprintf(stderr, "%s that it covers %s open, and will not grow: picket alert close.\n",
                text_count(still_open, "alert", open), still_open == 1 ? "stays" : "stay");
    else /* a name that is mistyped would go unnoticed */
        fprintf(stderr, "It covers no open alert.\n");
}

static int run_add(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *type = NULL, *device = NULL, *indicator = NULL, *until = NULL,
               *reason = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"device", OPTION_TEXT, &device, "ID", "findings of this device"},
        {"indicator", OPTION_TEXT, &indicator, "PREFIX",
         "about this indicator, and narrower ones within it"},
        {"type", OPTION_TEXT, &type, "TYPE", "of this type"},
        {"until", OPTION_TEXT, &until, "TIME",
         "a day, a time, or a span from now on: 24h, 30d; 366 days at most"},
        {"reason", OPTION_TEXT, &reason, "TEXT", "why, for who reads the list"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (!until || !reason) {
        complain("--%s is missing", until ? "reason" : "until");
        return EXIT_USAGE;
    }
    json_t *body = json_pack("{s:s*, s:s*, s:s*, s:s, s:s}", "device", device, "indicator",
                             indicator, "type", type, "until", until, "reason", reason);
    if (!body) {
        complain("what is given is not UTF-8");
        return EXIT_USAGE;
    }
    client_url(&url, "/v1/suppressions", NULL);
    return client_change(socket_path, "POST", &url, body, as_json, print_added);
}

const struct command command_suppression_add = {
    "suppression add", "", "Keeps findings back until a certain day",
    "Those that fit all of --device, --indicator and --type (one at least). They are\n"
    "recorded as alerts of status suppressed, and sent to nobody. Once it has ended,\n"
    "the next finding is a new alert.\n"
    "\n"
    "  picket suppression add --device pump-7 --indicator 203.0.113.9 --until 30d \\\n"
    "    --reason 'the vendor is asked; ticket 4711'\n",
    run_add};

/* ---- list ---- */

static const char *state_of(const json_t *suppression)
{
    return member_true(suppression, "ended") ? "ended" : "active";
}

static void print_suppressions(const json_t *suppressions)
{
    static const struct table_column columns[] = {
        {"ID", .right = true},
        {"STATE", .leave_out = 3},
        {"DEVICE", .cut_to = 12},
        {"INDICATOR", .cut_to = 20},
        {"TYPE", .cut_to = 12, .leave_out = 2},
        {.title = "UNTIL"},
        {"HITS", .right = true},
        {"LAST HIT", .leave_out = 1},
        {"REASON", .cut_to = 24},
    };
    struct table table;
    size_t index;
    json_t *suppression;
    table_begin(&table, "suppressions", columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(suppressions, index, suppression)
    {
        table_cell(&table, "%lld", member_number(suppression, "id"));
        table_cell(&table, "%s", state_of(suppression));
        table_cell(&table, "%s", member_shown(suppression, "device"));
        table_cell(&table, "%s", member_shown(suppression, "indicator"));
        table_cell(&table, "%s", member_shown(suppression, "type"));
        table_time(&table, member_time(suppression, "until"));
        table_cell(&table, "%lld", member_number(suppression, "hits"));
        table_time(&table, member_time(suppression, "last_hit"));
        table_cell(&table, "%s", member_text(suppression, "reason"));
    }
    table_end(&table);
}

static int run_list(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "GET",
                                           .path = "/v1/suppressions",
                                           .member = "suppressions",
                                           .json_help = "print a JSON array",
                                           .print = print_suppressions};
    return request_run(command, argc, argv, &request);
}

const struct command command_suppression_list = {
    "suppression list", "", "Shows what is kept back, and until when",
    "What was kept back: picket alert list --status suppressed\n"
    "\n"
    "  picket suppression list\n",
    run_list};

/* ---- remove ---- */

static int run_remove(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "DELETE", .path = "/v1/suppressions/{id}"};
    return request_run(command, argc, argv, &request);
}

const struct command command_suppression_remove = {
    "suppression remove", "ID", "Ends a suppression before its time",
    "The next finding that it covered is a new alert.\n"
    "\n"
    "  picket suppression remove 3\n",
    run_remove};

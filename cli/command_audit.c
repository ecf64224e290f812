/* picket audit list | export | check */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "table.h"
#include "text.h"

enum { PAGE = 1000, LIMIT = 100 };

static void audit_url(struct client_url *url, const char *since)
{
    client_url(url, "/v1/audit", NULL);
    if (since)
        client_url_query(url, "since", since);
}

/* ---- list ---- */

static void print_who(struct table *table, const json_t *entry)
{
    const json_t *uid = json_object_get(entry, "uid");
    char user[64];
    table_cell(table, "%s",
               json_is_integer(uid) ? text_user(member_number(entry, "uid"), user) : "-");
}

static bool has_outcome(const json_t *entries, long long id)
{
    size_t index;
    json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        if (member_number(entry, "of") == id)
            return true;
    }
    return false;
}

/* An act is shown once: by its outcome, or without one. */
static bool is_shown(const json_t *entries, const json_t *entry)
{
    return json_is_integer(json_object_get(entry, "status")) ||
           !has_outcome(entries, member_number(entry, "id"));
}

static void print_outcome(struct table *table, const json_t *entry)
{
    long long status = member_number(entry, "status");
    json_t *detail = json_loads(member_text(entry, "detail"), 0, NULL);
    if (status == 0)
        table_cell(table, "NOT FINISHED");
    else if (status < 400)
        table_cell(table, "done");
    else
        table_cell(table, "refused (%lld): %s", status, member_shown(detail, "error"));
    json_decref(detail);
}

static void print_entries(const json_t *entries)
{
    static const struct table_column columns[] = {
        {"ID", .right = true}, {"TIME", .cut_to = 0},   {"WHO", .cut_to = 16},
        {"ACT", .cut_to = 0},  {"THING", .cut_to = 24}, {"OUTCOME", .cut_to = 40}};
    struct table table;
    size_t index;
    json_t *entry;
    table_begin(&table, "acts", columns, 6);
    json_array_foreach(entries, index, entry)
    {
        if (!is_shown(entries, entry))
            continue;
        table_cell(&table, "%lld", member_number(entry, "id"));
        table_time(&table, member_time(entry, "time"));
        print_who(&table, entry);
        table_cell(&table, "%s", member_text(entry, "act"));
        table_cell(&table, "%s", member_shown(entry, "thing"));
        print_outcome(&table, entry);
    }
    table_end(&table);
}

static int run_list(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *since = NULL;
    long long limit = LIMIT;
    bool as_json = false;
    const struct option_spec options[] = {
        {"since", OPTION_TEXT, &since, "TIME",
         "done since: 2026-11-20T23:51:17Z, or 90s, 15m, 24h, 7d ago"},
        {"limit", OPTION_NUMBER, &limit, "N", "the newest N entries, two an act (default 100)"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON array, with every detail"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (limit < 1) {
        complain("--limit: expected a number from 1");
        return EXIT_USAGE;
    }
    json_t *entries = json_array();
    audit_url(&url, since);
    result = client_newest(socket_path, &url, "entries", PAGE, limit, entries);
    if (result == EXIT_DONE)
        print_either(json_incref(entries), NULL, as_json, print_entries);
    json_decref(entries);
    return result;
}

const struct command command_audit_list = {
    "audit list", "", "Lists what was administered, by whom",
    "The newest first. An act is two entries, one before it is done and one with its\n"
    "outcome before it is answered; the table shows it once. NOT FINISHED: Picket was\n"
    "cut short before it could write the outcome, or is at it.\n"
    "\n"
    "  picket audit list --since 24h\n",
    run_list};

/* ---- export ---- */

static int run_export(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *since = NULL;
    long long after = 0;
    const struct option_spec options[] = {
        {"since", OPTION_TEXT, &since, "TIME",
         "done since: 2026-11-20T23:51:17Z, or 90s, 15m, 24h, 7d ago"},
        {"after", OPTION_NUMBER, &after, "ID", "only entries after that one"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    for (bool more = true; more;) {
        struct client_url url;
        json_t *answer, *entry;
        size_t index;
        audit_url(&url, since);
        client_url_query_number(&url, "limit", PAGE);
        client_url_query_number(&url, "after", after);
        result = client_call(socket_path, "GET", &url, NULL, &answer);
        if (result != EXIT_DONE)
            return result;
        json_array_foreach(json_object_get(answer, "entries"), index, entry)
        {
            print_json_line(entry);
        }
        more = json_is_integer(json_object_get(answer, "next_after"));
        after = member_number(answer, "next_after");
        json_decref(answer);
    }
    return EXIT_DONE;
}

const struct command command_audit_export = {
    "audit export", "", "Prints the audit log as lines of JSON",
    "In the order of the entries, each with its seal, from which anybody can compute\n"
    "that nothing was changed, taken out or put in between (docs/api.md says how).\n"
    "\n"
    "  picket audit export >audit.jsonl\n"
    "  picket audit export --after \"$(tail -n 1 audit.jsonl | jq .id)\" >>audit.jsonl\n",
    run_export};

/* ---- check ---- */

static void print_check(const json_t *check)
{
    if (member_number(check, "entries") == 0 && member_true(check, "holds"))
        printf("there are no entries\n");
    else if (member_true(check, "holds"))
        printf("entries %lld to %lld hold together; the last seal is %s\n",
               member_number(check, "first"), member_number(check, "last"),
               member_text(check, "seal"));
    else if (member_number(check, "broken") == 0)
        printf("BROKEN: %s\n", member_text(check, "problem"));
    else
        printf("BROKEN at entry %lld: it does not follow from the one before, or was changed\n",
               member_number(check, "broken"));
}

static int run_check(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    json_t *answer;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/audit/check", NULL);
    result = client_call(socket_path, "GET", &url, NULL, &answer);
    if (result != EXIT_DONE)
        return result;
    bool holds = member_true(answer, "holds");
    print_either(answer, NULL, as_json, print_check);
    return holds ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_audit_check = {
    "audit check", "", "Computes whether the audit log was changed",
    "Exit code 1 if it was. Who can write the data folder could write all of it anew,\n"
    "or cut off its end: compare the last seal with one noted elsewhere, such as in\n"
    "Picket's messages, which tell each.\n"
    "\n"
    "  picket audit check\n",
    run_check};

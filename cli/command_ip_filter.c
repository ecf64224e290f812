/* picket ip-filter add | remove | move | default | list */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "request.h"
#include "table.h"
#include "text.h"

/* ---- showing it ---- */

static bool admits_somebody(const json_t *filter)
{
    size_t index;
    json_t *rule;
    if (strcmp(member_text(filter, "default"), "allow") == 0)
        return true;
    json_array_foreach(json_object_get(filter, "rules"), index, rule)
    {
        if (strcmp(member_text(rule, "action"), "allow") == 0)
            return true;
    }
    return false;
}

static void print_filter(const json_t *filter)
{
    static const struct table_column columns[] = {{"", .right = true},
                                                  {"ACTION", .cut_to = 0},
                                                  {"PREFIX", .cut_to = 0},
                                                  {"NOTE", .cut_to = 40}};
    struct table table;
    size_t index;
    json_t *rule;
    table_begin(&table, "rules", columns, 4);
    json_array_foreach(json_object_get(filter, "rules"), index, rule)
    {
        table_cell(&table, "%lld", member_number(rule, "number"));
        table_cell(&table, "%s", member_text(rule, "action"));
        table_cell(&table, "%s", member_text(rule, "prefix"));
        table_cell(&table, "%s", member_text(rule, "note"));
    }
    table_cell(&table, "-");
    table_cell(&table, "%s", member_text(filter, "default"));
    table_cell(&table, "everybody else");
    table_cell(&table, "%s", "");
    table_end(&table);
    if (!admits_somebody(filter))
        fprintf(stderr, "Nobody is let in: the default denies, and no rule allows.\n");
}

static int run_list(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "GET",
                                           .path = "/v1/ip-filter",
                                           .json_help = "print a JSON object",
                                           .print = print_filter};
    return request_run(command, argc, argv, &request);
}

const struct command command_ip_filter_list = {
    "ip-filter list", "", "Shows from which addresses clients may come",
    "The first rule that covers an address decides, the last line if none does.\n"
    "\n"
    "  picket ip-filter list\n",
    run_list};

/* ---- changing it ---- */

/* Shows what has become of it. Takes the body. */
static int change(const char *socket_path, const char *method, const struct client_url *url,
                  json_t *body)
{
    return client_change(socket_path, method, url, body, false, print_filter);
}

static bool is_action(const char *word)
{
    if (strcmp(word, "allow") == 0 || strcmp(word, "deny") == 0)
        return true;
    complain("%s: expected allow or deny", word);
    return false;
}

static int run_add(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *note = NULL;
    long long at = 0;
    const struct option_spec options[] = {
        {"at", OPTION_NUMBER, &at, "N", "its place, 1 for the first; else it is the last"},
        {"note", OPTION_TEXT, &note, "TEXT", "why, for who reads the list"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (!is_action(operands.words[0]))
        return EXIT_USAGE;
    client_url(&url, "/v1/ip-filter/rules", NULL);
    json_t *body = json_pack("{s:s, s:s, s:s*}", "action", operands.words[0], "prefix",
                             operands.words[1], "note", note);
    if (!body) {
        complain("a prefix or note is not UTF-8");
        return EXIT_USAGE;
    }
    if (at > 0)
        json_object_set_new(body, "at", json_integer(at));
    return change(socket_path, "POST", &url, body);
}

const struct command command_ip_filter_add = {
    "ip-filter add", "ACTION PREFIX", "Adds a rule for addresses",
    "ACTION is allow or deny, PREFIX an IPv4 or IPv6 address or ADDRESS/LENGTH. It\n"
    "counts at once: connections that are denied by it end.\n"
    "\n"
    "  picket ip-filter add deny 203.0.113.0/24 --note \"scans since May\"\n"
    "  picket ip-filter add allow 203.0.113.7 --at 1\n",
    run_add};

static const char rule_path[] = "/v1/ip-filter/rules?prefix={prefix}";

static int run_remove(const struct command *command, int argc, char **argv)
{
    static const struct request request = {
        .method = "DELETE", .path = rule_path, .print = print_filter};
    return request_run(command, argc, argv, &request);
}

const struct command command_ip_filter_remove = {
    "ip-filter remove", "PREFIX", "Removes the rule for that prefix",
    "  picket ip-filter remove 203.0.113.0/24\n", run_remove};

static int run_move(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    const struct option_spec options[] = {OPTION_SOCKET(socket_path), {0}};
    struct operands operands;
    struct client_url url;
    char *end;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    long at = strtol(operands.words[1], &end, 10);
    if (at < 1 || *end) {
        complain("%s: expected the place it moves to, 1 for the first", operands.words[1]);
        return EXIT_USAGE;
    }
    client_url(&url, rule_path, operands.words[0]);
    return change(socket_path, "PATCH", &url, json_pack("{s:I}", "at", (json_int_t)at));
}

const struct command command_ip_filter_move = {
    "ip-filter move", "PREFIX PLACE", "Moves a rule to another place",
    "  picket ip-filter move 203.0.113.7/32 1\n", run_move};

static int run_default(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    const struct option_spec options[] = {OPTION_SOCKET(socket_path), {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (!is_action(operands.words[0]))
        return EXIT_USAGE;
    client_url(&url, "/v1/ip-filter", NULL);
    return change(socket_path, "PATCH", &url, json_pack("{s:s}", "default", operands.words[0]));
}

const struct command command_ip_filter_default = {
    "ip-filter default", "ACTION", "Says what holds for addresses without a rule",
    "ACTION is allow, as at first, or deny. Before you deny, see to it that a rule\n"
    "allows your devices.\n"
    "\n"
    "  picket ip-filter default deny\n",
    run_default};

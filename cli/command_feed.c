/* picket feed add | list | refresh | remove */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "feed_report.h"
#include "feed_settings.h"
#include "request.h"
#include "table.h"
#include "text.h"

/* ---- add ---- */

static int run_add(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false, special = false, own = false, kept = false;
    struct feed_settings feed = {.confidence = -1};
    const struct option_spec options[] = {
        FEED_SETTING_OPTIONS(feed),
        {"match-special-purpose", OPTION_FLAG, &special, NULL,
         "match private, loopback, multicast ... addresses too"},
        {"match-own-networks", OPTION_FLAG, &own, NULL,
         "match the fleet's own public addresses too"},
        {"kept", OPTION_FLAG, &kept, NULL, "a list kept here, changed by picket intel add ..."},
        {"json", OPTION_FLAG, &as_json, NULL, "print the report as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (kept != (operands.count == 1)) {
        complain(kept ? "--kept: a list kept here has no FILE-OR-URL"
                      : "FILE-OR-URL is missing; or --kept for a list without");
        return EXIT_USAGE;
    }
    json_t *body = json_pack("{s:s}", "name", operands.words[0]);
    feed.source = kept ? NULL : operands.words[1];
    feed.match_special_purpose = special ? "yes" : NULL;
    feed.match_own_networks = own ? "yes" : NULL;
    if (!body)
        complain("name must be UTF-8");
    if (!body || !feed_settings_put(body, &feed)) {
        json_decref(body);
        return EXIT_USAGE;
    }
    client_url(&url, "/v1/feeds", NULL);
    return client_change(socket_path, "POST", &url, body, as_json, feed_report_print);
}

const struct command command_feed_add = {
    "feed add", "NAME [FILE-OR-URL]", "Adds a threat feed and reads it",
    "The server reads files and addresses itself, now and at each refresh. Lines\n"
    "that it does not understand are skipped and counted; the first ten are shown.\n"
    "\n"
    "  picket feed add drop https://www.spamhaus.org/drop/drop.txt --refresh 12h\n"
    "  picket feed add ours blocklist.csv --format csv --confidence 90\n"
    "  picket feed add resolvers public-dns.txt --role shared\n"
    "  picket feed add incidents --kept --confidence 95\n"
    "  picket feed add otx https://otx.alienvault.com/api/... \\\n"
    "      --header X-OTX-API-KEY --header-file /etc/picket/otx.key\n",
    run_add};

/* ---- list ---- */

static const struct table_column feed_columns[] = {
    {"NAME", .cut_to = 16},
    {"ROLE", .leave_out = 6},
    {"INDICATORS", .right = true},
    {"EXPIRED", .right = true, .leave_out = 7},
    {"SKIPPED", .right = true, .leave_out = 3},
    {"CONFIDENCE", .right = true, .leave_out = 1},
    {"SILENCED", .right = true, .leave_out = 1},
    {"LOADED", .leave_out = 5},
    {"REFRESH", .leave_out = 2},
    {"SOURCE", .cut_to = 24, .leave_out = 4},
    {"PROBLEM", .cut_to = 30},
};

/* The problem without the source that it begins with: that has a column of its own. */
static const char *problem_alone(const json_t *feed)
{
    const char *problem = member_shown(feed, "problem"), *source = member_text(feed, "source");
    size_t length = strlen(source);
    bool repeated =
        strncmp(problem, source, length) == 0 && strncmp(problem + length, ": ", 2) == 0;
    return repeated ? problem + length + 2 : problem;
}

/* Flows that an allow list has kept from raising an alert; other roles keep none. */
static void print_silenced(struct table *table, const json_t *feed)
{
    if (json_object_get(feed, "silenced"))
        table_cell(table, "%lld", member_number(feed, "silenced"));
    else
        table_cell(table, "-");
}

static void print_feeds(const json_t *feeds)
{
    struct table table;
    char span[32];
    size_t index;
    json_t *feed;
    table_begin(&table, "feeds", feed_columns, 11);
    json_array_foreach(feeds, index, feed)
    {
        long long refresh_s = member_number(feed, "refresh_s");
        table_cell(&table, "%s", member_text(feed, "name"));
        table_cell(&table, "%s", member_text(feed, "role"));
        table_cell(&table, "%lld", member_number(feed, "indicators"));
        table_cell(&table, "%lld", member_number(feed, "expired"));
        table_cell(&table, "%lld", member_number(feed, "skipped"));
        table_cell(&table, "%lld", member_number(feed, "confidence"));
        print_silenced(&table, feed);
        table_time(&table, member_time(feed, "loaded"));
        table_cell(&table, "%s", refresh_s ? text_span(refresh_s, span) : "never");
        table_cell(&table, "%s",
                   member_true(feed, "kept") ? "(kept here)" : member_text(feed, "source"));
        table_cell(&table, "%s", problem_alone(feed));
    }
    table_end(&table);
}

static int run_list(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "GET",
                                           .path = "/v1/feeds",
                                           .member = "feeds",
                                           .json_help = "print a JSON array",
                                           .print = print_feeds};
    return request_run(command, argc, argv, &request);
}

const struct command command_feed_list = {
    "feed list", "", "Lists the threat feeds and their problems", "  picket feed list\n", run_list};

/* ---- refresh ---- */

static int refresh_one(const char *socket_path, const char *name, bool accepts, json_t *reports,
                       bool as_json)
{
    struct client_url url;
    json_t *report;
    client_url(&url, "/v1/feeds/{name}/refresh", name);
    if (accepts)
        client_url_query(&url, "accept_shrink", "true");
    int result = client_call(socket_path, "POST", &url, NULL, &report);
    if (result != EXIT_DONE)
        return result;
    if (!as_json)
        feed_report_print(report);
    json_array_append_new(reports, report);
    return EXIT_DONE;
}

static int refresh_all(const char *socket_path, json_t *reports, bool as_json)
{
    struct client_url url;
    json_t *answer, *feed;
    size_t index;
    client_url(&url, "/v1/feeds", NULL);
    int result = client_call(socket_path, "GET", &url, NULL, &answer);
    if (result != EXIT_DONE)
        return result;
    json_array_foreach(json_object_get(answer, "feeds"), index, feed)
    {
        if (!member_true(feed, "kept") && refresh_one(socket_path, member_text(feed, "name"), false,
                                                      reports, as_json) != EXIT_DONE)
            result = EXIT_FAILED;
    }
    json_decref(answer);
    return result;
}

static int run_refresh(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false, accepts = false;
    const struct option_spec options[] = {
        {"accept-shrink", OPTION_FLAG, &accepts, NULL,
         "take it even if it loses more than half of its indicators"},
        {"json", OPTION_FLAG, &as_json, NULL, "print an array of reports as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (accepts && operands.count != 1) {
        complain("--accept-shrink: of which feed? Its NAME is missing");
        return EXIT_USAGE;
    }
    json_t *reports = json_array();
    if (operands.count == 1)
        result = refresh_one(socket_path, operands.words[0], accepts, reports, as_json);
    else
        result = refresh_all(socket_path, reports, as_json);
    if (as_json)
        print_json(reports);
    json_decref(reports);
    return result;
}

const struct command command_feed_refresh = {
    "feed refresh", "[NAME]", "Reads a feed again, or all of them",
    "What a feed held stays when it cannot be read, or has lost more than half of its\n"
    "indicators; then the exit code is 1. --accept-shrink says that it may.\n"
    "\n"
    "  picket feed refresh drop\n"
    "  picket feed refresh drop --accept-shrink\n"
    "  picket feed refresh\n",
    run_refresh};

/* ---- remove ---- */

static int run_remove(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "DELETE", .path = "/v1/feeds/{name}"};
    return request_run(command, argc, argv, &request);
}

const struct command command_feed_remove = {"feed remove", "NAME",
                                            "Removes a feed with its indicators",
                                            "Alerts that it raised stay.\n"
                                            "\n"
                                            "  picket feed remove drop\n",
                                            run_remove};

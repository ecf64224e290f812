/* picket feed show | set | collections */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "feed_settings.h"
#include "page.h"
#include "request.h"
#include "table.h"
#include "text.h"

enum { LABEL_COLUMN = 16 };

/* ---- show ---- */

/* Only what is set: most feeds need none of these. */
static void print_given(const json_t *feed)
{
    static const struct {
        const char *member, *label;
    } given[] = {{"columns", "columns"},
                 {"pattern", "pattern"},
                 {"user", "user"},
                 {"password_file", "password in"},
                 {"token_file", "token in"},
                 {"header", "header"},
                 {"header_file", "header's in"},
                 {"proxy", "proxy"},
                 {"ca_file", "CA"},
                 {"certificate_file", "certificate"},
                 {"key_file", "key"}};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        if (*member_text(feed, given[i].member))
            page_line(given[i].label, LABEL_COLUMN, "%s", member_text(feed, given[i].member));
    if (member_number(feed, "max_bytes"))
        page_line("at most", LABEL_COLUMN, "%lld bytes", member_number(feed, "max_bytes"));
    if (member_true(feed, "match_special_purpose"))
        page_line("matches", LABEL_COLUMN, "special-purpose addresses, too");
    if (member_true(feed, "match_own_networks"))
        page_line("matches", LABEL_COLUMN, "the fleet's own networks, too");
}

static void print_times(const json_t *feed)
{
    char when[32], span[32];
    long long refresh_s = member_number(feed, "refresh_s");
    page_line("added", LABEL_COLUMN, "%s", text_time(member_time(feed, "added"), when));
    page_line("tried", LABEL_COLUMN, "%s", text_time(member_time(feed, "tried"), when));
    page_line("loaded", LABEL_COLUMN, "%s", text_time(member_time(feed, "loaded"), when));
    if (*member_text(feed, "problem"))
        page_line("succeeded", LABEL_COLUMN, "%s, for the last time",
                  text_time(member_time(feed, "succeeded"), when));
    if (refresh_s > 0)
        page_line("refresh", LABEL_COLUMN, "every %s, next %s", text_span(refresh_s, span),
                  text_time(member_time(feed, "next_refresh"), when));
    else
        page_line("refresh", LABEL_COLUMN, "only on request");
}

static void print_problems(const json_t *feed)
{
    size_t index;
    json_t *problem;
    long long skipped = member_number(feed, "skipped");
    page_line("skipped", LABEL_COLUMN, "%lld not understood", skipped);
    json_array_foreach(json_object_get(feed, "problems"), index, problem)
    {
        const char *file = member_text(problem, "file");
        page_line("", LABEL_COLUMN, "%s%sline %lld: %s: %s", file, *file ? ", " : "",
                  member_number(problem, "line"), member_text(problem, "reason"),
                  member_text(problem, "text"));
    }
    if (skipped > (long long)index)
        page_line("", LABEL_COLUMN, "... and %lld more", skipped - (long long)index);
}

static void print_feed(const json_t *feed)
{
    const json_t *last = json_object_get(feed, "last");
    page_line("feed", LABEL_COLUMN, "%s", member_text(feed, "name"));
    page_line("source", LABEL_COLUMN, "%s", member_shown(feed, "source"));
    page_line("role", LABEL_COLUMN, "%s", member_text(feed, "role"));
    page_line("format", LABEL_COLUMN, "%s", member_text(feed, "format"));
    page_line("confidence", LABEL_COLUMN, "%lld, of indicators that bring none",
              member_number(feed, "confidence"));
    print_given(feed);
    print_times(feed);
    page_line("indicators", LABEL_COLUMN, "%lld", member_number(feed, "indicators"));
    page_line("last change", LABEL_COLUMN,
              "%lld came, %lld went, %lld changed, %lld stayed as they were, in %.1f s",
              member_number(last, "added"), member_number(last, "removed"),
              member_number(last, "changed"),
              member_number(last, "kept") - member_number(last, "changed"),
              (double)member_number(last, "duration_ms") / 1000);
    if (json_object_get(feed, "silenced"))
        page_line("silenced", LABEL_COLUMN, "%lld flows that a feed lists, since the start",
                  member_number(feed, "silenced"));
    print_problems(feed);
    if (member_true(feed, "waits"))
        page_line("WAITS", LABEL_COLUMN, "for your yes: it would hold %lld of %lld indicators",
                  member_number(feed, "would_hold"), member_number(feed, "indicators"));
    if (*member_text(feed, "problem"))
        page_line("PROBLEM", LABEL_COLUMN, "%s", member_text(feed, "problem"));
}

static int run_show(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "GET",
                                           .path = "/v1/feeds/{name}",
                                           .json_help = "print a JSON object",
                                           .print = print_feed};
    return request_run(command, argc, argv, &request);
}

const struct command command_feed_show = {"feed show", "NAME",
                                          "Shows a feed's settings, and how reading it went",
                                          "  picket feed show drop\n", run_show};

/* ---- set ---- */

static void print_changed(const json_t *feed)
{
    const json_t *hunt = json_object_get(feed, "hunt");
    print_feed(feed);
    if (json_is_integer(hunt))
        page_line("hunt", LABEL_COLUMN,
                  "what devices reported before is searched for what it matches now");
    else if (hunt)
        page_line("NO HUNT", LABEL_COLUMN,
                  "too many wait; later: picket intel hunt --feed %s --alert",
                  member_text(feed, "name"));
}

static int run_set(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    struct feed_settings feed = {.confidence = -1};
    const struct option_spec options[] = {
        {"source", OPTION_TEXT, &feed.source, "FILE-OR-URL", "from elsewhere"},
        FEED_SETTING_OPTIONS(feed),
        {"match-special-purpose", OPTION_TEXT, &feed.match_special_purpose, "yes|no",
         "match private, loopback, multicast ... addresses too"},
        {"match-own-networks", OPTION_TEXT, &feed.match_own_networks, "yes|no",
         "match the fleet's own public addresses too"},
        {"json", OPTION_FLAG, &as_json, NULL, "print the feed as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *body = json_object();
    if (!feed_settings_put(body, &feed) || json_object_size(body) == 0) {
        if (json_object_size(body) == 0)
            complain("feed set: nothing to set is given; see --help");
        json_decref(body);
        return EXIT_USAGE;
    }
    client_url(&url, "/v1/feeds/{name}", operands.words[0]);
    return client_change(socket_path, "PATCH", &url, body, as_json, print_changed);
}

const struct command command_feed_set = {
    "feed set", "NAME", "Changes settings of a feed",
    "What it holds stays, with since when; it is read again within seconds, unless it\n"
    "is read only on request. An empty text takes a setting away.\n"
    "\n"
    "  picket feed set drop --refresh 2h\n"
    "  picket feed set otx --header X-OTX-API-KEY --header-file /etc/picket/otx.key\n"
    "  picket feed set otx --proxy ''\n",
    run_set};

/* ---- collections ---- */

static void print_collections(const json_t *answer)
{
    static const struct table_column columns[] = {
        {"TITLE", .cut_to = 34}, {"READ", .leave_out = 1}, {"SOURCE", .cut_to = 0}};
    struct table table;
    size_t index;
    json_t *collection;
    table_begin(&table, "collections", columns, 3);
    json_array_foreach(json_object_get(answer, "collections"), index, collection)
    {
        table_cell(&table, "%s", member_shown(collection, "title"));
        table_cell(&table, "%s", member_true(collection, "can_read") ? "yes" : "no");
        table_cell(&table, "%s", member_text(collection, "source"));
    }
    table_end(&table);
}

static int run_collections(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    struct feed_settings feed = {.confidence = -1};
    const struct option_spec options[] = {
        FEED_ACCESS_OPTIONS(feed),
        {"json", OPTION_FLAG, &as_json, NULL, "print them as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *body = json_object();
    feed.source = operands.words[0];
    if (!feed_settings_put(body, &feed)) {
        json_decref(body);
        return EXIT_USAGE;
    }
    client_url(&url, "/v1/feeds/collections", NULL);
    return client_change(socket_path, "POST", &url, body, as_json, print_collections);
}

const struct command command_feed_collections = {
    "feed collections", "URL", "Shows what collections a TAXII 2.1 server has",
    "The address of a server, of an API root, or of its collections. `feed add` takes\n"
    "what stands under SOURCE.\n"
    "\n"
    "  picket feed collections https://taxii.example.org/taxii2/\n"
    "  picket feed collections https://taxii.example.org --token-file /etc/token\n",
    run_collections};

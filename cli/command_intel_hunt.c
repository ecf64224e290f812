/* picket intel hunt: stored events searched for indicators. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "command.h"
#include "file.h"
#include "progress.h"
#include "table.h"
#include "text.h"

enum { LIST_BYTES_MAX = 7 * 1024 * 1024, PAGE = 1000, LOOK_MS = 200 };

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

/* What the command was told. */
struct hunt_options {
    const char *socket_path, *since, *until, *device, *feed, *file;
    bool alert, as_json;
};

/* ---- asking ---- */

static bool add_file(json_t *body, const char *path)
{
    struct picket_error error = {0};
    char *text;
    size_t size;
    if (file_read(path, LIST_BYTES_MAX, &text, &size, &error) != PICKET_OK) {
        complain("%s", error.text);
        return false;
    }
    json_t *value = json_stringn(text, size);
    free(text);
    if (!value) {
        complain("%s: is not UTF-8 text", path);
        return false;
    }
    json_object_set_new(body, "text", value);
    return true;
}

static void add_text(json_t *body, const char *member, const char *text)
{
    if (text)
        json_object_set_new(body, member, json_string(text));
}

/* NULL: what is wrong has been said. */
static json_t *make_body(const struct hunt_options *options, const struct operands *operands)
{
    json_t *body = json_object();
    if ((operands->count > 0) + (options->feed != NULL) + (options->file != NULL) > 1) {
        complain("addresses, --feed and --file: one of them, or none for all indicators");
        json_decref(body);
        return NULL;
    }
    add_text(body, "since", options->since);
    add_text(body, "until", options->until);
    add_text(body, "device", options->device);
    add_text(body, "feed", options->feed);
    if (options->alert)
        json_object_set_new(body, "alert", json_true());
    if (operands->count > 0) {
        json_t *list = json_array();
        for (int i = 0; i < operands->count; i++)
            json_array_append_new(list, json_string(operands->words[i]));
        json_object_set_new(body, "indicators", list);
    }
    if (options->file && !add_file(body, options->file)) {
        json_decref(body);
        return NULL;
    }
    return body;
}

static int start(const struct hunt_options *options, const struct operands *operands, long long *id)
{
    struct client_url url;
    json_t *answer, *body = make_body(options, operands);
    if (!body)
        return EXIT_USAGE;
    client_url(&url, "/v1/intelligence/hunts", NULL);
    int result = client_call(options->socket_path, "POST", &url, body, &answer);
    json_decref(body);
    if (result != EXIT_DONE)
        return result;
    *id = member_number(answer, "id");
    if (member_number(answer, "skipped") > 0)
        fprintf(stderr, "%s: %lld lines are no indicators\n", options->file,
                member_number(answer, "skipped"));
    json_decref(answer);
    return EXIT_DONE;
}

/* ---- looking on ---- */

static void hunt_url(struct client_url *url, const char *path, long long id)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", id);
    client_url(url, path, text);
}

static int look(const struct hunt_options *options, long long id, json_t **hunt)
{
    struct client_url url;
    hunt_url(&url, "/v1/intelligence/hunts/{id}", id);
    return client_call(options->socket_path, "GET", &url, NULL, hunt);
}

static bool has_ended(const json_t *hunt)
{
    return member_time(hunt, "ended") != NULL;
}

static void show_progress(const struct progress *progress, const json_t *hunt)
{
    char tail[64];
    int64_t first = member_number(hunt, "first_event");
    if (strcmp(member_text(hunt, "state"), "waiting") == 0)
        snprintf(tail, sizeof tail, "waits for another hunt");
    else
        snprintf(tail, sizeof tail, "%lld found", member_number(hunt, "found"));
    progress_show(progress, member_number(hunt, "next_event") - first,
                  member_number(hunt, "end_event") - first, member_number(hunt, "events"), tail);
}

/* What it has found until then is kept. */
static int end_hunt(const struct hunt_options *options, long long id)
{
    struct client_url url;
    json_t *answer = NULL;
    hunt_url(&url, "/v1/intelligence/hunts/{id}", id);
    int result = client_call(options->socket_path, "DELETE", &url, NULL, &answer);
    json_decref(answer);
    return result;
}

static int wait_for_end(const struct hunt_options *options, long long id, json_t **hunt)
{
    struct progress progress;
    bool is_told = false;
    int result;
    progress_begin(&progress);
    while ((result = look(options, id, hunt)) == EXIT_DONE && !has_ended(*hunt)) {
        show_progress(&progress, *hunt);
        json_decref(*hunt);
        if (is_interrupted && !is_told && end_hunt(options, id) != EXIT_DONE)
            return EXIT_FAILED;
        is_told = is_interrupted;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
    progress_end(&progress);
    return result;
}

static int fetch_found(const struct hunt_options *options, long long id, json_t *found)
{
    long long after = 0;
    do {
        struct client_url url;
        json_t *answer;
        hunt_url(&url, "/v1/intelligence/hunts/{id}/found", id);
        client_url_query_number(&url, "limit", PAGE);
        if (after > 0)
            client_url_query_number(&url, "after", after);
        int result = client_call(options->socket_path, "GET", &url, NULL, &answer);
        if (result != EXIT_DONE)
            return result;
        json_array_extend(found, json_object_get(answer, "found"));
        after = member_number(answer, "next_after");
        json_decref(answer);
    } while (after > 0);
    return EXIT_DONE;
}

/* ---- showing ---- */

static void add_row(struct table *table, const json_t *found)
{
    char sent[32], received[32];
    const char *severity = member_text(found, "severity");
    table_cell(table, "%s", member_text(found, "device"));
    table_cell(table, "%s", member_text(found, "indicator"));
    table_cell(table, "%s", member_shown(found, "feed"));
    table_severity_color(table, severity);
    table_cell(table, "%s", *severity ? severity : "-");
    table_time(table, member_time(found, "first_seen"));
    table_time(table, member_time(found, "last_seen"));
    table_cell(table, "%lld", member_number(found, "events"));
    table_cell(table, "%lld", member_number(found, "flows"));
    table_cell(table, "%s", text_bytes(member_number(found, "bytes_out"), sent));
    table_cell(table, "%s", text_bytes(member_number(found, "bytes_in"), received));
}

static void print_table(const json_t *found)
{
    static const struct table_column columns[] = {
        {"DEVICE", .cut_to = 24},
        {.title = "INDICATOR"},
        {"FEED", .cut_to = 12, .leave_out = 5},
        {"SEVERITY", .leave_out = 6},
        {"FIRST SEEN", .leave_out = 4},
        {.title = "LAST SEEN"},
        {"REPORTS", .right = true, .leave_out = 3},
        {"FLOWS", .right = true},
        {"SENT", .right = true, .leave_out = 2},
        {"RECEIVED", .right = true, .leave_out = 1},
    };
    struct table table;
    size_t index;
    json_t *item;
    if (json_array_size(found) == 0)
        return;
    table_begin(&table, "finds", columns, 10);
    json_array_foreach(found, index, item)
    {
        add_row(&table, item);
    }
    table_end(&table);
}

static void print_summary(const json_t *hunt, size_t found)
{
    char events[64], flows[64], indicators[64], hits[64], alerts[64];
    printf("%s%s of %s (%s) searched for %s: ", found > 0 ? "\n" : "",
           text_count(member_number(hunt, "events"), "report", events),
           *member_text(hunt, "device") ? member_text(hunt, "device") : "all devices",
           text_count(member_number(hunt, "flows"), "flow", flows),
           text_count(member_number(hunt, "indicators"), "indicator", indicators));
    if (found == 0)
        printf("nothing found");
    else
        printf("%s, by %zu device%s and indicator%s",
               text_count(member_number(hunt, "hits"), "flow", hits), found, found == 1 ? "" : "s",
               found == 1 ? "" : "s");
    if (member_true(hunt, "alert"))
        printf("; %s raised", text_count(member_number(hunt, "alerts"), "alert", alerts));
    putchar('\n');
}

/* What may be missing from what is shown. */
static void say_gaps(const json_t *hunt)
{
    long long damaged = member_number(hunt, "damaged"), left_out = member_number(hunt, "left_out");
    const char *state = member_text(hunt, "state");
    long long first = member_number(hunt, "first_event");
    long long all = member_number(hunt, "end_event") - first;
    if (strcmp(state, "cancelled") == 0)
        complain("ended at %lld %%: what follows was not searched",
                 all > 0 ? (member_number(hunt, "next_event") - first) * 100 / all : 0);
    if (strcmp(state, "failed") == 0)
        complain("the hunt failed: %s", member_text(hunt, "problem"));
    if (damaged > 0)
        complain("the flows of %lld reports cannot be read: they are damaged", damaged);
    if (left_out > 0)
        complain("%lld flows of further devices and indicators are left out: there are too many",
                 left_out);
}

static int show(const struct hunt_options *options, long long id, json_t *hunt)
{
    json_t *found = json_array();
    int result = fetch_found(options, id, found);
    if (result == EXIT_DONE && options->as_json) {
        json_t *all = json_pack("{s:O, s:O}", "hunt", hunt, "found", found);
        print_json(all);
        json_decref(all);
    } else if (result == EXIT_DONE) {
        print_table(found);
        print_summary(hunt, json_array_size(found));
    }
    fflush(stdout);
    say_gaps(hunt);
    bool is_done = strcmp(member_text(hunt, "state"), "done") == 0;
    json_decref(found);
    return result != EXIT_DONE ? result : is_done ? EXIT_DONE : EXIT_FAILED;
}

static void catch_interrupt(void)
{
    const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int run_hunt(const struct command *command, int argc, char **argv)
{
    struct hunt_options told = {.as_json = false};
    const struct option_spec options[] = {
        {"since", OPTION_TEXT, &told.since, "TIME",
         "reports received since then: 30d, 24h, or a time"},
        {"until", OPTION_TEXT, &told.until, "TIME", "and before then"},
        {"device", OPTION_TEXT, &told.device, "ID", "of this device alone"},
        {"feed", OPTION_TEXT, &told.feed, "NAME", "search for what this feed lists"},
        {"file", OPTION_TEXT, &told.file, "LIST",
         "search for what this list has; -: standard input"},
        {"alert", OPTION_FLAG, &told.alert, NULL,
         "raise alerts, one for each device and indicator"},
        {"json", OPTION_FLAG, &told.as_json, NULL, "print a JSON object: hunt, found"},
        OPTION_SOCKET(told.socket_path),
        {0}};
    struct operands operands;
    int result = EXIT_DONE;
    long long id = 0;
    json_t *hunt = NULL;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    catch_interrupt();
    result = start(&told, &operands, &id);
    if (result == EXIT_DONE)
        result = wait_for_end(&told, id, &hunt);
    if (result == EXIT_DONE) {
        result = show(&told, id, hunt);
        json_decref(hunt);
    }
    return result;
}

const struct command command_intel_hunt = {
    "intel hunt", "[ADDRESS...]", "Searches stored reports for indicators",
    "For addresses, prefixes or ranges, for what a feed or a list has, or, with\n"
    "none of these, for all indicators. What devices reported, and is still kept, is\n"
    "searched as live reports are matched; addresses that are named are found even if\n"
    "they are private or on an allow list. Ctrl-C ends it, and shows what was found.\n"
    "What feeds bring is searched for by itself.\n"
    "\n"
    "  picket intel hunt 203.0.113.9 198.51.100.0/24 --since 30d\n"
    "  picket intel hunt --file incident.csv --device pump-7\n"
    "  picket intel hunt --feed drop --alert\n",
    run_hunt};

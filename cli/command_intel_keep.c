/* picket intel add | change | remove | import | list: indicators of the lists that are kept here */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "feed_report.h"
#include "file.h"
#include "picket/base/time.h"
#include "table.h"
#include "text.h"

enum { PAGE = 1000 };                                    /* the API's bound */
static const size_t import_bytes_max = (size_t)24 << 20; /* as JSON it may become larger */

static const char path[] = "/v1/intelligence/indicators";

/* ---- what is said of indicators ---- */

struct said {
    const char *list, *protocol, *severity, *tlp, *tags, *malware, *reference, *listed, *expires;
    long long port;       /* 0: not given */
    long long confidence; /* negative: not given */
};

#define LIST_OPTION(said)                                                                          \
    {                                                                                              \
        "list", OPTION_TEXT, &(said).list, "NAME", "which list; \"local\" if none is given"        \
    }
#define KEY_OPTIONS(said)                                                                          \
    LIST_OPTION(said), {"port", OPTION_NUMBER, &(said).port, "PORT", "of the remote side only"},   \
    {                                                                                              \
        "protocol", OPTION_TEXT, &(said).protocol, "PROTOCOL", "tcp, udp or icmp only"             \
    }
#define SAID_OPTIONS(said)                                                                         \
    {"confidence", OPTION_NUMBER, &(said).confidence, "0..100", "how sure it is"},                 \
        {"severity", OPTION_TEXT, &(said).severity, "SEVERITY", "low, medium, high"},              \
        {"tags", OPTION_TEXT, &(said).tags, "TEXT", "what alerts say of it"},                      \
        {"malware", OPTION_TEXT, &(said).malware, "NAME", "the family it belongs to"},             \
        {"reference", OPTION_TEXT, &(said).reference, "TEXT", "where to read more"},               \
        {"tlp", OPTION_TEXT, &(said).tlp, "TLP", "clear, green, amber, amber+strict, red"},        \
        {"listed", OPTION_TEXT, &(said).listed, "TIME", "since when it has been known elsewhere"}, \
    {                                                                                              \
        "expires", OPTION_TEXT, &(said).expires, "TIME", "a span (12h, 30d), a time, or never"     \
    }

/* A span from now on, a time as the API takes it, or null for never. NULL: none of these. */
static json_t *expiry_json(const char *text)
{
    char time[PICKET_TIME_TEXT_BYTES];
    int64_t unix_ms;
    if (strcmp(text, "never") == 0)
        return json_null();
    if (!picket_until_parse(text, &unix_ms))
        return NULL;
    return json_string(picket_time_format(unix_ms, time));
}

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

/* NULL after saying why. */
static json_t *said_json(const char *indicator, const struct said *said)
{
    json_t *object = json_pack("{s:s}", "indicator", indicator);
    json_t *expires = said->expires ? expiry_json(said->expires) : NULL;
    if (!object || (said->expires && !expires)) {
        complain(object ? "--expires: \"%s\" is no span (12h, 30d), time, or never"
                        : "%s: is not UTF-8",
                 object ? said->expires : indicator);
        json_decref(object);
        return NULL;
    }
    if (expires)
        json_object_set_new(object, "valid_until", expires);
    if (said->port > 0)
        json_object_set_new(object, "port", json_integer(said->port));
    if (said->confidence >= 0)
        json_object_set_new(object, "confidence", json_integer(said->confidence));
    set_text(object, "protocol", said->protocol);
    set_text(object, "severity", said->severity);
    set_text(object, "tlp", said->tlp);
    set_text(object, "tags", said->tags);
    set_text(object, "malware", said->malware);
    set_text(object, "reference", said->reference);
    set_text(object, "listed", said->listed);
    return object;
}

/* NULL after saying why. */
static json_t *body_of(const struct operands *operands, const struct said *said)
{
    json_t *array = json_array();
    for (int i = 0; i < operands->count; i++) {
        json_t *object = said_json(operands->words[i], said);
        if (!object) {
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, object);
    }
    json_t *body = json_pack("{s:o}", "indicators", array);
    set_text(body, "list", said->list);
    return body;
}

/* ---- add, change, remove ---- */

static void print_changed(const json_t *answer)
{
    static const char *const counts[] = {"added", "changed", "removed", "unchanged"};
    char *list = text_printable_copy(member_text(answer, "list"));
    bool first = true;
    printf("%s:", list);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (!json_object_get(answer, counts[i]))
            continue;
        printf("%s %lld %s", first ? "" : ",", member_number(answer, counts[i]), counts[i]);
        first = false;
    }
    putchar('\n');
    fflush(stdout);
    free(list);
    size_t index;
    json_t *special;
    json_array_foreach(json_object_get(answer, "special_purpose"), index, special)
    {
        fprintf(stderr, "%s: %s; raises no alert unless the list matches such addresses\n",
                member_text(special, "indicator"), member_text(special, "is"));
    }
}

static int change(const char *socket_path, const char *method, const struct operands *operands,
                  const struct said *said, bool as_json)
{
    struct client_url url;
    json_t *body = body_of(operands, said);
    if (!body)
        return EXIT_USAGE;
    client_url(&url, path, NULL);
    return client_change(socket_path, method, &url, body, as_json, print_changed);
}

static int run_said(const struct command *command, int argc, char **argv, const char *method)
{
    const char *socket_path = NULL;
    bool as_json = false;
    struct said said = {.confidence = -1};
    const struct option_spec options[] = {
        KEY_OPTIONS(said),
        SAID_OPTIONS(said),
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    return change(socket_path, method, &operands, &said, as_json);
}

static int run_add(const struct command *command, int argc, char **argv)
{
    return run_said(command, argc, argv, "POST");
}

const struct command command_intel_add = {
    "intel add", "INDICATOR...", "Puts indicators on a kept list",
    "INDICATOR is an address, ADDRESS/LENGTH, FIRST-LAST, or ADDRESS:PORT. All are\n"
    "taken or none; they are matched when the command returns. One that the list has\n"
    "takes over what is said now. The list \"local\" is always there; others are made\n"
    "by picket feed add NAME --kept.\n"
    "\n"
    "  picket intel add 203.0.113.9 --tags \"seen in our logs\" --expires 30d\n"
    "  picket intel add 198.51.100.0/24 --port 443 --confidence 60\n",
    run_add};

static int run_change(const struct command *command, int argc, char **argv)
{
    return run_said(command, argc, argv, "PATCH");
}

const struct command command_intel_change = {
    "intel change", "INDICATOR...", "Changes what a kept list says of indicators",
    "What no option gives stays as it is. --port and --protocol say which are meant.\n"
    "\n"
    "  picket intel change 203.0.113.9 --expires never --confidence 95\n",
    run_change};

static int run_remove(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    struct said said = {.confidence = -1};
    const struct option_spec options[] = {
        KEY_OPTIONS(said),
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    return change(socket_path, "DELETE", &operands, &said, as_json);
}

const struct command command_intel_remove = {
    "intel remove", "INDICATOR...", "Takes indicators off a kept list",
    "All or none: one that is not there is an error. Alerts that they raised stay.\n"
    "\n"
    "  picket intel remove 203.0.113.9\n"
    "  picket intel remove 198.51.100.0/24 --port 443 --list ours\n",
    run_remove};

/* ---- import ---- */

/* NULL after saying why. */
static json_t *import_body(const char *file, const struct said *said, const char *format)
{
    struct picket_error error;
    char *text;
    size_t size_bytes;
    if (file_read(file, import_bytes_max, &text, &size_bytes, &error) != PICKET_OK) {
        complain("%s", error.text);
        return NULL;
    }
    json_t *content = json_stringn(text, size_bytes);
    free(text);
    json_t *body = content ? json_pack("{s:o, s:s, s:s*, s:s*}", "text", content, "source", file,
                                       "list", said->list, "format", format)
                           : NULL;
    if (!body)
        complain("%s: is not text in UTF-8", file);
    else if (said->confidence >= 0)
        json_object_set_new(body, "confidence", json_integer(said->confidence));
    return body;
}

static int run_import(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *format = NULL;
    bool as_json = false;
    struct said said = {.confidence = -1};
    const struct option_spec options[] = {
        LIST_OPTION(said),
        {"format", OPTION_TEXT, &format, "FORMAT", "as of a feed; auto (default)"},
        {"confidence", OPTION_NUMBER, &said.confidence, "0..100", "of those that bring none"},
        {"json", OPTION_FLAG, &as_json, NULL, "print the report as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *body = import_body(operands.words[0], &said, format);
    if (!body)
        return EXIT_FAILED;
    client_url(&url, "/v1/intelligence/indicators/import", NULL);
    return client_change(socket_path, "POST", &url, body, as_json, feed_report_print);
}

const struct command command_intel_import = {
    "intel import", "FILE", "Puts what a file has on a kept list",
    "FILE (- is standard input), of up to 24 MiB, is read as feeds are: plain lists,\n"
    "CSV, JSON, whatever picket feed add takes. What it has is put onto what the list\n"
    "has; nothing is taken off. Lines that are not understood are shown.\n"
    "\n"
    "  picket intel import incident-42.csv --list ours --confidence 80\n",
    run_import};

/* ---- list ---- */

static const struct table_column indicator_columns[] = {
    {"INDICATOR", .cut_to = 0},
    {"PORT", .right = true, .leave_out = 4},
    {"PROTOCOL", .leave_out = 3},
    {"CONFIDENCE", .right = true, .leave_out = 6},
    {"SINCE", .leave_out = 5},
    {"VALID UNTIL", .leave_out = 7},
    {"MALWARE", .cut_to = 16, .leave_out = 2},
    {"TAGS", .cut_to = 28, .leave_out = 8},
    {"REFERENCE", .cut_to = 24, .leave_out = 1},
};

static void print_indicators(const json_t *indicators)
{
    struct table table;
    size_t index;
    json_t *indicator;
    table_begin(&table, "indicators", indicator_columns, 9);
    json_array_foreach(indicators, index, indicator)
    {
        table_cell(&table, "%s", member_text(indicator, "indicator"));
        if (member_number(indicator, "port"))
            table_cell(&table, "%lld", member_number(indicator, "port"));
        else
            table_cell(&table, "any");
        table_cell(&table, "%s",
                   *member_text(indicator, "protocol") ? member_text(indicator, "protocol")
                                                       : "any");
        table_cell(&table, "%lld", member_number(indicator, "confidence"));
        table_time(&table, member_time(indicator, "since"));
        table_time(&table, member_time(indicator, "valid_until"));
        table_cell(&table, "%s", member_shown(indicator, "malware"));
        table_cell(&table, "%s", member_shown(indicator, "tags"));
        table_cell(&table, "%s", member_shown(indicator, "reference"));
    }
    table_end(&table);
}

struct wanted {
    const char *list, *address;
    bool expired;
};

static int read_page(const char *socket_path, const struct wanted *wanted, const char *after,
                     json_t **answer)
{
    struct client_url url;
    client_url(&url, path, NULL);
    client_url_query_number(&url, "limit", PAGE);
    if (wanted->list)
        client_url_query(&url, "list", wanted->list);
    if (wanted->address)
        client_url_query(&url, "address", wanted->address);
    if (wanted->expired)
        client_url_query(&url, "expired", "true");
    if (after)
        client_url_query(&url, "after", after);
    return client_call(socket_path, "GET", &url, NULL, answer);
}

static int read_all(const char *socket_path, const struct wanted *wanted, json_t *indicators)
{
    json_t *answer = NULL, *next = NULL;
    int result;
    do {
        result = read_page(socket_path, wanted, json_string_value(next), &answer);
        json_decref(next);
        if (result != EXIT_DONE)
            return result;
        json_array_extend(indicators, json_object_get(answer, "indicators"));
        next = json_incref(json_object_get(answer, "next"));
        json_decref(answer);
    } while (json_is_string(next));
    json_decref(next);
    return result;
}

static int run_list(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    struct wanted wanted = {0};
    const struct option_spec options[] = {
        LIST_OPTION(wanted),
        {"address", OPTION_TEXT, &wanted.address, "ADDRESS", "those that cover it"},
        {"expired", OPTION_FLAG, &wanted.expired, NULL, "those that are not valid any more"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON array"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *indicators = json_array();
    result = read_all(socket_path, &wanted, indicators);
    if (result == EXIT_DONE && as_json)
        print_json(indicators);
    else if (result == EXIT_DONE)
        print_indicators(indicators);
    json_decref(indicators);
    return result;
}

const struct command command_intel_list = {
    "intel list", "", "Lists the indicators of a kept list",
    "Those in force, in the order of their addresses. What has expired is kept for 30\n"
    "days, and shown by --expired.\n"
    "\n"
    "  picket intel list\n"
    "  picket intel list --list ours --address 203.0.113.9\n",
    run_list};

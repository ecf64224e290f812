/* picket twin show | set */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "page.h"
#include "table.h"
#include "text.h"

/* ---- show ---- */

enum { NAME_BYTES = 512, LABEL_COLUMN = 10 };

/* A device's answer to what is desired: {"value":…,"ac":200,"av":7,"ad":"…"}. */
static bool is_answer(const json_t *reported)
{
    return json_is_integer(json_object_get(reported, "ac")) &&
           json_is_integer(json_object_get(reported, "av"));
}

/* A component or another object goes on below. */
static bool goes_on(const json_t *value)
{
    return json_is_object(value) && !is_answer(value);
}

static void cell_value(struct table *table, const json_t *value)
{
    char *text =
        value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    table_cell(table, "%s", text ? text : "-");
    free(text);
}

/* What became of it: as the device answers, and whether that answer is to the last change. */
static void cell_state(struct table *table, const json_t *desired, const json_t *metadata,
                       const json_t *reported)
{
    json_int_t changed = json_integer_value(json_object_get(metadata, "$lastUpdatedVersion"));
    json_int_t code = json_integer_value(json_object_get(reported, "ac"));
    json_int_t answered = json_integer_value(json_object_get(reported, "av"));
    const char *words = json_string_value(json_object_get(reported, "ad"));
    bool is_answered = is_answer(reported);
    if (!is_answered)
        table_cell(table, "%s", desired ? "no answer" : "-");
    else if (desired && answered < changed)
        table_cell(table, "answered to version %lld only", (long long)answered);
    else if (code >= 200 && code < 300)
        table_cell(table, "applied%s%s", words ? ": " : "", words ? words : "");
    else
        table_cell(table, "REFUSED (%lld)%s%s", (long long)code, words ? ": " : "",
                   words ? words : "");
}

static void rows(struct table *table, const char *prefix, json_t *desired, const json_t *metadata,
                 json_t *reported);

static void row(struct table *table, const char *name, json_t *desired, const json_t *metadata,
                json_t *reported)
{
    if (goes_on(desired) || (!desired && goes_on(reported))) {
        rows(table, name, desired, metadata, goes_on(reported) ? reported : NULL);
        return;
    }
    const json_t *value = is_answer(reported) ? json_object_get(reported, "value") : reported;
    table_cell(table, "%s", name);
    cell_value(table, desired);
    cell_value(table, value);
    cell_state(table, desired, metadata, reported);
}

static void row_of(struct table *table, const char *prefix, const char *member,
                   const json_t *desired, const json_t *metadata, const json_t *reported)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", member);
    row(table, name, json_object_get(desired, member), json_object_get(metadata, member),
        json_object_get(reported, member));
}

/* Every member of either, as deep as a twin may be; what the server adds is no member. */
static void rows(struct table *table, const char *prefix, json_t *desired, const json_t *metadata,
                 json_t *reported)
{
    const char *member;
    json_t *value;
    json_object_foreach(desired, member, value)
    {
        if (*member != '$')
            row_of(table, prefix, member, desired, metadata, reported);
    }
    json_object_foreach(reported, member, value)
    {
        if (*member != '$' && !json_object_get(desired, member))
            row_of(table, prefix, member, desired, metadata, reported);
    }
}

static void print_part(const json_t *twin, const char *part)
{
    const json_t *document = json_object_get(twin, part);
    const json_t *metadata = json_object_get(document, "$metadata");
    char when[32];
    page_line(part, LABEL_COLUMN, "version %lld, changed %s", member_number(document, "$version"),
              text_time(member_time(metadata, "$lastUpdated"), when));
}

static void print_twin(const json_t *twin)
{
    static const struct table_column columns[] = {{"NAME", .leave_out = 0},
                                                  {"DESIRED", .cut_to = 30},
                                                  {"REPORTED", .cut_to = 30},
                                                  {"STATE", .leave_out = 0}};
    json_t *desired = json_object_get(twin, "desired");
    struct table table;
    print_part(twin, "desired");
    print_part(twin, "reported");
    table_begin(&table, "properties", columns, 4);
    rows(&table, "", desired, json_object_get(desired, "$metadata"),
         json_object_get(twin, "reported"));
    if (table.count > 0)
        printf("\n");
    table_end(&table);
}

static void twin_url(struct client_url *url, const char *id, const char *module)
{
    client_url(url, "/v1/devices/{id}/twin", id);
    if (module)
        client_url_query(url, "module", module);
}

static int run_show(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *module = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"module", OPTION_TEXT, &module, "ID", "of that module of the device"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    twin_url(&url, operands.words[0], module);
    return client_show(socket_path, &url, NULL, as_json, print_twin);
}

const struct command command_twin_show = {
    "twin show", "ID", "Shows what is desired and what is reported",
    "STATE is what the device answered to the last change of what is desired:\n"
    "applied, REFUSED with a code and perhaps a reason, or nothing yet.\n"
    "\n"
    "  picket twin show pump-7\n"
    "  picket twin show pump-7 --json | jq .reported\n",
    run_show};

/* ---- set ---- */

/* What is no JSON is a text, unless it begins as JSON does. NULL after saying why. */
static json_t *parse_value(const char *text)
{
    json_error_t problem;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
    if (value)
        return value;
    if (*text && !strchr("{[\"", *text))
        value = json_string(text);
    if (!value)
        complain("\"%s\" is not a JSON value: column %d: %s", text, problem.column, problem.text);
    return value;
}

/* Puts a.b=VALUE as {"a":{"b":VALUE}} into the patch. Takes the value. */
static bool put_value(json_t *patch, const char *name, size_t length, json_t *value)
{
    size_t part;
    for (part = strcspn(name, ".="); part < length; part = strcspn(name, ".=")) {
        char key[NAME_BYTES];
        if (part == 0 || part >= sizeof key)
            break;
        snprintf(key, sizeof key, "%.*s", (int)part, name);
        json_t *inner = json_object_get(patch, key);
        if (!json_is_object(inner)) {
            inner = json_object();
            json_object_set_new(patch, key, inner);
        }
        patch = inner;
        name += part + 1;
        length -= part + 1;
    }
    char key[NAME_BYTES];
    if (part == 0 || length >= sizeof key) {
        json_decref(value);
        return false;
    }
    snprintf(key, sizeof key, "%.*s", (int)length, name);
    return json_object_set_new(patch, key, value) == 0;
}

/* NAME=VALUE. False after saying why. */
static bool read_assignment(json_t *patch, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        complain("\"%s\": expected NAME=VALUE", text);
        return false;
    }
    json_t *value = parse_value(equals + 1);
    if (!value)
        return false;
    if (put_value(patch, text, (size_t)(equals - text), value))
        return true;
    complain("\"%.*s\": a name or a part of it is empty, too long, or not UTF-8",
             (int)(equals - text), text);
    return false;
}

/* NULL after saying why. */
static json_t *read_assignments(char *const *texts, int count)
{
    json_t *patch = json_object();
    for (int i = 0; i < count; i++) {
        if (!read_assignment(patch, texts[i])) {
            json_decref(patch);
            return NULL;
        }
    }
    return patch;
}

static int run_set(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *module = NULL;
    long long if_version = -1;
    bool as_json = false;
    const struct option_spec options[] = {
        {"module", OPTION_TEXT, &module, "ID", "of that module of the device"},
        {"if-version", OPTION_NUMBER, &if_version, "N", "only if the desired part has version N"},
        {"json", OPTION_FLAG, &as_json, NULL, "print the twin as a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *patch = read_assignments(operands.words + 1, operands.count - 1);
    if (!patch)
        return EXIT_USAGE;
    twin_url(&url, operands.words[0], module);
    if (if_version >= 0)
        client_url_query_number(&url, "if_version", if_version);
    return client_change(socket_path, "PATCH", &url, json_pack("{s:o}", "desired", patch), as_json,
                         print_twin);
}

const struct command command_twin_set = {
    "twin set", "ID NAME=VALUE...", "Changes what is desired of a device",
    "VALUE is JSON; what is no JSON is a text, so that quotes are seldom needed. null\n"
    "takes a name away. A dot leads into a component or another object; a component\n"
    "also wants NAME.__t=c. A text that looks like a number wants its quotes. A\n"
    "connected device is told at once; any other finds it when it connects. What\n"
    "became of it, picket twin show says.\n"
    "\n"
    "  picket twin set pump-7 NetworkActivity_Disabled=true\n"
    "  picket twin set pump-7 CollectorsCore_PriorityIntervals=30,60,1440\n"
    "  picket twin set pump-7 thermostat.__t=c thermostat.target=21.5\n"
    "  picket twin set pump-7 NetworkActivity_Disabled=null --if-version 4\n",
    run_set};

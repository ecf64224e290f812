#include "activity.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "page.h"
#include "picket/base/time.h"
#include "text.h"

enum { TIME_COLUMNS = 22, GAP = 2, INDENT = 4, WHAT_COLUMNS_MIN = 40, NAME_BYTES = 2500 };
enum { MINUTES_MS = 120000 };

/* ---- words ---- */

static void append(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *out, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, ACTIVITY_WORDS_BYTES - used, format, arguments);
    va_end(arguments);
}

static void begin_part(char *out)
{
    append(out, "%s", *out ? "; " : "");
}

static const char *credential_name(const json_t *content)
{
    const char *name = member_text(content, "authentication");
    return strcmp(name, "sas") == 0          ? "SAS token"
           : strcmp(name, "thumbprint") == 0 ? "known certificate"
           : strcmp(name, "ca") == 0         ? "certificate of a CA"
                                             : name;
}

static void say_connected(const json_t *content, char *out)
{
    const json_t *last = json_object_get(content, "last_accepted");
    char times[64];
    long long connected = member_number(content, "connected");
    long long moved = member_number(content, "moved");
    if (connected > 0) {
        begin_part(out);
        append(out, "connected %s (%s, %s, from %s)",
               connected == 1 ? "once" : text_count(connected, "time", times),
               credential_name(content), member_text(last, "tls"), member_text(last, "address"));
    }
    if (moved > 0) {
        begin_part(out);
        append(out, "MOVED to another address %s", text_count(moved, "time", times));
    }
    if (member_number(content, "held_back") > 0) {
        begin_part(out);
        append(out, "HELD BACK %s, too fast",
               text_count(member_number(content, "held_back"), "time", times));
    }
}

/* "token_expired" as "token expired". */
static void append_name(char *out, const char *name)
{
    size_t used = strlen(out);
    append(out, "%s", name);
    for (char *c = out + used; *c; c++)
        if (*c == '_')
            *c = ' ';
}

/* Of the counts whose name begins so: "refused 3 times (signature 2, token expired 1". */
static bool say_counts(const json_t *content, const char *prefix, const char *word, char *out)
{
    const char *name;
    json_t *count;
    long long sum = 0;
    const json_t *counts = json_object_get(content, "counts");
    char reasons[ACTIVITY_WORDS_BYTES] = "", times[64];
    size_t length = strlen(prefix);
    json_object_foreach((json_t *)(uintptr_t)counts, name, count)
    {
        if (strncmp(name, prefix, length) != 0)
            continue;
        sum += json_integer_value(count);
        append(reasons, "%s", *reasons ? ", " : "");
        append_name(reasons, name + length);
        append(reasons, " %lld", json_integer_value(count));
    }
    if (sum == 0)
        return false;
    begin_part(out);
    append(out, "%s %s (%s", word, sum == 1 ? "once" : text_count(sum, "time", times), reasons);
    return true;
}

static void say_refused(const json_t *content, char *out)
{
    const json_t *last = json_object_get(content, "last_refused");
    if (say_counts(content, "hub_refused_", "REFUSED", out))
        append(out, "; last from %s)", member_text(last, "address"));
}

static void say_ended(const json_t *content, char *out)
{
    if (say_counts(content, "hub_ended_", "ended", out))
        append(out, ")");
}

static void say_messages(const json_t *content, char *out)
{
    const json_t *sent = json_object_get(content, "d2c");
    long long messages = member_number(sent, "messages"),
              security = member_number(sent, "security");
    char count[64], bytes[32];
    if (messages > 0) {
        begin_part(out);
        append(out, "%s (%lld security), %s", text_count(messages, "message", count), security,
               text_bytes(member_number(sent, "bytes"), bytes));
    }
    if (member_number(sent, "dropped") > 0) {
        begin_part(out);
        append(out, "%s DROPPED, the log was full",
               text_count(member_number(sent, "dropped"), "message", count));
    }
}

/* "twin: gets 3, reports 2": each member by its name. */
static void say_group(const json_t *content, const char *group, const char *title, char *out)
{
    const json_t *object = json_object_get(content, group);
    const char *name;
    json_t *count;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)object, name, count)
    {
        if (first)
            begin_part(out);
        append(out, "%s%s", first ? title : "", first ? ": " : ", ");
        append_name(out, name);
        append(out, " %lld", json_integer_value(count));
        first = false;
    }
}

static void say_last_trespass(const json_t *content, char *out)
{
    const json_t *last = json_object_get(content, "last_unauthorized");
    if (last)
        append(out, ", last %s %s", member_text(last, "operation"), member_text(last, "topic"));
}

static void say_trespasses(const json_t *content, char *out)
{
    say_group(content, "unauthorized", "UNAUTHORIZED", out);
    say_last_trespass(content, out);
}

static void say_lasting_trespasses(const json_t *content, char *out)
{
    char times[64], span[32];
    append(out, "KEEPS REACHING for what is not its own: %s within %s",
           text_count(member_number(content, "operations"), "time", times),
           text_span(member_number(content, "seconds"), span));
    say_last_trespass(content, out);
}

/* Of what was told within a minute or two, that is said by its time. */
static void say_span(const json_t *content, const char *received, char *out)
{
    char span[32];
    int64_t received_ms;
    int64_t since_ms = member_number(content, "since_ms");
    if (picket_time_parse(received, &received_ms) && since_ms > 0 &&
        received_ms - since_ms >= MINUTES_MS)
        append(out, ", within %s", text_span((received_ms - since_ms) / 1000, span));
}

const char *activity_words(const json_t *content, const char *received,
                           char out[ACTIVITY_WORDS_BYTES])
{
    out[0] = 0;
    if (strcmp(member_text(content, "about"), "unauthorized") == 0) {
        say_lasting_trespasses(content, out);
        return out;
    }
    say_connected(content, out);
    say_refused(content, out);
    say_trespasses(content, out);
    say_ended(content, out);
    say_messages(content, out);
    say_group(content, "c2d", "messages to it", out);
    say_group(content, "methods", "methods", out);
    say_group(content, "twin", "twin", out);
    say_span(content, received, out);
    return out;
}

/* ---- a list ---- */

static const char *device_name(const json_t *event, char name[NAME_BYTES])
{
    char whole[600];
    snprintf(whole, sizeof whole, "%s%s%s", member_text(event, "device"),
             *member_text(event, "module") ? "/" : "", member_text(event, "module"));
    return text_printable(whole, name, NAME_BYTES);
}

/* Where what happened stands: behind the name, or below it, if there is little room. */
struct layout {
    size_t device_columns; /* 0: the device is not named */
    size_t what_column;
    bool below;
};

static struct layout lay_out(const json_t *events, bool with_device)
{
    struct layout layout = {with_device ? strlen("DEVICE") : 0, TIME_COLUMNS, false};
    size_t index, terminal = text_terminal_columns();
    json_t *event;
    char name[NAME_BYTES];
    json_array_foreach(events, index, event)
    {
        size_t width = with_device ? text_width(device_name(event, name)) : 0;
        if (width > layout.device_columns)
            layout.device_columns = width;
    }
    if (with_device)
        layout.what_column += layout.device_columns + GAP;
    layout.below = terminal > 0 && terminal < layout.what_column + WHAT_COLUMNS_MIN;
    if (layout.below)
        layout.what_column = INDENT;
    return layout;
}

static void print_name(const char *name, const struct layout *layout)
{
    size_t width = text_width(name);
    size_t padding = width < layout->device_columns ? layout->device_columns - width + GAP : GAP;
    printf("%s%*s", name, layout->below ? 0 : (int)padding, "");
}

static void print_event(const json_t *event, const struct layout *layout)
{
    const json_t *content = json_object_get(event, "content");
    char words[ACTIVITY_WORDS_BYTES], when[32], since[PICKET_TIME_TEXT_BYTES], name[NAME_BYTES];
    long long since_ms = member_number(content, "since_ms");
    text_time(since_ms > 0 ? picket_time_format(since_ms, since) : member_time(event, "received"),
              when);
    printf("%-*s", TIME_COLUMNS, when);
    if (layout->device_columns > 0)
        print_name(device_name(event, name), layout);
    if (layout->below)
        printf("\n%*s", INDENT, "");
    page_text(layout->what_column, layout->what_column,
              activity_words(content, member_text(event, "received"), words));
}

void activity_print(const json_t *events, bool with_device)
{
    size_t index;
    json_t *event;
    const struct layout layout = lay_out(events, with_device);
    if (with_device) {
        printf("%-*s", TIME_COLUMNS, "SINCE");
        print_name("DEVICE", &layout);
        puts(layout.below ? "" : "WHAT");
    }
    json_array_foreach(events, index, event)
    {
        print_event(event, &layout);
    }
}

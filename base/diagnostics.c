#include "picket/base/diagnostics.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picket/base/time.h"

enum { MESSAGE_BYTES = 1000, LIMIT_WINDOW_MS = 1000, LIMIT_LINES = 10 };

static const char *const level_names[] = {"error", "warning", "notice", "debug"};
static atomic_int threshold_now = PICKET_NOTICE;
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;

void picket_diagnostics_threshold(enum picket_level threshold)
{
    atomic_store(&threshold_now, (int)threshold);
}

int picket_level_named(const char *name)
{
    for (int level = PICKET_ERROR; level <= PICKET_DEBUG; level++)
        if (strcmp(name, level_names[level]) == 0)
            return level;
    return -1;
}

/* A line under construction: what does not fit is cut off, the end always has room. */
struct line {
    char text[6 * MESSAGE_BYTES + 200]; /* a byte becomes at most six: \u00xx */
    size_t used;
};

static void add(struct line *line, const char *text, size_t size_bytes)
{
    size_t room = sizeof line->text - 1 - line->used;
    if (size_bytes > room)
        size_bytes = room;
    memcpy(line->text + line->used, text, size_bytes);
    line->used += size_bytes;
}

static void add_text(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

/* U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069: line ends and direction marks, by which a
 * name could make a line read otherwise than it is. Text holds one whole character of three bytes.
 */
static bool turns_text(const unsigned char *text)
{
    if (text[0] != 0xe2)
        return false;
    if (text[1] == 0x80)
        return text[2] == 0x8e || text[2] == 0x8f || (text[2] >= 0xa8 && text[2] <= 0xae);
    return text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9;
}

/* Bytes of the UTF-8 character that text begins with; 0 if it is none, or a control character. */
static size_t printable_utf8(const unsigned char *text)
{
    if (text[0] < 0x80)
        return text[0] >= 0x20 && text[0] != 0x7f;
    size_t size = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    bool surrogate = text[0] == 0xed && text[1] > 0x9f;
    bool beyond = text[0] == 0xf4 && text[1] > 0x8f;
    bool c1_control = text[0] == 0xc2 && text[1] < 0xa0;
    return overlong || surrogate || beyond || c1_control || turns_text(text) ? 0 : size;
}

/* Whatever a terminal or a log reader could take for more than text is written as its number. */
static void add_printable(struct line *line, const char *text, bool json)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        size_t size = printable_utf8(at);
        if (json && (*at == '"' || *at == '\\')) {
            add_text(line, "\\");
            add(line, (const char *)at++, 1);
        } else if (size > 0) {
            add(line, (const char *)at, size);
            at += size;
        } else {
            char escape[8];
            snprintf(escape, sizeof escape, json ? "\\u%04x" : "\\x%02x", *at++);
            add_text(line, escape);
        }
    }
}

static bool wants_json(void)
{
    const char *format = getenv("PICKET_LOG_FORMAT");
    return format != NULL && strcmp(format, "json") == 0;
}

/* One write(), so that lines of several threads and processes stay whole. */
static void write_line(const struct line *line)
{
    size_t done = 0;
    while (done < line->used) {
        ssize_t written = write(STDERR_FILENO, line->text + done, line->used - done);
        if (written <= 0)
            return;
        done += (size_t)written;
    }
}

static void say(enum picket_level level, const char *part, const char *message)
{
    struct line line = {.used = 0};
    char time[PICKET_TIME_TEXT_BYTES];
    picket_time_format(picket_unix_ms(), time);
    bool json = wants_json();
    add_text(&line, json ? "{\"time\":\"" : "");
    add_text(&line, time);
    add_text(&line, json ? "\",\"level\":\"" : " ");
    add_text(&line, level_names[level]);
    add_text(&line, json ? "\",\"part\":\"" : " ");
    add_printable(&line, part, json);
    add_text(&line, json ? "\",\"message\":\"" : ": ");
    add_printable(&line, message, json);
    add_text(&line, json ? "\"}\n" : "\n");
    write_line(&line);
}

void picket_say(enum picket_level level, const char *part, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&threshold_now, memory_order_relaxed))
        return;
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    say(level, part, message);
}

/* True if a line may pass now; *held_back is then what was held back since the last one. */
static bool admit(struct picket_say_limit *limit, uint64_t *held_back)
{
    int64_t now = picket_monotonic_ms();
    pthread_mutex_lock(&limit_lock);
    if (limit->passed == 0 || now - limit->window_ms >= LIMIT_WINDOW_MS) {
        limit->window_ms = now;
        limit->passed = 0;
    }
    bool passes = limit->passed < LIMIT_LINES;
    if (passes) {
        *held_back = limit->held_back;
        limit->held_back = 0;
        limit->passed++;
    } else {
        limit->held_back++;
    }
    pthread_mutex_unlock(&limit_lock);
    return passes;
}

void picket_say_limited(struct picket_say_limit *limit, enum picket_level level, const char *part,
                        const char *format, ...)
{
    uint64_t held_back;
    if ((int)level > atomic_load_explicit(&threshold_now, memory_order_relaxed) ||
        !admit(limit, &held_back))
        return;
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (held_back > 0) {
        size_t used = strlen(message);
        snprintf(message + used, sizeof message - used, " (%llu more like it were held back)",
                 (unsigned long long)held_back);
    }
    say(level, part, message);
}

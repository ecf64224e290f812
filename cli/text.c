#include "text.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "picket/base/time.h"

enum { COLUMNS_MIN = 40 };

/* Length of the character at text, and its columns; length 0: not to be shown. */
static size_t character(const char *text, mbstate_t *state, int *columns)
{
    wchar_t wide;
    size_t length = mbrtowc(&wide, text, MB_CUR_MAX, state);
    if (length == 0 || length == (size_t)-1 || length == (size_t)-2) {
        memset(state, 0, sizeof *state);
        return 0;
    }
    *columns = wcwidth(wide);
    return *columns > 0 && iswprint((wint_t)wide) ? length : 0;
}

char *text_printable(const char *text, char *out, size_t size_bytes)
{
    mbstate_t state;
    size_t used = 0;
    memset(&state, 0, sizeof state);
    while (*text) {
        int columns;
        size_t length = character(text, &state, &columns);
        char escaped[5];
        snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned char)*text);
        const char *piece = length ? text : escaped;
        size_t piece_bytes = length ? length : 4;
        if (used + piece_bytes >= size_bytes)
            break;
        memcpy(out + used, piece, piece_bytes);
        used += piece_bytes;
        text += length ? length : 1;
    }
    out[used] = 0;
    return out;
}

char *text_printable_copy(const char *text)
{
    size_t size_bytes = 4 * strlen(text) + 1;
    char *copy = malloc(size_bytes);
    if (!copy)
        abort();
    return text_printable(text, copy, size_bytes);
}

char *text_formatted(const char *format, va_list arguments)
{
    char *text;
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    return text;
}

size_t text_width(const char *text)
{
    mbstate_t state;
    size_t width = 0;
    memset(&state, 0, sizeof state);
    while (*text) {
        int columns = 1;
        size_t length = character(text, &state, &columns);
        width += length ? (size_t)columns : 1;
        text += length ? length : 1;
    }
    return width;
}

size_t text_fit(const char *text, size_t columns)
{
    mbstate_t state;
    size_t used = 0, width = 0;
    memset(&state, 0, sizeof state);
    while (text[used]) {
        int wide = 1;
        size_t length = character(text + used, &state, &wide);
        if (width + (length ? (size_t)wide : 1) > columns)
            break;
        width += length ? (size_t)wide : 1;
        used += length ? length : 1;
    }
    return used;
}

char *text_bytes(long long bytes, char *out)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    snprintf(out, 32, "%.*f %s", unit > 0 && value < 9.95 ? 1 : 0, value, units[unit]);
    return out;
}

char *text_count(long long count, const char *noun, char *out)
{
    snprintf(out, 64, "%lld %.40s%s", count, noun, count == 1 ? "" : "s");
    return out;
}

static char *two_units(char *out, long long whole, const char *unit, long long rest,
                       const char *rest_unit)
{
    if (rest == 0)
        snprintf(out, 32, "%lld %s", whole, unit);
    else
        snprintf(out, 32, "%lld %s %lld %s", whole, unit, rest, rest_unit);
    return out;
}

char *text_span(long long seconds, char *out)
{
    if (seconds < 60)
        return two_units(out, seconds, "s", 0, "");
    if (seconds < 3600)
        return two_units(out, seconds / 60, "min", seconds % 60, "s");
    if (seconds < 86400)
        return two_units(out, seconds / 3600, "h", seconds % 3600 / 60, "min");
    return two_units(out, seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

char *text_user(long long uid, char *out)
{
    const struct passwd *user = getpwuid((uid_t)uid);
    if (user)
        text_printable(user->pw_name, out, 64);
    else
        snprintf(out, 64, "uid %lld", uid);
    return out;
}

char *text_time(const char *rfc3339, char *out)
{
    size_t seconds = rfc3339 ? strcspn(rfc3339, ".") : 0;
    if (!rfc3339)
        snprintf(out, 32, "-");
    else if (rfc3339[seconds])
        snprintf(out, 32, "%.*sZ", (int)(seconds < 30 ? seconds : 30), rfc3339);
    else
        snprintf(out, 32, "%.31s", rfc3339);
    return out;
}

char *text_ago(const char *rfc3339, int64_t now_ms, char *out)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    int64_t then_ms;
    if (!rfc3339 || !picket_time_parse(rfc3339, &then_ms))
        return text_time(rfc3339, out);
    int64_t seconds = (now_ms - then_ms) / 1000;
    bool ahead = seconds < 0;
    seconds = ahead ? -seconds : seconds;
    int unit = 0;
    while (seconds < units[unit].seconds && units[unit].seconds > 1)
        unit++;
    snprintf(out, 32, "%s%lld%c%s", ahead ? "in " : "", (long long)(seconds / units[unit].seconds),
             units[unit].letter, ahead ? "" : " ago");
    return out;
}

bool text_may_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

size_t text_terminal_columns(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 0;
    return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
}

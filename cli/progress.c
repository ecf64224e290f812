#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "picket/base/time.h"
#include "text.h"

enum { BAR_COLUMNS = 24, COLUMNS_USUAL = 80, RATE_FROM_MS = 300 };

void progress_begin(struct progress *progress)
{
    progress->is_shown = isatty(STDERR_FILENO) == 1;
    progress->begun_ms = picket_monotonic_ms();
}

/* "1.2 M", "340 k", "97" */
static char *short_number(double number, char out[32])
{
    if (number >= 1e6)
        snprintf(out, 32, "%.1f M", number / 1e6);
    else if (number >= 1e4)
        snprintf(out, 32, "%.0f k", number / 1e3);
    else
        snprintf(out, 32, "%.0f", number);
    return out;
}

char *progress_line(int64_t done, int64_t all, int64_t events, int64_t time_ms, const char *tail,
                    int columns, char out[PROGRESS_LINE_BYTES])
{
    char bar[BAR_COLUMNS + 1], number[32], rate[64] = "", left[64] = "", span[32];
    double part = all > 0 ? (double)done / (double)all : 0;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    for (int i = 0; i < BAR_COLUMNS; i++)
        bar[i] = (double)i < part * BAR_COLUMNS ? '#' : '-';
    bar[BAR_COLUMNS] = 0;
    if (time_ms >= RATE_FROM_MS && events > 0)
        snprintf(rate, sizeof rate, "  %s events/s",
                 short_number((double)events * 1000 / (double)time_ms, number));
    if (time_ms >= RATE_FROM_MS && part > 0 && part < 1)
        snprintf(left, sizeof left, "  %s left",
                 text_span((long long)((double)time_ms * (1 - part) / part / 1000) + 1, span));
    snprintf(out, PROGRESS_LINE_BYTES, "[%s] %3.0f %%%s%s  %s", bar, part * 100, rate, left, tail);
    if (columns > 0 && columns < PROGRESS_LINE_BYTES)
        out[text_fit(out, (size_t)columns)] = 0;
    return out;
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1
                                                                           : COLUMNS_USUAL - 1;
}

void progress_show(const struct progress *progress, int64_t done, int64_t all, int64_t events,
                   const char *tail)
{
    char line[PROGRESS_LINE_BYTES];
    if (!progress->is_shown)
        return;
    int64_t time_ms = picket_monotonic_ms() - progress->begun_ms;
    fprintf(stderr, "\r\033[K%s", progress_line(done, all, events, time_ms, tail, columns(), line));
    fflush(stderr);
}

void progress_end(const struct progress *progress)
{
    if (!progress->is_shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

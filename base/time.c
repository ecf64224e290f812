#include "picket/base/time.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MS_PER_S = 1000, S_PER_DAY = 86400 };

/* From 0000-01-01 to 9999-12-31T23:59:59, what RFC 3339 can write. */
static const int64_t seconds_min = -62167219200;
static const int64_t seconds_max = 253402300799;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

int64_t picket_unix_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t picket_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar. Counted in years that begin in March,
 * so that the leap day is the last of its year. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    int64_t march_year = month > 2 ? year : year - 1;
    int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

char *picket_time_format(int64_t unix_ms, char *out)
{
    int64_t seconds = unix_ms / MS_PER_S;
    int milliseconds = (int)(unix_ms % MS_PER_S);
    if (milliseconds < 0) {
        milliseconds += MS_PER_S;
        seconds--;
    }
    if (seconds < seconds_min)
        seconds = seconds_min;
    if (seconds > seconds_max)
        seconds = seconds_max;
    time_t time = (time_t)seconds;
    struct tm utc;
    gmtime_r(&time, &utc);
    snprintf(out, PICKET_TIME_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
             (utc.tm_year + 1900) % 10000, (utc.tm_mon + 1) % 100, utc.tm_mday % 100,
             utc.tm_hour % 100, utc.tm_min % 100, utc.tm_sec % 100, milliseconds);
    return out;
}

/* Exactly `digits` decimal digits; moves *text behind them. */
static bool take_number(const char **text, int digits, int *number)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)(*text)[i]))
            return false;
        value = value * 10 + ((*text)[i] - '0');
    }
    *text += digits;
    *number = value;
    return true;
}

static bool take_character(const char **text, char wanted)
{
    if (toupper((unsigned char)**text) != wanted)
        return false;
    (*text)++;
    return true;
}

static bool take_date(const char **text, int64_t *days)
{
    int year, month, day;
    if (!take_number(text, 4, &year) || !take_character(text, '-') ||
        !take_number(text, 2, &month) || !take_character(text, '-') || !take_number(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

/* Digits behind the third count for nothing. */
static bool take_fraction(const char **text, int *milliseconds)
{
    *milliseconds = 0;
    if (**text != '.')
        return true;
    (*text)++;
    int digits = 0;
    for (int weight = 100; isdigit((unsigned char)**text); (*text)++, digits++, weight /= 10)
        *milliseconds += weight * (**text - '0');
    return digits > 0;
}

static bool take_offset(const char **text, int *minutes_east)
{
    *minutes_east = 0;
    if (take_character(text, 'Z'))
        return true;
    int sign = **text == '-' ? -1 : 1;
    if (**text != '+' && **text != '-')
        return false;
    (*text)++;
    int hours, minutes;
    if (!take_number(text, 2, &hours) || !take_character(text, ':') ||
        !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *minutes_east = sign * (hours * 60 + minutes);
    return true;
}

/* A second of 60 (a leap second) is the first of the next minute, as Unix time has it. */
static bool take_time(const char **text, int64_t *ms_of_day_utc)
{
    int hour, minute, second, milliseconds, minutes_east;
    if (!take_number(text, 2, &hour) || !take_character(text, ':') ||
        !take_number(text, 2, &minute) || !take_character(text, ':') ||
        !take_number(text, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!take_fraction(text, &milliseconds) || !take_offset(text, &minutes_east))
        return false;
    int64_t seconds = (int64_t)hour * 3600 + minute * 60 + second - (int64_t)minutes_east * 60;
    *ms_of_day_utc = seconds * MS_PER_S + milliseconds;
    return true;
}

static bool parse_rfc3339(const char *text, int64_t *unix_ms)
{
    int64_t days, ms_of_day = 0;
    if (!take_date(&text, &days))
        return false;
    if (*text != '\0' && ((!take_character(&text, 'T') && !take_character(&text, ' ')) ||
                          !take_time(&text, &ms_of_day)))
        return false;
    *unix_ms = days * S_PER_DAY * MS_PER_S + ms_of_day;
    return *text == '\0';
}

static int64_t unit_s(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return S_PER_DAY;
    default:
        return 0;
    }
}

static bool take_digits(const char **text, int64_t *number)
{
    *number = 0;
    if (!isdigit((unsigned char)**text))
        return false;
    for (; isdigit((unsigned char)**text); (*text)++) {
        *number = *number * 10 + (**text - '0');
        if (*number > seconds_max)
            return false;
    }
    return true;
}

static bool parse_seconds(const char *text, int64_t *unix_ms)
{
    int64_t number;
    if (!take_digits(&text, &number) || *text != '\0')
        return false;
    *unix_ms = number * MS_PER_S;
    return true;
}

bool picket_span_parse(const char *text, int64_t *span_s)
{
    int64_t number;
    if (!take_digits(&text, &number))
        return false;
    int64_t unit = unit_s(*text);
    if (unit == 0 || text[1] != '\0' || number > seconds_max / unit)
        return false;
    *span_s = number * unit;
    return true;
}

bool picket_stamp_parse(const char *text, int64_t *unix_ms)
{
    return parse_seconds(text, unix_ms) || parse_rfc3339(text, unix_ms);
}

bool picket_time_parse(const char *text, int64_t *unix_ms)
{
    int64_t span_s;
    if (picket_span_parse(text, &span_s)) {
        *unix_ms = picket_unix_ms() - span_s * MS_PER_S;
        return true;
    }
    return picket_stamp_parse(text, unix_ms);
}

bool picket_until_parse(const char *text, int64_t *unix_ms)
{
    int64_t span_s;
    if (picket_span_parse(text, &span_s)) {
        *unix_ms = picket_unix_ms() + span_s * MS_PER_S;
        return true;
    }
    return picket_stamp_parse(text, unix_ms);
}

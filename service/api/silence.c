#include "silence.h"
#include "picket/service/intel.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

enum { WORD_BYTES = 600, COMMAND_BYTES = 2000 };

/* As one word of a shell's command line. */
static const char *word(const char *text, char out[WORD_BYTES])
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/@%,=";
    size_t used = 0;
    if (*text && strspn(text, plain) == strlen(text)) {
        snprintf(out, WORD_BYTES, "%s", text);
        return out;
    }
    out[used++] = '\'';
    for (; *text && used < WORD_BYTES - 6; text++) {
        if (*text == '\'') {
            memcpy(out + used, "'\\''", 4);
            used += 4;
        } else {
            out[used++] = *text;
        }
    }
    out[used++] = '\'';
    out[used] = '\0';
    return out;
}

static void add(json_t *commands, const char *effect, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(json_t *commands, const char *effect, const char *format, ...)
{
    char command[COMMAND_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    json_array_append_new(commands, json_pack("{s:s, s:s}", "command", command, "effect", effect));
}

/* ---- of an indicator ---- */

static void add_suppressions(json_t *commands, const char *device, const char *indicator)
{
    char quoted[WORD_BYTES];
    add(commands,
        "this device may talk to the indicator for 30 days without anybody being told; it is "
        "recorded and counted",
        "picket suppression add --device %s --indicator %s --until 30d --reason TEXT",
        word(device, quoted), indicator);
    add(commands, "the same for all devices",
        "picket suppression add --indicator %s --until 30d --reason TEXT", indicator);
}

/* Of each feed once: the indicators are in the order of narrowest first. */
static bool is_named_before(const json_t *indicators, size_t index)
{
    const char *feed = text_member(json_array_get(indicators, index), "feed");
    for (size_t i = 0; i < index; i++)
        if (strcmp(text_member(json_array_get(indicators, i), "feed"), feed) == 0)
            return true;
    return false;
}

static void add_kept(json_t *commands, const json_t *indicator)
{
    char quoted[WORD_BYTES], port[40] = "", protocol[32] = "";
    long long number = json_integer_value(json_object_get(indicator, "port"));
    if (number > 0)
        snprintf(port, sizeof port, " --port %lld", number);
    if (*text_member(indicator, "protocol"))
        snprintf(protocol, sizeof protocol, " --protocol %.10s",
                 text_member(indicator, "protocol"));
    add(commands, "this list has it no more; other feeds go on",
        "picket intel remove %s%s%s --list %s", text_member(indicator, "indicator"), port, protocol,
        word(text_member(indicator, "feed"), quoted));
}

/* What is gone already needs no command. */
static void add_feeds(json_t *commands, const json_t *indicators)
{
    size_t index;
    const json_t *indicator;
    json_array_foreach(indicators, index, indicator)
    {
        char quoted[WORD_BYTES];
        const char *state = text_member(json_object_get(indicator, "now"), "state");
        bool is_kept = json_is_true(json_object_get(indicator, "kept"));
        if (is_kept && strcmp(state, "gone") != 0)
            add_kept(commands, indicator);
        else if (!is_kept && strcmp(state, "feed removed") != 0 &&
                 !is_named_before(indicators, index))
            add(commands,
                "nothing that this feed lists raises an alert any more; what others list goes on",
                "picket feed remove %s", word(text_member(indicator, "feed"), quoted));
    }
}

static void add_of_indicator(json_t *commands, const json_t *alert, const json_t *indicators)
{
    const char *subject = text_member(alert, "subject");
    add_suppressions(commands, text_member(alert, "device"), subject);
    add(commands,
        "no flow to it raises an alert any more, on no device, whatever feed lists it; nothing is "
        "recorded but a count",
        "picket allow add %s --reason TEXT", subject);
    add_feeds(commands, indicators);
}

/* ---- of anything else ---- */

static void add_of_type(json_t *commands, const json_t *alert)
{
    char device[WORD_BYTES], type[WORD_BYTES];
    word(text_member(alert, "type"), type);
    if (*text_member(alert, "device"))
        add(commands,
            "alerts of this type on this device are recorded and counted for 30 days, and nobody "
            "is told",
            "picket suppression add --device %s --type %s --until 30d --reason TEXT",
            word(text_member(alert, "device"), device), type);
    add(commands, "the same wherever it happens",
        "picket suppression add --type %s --until 30d --reason TEXT", type);
}

json_t *silence_json(const json_t *alert, const json_t *indicators)
{
    json_t *commands = json_array();
    if (commands == NULL)
        return NULL;
    if (picket_is_intelligence(text_member(alert, "type")))
        add_of_indicator(commands, alert, indicators);
    else
        add_of_type(commands, alert);
    if (strcmp(text_member(alert, "status"), "new") == 0 ||
        strcmp(text_member(alert, "status"), "acknowledged") == 0)
        add(commands, "this alert is over; the next finding of its kind is a new one",
            "picket alert close %lld --verdict VERDICT --reason TEXT",
            (long long)json_integer_value(json_object_get(alert, "id")));
    return commands;
}

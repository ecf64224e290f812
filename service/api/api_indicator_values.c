#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_indicators.h"
#include "intel/formats/indicator_text.h"
#include "picket/base/time.h"
#include "picket/service/intel.h"

/* ---- members of one ---- */

/* NULL for null, too: what is not given and what is none are told apart by the caller. */
static const json_t *value_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

static int parse_number(const json_t *object, const char *name, int64_t min, int64_t max,
                        int64_t *out, struct picket_error *error)
{
    return value_of(object, name) ? api_member_number(object, name, min, max, out, error)
                                  : PICKET_OK;
}

static int parse_text(const json_t *object, const char *name, const char **out,
                      struct picket_error *error)
{
    if (!value_of(object, name))
        return PICKET_OK;
    int status = api_member_text(object, name, true, out, error);
    if (status == PICKET_OK && strlen(*out) > API_INDICATOR_TEXT_MAX)
        return picket_fail(error, PICKET_INVALID, "%s: longer than %d bytes", name,
                           API_INDICATOR_TEXT_MAX);
    return status;
}

static int parse_time(const json_t *object, const char *name, int64_t *unix_ms,
                      struct picket_error *error)
{
    const char *text = NULL;
    int status = parse_text(object, name, &text, error);
    if (status != PICKET_OK || !text)
        return status;
    if (!picket_stamp_parse(text, unix_ms) || *unix_ms <= 0)
        return picket_fail(error, PICKET_INVALID,
                           "%s: \"%.60s\" is no time (2026-11-20T23:51:17Z, its date, or Unix "
                           "seconds)",
                           name, text);
    return PICKET_OK;
}

typedef const char *(*name_of)(int number);

static const char *protocol_of(int number)
{
    return picket_protocol_name((uint8_t)(number - 1));
}

/* The number from 1 on whose name it is. */
static int parse_name(const json_t *object, const char *name, name_of named, int last, uint8_t *out,
                      struct picket_error *error)
{
    const char *text = NULL;
    char known[80] = "";
    int status = parse_text(object, name, &text, error);
    if (status != PICKET_OK || !text)
        return status;
    for (int number = 1; number <= last; number++) {
        if (strcmp(text, named(number)) == 0) {
            *out = (uint8_t)number;
            return PICKET_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", named(number));
    }
    return picket_fail(error, PICKET_INVALID, "%s: \"%.60s\" is none of %s", name, text, known);
}

static unsigned given_members(const json_t *object)
{
    static const struct {
        const char *name;
        unsigned member;
    } members[] = {{"confidence", PICKET_INDICATOR_CONFIDENCE},
                   {"severity", PICKET_INDICATOR_SEVERITY},
                   {"tlp", PICKET_INDICATOR_TLP},
                   {"tags", PICKET_INDICATOR_TAGS},
                   {"malware", PICKET_INDICATOR_MALWARE},
                   {"reference", PICKET_INDICATOR_REFERENCE},
                   {"listed", PICKET_INDICATOR_LISTED},
                   {"valid_until", PICKET_INDICATOR_VALID_UNTIL}};
    unsigned given = 0;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (json_object_get(object, members[i].name))
            given |= members[i].member;
    if (!value_of(object, "confidence"))
        given &= ~(unsigned)PICKET_INDICATOR_CONFIDENCE; /* there is always one */
    return given;
}

static int parse_said(const json_t *object, struct picket_indicator *indicator,
                      struct picket_error *error)
{
    int64_t confidence = 0;
    int status = parse_number(object, "confidence", 0, 100, &confidence, error);
    indicator->confidence = (uint8_t)confidence;
    if (status == PICKET_OK)
        status = parse_name(object, "severity", picket_severity_name, PICKET_SEVERITY_HIGH,
                            &indicator->severity, error);
    if (status == PICKET_OK)
        status = parse_name(object, "tlp", picket_tlp_name, PICKET_TLP_RED, &indicator->tlp, error);
    if (status == PICKET_OK)
        status = parse_text(object, "tags", &indicator->tags, error);
    if (status == PICKET_OK)
        status = parse_text(object, "malware", &indicator->malware, error);
    if (status == PICKET_OK)
        status = parse_text(object, "reference", &indicator->reference, error);
    if (status == PICKET_OK)
        status = parse_time(object, "listed", &indicator->listed_ms, error);
    if (status == PICKET_OK)
        status = parse_time(object, "valid_until", &indicator->valid_until_ms, error);
    return status;
}

/* ---- which one ---- */

static int parse_which(const json_t *object, struct address_range *range,
                       struct picket_indicator *indicator, struct picket_error *error)
{
    const char *text = NULL;
    int64_t port = 0;
    int status = api_member_text(object, "indicator", true, &text, error);
    if (status != PICKET_OK)
        return status;
    const char *reason = indicator_text_parse(text, strlen(text), range);
    if (reason)
        return picket_fail(error, PICKET_INVALID, "indicator: \"%.60s\": %s", text, reason);
    status = parse_number(object, "port", 1, 65535, &port, error);
    if (status == PICKET_OK && port && range->port && port != range->port)
        status = picket_fail(error, PICKET_INVALID, "port: %d, but the indicator says %u",
                             (int)port, range->port);
    indicator->port = port ? (uint16_t)port : range->port;
    if (status == PICKET_OK)
        status = parse_name(object, "protocol", protocol_of, PICKET_ICMP + 1, &indicator->protocol,
                            error);
    if (status == PICKET_OK && indicator->port && indicator->protocol == PICKET_ICMP + 1)
        status = picket_fail(error, PICKET_INVALID, "port: ICMP has none");
    return status;
}

static bool append(struct api_indicators *indicators, const struct picket_indicator_change *item,
                   size_t place)
{
    if (indicators->count == indicators->capacity) {
        size_t capacity = indicators->capacity ? 2 * indicators->capacity : 16;
        void *items = realloc(indicators->items, capacity * sizeof *indicators->items);
        if (items)
            indicators->items = items;
        void *places = items ? realloc(indicators->places, capacity * sizeof(uint32_t)) : NULL;
        if (places)
            indicators->places = places;
        if (!items || !places)
            return false;
        indicators->capacity = capacity;
    }
    indicators->places[indicators->count] = (uint32_t)place;
    indicators->items[indicators->count++] = *item;
    return true;
}

static int parse_one(struct api_indicators *indicators, const json_t *object, size_t place,
                     struct picket_error *error)
{
    struct address_range range;
    struct picket_indicator_change item = {.members = given_members(object)};
    int status = parse_which(object, &range, &item.to, error);
    if (status == PICKET_OK)
        status = parse_said(object, &item.to, error);
    while (status == PICKET_OK && address_range_next_prefix(&range, &item.to.prefix)) {
        if (indicators->count == API_PREFIXES_MAX)
            return picket_fail(error, PICKET_INVALID, "more than %d prefixes up to here",
                               API_PREFIXES_MAX);
        if (!append(indicators, &item, place))
            return picket_fail(error, PICKET_NO_MEMORY, "no memory");
    }
    return status;
}

/* ---- all of them ---- */

void api_indicators_free(struct api_indicators *indicators)
{
    free(indicators->items);
    free(indicators->places);
    memset(indicators, 0, sizeof *indicators);
}

static void fail_in_place(const struct api_indicators *indicators, size_t place,
                          struct picket_error *error)
{
    if (indicators->several)
        picket_fail_in(error, "indicators[%zu]", place);
}

void api_indicators_fail_at(const struct api_indicators *indicators, size_t item,
                            struct picket_error *error)
{
    if (item < indicators->count)
        fail_in_place(indicators, indicators->places[item], error);
}

static int parse_several(struct api_indicators *indicators, const json_t *body, const char *members,
                         struct picket_error *error)
{
    const json_t *array = json_object_get(body, "indicators"), *object;
    size_t place, count = json_array_size(array);
    int status = api_members_check(body, "list indicators", error);
    if (status != PICKET_OK)
        return status;
    if (count == 0 || count > API_INDICATORS_MAX)
        return picket_fail(error, PICKET_INVALID,
                           "indicators: expected an array of 1 to %d objects", API_INDICATORS_MAX);
    json_array_foreach(array, place, object)
    {
        status = json_is_object(object) ? api_members_check(object, members, error)
                                        : picket_fail(error, PICKET_INVALID, "expected an object");
        if (status == PICKET_OK)
            status = parse_one(indicators, object, place, error);
        if (status != PICKET_OK) {
            fail_in_place(indicators, place, error);
            return status;
        }
    }
    return PICKET_OK;
}

int api_parse_indicators(const json_t *body, const char *members, struct api_indicators *indicators,
                         struct picket_error *error)
{
    *indicators = (struct api_indicators){.list = PICKET_LIST_LOCAL,
                                          .several = json_object_get(body, "indicators") != NULL};
    int status = api_member_text(body, "list", false, &indicators->list, error);
    if (status != PICKET_OK)
        return status;
    return indicators->several ? parse_several(indicators, body, members, error)
                               : parse_one(indicators, body, 0, error);
}

/* ---- as text ---- */

char *api_indicator_place(const struct picket_indicator *indicator,
                          char out[API_INDICATOR_PLACE_BYTES])
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    snprintf(out, API_INDICATOR_PLACE_BYTES, "%s,%u,%u",
             picket_prefix_format(&indicator->prefix, prefix), indicator->port,
             indicator->protocol);
    return out;
}

bool api_parse_indicator_place(const char *text, struct picket_indicator *indicator)
{
    unsigned port, protocol;
    int end = 0;
    size_t prefix = strcspn(text, ",");
    memset(indicator, 0, sizeof *indicator);
    if (text[prefix] == 0 || sscanf(text + prefix, ",%5u,%3u%n", &port, &protocol, &end) != 2 ||
        text[prefix + end] || port > UINT16_MAX || protocol > UINT8_MAX)
        return false;
    indicator->port = (uint16_t)port;
    indicator->protocol = (uint8_t)protocol;
    return picket_prefix_parse(&indicator->prefix, text, prefix);
}

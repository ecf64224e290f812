/* Bodies of the API's requests: whatever comes in is refused with a reason or yields values in
 * range. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_indicators.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static const char members[] = "id primary_key secondary_key authentication primary_thumbprint "
                              "secondary_thumbprint name source format confidence "
                              "match_special_purpose match_own_networks role refresh_s addresses "
                              "action prefix at note list reason expires "
                              "indicators " API_INDICATOR_MEMBERS;

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void try_device(const json_t *body)
{
    struct picket_device_identity device;
    struct picket_error error = {0};
    if (api_parse_device(body, &device, &error) != PICKET_OK) {
        check(error.text[0] != 0);
        return;
    }
    check(memchr(device.id, 0, sizeof device.id) != NULL);
    check(device.primary_key_bytes <= PICKET_KEY_BYTES_MAX);
    check(device.secondary_key_bytes <= PICKET_KEY_BYTES_MAX);
    check(device.primary_thumbprint.size_bytes <= PICKET_THUMBPRINT_SHA256_BYTES);
    check(device.secondary_thumbprint.size_bytes <= PICKET_THUMBPRINT_SHA256_BYTES);
    check(device.authentication >= 0 && device.authentication <= PICKET_AUTHENTICATION_CA);
}

static void try_ip_rule(const json_t *body)
{
    struct picket_ip_rule rule;
    struct picket_error error = {0};
    int64_t at;
    if (api_parse_ip_rule(body, &rule, &at, &error) != PICKET_OK) {
        check(error.text[0] != 0);
        return;
    }
    check(at >= 0 && at <= PICKET_IP_RULES_MAX);
    check(memchr(rule.note, 0, sizeof rule.note) != NULL);
    check(picket_prefix_covers(&rule.prefix, &rule.prefix.address));
}

static void try_feed(const json_t *body)
{
    struct picket_feed feed;
    struct picket_error error = {0};
    if (api_parse_feed(body, &feed, &error) != PICKET_OK) {
        check(error.text[0] != 0);
        return;
    }
    check(memchr(feed.name, 0, sizeof feed.name) && memchr(feed.source, 0, sizeof feed.source));
    check(feed.confidence >= 0 && feed.confidence <= 100);
}

static void try_addresses(const json_t *body)
{
    static struct picket_address addresses[API_LOOKUP_MAX];
    struct picket_error error = {0};
    size_t count = 0;
    if (api_parse_addresses(body, addresses, &count, &error) != PICKET_OK)
        check(error.text[0] != 0);
    else
        check(count > 0 && count <= API_LOOKUP_MAX);
}

static void check_indicator(const struct picket_indicator *indicator)
{
    char place[API_INDICATOR_PLACE_BYTES];
    struct picket_indicator again;
    check(picket_prefix_covers(&indicator->prefix, &indicator->prefix.address));
    check(indicator->confidence <= 100 && indicator->protocol <= PICKET_ICMP + 1);
    check(indicator->severity <= PICKET_SEVERITY_HIGH && indicator->tlp <= PICKET_TLP_RED);
    check(indicator->listed_ms >= 0 && indicator->valid_until_ms >= 0);
    check(api_parse_indicator_place(api_indicator_place(indicator, place), &again));
    check(memcmp(&again.prefix, &indicator->prefix, sizeof again.prefix) == 0 &&
          again.port == indicator->port && again.protocol == indicator->protocol);
}

static void try_indicators(const json_t *body)
{
    struct api_indicators indicators;
    struct picket_error error = {0};
    if (api_parse_indicators(body, API_INDICATOR_MEMBERS, &indicators, &error) != PICKET_OK)
        check(error.text[0] != 0);
    else
        check(indicators.count > 0 && indicators.list != NULL);
    for (size_t i = 0; i < indicators.count; i++)
        check_indicator(&indicators.items[i].to);
    api_indicators_free(&indicators);
}

static void try_allow_entry(const json_t *body)
{
    struct picket_indicator entry;
    struct picket_error error = {0};
    if (api_parse_allow_entry(body, &entry, &error) != PICKET_OK) {
        check(error.text[0] != 0);
        return;
    }
    check(picket_prefix_covers(&entry.prefix, &entry.prefix.address) && entry.prefix.length > 0);
    check(entry.protocol <= PICKET_ICMP + 1 && entry.valid_until_ms >= 0);
    check(entry.tags[0] != 0);
}

static void try_suppression(const json_t *body)
{
    struct picket_suppression suppression;
    struct picket_error error = {0};
    if (api_parse_suppression(body, 1000, &suppression, &error) != PICKET_OK) {
        check(error.text[0] != 0);
        return;
    }
    check(memchr(suppression.type, 0, sizeof suppression.type) != NULL);
    check(memchr(suppression.device, 0, sizeof suppression.device) != NULL);
    check(!suppression.has_prefix ||
          picket_prefix_covers(&suppression.prefix, &suppression.prefix.address));
    check(suppression.reason != NULL && suppression.created_ms == 1000);
}

static void try_decision(const json_t *body)
{
    struct picket_alert_decision decision;
    struct alert_asked asked;
    struct picket_error error = {0};
    if (api_parse_decision(body, &decision, &error) == PICKET_OK)
        check(decision.status && decision.verdict && strlen(decision.reason) <= 1000);
    else
        check(error.text[0] != 0);
    error.text[0] = 0;
    if (api_parse_alerts_asked(body, &asked, &error) == PICKET_OK)
        check(asked.query.device || asked.query.type || asked.query.subject);
    else
        check(error.text[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    json_t *body;
    struct picket_error error = {0};
    if (api_body_parse((const char *)data, size_bytes, members, &body, &error) != PICKET_OK) {
        check(error.text[0] != 0 && body == NULL);
        return 0;
    }
    try_device(body);
    try_ip_rule(body);
    try_feed(body);
    try_addresses(body);
    try_allow_entry(body);
    try_indicators(body);
    try_suppression(body);
    try_decision(body);
    json_decref(body);
    return 0;
}

/* /v1/intelligence/lookup: which indicators cover these addresses. */
#include <stdlib.h>

#include "api_internal.h"

static void append_match(void *context, const struct picket_match *match)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    const char *protocol = match->protocol ? picket_protocol_name(match->protocol - 1) : NULL;
    const char *severity = match->severity ? picket_severity_name(match->severity) : NULL;
    json_t *object = json_pack(
        "{s:o, s:s, s:o, s:s?, s:i, s:s?, s:s?, s:o, s:o, s:o, s:I, s:o, "
        "s:o, s:o, s:b}",
        "feed", api_json_text(match->feed), "indicator",
        picket_prefix_format(&match->prefix, prefix), "port",
        match->port ? json_integer(match->port) : json_null(), "protocol", protocol, "confidence",
        (int)match->confidence, "severity", severity, "tlp", picket_tlp_name(match->tlp), "since",
        api_json_time(match->first_seen_ms), "listed", api_json_time(match->listed_ms),
        "valid_until", api_json_time(match->valid_until_ms), "line", (json_int_t)match->line,
        "tags", api_json_known(match->tags), "malware", api_json_known(match->malware), "reference",
        api_json_known(match->reference), "suppressed", match->suppressed);
    json_array_append_new(context, object);
}

static json_t *result_json(struct picket_intel *intel, const struct picket_address *address)
{
    char text[PICKET_ADDRESS_TEXT_BYTES];
    json_t *matches = json_array();
    picket_intel_lookup(intel, address, append_match, matches);
    return json_pack("{s:s, s:o, s:o}", "address", picket_address_format(address, text),
                     "special_purpose", api_json_text(picket_address_special_purpose(address)),
                     "matches", matches);
}

void api_intelligence_lookup(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    size_t count;
    struct picket_address *addresses = calloc(API_LOOKUP_MAX, sizeof *addresses);
    if (!addresses) {
        api_answer_refuse(answer, 500, "out of memory");
        return;
    }
    if (api_parse_addresses(request->body, addresses, &count, &error) == PICKET_OK) {
        json_t *results = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(results,
                                  result_json(api_config(request->api)->intel, &addresses[i]));
        api_answer_json(answer, 200, json_pack("{s:o}", "results", results));
    } else {
        api_answer_error(answer, &error);
    }
    free(addresses);
}

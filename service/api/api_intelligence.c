/* /v1/intelligence/lookup: which indicators cover these addresses, and what comes of that. */
#include <stdlib.h>

#include "api_internal.h"

/* What goes to each of the addresses. */
struct asked {
    struct picket_address *addresses;
    size_t count;
    int64_t port;     /* 0: any */
    uint8_t protocol; /* enum picket_protocol + 1; 0: any */
};

/* The matches of one address, on their way out. */
struct answering {
    json_t *matches;
    bool alerts;
};

/* The indicator of an allow list that silences one of a threat feed. */
static json_t *allowed_by_json(const struct picket_match *allow)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    if (!allow)
        return json_null();
    return json_pack("{s:o, s:s, s:I, s:o, s:o}", "feed", api_json_text(allow->feed), "indicator",
                     picket_prefix_format(&allow->prefix, prefix), "line", (json_int_t)allow->line,
                     "valid_until", api_json_time(allow->valid_until_ms), "tags",
                     api_json_known(allow->tags));
}

static void append_match(void *context, const struct picket_match *match)
{
    struct answering *answering = context;
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    const char *protocol = match->protocol ? picket_protocol_name(match->protocol - 1) : NULL;
    const char *severity = match->severity ? picket_severity_name(match->severity) : NULL;
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:o, s:s?, s:i, s:s?, s:s?, s:o, s:o, s:o, s:I, s:o, "
        "s:o, s:o, s:b, s:s, s:o}",
        "feed", api_json_text(match->feed), "role", picket_feed_role_name(match->role), "indicator",
        picket_prefix_format(&match->prefix, prefix), "port",
        match->port ? json_integer(match->port) : json_null(), "protocol", protocol, "confidence",
        (int)match->confidence, "severity", severity, "tlp", picket_tlp_name(match->tlp), "since",
        api_json_time(match->first_seen_ms), "listed", api_json_time(match->listed_ms),
        "valid_until", api_json_time(match->valid_until_ms), "line", (json_int_t)match->line,
        "tags", api_json_known(match->tags), "malware", api_json_known(match->malware), "reference",
        api_json_known(match->reference), "suppressed", match->suppressed, "outcome",
        picket_outcome_name(match->outcome), "allowed_by", allowed_by_json(match->allowed_by));
    json_array_append_new(answering->matches, object);
    answering->alerts |= match->outcome == PICKET_OUTCOME_ALERT;
}

static json_t *own_network_json(struct picket_intel *intel, const struct picket_address *address)
{
    struct picket_prefix prefix;
    char text[PICKET_PREFIX_TEXT_BYTES];
    if (!picket_intel_own_network(intel, address, &prefix))
        return json_null();
    return json_string(picket_prefix_format(&prefix, text));
}

json_t *api_json_looked_up(struct picket_intel *intel, const struct picket_address *address,
                           uint16_t port, uint8_t protocol)
{
    char text[PICKET_ADDRESS_TEXT_BYTES];
    struct answering answering = {json_array(), false};
    picket_intel_lookup_flow(intel, address, port, protocol, append_match, &answering);
    return json_pack("{s:s, s:o, s:o, s:b, s:o}", "address", picket_address_format(address, text),
                     "special_purpose", api_json_text(picket_address_special_purpose(address)),
                     "own_network", own_network_json(intel, address), "alerts", answering.alerts,
                     "matches", answering.matches);
}

static int parse_protocol(const json_t *body, uint8_t *protocol, struct picket_error *error)
{
    const char *name = NULL;
    int status = api_member_text(body, "protocol", false, &name, error);
    return status == PICKET_OK && name ? api_parse_protocol(name, protocol, error) : status;
}

static int parse_asked(const json_t *body, struct asked *asked, struct picket_error *error)
{
    int status = api_parse_addresses(body, asked->addresses, &asked->count, error);
    if (status == PICKET_OK)
        status = api_member_number(body, "port", 1, UINT16_MAX, &asked->port, error);
    if (status == PICKET_OK)
        status = parse_protocol(body, &asked->protocol, error);
    return status;
}

void api_intelligence_lookup(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct asked asked = {.addresses = calloc(API_LOOKUP_MAX, sizeof *asked.addresses)};
    if (!asked.addresses) {
        api_answer_refuse(answer, 500, "out of memory");
        return;
    }
    if (parse_asked(request->body, &asked, &error) == PICKET_OK) {
        json_t *results = json_array();
        for (size_t i = 0; i < asked.count; i++)
            json_array_append_new(
                results, api_json_looked_up(api_config(request->api)->intel, &asked.addresses[i],
                                            (uint16_t)asked.port, asked.protocol));
        api_answer_json(answer, 200, json_pack("{s:o}", "results", results));
    } else {
        api_answer_error(answer, &error);
    }
    free(asked.addresses);
}

#include "finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "finding_past.h"
#include "picket/base/time.h"
#include "picket/service/intel.h"
#include "text.h"

void finding_begin(struct finding *finding, const struct picket_event *event)
{
    memset(finding, 0, sizeof *finding);
    finding->event = event;
    finding->weight.times = finding->weight.devices = 1;
    finding->match_array = json_array();
    finding->flow_array = json_array();
    finding->shared_array = json_array();
}

static void set_time(json_t *object, const char *member, int64_t unix_ms)
{
    char text[PICKET_TIME_TEXT_BYTES];
    if (unix_ms != 0)
        json_object_set_new(object, member, json_string(picket_time_format(unix_ms, text)));
}

static void set_text(json_t *object, const char *member, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(object, member, text_json(text, strlen(text)));
}

static json_t *listing_json(const struct listing *listing)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    const struct table_match *match = &listing->match;
    json_t *object = json_object();
    json_object_set_new(object, "feed", json_string(match->feed->name));
    json_object_set_new(object, "indicator",
                        json_string(picket_prefix_format(&match->prefix, prefix)));
    if (match->port != 0)
        json_object_set_new(object, "port", json_integer(match->port));
    if (match->protocol != 0)
        json_object_set_new(object, "protocol",
                            json_string(picket_protocol_name(match->protocol - 1)));
    json_object_set_new(object, "confidence", json_integer(match->confidence));
    if (listing->severity != 0)
        json_object_set_new(object, "severity",
                            json_string(picket_severity_name(listing->severity)));
    if (listing->tlp != 0)
        json_object_set_new(object, "tlp", json_string(picket_tlp_name(listing->tlp)));
    set_time(object, "since", listing->first_seen_ms);
    set_time(object, "listed", listing->listed_ms);
    set_time(object, "valid_until", match->valid_until_ms);
    if (listing->line != 0)
        json_object_set_new(object, "line", json_integer(listing->line));
    set_text(object, "tags", listing->tags);
    set_text(object, "malware", listing->malware);
    set_text(object, "reference", listing->reference);
    return object;
}

static void count_source(struct finding *finding, const struct table_feed *feed)
{
    for (uint32_t i = 0; i < finding->weight.sources; i++)
        if (finding->feeds[i] == feed)
            return;
    if (finding->weight.sources < FINDING_MATCHES_SHOWN)
        finding->feeds[finding->weight.sources++] = feed;
}

static void weigh_listing(struct finding *finding, const struct listing *listing)
{
    struct severity_inputs *weight = &finding->weight;
    if (listing->match.confidence > weight->confidence)
        weight->confidence = listing->match.confidence;
    if (listing->severity > weight->feed_severity)
        weight->feed_severity = listing->severity;
    weight->names_port |= listing->match.port != 0 || listing->match.protocol != 0;
    count_source(finding, listing->match.feed);
}

void finding_add_match(struct finding *finding, const struct table_match *match,
                       const struct listings *listings)
{
    struct listing listing = {.match = *match};
    bool is_shown = finding->matches < FINDING_MATCHES_SHOWN;
    if (is_shown && listings != NULL && !listings->look_up(listings->context, &listing))
        return;
    weigh_listing(finding, &listing);
    if (finding->matches++ == 0)
        finding->best = listing;
    if (is_shown)
        json_array_append_new(finding->match_array, listing_json(&listing));
}

static bool is_same_listing(const struct table_match *a, const struct table_match *b)
{
    return a->feed == b->feed && a->port == b->port && a->protocol == b->protocol &&
           a->prefix.length == b->prefix.length &&
           memcmp(&a->prefix.address, &b->prefix.address, sizeof a->prefix.address) == 0;
}

void finding_add_shared(struct finding *finding, const struct table_match *match,
                        const struct listings *listings)
{
    struct listing listing = {.match = *match};
    for (uint32_t i = 0; i < finding->shared_count; i++)
        if (is_same_listing(&finding->shared_by[i], match))
            return;
    if (finding->shared_count == FINDING_SHARED_SHOWN)
        return;
    finding->shared_by[finding->shared_count++] = *match;
    if (listings != NULL)
        listings->look_up(listings->context, &listing);
    json_array_append_new(finding->shared_array, listing_json(&listing));
}

static void set_address(json_t *object, const char *member, const struct picket_address *address)
{
    char text[PICKET_ADDRESS_TEXT_BYTES];
    json_object_set_new(object, member, json_string(picket_address_format(address, text)));
}

static void weigh_flow(struct severity_inputs *weight, const struct picket_flow *flow)
{
    enum severity_contact contact = severity_contact_of(flow);
    if (contact > weight->contact)
        weight->contact = contact;
    weight->bytes_in += flow->bytes_in;
    weight->bytes_out += flow->bytes_out;
}

void finding_add_flow(struct finding *finding, const struct picket_flow *flow, bool is_shared)
{
    if (finding->flows++ == 0)
        finding->remote = flow->remote;
    else if (memcmp(&finding->remote, &flow->remote, sizeof flow->remote) != 0)
        finding->several_remotes = true;
    weigh_flow(&finding->weight, flow);
    finding->shared_flows += is_shared;
    finding->weight.is_shared = finding->shared_flows == finding->flows;
    if (finding->flows > FINDING_FLOWS_SHOWN)
        return;
    json_t *object = json_object();
    json_object_set_new(object, "protocol", json_string(picket_protocol_name(flow->protocol)));
    set_address(object, "local_address", &flow->local);
    json_object_set_new(object, "local_port", json_integer(flow->local_port));
    set_address(object, "remote_address", &flow->remote);
    json_object_set_new(object, "remote_port", json_integer(flow->remote_port));
    json_object_set_new(object, "bytes_in", json_integer(flow->bytes_in));
    json_object_set_new(object, "bytes_out", json_integer(flow->bytes_out));
    json_array_append_new(finding->flow_array, object);
}

/* ---- texts ---- */

/* The remote address, or the indicator's prefix when several addresses in it were talked to. */
static const char *peer_text(const struct finding *finding, char *out)
{
    if (finding->several_remotes)
        return picket_prefix_format(&finding->best.match.prefix, out);
    return picket_address_format(&finding->remote, out);
}

static const char *direction_text(const struct finding *finding)
{
    switch (finding->weight.contact) {
    case SEVERITY_PROBE:
        return finding->weight.bytes_out == 0
                   ? "The device sent nothing itself: a probe from outside that was not answered."
                   : "The device sent no more than it takes to refuse, or to answer a ping: a "
                     "probe from outside.";
    case SEVERITY_ATTEMPT:
        return "No data came back: the address did not answer, refused, or something in between "
               "blocks it.";
    default:
        return "Data went both ways.";
    }
}

static const char *listed_as(const struct finding *finding, char *out, size_t out_bytes)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES], since[PICKET_TIME_TEXT_BYTES], port[24] = "";
    char line[24] = "";
    const struct listing *best = &finding->best;
    if (best->match.port != 0)
        snprintf(port, sizeof port, " port %u", best->match.port);
    if (best->line != 0)
        snprintf(line, sizeof line, ", line %" PRIu32, best->line);
    snprintf(out, out_bytes, "Feed \"%s\" lists it as %s%s%s%s (confidence %d%s%s%s)",
             best->match.feed->name, picket_prefix_format(&best->match.prefix, prefix), port,
             best->tags[0] != '\0' ? ": " : "", best->tags, best->match.confidence, line,
             best->first_seen_ms != 0 ? ", here since " : "",
             best->first_seen_ms != 0 ? picket_time_format(best->first_seen_ms, since) : "");
    return out;
}

/* The evidence is weaker only if all flows go to shared addresses. */
static const char *shared_text(const struct finding *finding, char *out, size_t out_bytes)
{
    out[0] = '\0';
    if (finding->weight.is_shared)
        snprintf(out, out_bytes,
                 " Many use this address, says list \"%s\" (a CDN, a carrier's NAT, a public "
                 "resolver ...): the device may have talked to somebody else than who is meant.",
                 finding->shared_by[0].feed->name);
    return out;
}

/* Which feeds list it, in which direction data went, and whether many use the address. */
static void describe_match(const struct finding *finding, char *out, size_t out_bytes)
{
    char listed[700], more[64] = "", shared[300];
    if (finding->matches > 1)
        snprintf(more, sizeof more, ", and %" PRIu32 " more indicator%s cover%s it",
                 finding->matches - 1, finding->matches == 2 ? "" : "s",
                 finding->matches == 2 ? "s" : "");
    bool is_asked = finding->past != NULL && finding->past->is_asked;
    snprintf(out, out_bytes, "%s%s%s%s%s",
             is_asked ? "" : listed_as(finding, listed, sizeof listed), is_asked ? "" : more,
             is_asked ? "" : ". ", direction_text(finding),
             shared_text(finding, shared, sizeof shared));
}

static void describe(const struct finding *finding, char out[FINDING_DESCRIPTION_BYTES])
{
    char peer[PICKET_PREFIX_TEXT_BYTES], seen[PICKET_TIME_TEXT_BYTES], match[1300];
    describe_match(finding, match, sizeof match);
    if (finding->past != NULL)
        finding_past_description(finding, peer_text(finding, peer), match, out);
    else
        snprintf(out, FINDING_DESCRIPTION_BYTES,
                 "Device %s communicated with %s (%" PRIu32 " flow%s, %" PRIu64
                 " bytes sent, %" PRIu64 " received), reported for the time up to %s. %s",
                 finding->event->device, peer_text(finding, peer), finding->flows,
                 finding->flows == 1 ? "" : "s", finding->weight.bytes_out,
                 finding->weight.bytes_in, picket_time_format(finding->event->seen_ms, seen),
                 match);
}

static void entitle(const struct finding *finding, char out[FINDING_TITLE_BYTES])
{
    char peer[PICKET_PREFIX_TEXT_BYTES];
    if (finding->past != NULL)
        finding_past_title(finding, peer_text(finding, peer), out);
    else
        snprintf(out, FINDING_TITLE_BYTES, "Communication with %s, which feed \"%s\" lists",
                 peer_text(finding, peer), finding->best.match.feed->name);
}

static const char remediation[] =
    "1. Block the address at the firewall for this device, and look whether others talk to it. "
    "2. If the device has no reason to talk to it, take it off the network, but leave it powered "
    "so that it can be examined. "
    "3. Compare its firmware with the released image, and change the credentials it held. "
    "4. If the communication is wanted, choose what silences it: picket alert explain names the "
    "ways, with what each does.";

static char *evidence_text(struct finding *finding)
{
    char text[PICKET_PREFIX_TEXT_BYTES];
    json_t *evidence = json_object();
    json_object_set_new(evidence, "indicator",
                        json_string(picket_prefix_format(&finding->best.match.prefix, text)));
    if (!finding->several_remotes)
        set_address(evidence, "remote_address", &finding->remote);
    json_object_set_new(evidence, "confidence", json_integer(finding->weight.confidence));
    json_object_set_new(evidence, "match_count", json_integer(finding->matches));
    json_object_set(evidence, "matches", finding->match_array);
    json_object_set_new(evidence, "flow_count", json_integer(finding->flows));
    json_object_set_new(evidence, "bytes_in", json_integer((json_int_t)finding->weight.bytes_in));
    json_object_set_new(evidence, "bytes_out", json_integer((json_int_t)finding->weight.bytes_out));
    json_object_set(evidence, "flows", finding->flow_array);
    if (finding->shared_count > 0)
        json_object_set(evidence, "shared_by", finding->shared_array);
    if (finding->past != NULL)
        finding_past_evidence(finding, evidence);
    json_object_set_new(evidence, "event_id", json_integer(finding->event->event_id));
    set_time(evidence, "received", finding->event->received_ms);
    char *dumped = json_dumps(evidence, JSON_COMPACT);
    json_decref(evidence);
    return dumped;
}

/* ---- severity ---- */

static void weigh(struct finding *finding, struct picket_finding *found)
{
    struct severity severity;
    severity_weigh(&finding->weight, &severity);
    free(finding->reasons);
    finding->reasons = severity_reasons_text(&severity);
    found->severity = severity.severity;
    found->reasons = finding->reasons;
}

static int64_t span_with(const struct picket_standing *standing, int64_t seen_ms)
{
    int64_t first = standing->first_seen_ms < seen_ms ? standing->first_seen_ms : seen_ms;
    int64_t last = standing->last_seen_ms > seen_ms ? standing->last_seen_ms : seen_ms;
    return standing->count > 0 ? last - first : 0;
}

static void weigh_by_standing(void *context, const struct picket_standing *standing,
                              struct picket_finding *found)
{
    struct finding *finding = context;
    if (finding->past == NULL) {
        finding->weight.times = standing->count + 1;
        finding->weight.span_ms = span_with(standing, found->seen_ms);
    }
    finding->weight.devices = standing->devices + 1;
    weigh(finding, found);
}

static int yield_texts(struct finding *finding, const char *evidence, picket_yield yield,
                       void *context)
{
    char subject[PICKET_PREFIX_TEXT_BYTES];
    char title[FINDING_TITLE_BYTES], description[FINDING_DESCRIPTION_BYTES];
    const struct finding_past *past = finding->past;
    entitle(finding, title);
    describe(finding, description);
    struct picket_finding found = {
        .type = past != NULL ? PICKET_ALERT_LISTED_PAST : PICKET_ALERT_LISTED,
        .device = finding->event->device,
        .subject = picket_prefix_format(&finding->best.match.prefix, subject),
        .seen_ms = past != NULL ? past->last_ms : finding->event->seen_ms,
        .title = title,
        .description = description,
        .remediation = remediation,
        .technique = "T0869 T0885 T1071 T1095",
        .evidence = evidence,
        .weigh = weigh_by_standing,
        .weigh_context = finding,
        .past_count = past != NULL ? past->events : 0,
        .past_since_ms = past != NULL ? past->first_ms : 0,
    };
    weigh(finding, &found);
    return yield(context, &found);
}

int finding_yield(struct finding *finding, picket_yield yield, void *context)
{
    int status = PICKET_OK;
    if (finding->matches > 0) {
        char *evidence = evidence_text(finding);
        status =
            evidence != NULL ? yield_texts(finding, evidence, yield, context) : PICKET_NO_MEMORY;
        free(evidence);
    }
    json_decref(finding->match_array);
    json_decref(finding->flow_array);
    json_decref(finding->shared_array);
    free(finding->reasons);
    return status;
}

#include "finding_past.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "picket/base/time.h"
#include "picket/service/intel.h"

bool picket_is_intelligence(const char *type)
{
    return strcmp(type, PICKET_ALERT_LISTED) == 0 || strcmp(type, PICKET_ALERT_LISTED_PAST) == 0;
}

void finding_set_past(struct finding *finding, const struct finding_past *past)
{
    char text[PICKET_TIME_TEXT_BYTES];
    size_t index;
    json_t *flow;
    finding->past = past;
    finding->flows = past->flows < UINT32_MAX ? (uint32_t)past->flows : UINT32_MAX;
    finding->several_remotes = past->several_remotes;
    finding->weight.bytes_in = past->bytes_in;
    finding->weight.bytes_out = past->bytes_out;
    finding->weight.contact = past->contact;
    finding->weight.times = past->events;
    finding->weight.span_ms = past->last_ms - past->first_ms;
    json_array_foreach(finding->flow_array, index, flow)
    {
        json_object_set_new(flow, "time",
                            json_string(picket_time_format(past->seen_ms[index], text)));
        json_object_set_new(flow, "event_id", json_integer(past->event_ids[index]));
    }
}

/* When the indicator of the narrowest prefix came; of one that was asked for, nobody knows. */
static int64_t arrived_ms(const struct finding *finding)
{
    return finding->past->is_asked ? 0 : finding->best.first_seen_ms;
}

void finding_past_title(const struct finding *finding, const char *peer, char *out)
{
    if (finding->past->is_asked)
        snprintf(out, FINDING_TITLE_BYTES, "Past communication with %s, which was searched for",
                 peer);
    else
        snprintf(out, FINDING_TITLE_BYTES, "Past communication with %s, which feed \"%s\" lists",
                 peer, finding->best.match.feed->name);
}

void finding_past_description(const struct finding *finding, const char *peer, const char *rest,
                              char *out)
{
    const struct finding_past *past = finding->past;
    char first[PICKET_TIME_TEXT_BYTES], last[PICKET_TIME_TEXT_BYTES];
    char arrived[PICKET_TIME_TEXT_BYTES], found[120];
    if (arrived_ms(finding) != 0)
        snprintf(found, sizeof found, "found when the indicator arrived on %s",
                 picket_time_format(arrived_ms(finding), arrived));
    else
        snprintf(found, sizeof found, "found when somebody searched for it");
    snprintf(out, FINDING_DESCRIPTION_BYTES,
             "This is about the past, %s: device %s communicated with %s between %s and %s, in "
             "%" PRId64 " report%s (%" PRId64 " flow%s, %" PRIu64 " bytes sent, %" PRIu64
             " received). %s",
             found, finding->event->device, peer, picket_time_format(past->first_ms, first),
             picket_time_format(past->last_ms, last), past->events, past->events == 1 ? "" : "s",
             past->flows, past->flows == 1 ? "" : "s", past->bytes_out, past->bytes_in, rest);
}

static json_t *time_json(int64_t unix_ms)
{
    char text[PICKET_TIME_TEXT_BYTES];
    return unix_ms != 0 ? json_string(picket_time_format(unix_ms, text)) : json_null();
}

void finding_past_evidence(const struct finding *finding, json_t *evidence)
{
    const struct finding_past *past = finding->past;
    json_object_set_new(
        evidence, "retrospective",
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "searched_from",
                  time_json(past->searched_from_ms), "searched_to", time_json(past->searched_to_ms),
                  "indicator_arrived", time_json(arrived_ms(finding)), "first_seen",
                  time_json(past->first_ms), "last_seen", time_json(past->last_ms), "events",
                  (json_int_t)past->events, "flows", (json_int_t)past->flows));
}

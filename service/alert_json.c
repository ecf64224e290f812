#include "alert_json.h"

#include <string.h>

#include "picket/base/time.h"
#include "text.h"

static json_t *time_json(int64_t unix_ms)
{
    char text[PICKET_TIME_TEXT_BYTES];
    return json_string(picket_time_format(unix_ms, text));
}

/* "T0869 T0885" → ["T0869", "T0885"] */
static json_t *words_json(const char *words)
{
    json_t *array = json_array();
    while (words != NULL && *words != '\0') {
        size_t size = strcspn(words, " ");
        if (size > 0)
            json_array_append_new(array, text_json(words, size));
        words += size;
        words += strspn(words, " ");
    }
    return array;
}

/* NULL for what is no JSON. */
static json_t *written_json(const char *evidence)
{
    return evidence != NULL ? json_loads(evidence, 0, NULL) : NULL;
}

static void set_text(json_t *object, const char *member, const char *text)
{
    if (text == NULL)
        text = "";
    json_object_set_new(object, member, text_json(text, strlen(text)));
}

static void set_evidence(json_t *object, const struct picket_alert *alert)
{
    json_t *last = written_json(alert->last_evidence);
    json_t *first = written_json(alert->first_evidence);
    if (last != NULL && first != NULL && !json_equal(last, first))
        json_object_set(object, "first_evidence", first);
    if (last != NULL)
        json_object_set(object, "evidence", last);
    else if (first != NULL)
        json_object_set(object, "evidence", first);
    json_decref(last);
    json_decref(first);
}

static void set_reasons(json_t *object, const struct picket_alert *alert)
{
    json_t *reasons = written_json(alert->reasons);
    if (reasons != NULL)
        json_object_set_new(object, "severity_reasons", reasons);
}

static void set_decision(json_t *object, const struct picket_alert *alert)
{
    if (alert->decided_ms == 0)
        return;
    json_object_set_new(object, "decided", time_json(alert->decided_ms));
    json_object_set_new(object, "decided_uid",
                        alert->decided_uid >= 0 ? json_integer(alert->decided_uid) : json_null());
    set_text(object, "verdict", alert->verdict);
    set_text(object, "reason", alert->reason);
}

json_t *picket_alert_json(const struct picket_alert *alert)
{
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    json_object_set_new(object, "id", json_integer(alert->id));
    set_text(object, "type", alert->type);
    set_text(object, "severity", picket_severity_name(alert->severity));
    set_reasons(object, alert);
    set_text(object, "status", alert->status);
    set_text(object, "device", alert->device);
    set_text(object, "subject", alert->subject);
    set_text(object, "title", alert->title);
    set_text(object, "description", alert->description);
    set_text(object, "remediation", alert->remediation);
    json_object_set_new(object, "technique", words_json(alert->technique));
    json_object_set_new(object, "first_seen", time_json(alert->first_seen_ms));
    json_object_set_new(object, "last_seen", time_json(alert->last_seen_ms));
    json_object_set_new(object, "raised", time_json(alert->raised_ms));
    json_object_set_new(object, "count", json_integer(alert->count));
    set_evidence(object, alert);
    set_decision(object, alert);
    if (alert->suppression != 0)
        json_object_set_new(object, "suppression", json_integer(alert->suppression));
    return object;
}

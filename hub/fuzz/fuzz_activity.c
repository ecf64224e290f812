/* What is told of a device, with counts and a topic of a peer's choice, is JSON that fits, whatever
 * they are. The first byte chooses what there is to tell; a byte a count follows, then the topic.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "activity/activity_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its last bytes are free: nothing was cut. */
static json_t *parse(const struct activity_json *json)
{
    if (json->used + 100 > sizeof json->text || strlen(json->text) != json->used)
        abort();
    json_t *object = json_loads(json->text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object))
        abort();
    return object;
}

static void check_topic(const json_t *object, const struct slice *topic)
{
    const json_t *last = json_object_get(object, "last_unauthorized");
    const char *told = json_string_value(json_object_get(last, "topic"));
    size_t size = topic->size < ACTIVITY_TOPIC_BYTES ? topic->size : ACTIVITY_TOPIC_BYTES - 1;
    if (size > 0 && (told == NULL || strlen(told) != size))
        abort();
}

static void fill(struct activity_entry *entry, uint8_t what, const uint8_t *counts)
{
    static const char longest[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    entry->begin_ms = INT64_MAX;
    entry->trespass.kind = (enum tally_kind)(TALLY_FOREIGN_PUBLISH + what % 4);
    for (int i = 0; i < TALLY_KINDS; i++)
        entry->tally.counts[i] = (uint64_t)counts[i] << 55 | counts[i];
    for (int i = 0; i < ENDING_COUNT; i++)
        entry->endings[i] = (what & 8) != 0 ? UINT32_MAX : 0;
    if ((what & 16) == 0)
        return;
    entry->connected = entry->moved = entry->held_back = UINT32_MAX;
    memcpy(entry->accepted.address, longest, sizeof longest);
    entry->accepted.tls = "TLSv1.3";
    entry->accepted.cipher = "TLS_CHACHA20_POLY1305_SHA256";
    entry->accepted.certificate.size_bytes = 32;
    entry->refused = entry->accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct activity_entry entry = {.begin_ms = 0};
    struct activity_json json;
    if (size < 1 + TALLY_KINDS)
        return 0;
    struct slice topic = {(const char *)data + 1 + TALLY_KINDS, size - 1 - TALLY_KINDS};
    fill(&entry, data[0], data + 1);
    activity_plain_topic(entry.trespass.topic, topic);
    activity_write(&json, &entry);
    json_t *object = parse(&json);
    if (tally_unauthorized(&entry.tally) > 0)
        check_topic(object, &topic);
    json_decref(object);
    activity_write_trespasses(&json, &entry, INT64_MAX, 180);
    object = json_loads(json.text, 0, NULL);
    check_topic(object, &topic);
    json_decref(object);
    return 0;
}

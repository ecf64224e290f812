/* Topics and filters of a connected device. The first byte chooses device or module. */
#include <stdint.h>
#include <stdlib.h>

#include "session/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_request(enum dialect_topic kind, struct slice topic)
{
    struct dialect_request request;
    if (kind == DIALECT_FOREIGN_TOPIC || kind == DIALECT_EVENTS)
        return;
    if (dialect_request_parse(&request, topic) != NULL)
        return;
    if (request.rid.size == 0 || request.rid.size > DIALECT_RID_BYTES_MAX ||
        request.rid.bytes < topic.bytes ||
        request.rid.bytes + request.rid.size > topic.bytes + topic.size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice topic = {(const char *)data + 1, size - 1};
    struct slice bag;
    const char *module = data[0] % 2 == 0 ? "" : "vision";
    enum dialect_topic kind = dialect_published(topic, "pump-7", module, &bag);
    parse_request(kind, topic);
    if (kind == DIALECT_EVENTS) {
        struct slice own = topic;
        if (!slice_skip(&own, "devices/pump-7/"))
            abort();
        if (bag.size > 0 &&
            (bag.bytes < topic.bytes || bag.bytes + bag.size > topic.bytes + topic.size))
            abort();
    }
    dialect_filtered(topic, "pump-7", module);
    char buffer[64];
    char out[64];
    size_t used = topic.size < sizeof buffer ? topic.size : 0;
    dialect_bag_append(buffer, &used, sizeof buffer, "mqtt-retain=true");
    if (used > sizeof buffer)
        abort();
    slice_percent_decode(topic, out, sizeof out);
    return 0;
}

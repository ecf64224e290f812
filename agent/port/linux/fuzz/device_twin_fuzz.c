/* A topic, a newline, and what came on it; what is reported is JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "device_twin.h"
#include "flow_storage.h"
#include "idle_agent.h"
#include "picket/base/diagnostics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct device_twin *twin, const char *text, size_t size)
{
    struct device_twin_orders orders;
    const char *newline = memchr(text, '\n', size);
    size_t topic_bytes = newline != NULL ? (size_t)(newline - text) : size;
    char *topic = strndup(text, topic_bytes);
    const char *payload = newline != NULL ? newline + 1 : text + size;
    device_twin_take(twin, topic, payload, (size_t)(text + size - payload), &orders);
    json_t *report = orders.report != NULL ? json_loads(orders.report, 0, NULL) : NULL;
    if (orders.report != NULL && json_object_size(report) == 0)
        abort();
    json_decref(report);
    free(orders.report);
    free(topic);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct picket_agent agent;
    static struct picket_agent_config config;
    struct device_twin twin;
    picket_diagnostics_threshold(PICKET_ERROR);
    idle_agent_start(&agent, &config, 4);
    if (device_twin_init(&twin, &agent, NULL) != PICKET_OK)
        abort();
    take(&twin, (const char *)data, size);
    take(&twin, (const char *)data, size);
    device_twin_free(&twin);
    flow_storage_free(&config);
    return 0;
}

/* A topic, a newline, and what came on it; what is reported is JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "device_twin.h"
#include "flow_storage.h"
#include "picket/base/diagnostics.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t uptime(void *context)
{
    (void)context;
    return 1000;
}

static void random_bytes(void *context, void *bytes, size_t size_bytes)
{
    (void)context;
    memset(bytes, 7, size_bytes);
}

static bool connected(void *context)
{
    (void)context;
    return true;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    (void)context;
    (void)message;
    return PICKET_SEND_ACCEPTED;
}

static void wake(void *context)
{
    (void)context;
}

static void start(struct picket_agent *agent, struct picket_agent_config *config)
{
    struct agent_settings settings = {0};
    settings_configure(&settings, config);
    config->callbacks = (struct picket_agent_callbacks){.lock = picket_agent_no_lock,
                                                        .unlock = picket_agent_no_unlock,
                                                        .uptime_s = uptime,
                                                        .unix_time_s = picket_agent_no_clock,
                                                        .random = random_bytes,
                                                        .connected = connected,
                                                        .send = send,
                                                        .wake = wake};
    picket_diagnostics_threshold(PICKET_ERROR);
    if (flow_storage_allocate(config, 4, 4, 4, NULL) != PICKET_OK)
        abort();
    picket_agent_init(agent, config);
}

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
    start(&agent, &config);
    if (device_twin_init(&twin, &agent, NULL) != PICKET_OK)
        abort();
    take(&twin, (const char *)data, size);
    take(&twin, (const char *)data, size);
    device_twin_free(&twin);
    flow_storage_free(&config);
    return 0;
}

#include "idle_agent.h"

#include <stdlib.h>
#include <string.h>

#include "flow_storage.h"
#include "settings.h"

static unsigned messages;

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
    messages++;
    return PICKET_SEND_ACCEPTED;
}

static void wake(void *context)
{
    (void)context;
}

void idle_agent_start(struct picket_agent *agent, struct picket_agent_config *config,
                      uint32_t flows)
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
    if (flow_storage_allocate(config, flows, flows, 16, NULL) != PICKET_OK)
        abort();
    picket_agent_init(agent, config);
}

unsigned idle_agent_messages(void)
{
    return messages;
}

#include "replay_device.h"

#include <string.h>

#include "flow_storage.h"
#include "host.h"

static uint32_t uptime(void *context)
{
    return ((struct replay_device *)context)->clock.uptime_s;
}

static uint32_t unix_time(void *context)
{
    uint32_t seconds;
    if (!replay_clock_unix_time(&((struct replay_device *)context)->clock, &seconds))
        return UINT32_MAX;
    return seconds;
}

/* SplitMix64 (Steele, Lea, Flood 2014): only for a replay that is to give the same output again. */
static uint64_t next_of_seed(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void random_bytes(void *context, void *bytes, size_t size_bytes)
{
    struct replay_device *device = context;
    if (!device->seeded) {
        host_random(NULL, bytes, size_bytes);
        return;
    }
    uint8_t *out = bytes;
    for (size_t i = 0; i < size_bytes; i++)
        out[i] = (uint8_t)next_of_seed(&device->random_state);
}

static bool always_connected(void *context)
{
    (void)context;
    return true;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    struct replay_device *device = context;
    if (device->sink_status == PICKET_OK)
        device->sink_status = device->sink(device->sink_context, message, device->error);
    return device->sink_status == PICKET_OK ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED;
}

static void wake(void *context)
{
    struct replay_device *device = context;
    device->poll_at_s = device->clock.uptime_s;
}

int replay_device_init(struct replay_device *device, const struct replay_settings *settings,
                       uint32_t ipv4_flows, uint32_t ipv6_flows, uint32_t reserve, replay_sink sink,
                       void *sink_context, struct picket_error *error)
{
    memset(device, 0, sizeof *device);
    device->sink = sink;
    device->sink_context = sink_context;
    device->error = error;
    device->seeded = settings->seeded;
    device->random_state = settings->seed;
    settings_configure(&settings->agent, &device->config);
    device->config.callbacks = (struct picket_agent_callbacks){.context = device,
                                                               .lock = picket_agent_no_lock,
                                                               .unlock = picket_agent_no_unlock,
                                                               .uptime_s = uptime,
                                                               .unix_time_s = unix_time,
                                                               .random = random_bytes,
                                                               .connected = always_connected,
                                                               .send = send,
                                                               .wake = wake};
    int status = flow_storage_allocate(&device->config, ipv4_flows, ipv6_flows, reserve, error);
    if (status != PICKET_OK)
        return status;
    if (!picket_agent_config_valid(&device->config)) {
        flow_storage_free(&device->config);
        return picket_fail(error, PICKET_INVALID,
                           "the agent refuses tables of %u IPv4 and %u IPv6 flows", ipv4_flows,
                           ipv6_flows);
    }
    picket_agent_init(&device->agent, &device->config);
    /* Tools that cut packets often do not keep the original length: what the IP header declares is
     * the better witness in a file. */
    device->intake = (struct intake){.local = &settings->local,
                                     .agent = &device->agent,
                                     .groups = settings->agent.groups,
                                     .believe_headers = true};
    return PICKET_OK;
}

void replay_device_free(struct replay_device *device)
{
    flow_storage_free(&device->config);
}

static void pass_time(struct replay_device *device, uint32_t until_s)
{
    while (device->polls && device->poll_at_s <= until_s && device->sink_status == PICKET_OK) {
        if (device->poll_at_s > device->clock.uptime_s)
            device->clock.uptime_s = device->poll_at_s;
        uint32_t pause_s = picket_agent_poll(&device->agent);
        device->poll_at_s = device->clock.uptime_s + (pause_s > 0 ? pause_s : 1);
    }
    device->clock.uptime_s = until_s;
}

int replay_device_take(struct replay_device *device, const struct captured_frame *frame)
{
    if (frame->has_time)
        pass_time(device, replay_clock_target(&device->clock, frame->time_s));
    intake_frame(&device->intake, frame->link, frame->bytes, frame->captured_bytes,
                 frame->wire_bytes);
    pass_time(device, device->clock.uptime_s); /* a filling table may have asked for it */
    return device->sink_status;
}

int replay_device_finish(struct replay_device *device)
{
    if (device->sink_status == PICKET_OK &&
        picket_agent_flush(&device->agent) != PICKET_SEND_ACCEPTED &&
        device->sink_status == PICKET_OK)
        return picket_fail(device->error, PICKET_INVALID, "the agent could not send what it has");
    return device->sink_status;
}

/* The device that a replay plays: the agent's core with a clock of capture time, and a hub that
 * takes every message.
 *
 * Thread: one.
 */
#ifndef PICKET_AGENT_LINUX_REPLAY_DEVICE_H
#define PICKET_AGENT_LINUX_REPLAY_DEVICE_H

#include "capture_file.h"
#include "intake.h"
#include "replay_clock.h"
#include "settings.h"

/* Takes a message; negative (with *error) ends the replay. */
typedef int (*replay_sink)(void *context, const struct picket_wire_message *message,
                           struct picket_error *error);

struct replay_device {
    struct picket_agent agent;
    struct picket_agent_config config;
    struct intake intake;
    struct replay_clock clock;
    uint32_t poll_at_s; /* on the uptime */
    bool polls;         /* false: the agent sends nothing but what the flush at the end sends */
    bool seeded;
    uint64_t random_state;
    replay_sink sink;
    void *sink_context;
    int sink_status;
    struct picket_error *error;
};

/* Prepares the agent with tables of those capacities. The intake is the caller's to refine. */
int replay_device_init(struct replay_device *device, const struct replay_settings *settings,
                       uint32_t ipv4_flows, uint32_t ipv6_flows, uint32_t reserve, replay_sink sink,
                       void *sink_context, struct picket_error *error);
void replay_device_free(struct replay_device *device);

/* Lets time pass until the frame's stamp, then counts the frame. */
int replay_device_take(struct replay_device *device, const struct captured_frame *frame);

/* Sends what is left. */
int replay_device_finish(struct replay_device *device);

#endif

#include "messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/wire/encoder.h"

uint32_t bench_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

struct addresses {
    uint8_t local[4];
    uint8_t remote[64][4];
};

static uint32_t next_flow(const void *context, uint32_t cursor, struct picket_wire_flow *flow)
{
    const struct addresses *addresses = context;
    *flow = (struct picket_wire_flow){.local_address = addresses->local,
                                      .remote_address = addresses->remote[cursor % 64],
                                      .bytes_in = 1000 + cursor,
                                      .bytes_out = 500 + cursor,
                                      .local_port = (uint16_t)(49152 + cursor),
                                      .remote_port = 443};
    return cursor + 1;
}

static bool append(void *context, const void *piece, size_t size)
{
    struct bench_message *message = context;
    memcpy(message->bytes + message->size, piece, size);
    message->size += size;
    return true;
}

struct bench_message bench_message_make(uint32_t flows, uint32_t *random)
{
    struct addresses addresses = {.local = {192, 168, 1, 2}};
    for (int i = 0; i < 64; i++)
        for (int k = 0; k < 4; k++)
            addresses.remote[i][k] = (uint8_t)(bench_random(random) >> 8);
    struct picket_wire_event event = {.time_s = 1700000000,
                                      .collection_interval_s = 60,
                                      .duration_s = 60,
                                      .payload_type = PICKET_WIRE_HEARTBEAT};
    for (int i = 0; i < 16; i++)
        event.id[i] = (uint8_t)(bench_random(random) >> 8);
    if (flows > 0) {
        event.payload_type = PICKET_WIRE_NETWORK_ACTIVITY;
        event.payload.network_activity.ipv4 =
            (struct picket_wire_flows){flows, next_flow, &addresses};
    } else {
        event.payload.heartbeat.uptime_s = bench_random(random);
    }
    struct picket_wire_message message = {"urn:bench", PICKET_WIRE_VERSION(0, 1, 0), &event, 1};
    struct bench_message made = {malloc(picket_wire_message_size(&message)), 0};
    if (made.bytes == NULL || !picket_wire_encode(&message, append, &made)) {
        fprintf(stderr, "a message cannot be encoded\n");
        exit(1);
    }
    return made;
}

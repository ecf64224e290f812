/* Messages that the encoder can lay out, at random. The same seed gives the same message. */
#ifndef PICKET_WIRE_TESTS_RANDOM_MESSAGE_H
#define PICKET_WIRE_TESTS_RANDOM_MESSAGE_H

#include "picket/wire/encoder.h"

enum { RANDOM_FLOWS_MAX = 100, RANDOM_TEXT_MAX = 40 };

struct random_flows {
    uint32_t count;
    struct picket_wire_flow flows[RANDOM_FLOWS_MAX];
    uint8_t addresses[RANDOM_FLOWS_MAX][2][16];
};

struct random_message {
    struct picket_wire_message message;
    struct picket_wire_event events[PICKET_WIRE_EVENTS_MAX];
    struct random_flows lists[PICKET_WIRE_EVENTS_MAX][2];
    struct picket_wire_open_port ports[PICKET_WIRE_EVENTS_MAX][2 * RANDOM_FLOWS_MAX];
    char texts[3 * PICKET_WIRE_EVENTS_MAX + 1][RANDOM_TEXT_MAX + 1];
};

/* Next number of a generator (xorshift64*); its state must not be 0. */
uint32_t random_next(uint64_t *state);

/* Points into *random, which must stay where it is. */
void random_message(struct random_message *random, uint64_t seed);

#endif

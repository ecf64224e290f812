/* Security messages as devices send them, made by our own encoder. */
#ifndef BENCH_MESSAGES_H
#define BENCH_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

struct bench_message {
    uint8_t *bytes;
    size_t size;
};

/* A message with one event of that many flows to random IPv4 addresses; 0: a heartbeat. To be
 * freed. */
struct bench_message bench_message_make(uint32_t flows, uint32_t *random);

uint32_t bench_random(uint32_t *state);

#endif

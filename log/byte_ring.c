#include "byte_ring.h"

#include <stdlib.h>

enum { ALIGNMENT = 16 };

bool byte_ring_open(struct byte_ring *ring, size_t capacity)
{
    *ring = (struct byte_ring){.bytes = malloc(capacity), .capacity = capacity};
    return ring->bytes != NULL;
}

void byte_ring_close(struct byte_ring *ring)
{
    free(ring->bytes);
}

/* Room in one piece from next on. */
static size_t room(const struct byte_ring *ring)
{
    bool wrapped = ring->blocks > 0 && ring->next <= ring->oldest;
    return (wrapped ? ring->oldest : ring->capacity) - ring->next;
}

uint8_t *byte_ring_take(struct byte_ring *ring, size_t size_bytes)
{
    if (size_bytes > ring->capacity)
        return NULL;
    if (ring->blocks == 0)
        ring->oldest = ring->next = 0;
    if (size_bytes > room(ring)) {
        /* It may fit in front of the oldest, leaving the end unused. */
        bool wrapped = ring->next <= ring->oldest;
        if (wrapped || size_bytes > ring->oldest)
            return NULL;
        ring->next = 0;
    }
    uint8_t *block = ring->bytes + ring->next;
    size_t aligned = (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t rest = room(ring);
    ring->next += aligned < rest ? aligned : rest;
    ring->blocks++;
    return block;
}

void byte_ring_give_back(struct byte_ring *ring, const uint8_t *next_block)
{
    ring->blocks--;
    if (ring->blocks > 0)
        ring->oldest = (size_t)(next_block - ring->bytes);
}

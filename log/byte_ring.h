/* Memory given out and taken back in the same order: a ring of bytes.
 *
 *     0        oldest            next          capacity
 *     ├─ free ─┼─ in use ────────┼─ free ──────┤         in one piece
 *     0        next              oldest        capacity
 *     ├─ in use┼─ free ──────────┼─ in use ─┼──┤         wrapped; what a block did not fit into at
 *                                                        the end is skipped
 *
 * Each block lies in one piece. When all is taken back the ring starts again at 0, so that a log
 * that is seldom behind touches few pages. Thread: one at a time (the owner locks).
 */
#ifndef PICKET_LOG_BYTE_RING_H
#define PICKET_LOG_BYTE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_ring {
    uint8_t *bytes;
    size_t capacity;
    size_t oldest; /* where the oldest block begins */
    size_t next;   /* where the next may begin */
    size_t blocks;
};

bool byte_ring_open(struct byte_ring *ring, size_t capacity); /* false: no memory */
void byte_ring_close(struct byte_ring *ring);

/* A block of size_bytes > 0, aligned as malloc() aligns; NULL when there is no room. */
uint8_t *byte_ring_take(struct byte_ring *ring, size_t size_bytes);

/* Gives the oldest block back; next_block is the one behind it (ignored if it was the last). */
void byte_ring_give_back(struct byte_ring *ring, const uint8_t *next_block);

#endif

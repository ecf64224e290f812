/* One program for every machine: it drives the wire format and the agent with numbers that are the
 * same everywhere, checks what came of it against naive twins, and prints digests. What a device's
 * processor prints is to be what the machine prints that the other tests run on.
 *
 * A line that begins with "content" is the same on every machine. One that begins with "layout"
 * tells in which order flows lie in tables and messages; that follows from a hash over words as
 * they lie in memory, and is the same where the byte order is.
 *
 * Needs memcpy, memset and memcmp; the rest is the board's. */
#ifndef PICKET_EMULATION_H
#define PICKET_EMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/agent/agent.h"
#include "picket/wire/decoder.h"

/* ---- the board: cortex_m.c, hosted.c ---- */

enum { EDGE_BYTES = 6656 };

void board_print(const char *text);
void board_end(bool passed); /* does not return */

/* The address behind the last byte that can be read: what reads on from there ends the program.
 * EDGE_BYTES before it are the program's. */
uint8_t *board_edge(void);

/* ---- output.c ---- */

void print_number(const char *label, uint32_t number);
void print_digest(const char *label, uint64_t digest);

/* Ends the program if the condition does not hold. */
void check(bool condition, const char *what);

/* FNV-1a, 64 bits; a digest begins as DIGEST_START. */
#define DIGEST_START UINT64_C(0xCBF29CE484222325)
uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size_bytes);
uint64_t digest_number(uint64_t digest, uint32_t number);

/* The next number of the program's one sequence (splitmix64). */
uint32_t random_number(void);
uint32_t random_below(uint32_t bound);

/* ---- messages.c ---- */

/* Where an encoded message goes: before the edge, at an odd address more often than not. */
struct sink {
    uint8_t *bytes; /* NULL: only the digest is wanted */
    size_t size_bytes;
    uint64_t digest;
};
bool sink_take(void *sink, const void *piece, size_t size_bytes);

/* Encodes the message so that it ends at the edge, and opens it there; size_bytes is what was
 * promised and written. */
struct sink encode_at_edge(const struct picket_wire_message *message,
                           struct picket_wire_message_view *view);

/* The values of a flow, addresses included. */
uint64_t digest_flow(const struct picket_wire_flow *flow, size_t address_bytes);

/* ---- the parts of the program, in the order in which they run ---- */

void run_traffic(void);         /* an agent and its twin: packets of all kinds, refusals, time */
void run_hostile_packets(void); /* packets with any byte changed, cut off anywhere */
void run_sequences(void);       /* random commands to agent/fuzz/agent_fuzz.c */
void run_messages(void);        /* any content, encoded, decoded, compared */
void run_samples(void);         /* messages of others, whole, cut off, changed */
void run_crowded_traffic(void); /* as traffic, with chains that are full: all of it is layout */

#endif

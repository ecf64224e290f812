/* The rows both sides of the comparison write. */
#ifndef PICKET_BENCH_STORE_ROWS_H
#define PICKET_BENCH_STORE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "picket/store/store.h"

enum { FLOWS_MAX = 64, BLOCK_BYTES_MAX = FLOWS_MAX * 46 };

struct setting {
    const char *folder;
    int messages; /* a round */
    int batch;    /* messages a transaction */
    int flows;    /* a message */
    int devices;
    int rounds;
};

/* One message of one device: its event and flows, with the flows as the store packs them. */
struct message {
    int device; /* 0 .. devices - 1 */
    char device_id[20];
    struct picket_event_row event;
    struct picket_flow flows[FLOWS_MAX];
    uint8_t block[BLOCK_BYTES_MAX];
    size_t block_bytes;
};

/* The next of an endless sequence, always the same; event.device is left to the caller. */
struct generator {
    uint64_t state;
    int64_t sent;
};
void next_message(struct generator *generator, const struct setting *setting,
                  struct message *message);

void device_name(int device, char out[20]);

/* Its event and flows, within a batch; names its device. */
void put_message(struct picket_store *store, const struct setting *setting,
                 struct message *message);

/* Messages a second, by the wall and by the processor. */
struct speed {
    double per_s, per_cpu_s;
};
struct stopwatch {
    double wall_s, cpu_s;
};
struct stopwatch start_watch(void);
struct speed speed_since(struct stopwatch start, int messages);

/* raw.c: how many messages SQLite takes in the same tables, by prepared statements and nothing
 * else; flows_as_rows: with one row a flow instead of one a message. */
struct speed run_raw(const struct setting *setting, int flows_as_rows);

#endif

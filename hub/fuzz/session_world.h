/* What surrounds the sessions that fuzz_session.c plays: time, the peers' ends of their
 * connections, and a hub without its thread, with a registry, a keeper and a log that do as they
 * are told.
 *
 * TLS is taken out: session_peers.c has the functions of OpenSSL that the hub calls on a
 * connection.
 */
#ifndef PICKET_HUB_FUZZ_SESSION_WORLD_H
#define PICKET_HUB_FUZZ_SESSION_WORLD_H

#include "internal.h"

enum {
    PEERS = 4,
    INPUT_MAX = 400000,
    IDS_MAX = 4096,
    BEGIN_MS = 1000000,
    BEGIN_UNIX_S = 1700000000,
    TOKEN_LIFE_S = 7200
};

struct peer {
    SSL *ssl; /* NULL: it is not there */
    uint32_t slot;
    uint32_t generation;
    int fd; /* its end of the socket */

    uint8_t input[INPUT_MAX]; /* not yet read by the hub */
    size_t input_begin, input_end;
    size_t record;   /* most that one read yields */
    bool closed;     /* nothing more comes from it */
    bool reads;      /* it takes what the hub sends */
    bool is_tracked; /* everything it sent was made here */

    uint8_t output[1 << 17]; /* what the hub sent, until a packet is whole */
    size_t output_size;
    uint16_t ids[IDS_MAX]; /* of messages with QoS 1, in order */
    size_t ids_begin, ids_end;
    char rid[24]; /* of the last method call it got */
    uint16_t device_bound_id;
};

/* ---- session_peers.c ---- */

extern struct peer peers[PEERS];
extern uint64_t messages_sent_with_id, acknowledged;
extern uint64_t packets_from_hub;
extern uint64_t requests_sent_with_id; /* of these, what does not go to the log */

/* NULL: it has gone. */
struct connection *connection_of(const struct peer *peer);
extern const char *const names[3]; /* "d", "d/m", "e" */
/* One of these; a module is d's. */
const char *name_of(const struct peer *peer);

/* ---- session_world.c ---- */

struct world {
    int64_t now_ms;
    bool device_is_enabled; /* d; e always is */
    int keeper_status;      /* what it answers from now on */
    int messages_waiting;   /* for devices */
    int64_t next_message_id;
    uint32_t session_kept;
};
extern struct world world;
extern struct picket_hub *hub;
extern struct waker waker;
extern char tokens[3][300]; /* of d, d/m, e */

int64_t __wrap_picket_monotonic_ms(void);
int64_t __wrap_picket_unix_ms(void);

void check(bool holds);
void world_open(void);
/* Checks that nothing is left of anybody. */
void world_close(void);
/* So many messages at most are committed. */
void commit_log(int most);

#endif

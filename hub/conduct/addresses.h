/* What clients from one address may cost everybody else: one IPv4 address, or one /64 of IPv6.
 *
 * A handshake costs a millisecond of a processor, so connections of an address are
 * accepted at a rate; and one whose CONNECTs and handshakes fail again and again is held off for a
 * time. Who has been quiet for longest is forgotten when too many are known: a newcomer always has
 * a fresh allowance.
 *
 * Thread: the hub's.
 */
#ifndef PICKET_HUB_ADDRESSES_H
#define PICKET_HUB_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "hold_off.h"
#include "picket/base/address.h"

struct picket_hub;

enum {
    ADDRESSES_MAX = 65536,
    ADDRESSES_HOLD_OFF_FIRST_MS = 10000,
    ADDRESSES_HOLD_OFF_LONGEST_MS = 60000 /* others may come from there as well */
};

enum addresses_answer { ADDRESSES_ADMITTED, ADDRESSES_TOO_FAST, ADDRESSES_HELD_OFF };

struct address_record;
LIST_HEAD(address_bucket, address_record);
TAILQ_HEAD(address_queue, address_record);

struct address_table {
    struct address_bucket *buckets; /* NULL until the first */
    struct address_queue used;      /* longest ago first */
    uint32_t count;
    struct rate connections;
    struct hold_off_rule refusals;
};

void addresses_register_counters(void);
void addresses_open(struct picket_hub *hub);
void addresses_close(struct picket_hub *hub);

/* A connection from there was accepted by the kernel; counts it if it is admitted. */
enum addresses_answer addresses_admit(struct picket_hub *hub, const struct picket_address *address);

/* A handshake from there failed, or a CONNECT without a credential was refused. */
void addresses_refused(struct picket_hub *hub, const struct picket_address *address);

#endif

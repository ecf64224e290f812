/* Randomness for event ids, the first delay and the seed of the hash. */
#ifndef PICKET_NETXDUO_SRC_SEED_H
#define PICKET_NETXDUO_SRC_SEED_H

#include "picket/netxduo/netxduo.h"

/* Stirs in what differs between devices and between boots. Thread: the one that starts. */
void picket_seed_gather(uint32_t unix_time_s);

/* Callback of the agent. Thread: the one that starts, then the one that polls. */
void picket_seed_random(void *context, void *bytes, size_t size_bytes);

#endif

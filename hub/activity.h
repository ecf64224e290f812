/* What the hub sees of devices: who connected how, what was refused, what ended. Folded by device
 * and interval, and put on the log as what the hub has to say; so a device that flaps, or somebody
 * who guesses, makes one event a minute and not thousands.
 *
 *     connected, refused, ended ─▶ a device's entry ─▶ after 1 s, then every 60 s ─▶ log
 *
 * Only devices of the registry have entries: others are counted (ending.h), and cost no memory.
 * A look tells of 1,000 at most; further ones wait for the next, half a second later.
 * Bounded: what finds no entry free, or the log full when the hub stops, is counted.
 *
 * Thread: the hub's.
 */
#ifndef PICKET_HUB_ACTIVITY_H
#define PICKET_HUB_ACTIVITY_H

#include <stdint.h>
#include <sys/queue.h>

#include "burst.h"
#include "ending.h"

struct picket_hub;
struct connection;
struct activity_entry;

enum {
    ACTIVITY_DEVICES_MAX = 65536,
    ACTIVITY_BUCKETS = 16384,
    ACTIVITY_FIRST_MS = 1000,
    ACTIVITY_INTERVAL_MS = 60000
};

LIST_HEAD(activity_bucket, activity_entry);

struct activity_table {
    struct activity_bucket *buckets; /* NULL until the first entry */
    uint32_t count;
    int64_t looked_ms; /* when entries were last looked through */
    uint32_t cursor;   /* the bucket where looking goes on */
    struct burst burst;
};

void hub_activity_register_counters(void);
void hub_activity_open(struct activity_table *table);
void hub_activity_close(struct activity_table *table);

/* A connection was accepted; its device is known. */
void hub_activity_connected(struct connection *connection);
/* It takes over from one that another address had, while that was alive. */
void hub_activity_moved(struct connection *connection);
/* It sent faster than allowed and is read no further for a moment. */
void hub_activity_held_back(struct connection *connection);
/* A CONNECT of a device that is registered was refused. */
void hub_activity_refused(struct connection *connection, enum ending ending);
/* Somebody was refused at CONNECT, or failed at the handshake, whoever it was. */
void hub_activity_turned_away(struct picket_hub *hub);
/* One that was accepted ends; ENDING_NONE: nothing. */
void hub_activity_ended(struct connection *connection, enum ending ending);

/* Puts what is due on the log; what finds it full stays and goes with the next. */
void hub_activity_sweep(struct picket_hub *hub, int64_t now_ms);
/* Puts everything on the log, due or not: the hub stops. */
void hub_activity_flush(struct picket_hub *hub);

#endif

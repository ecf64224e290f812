/* What the hub sees of devices: who connected how, what was refused, what ended; how much went to
 * and fro. Folded by device or module and interval, and put on the log as what the hub has to say;
 * so a device that flaps, or somebody who guesses, makes one event a minute and not thousands, and
 * one that just works makes one an hour.
 *
 *     connected, refused, ended ───────▶ a device's entry ─▶ after 1 s, then every 60 s ─▶ log
 *     message of a connection ─▶ tally ─▶      ▲   │
 *                                its end,      │   └─ ordinary counts alone: after an hour
 *                                an hour ──────┘
 *
 * What is ordinary (messages, answered requests) waits for the interval, or goes with what is told
 * anyway; what is notable (tally.h) is told like an end. A connection counts in a tally of its own,
 * which becomes part of the entry when that is told, when the interval is over, or when the
 * connection ends: so each is told once.
 *
 * Only devices of the registry have entries: others are counted (ending.h), and cost no memory. An
 * entry stays while there is something in it. A look tells of 1,000 at most; further ones wait for
 * the next, half a second later. Bounded: what finds no entry free, or the log full when the hub
 * stops, is counted.
 *
 * Thread: the hub's.
 */
#ifndef PICKET_HUB_ACTIVITY_H
#define PICKET_HUB_ACTIVITY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "burst.h"
#include "ending.h"
#include "mqtt/slice.h"
#include "tally.h"

struct picket_hub;
struct connection;
struct activity_record;

enum {
    ACTIVITY_DEVICES_MAX = 65536,
    ACTIVITY_BUCKETS = 16384,
    ACTIVITY_FIRST_MS = 1000,
    ACTIVITY_INTERVAL_MS = 60000, /* of what is notable, unless the other is shorter */
    ACTIVITY_ORDINARY_S = 3600    /* unless configured otherwise */
};

LIST_HEAD(activity_bucket, activity_record);

struct activity_table {
    struct activity_bucket *buckets; /* NULL until the first entry */
    uint32_t count;
    int64_t looked_ms; /* when entries were last looked through */
    uint32_t cursor;   /* the bucket where looking goes on */
    struct burst burst;
};

/* What a connection has counted and not told. */
struct connection_tally {
    int64_t since_ms; /* Unix time of the first of it */
    uint64_t messages[TALLY_OF_MESSAGES];
    struct tally *others; /* NULL: there are none */
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
/* One that was accepted ends; ENDING_NONE: nothing is said of it. */
void hub_activity_ended(struct connection *connection, enum ending ending);

/* A message of the device was put into the log. bag: its properties, NUL-terminated. */
void hub_activity_message(struct connection *connection, const char *bag, size_t payload_bytes);
/* So many of that kind, on an accepted connection. */
void hub_activity_count(struct connection *connection, enum tally_kind kind, uint64_t count);
/* The same of a device or module, whether it is connected or not. It is registered. */
void hub_activity_count_of(struct picket_hub *hub, const char *device, const char *module,
                           enum tally_kind kind, uint64_t count);
/* It reached for a topic or filter that is not its own. kind: one of the unauthorized. */
void hub_activity_trespass(struct connection *connection, enum tally_kind kind, struct slice topic);

/* Tells of an accepted connection's tally when its time has come. */
void hub_activity_check(struct connection *connection, int64_t now_ms);
/* Puts what is due on the log; what finds it full stays and goes with the next. */
void hub_activity_sweep(struct picket_hub *hub, int64_t now_ms);
/* Puts everything on the log, due or not: the hub stops, its connections have ended. */
void hub_activity_flush(struct picket_hub *hub);

#endif

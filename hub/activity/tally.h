/* What is counted of a device beside its connections: messages to and fro, methods, twins, and what
 * it reached for that is not its own.
 *
 * A connection counts in a tally of its own, and nothing is looked up for a message; activity.h
 * says when it becomes part of what is told. Thread: the hub's.
 */
#ifndef PICKET_HUB_TALLY_H
#define PICKET_HUB_TALLY_H

#include <stdbool.h>
#include <stdint.h>

enum tally_kind {
    /* The first three are of every message: a connection has room for them at once. */
    TALLY_MESSAGES, /* of the device, put into the log; wills too */
    TALLY_SECURITY, /* of these: security messages, the agent's */
    TALLY_BYTES,    /* of the payloads of all of them */
    TALLY_REPEATED, /* sent again while the first was on its way; not put into the log again */
    TALLY_DROPPED,  /* with QoS 0, dropped because the log was full */
    TALLY_WILLS,

    TALLY_QUEUED, /* messages to the device */
    TALLY_SENT,   /* each delivery */
    TALLY_COMPLETED,
    TALLY_PURGED,
    TALLY_EXPIRED,
    TALLY_UNDELIVERABLE, /* sent 10 times without a PUBACK */
    TALLY_REFUSED_FULL,  /* not queued: too many wait */
    TALLY_REFUSED_LARGE, /* not queued: too large */

    TALLY_INVOKED, /* methods that the owner asked for */
    TALLY_ANSWERED_2XX,
    TALLY_ANSWERED_4XX,
    TALLY_ANSWERED_5XX,
    TALLY_ANSWERED_OTHER,
    TALLY_TIMED_OUT,
    TALLY_UNCONNECTED, /* the device was not there, or did not subscribe, in time */
    TALLY_NOT_SENT,    /* devices have too much to read */
    TALLY_LATE,        /* results that nobody waited for */

    TALLY_GETS,    /* of its twin, answered with 200 */
    TALLY_REPORTS, /* answered with 204 */
    TALLY_TWIN_REFUSED,
    TALLY_TWIN_THROTTLED,
    TALLY_TWIN_FAILED,
    TALLY_DESIRED,      /* changes by the owner */
    TALLY_DESIRED_SENT, /* of these: the device was told */

    TALLY_FOREIGN_PUBLISH, /* to a topic that is not its own */
    TALLY_FOREIGN_SUBSCRIBE,
    TALLY_FOREIGN_WILDCARD, /* the same, with + or # beyond the contract */
    TALLY_FOREIGN_WILL,
    TALLY_KINDS
};

enum { TALLY_OF_MESSAGES = TALLY_BYTES + 1 };

struct tally {
    uint64_t counts[TALLY_KINDS];
};

/* Names of the groups and of what is in them, as the events have them. */
const char *tally_group(enum tally_kind kind);
const char *tally_name(enum tally_kind kind);

/* Whether it is told soon, like what becomes of connections, or when something is told anyway. */
bool tally_is_notable(enum tally_kind kind);
bool tally_has_notable(const struct tally *tally);
/* How often it reached for what is not its own. */
uint64_t tally_unauthorized(const struct tally *tally);

/* What kind of answer to a method a status is. */
enum tally_kind tally_of_status(int status);

bool tally_is_empty(const struct tally *tally);
void tally_add(struct tally *tally, const struct tally *more);

#endif

/* What there is to tell of a device or module, and its form. Thread: the hub's. */
#ifndef PICKET_HUB_ACTIVITY_ENTRY_H
#define PICKET_HUB_ACTIVITY_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "burst.h"
#include "ending.h"
#include "mqtt/slice.h"
#include "picket/base/address.h"
#include "picket/log/log.h"
#include "picket/store/store.h"
#include "tally.h"

enum { ACTIVITY_TOPIC_BYTES = 128, ACTIVITY_JSON_BYTES = 8192 };

/* How a connection came about, or was tried. Texts are OpenSSL's, and stay. */
struct attempt {
    char address[PICKET_ADDRESS_TEXT_BYTES]; /* "": there was none */
    const char *tls;
    const char *cipher;
    struct picket_thumbprint certificate; /* SHA-256; none: there was none */
};

/* What it reached for last. */
struct trespass {
    enum tally_kind kind;
    char topic[ACTIVITY_TOPIC_BYTES]; /* its begin, made plain; "": nothing */
};

/* A device or module of which something is to be told, or was lately: then this alone is left. */
struct activity_record {
    LIST_ENTRY(activity_record) in_bucket;
    int64_t free_ms;              /* monotonic: not to be told of before, nor forgotten */
    int64_t due_ms;               /* monotonic: to be told of then */
    struct activity_entry *entry; /* NULL: there is nothing to tell */
    const char *module;           /* "": the device itself; behind device, in the same block */
    char device[];
};

/* What is to be told of it. */
struct activity_entry {
    struct activity_record *of;
    int64_t begin_ms; /* Unix time of the first thing in it; 0: it is empty */

    uint32_t connected;
    uint32_t moved;
    uint32_t held_back;
    uint32_t endings[ENDING_COUNT]; /* of connections, and CONNECTs refused */
    uint8_t credential;             /* enum credential_kind of the last that was accepted */
    struct attempt accepted;        /* the last of each */
    struct attempt refused;
    struct tally tally;
    struct trespass trespass;
    struct burst trespasses;
};

struct picket_hub;

struct activity_json {
    char text[ACTIVITY_JSON_BYTES]; /* all that is put fits: names, numbers, addresses, a topic */
    size_t used;
};

/* {"about":"activity", …}; what is 0 or empty is left out. docs/api.md describes it. */
void activity_write(struct activity_json *json, const struct activity_entry *entry);
/* {"about":"unauthorized", …}: it goes on. */
void activity_write_trespasses(struct activity_json *json, const struct activity_entry *entry,
                               uint64_t operations, int64_t seconds);
/* {"about":"burst", …}: many refusals, of whomever. */
void activity_write_burst(struct activity_json *json, uint64_t refusals, int64_t seconds);

/* {"about":"certificate", …}: one of the hub's or a CA's ends soon, or has ended. of: "hub", "ca".
 */
void activity_write_certificate(struct activity_json *json, const char *of, const char *name,
                                int64_t until_s, bool expired);

/* What of the topic is told: its begin, in characters that need no escape. */
void activity_plain_topic(char plain[ACTIVITY_TOPIC_BYTES], struct slice topic);

/* Puts it on the log, as of that device or module; device "": of the hub itself. False: the log has
 * no room. */
bool hub_activity_append(struct picket_hub *hub, const char *device, const char *module,
                         const struct activity_json *json);

#endif

/* Threat intelligence: which indicators cover this address?
 *
 * Feeds are read by one thread and become a table; lookups by other threads go on against the old
 * table until the new one is there (RCU, liburcu), and never wait.
 */
#ifndef PICKET_SERVICE_INTEL_H
#define PICKET_SERVICE_INTEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"
#include "picket/base/error.h"
#include "picket/log/log.h"
#include "picket/service/detector.h"

/* Of alerts that a flow matches an indicator: one that has just come, and past ones; two types, so
 * that what goes on is never folded into what was. */
#define PICKET_ALERT_LISTED      "IoT_SuspiciousIpCommunication"
#define PICKET_ALERT_LISTED_PAST "IoT_PastSuspiciousIpCommunication"
/* Whether an alert's type is one of these. */
bool picket_is_intelligence(const char *type);

struct picket_intel;

/* Opens its own store handle, loads all indicators, starts the refreshing thread. The built-in
 * demonstration feed is an ordinary feed that `./run` adds. */
int picket_intel_start(struct picket_intel **intel, const char *store_folder,
                       struct picket_error *error);
void picket_intel_stop(struct picket_intel *intel);
/* The log is told of feeds that somebody has to look at, from now on. It has to last as long as
 * intel. Thread: any. */
void picket_intel_tell(struct picket_intel *intel, struct picket_log *log);
/* Feeds being fetched are given up, now and from now on: before stopping those that add and refresh
 * feeds, who would otherwise wait for a slow server. Thread: any. */
void picket_intel_interrupt(struct picket_intel *intel);

/* The fleet's own addresses, which raise alerts only for feeds that ask for them. prefixes has to
 * last as long as intel. Before anything is looked up. */
void picket_intel_own_networks(struct picket_intel *intel, const struct picket_prefix *prefixes,
                               size_t count);
/* The narrowest of them around the address. False: it is none of the fleet's own. */
bool picket_intel_own_network(struct picket_intel *intel, const struct picket_address *address,
                              struct picket_prefix *prefix);

/* What an indicator means for what goes to an address that it covers. */
enum picket_outcome {
    PICKET_OUTCOME_ALERT,
    PICKET_OUTCOME_ALLOWS,          /* it is of an allow list */
    PICKET_OUTCOME_SHARED,          /* it is of a list of shared addresses */
    PICKET_OUTCOME_ALLOWED,         /* silent: an allow list wins */
    PICKET_OUTCOME_SPECIAL_PURPOSE, /* silent: such an address, and the feed does not ask for it */
    PICKET_OUTCOME_OWN_NETWORK,     /* the same of the fleet's own */
    PICKET_OUTCOME_EXPIRED,         /* of any role, as the next */
    PICKET_OUTCOME_OTHER_TRAFFIC    /* it has another port or protocol */
};
/* "alert", "allows", "shared", "allowed", "special-purpose", "own-network", "expired",
 * "other-traffic". */
const char *picket_outcome_name(enum picket_outcome outcome);

/* struct picket_indicator tells what each is. */
struct picket_match {
    const char *feed;
    struct picket_prefix prefix;
    uint16_t port;
    uint8_t protocol;
    uint8_t confidence;
    uint8_t severity;
    uint8_t tlp;
    int64_t first_seen_ms;
    int64_t listed_ms;
    int64_t valid_until_ms;
    uint32_t line;
    const char *tags;
    const char *malware;
    const char *reference;
    int suppressed; /* 1: it is of a threat feed, and raises no alert */
    int role;       /* enum picket_feed_role */
    enum picket_outcome outcome;
    const struct picket_match *allowed_by; /* of outcome ALLOWED; otherwise NULL */
};
typedef void (*picket_match_visit)(void *context, const struct picket_match *match);

/* Visits every indicator that covers the address, most specific first; returns their number. What
 * each means is told for flows of any port and protocol, now. Thread: any. */
size_t picket_intel_lookup(struct picket_intel *intel, const struct picket_address *address,
                           picket_match_visit visit, void *context);
/* The same for flows to one port (0: any) and of one protocol (enum picket_protocol + 1, 0: any).
 */
size_t picket_intel_lookup_flow(struct picket_intel *intel, const struct picket_address *address,
                                uint16_t port, uint8_t protocol, picket_match_visit visit,
                                void *context);

struct picket_feed_line_problem {
    uint32_t line;
    char text[200]; /* what was there, made printable */
    char reason[100];
    char file[256]; /* within the feed; "" if it is one file */
};
struct picket_feed_report {
    struct picket_feed feed;
    struct picket_feed_delta delta;
    int64_t duration_ms;
    size_t problem_count; /* at most 10 shown of feed.skipped */
    struct picket_feed_line_problem problems[10];
    int64_t passed_over; /* understood, and of no use: host names, hashes, what was revoked */
};

/* Adds a feed and loads it before it returns. source is a path, an http(s) URL, or "" for a kept
 * list, which is empty at first; format is "auto" (or ""), "plain", "csv", "ndjson", "stix",
 * "misp", "zeek", "rules", "p2p" or "text". PICKET_EXISTS; PICKET_INVALID (bad name, no list, lines
 * but no indicator, covers half of all IPv4 addresses; a feed that holds comments only is empty and
 * no error); PICKET_NOT_FOUND, PICKET_IO (cannot be fetched); PICKET_FULL (too large, or the disk
 * is). PICKET_BUSY: four feeds are being read on request already. *report may be NULL; its problems
 * are filled in for a refused feed too. Thread: any; feeds are fetched side by side, and taken in
 * one at a time. */
int picket_intel_feed_add(struct picket_intel *intel, const struct picket_feed *feed,
                          struct picket_feed_report *report, struct picket_error *error);
int picket_intel_feed_remove(struct picket_intel *intel, const char *name,
                             struct picket_error *error);
/* Reads the feed again, in any case. What is there stays, and feed.problem says why, when the feed
 * cannot be read, or holds less than half of the indicators that are there (from 20 on; none, of
 * fewer): PICKET_DENIED, and feed.waits and feed.would_hold tell. PICKET_BUSY as above. */
int picket_intel_feed_refresh(struct picket_intel *intel, const char *name,
                              struct picket_feed_report *report, struct picket_error *error);
/* The same, and takes it even then. */
int picket_intel_feed_accept(struct picket_intel *intel, const char *name,
                             struct picket_feed_report *report, struct picket_error *error);

/* Gives the feed of that name the settings of *wanted, as it was read from the store and then
 * changed; it is read again soon, and what it holds stays until then. *changed is the feed.
 * PICKET_NOT_FOUND, PICKET_INVALID; PICKET_BUSY: somebody else has changed it since. Thread: any.
 */
int picket_intel_feed_change(struct picket_intel *intel, const struct picket_feed *wanted,
                             struct picket_feed *changed, struct picket_error *error);

struct picket_collection {
    const char *source;              /* of a feed that reads it: taxii+https://… */
    const char *title, *description; /* "" for what the server does not say */
    bool can_read;
};
typedef void (*picket_collection_visit)(void *context, const struct picket_collection *collection);
/* What there is at a TAXII 2.1 server, API root or list of collections: asked now. Errors as of
 * adding a feed. Thread: any. */
int picket_intel_collections(struct picket_intel *intel, const char *url,
                             const struct picket_feed_access *access, picket_collection_visit visit,
                             void *context, struct picket_error *error);

/* When the feed is read again by itself, Unix time; 0: never. Thread: any. */
int64_t picket_intel_feed_next_ms(struct picket_intel *intel, const struct picket_feed *feed);

/* ---- kept lists: feeds without a source, which their owner changes indicator by indicator ---- */

enum { PICKET_LIST_CONFIDENCE = 90 }; /* of a list that nobody gave another */
/* Exists from its first use on; others are made by picket_intel_feed_add(), source "". */
#define PICKET_LIST_LOCAL "local"
/* The same, of the role allow: what the owner allows, the reason as its tags. */
#define PICKET_LIST_ALLOW "local-allow"

/* The list has these from now on; first_seen_ms is the time of this call for those that are new.
 * When it returns they are on the disk, and lookups see them. All or none; the last of several
 * alike counts. PICKET_NOT_FOUND: no such list; PICKET_INVALID: a feed with a source; PICKET_FULL.
 * *delta may be NULL. Thread: any. */
int picket_intel_put(struct picket_intel *intel, const char *list,
                     const struct picket_indicator *indicators, size_t count,
                     struct picket_feed_delta *delta, struct picket_error *error);
/* Changes what is said of indicators that the list has. All or none; PICKET_NOT_FOUND also if the
 * list does not have one, and *at (may be NULL) is its place then, otherwise count. */
int picket_intel_change(struct picket_intel *intel, const char *list,
                        const struct picket_indicator_change *changes, size_t count,
                        struct picket_feed_delta *delta, size_t *at, struct picket_error *error);
/* Puts what a file holds, in any format of feeds, onto what the list has. format: as of a feed;
 * confidence: of indicators that bring none, negative: the list's. Lines that are not understood
 * are counted in report->feed.skipped, and the first are in its problems; PICKET_INVALID: none is
 * an indicator. */
int picket_intel_import(struct picket_intel *intel, const char *list, const char *text,
                        size_t size_bytes, const char *format, int confidence,
                        struct picket_feed_report *report, struct picket_error *error);
/* Not any more: each by prefix, port and protocol. As above. */
int picket_intel_take_out(struct picket_intel *intel, const char *list,
                          const struct picket_indicator *which, size_t count, size_t *at,
                          struct picket_error *error);

/* The detector that matches flows' remote addresses. */
struct picket_detector picket_intel_detector(struct picket_intel *intel);

/* Flows that a feed lists and that the allow list kept from raising an alert, since the start.
 * Thread: any. */
uint64_t picket_intel_silenced(struct picket_intel *intel, const char *list);
/* How many of a feed's indicators expired more than an hour ago: they are in the store, and not in
 * memory. Thread: any. */
int64_t picket_intel_feed_expired(struct picket_intel *intel, const char *feed);
/* In memory. */
size_t picket_intel_indicator_count(struct picket_intel *intel);

#endif

/* What is kept of a feed beside its indicators: the lines that were not understood, and, of a feed
 * of which only what is new is fetched, the parts that it is made of.
 *
 * A part is an object of a TAXII collection or an event of a MISP feed. The feed's indicators are
 * those of all its parts, read together; so what one part says stays when another that said the
 * same goes.
 */
#ifndef PICKET_STORE_FEED_PARTS_H
#define PICKET_STORE_FEED_PARTS_H

#include "picket/store/store.h"

struct picket_feed_problem {
    const char *file; /* within the feed, "" if it is one file */
    uint32_t line;
    const char *text; /* what was there, made printable */
    const char *reason;
};
typedef void (*picket_feed_problem_visit)(void *context, const struct picket_feed_problem *problem);

/* Replaces those of the last time. PICKET_NOT_FOUND: there is no such feed. */
int picket_store_feed_problems_put(struct picket_store *store, const char *feed,
                                   const struct picket_feed_problem *problems, size_t count,
                                   struct picket_error *error);
/* In their order; none for a feed that is not there. */
int picket_store_feed_problems(struct picket_store *store, const char *feed,
                               picket_feed_problem_visit visit, void *context,
                               struct picket_error *error);

struct picket_feed_part {
    const char *key;   /* which part it is: an id of the feed's */
    const char *stamp; /* as of when, in the feed's own words */
    const void *body;  /* NULL: the part is no more */
    size_t body_bytes;
};
typedef void (*picket_feed_part_visit)(void *context, const struct picket_feed_part *part);

/* In one transaction: puts parts in the place of those with the same key, and removes those without
 * a body; whole: all others, too. PICKET_NOT_FOUND: there is no such feed. */
int picket_store_feed_parts_change(struct picket_store *store, const char *feed, bool whole,
                                   const struct picket_feed_part *parts, size_t count,
                                   struct picket_error *error);
/* In the order of their keys, byte by byte; none for a feed that is not there. */
int picket_store_feed_parts(struct picket_store *store, const char *feed,
                            picket_feed_part_visit visit, void *context,
                            struct picket_error *error);

#endif

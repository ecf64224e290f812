/* Rows of kept lists: what kept_indicators.c and kept_expiry.c share. */
#ifndef PICKET_STORE_SQLITE_KEPT_INDICATORS_H
#define PICKET_STORE_SQLITE_KEPT_INDICATORS_H

#include "store.h"

#define KEPT_COLUMNS                                                                               \
    "family, address, length, port, protocol, confidence, severity, tlp, line, first_seen_ms, "    \
    "listed_ms, valid_until_ms, tags, malware, reference "
#define KEPT_IS_KEY                                                                                \
    "feed = ? and family = ? and address = ? and length = ? and port = ? and protocol = ?"

/* The parameters of KEPT_IS_KEY behind the feed: the indicator must live until query_end(). */
void kept_bind_key(struct query *query, const struct picket_indicator *which);
/* KEPT_COLUMNS of a row; the texts are the row's, valid until the next. */
struct picket_indicator kept_take_row(struct query *query);

/* A change of one list's. */
struct kept_change {
    struct sqlite_store *store;
    const char *name;
    int64_t feed;
    picket_indicator_change_visit visit; /* NULL: nobody wants to know */
    void *context;
    struct picket_feed_delta delta;
};

/* By its name, sets the number. PICKET_NOT_FOUND; PICKET_INVALID: it is no kept list. */
int kept_find_list(struct kept_change *change, struct picket_error *error);

/* Within a transaction, of the list with that number. */
int kept_remove_row(const struct kept_change *change, const struct picket_indicator *which,
                    struct picket_error *error);
/* How many it has, as the delta says. */
int kept_note_count(const struct kept_change *change, struct picket_error *error);

#endif

/* What a TAXII 2.1 server says (OASIS TAXII 2.1, 4 and 5), as far as a reader of collections needs
 * it.
 *
 * Thread: pure functions.
 */
#ifndef INTEL_TAXII_ANSWER_H
#define INTEL_TAXII_ANSWER_H

#include <stdbool.h>

#include "feed_parts.h"

enum { TAXII_NEXT_BYTES = 1024, TAXII_URL_BYTES = 2048 };

/* An envelope: a page of a collection's objects. */
struct taxii_page {
    bool more;
    char next[TAXII_NEXT_BYTES]; /* "" if it does not say where to go on */
    size_t objects;
};

/* Adds the objects that have an id, each as a part: id, when it was modified, its JSON.
 * PICKET_INVALID: no envelope; and what feed_parts_add() says. */
int taxii_page_parse(const char *text, size_t size_bytes, struct feed_parts *parts,
                     struct taxii_page *page, struct picket_error *error);

struct taxii_collection {
    const char *id, *title, *description; /* "" for what is not said */
    bool can_read;
};
typedef int (*taxii_collection_visit)(void *context, const struct taxii_collection *collection);
typedef int (*taxii_root_visit)(void *context, const char *api_root);

/* What a server answers to whoever asks what there is: collections, API roots (discovery), or that
 * it is an API root itself (*is_root). An object without members is a list of no collections
 * (5.1.1). A visit that does not return PICKET_OK ends it. PICKET_INVALID: nothing of these. */
int taxii_directory_parse(const char *text, size_t size_bytes, taxii_root_visit root,
                          taxii_collection_visit collection, void *context, bool *is_root,
                          struct picket_error *error);

#endif

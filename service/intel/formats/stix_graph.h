/* What a feed's STIX objects say of one another: which version of an indicator is the newest, what
 * it indicates, how it is marked. Only in the end is all of it known, for objects come in any
 * order.
 *
 *     id ─▶ object { version, its indicators in the list, name, TLP }
 *     links: indicator ─▶ malware, threat actor, campaign ...; indicator ─▶ marking
 *
 * Thread: one at a time.
 */
#ifndef INTEL_STIX_GRAPH_H
#define INTEL_STIX_GRAPH_H

#include "indicator_list.h"

struct stix_object {
    const char *id;
    bool is_known; /* the feed has it, and does not only refer to it */
    bool is_revoked;
    int64_t modified_ms;     /* of the version that counts */
    uint32_t runs;           /* number + 1 of its last run, 0: it gave no indicators */
    const char *name;        /* of what may be indicated, or NULL */
    uint8_t tlp;             /* of a marking */
    const char *linked_name; /* of all it is linked to, in the end */
    uint8_t linked_tlp;
};

/* Indicators one after the other in the list. Most objects have one run; more if a feed has one
 * version twice, with different content. */
struct stix_run {
    size_t first, count;
    uint32_t before; /* number + 1 of the object's run before, 0: none */
};

struct stix_link {
    uint32_t from, to; /* numbers of objects */
};

struct stix_graph {
    struct indicator_list *list; /* has the texts too */
    struct stix_object *objects;
    size_t count, capacity;
    uint32_t *numbers; /* by hash: the object's number + 1, 0: free */
    size_t numbers_size;
    struct stix_run *runs;
    size_t run_count, run_capacity;
    struct stix_link *links;
    size_t link_count, link_capacity;
};

void stix_graph_begin(struct stix_graph *graph, struct indicator_list *list);
void stix_graph_free(struct stix_graph *graph);

/* The object of that id, made if it is not there; valid until the next call. NULL: no memory. */
struct stix_object *stix_graph_object(struct stix_graph *graph, struct feed_text id);
bool stix_graph_link(struct stix_graph *graph, struct feed_text from, struct feed_text to);

/* The object has given the list's indicators from first on. */
bool stix_graph_add_run(struct stix_graph *graph, struct stix_object *object, size_t first);
/* The indicators that an older version gave count for nothing. */
void stix_graph_take_back(struct stix_graph *graph, struct stix_object *object);

/* Gives the indicators what their objects are linked to, and removes those taken back. False: no
 * memory. */
bool stix_graph_finish(struct stix_graph *graph);

#endif

/* What a part of a STIX pattern asks of a flow: any of some alternatives, each of which is a set of
 * conditions that hold together. OR joins two such lists, AND pairs each of one with each of the
 * other.
 *
 * Thread: one at a time.
 */
#ifndef INTEL_STIX_ALTERNATIVES_H
#define INTEL_STIX_ALTERNATIVES_H

#include "indicator_text.h"

enum stix_end { STIX_EITHER_END, STIX_DESTINATION, STIX_SOURCE };

/* Zeroed asks for nothing. */
struct stix_alternative {
    struct address_range range; /* family 0: any address; its port is not used */
    enum stix_end range_end;
    uint8_t family; /* 0: any */
    uint16_t port;  /* 0: any */
    enum stix_end port_end;
    uint8_t protocol;      /* 0: any; otherwise enum picket_protocol + 1 */
    bool is_about_address; /* also when what it asks of it cannot be read */
    bool asks_more;        /* than flows show: a domain, a file, ... */
    const char *reason;    /* why it cannot be read, or NULL */
};

struct stix_alternatives {
    struct stix_alternative *items;
    size_t count, capacity;
    bool has_other;      /* of those that are alike, one is enough */
    bool has_refused[2]; /* [is_about_address] */
};

/* False, here and below: no memory. */
bool stix_alternatives_add(struct stix_alternatives *list, const struct stix_alternative *one);
void stix_alternatives_free(struct stix_alternatives *list);

/* Takes over what is in other. */
bool stix_alternatives_or(struct stix_alternatives *list, struct stix_alternatives *other);
bool stix_alternatives_and(struct stix_alternatives *list, struct stix_alternatives *other);

bool stix_alternatives_are_about_addresses(const struct stix_alternatives *list);
/* What is about addresses cannot be taken, for that reason. */
bool stix_alternatives_refuse(struct stix_alternatives *list, const char *reason);

#endif

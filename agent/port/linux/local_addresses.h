/* Which addresses are the device's own, and so in which direction a packet goes.
 *
 * An address is local if an interface has it or a prefix given by --local covers it. What is sent
 * to a group (multicast, limited broadcast, an interface's broadcast address) is nobody's own.
 *
 * Thread: none of its own; one thread at a time.
 */
#ifndef PICKET_AGENT_LINUX_LOCAL_ADDRESSES_H
#define PICKET_AGENT_LINUX_LOCAL_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "link_layer.h"
#include "picket/base/address.h"
#include "picket/base/error.h"

enum { LOCAL_PREFIXES_MAX = 256, LOCAL_INTERFACE_ADDRESSES_MAX = 1024 };

struct local_addresses {
    struct picket_prefix prefixes[LOCAL_PREFIXES_MAX];
    size_t prefix_count;
    struct picket_address own[LOCAL_INTERFACE_ADDRESSES_MAX];
    size_t own_count;
    struct picket_address broadcasts[LOCAL_INTERFACE_ADDRESSES_MAX];
    size_t broadcast_count;
    size_t omitted; /* addresses of interfaces for which there was no room */
};

/* Adds ADDRESS or ADDRESS/LENGTH. */
int local_addresses_add(struct local_addresses *local, const char *text,
                        struct picket_error *error);

/* Replaces the interfaces' addresses by what they have now. *changed (may be NULL): they differ
 * from before. */
int local_addresses_read_interfaces(struct local_addresses *local, bool *changed,
                                    struct picket_error *error);

enum traffic {
    TRAFFIC_OUT,     /* the source is local (whatever the destination is) */
    TRAFFIC_IN,      /* the destination is */
    TRAFFIC_GROUP,   /* neither, but it goes to a group that this device may listen to */
    TRAFFIC_FOREIGN, /* neither: between others */
    TRAFFIC_UNKNOWN  /* the IP header is cut before its addresses end */
};

enum traffic local_addresses_classify(const struct local_addresses *local,
                                      const struct ip_packet *packet);

#endif

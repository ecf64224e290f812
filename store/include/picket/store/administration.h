/* What the owner sets for the whole hub: the certificate authorities whose devices may come, and
 * the addresses from which clients may.
 *
 * The functions belong to a handle of store.h, and keep its rules; each that writes is a
 * transaction of its own.
 */
#ifndef PICKET_STORE_ADMINISTRATION_H
#define PICKET_STORE_ADMINISTRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"
#include "picket/base/error.h"

struct picket_store;

/* ---- certificate authorities ---- */

enum {
    PICKET_AUTHORITY_NAME_BYTES = 65,
    PICKET_AUTHORITY_BYTES_MAX = 16384,
    PICKET_AUTHORITIES_MAX = 100
};

struct picket_authority {
    const char *name;           /* the owner's */
    const uint8_t *certificate; /* DER */
    size_t certificate_bytes;
    int64_t added_ms;
};

/* PICKET_EXISTS: the name is taken, or the certificate is there under another name; PICKET_INVALID:
 * the name is empty, longer than 64 bytes, or has others than letters, digits and - . _; the
 * certificate is empty or longer than PICKET_AUTHORITY_BYTES_MAX; PICKET_FULL: there are
 * PICKET_AUTHORITIES_MAX. Whether the bytes are a certificate is the caller's to check. */
int picket_store_authority_add(struct picket_store *store, const struct picket_authority *authority,
                               struct picket_error *error);
/* PICKET_NOT_FOUND. */
int picket_store_authority_remove(struct picket_store *store, const char *name,
                                  struct picket_error *error);
/* In the order of their names. */
typedef void (*picket_authority_visit)(void *context, const struct picket_authority *authority);
int picket_store_authorities(struct picket_store *store, picket_authority_visit visit,
                             void *context, struct picket_error *error);

/* ---- IP filter ---- */

enum { PICKET_IP_RULES_MAX = 1000, PICKET_IP_NOTE_BYTES = 201 };

struct picket_ip_rule {
    bool allow; /* false: deny */
    struct picket_prefix prefix;
    char note[PICKET_IP_NOTE_BYTES]; /* the owner's, "" for none */
};

/* The first rule that covers an address decides; the default does when none covers it. */
struct picket_ip_filter {
    bool deny_by_default;
    size_t count;
    struct picket_ip_rule rules[PICKET_IP_RULES_MAX];
};

/* Replaces it as a whole. PICKET_INVALID: two rules have the same prefix, of which the second would
 * never count. */
int picket_store_ip_filter_put(struct picket_store *store, const struct picket_ip_filter *filter,
                               struct picket_error *error);
/* At first there are no rules, and everybody is let in. */
int picket_store_ip_filter_get(struct picket_store *store, struct picket_ip_filter *filter,
                               struct picket_error *error);

#endif

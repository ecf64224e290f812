/* Who may come at all, as the owner set it for the whole hub: the certificate authorities, and the
 * addresses.
 *
 * A snapshot, made by whoever changed something, on that thread; the hub's thread takes it over and
 * never waits for the disk on its account. Nobody changes it after that.
 */
#ifndef PICKET_HUB_ADMISSION_H
#define PICKET_HUB_ADMISSION_H

#include <openssl/x509.h>
#include <stddef.h>

#include "ip_filter.h"
#include "picket/base/error.h"
#include "picket/store/administration.h"
#include "picket/store/thumbprint.h"

struct admission {
    X509_STORE *authorities;
    struct picket_thumbprint anchors[PICKET_AUTHORITIES_MAX]; /* SHA-256 of each of them */
    struct {
        char name[PICKET_AUTHORITY_NAME_BYTES];
        int64_t until_s; /* Unix time; 0: cannot be read */
    } ends[PICKET_AUTHORITIES_MAX];
    size_t anchor_count;
    struct ip_filter filter;
};

/* What the store has; with NULL for it, nothing. The caller frees. */
int admission_load(struct admission **admission, const char *store_folder,
                   struct picket_error *error);
void admission_free(struct admission *admission); /* NULL: nothing */

#endif

/* What a connection was opened with, so that it ends when just that is taken away: a key replaced,
 * a thumbprint or a CA removed. The other one of the device may go on.
 *
 * Thread: pure functions.
 */
#ifndef PICKET_HUB_CREDENTIAL_H
#define PICKET_HUB_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "admission.h"
#include "picket/store/store.h"

enum credential_kind { CREDENTIAL_KEY, CREDENTIAL_THUMBPRINT, CREDENTIAL_CA };

struct credential {
    uint8_t kind;     /* enum credential_kind */
    uint8_t mark[16]; /* begin of a SHA-256 of the key, of the thumbprint, of the CA's SHA-256 */
};

struct credential credential_of_key(const uint8_t *key, size_t key_bytes);
struct credential credential_of_print(enum credential_kind kind,
                                      const struct picket_thumbprint *print);

/* Does the device still have it, and is it let in at all? */
bool credential_holds(const struct credential *credential,
                      const struct picket_device_identity *device,
                      const struct admission *admission);

/* Does it, a CREDENTIAL_CA, come from one that is still registered? */
bool credential_is_of_authorities(const struct credential *credential,
                                  const struct admission *admission);

/* "its SAS token", "its certificate": for sentences. */
const char *credential_name(const struct credential *credential);

#endif

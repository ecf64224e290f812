/* Passwords, tokens and keys, which lie in files of their own: configuration, feeds and the API
 * hold paths only.
 *
 * Thread: any.
 */
#ifndef SERVICE_SECRET_H
#define SERVICE_SECRET_H

#include "picket/base/error.h"

enum { SECRET_BYTES = 1024 };

/* The first line of the file; fails when others than owner and group may read it, when it is empty
 * or too long. The caller cleanses it. */
int secret_read(const char *path, char secret[SECRET_BYTES], struct picket_error *error);

#endif

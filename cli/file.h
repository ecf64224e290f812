/* Files that are read whole.
 */
#ifndef PICKET_CLI_FILE_H
#define PICKET_CLI_FILE_H

#include <stddef.h>

#include "picket/base/error.h"

/* All of a file, "-" being standard input, with a NUL behind it; the caller frees. PICKET_INVALID
 * for one larger than bytes_max. Errors name the file. */
int file_read(const char *path, size_t bytes_max, char **content, size_t *size_bytes,
              struct picket_error *error);

#endif

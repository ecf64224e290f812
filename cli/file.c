#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_stream(FILE *stream, const char *path, size_t bytes_max, char *content,
                       size_t *size_bytes, struct picket_error *error)
{
    errno = 0;
    *size_bytes = fread(content, 1, bytes_max + 1, stream);
    if (ferror(stream))
        return picket_fail(error, PICKET_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (*size_bytes > bytes_max)
        return picket_fail(error, PICKET_INVALID, "%s: is larger than %zu bytes", path, bytes_max);
    content[*size_bytes] = 0;
    return PICKET_OK;
}

int file_read(const char *path, size_t bytes_max, char **content, size_t *size_bytes,
              struct picket_error *error)
{
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!stream)
        return picket_fail(error, PICKET_IO, "%s: cannot be read: %s", path, strerror(errno));
    char *bytes = malloc(bytes_max + 1);
    int status = bytes ? read_stream(stream, path, bytes_max, bytes, size_bytes, error)
                       : picket_fail(error, PICKET_NO_MEMORY, "%s: out of memory", path);
    if (stream != stdin)
        fclose(stream);
    if (status == PICKET_OK)
        *content = bytes;
    else
        free(bytes);
    return status;
}

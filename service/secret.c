#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_line(FILE *file, const char *path, char secret[SECRET_BYTES],
                     struct picket_error *error)
{
    struct stat status;
    if (fstat(fileno(file), &status) != 0)
        return picket_fail(error, PICKET_IO, "%s: %s", path, strerror(errno));
    if ((status.st_mode & S_IRWXO) != 0)
        return picket_fail(error, PICKET_DENIED,
                           "%s: everybody may read this secret; expected no rights for others "
                           "(chmod o= FILE)",
                           path);
    if (fgets(secret, SECRET_BYTES, file) == NULL)
        secret[0] = '\0';
    size_t length = strcspn(secret, "\r\n");
    if (length == 0 || length == SECRET_BYTES - 1)
        return picket_fail(error, PICKET_INVALID,
                           "%s: the first line is to be the secret, of 1 to %d bytes", path,
                           SECRET_BYTES - 2);
    secret[length] = '\0';
    return PICKET_OK;
}

int secret_read(const char *path, char secret[SECRET_BYTES], struct picket_error *error)
{
    /* Not blocking: a pipe without a writer must not hold anything up. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (file == NULL) {
        int problem = errno;
        if (descriptor >= 0)
            close(descriptor);
        return picket_fail(error, PICKET_IO, "%s: %s", path, strerror(problem));
    }
    setvbuf(file, NULL, _IONBF, 0); /* no copy of it is left in a buffer */
    int status = read_line(file, path, secret, error);
    fclose(file);
    return status;
}

#include "message_directory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message_bytes.h"

static int name_file(const struct message_directory *directory, uint32_t number,
                     char path[PATH_MAX], struct picket_error *error)
{
    int length = snprintf(path, PATH_MAX, "%s/message-%06u.bin", directory->path, number);
    if (length < 0 || length >= PATH_MAX)
        return picket_fail(error, PICKET_INVALID, "%s: the path is too long", directory->path);
    return PICKET_OK;
}

int message_directory_open(struct message_directory *directory, const char *path,
                           struct picket_error *error)
{
    *directory = (struct message_directory){.path = path};
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return picket_fail(error, PICKET_IO, "%s: the folder cannot be made: %s", path,
                           strerror(errno));
    char first[PATH_MAX];
    int status = name_file(directory, 1, first, error);
    if (status == PICKET_OK && access(first, F_OK) == 0)
        return picket_fail(error, PICKET_EXISTS,
                           "%s: there already; expected a folder without "
                           "messages",
                           first);
    return status;
}

static int write_file(const char *path, const uint8_t *bytes, uint32_t size_bytes,
                      struct picket_error *error)
{
    FILE *file = fopen(path, "wbx");
    if (file == NULL)
        return picket_fail(error, PICKET_IO, "%s: cannot be made: %s", path, strerror(errno));
    bool written = fwrite(bytes, 1, size_bytes, file) == size_bytes;
    if (fclose(file) != 0 || !written)
        return picket_fail(error, PICKET_IO, "%s: cannot be written: %s", path, strerror(errno));
    return PICKET_OK;
}

int message_directory_write(struct message_directory *directory,
                            const struct picket_wire_message *message, struct picket_error *error)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    uint32_t size_bytes;
    int status = name_file(directory, directory->written + 1, path, error);
    if (status == PICKET_OK)
        status = message_bytes_encode(message, &bytes, &size_bytes, error);
    if (status != PICKET_OK)
        return status;
    status = write_file(path, bytes, size_bytes, error);
    free(bytes);
    if (status == PICKET_OK)
        directory->written++;
    return status;
}

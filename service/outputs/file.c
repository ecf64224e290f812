/* Appends one JSON object a line. A line is confirmed once it is on the disk (fdatasync), and its
 * file's name with it; a line that was only partly written is taken back. When the file was renamed
 * or removed (logrotate), a new one is begun. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "output.h"

struct file_output {
    const char *path;
    int descriptor; /* −1: not open */
};

/* A line that a crash left unfinished must not swallow the next. */
static int finish_last_line(int descriptor)
{
    char last;
    off_t size = lseek(descriptor, 0, SEEK_END);
    if (size <= 0)
        return size < 0 ? -1 : 0;
    if (pread(descriptor, &last, 1, size - 1) != 1)
        return -1;
    return last == '\n' || write(descriptor, "\n", 1) == 1 ? 0 : -1;
}

/* A new file is there after a power cut only when its folder is synced. One that we may write into
 * and not read is the owner's to look after. */
static int sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return -1;
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (folder < 0)
        return errno == EACCES ? 0 : -1;
    int result = fsync(folder) == 0 || errno == EINVAL ? 0 : -1;
    int problem = errno;
    close(folder);
    errno = problem;
    return result;
}

static void close_descriptor(struct file_output *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
}

static int open_path(struct file_output *file, struct picket_error *error)
{
    file->descriptor = open(file->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file->descriptor < 0)
        return picket_fail(error, PICKET_IO, "%s: %s", file->path, strerror(errno));
    struct stat status;
    if (fstat(file->descriptor, &status) == 0 && !S_ISREG(status.st_mode))
        return PICKET_OK;
    if (finish_last_line(file->descriptor) == 0 && sync_folder(file->path) == 0)
        return PICKET_OK;
    int problem = errno;
    close_descriptor(file); /* all of it is to be done again */
    return picket_fail(error, problem == ENOSPC ? PICKET_FULL : PICKET_IO, "%s: %s", file->path,
                       strerror(problem));
}

static int file_check(const struct picket_output_config *config, char *setting,
                      struct picket_error *error)
{
    (void)config, (void)setting, (void)error;
    return PICKET_OK;
}

static int file_open(void **state, const struct picket_output_config *config,
                     const atomic_int *stopping, struct picket_error *error)
{
    (void)stopping;
    struct file_output *file = calloc(1, sizeof *file);
    if (file == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for output %s", config->name);
    file->path = config->location;
    int status = open_path(file, error);
    if (status != PICKET_OK) {
        free(file);
        return status;
    }
    *state = file;
    return PICKET_OK;
}

static void file_close(void *state)
{
    struct file_output *file = state;
    close_descriptor(file);
    free(file);
}

/* Opens the path anew if it no longer leads to the file that is open. */
static int follow_rotation(struct file_output *file, struct picket_error *error)
{
    struct stat path, open_file;
    if (file->descriptor >= 0 && stat(file->path, &path) == 0 &&
        fstat(file->descriptor, &open_file) == 0 && path.st_ino == open_file.st_ino &&
        path.st_dev == open_file.st_dev)
        return PICKET_OK;
    close_descriptor(file);
    return open_path(file, error);
}

static int write_line(struct file_output *file, const struct delivery *item,
                      struct picket_error *error)
{
    char newline[] = "\n";
    struct iovec pieces[2] = {{item->body, item->body_bytes}, {newline, 1}};
    off_t before = lseek(file->descriptor, 0, SEEK_END);
    ssize_t written = writev(file->descriptor, pieces, 2);
    if (written == (ssize_t)item->body_bytes + 1)
        return PICKET_OK;
    int problem = written < 0 ? errno : ENOSPC;
    if (written > 0 && before >= 0 && ftruncate(file->descriptor, before) != 0)
        close_descriptor(file); /* opening it again finishes the line */
    return picket_fail(error, problem == ENOSPC ? PICKET_FULL : PICKET_IO, "%s: %s", file->path,
                       strerror(problem));
}

static int file_send(void *state, const struct delivery *items, size_t count,
                     struct sending *sending, struct picket_error *error)
{
    struct file_output *file = state;
    size_t written = 0;
    int status = follow_rotation(file, error);
    while (status == PICKET_OK && written < count) {
        status = write_line(file, &items[written], error);
        written += status == PICKET_OK;
    }
    if (written == 0)
        return status;
    if (file->descriptor < 0 || (fdatasync(file->descriptor) != 0 && errno != EINVAL))
        return picket_fail(error, PICKET_IO, "%s: %s", file->path, strerror(errno));
    sending->sent = written;
    return status;
}

const struct sender file_sender = {.together = DELIVERIES_TOGETHER,
                                   .check = file_check,
                                   .open = file_open,
                                   .send = file_send,
                                   .close = file_close};

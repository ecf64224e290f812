#include "audit_note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "picket/base/hexadecimal.h"

enum { PATH_BYTES = 4200, LINE_BYTES = 20 + 1 + 2 * PICKET_SEAL_BYTES + 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool parse_seal(const char *text, uint8_t seal[PICKET_SEAL_BYTES])
{
    for (size_t i = 0; i < PICKET_SEAL_BYTES; i++) {
        int high = picket_hexadecimal_digit(text[2 * i]);
        int low = high >= 0 ? picket_hexadecimal_digit(text[2 * i + 1]) : -1;
        if (low < 0)
            return false;
        seal[i] = (uint8_t)(high << 4 | low);
    }
    return strcmp(text + (size_t)2 * PICKET_SEAL_BYTES, "\n") == 0;
}

static bool read_note(const char *path, struct audit_note *note)
{
    char line[LINE_BYTES + 1];
    int seal_at = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(line, 1, LINE_BYTES, file);
    fclose(file);
    line[size] = '\0';
    return sscanf(line, "%" SCNd64 " %n", &note->id, &seal_at) == 1 && seal_at > 0 &&
           note->id > 0 && parse_seal(line + seal_at, note->seal);
}

bool audit_note_read(const char *folder, struct audit_note *note)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/" AUDIT_NOTE_NAME, folder);
    pthread_mutex_lock(&lock);
    bool found = read_note(path, note);
    pthread_mutex_unlock(&lock);
    return found;
}

/* In place: a line is always as long, and lies in one page. */
static int write_note(const char *path, const struct audit_note *note, struct picket_error *error)
{
    char line[LINE_BYTES + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int size = snprintf(line, sizeof line, "%020" PRId64 " ", note->id);
    for (size_t i = 0; i < PICKET_SEAL_BYTES; i++)
        size += snprintf(line + size, sizeof line - (size_t)size, "%02x", note->seal[i]);
    line[size++] = '\n';
    bool written = fd >= 0 && pwrite(fd, line, (size_t)size, 0) == size;
    int problem = errno;
    if (fd >= 0)
        close(fd);
    return written ? PICKET_OK
                   : picket_fail(error, PICKET_IO, "%s: cannot be written: %s", path,
                                 strerror(problem));
}

int audit_note_write(const char *folder, const struct audit_note *note, bool anew,
                     struct picket_error *error)
{
    char path[PATH_BYTES];
    struct audit_note before;
    snprintf(path, sizeof path, "%s/" AUDIT_NOTE_NAME, folder);
    pthread_mutex_lock(&lock);
    bool is_old = !anew && read_note(path, &before) && before.id >= note->id;
    int status = is_old ? PICKET_OK : write_note(path, note, error);
    pthread_mutex_unlock(&lock);
    return status;
}

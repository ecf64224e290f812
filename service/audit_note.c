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

bool audit_note_read(const char *folder, struct audit_note *note)
{
    char path[PATH_BYTES], line[LINE_BYTES + 1];
    int seal_at = 0;
    snprintf(path, sizeof path, "%s/" AUDIT_NOTE_NAME, folder);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(line, 1, LINE_BYTES, file);
    fclose(file);
    line[size] = '\0';
    return sscanf(line, "%" SCNd64 " %n", &note->id, &seal_at) == 1 && seal_at > 0 &&
           note->id > 0 && parse_seal(line + seal_at, note->seal);
}

static bool write_file(const char *path, const struct audit_note *note)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    char line[LINE_BYTES + 1];
    int size = snprintf(line, sizeof line, "%" PRId64 " ", note->id);
    for (size_t i = 0; i < PICKET_SEAL_BYTES; i++)
        size += snprintf(line + size, sizeof line - (size_t)size, "%02x", note->seal[i]);
    line[size++] = '\n';
    bool written = write(fd, line, (size_t)size) == size;
    return close(fd) == 0 && written;
}

static int replace(const char *folder, const struct audit_note *note, struct picket_error *error)
{
    char path[PATH_BYTES], next[PATH_BYTES];
    snprintf(path, sizeof path, "%s/" AUDIT_NOTE_NAME, folder);
    snprintf(next, sizeof next, "%s/" AUDIT_NOTE_NAME ".next", folder);
    if (!write_file(next, note) || rename(next, path) != 0)
        return picket_fail(error, PICKET_IO, "%s: cannot be written: %s", path, strerror(errno));
    return PICKET_OK;
}

int audit_note_write(const char *folder, const struct audit_note *note, bool anew,
                     struct picket_error *error)
{
    struct audit_note before;
    pthread_mutex_lock(&lock);
    bool is_old = !anew && audit_note_read(folder, &before) && before.id >= note->id;
    int status = is_old ? PICKET_OK : replace(folder, note, error);
    pthread_mutex_unlock(&lock);
    return status;
}

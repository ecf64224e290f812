#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api_internal.h"

enum { BACKLOG = 128 };

static int unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool somebody_answers(const struct sockaddr_un *address)
{
    int probe = unix_socket();
    if (probe < 0)
        return false;
    bool answers = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0;
    /* A full backlog is a live server too. */
    answers = answers || errno == EAGAIN;
    close(probe);
    return answers;
}

/* Removes what a process that ended without cleaning up has left. */
static int make_room(const struct sockaddr_un *address, struct picket_error *error)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0)
        return PICKET_OK;
    if (!S_ISSOCK(found.st_mode))
        return picket_fail(error, PICKET_EXISTS, "API socket %s: there is a file of another kind",
                           address->sun_path);
    if (somebody_answers(address))
        return picket_fail(error, PICKET_EXISTS, "API socket %s: another process listens there",
                           address->sun_path);
    if (unlink(address->sun_path) != 0)
        return picket_fail(error, PICKET_IO, "API socket %s: cannot remove the stale one: %s",
                           address->sun_path, strerror(errno));
    return PICKET_OK;
}

int api_socket_listen(const char *path, int *socket_fd, struct picket_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return picket_fail(
            error, PICKET_INVALID,
            "API socket %s: the path is longer than the %zu bytes a Unix socket may have", path,
            sizeof address.sun_path - 1);
    strcpy(address.sun_path, path);
    int status = make_room(&address, error);
    if (status != PICKET_OK)
        return status;
    int fd = unix_socket();
    if (fd < 0)
        return picket_fail(error, PICKET_IO, "API socket %s: %s", path, strerror(errno));
    /* The mode counts from listen() on: until then nobody can connect. */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || chmod(path, 0660) != 0 ||
        listen(fd, BACKLOG) != 0) {
        status = picket_fail(error, PICKET_IO, "API socket %s: %s", path, strerror(errno));
        close(fd);
        return status;
    }
    *socket_fd = fd;
    return PICKET_OK;
}

/* Writes security messages into a folder, one file each: message-000001.bin and on. */
#ifndef PICKET_AGENT_LINUX_MESSAGE_DIRECTORY_H
#define PICKET_AGENT_LINUX_MESSAGE_DIRECTORY_H

#include <stdint.h>

#include "picket/base/error.h"
#include "picket/wire/encoder.h"

struct message_directory {
    const char *path; /* the caller's; created if it does not exist */
    uint32_t written;
};

/* Fails if the folder holds messages already, so that two replays are never mixed. */
int message_directory_open(struct message_directory *directory, const char *path,
                           struct picket_error *error);
int message_directory_write(struct message_directory *directory,
                            const struct picket_wire_message *message, struct picket_error *error);

#endif

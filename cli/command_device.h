/* What the commands of devices share.
 */
#ifndef PICKET_CLI_COMMAND_DEVICE_H
#define PICKET_CLI_COMMAND_DEVICE_H

#include <jansson.h>

/* That of a device as the API shows it with its keys, alone on a line. */
void print_connection_string(const json_t *device);

#endif

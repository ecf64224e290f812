/* This machine as a device: its clocks, randomness and description.
 *
 * Thread: any for clocks and randomness; host_describe() once.
 */
#ifndef PICKET_AGENT_LINUX_HOST_H
#define PICKET_AGENT_LINUX_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/wire/encoder.h"

/* Callbacks of the agent; context is not used. */
uint32_t host_uptime_s(void *context);    /* since boot, sleep included */
uint32_t host_unix_time_s(void *context); /* UINT32_MAX outside 1970 to 2106 */
void host_random(void *context, void *bytes, size_t size_bytes);

struct host_description {
    char os[128];       /* os-release's PRETTY_NAME */
    char kernel[272];   /* "Linux 6.1.0-18-amd64 x86_64", and the build */
    char hardware[192]; /* vendor and model of DMI, or the model of the device tree */
};

/* Fills what is readable below root ("" for the system itself; a test has its own); the rest is "".
 */
void host_describe(struct host_description *description, const char *root);

/* Pointers into the description; what is not known is absent. */
struct picket_wire_system_information
host_system_information(const struct host_description *description);

#endif

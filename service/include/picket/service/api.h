/* The HTTP API over a Unix socket: what the command line, and later the console, speak. docs/api.md
 * describes each resource.
 */
#ifndef PICKET_SERVICE_API_H
#define PICKET_SERVICE_API_H

#include <stdint.h>

#include "picket/base/error.h"
#include "picket/log/log.h"
#include "picket/service/intel.h"
#include "picket/service/service.h"

struct picket_api;

struct picket_api_config {
    const char *socket_path; /* created with mode 0660; a stale one is replaced, a live one is not */
    const char *store_folder;
    const char *host_name;   /* for connection strings */
    uint16_t hub_port;
    struct picket_log *log;
    struct picket_intel *intel;
    struct picket_service *service;
    /* Adds what the hub knows to the status; may be NULL. The object is a json_t *. */
    void (*add_status)(void *context, void *json_object);
    /* A device was changed or removed. */
    void (*device_changed)(void *context, const char *device);
    void *context;
};

int picket_api_start(struct picket_api **api, const struct picket_api_config *config,
                     struct picket_error *error);
void picket_api_stop(struct picket_api *api);

#endif

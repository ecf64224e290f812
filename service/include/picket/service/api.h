/* The HTTP API over a Unix socket: what the command line, and later the console, speak. docs/api.md
 * describes each resource.
 */
#ifndef PICKET_SERVICE_API_H
#define PICKET_SERVICE_API_H

#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"
#include "picket/log/log.h"
#include "picket/service/hunter.h"
#include "picket/service/intel.h"
#include "picket/service/service.h"

struct picket_api;

/* A direct method, asked of a device. */
struct picket_api_method {
    const char *device;
    const char *module; /* "": the device itself */
    const char *name;
    const char *payload; /* JSON */
    size_t payload_bytes;
    uint32_t timeout_s;
    uint32_t connect_timeout_s;
};

struct picket_api_method_result {
    int status;    /* as the device says */
    char *payload; /* the same, for the API to free */
    size_t payload_bytes;
};

enum picket_api_messages {
    PICKET_API_MESSAGES_QUEUED,
    PICKET_API_MESSAGES_PURGED,
    PICKET_API_MESSAGES_EXPIRED,
    PICKET_API_MESSAGES_REFUSED_FULL, /* not queued: too many wait */
    PICKET_API_MESSAGES_REFUSED_LARGE
};

/* Everything pointed to is the caller's and must outlive the API. */
struct picket_api_config {
    const char *socket_path; /* created with mode 0660; a stale one is replaced, a live one is not */
    const char *store_folder;
    const char *host_name;   /* for connection strings */
    struct picket_log *log;
    struct picket_intel *intel;
    struct picket_service *service;
    struct picket_hunter *hunter;
    const struct picket_output_config *outputs; /* as the service has them: named in the status */
    size_t output_count;
    const struct picket_output_config *routes;
    size_t route_count;
    int64_t audit_age_s; /* entries of the audit log that are older go; 0: never */
    int64_t event_age_s; /* as the service's bounds have it: named in the status */
    int64_t bytes;       /* likewise */
    int64_t certificate_warning_s; /* CAs that end within are named in the status */
    /* Adds what the hub knows to the status, its own certificate to `certificates_ending`; may be
     * NULL. The object is a json_t *. Any thread. */
    void (*add_status)(void *context, void *json_object);
    /* Adds what the hub knows of the device, as the member `hub`; may be NULL. Any thread. */
    void (*add_device_status)(void *context, const char *device, void *json_object);
    /* A device was changed or removed; may be NULL. Any thread. */
    void (*device_changed)(void *context, const char *device);
    /* What is desired of a device, or of its module ("": the device), was changed by a patch, a
     * compact JSON object; may be NULL. In the order of the versions. Any thread. */
    void (*twin_changed)(void *context, const char *device, const char *module, int64_t version,
                         const char *patch);
    /* The CAs or the IP filter in the store were changed: PICKET_OK means that this counts from now on. May be NULL.
     * Any thread. */
    int (*admission_changed)(void *context, struct picket_error *error);
    /* What became of messages to a device, so many; may be NULL. Any thread. */
    void (*messages_changed)(void *context, const char *device, enum picket_api_messages what,
                             uint64_t count);
    /* Asks the device and waits for its answer; may be NULL. PICKET_INVALID; PICKET_NOT_FOUND: it is
     * not there; PICKET_IO: it did not answer; PICKET_BUSY, PICKET_CLOSED. Any thread. */
    int (*invoke_method)(void *context, const struct picket_api_method *method,
                         struct picket_api_method_result *result, struct picket_error *error);
    void *context;
};

/* PICKET_EXISTS: something listens at the socket already; PICKET_INVALID: its path is too long. */
int picket_api_start(struct picket_api **api, const struct picket_api_config *config,
                     struct picket_error *error);
/* Ends requests that wait, answers those under way, removes the socket. */
void picket_api_stop(struct picket_api *api);

#endif

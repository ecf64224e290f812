/* The hub: the MQTT 3.1.1 endpoint that devices written for Azure IoT Hub speak to.
 *
 * One thread, one event loop; handshakes are made beside it, on as many threads as there are
 * processors (eight at most). A device connects over TLS with a SAS token made from its key, or
 * with an X.509 certificate; may publish to and subscribe to its own topics only; its messages go
 * to the log, and it gets its PUBACK when the log says durable. When the log is full, reading from
 * the connections that publish stops until there is room: back-pressure reaches the devices through
 * TCP.
 */
#ifndef PICKET_HUB_HUB_H
#define PICKET_HUB_HUB_H

#include <stdint.h>

#include "picket/base/error.h"
#include "picket/log/log.h"

struct picket_hub;

struct picket_hub_config {
    const char *address;   /* to listen on; "" or NULL: every address, both families */
    uint16_t port;         /* 0: any free one */
    const char *host_name; /* what devices call us: checked in user names and SAS audiences */
    const char *certificate_file; /* PEM, server certificate with its chain */
    const char *key_file;         /* PEM */
    const char *store_folder;     /* registry and CAs, see picket_store_open() */
    uint32_t connections_max;     /* 0: 20,000 */
    uint32_t message_bytes_max;   /* 0: 262,144 */
    uint32_t connect_timeout_s;   /* from TCP accept to an accepted CONNECT; 0: 30 */
    uint32_t
        certificate_warning_s;    /* before the end of its own and CAs' certificates; 0: 30 days */
    uint32_t activity_interval_s; /* of what is told of ordinary traffic; 0: 3,600 */
    uint32_t handshakes_max;      /* connections not yet authenticated at one time; 0: 1,000 */
    uint32_t handshakes_per_address_max; /* of these from one IPv4 address or IPv6 /64; 0: 250 */
    uint64_t
        input_bytes_max; /* of packets over 16 KiB while they come in, all together; 0: 64 MiB */
    uint64_t output_bytes_max; /* that devices have not read yet, all together; 0: 64 MiB */

    /* 0: no limit, of each of these. At once ten seconds' worth of what is a second, five minutes'
     * worth of what is a minute. */
    uint32_t device_packets_per_s; /* of a device with its modules; beyond it is read more slowly */
    uint32_t device_bytes_per_s;
    uint32_t device_connections_max; /* a device and its modules, now or within a minute */
    uint32_t
        device_connects_per_minute;     /* accepted, of a device or module; beyond it is held off */
    uint32_t address_connections_per_s; /* from one IPv4 address or IPv6 /64, before TLS */
    uint32_t address_refusals_per_minute; /* the same; beyond it the address is held off */
};

/* Starts the loop's thread and listens. The log must outlive the hub. Raises the process's soft
 * limit of file descriptors where connections_max needs it. */
int picket_hub_start(struct picket_hub **hub, const struct picket_hub_config *config,
                     struct picket_log *log, struct picket_error *error);

/* Stops accepting, disconnects everybody, ends the thread, frees. Messages not yet durable are not
 * acknowledged; their devices send them again. */
void picket_hub_stop(struct picket_hub *hub);

uint16_t picket_hub_port(const struct picket_hub *hub);

/* The registry's entry of the device has changed or gone: those of its connections end that were
 * made with what is no longer its credential. Thread: any. */
void picket_hub_device_changed(struct picket_hub *hub, const char *device);

/* The device's owner has changed what is desired of it or of its module ("": of the device itself):
 * it is told, if it is connected and wants to know. patch: the change as a compact JSON object,
 * version: what the twin has with it. Called in the order of the versions. Thread: any. */
void picket_hub_twin_changed(struct picket_hub *hub, const char *device, const char *module,
                             int64_t version, const char *patch);
/* The store's CAs or IP filter have changed: they are read again, here and now, and count for the
 * hub from its next turn on; connections that would not come about any more end then. After an
 * error those of before stay. Calls must not overlap: the last to come is not always the last to
 * have read. Thread: any. */
int picket_hub_admission_changed(struct picket_hub *hub, struct picket_error *error);

/* So many messages to the device were queued: it gets them, if it is connected; or were purged by
 * their owner, or have expired, or were not queued because too many wait, or because they are too
 * large: it is counted for the device. Thread: any. */
enum picket_hub_messages {
    PICKET_HUB_MESSAGES_QUEUED,
    PICKET_HUB_MESSAGES_PURGED,
    PICKET_HUB_MESSAGES_EXPIRED,
    PICKET_HUB_MESSAGES_REFUSED_FULL,
    PICKET_HUB_MESSAGES_REFUSED_LARGE
};
void picket_hub_messages_changed(struct picket_hub *hub, const char *device,
                                 enum picket_hub_messages what, uint64_t count);

/* ---- direct methods ---- */

enum { PICKET_HUB_METHOD_NAME_MAX = 100, PICKET_HUB_METHOD_BYTES_MAX = 131072 };

struct picket_hub_method {
    const char *device;
    const char *module;  /* "": the device itself */
    const char *name;    /* printable ASCII without space and / + # ? & */
    const char *payload; /* JSON, as the device gets it */
    size_t payload_bytes;
    uint32_t timeout_s;         /* for the device's answer */
    uint32_t connect_timeout_s; /* for the device to be there and to subscribe */
};

struct picket_hub_method_result {
    int status;    /* as the device says */
    char *payload; /* as the device says, with a NUL behind it; for the caller to free */
    size_t payload_bytes;
};

struct picket_hub_call;

/* Takes a copy of the question. Who has a call has to wait for it, once; it may outlive the hub.
 * PICKET_INVALID; PICKET_BUSY: too many calls; PICKET_CLOSED: the hub stops. Thread: any. */
int picket_hub_call_start(struct picket_hub *hub, const struct picket_hub_method *method,
                          struct picket_hub_call **call, struct picket_error *error);
/* PICKET_OK and *result; PICKET_NOT_FOUND: the device was not there in time; PICKET_IO: it did not
 * answer in time; PICKET_BUSY: devices have too much to read; PICKET_CLOSED: the hub stops. */
int picket_hub_call_wait(struct picket_hub_call *call, struct picket_hub_method_result *result,
                         struct picket_error *error);

struct picket_hub_statistics {
    uint64_t connections;        /* open now, authenticated or not */
    uint64_t devices_connected;  /* authenticated now */
    int64_t certificate_until_s; /* Unix time when its certificate or one of its chain ends */
    uint64_t awaiting_durable;   /* messages taken and not yet acknowledged */
};
void picket_hub_statistics(struct picket_hub *hub,
                           struct picket_hub_statistics *out); /* any thread */

/* Of a device and its modules, as far as the hub remembers: those without a connection for a minute
 * at least, while a hold-off counts for longer. */
struct picket_hub_device_statistics {
    uint32_t connections; /* now */
    uint64_t held_back;   /* times that it sent faster than allowed and was read more slowly */
    int64_t held_off_ms; /* it connected too often: refused for so long from now on; 0: it is not */
};
void picket_hub_device_statistics(struct picket_hub *hub, const char *device,
                                  struct picket_hub_device_statistics *out); /* any thread */

#endif

/* The topics of the IoT Hub dialect: which a device may publish to and subscribe to, and where the
 * property bag of a message stands. docs/hub.md lists them for the device's implementer.
 *
 * device: the connection's own id; module: its module or "". Thread: pure functions.
 */
#ifndef PICKET_HUB_DIALECT_H
#define PICKET_HUB_DIALECT_H

#include "mqtt/slice.h"

enum dialect_topic {
    DIALECT_FOREIGN_TOPIC, /* somebody else's, or none of the dialect */
    DIALECT_EVENTS,        /* a message to the cloud */
    DIALECT_TWIN_GET,      /* $iothub/twin/GET/ */
    DIALECT_TWIN_REPORT,   /* $iothub/twin/PATCH/properties/reported/ */
    DIALECT_METHOD_RESULT  /* $iothub/methods/res/ */
};

/* *bag: of DIALECT_EVENTS, the property bag as received, without the slash that may end the topic.
 */
enum dialect_topic dialect_published(struct slice topic, const char *device, const char *module,
                                     struct slice *bag);

enum { DIALECT_RID_BYTES_MAX = 128 };

/* What the topic of a twin request or method result says of it. */
struct dialect_request {
    struct slice rid; /* as received; it is echoed verbatim */
    int status;       /* of a method result */
};

/* topic: one that dialect_published() knows as such. NULL, or what is wrong with it, a literal. */
const char *dialect_request_parse(struct dialect_request *request, struct slice topic);

enum dialect_filter {
    DIALECT_FOREIGN_FILTER,
    DIALECT_TWIN_RESULTS,
    DIALECT_TWIN_DESIRED,
    DIALECT_METHODS,
    DIALECT_DEVICE_BOUND, /* also with + for the id: its own is all a device ever gets */
    DIALECT_MODULE_INPUTS,
    DIALECT_MODULE_ALL
};
enum dialect_filter dialect_filtered(struct slice filter, const char *device, const char *module);

/* Appends NAME=VALUE to the bag of *size bytes in buffer, with & where needed; false when it does
 * not fit. */
bool dialect_bag_append(char *bag, size_t *size, size_t capacity, const char *property);

#endif

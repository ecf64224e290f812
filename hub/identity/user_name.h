/* The MQTT user name of the IoT Hub dialect.
 *
 *     HOST/DEVICE[/MODULE]/?api-version=…[&DeviceClientType=…][&model-id=…]
 *     HOST/DEVICE[/MODULE]/api-version=…     older firmware
 *     HOST/DEVICE[/MODULE]                   the oldest
 *
 * Thread: pure functions.
 */
#ifndef PICKET_HUB_USER_NAME_H
#define PICKET_HUB_USER_NAME_H

#include "mqtt/slice.h"

struct user_name {
    struct slice host;
    struct slice device;
    struct slice module; /* empty: the device itself */
    struct slice query;  /* "api-version=…", without "?"; may be empty */
};

/* Points into text. NULL, or what is wrong with it. */
const char *user_name_parse(struct user_name *name, struct slice text);

#endif

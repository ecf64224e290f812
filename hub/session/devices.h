/* Who is connected: accepted connections by device id. Thread: the hub's. */
#ifndef PICKET_HUB_DEVICES_H
#define PICKET_HUB_DEVICES_H

#include "internal.h"

bool devices_open(struct picket_hub *hub);
void devices_close(struct picket_hub *hub);

/* Of a device's id, for tables of devices. */
uint64_t devices_hash(const struct picket_hub *hub, const char *device);

/* NULL: it is not connected. module NULL: the device or any module of it. */
struct connection *devices_find(const struct picket_hub *hub, const char *device,
                                const char *module);

/* The device or module is on this connection from now on; another one it had is ended. */
void devices_enter(struct connection *connection);
void devices_leave(struct connection *connection);

/* Looks the device up again, and ends those of its and its modules' connections that were made with
 * what is no longer its credential: all of them if it is disabled or gone. */
void devices_recheck(struct picket_hub *hub, const char *device);

#endif

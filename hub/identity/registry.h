/* Where the hub looks devices up. A seam: the store's registry in service, a list in tests. */
#ifndef PICKET_HUB_REGISTRY_H
#define PICKET_HUB_REGISTRY_H

#include "exchange/keeper.h"
#include "picket/hub/hub.h"
#include "picket/store/store.h"

struct hub_registry {
    /* As picket_store_device_get(). Called on the hub's thread. */
    int (*find)(void *context, const char *id, struct picket_device_identity *device,
                struct picket_error *error);
    void (*close)(void *context); /* at the hub's end; may be NULL */
    void *context;
    /* What is kept of the device or module; *subscriptions 0: nothing. May be NULL. The hub's
     * thread.
     */
    int (*session)(void *context, const char *device, const char *module, uint32_t *subscriptions,
                   struct picket_error *error);
};

/* picket_hub_start() with a registry and a keeper of one's own; closes both even on failure. keeper
 * NULL: there is none. */
int hub_start_with_registry(struct picket_hub **hub, const struct picket_hub_config *config,
                            const struct hub_registry *registry, const struct hub_keeper *keeper,
                            struct picket_log *log, struct picket_error *error);

#endif

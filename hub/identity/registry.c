#include "registry.h"

#include "picket/store/sessions.h"

static int find_in_store(void *context, const char *id, struct picket_device_identity *device,
                         struct picket_error *error)
{
    return picket_store_device_get(context, id, device, error);
}

static int session_in_store(void *context, const char *device, const char *module,
                            uint32_t *subscriptions, struct picket_error *error)
{
    return picket_store_session_get(context, device, module, subscriptions, error);
}

static void close_store(void *context)
{
    picket_store_close(context);
}

int picket_hub_start(struct picket_hub **hub, const struct picket_hub_config *config,
                     struct picket_log *log, struct picket_error *error)
{
    struct picket_store *store;
    int status = picket_store_open(&store, config->store_folder, error);
    if (status != PICKET_OK)
        return status;
    struct hub_registry registry = {find_in_store, close_store, store, session_in_store};
    struct hub_keeper keeper;
    status = keeper_open_store(&keeper, config->store_folder, error);
    if (status != PICKET_OK) {
        picket_store_close(store);
        return status;
    }
    return hub_start_with_registry(hub, config, &registry, &keeper, log, error);
}

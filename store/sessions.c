/* Sessions, for every engine. */
#include "picket/store/sessions.h"

#include "engine.h"
#include "group.h"

int picket_store_session_get(struct picket_store *store, const char *device, const char *module,
                             uint32_t *subscriptions, struct picket_error *error)
{
    return store->engine->session_get(store, device, module, subscriptions, error);
}

int picket_store_session_put(struct picket_store *store, const char *device, const char *module,
                             uint32_t subscriptions, struct picket_error *error)
{
    int status = group_enter(store, error);
    return status == PICKET_OK
               ? group_leave(
                     store, store->engine->session_put(store, device, module, subscriptions, error),
                     error)
               : status;
}

#include "api_stores.h"

#include <string.h>

void api_stores_start(struct api_stores *stores, const char *folder)
{
    memset(stores, 0, sizeof *stores);
    pthread_mutex_init(&stores->lock, NULL);
    stores->folder = folder;
}

void api_stores_stop(struct api_stores *stores)
{
    for (int i = 0; i < stores->idle_count; i++)
        picket_store_close(stores->idle[i]);
    pthread_mutex_destroy(&stores->lock);
}

struct picket_store *api_stores_borrow(struct api_stores *stores, struct picket_error *error)
{
    struct picket_store *store = NULL;
    pthread_mutex_lock(&stores->lock);
    if (stores->idle_count > 0)
        store = stores->idle[--stores->idle_count];
    pthread_mutex_unlock(&stores->lock);
    if (!store && picket_store_open(&store, stores->folder, error) != PICKET_OK)
        return NULL;
    return store;
}

void api_stores_return(struct api_stores *stores, struct picket_store *store)
{
    pthread_mutex_lock(&stores->lock);
    if (stores->idle_count < API_STORES_IDLE_MAX) {
        stores->idle[stores->idle_count++] = store;
        store = NULL;
    }
    pthread_mutex_unlock(&stores->lock);
    picket_store_close(store);
}

/* Store handles, lent to one request at a time: a handle belongs to one thread at a time, and
 * opening one costs more than most questions. A few idle ones are kept, the rest is closed.
 *
 * Thread: any.
 */
#ifndef SERVICE_API_STORES_H
#define SERVICE_API_STORES_H

#include <pthread.h>

#include "picket/store/store.h"

enum { API_STORES_IDLE_MAX = 4 };

struct api_stores {
    pthread_mutex_t lock;
    const char *folder;
    struct picket_store *idle[API_STORES_IDLE_MAX];
    int idle_count;
};

void api_stores_start(struct api_stores *stores, const char *folder);
void api_stores_stop(struct api_stores *stores); /* all have been returned */

struct picket_store *api_stores_borrow(struct api_stores *stores, struct picket_error *error);
void api_stores_return(struct api_stores *stores, struct picket_store *store);

#endif

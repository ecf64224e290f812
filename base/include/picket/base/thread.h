/* Threads that debuggers and `top -H` show by name. */
#ifndef PICKET_BASE_THREAD_H
#define PICKET_BASE_THREAD_H

#include <pthread.h>

/* Starts a thread under a name, of which the first 15 bytes show. 0, or an errno as from
 * pthread_create(). */
int picket_thread_start(pthread_t *thread, const char *name, void *(*run)(void *context),
                        void *context);

#endif

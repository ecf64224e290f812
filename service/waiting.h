/* Condition variables that wait by the monotonic clock.
 *
 * Thread: any.
 */
#ifndef SERVICE_WAITING_H
#define SERVICE_WAITING_H

#include <pthread.h>
#include <stdint.h>

void waiting_init(pthread_mutex_t *lock, pthread_cond_t *condition);
void waiting_destroy(pthread_mutex_t *lock, pthread_cond_t *condition);

/* For pthread_cond_timedwait() on such a condition. */
struct timespec waiting_until(int64_t from_now_ms);

#endif

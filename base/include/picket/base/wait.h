/* Waiting with a time-out that a wrong or changing wall clock cannot touch. Thread: any. */
#ifndef PICKET_BASE_WAIT_H
#define PICKET_BASE_WAIT_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition whose time-outs run on the monotonic clock; ended by pthread_cond_destroy(). */
void picket_condition_init(pthread_cond_t *condition);

/* For pthread_cond_timedwait() on such a condition; a time below 0 is now. */
struct timespec picket_deadline(int64_t from_now_ms);

#endif

#include "waiting.h"

#include <time.h>

void waiting_init(pthread_mutex_t *lock, pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void waiting_destroy(pthread_mutex_t *lock, pthread_cond_t *condition)
{
    pthread_cond_destroy(condition);
    pthread_mutex_destroy(lock);
}

struct timespec waiting_until(int64_t from_now_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += from_now_ms / 1000;
    until.tv_nsec += from_now_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return until;
}

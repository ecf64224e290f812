#include "writers.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "picket/base/wait.h"

/* On the stack of who waits. */
struct waiter {
    pthread_cond_t called;
    bool has_turn;
    struct waiter *next;
};

struct writers {
    dev_t device;
    ino_t inode;
    int handles;
    bool taken;
    struct waiter *first;
    struct waiter *last;
    struct writers *next;
};

/* One lock for all folders: it is held for a few instructions. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct writers *all;

static struct writers *find(dev_t device, ino_t inode)
{
    struct writers *writers = all;
    while (writers != NULL && (writers->device != device || writers->inode != inode))
        writers = writers->next;
    return writers;
}

struct writers *writers_join(const char *path)
{
    struct stat file;
    if (stat(path, &file) != 0)
        return NULL;
    pthread_mutex_lock(&lock);
    struct writers *writers = find(file.st_dev, file.st_ino);
    if (writers == NULL && (writers = calloc(1, sizeof *writers)) != NULL) {
        writers->device = file.st_dev;
        writers->inode = file.st_ino;
        writers->next = all;
        all = writers;
    }
    if (writers != NULL)
        writers->handles++;
    pthread_mutex_unlock(&lock);
    return writers;
}

void writers_leave(struct writers *writers)
{
    if (writers == NULL)
        return;
    pthread_mutex_lock(&lock);
    if (--writers->handles == 0) {
        struct writers **place = &all;
        while (*place != writers)
            place = &(*place)->next;
        *place = writers->next;
        free(writers);
    }
    pthread_mutex_unlock(&lock);
}

static void enqueue(struct writers *writers, struct waiter *waiter)
{
    if (writers->last != NULL)
        writers->last->next = waiter;
    else
        writers->first = waiter;
    writers->last = waiter;
}

static void remove_waiter(struct writers *writers, struct waiter *waiter)
{
    struct waiter *before = NULL;
    for (struct waiter *at = writers->first; at != waiter; at = at->next)
        before = at;
    if (before != NULL)
        before->next = waiter->next;
    else
        writers->first = waiter->next;
    if (writers->last == waiter)
        writers->last = before;
}

static bool wait_for_turn(struct writers *writers, int timeout_ms)
{
    struct waiter waiter = {.has_turn = false};
    picket_condition_init(&waiter.called);
    struct timespec deadline = picket_deadline(timeout_ms);
    enqueue(writers, &waiter);
    int timed_out = 0;
    while (!waiter.has_turn && !timed_out)
        timed_out = pthread_cond_timedwait(&waiter.called, &lock, &deadline);
    if (!waiter.has_turn)
        remove_waiter(writers, &waiter);
    pthread_cond_destroy(&waiter.called);
    return waiter.has_turn;
}

bool writers_take_turn(struct writers *writers, int timeout_ms)
{
    pthread_mutex_lock(&lock);
    bool has_turn = true;
    if (writers->taken)
        has_turn = wait_for_turn(writers, timeout_ms);
    else
        writers->taken = true;
    pthread_mutex_unlock(&lock);
    return has_turn;
}

/* Straight on to the first who waits: whoever passes it cannot take it back before. */
void writers_pass_turn(struct writers *writers)
{
    pthread_mutex_lock(&lock);
    struct waiter *first = writers->first;
    if (first != NULL) {
        remove_waiter(writers, first);
        first->has_turn = true;
        pthread_cond_signal(&first->called);
    } else {
        writers->taken = false;
    }
    pthread_mutex_unlock(&lock);
}

int writers_waiting(struct writers *writers)
{
    int waiting = 0;
    pthread_mutex_lock(&lock);
    for (const struct waiter *waiter = writers->first; waiter != NULL; waiter = waiter->next)
        waiting++;
    pthread_mutex_unlock(&lock);
    return waiting;
}

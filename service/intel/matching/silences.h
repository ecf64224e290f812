/* How many flows would have raised an alert and did not: silence is told, too.
 *
 * Thread: any.
 */
#ifndef INTEL_SILENCES_H
#define INTEL_SILENCES_H

#include <pthread.h>
#include <stdint.h>

/* What one allow list has silenced. */
struct silence {
    struct silence *next;
    char list[65];
    uint64_t flows;
};

struct silences {
    pthread_mutex_t lock;
    struct silence *lists; /* as many as there have been allow lists since the start */
};

void silences_open(struct silences *silences);
void silences_close(struct silences *silences);

/* An allow list covered a flow that a threat feed lists. silences NULL: not counted. */
void silences_allowed(struct silences *silences, const char *list);
/* A threat feed lists an address of the fleet's own and does not ask for those. */
void silences_own(struct silences *silences);

/* Flows silenced by the list since the start. */
uint64_t silences_of(struct silences *silences, const char *list);

#endif

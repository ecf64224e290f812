#include "silences.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/counter.h"

static struct picket_counter allowed = {
    .name = "service_flows_allowed",
    .help = "flows that a feed lists and that raised no alert because of an allow list"};
static struct picket_counter own = {
    .name = "service_flows_own_networks",
    .help = "flows that a feed lists and that raised no alert, for the address is the fleet's own"};

void silences_open(struct silences *silences)
{
    pthread_mutex_init(&silences->lock, NULL);
    silences->lists = NULL;
}

void silences_close(struct silences *silences)
{
    while (silences->lists != NULL) {
        struct silence *next = silences->lists->next;
        free(silences->lists);
        silences->lists = next;
    }
    pthread_mutex_destroy(&silences->lock);
}

static struct silence *find(const struct silences *silences, const char *list)
{
    struct silence *silence = silences->lists;
    while (silence != NULL && strcmp(silence->list, list) != 0)
        silence = silence->next;
    return silence;
}

/* NULL: no memory. */
static struct silence *find_or_add(struct silences *silences, const char *list)
{
    struct silence *silence = find(silences, list);
    if (silence != NULL)
        return silence;
    silence = calloc(1, sizeof *silence);
    if (silence == NULL)
        return NULL;
    snprintf(silence->list, sizeof silence->list, "%s", list);
    silence->next = silences->lists;
    silences->lists = silence;
    return silence;
}

void silences_allowed(struct silences *silences, const char *list)
{
    if (silences == NULL)
        return;
    picket_count(&allowed, 1);
    pthread_mutex_lock(&silences->lock);
    struct silence *silence = find_or_add(silences, list);
    if (silence != NULL)
        silence->flows++;
    pthread_mutex_unlock(&silences->lock);
}

void silences_own(struct silences *silences)
{
    if (silences != NULL)
        picket_count(&own, 1);
}

uint64_t silences_of(struct silences *silences, const char *list)
{
    pthread_mutex_lock(&silences->lock);
    const struct silence *silence = find(silences, list);
    uint64_t flows = silence != NULL ? silence->flows : 0;
    pthread_mutex_unlock(&silences->lock);
    return flows;
}

#include "expiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel/table/table.h"
#include "picket/base/time.h"

bool expiry_open(struct expiry *expiry)
{
    pthread_mutex_init(&expiry->lock, NULL);
    expiry->feeds = calloc(TABLE_FEEDS_MAX + 1, sizeof *expiry->feeds);
    return expiry->feeds != NULL;
}

void expiry_close(struct expiry *expiry)
{
    free(expiry->feeds);
    pthread_mutex_destroy(&expiry->lock);
}

void expiry_swap(struct expiry *expiry, struct expiry *fresh)
{
    struct feed_expiry *feeds = fresh->feeds;
    uint32_t used = fresh->used;
    pthread_mutex_lock(&expiry->lock);
    fresh->feeds = expiry->feeds;
    fresh->used = expiry->used;
    expiry->feeds = feeds;
    expiry->used = used;
    pthread_mutex_unlock(&expiry->lock);
}

void expiry_add_feed(struct expiry *expiry, uint16_t feed, const char *name)
{
    struct feed_expiry *added = &expiry->feeds[feed];
    pthread_mutex_lock(&expiry->lock);
    *added = (struct feed_expiry){.out_until_ms = picket_unix_ms() - EXPIRY_GRACE_MS,
                                  .next_ms = EXPIRY_NEVER};
    snprintf(added->name, sizeof added->name, "%s", name);
    if (feed > expiry->used)
        expiry->used = feed;
    pthread_mutex_unlock(&expiry->lock);
}

void expiry_remove_feed(struct expiry *expiry, uint16_t feed)
{
    pthread_mutex_lock(&expiry->lock);
    memset(&expiry->feeds[feed], 0, sizeof expiry->feeds[feed]);
    pthread_mutex_unlock(&expiry->lock);
}

struct expiry_change expiry_change_of(const struct expiry *expiry, uint16_t feed)
{
    return (struct expiry_change){.out_until_ms = expiry->feeds[feed].out_until_ms,
                                  .next_ms = EXPIRY_NEVER};
}

static bool is_out(const struct expiry_change *change, const struct picket_indicator *indicator)
{
    return indicator->valid_until_ms != 0 && indicator->valid_until_ms <= change->out_until_ms;
}

bool expiry_take(struct expiry_change *change, const struct picket_indicator *now)
{
    if (is_out(change, now)) {
        change->expired++;
        return false;
    }
    if (now->valid_until_ms != 0 && now->valid_until_ms < change->next_ms)
        change->next_ms = now->valid_until_ms;
    return true;
}

void expiry_take_out(struct expiry_change *change, const struct picket_indicator *before)
{
    change->expired -= is_out(change, before);
}

void expiry_changed(struct expiry *expiry, uint16_t feed, const struct expiry_change *change)
{
    struct feed_expiry *changed = &expiry->feeds[feed];
    pthread_mutex_lock(&expiry->lock);
    changed->expired += change->expired;
    changed->out_until_ms = change->out_until_ms;
    if (change->next_ms < changed->next_ms)
        changed->next_ms = change->next_ms;
    changed->changes++;
    pthread_mutex_unlock(&expiry->lock);
}

int64_t expiry_count(struct expiry *expiry, const char *feed)
{
    int64_t count = 0;
    pthread_mutex_lock(&expiry->lock);
    for (uint32_t i = 1; i <= expiry->used; i++)
        if (strcmp(expiry->feeds[i].name, feed) == 0)
            count = expiry->feeds[i].expired;
    pthread_mutex_unlock(&expiry->lock);
    return count;
}

#include "hub_events.h"

/* Without state it may look ahead: there is nothing for it in what devices send, ever. */
static uint64_t look_ahead(void *state, const struct picket_event *event)
{
    (void)state;
    return event->type != PICKET_EVENT_OF_HUB;
}

static uint64_t stamp(void *state)
{
    (void)state;
    return 1;
}

struct picket_detector hub_events_detector(const char *name, hub_events_inspect inspect)
{
    return (struct picket_detector){
        .name = name, .inspect = inspect, .look_ahead = look_ahead, .stamp = stamp};
}

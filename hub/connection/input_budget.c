#include "input_budget.h"

#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "work.h"

static struct picket_counter waited = {
    .name = "hub_input_delayed",
    .help = "times that a connection had to wait with a large packet: too many were half received"};

void input_budget_register_counters(void)
{
    picket_counter_register(&waited);
}

static bool fits(const struct picket_hub *hub, size_t bytes)
{
    return bytes <= hub->config.input_bytes_max - hub->input_bytes;
}

static void take(struct connection *connection, uint32_t bytes)
{
    connection->reserved = bytes;
    connection->hub->input_bytes += bytes;
}

bool input_budget_is_short(const struct picket_hub *hub)
{
    return !TAILQ_EMPTY(&hub->queues[WORK_MEMORY]);
}

bool input_budget_reserve(struct connection *connection, size_t bytes)
{
    static struct picket_say_limit limit;
    struct picket_hub *hub = connection->hub;
    if (bytes <= HUB_SCRATCH_BYTES || connection->reserved >= bytes)
        return true;
    /* Nobody overtakes those that wait already. */
    if (!input_budget_is_short(hub) && fits(hub, bytes)) {
        take(connection, (uint32_t)bytes);
        return true;
    }
    picket_count(&waited, 1);
    picket_say_limited(&limit, PICKET_WARNING, "hub",
                       "device %s: a packet of %zu bytes has to wait: half-received packets hold "
                       "%llu of %llu bytes",
                       connection->device, bytes, (unsigned long long)hub->input_bytes,
                       (unsigned long long)hub->config.input_bytes_max);
    connection->wanted = (uint32_t)bytes;
    work_queue(connection, WORK_MEMORY);
    return false;
}

void input_budget_release(struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    if (connection->reserved == 0)
        return;
    hub->input_bytes -= connection->reserved;
    connection->reserved = 0;
    if (input_budget_is_short(hub))
        work_schedule(hub);
}

bool input_budget_can_grant(const struct picket_hub *hub)
{
    const struct connection *first = TAILQ_FIRST(&hub->queues[WORK_MEMORY]);
    return first != NULL && fits(hub, first->wanted);
}

struct connection *input_budget_grant(struct picket_hub *hub)
{
    struct connection *first = TAILQ_FIRST(&hub->queues[WORK_MEMORY]);
    if (!input_budget_can_grant(hub))
        return NULL;
    take(first, first->wanted);
    return first;
}

/* Network activity: the flows of both tables and what there was no room for.
 *
 * Flows are taken out of their chains bucket by bucket, each under its own short hold of the lock.
 * So a window ends for different flows at slightly different instants; each packet is in one window
 * all the same. From then on the flows belong to the polling thread alone and the encoder reads
 * them without the lock. */
#include <string.h>

#include "collector.h"
#include "count.h"
#include "lock.h"
#include "losses.h"

static void freeze(struct picket_agent *agent, struct picket_flow_table *table,
                   struct picket_frozen_flows *frozen, uint32_t flows_max)
{
    frozen->table = table;
    frozen->head = PICKET_FLOW_NONE;
    frozen->count = 0;
    while (frozen->bucket < picket_flow_table_buckets(table) && frozen->count < flows_max) {
        uint32_t posture = picket_lock(agent);
        picket_flow_table_freeze(table, frozen, flows_max - frozen->count);
        picket_unlock(agent, posture);
    }
}

static void thaw(struct picket_agent *agent, struct picket_flow_table *table,
                 const struct picket_frozen_flows *frozen)
{
    picket_flow_index index = frozen->head;
    for (uint32_t left = frozen->count; left > 0; left--) {
        picket_flow_index next = picket_flow_at(table, index)->next;
        picket_count_again(agent, table, index);
        index = next;
    }
}

static void release(struct picket_agent *agent, struct picket_flow_table *table,
                    const struct picket_frozen_flows *frozen)
{
    uint32_t posture = picket_lock(agent);
    picket_flow_table_release(table, frozen);
    picket_unlock(agent, posture);
}

static bool collect(struct picket_agent *agent, struct picket_report *report,
                    struct picket_wire_event *event)
{
    struct picket_wire_network_activity *activity = &event->payload.network_activity;
    struct picket_wire_flows *list = &activity->ipv4;
    uint32_t flows = 0;
    memset(activity, 0, sizeof *activity);
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++) {
        struct picket_frozen_flows *frozen = &report->frozen[family];
        uint32_t room =
            flows < PICKET_AGENT_MESSAGE_FLOWS_MAX ? PICKET_AGENT_MESSAGE_FLOWS_MAX - flows : 0;
        freeze(agent, &agent->tables[family], frozen, room);
        list->count = frozen->count;
        list->next = picket_frozen_flows_next;
        list->table = frozen;
        list = &activity->ipv6;
        flows += frozen->count;
    }

    uint32_t posture = picket_lock(agent);
    report->losses = agent->losses;
    memset(&agent->losses, 0, sizeof agent->losses);
    picket_unlock(agent, posture);

    activity->lost_flows = picket_losses_flows(&report->losses);
    activity->lost_bytes_in = report->losses.bytes[PICKET_IN];
    activity->lost_bytes_out = report->losses.bytes[PICKET_OUT];
    event->payload_type = PICKET_WIRE_NETWORK_ACTIVITY;
    return flows > 0 || activity->lost_flows > 0 || agent->config.send_empty_events;
}

static bool settle(struct picket_agent *agent, struct picket_report *report, bool accepted)
{
    bool more = false;
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++) {
        struct picket_flow_table *table = &agent->tables[family];
        const struct picket_frozen_flows *frozen = &report->frozen[family];
        if (accepted)
            release(agent, table, frozen);
        else
            thaw(agent, table, frozen);
        if (frozen->bucket < picket_flow_table_buckets(table))
            more = true;
    }
    if (accepted)
        return more;
    uint32_t posture = picket_lock(agent);
    picket_losses_merge(&agent->losses, &report->losses);
    picket_unlock(agent, posture);
    return false;
}

const struct picket_collector_driver picket_network_activity_collector = {collect, settle};

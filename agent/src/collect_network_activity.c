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
                   struct picket_frozen_flows *frozen, uint32_t *bucket, uint32_t flows_max)
{
    frozen->table = table;
    frozen->head = PICKET_FLOW_NONE;
    frozen->count = 0;
    while (*bucket < picket_flow_table_buckets(table) && frozen->count < flows_max) {
        uint32_t posture = picket_lock(agent);
        picket_flow_table_freeze(table, frozen, bucket, flows_max - frozen->count);
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

static struct picket_wire_flows as_wire_flows(const struct picket_frozen_flows *frozen)
{
    struct picket_wire_flows flows = {frozen->count, picket_frozen_flows_next, frozen};
    return flows;
}

static bool collect(struct picket_agent *agent, struct picket_report *report,
                    struct picket_wire_event *event)
{
    uint32_t room = PICKET_AGENT_MESSAGE_FLOWS_MAX;
    freeze(agent, &agent->ipv4, &report->ipv4, &report->ipv4_bucket, room);
    room -= report->ipv4.count < room ? report->ipv4.count : room;
    freeze(agent, &agent->ipv6, &report->ipv6, &report->ipv6_bucket, room);

    uint32_t posture = picket_lock(agent);
    report->losses = agent->losses;
    memset(&agent->losses, 0, sizeof agent->losses);
    picket_unlock(agent, posture);

    struct picket_wire_network_activity *activity = &event->payload.network_activity;
    activity->ipv4 = as_wire_flows(&report->ipv4);
    activity->ipv6 = as_wire_flows(&report->ipv6);
    activity->lost_flows = picket_losses_flows(&report->losses);
    activity->lost_bytes_in = report->losses.bytes[PICKET_IN];
    activity->lost_bytes_out = report->losses.bytes[PICKET_OUT];
    event->payload_type = PICKET_WIRE_NETWORK_ACTIVITY;
    return report->ipv4.count > 0 || report->ipv6.count > 0 || activity->lost_flows > 0 ||
           agent->config.send_empty_events;
}

static bool settle(struct picket_agent *agent, struct picket_report *report, bool accepted)
{
    if (accepted) {
        uint32_t posture = picket_lock(agent);
        picket_flow_table_release(&agent->ipv4, &report->ipv4);
        picket_flow_table_release(&agent->ipv6, &report->ipv6);
        picket_unlock(agent, posture);
        return report->ipv4_bucket < picket_flow_table_buckets(&agent->ipv4) ||
               report->ipv6_bucket < picket_flow_table_buckets(&agent->ipv6);
    }
    thaw(agent, &agent->ipv4, &report->ipv4);
    thaw(agent, &agent->ipv6, &report->ipv6);
    uint32_t posture = picket_lock(agent);
    picket_losses_merge(&agent->losses, &report->losses);
    picket_unlock(agent, posture);
    return false;
}

const struct picket_collector_driver picket_network_activity_collector = {collect, settle};

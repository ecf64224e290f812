/* Network activity: the flows of both tables and what there was no room for.
 *
 * Flows are taken out of their chains bucket by bucket, some under each hold of the lock. So a
 * window ends for different flows at slightly different instants; each packet is in one window all
 * the same. From then on the flows belong to the polling thread alone, until the message is
 * settled, and the encoder reads them without the lock. */
#include <string.h>

#include "collector.h"
#include "count.h"
#include "flow_table.h"
#include "lock.h"
#include "losses.h"

/* What is done under one hold of the lock: powers of two. */
enum { BUCKETS_PER_HOLD = 2, FLOWS_PER_HOLD = 2 };

/* Goes on taking flows out: flows_max of them, or as many more as the last chain has; of one bucket
 * at least, so that all come to their turn. The lock is held; returns its posture. */
static uint32_t freeze(const struct picket_agent *agent, struct picket_flow_table *table,
                       uint32_t flows_max, uint32_t posture)
{
    uint32_t buckets = picket_flow_table_buckets(table);
    do {
        picket_flow_table_freeze(table);
        if (table->next_bucket % BUCKETS_PER_HOLD == 0)
            posture = picket_relock(agent, posture);
    } while (table->next_bucket < buckets && table->frozen_count < flows_max);
    if (table->next_bucket == buckets)
        table->next_bucket = 0;
    return posture;
}

bool picket_network_activity_collect(struct picket_agent *agent, struct picket_report *report,
                                     struct picket_wire_event *event)
{
    struct picket_wire_network_activity *activity = &event->payload.network_activity;
    struct picket_wire_flows *list = &activity->ipv4;
    struct picket_losses *losses = &agent->losses_told;
    uint32_t room = PICKET_AGENT_MESSAGE_FLOWS_MAX;
    (void)report;
    memset(activity, 0, sizeof *activity);
    uint32_t posture = picket_lock(agent);
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++) {
        struct picket_flow_table *table = &agent->tables[family];
        posture = freeze(agent, table, room, posture);
        list->count = table->frozen_count;
        list->next = picket_frozen_flows_next;
        list->table = table;
        list = &activity->ipv6;
        room = room > table->frozen_count ? room - table->frozen_count : 0;
    }
    picket_losses_take(agent, losses);
    picket_unlock(agent, posture);

    activity->lost_flows = losses->flows;
    activity->lost_bytes_in = losses->bytes[PICKET_IN];
    activity->lost_bytes_out = losses->bytes[PICKET_OUT];
    event->payload_type = PICKET_WIRE_NETWORK_ACTIVITY;
    return room < PICKET_AGENT_MESSAGE_FLOWS_MAX || losses->flows > 0 ||
           agent->config->send_empty_events;
}

bool picket_network_activity_settle(struct picket_agent *agent, bool delivered)
{
    bool more = false;
    uint32_t posture = picket_lock(agent);
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++) {
        struct picket_flow_table *table = &agent->tables[family];
        while (table->frozen_count > 0) {
            picket_flow_index index = table->frozen;
            struct picket_flow_head *flow = picket_flow_at(table, index);
            table->frozen = flow->next;
            if (delivered)
                picket_flow_free(table, flow, index);
            else
                picket_count_again(agent, table, flow, index);
            if (--table->frozen_count % FLOWS_PER_HOLD == 0)
                posture = picket_relock(agent, posture);
        }
        if (!delivered)
            table->next_bucket = 0; /* to begin anew */
        more |= table->next_bucket != 0;
    }
    picket_unlock(agent, posture);
    if (delivered)
        memset(&agent->losses_told, 0, sizeof agent->losses_told);
    return more;
}

/* A packet's way into the table: parsed and hashed without the lock, counted under it. */
#include "flow_table.h"
#include "lock.h"
#include "losses.h"
#include "memory.h"
#include "packet.h"
#include "picket/agent/agent.h"

static enum picket_packet_verdict ignore(struct picket_agent *agent,
                                         enum picket_packet_verdict verdict)
{
    uint32_t posture = picket_lock(agent);
    agent->statistics.packets_ignored = picket_saturating_add(agent->statistics.packets_ignored, 1);
    picket_unlock(agent, posture);
    return verdict;
}

/* The lock is held, and given up. */
static enum picket_packet_verdict open_flow(struct picket_agent *agent,
                                            struct picket_flow_table *table,
                                            const struct picket_flow_key *key, uint32_t depth,
                                            enum picket_direction direction, uint32_t bytes,
                                            uint32_t posture)
{
    if (table->capacity == 0) {
        picket_unlock(agent, posture);
        return ignore(agent, PICKET_PACKET_OTHER_PROTOCOL);
    }
    struct picket_agent_statistics *statistics = &agent->statistics;
    struct picket_flow_head *flow = picket_flow_table_add(table, key, depth);
    bool filling_up = false;
    if (flow != NULL) {
        picket_flow_count(flow, direction, bytes);
        statistics->packets_counted = picket_saturating_add(statistics->packets_counted, 1);
        filling_up = table->live == picket_flow_table_early_at(table);
    } else {
        picket_losses_add(&agent->losses, key->hash, direction, bytes);
        statistics->packets_lost = picket_saturating_add(statistics->packets_lost, 1);
    }
    picket_unlock(agent, posture);
    if (filling_up && agent->config.callbacks.wake != NULL)
        agent->config.callbacks.wake(agent->config.callbacks.context);
    return flow != NULL ? PICKET_PACKET_COUNTED : PICKET_PACKET_LOST;
}

/* Neither multicast (224.0.0.0/4, ff00::/8) nor limited broadcast; a subnet's own broadcast address
 * cannot be told without the interface's mask, which is the port's. */
PICKET_HOT bool is_unicast(const uint8_t *address, uint32_t address_words)
{
    if (address_words == 4)
        return address[0] != 0xFF;
    return address[0] < 224 || (address[0] >= 240 && picket_word(address) != UINT32_MAX);
}

PICKET_HOT enum picket_packet_verdict count(struct picket_agent *agent,
                                            struct picket_flow_table *table,
                                            const struct picket_packet *packet,
                                            enum picket_direction direction,
                                            uint32_t address_words)
{
    const uint8_t *source = packet->addresses;
    const uint8_t *destination = source + 4 * address_words;
    struct picket_flow_key key = {source, destination, packet->ports, 0, packet->protocol};
    if (direction == PICKET_IN) {
        if (agent->config.unicast_only && !is_unicast(destination, address_words))
            return ignore(agent, PICKET_PACKET_MULTICAST);
        key.local = destination;
        key.remote = source;
        key.ports = packet->ports << 16 | packet->ports >> 16;
    }
    key.hash = picket_flow_hash(&agent->hash_keys, &key, address_words);

    uint32_t posture = picket_lock(agent);
    uint32_t depth;
    struct picket_flow_head *flow = picket_flow_find(table, &key, &depth, address_words);
    if (flow == NULL) {
        /* A copy, so that the key itself needs no memory on the way of a known flow. */
        struct picket_flow_key absent = key;
        return open_flow(agent, table, &absent, depth, direction, packet->payload_bytes, posture);
    }
    picket_flow_count(flow, direction, packet->payload_bytes);
    agent->statistics.packets_counted = picket_saturating_add(agent->statistics.packets_counted, 1);
    picket_unlock(agent, posture);
    return PICKET_PACKET_COUNTED;
}

enum picket_packet_verdict picket_agent_count_packet(struct picket_agent *agent,
                                                     const uint8_t *bytes, size_t captured_bytes,
                                                     uint32_t wire_bytes,
                                                     enum picket_direction direction)
{
    struct picket_packet packet;
    enum picket_packet_verdict verdict = PICKET_PACKET_TRUNCATED;
    uint32_t version = captured_bytes > 0 ? bytes[0] >> 4 : 0;
    if (version == 4) {
        verdict = picket_parse_ipv4(&packet, bytes, captured_bytes, wire_bytes);
        if (verdict == PICKET_PACKET_COUNTED)
            return count(agent, &agent->ipv4, &packet, direction, 1);
    } else if (version == 6) {
#if PICKET_AGENT_IPV6
        verdict = picket_parse_ipv6(&packet, bytes, captured_bytes, wire_bytes);
        if (verdict == PICKET_PACKET_COUNTED)
            return count(agent, &agent->ipv6, &packet, direction, 4);
#else
        verdict = PICKET_PACKET_OTHER_PROTOCOL;
#endif
    } else if (captured_bytes > 0) {
        verdict = PICKET_PACKET_MALFORMED;
    }
    return ignore(agent, verdict);
}

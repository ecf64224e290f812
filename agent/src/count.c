/* The ways into a table: everything is parsed and hashed without the lock, and counted under it. */
#include "count.h"

#include "flow_table.h"
#include "lock.h"
#include "losses.h"
#include "packet.h"
#include "picket/agent/agent.h"

PICKET_COLD enum picket_packet_verdict ignore(struct picket_agent *agent,
                                              enum picket_packet_verdict verdict)
{
    uint32_t posture = picket_lock(agent);
    picket_saturating_increment(&agent->packets_ignored);
    picket_unlock(agent, posture);
    return verdict;
}

/* A packet without room for its flow. The lock is held, and given up. */
PICKET_COLD enum picket_packet_verdict lose(struct picket_agent *agent,
                                            const struct picket_flow_table *table, uint32_t hash,
                                            enum picket_direction direction, uint32_t bytes,
                                            uint32_t posture)
{
    bool wanted = table->capacity > 0;
    if (wanted) {
        picket_losses_add(&agent->losses, hash, direction, bytes);
        picket_saturating_increment(&agent->packets_lost);
    }
    picket_unlock(agent, posture);
    return wanted ? PICKET_PACKET_LOST : ignore(agent, PICKET_PACKET_OTHER_PROTOCOL);
}

/* Neither multicast (224.0.0.0/4, ff00::/8) nor limited broadcast; a subnet's own broadcast address
 * cannot be told without the interface's mask, which is the port's. */
PICKET_HOT bool is_unicast(const uint8_t *address, uint32_t address_words)
{
    if (address_words == 4)
        return address[0] != 0xFF;
    return address[0] < 224 || (address[0] >= 240 && picket_word(address) != UINT32_MAX);
}

/* Opens a flow that is not in the table, or counts it as lost. The lock is held, and given up. */
PICKET_HOT enum picket_packet_verdict open_flow(struct picket_agent *agent,
                                                struct picket_flow_table *table, uint32_t hash,
                                                const struct picket_flow_key *key,
                                                enum picket_direction direction, uint32_t bytes,
                                                uint32_t posture, uint32_t address_words)
{
    /* Not before: a flow that is known has passed here. */
    if (direction == PICKET_IN && !is_unicast(key->local, address_words) &&
        agent->config.unicast_only) {
        picket_unlock(agent, posture);
        return ignore(agent, PICKET_PACKET_MULTICAST);
    }
    struct picket_flow_head *flow =
        picket_flow_table_add(table, picket_flow_bucket(table, hash), key, address_words);
    if (flow == NULL)
        return lose(agent, table, hash, direction, bytes, posture);
    flow->bytes[direction] = bytes;
    agent->packets_counted++;
    bool filling_up = table->live == table->early_at;
    picket_unlock(agent, posture);
    if (filling_up && agent->config.callbacks.wake != NULL)
        agent->config.callbacks.wake(agent->config.callbacks.context);
    return PICKET_PACKET_COUNTED;
}

PICKET_HOT enum picket_packet_verdict count(struct picket_agent *agent,
                                            struct picket_flow_table *table,
                                            const struct picket_packet *packet,
                                            enum picket_direction direction, uint32_t address_words)
{
    const uint8_t *source = packet->addresses;
    const uint8_t *destination = source + 4 * address_words;
    struct picket_flow_key key = {source, destination, packet->ports, packet->protocol};
    if (direction == PICKET_IN) {
        key.local = destination;
        key.remote = source;
        key.ports = packet->ports << 16 | packet->ports >> 16;
    }
    uint32_t hash = picket_flow_hash(&agent->hash_keys, &key, address_words);

    uint32_t posture = picket_lock(agent);
    struct picket_flow_head *flow =
        picket_flow_find(table, picket_flow_bucket(table, hash), &key, address_words);
    if (flow == NULL)
        return open_flow(agent, table, hash, &key, direction, packet->payload_bytes, posture,
                         address_words);
    picket_flow_count(flow, direction, packet->payload_bytes);
    agent->packets_counted++;
    picket_unlock(agent, posture);
    return PICKET_PACKET_COUNTED;
}

enum picket_packet_verdict picket_agent_count_packet(struct picket_agent *agent,
                                                     const uint8_t *bytes, size_t captured_bytes,
                                                     uint32_t wire_bytes,
                                                     enum picket_direction direction)
{
    struct picket_packet packet;
    enum picket_packet_verdict verdict =
        picket_packet_parse(&packet, bytes, captured_bytes, wire_bytes);
    if (verdict != PICKET_PACKET_COUNTED)
        return ignore(agent, verdict);
#if PICKET_FOR_SPEED
    /* With the direction and the family as constants, fewer values are to be kept over the lock. */
    if (packet.address_words == 1 && direction == PICKET_OUT)
        return count(agent, &agent->ipv4, &packet, PICKET_OUT, 1);
    if (packet.address_words == 1)
        return count(agent, &agent->ipv4, &packet, PICKET_IN, 1);
    if (direction == PICKET_OUT)
        return count(agent, &agent->ipv6, &packet, PICKET_OUT, 4);
    return count(agent, &agent->ipv6, &packet, PICKET_IN, 4);
#else
    struct picket_flow_table *table = packet.address_words == 1 ? &agent->ipv4 : &agent->ipv6;
    return count(agent, table, &packet, direction, packet.address_words);
#endif
}

/* Adds a frozen flow to the one in its place, or puts it there. False: there is no place. */
static bool put_back(struct picket_flow_table *table, picket_flow_index *bucket,
                     struct picket_flow_head *frozen, picket_flow_index index,
                     const struct picket_flow_key *key)
{
    uint32_t address_words = table->address_words;
    struct picket_flow_head *flow = picket_flow_find(table, bucket, key, address_words);
    if (flow == NULL && !picket_flow_chain_full(table, bucket, address_words)) {
        picket_flow_link(table, bucket, frozen, index);
        return true;
    }
    if (flow != NULL) {
        picket_flow_count(flow, PICKET_IN, frozen->bytes[PICKET_IN]);
        picket_flow_count(flow, PICKET_OUT, frozen->bytes[PICKET_OUT]);
    }
    frozen->next = table->free;
    table->free = index;
    return flow != NULL;
}

void picket_count_again(struct picket_agent *agent, struct picket_flow_table *table,
                        picket_flow_index index)
{
    uint32_t address_words = table->address_words;
    struct picket_flow_head *frozen = picket_flow_at(table, index, address_words);
    const uint32_t *local = picket_flow_addresses(frozen);
    struct picket_flow_key key = {(const uint8_t *)local, (const uint8_t *)(local + address_words),
                                  frozen->ports, frozen->protocol};
    uint32_t hash = picket_flow_hash(&agent->hash_keys, &key, address_words);
    picket_flow_index *bucket = picket_flow_bucket(table, hash);
    uint32_t posture = picket_lock(agent);
    if (!put_back(table, bucket, frozen, index, &key)) {
        picket_losses_add(&agent->losses, hash, PICKET_IN, frozen->bytes[PICKET_IN]);
        picket_losses_add(&agent->losses, hash, PICKET_OUT, frozen->bytes[PICKET_OUT]);
    }
    picket_unlock(agent, posture);
}

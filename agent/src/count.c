/* The ways into a table: everything is parsed and hashed without the lock, and counted under it. */
#include "count.h"

#include "flow_table.h"
#include "lock.h"
#include "losses.h"
#include "packet.h"
#include "picket/agent/agent.h"

/* A packet whose flow is known by its key. */
struct counting {
    struct picket_flow_table *table;
    const struct picket_flow_key *key;
    uint32_t payload_bytes;
    enum picket_direction direction;
    uint32_t address_words;
};

/* Neither multicast (224.0.0.0/4, ff00::/8) nor limited broadcast; a subnet's own broadcast address
 * cannot be told without the interface's mask, which is the port's. */
PICKET_HOT bool is_unicast(const uint8_t *address, uint32_t address_words)
{
    if (address_words == 4)
        return address[0] != 0xFF;
    return address[0] < 224 || (address[0] >= 240 && picket_word(address) != UINT32_MAX);
}

PICKET_HOT bool is_wanted(const struct picket_agent *agent, const uint8_t *local,
                          enum picket_direction direction, uint32_t address_words)
{
    return direction == PICKET_OUT || is_unicast(local, address_words) ||
           !agent->config.unicast_only;
}

/* A packet without room for its flow. The lock is held, as for the next two. */
PICKET_HOT enum picket_packet_verdict lose(struct picket_agent *agent,
                                           const struct counting *counting)
{
    picket_losses_add(&agent->losses, counting->key->hash, counting->direction,
                      counting->payload_bytes);
    picket_saturating_increment(&agent->packets_lost);
    return PICKET_PACKET_LOST;
}

/* A packet that is not counted after all. */
PICKET_HOT enum picket_packet_verdict refuse(struct picket_agent *agent,
                                             enum picket_packet_verdict verdict)
{
    picket_saturating_increment(&agent->packets_ignored);
    return verdict;
}

/* Opens a flow that is not in the table, or counts it as lost. */
PICKET_HOT enum picket_packet_verdict open_flow(struct picket_agent *agent,
                                                const struct counting *counting,
                                                picket_flow_index *bucket, bool room,
                                                bool *filling_up)
{
    /* Not before: a flow that is known has passed here. */
    if (!is_wanted(agent, picket_flow_key_local(counting->key), counting->direction,
                   counting->address_words))
        return refuse(agent, PICKET_PACKET_MULTICAST);
    struct picket_flow_table *table = counting->table;
    if (table->capacity == 0)
        return refuse(agent, PICKET_PACKET_OTHER_PROTOCOL);
    struct picket_flow_head *flow = NULL;
    if (room)
        flow = picket_flow_table_add(table, bucket, counting->key, counting->address_words);
    if (flow == NULL)
        return lose(agent, counting);
    flow->bytes[counting->direction] = counting->payload_bytes;
    agent->packets_counted++;
    *filling_up = table->live == table->early_at;
    return PICKET_PACKET_COUNTED;
}

PICKET_COLD enum picket_packet_verdict ignore(struct picket_agent *agent,
                                              enum picket_packet_verdict verdict)
{
    uint32_t posture = picket_lock(agent);
    refuse(agent, verdict);
    picket_unlock(agent, posture);
    return verdict;
}

#if PICKET_AGENT_IPV6
/* An IPv6 packet of which cannot be told what flow it belongs to: all behind its header is lost, of
 * one flow at least. */
PICKET_COLD enum picket_packet_verdict
lose_unattributed(struct picket_agent *agent, const uint8_t *bytes, enum picket_direction direction)
{
    const uint8_t *destination = picket_packet_addresses(bytes, 4) + PICKET_WIRE_IPV6_BYTES;
    if (!is_wanted(agent, destination, direction, 4))
        return ignore(agent, PICKET_PACKET_MULTICAST);
    uint32_t posture = picket_lock(agent);
    if (agent->tables[PICKET_IPV6].capacity > 0) {
        picket_losses_add_bytes(&agent->losses, direction, picket_big_endian_16(bytes + 4));
        picket_saturating_increment(&agent->packets_lost);
    } else {
        refuse(agent, PICKET_PACKET_HEADER_CHAIN);
    }
    picket_unlock(agent, posture);
    return PICKET_PACKET_HEADER_CHAIN;
}
#endif

PICKET_HOT enum picket_packet_verdict count(struct picket_agent *agent,
                                            struct picket_flow_table *table, const uint8_t *bytes,
                                            uint_fast32_t ports, uint_fast32_t protocol,
                                            uint32_t payload_bytes, enum picket_direction direction,
                                            uint32_t address_words)
{
    struct picket_flow_key key;
    key.protocol = protocol;
    picket_flow_key_of_packet(&key, picket_packet_addresses(bytes, address_words), ports, direction,
                              address_words);
    key.hash = picket_flow_hash(&agent->hash_keys, &key, address_words);
    const struct counting counting = {table, &key, payload_bytes, direction, address_words};

    enum picket_packet_verdict verdict = PICKET_PACKET_COUNTED;
    bool room = false, filling_up = false;
    uint32_t posture = picket_lock(agent);
    picket_flow_index *bucket = picket_flow_bucket(table, key.hash);
    struct picket_flow_head *flow = picket_flow_find(table, bucket, &key, address_words, &room);
    if (flow != NULL) {
        picket_flow_count(flow, direction, payload_bytes);
        agent->packets_counted++;
    } else {
        verdict = open_flow(agent, &counting, bucket, room, &filling_up);
    }
    picket_unlock(agent, posture);
    if (filling_up && agent->config.callbacks.wake != NULL)
        agent->config.callbacks.wake(agent->config.callbacks.context);
    return verdict;
}

/* Where speed is asked for, there is a function for each family and direction: with these as
 * constants, what is needed beyond the lock is five values, which are kept in registers. */
#if PICKET_FOR_SPEED
PICKET_APART enum picket_packet_verdict count_ipv4_in(struct picket_agent *agent,
                                                      const uint8_t *bytes, uint_fast32_t ports,
                                                      uint_fast32_t protocol,
                                                      uint32_t payload_bytes)
{
    return count(agent, &agent->tables[PICKET_IPV4], bytes, ports, protocol, payload_bytes,
                 PICKET_IN, 1);
}

PICKET_APART enum picket_packet_verdict count_ipv4_out(struct picket_agent *agent,
                                                       const uint8_t *bytes, uint_fast32_t ports,
                                                       uint_fast32_t protocol,
                                                       uint32_t payload_bytes)
{
    return count(agent, &agent->tables[PICKET_IPV4], bytes, ports, protocol, payload_bytes,
                 PICKET_OUT, 1);
}

#if PICKET_AGENT_IPV6
PICKET_APART enum picket_packet_verdict count_ipv6_in(struct picket_agent *agent,
                                                      const uint8_t *bytes, uint_fast32_t ports,
                                                      uint_fast32_t protocol,
                                                      uint32_t payload_bytes)
{
    return count(agent, &agent->tables[PICKET_IPV6], bytes, ports, protocol, payload_bytes,
                 PICKET_IN, 4);
}

PICKET_APART enum picket_packet_verdict count_ipv6_out(struct picket_agent *agent,
                                                       const uint8_t *bytes, uint_fast32_t ports,
                                                       uint_fast32_t protocol,
                                                       uint32_t payload_bytes)
{
    return count(agent, &agent->tables[PICKET_IPV6], bytes, ports, protocol, payload_bytes,
                 PICKET_OUT, 4);
}
#endif
#endif

PICKET_HOT enum picket_packet_verdict count_parsed(struct picket_agent *agent, const uint8_t *bytes,
                                                   enum picket_packet_verdict verdict,
                                                   const struct picket_packet *packet,
                                                   enum picket_direction direction)
{
#if PICKET_AGENT_IPV6
    if (verdict == PICKET_PACKET_HEADER_CHAIN)
        return lose_unattributed(agent, bytes, direction);
#endif
    if (verdict != PICKET_PACKET_COUNTED)
        return ignore(agent, verdict);
#if PICKET_FOR_SPEED
#if PICKET_AGENT_IPV6
    if (packet->address_words == 4 && direction == PICKET_OUT)
        return count_ipv6_out(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
    if (packet->address_words == 4)
        return count_ipv6_in(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
#endif
    if (direction == PICKET_OUT)
        return count_ipv4_out(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
    return count_ipv4_in(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
#else
    uint32_t address_words = PICKET_AGENT_IPV6 ? packet->address_words : 1;
    return count(agent, &agent->tables[address_words == 1 ? PICKET_IPV4 : PICKET_IPV6], bytes,
                 packet->ports, packet->protocol, packet->payload_bytes, direction, address_words);
#endif
}

PICKET_APART enum picket_packet_verdict count_any(struct picket_agent *agent, const uint8_t *bytes,
                                                  size_t captured_bytes, uint32_t wire_bytes,
                                                  enum picket_direction direction)
{
    struct picket_packet packet;
    enum picket_packet_verdict verdict =
        picket_packet_parse(&packet, bytes, captured_bytes, wire_bytes);
    return count_parsed(agent, bytes, verdict, &packet, direction);
}

enum picket_packet_verdict picket_agent_count_packet(struct picket_agent *agent,
                                                     const uint8_t *bytes, size_t captured_bytes,
                                                     uint32_t wire_bytes,
                                                     enum picket_direction direction)
{
    struct picket_packet packet;
    if (!PICKET_FOR_SPEED || !picket_is_plain_ipv4(bytes, captured_bytes))
        return count_any(agent, bytes, captured_bytes, wire_bytes, direction);
    enum picket_packet_verdict verdict =
        picket_parse_ipv4(&packet, bytes, captured_bytes, wire_bytes, PICKET_IPV4_PLAIN);
    return count_parsed(agent, bytes, verdict, &packet, direction);
}

void picket_agent_read_packet(const uint8_t *bytes, size_t captured_bytes, uint32_t wire_bytes,
                              struct picket_packet_reading *reading)
{
    enum picket_packet_verdict verdict =
        picket_packet_parse(&reading->packet, bytes, captured_bytes, wire_bytes);
    reading->verdict = (uint8_t)verdict;
    if (verdict == PICKET_PACKET_COUNTED || verdict == PICKET_PACKET_HEADER_CHAIN)
        memcpy(reading->header, bytes,
               reading->packet.address_words == 1 ? PICKET_IPV4_HEADER_BYTES
                                                  : PICKET_IPV6_HEADER_BYTES);
}

enum picket_packet_verdict picket_agent_count_reading(struct picket_agent *agent,
                                                      const struct picket_packet_reading *reading,
                                                      enum picket_direction direction)
{
    return count_parsed(agent, (const uint8_t *)reading->header,
                        (enum picket_packet_verdict)reading->verdict, &reading->packet, direction);
}

/* Adds a frozen flow to the one in its place, or puts it there. False: there is no place. */
static bool put_back(struct picket_flow_table *table, struct picket_flow_head *frozen,
                     picket_flow_index index, const struct picket_flow_key *key)
{
    picket_flow_index *bucket = picket_flow_bucket(table, key->hash);
    bool room = false;
    struct picket_flow_head *flow =
        picket_flow_find(table, bucket, key, picket_flow_table_words(table), &room);
    if (flow == NULL && room) {
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
    uint32_t address_words = picket_flow_table_words(table);
    struct picket_flow_head *frozen = picket_flow_at(table, index);
    struct picket_flow_key key;
    key.protocol = frozen->mark & PICKET_MARK_PROTOCOL;
    picket_flow_key_of_flow(&key, frozen, address_words);
    key.hash = picket_flow_hash(&agent->hash_keys, &key, address_words);
    uint32_t posture = picket_lock(agent);
    if (!put_back(table, frozen, index, &key)) {
        picket_losses_add(&agent->losses, key.hash, PICKET_IN, frozen->bytes[PICKET_IN]);
        picket_losses_add(&agent->losses, key.hash, PICKET_OUT, frozen->bytes[PICKET_OUT]);
    }
    picket_unlock(agent, posture);
}

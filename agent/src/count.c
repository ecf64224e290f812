/* The ways into a table: everything is parsed and hashed without the lock, and counted under it. */
#include "count.h"

#include "flow_table.h"
#include "lock.h"
#include "losses.h"
#include "packet.h"
#include "picket/agent/agent.h"

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
           !agent->config->unicast_only;
}

/* What a packet is counted by. */
#if PICKET_FOR_SPEED
typedef struct {
    picket_flow_key key;
    uint32_t hash;
    uint32_t payload_bytes;
    enum picket_direction direction;
    bool wanted; /* is_wanted() has been asked */
} counting;
#else
typedef struct picket_packet_reading counting;
#endif

/* Counts a packet for its flow, which is opened if there is room. The lock is held, as for the
 * next.
 */
PICKET_HOT enum picket_packet_verdict count_flow(const struct picket_agent *agent,
                                                 struct picket_flow_table *table,
                                                 const counting *by, uint32_t address_words,
                                                 bool *filling_up)
{
    uint32_t left = 0;
    struct picket_flow_head *flow =
        picket_flow_find(table, &by->key, by->hash, address_words, &left);
    (void)agent;
    if (flow == NULL) {
#if PICKET_FOR_SPEED
        /* Not before: a flow that is known has passed here. */
        if (!by->wanted && !is_wanted(agent, by->key.local, by->direction, address_words))
            return PICKET_PACKET_MULTICAST;
#endif
        if (picket_flow_room(table, by->hash, left))
            flow = picket_flow_table_add(table, &by->key, by->hash, address_words);
        if (flow == NULL)
            return table->capacity > 0 ? PICKET_PACKET_LOST : PICKET_PACKET_OTHER_PROTOCOL;
        *filling_up = picket_flow_table_starts_filling(table);
    }
    picket_add(&flow->bytes[by->direction], by->payload_bytes);
    return PICKET_PACKET_COUNTED;
}

/* The other end of count(), for a packet that is of no flow; kept out of the way of those that are.
 */
PICKET_APART enum picket_packet_verdict
end_without_flow(struct picket_agent *agent, uint32_t posture, enum picket_packet_verdict verdict,
                 uint32_t hash, enum picket_direction direction, uint32_t payload_bytes)
{
    /* Only of IPv6. */
    if (verdict == PICKET_PACKET_HEADER_CHAIN && agent->tables[PICKET_FAMILIES - 1].capacity == 0)
        verdict = PICKET_PACKET_OTHER_PROTOCOL;
    if (verdict == PICKET_PACKET_LOST || verdict == PICKET_PACKET_HEADER_CHAIN) {
        picket_add(&agent->losses.bytes[direction], payload_bytes);
        agent->packets_lost++;
    } else {
        agent->packets_ignored++;
    }
    if (verdict == PICKET_PACKET_LOST)
        picket_losses_add_flow(agent, hash);
    picket_unlock(agent, posture);
    return verdict;
}

/* verdict: of the headers. */
PICKET_HOT enum picket_packet_verdict count(struct picket_agent *agent,
                                            enum picket_packet_verdict verdict, const counting *by,
                                            uint32_t address_words)
{
    struct picket_flow_table *table =
        &agent->tables[address_words == 1 ? PICKET_IPV4 : PICKET_FAMILIES - 1];
    bool filling_up = false;
    uint32_t posture = picket_lock(agent);
    if (verdict == PICKET_PACKET_COUNTED)
        verdict = count_flow(agent, table, by, address_words, &filling_up);
    if (!picket_likely(verdict == PICKET_PACKET_COUNTED))
        return end_without_flow(agent, posture, verdict, by->hash,
                                (enum picket_direction)by->direction, by->payload_bytes);
    agent->packets_counted++;
    picket_unlock(agent, posture);
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    if (filling_up && callbacks->wake != NULL)
        callbacks->wake(callbacks->context);
    return PICKET_PACKET_COUNTED;
}

void picket_agent_read_packet(const struct picket_agent *agent, const uint8_t *bytes,
                              size_t captured_bytes, uint32_t wire_bytes,
                              enum picket_direction direction,
                              struct picket_packet_reading *reading)
{
    struct picket_packet packet;
    enum picket_packet_verdict verdict =
        picket_packet_parse(&packet, bytes, captured_bytes, wire_bytes);
    reading->address_words = 1;
    reading->direction = (uint8_t)direction;
    if (verdict == PICKET_PACKET_COUNTED || verdict == PICKET_PACKET_HEADER_CHAIN) {
        uint32_t address_words = PICKET_AGENT_IPV6 ? packet.address_words : 1;
        const uint8_t *addresses = picket_packet_addresses(bytes, address_words);
        reading->address_words = (uint8_t)address_words;
        reading->payload_bytes = packet.payload_bytes;
        if (!is_wanted(agent, addresses + 4 * address_words, direction, address_words)) {
            verdict = PICKET_PACKET_MULTICAST;
        } else if (verdict == PICKET_PACKET_COUNTED) {
            picket_flow_key storage;
            picket_flow_key_write(reading->key.words, addresses, packet.ports, direction,
                                  address_words);
            const picket_flow_key *key =
                picket_flow_key_of_words(reading->key.words, address_words, &storage);
            reading->hash = (picket_flow_index)picket_flow_hash(&agent->hash_keys, key,
                                                                packet.protocol, address_words);
        }
    }
    reading->verdict = (uint8_t)verdict;
}

enum picket_packet_verdict picket_agent_count_reading(struct picket_agent *agent,
                                                      const struct picket_packet_reading *reading)
{
    uint32_t address_words = PICKET_AGENT_IPV6 ? reading->address_words : 1;
#if PICKET_FOR_SPEED
    counting by = {.hash = reading->hash,
                   .payload_bytes = reading->payload_bytes,
                   .direction = (enum picket_direction)reading->direction,
                   .wanted = true};
    picket_flow_key_of_words(reading->key.words, address_words, &by.key);
    return count(agent, (enum picket_packet_verdict)reading->verdict, &by, address_words);
#else
    return count(agent, (enum picket_packet_verdict)reading->verdict, reading, address_words);
#endif
}

#if PICKET_FOR_SPEED

/* Where speed is asked for, a packet that is counted at once is not read first. There is a function
 * for each family and direction: with these as constants, what is needed beyond the lock is a few
 * values, which are kept in registers. */
PICKET_HOT enum picket_packet_verdict count_parsed(struct picket_agent *agent, const uint8_t *bytes,
                                                   uint_fast32_t ports, uint_fast32_t protocol,
                                                   uint32_t payload_bytes,
                                                   enum picket_direction direction,
                                                   uint32_t address_words)
{
    counting by = {.key = picket_flow_key_of_packet(picket_packet_addresses(bytes, address_words),
                                                    ports, direction, address_words),
                   .payload_bytes = payload_bytes,
                   .direction = direction,
                   .wanted = false};
    by.hash = picket_flow_hash(&agent->hash_keys, &by.key, (uint32_t)protocol, address_words);
    return count(agent, PICKET_PACKET_COUNTED, &by, address_words);
}

#define COUNT_FUNCTION(name, direction, address_words)                                             \
    PICKET_APART enum picket_packet_verdict name(struct picket_agent *agent, const uint8_t *bytes, \
                                                 uint_fast32_t ports, uint_fast32_t protocol,      \
                                                 uint32_t payload_bytes)                           \
    {                                                                                              \
        return count_parsed(agent, bytes, ports, protocol, payload_bytes, (direction),             \
                            (address_words));                                                      \
    }
COUNT_FUNCTION(count_ipv4_in, PICKET_IN, 1)
COUNT_FUNCTION(count_ipv4_out, PICKET_OUT, 1)
#if PICKET_AGENT_IPV6
COUNT_FUNCTION(count_ipv6_in, PICKET_IN, 4)
COUNT_FUNCTION(count_ipv6_out, PICKET_OUT, 4)
#endif

/* A packet that is of no flow, or cannot be told to be. */
PICKET_COLD enum picket_packet_verdict count_without_flow(struct picket_agent *agent,
                                                          enum picket_packet_verdict verdict,
                                                          const uint8_t *bytes,
                                                          enum picket_direction direction)
{
    uint32_t payload_bytes = 0;
    (void)bytes;
#if PICKET_AGENT_IPV6
    if (verdict == PICKET_PACKET_HEADER_CHAIN) {
        payload_bytes = picket_big_endian_16(bytes + 4);
        if (!is_wanted(agent, picket_packet_addresses(bytes, 4) + PICKET_WIRE_IPV6_BYTES, direction,
                       4))
            verdict = PICKET_PACKET_MULTICAST;
    }
#endif
    uint32_t posture = picket_lock(agent);
    return end_without_flow(agent, posture, verdict, 0, direction, payload_bytes);
}

PICKET_HOT enum picket_packet_verdict dispatch(struct picket_agent *agent, const uint8_t *bytes,
                                               enum picket_direction direction,
                                               enum picket_packet_verdict verdict,
                                               const struct picket_packet *packet)
{
    if (verdict != PICKET_PACKET_COUNTED)
        return count_without_flow(agent, verdict, bytes, direction);
#if PICKET_AGENT_IPV6
    if (packet->address_words == 4 && direction == PICKET_OUT)
        return count_ipv6_out(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
    if (packet->address_words == 4)
        return count_ipv6_in(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
#endif
    if (direction == PICKET_OUT)
        return count_ipv4_out(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
    return count_ipv4_in(agent, bytes, packet->ports, packet->protocol, packet->payload_bytes);
}

PICKET_APART enum picket_packet_verdict count_any(struct picket_agent *agent, const uint8_t *bytes,
                                                  size_t captured_bytes, uint32_t wire_bytes,
                                                  enum picket_direction direction)
{
    struct picket_packet packet;
    enum picket_packet_verdict verdict =
        picket_packet_parse(&packet, bytes, captured_bytes, wire_bytes);
    return dispatch(agent, bytes, direction, verdict, &packet);
}

enum picket_packet_verdict picket_agent_count_packet(struct picket_agent *agent,
                                                     const uint8_t *bytes, size_t captured_bytes,
                                                     uint32_t wire_bytes,
                                                     enum picket_direction direction)
{
    struct picket_packet packet;
    if (!picket_is_plain_ipv4(bytes, captured_bytes))
        return count_any(agent, bytes, captured_bytes, wire_bytes, direction);
    enum picket_packet_verdict verdict =
        picket_parse_ipv4(&packet, bytes, captured_bytes, wire_bytes, PICKET_IPV4_PLAIN);
    return dispatch(agent, bytes, direction, verdict, &packet);
}

#else

enum picket_packet_verdict picket_agent_count_packet(struct picket_agent *agent,
                                                     const uint8_t *bytes, size_t captured_bytes,
                                                     uint32_t wire_bytes,
                                                     enum picket_direction direction)
{
    struct picket_packet_reading reading;
    picket_agent_read_packet(agent, bytes, captured_bytes, wire_bytes, direction, &reading);
    return picket_agent_count_reading(agent, &reading);
}

#endif

void picket_count_again(struct picket_agent *agent, struct picket_flow_table *table,
                        struct picket_flow_head *frozen, picket_flow_index index)
{
    uint32_t left = 0, address_words = picket_flow_table_words(table);
    picket_flow_key storage;
    const picket_flow_key *key = picket_flow_key_of_words(&frozen->ports, address_words, &storage);
    struct picket_flow_head *flow =
        picket_flow_find(table, key, frozen->hash, address_words, &left);
    if (flow == NULL && picket_flow_room(table, frozen->hash, left)) {
        picket_flow_link(table, picket_flow_bucket(table, frozen->hash), frozen, index);
        return;
    }
    uint32_t *bytes = agent->losses.bytes;
    if (flow != NULL)
        bytes = flow->bytes;
    else
        picket_losses_add_flow(agent, frozen->hash);
    picket_add(&bytes[PICKET_IN], frozen->bytes[PICKET_IN]);
    picket_add(&bytes[PICKET_OUT], frozen->bytes[PICKET_OUT]);
    picket_flow_free(table, frozen, index);
}

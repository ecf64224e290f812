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

PICKET_HOT bool is_wanted(const struct picket_agent *agent, const uint8_t *addresses,
                          enum picket_direction direction, uint32_t address_words)
{
    return direction == PICKET_OUT || is_unicast(addresses + 4 * address_words, address_words) ||
           !agent->config->unicast_only;
}

/* Counts a packet for its flow, which is opened if there is room. The lock is held, as for the
 * next.
 */
PICKET_HOT enum picket_packet_verdict count_flow(struct picket_agent *agent,
                                                 struct picket_flow_table *table,
                                                 const struct picket_packet_reading *reading,
                                                 uint32_t address_words, bool *filling_up)
{
    picket_flow_index *bucket = picket_flow_bucket(table, reading->hash);
    bool room = false;
    struct picket_flow_head *flow =
        picket_flow_find(table, bucket, reading->key, reading->hash, address_words, &room);
    if (flow == NULL) {
        if (table->capacity == 0)
            return PICKET_PACKET_OTHER_PROTOCOL;
        if (room)
            flow = picket_flow_table_add(table, bucket, reading->key, reading->hash, address_words);
        if (flow == NULL) {
            picket_losses_add_flow(agent, reading->hash);
            return PICKET_PACKET_LOST;
        }
        *filling_up = PICKET_AGENT_WAKE && picket_flow_table_starts_filling(table);
    }
    picket_add(&flow->bytes[reading->direction], reading->payload_bytes);
    return PICKET_PACKET_COUNTED;
}

/* Writes down what became of a packet. */
PICKET_HOT void account(struct picket_agent *agent, enum picket_packet_verdict verdict,
                        const struct picket_packet_reading *reading)
{
    if (picket_likely(verdict == PICKET_PACKET_COUNTED)) {
        agent->packets_counted++;
    } else if (verdict == PICKET_PACKET_LOST || verdict == PICKET_PACKET_HEADER_CHAIN) {
        picket_add(&agent->losses.bytes[reading->direction], reading->payload_bytes);
        agent->packets_lost++;
    } else {
        agent->packets_ignored++;
    }
}

PICKET_HOT enum picket_packet_verdict count(struct picket_agent *agent,
                                            const struct picket_packet_reading *reading,
                                            uint32_t address_words)
{
    struct picket_flow_table *table =
        &agent->tables[address_words == 1 ? PICKET_IPV4 : PICKET_FAMILIES - 1];
    enum picket_packet_verdict verdict = (enum picket_packet_verdict)reading->verdict;
    bool filling_up = false;
    uint32_t posture = picket_lock(agent);
    if (verdict == PICKET_PACKET_COUNTED)
        verdict = count_flow(agent, table, reading, address_words, &filling_up);
    else if (verdict == PICKET_PACKET_HEADER_CHAIN && table->capacity == 0)
        verdict = PICKET_PACKET_OTHER_PROTOCOL;
    account(agent, verdict, reading);
    picket_unlock(agent, posture);
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    if (filling_up && callbacks->wake != NULL)
        callbacks->wake(callbacks->context);
    return verdict;
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
        if (!is_wanted(agent, addresses, direction, address_words)) {
            verdict = PICKET_PACKET_MULTICAST;
        } else if (verdict == PICKET_PACKET_COUNTED) {
            picket_flow_key_of_packet(reading->key, addresses, packet.ports, direction,
                                      address_words);
            reading->hash =
                picket_flow_hash(&agent->hash_keys, reading->key, packet.protocol, address_words);
        }
    }
    reading->verdict = (uint8_t)verdict;
}

enum picket_packet_verdict picket_agent_count_reading(struct picket_agent *agent,
                                                      const struct picket_packet_reading *reading)
{
    return count(agent, reading, PICKET_AGENT_IPV6 ? reading->address_words : 1);
}

PICKET_APART enum picket_packet_verdict read_and_count(struct picket_agent *agent,
                                                       const uint8_t *bytes, size_t captured_bytes,
                                                       uint32_t wire_bytes,
                                                       enum picket_direction direction)
{
    struct picket_packet_reading reading;
    picket_agent_read_packet(agent, bytes, captured_bytes, wire_bytes, direction, &reading);
    return picket_agent_count_reading(agent, &reading);
}

#if PICKET_FOR_SPEED

/* Where speed is asked for, a packet that counts for a flow is not read first. There is a function
 * for each family and direction: with these as constants, what is needed beyond the lock is a few
 * values, which are kept in registers. */
PICKET_HOT enum picket_packet_verdict count_parsed(struct picket_agent *agent,
                                                   const uint8_t *addresses, uint_fast32_t ports,
                                                   uint_fast32_t protocol, uint32_t payload_bytes,
                                                   enum picket_direction direction,
                                                   uint32_t address_words)
{
    struct picket_packet_reading reading = {.payload_bytes = payload_bytes,
                                            .direction = (uint8_t)direction,
                                            .verdict = PICKET_PACKET_COUNTED};
    picket_flow_key_of_packet(reading.key, addresses, (uint32_t)ports, direction, address_words);
    reading.hash =
        picket_flow_hash(&agent->hash_keys, reading.key, (uint32_t)protocol, address_words);
    return count(agent, &reading, address_words);
}

#define COUNT_FUNCTION(name, direction, address_words)                                             \
    PICKET_APART enum picket_packet_verdict name(struct picket_agent *agent,                       \
                                                 const uint8_t *addresses, uint_fast32_t ports,    \
                                                 uint_fast32_t protocol, uint32_t payload_bytes)   \
    {                                                                                              \
        return count_parsed(agent, addresses, ports, protocol, payload_bytes, (direction),         \
                            (address_words));                                                      \
    }
COUNT_FUNCTION(count_ipv4_in, PICKET_IN, 1)
COUNT_FUNCTION(count_ipv4_out, PICKET_OUT, 1)
#if PICKET_AGENT_IPV6
COUNT_FUNCTION(count_ipv6_in, PICKET_IN, 4)
COUNT_FUNCTION(count_ipv6_out, PICKET_OUT, 4)
#endif

/* Whatever else there is to a packet than to be counted for a flow, the reading sees to. */
PICKET_HOT enum picket_packet_verdict
count_or_read(struct picket_agent *agent, const uint8_t *bytes, size_t captured_bytes,
              uint32_t wire_bytes, enum picket_direction direction,
              enum picket_packet_verdict verdict, const struct picket_packet *packet)
{
    if (verdict != PICKET_PACKET_COUNTED)
        return read_and_count(agent, bytes, captured_bytes, wire_bytes, direction);
    const uint8_t *addresses = picket_packet_addresses(bytes, packet->address_words);
    if (!is_wanted(agent, addresses, direction, packet->address_words))
        return read_and_count(agent, bytes, captured_bytes, wire_bytes, direction);
#if PICKET_AGENT_IPV6
    if (packet->address_words == 4 && direction == PICKET_OUT)
        return count_ipv6_out(agent, addresses, packet->ports, packet->protocol,
                              packet->payload_bytes);
    if (packet->address_words == 4)
        return count_ipv6_in(agent, addresses, packet->ports, packet->protocol,
                             packet->payload_bytes);
#endif
    if (direction == PICKET_OUT)
        return count_ipv4_out(agent, addresses, packet->ports, packet->protocol,
                              packet->payload_bytes);
    return count_ipv4_in(agent, addresses, packet->ports, packet->protocol, packet->payload_bytes);
}

PICKET_APART enum picket_packet_verdict count_any(struct picket_agent *agent, const uint8_t *bytes,
                                                  size_t captured_bytes, uint32_t wire_bytes,
                                                  enum picket_direction direction)
{
    struct picket_packet packet;
    enum picket_packet_verdict verdict =
        picket_packet_parse(&packet, bytes, captured_bytes, wire_bytes);
    return count_or_read(agent, bytes, captured_bytes, wire_bytes, direction, verdict, &packet);
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
    return count_or_read(agent, bytes, captured_bytes, wire_bytes, direction, verdict, &packet);
}

#else

enum picket_packet_verdict picket_agent_count_packet(struct picket_agent *agent,
                                                     const uint8_t *bytes, size_t captured_bytes,
                                                     uint32_t wire_bytes,
                                                     enum picket_direction direction)
{
    return read_and_count(agent, bytes, captured_bytes, wire_bytes, direction);
}

#endif

void picket_count_again(struct picket_agent *agent, struct picket_flow_table *table,
                        struct picket_flow_head *frozen, picket_flow_index index)
{
    picket_flow_index *bucket = picket_flow_bucket(table, frozen->hash);
    bool room = false;
    struct picket_flow_head *flow = picket_flow_find(table, bucket, &frozen->ports, frozen->hash,
                                                     picket_flow_table_words(table), &room);
    if (flow == NULL && room) {
        picket_flow_link(table, bucket, frozen, index);
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

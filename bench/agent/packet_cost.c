/* packet_cost CASE COUNT: prepares a case and runs it COUNT times, for callgrind to count; see
 * bench/agent/run. The agent is a device's: 64 + 64 flows, 64 buckets, options as they are by
 * default, a lock that does nothing. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../agent/src/flow_hash.h"
#include "../../agent/src/flow_key.h"
#include "picket/agent/agent.h"

enum { PACKET_BYTES_MAX = 256 };

struct packet {
    uint8_t bytes[PACKET_BYTES_MAX];
    size_t size_bytes;
    enum picket_direction direction;
};

static struct picket_agent agent;
static struct picket_agent_config config;
static struct picket_ipv4_flow ipv4_flows[PICKET_IPV4_FLOW_ENTRIES];
static struct picket_ipv6_flow ipv6_flows[PICKET_IPV6_FLOW_ENTRIES];
static picket_flow_index ipv4_buckets[PICKET_AGENT_BUCKETS];
static picket_flow_index ipv6_buckets[PICKET_AGENT_BUCKETS];
static uint64_t random_state = 1;
static bool refuse;

static uint32_t lock(void *context)
{
    (void)context;
    return 0;
}

static void unlock(void *context, uint32_t posture)
{
    (void)context;
    (void)posture;
}

static uint32_t uptime_s(void *context)
{
    (void)context;
    return 1000;
}

static void random_bytes(void *context, void *bytes, size_t size_bytes)
{
    (void)context;
    for (size_t i = 0; i < size_bytes; i++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[i] = (uint8_t)(random_state >> 56);
    }
}

static bool connected(void *context)
{
    (void)context;
    return true;
}

static bool sink(void *context, const void *piece, size_t size_bytes)
{
    static uint8_t transport[65536];
    size_t *filled = context;
    memcpy(transport + *filled % 32768, piece, size_bytes);
    *filled += size_bytes;
    return true;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    (void)context;
    size_t filled = 0;
    if (refuse)
        return PICKET_SEND_REFUSED;
    return picket_wire_encode(message, sink, &filled) ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED;
}

static void start(void)
{
    config = (struct picket_agent_config){PICKET_AGENT_CONFIG_DEFAULTS};
    config.callbacks = (struct picket_agent_callbacks){.lock = lock,
                                                       .unlock = unlock,
                                                       .uptime_s = uptime_s,
                                                       .unix_time_s = picket_agent_no_clock,
                                                       .random = random_bytes,
                                                       .connected = connected,
                                                       .send = send};
    config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    config.ipv4 = (struct picket_flow_storage)PICKET_IPV4_FLOW_STORAGE(ipv4_flows, ipv4_buckets);
    config.ipv6 = (struct picket_flow_storage)PICKET_IPV6_FLOW_STORAGE(ipv6_flows, ipv6_buckets);
    picket_agent_init(&agent, &config);
}

/* A packet of 100 bytes of payload, local port `flow`, with extension headers if it is IPv6. */
static struct packet make(int version, uint8_t protocol, enum picket_direction direction,
                          uint32_t flow, unsigned extensions)
{
    struct packet packet = {.direction = direction};
    uint8_t *bytes = packet.bytes;
    size_t at = version == 4 ? 20 : 40 + 8 * extensions;
    size_t transport_bytes = protocol == 6 ? 20 : 8;
    size_t payload = transport_bytes + 100;
    if (version == 4) {
        memcpy(bytes, "\x45\0\0\0\0\0\0\0\x40\0\0\0\x0A\0\0\x01\x0A\0\0\x01", 20);
        bytes[3] = (uint8_t)(20 + payload);
        bytes[9] = protocol;
    } else {
        bytes[0] = 0x60;
        payload += 8 * extensions;
        bytes[4] = (uint8_t)(payload >> 8);
        bytes[5] = (uint8_t)payload;
        bytes[6] = extensions > 0 ? 44 : protocol;
        for (unsigned i = 0; i < extensions; i++)
            bytes[40 + 8 * i] = i + 1 < extensions ? 44 : protocol;
        bytes[8] = bytes[24] = 0x20;
        bytes[23] = bytes[39] = 1;
    }
    size_t source_at = version == 4 ? 12 : 8, address_bytes = version == 4 ? 4 : 16;
    size_t end = source_at + address_bytes - 1; /* the last byte of the source */
    size_t local_port_at = direction == PICKET_OUT ? at : at + 2;
    bytes[direction == PICKET_OUT ? end + address_bytes : end] = 2;
    bytes[local_port_at] = (uint8_t)(flow >> 8);
    bytes[local_port_at + 1] = (uint8_t)flow;
    if (protocol == 6)
        bytes[at + 12] = extensions > 0 ? 0x60 : 0x50;
    packet.size_bytes = at + transport_bytes;
    return packet;
}

static enum picket_packet_verdict count(const struct packet *packet)
{
    return picket_agent_count_packet(&agent, packet->bytes, packet->size_bytes,
                                     PICKET_WIRE_BYTES_UNKNOWN, packet->direction);
}

static void known(int version, uint8_t protocol, enum picket_direction direction,
                  unsigned extensions, unsigned times)
{
    struct packet packet = make(version, protocol, direction, 1, extensions);
    for (unsigned i = 0; i <= times; i++)
        count(&packet);
}

static void fresh(int version, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        struct packet packet = make(version, 6, PICKET_OUT, i, 0);
        count(&packet);
        if (i % 32 == 31)
            picket_agent_flush(&agent);
    }
}

static void full(int version, unsigned extensions, unsigned times)
{
    for (unsigned i = 0; i < 64 + times; i++) {
        struct packet packet = make(version, 6, PICKET_IN, i, extensions);
        count(&packet);
    }
}

static uint32_t hash_of(const struct packet *packet, int version)
{
    uint32_t ports, words = version == 4 ? 1 : 4, key_words[1 + 2 * PICKET_ADDRESS_WORDS_MAX];
    memcpy(&ports, packet->bytes + packet->size_bytes - 20, sizeof ports);
    picket_flow_key_write(key_words, packet->bytes + (version == 4 ? 12 : 8), ports,
                          packet->direction, words);
    picket_flow_key storage;
    const picket_flow_key *key = picket_flow_key_of_words(key_words, words, &storage);
    return picket_flow_hash(&agent.hash_keys, key, PICKET_WIRE_TCP, words);
}

/* The next packet with that hash, by what of its flow is compared last. */
static struct packet find_colliding(int version, unsigned extensions, uint32_t *tried,
                                    uint32_t hash)
{
    struct packet packet = make(version, 6, PICKET_IN, 1, extensions);
    do {
        ++*tried;
        memcpy(packet.bytes + (version == 4 ? 16 : 36), tried, sizeof *tried);
    } while (hash_of(&packet, version) != hash);
    return packet;
}

/* The worst that is possible, for one who knows the seed: the longest chain, of flows that are told
 * from the one that is counted by what is compared last only; and in front of it all the extension
 * headers there may be. The one that is counted is not in the chain, or, if `known`, was its first.
 */
static void worst(int version, unsigned extensions, bool known, unsigned times)
{
    uint32_t tried = 0;
    struct packet packet = make(version, 6, PICKET_IN, 1, extensions);
    uint32_t hash = hash_of(&packet, version);
    if (known)
        count(&packet);
    for (unsigned chain = known; chain < PICKET_AGENT_CHAIN_MAX; chain++) {
        struct packet other = find_colliding(version, extensions, &tried, hash);
        count(&other);
    }
    for (unsigned i = 0; i < times; i++)
        count(&packet);
}

/* The next packet of a flow in that bucket. */
static struct packet find_in_bucket(int version, uint32_t *tried, uint32_t bucket)
{
    uint32_t shift = agent.tables[version == 6].bucket_shift;
    struct packet packet = make(version, 6, PICKET_IN, 1, 0);
    do {
        ++*tried;
        memcpy(packet.bytes + (version == 4 ? 16 : 36), tried, sizeof *tried);
    } while (hash_of(&packet, version) >> shift != bucket);
    return packet;
}

/* The longest chains in the two buckets that are emptied under one hold of the lock, and put back
 * after the hub has refused them. */
static void longest_holds(int version, unsigned times)
{
    uint32_t tried = 0;
    refuse = true;
    for (uint32_t bucket = 0; bucket < 2; bucket++)
        for (unsigned chain = 0; chain < PICKET_AGENT_CHAIN_MAX; chain++) {
            struct packet packet = find_in_bucket(version, &tried, bucket);
            count(&packet);
        }
    for (unsigned i = 0; i < times; i++)
        picket_agent_flush(&agent);
}

static void messages(int version, unsigned flows, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        for (uint32_t flow = 0; flow < flows; flow++)
            for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++) {
                struct packet packet = make(version, 6, (enum picket_direction)direction, flow, 0);
                count(&packet);
            }
        picket_agent_flush(&agent);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: packet_cost CASE COUNT\n");
        return 2;
    }
    const char *name = argv[1];
    unsigned times = (unsigned)strtoul(argv[2], NULL, 10);
    int version = strncmp(name, "ipv6", 4) == 0 ? 6 : 4;
    const char *what = name + (strlen(name) > 5 ? 5 : 0);
    start();
    if (strcmp(what, "known-out") == 0)
        known(version, 6, PICKET_OUT, 0, times);
    else if (strcmp(what, "known-in") == 0)
        known(version, 6, PICKET_IN, 0, times);
    else if (strcmp(what, "known-udp-out") == 0)
        known(version, 17, PICKET_OUT, 0, times);
    else if (strcmp(what, "extensions") == 0)
        known(version, 6, PICKET_IN, PICKET_AGENT_EXTENSION_HEADERS_MAX, times);
    else if (strcmp(what, "too-many-extensions") == 0)
        known(version, 6, PICKET_IN, PICKET_AGENT_EXTENSION_HEADERS_MAX + 1, times);
    else if (strcmp(what, "new") == 0)
        fresh(version, times);
    else if (strcmp(what, "full") == 0)
        full(version, 0, times);
    else if (strcmp(what, "extensions-full") == 0)
        full(version, PICKET_AGENT_EXTENSION_HEADERS_MAX, times);
    else if (strcmp(what, "longest-chain") == 0)
        worst(version, 0, true, times);
    else if (strcmp(what, "chain-full") == 0)
        worst(version, 0, false, times);
    else if (strcmp(what, "worst") == 0)
        worst(version, PICKET_AGENT_EXTENSION_HEADERS_MAX, false, times);
    else if (strcmp(what, "longest-holds") == 0)
        longest_holds(version, times);
    else if (strcmp(what, "message") == 0)
        messages(version, 64, times);
    else {
        fprintf(stderr, "packet_cost: %s: no such case\n", name);
        return 2;
    }
    return 0;
}

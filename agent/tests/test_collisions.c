/* The hash: what a peer chooses without the seed does not meet in a bucket more often than chance
 * has it; and even who knows the seed makes no chain longer than its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../src/flow_hash.h"
#include "../src/flow_key.h"
#include "../src/packet.h"
#include "harness.h"

static struct harness harness;

/* The ways in which flows were chosen to collide elsewhere, and the ways in which they come. */
static struct packet_spec chosen(unsigned pattern, uint32_t i)
{
    struct packet_spec spec = {.version = pattern % 2 ? 6 : 4,
                               .protocol = PICKET_WIRE_UDP,
                               .local = 0x0A000001,
                               .remote = 0xC0000201,
                               .local_port = 5683,
                               .remote_port = 1000,
                               .direction = PICKET_OUT};
    switch (pattern / 2) {
    case 0: /* a scan of ports */
        spec.remote_port = (uint16_t)i;
        break;
    case 1: /* a scan of addresses */
        spec.remote += i;
        break;
    case 2: /* equal modulo 91, as the predecessor hashes */
        spec.remote_port = (uint16_t)(91 * i);
        break;
    case 3: /* equal low bits */
        spec.remote += i << 16;
        break;
    case 4: /* equal XOR of ports */
        spec.local_port = (uint16_t)(5683 ^ i);
        spec.remote_port = (uint16_t)(1000 ^ i);
        break;
    case 5: /* equal XOR of addresses */
        spec.local ^= i << 24;
        spec.remote ^= i << 24;
        break;
    default: /* equal sums */
        spec.local_port = (uint16_t)(20000 + i);
        spec.remote_port = (uint16_t)(20000 - i);
        break;
    }
    return spec;
}

static void a_peer_that_does_not_know_the_seed_cannot_choose_collisions(void **state)
{
    (void)state;
    enum { PATTERNS = 14, SEEDS = 200, FLOWS = 64 };
    unsigned lost = 0;
    for (unsigned pattern = 0; pattern < PATTERNS; pattern++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            harness_setup(&harness);
            harness.random_state = seed;
            harness.config.ipv4.reserve = harness.config.ipv6.reserve = 0;
            harness_start(&harness);
            for (uint32_t i = 0; i < FLOWS; i++) {
                struct packet_spec spec = chosen(pattern, i);
                lost += harness_count(&harness, &spec) == PICKET_PACKET_LOST;
            }
        }
    /* Chance: 64 flows in 64 buckets put nine in one once in 14,000 fillings; here are 2,800. */
    assert_in_range(lost, 0, 3);
}

/* The hash of a flow as harness_count() makes it. */
static uint32_t hash_by(const struct picket_flow_hash_keys *keys, const struct packet_spec *spec)
{
    uint8_t packet[PACKET_BYTES_MAX];
    packet_build(packet, spec);
    uint32_t address_words = spec->version == 4 ? 1 : 4;
    const uint8_t *source = picket_packet_addresses(packet, address_words);
    uint32_t words[1 + 2 * PICKET_ADDRESS_WORDS_MAX];
    picket_flow_key_write(words, source, picket_word(source + 8 * address_words), PICKET_OUT,
                          address_words);
    picket_flow_key storage;
    const picket_flow_key *key = picket_flow_key_of_words(words, address_words, &storage);
    return picket_flow_hash(keys, key, spec->protocol, address_words);
}

static void pairs_of_flows_meet_in_a_bucket_as_often_as_chance_has_it(void **state)
{
    (void)state;
    enum { SEEDS = 20000, BUCKETS = 64, HASHES = 1 << PICKET_AGENT_INDEX_BITS };
    for (unsigned pattern = 0; pattern < 14; pattern++) {
        unsigned met = 0;
        harness_setup(&harness);
        for (unsigned seed = 0; seed < SEEDS; seed++) {
            struct picket_flow_hash_keys keys;
            harness.config.callbacks.random(&harness, &keys, sizeof keys);
            uint32_t hashes[2];
            for (uint32_t i = 0; i < 2; i++) {
                struct packet_spec spec = chosen(pattern, 1 + i);
                hashes[i] = hash_by(&keys, &spec);
            }
            met += hashes[0] / (HASHES / BUCKETS) == hashes[1] / (HASHES / BUCKETS);
        }
        /* Binomial, mean 312.5, deviation 17.5: five of them either way. */
        assert_in_range(met, 225, 400);
    }
}

static void no_chain_exceeds_its_bound_even_if_the_seed_is_known(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        harness_setup(&harness);
        harness.config.ipv4.bucket_count = harness.config.ipv6.bucket_count = 2;
        harness_start(&harness);
        struct packet_spec spec = {
            .version = version, .protocol = PICKET_WIRE_UDP, .direction = PICKET_OUT};
        unsigned lost = 0;
        for (uint32_t remote = 0; remote < 64; remote++) {
            spec.remote = remote;
            spec.payload_bytes = 92;
            lost += harness_count(&harness, &spec) == PICKET_PACKET_LOST;
        }
        assert_int_equal(lost, 64 - 2 * PICKET_AGENT_CHAIN_MAX);
        harness_check_tables(&harness);
        picket_agent_poll(&harness.agent);
        struct harness_totals totals = harness_totals(&harness);
        assert_int_equal(totals.flows, 2 * PICKET_AGENT_CHAIN_MAX);
        assert_int_equal(totals.lost_bytes_out, lost * 100);
        harness_forget_messages(&harness);
    }
}

/* By the seed of the running agent. */
static uint32_t hash_of(const struct packet_spec *spec)
{
    return hash_by(&harness.agent.hash_keys, spec);
}

static void flows_that_only_a_full_comparison_tells_apart_are_told_apart(void **state)
{
    (void)state;
    enum { ALIKE = 4 };
    for (uint8_t version = 4; version <= 6; version += 2) {
        harness_setup(&harness);
        harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
        harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
        harness_start(&harness);
        struct packet_spec spec = {.version = version,
                                   .protocol = PICKET_WIRE_UDP,
                                   .payload_bytes = 92,
                                   .direction = PICKET_OUT};
        picket_flow_index first = hash_of(&spec);
        struct packet_spec alike[ALIKE];
        for (unsigned found = 0; found < ALIKE; spec.remote++)
            if (hash_of(&spec) == first)
                alike[found++] = spec;
        for (unsigned round = 0; round < 2; round++)
            for (unsigned i = 0; i < ALIKE; i++)
                assert_int_equal(harness_count(&harness, &alike[i]), PICKET_PACKET_COUNTED);
        harness_check_tables(&harness);
        picket_agent_poll(&harness.agent);
        struct harness_totals totals = harness_totals(&harness);
        assert_int_equal(totals.flows, ALIKE);
        assert_int_equal(totals.bytes_out, 2 * ALIKE * 100);
        assert_int_equal(totals.lost_flows, 0);
        harness_forget_messages(&harness);
    }
}

/* The next flow with the hash of the first, that differs in one of its parts. */
static struct packet_spec alike_but_for(unsigned part, const struct packet_spec *first)
{
    const uint32_t hash = hash_of(first);
    for (uint32_t i = 1;; i++) {
        struct packet_spec other = *first;
        if (part == 0)
            other.remote += i;
        else if (part == 1)
            other.local += i;
        else {
            other.local_port = (uint16_t)(first->local_port + (i >> 16));
            other.remote_port = (uint16_t)(first->remote_port + i);
        }
        if (hash_of(&other) == hash)
            return other;
    }
}

static void flows_of_one_hash_are_told_apart_by_each_of_their_parts(void **state)
{
    (void)state;
    for (unsigned variant = 0; variant < 12; variant++) {
        harness_setup(&harness);
        harness.config.ipv4.bucket_count = harness.config.ipv6.bucket_count = 2;
        harness_start(&harness);
        struct packet_spec first = {.version = variant % 2 == 0 ? 4 : 6,
                                    .protocol = PICKET_WIRE_UDP,
                                    .local = 0x0A000001,
                                    .remote = 0xC0000201,
                                    .payload_bytes = 92,
                                    .direction = PICKET_OUT};
        struct packet_spec second = alike_but_for(variant / 4, &first);
        first.direction = second.direction = variant / 2 % 2 == 0 ? PICKET_IN : PICKET_OUT;
        for (unsigned round = 0; round < 2; round++) {
            assert_int_equal(harness_count(&harness, &first), PICKET_PACKET_COUNTED);
            assert_int_equal(harness_count(&harness, &second), PICKET_PACKET_COUNTED);
        }
        harness_check_tables(&harness);
        picket_agent_poll(&harness.agent);
        struct harness_totals totals = harness_totals(&harness);
        assert_int_equal(totals.flows, 2);
        assert_int_equal(totals.bytes_in + totals.bytes_out, 4 * 100);
        harness_forget_messages(&harness);
    }
}

static void a_full_chain_loses_nothing_while_network_activity_is_disabled(void **state)
{
    (void)state;
    harness_setup(&harness);
    harness.config.ipv4.bucket_count = 2;
    harness_start(&harness);
    for (uint16_t remote = 0; remote < 64; remote++)
        harness_count_udp(&harness, remote, 92);
    const struct picket_collector_config disabled = {.enabled = false};
    picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &disabled);
    for (uint16_t remote = 100; remote < 200; remote++)
        assert_int_equal(harness_count_udp(&harness, remote, 92), PICKET_PACKET_OTHER_PROTOCOL);
}

static void fill_again(struct harness *port, void *context)
{
    (void)context;
    for (uint16_t remote = 100; remote < 140; remote++)
        harness_count_udp(port, remote, 92);
}

static void a_refused_flow_that_meets_a_full_chain_is_counted_as_lost(void **state)
{
    (void)state;
    enum { FULL = 2 * PICKET_AGENT_CHAIN_MAX };
    harness_setup(&harness);
    harness.config.ipv4.bucket_count = 2;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    harness_start(&harness);
    for (uint16_t remote = 0; remote < 40; remote++)
        harness_count_udp(&harness, remote, 92);
    harness.accepts = false;
    harness.during_send = fill_again;
    picket_agent_poll(&harness.agent);
    harness.during_send = NULL;
    harness.accepts = true;
    harness_check_tables(&harness);
    picket_agent_flush(&harness.agent);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, FULL);
    assert_int_equal(totals.bytes_out, FULL * 100);
    assert_int_equal(totals.lost_bytes_out, (80 - FULL) * 100);
    /* Those of the first window, or those since, some of which may be the same. */
    assert_in_range(totals.lost_flows, 20, 80 - FULL);
    harness_forget_messages(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_does_not_know_the_seed_cannot_choose_collisions),
        cmocka_unit_test(pairs_of_flows_meet_in_a_bucket_as_often_as_chance_has_it),
        cmocka_unit_test(no_chain_exceeds_its_bound_even_if_the_seed_is_known),
        cmocka_unit_test(flows_that_only_a_full_comparison_tells_apart_are_told_apart),
        cmocka_unit_test(flows_of_one_hash_are_told_apart_by_each_of_their_parts),
        cmocka_unit_test(a_full_chain_loses_nothing_while_network_activity_is_disabled),
        cmocka_unit_test(a_refused_flow_that_meets_a_full_chain_is_counted_as_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

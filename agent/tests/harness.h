/* A port for tests: a clock, a wall clock, a connection and a transport that the test turns, and
 * the messages sent as the decoder reads them. */
#ifndef PICKET_AGENT_TESTS_HARNESS_H
#define PICKET_AGENT_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packets.h"
#include "picket/agent/agent.h"
#include "picket/wire/decoder.h"

enum { HARNESS_MESSAGES_MAX = 64, HARNESS_ENTRIES_MAX = 512, HARNESS_BUCKETS_MAX = 512 };

struct sent_message {
    uint8_t *bytes;
    size_t size_bytes;
    struct picket_wire_message_view view;
};

struct harness {
    uint32_t uptime_s;
    uint32_t unix_s;
    bool unix_known;
    bool connected;
    bool accepts;
    bool later;                      /* send() returns PENDING, delivered() the outcome */
    enum picket_send_result outcome; /* of the message on its way */
    bool has_on_way;
    uint64_t random_state;
    bool locked;
    unsigned wakes;
    unsigned attempts; /* calls of send() */

    /* Runs within send(), after encoding; NULL: nothing. */
    void (*during_send)(struct harness *harness, void *context);
    void *during_send_context;

    struct sent_message messages[HARNESS_MESSAGES_MAX]; /* accepted ones */
    size_t message_count;
    struct sent_message on_way;

    struct picket_agent agent;
    struct picket_agent_config config;
    struct picket_wire_system_information system_information;
    struct picket_ipv4_flow ipv4_flows[HARNESS_ENTRIES_MAX];
    struct picket_ipv6_flow ipv6_flows[HARNESS_ENTRIES_MAX];
    picket_flow_index ipv4_buckets[HARNESS_BUCKETS_MAX];
    picket_flow_index ipv6_buckets[HARNESS_BUCKETS_MAX];
};

/* Connected, accepting at once, clock at 1,000 s; 64 + 4 flows of each family; first collection at
 * once. The test may change harness->config before harness_start(). */
void harness_setup(struct harness *harness);
void harness_start(struct harness *harness); /* init, asserted */
void harness_forget_messages(struct harness *harness);

/* Goes on by seconds, polling each second. */
void harness_run(struct harness *harness, uint32_t seconds);

/* What of the flow, or of all flows, was reported in messages accepted so far. */
struct harness_totals {
    uint64_t flows; /* flow records */
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t lost_flows;
    uint64_t lost_bytes_in;
    uint64_t lost_bytes_out;
    uint64_t network_events;
    uint64_t system_information_events;
    uint64_t heartbeat_events;
};
struct harness_totals harness_totals(const struct harness *harness);

/* Builds and counts it. */
enum picket_packet_verdict harness_count(struct harness *harness, const struct packet_spec *spec);

/* An outbound UDP packet over IPv4 of 8 + payload_bytes bytes, told apart by the remote port. */
enum picket_packet_verdict harness_count_udp(struct harness *harness, uint16_t remote_port,
                                             uint32_t payload_bytes);

/* Each entry of both tables is in one place: in a chain of bounded length, on its way out, in the
 * free list, or never used. Not during a send. */
void harness_check_tables(const struct harness *harness);

uint32_t harness_random(struct harness *harness);

#endif

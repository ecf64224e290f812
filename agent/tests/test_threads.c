/* Packet hooks on several threads beside the polling one: every byte is reported once, or lost and
 * reported as that. agent_races is the same, built with -fsanitize=thread: it finds data races,
 * too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "harness.h"

enum { HOOKS = 3, PACKETS = 60000, FLOWS = 90 };

/* Its own port: the harness is for one thread. */
struct port {
    pthread_mutex_t lock;
    uint32_t uptime_s;
    uint64_t random_state;
    uint64_t told[4]; /* by the last message: bytes in and out, lost in and out */
    uint64_t reported[2];
    uint64_t reported_lost[2];
    struct picket_agent agent;
    struct picket_agent_config config;
    struct picket_ipv4_flow ipv4_flows[68];
    struct picket_ipv6_flow ipv6_flows[68];
    picket_flow_index ipv4_buckets[64];
    picket_flow_index ipv6_buckets[64];
};

struct hook {
    pthread_t thread;
    struct port *port;
    uint64_t random_state;
    uint64_t counted[2]; /* by enum picket_direction */
    uint64_t lost[2];
};

static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static uint32_t lock(void *context)
{
    pthread_mutex_lock(&((struct port *)context)->lock);
    return 0;
}

static void unlock(void *context, uint32_t posture)
{
    (void)posture;
    pthread_mutex_unlock(&((struct port *)context)->lock);
}

static uint32_t uptime_s(void *context)
{
    return ((struct port *)context)->uptime_s;
}

static void random_bytes(void *context, void *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)draw(&((struct port *)context)->random_state);
}

static bool connected(void *context)
{
    (void)context;
    return true;
}

static void sum(struct port *port, const struct picket_wire_flows *flows)
{
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < flows->count; i++) {
        struct picket_wire_flow flow;
        cursor = flows->next(flows->table, cursor, &flow);
        port->told[0] += flow.bytes_in;
        port->told[1] += flow.bytes_out;
    }
}

/* Any of the three, drawn at random. */
static enum picket_send_result delivered(void *context)
{
    struct port *port = context;
    enum picket_send_result result = (enum picket_send_result)(draw(&port->random_state) % 3);
    for (unsigned i = 0; i < 2 && result == PICKET_SEND_ACCEPTED; i++) {
        port->reported[i] += port->told[i];
        port->reported_lost[i] += port->told[2 + i];
    }
    return result;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    struct port *port = context;
    memset(port->told, 0, sizeof port->told);
    for (uint32_t i = 0; i < message->event_count; i++) {
        if (message->events[i].payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
            continue;
        const struct picket_wire_network_activity *activity =
            &message->events[i].payload.network_activity;
        sum(port, &activity->ipv4);
        sum(port, &activity->ipv6);
        port->told[2] += activity->lost_bytes_in;
        port->told[3] += activity->lost_bytes_out;
    }
    return delivered(context);
}

static void *run_hook(void *context)
{
    struct hook *hook = context;
    for (unsigned i = 0; i < PACKETS; i++) {
        struct packet_spec spec = {.version = draw(&hook->random_state) % 2 ? 4 : 6,
                                   .protocol = PICKET_WIRE_UDP,
                                   .remote_port = (uint16_t)(draw(&hook->random_state) % FLOWS),
                                   .payload_bytes = draw(&hook->random_state) % 1000,
                                   .direction =
                                       draw(&hook->random_state) % 2 ? PICKET_IN : PICKET_OUT};
        uint8_t packet[PACKET_BYTES_MAX];
        size_t size_bytes = packet_build(packet, &spec);
        enum picket_packet_verdict verdict = picket_agent_count_packet(
            &hook->port->agent, packet, size_bytes, PICKET_WIRE_BYTES_UNKNOWN, spec.direction);
        uint64_t *account = verdict == PICKET_PACKET_COUNTED ? hook->counted : hook->lost;
        account[spec.direction] += 8 + spec.payload_bytes;
    }
    return NULL;
}

static void start_port(struct port *port)
{
    memset(port, 0, sizeof *port);
    pthread_mutex_init(&port->lock, NULL);
    port->config =
        (struct picket_agent_config){PICKET_AGENT_CONFIG_DEFAULTS,
                                     .callbacks = {.context = port,
                                                   .lock = lock,
                                                   .unlock = unlock,
                                                   .uptime_s = uptime_s,
                                                   .unix_time_s = picket_agent_no_clock,
                                                   .random = random_bytes,
                                                   .connected = connected,
                                                   .send = send,
                                                   .delivered = delivered},
                                     .ipv4 = {port->ipv4_flows, port->ipv4_buckets, 64, 4, 64},
                                     .ipv6 = {port->ipv6_flows, port->ipv6_buckets, 64, 4, 64}};
    port->config.send_retry_s = 1;
    assert_true(picket_agent_config_valid(&port->config));
    picket_agent_init(&port->agent, &port->config);
}

static bool all_counted(struct port *port)
{
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&port->agent, &statistics);
    return statistics.packets_counted + statistics.packets_lost == HOOKS * PACKETS;
}

static void hooks_and_polling_lose_nothing_between_them(void **state)
{
    (void)state;
    static struct port port;
    start_port(&port);
    struct hook hooks[HOOKS] = {0};
    for (unsigned i = 0; i < HOOKS; i++) {
        hooks[i].port = &port;
        hooks[i].random_state = i;
        assert_int_equal(pthread_create(&hooks[i].thread, NULL, run_hook, &hooks[i]), 0);
    }
    while (!all_counted(&port)) {
        port.uptime_s++;
        picket_agent_poll(&port.agent);
    }
    uint64_t counted[2] = {0, 0}, lost[2] = {0, 0};
    for (unsigned i = 0; i < HOOKS; i++) {
        pthread_join(hooks[i].thread, NULL);
        for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++) {
            counted[direction] += hooks[i].counted[direction];
            lost[direction] += hooks[i].lost[direction];
        }
    }
    while (picket_agent_flush(&port.agent) != PICKET_SEND_ACCEPTED)
        ;
    for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++) {
        assert_int_equal(port.reported[direction] + port.reported_lost[direction],
                         counted[direction] + lost[direction]);
        assert_true(port.reported[direction] > 0);
        assert_true(port.reported_lost[direction] >= lost[direction]);
    }
    pthread_mutex_destroy(&port.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_and_polling_lose_nothing_between_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

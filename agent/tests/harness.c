#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t next_random(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t harness_random(struct harness *harness)
{
    return (uint32_t)(next_random(&harness->random_state) >> 32);
}

static uint32_t lock(void *context)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    harness->locked = true;
    return 0x600D;
}

static void unlock(void *context, uint32_t posture)
{
    struct harness *harness = context;
    assert_true(harness->locked);
    assert_int_equal(posture, 0x600D);
    harness->locked = false;
}

static uint32_t uptime_s(void *context)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    return harness->uptime_s;
}

static uint32_t unix_time_s(void *context)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    return harness->unix_known ? harness->unix_s : UINT32_MAX;
}

static void random_bytes(void *context, void *bytes, size_t size_bytes)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    for (size_t i = 0; i < size_bytes; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)next_random(&harness->random_state);
}

static bool connected(void *context)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    return harness->connected;
}

static void wake(void *context)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    harness->wakes++;
}

struct buffer {
    uint8_t *bytes;
    size_t size_bytes;
    size_t filled;
};

static bool append(void *context, const void *piece, size_t size_bytes)
{
    struct buffer *buffer = context;
    assert_true(size_bytes <= buffer->size_bytes - buffer->filled);
    memcpy(buffer->bytes + buffer->filled, piece, size_bytes);
    buffer->filled += size_bytes;
    return true;
}

static struct sent_message encode(const struct picket_wire_message *message)
{
    struct buffer buffer = {.size_bytes = picket_wire_message_size(message)};
    assert_true(buffer.size_bytes > 0);
    buffer.bytes = malloc(buffer.size_bytes);
    assert_non_null(buffer.bytes);
    assert_true(picket_wire_encode(message, append, &buffer));
    assert_int_equal(buffer.filled, buffer.size_bytes);
    struct sent_message sent = {.bytes = buffer.bytes, .size_bytes = buffer.size_bytes};
    struct picket_wire_error error;
    assert_true(picket_wire_open(&sent.view, sent.bytes, sent.size_bytes, &error));
    return sent;
}

static void forget_on_way(struct harness *harness)
{
    if (harness->has_on_way)
        free(harness->on_way.bytes);
    harness->has_on_way = false;
}

static enum picket_send_result settle(struct harness *harness, enum picket_send_result result)
{
    if (result == PICKET_SEND_ACCEPTED) {
        assert_true(harness->message_count < HARNESS_MESSAGES_MAX);
        harness->messages[harness->message_count++] = harness->on_way;
        harness->has_on_way = false;
    } else if (result == PICKET_SEND_REFUSED) {
        forget_on_way(harness);
    }
    return result;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    harness->attempts++;
    struct sent_message sent = encode(message);
    if (harness->during_send != NULL)
        harness->during_send(harness, harness->during_send_context);
    /* What is on its way does not change, whatever comes in. */
    struct sent_message again = encode(message);
    assert_int_equal(again.size_bytes, sent.size_bytes);
    assert_memory_equal(again.bytes, sent.bytes, sent.size_bytes);
    free(again.bytes);
    forget_on_way(harness);
    harness->on_way = sent;
    harness->has_on_way = true;
    if (harness->later)
        return harness->outcome = PICKET_SEND_PENDING;
    return settle(harness, harness->accepts ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED);
}

/* Not asked unless there is a message on its way. */
static enum picket_send_result delivered(void *context)
{
    struct harness *harness = context;
    assert_false(harness->locked);
    assert_true(harness->has_on_way);
    return settle(harness, harness->outcome);
}

void harness_setup(struct harness *harness)
{
    memset(harness, 0, sizeof *harness);
    harness->uptime_s = 1000;
    harness->unix_s = 1700000000;
    harness->unix_known = true;
    harness->connected = true;
    harness->accepts = true;
    harness->random_state = 42;
    struct picket_agent_config *config = &harness->config;
    *config = (struct picket_agent_config){PICKET_AGENT_CONFIG_DEFAULTS};
    config->callbacks = (struct picket_agent_callbacks){
        .context = harness,
        .lock = lock,
        .unlock = unlock,
        .uptime_s = uptime_s,
        .unix_time_s = unix_time_s,
        .random = random_bytes,
        .connected = connected,
        .send = send,
        .delivered = delivered,
        .wake = wake,
    };
    config->first_delay_min_s = config->first_delay_max_s = 0;
    harness->system_information.os_info = "test";
    config->system_information = &harness->system_information;
    config->ipv4 =
        (struct picket_flow_storage){harness->ipv4_flows, harness->ipv4_buckets, 64, 4, 64};
    config->ipv6 =
        (struct picket_flow_storage){harness->ipv6_flows, harness->ipv6_buckets, 64, 4, 64};
}

void harness_start(struct harness *harness)
{
    forget_on_way(harness);
    assert_true(picket_agent_config_valid(&harness->config));
    picket_agent_init(&harness->agent, &harness->config);
}

void harness_forget_messages(struct harness *harness)
{
    for (size_t i = 0; i < harness->message_count; i++)
        free(harness->messages[i].bytes);
    harness->message_count = 0;
}

void harness_run(struct harness *harness, uint32_t seconds)
{
    for (uint32_t i = 0; i < seconds; i++) {
        harness->uptime_s++;
        harness->unix_s++;
        assert_true(picket_agent_poll(&harness->agent) >= 1);
    }
}

static void add_network(struct harness_totals *totals, const struct picket_wire_event_view *event)
{
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(event);
    totals->network_events++;
    totals->lost_flows += activity.lost_flows;
    totals->lost_bytes_in += activity.lost_bytes_in;
    totals->lost_bytes_out += activity.lost_bytes_out;
    for (uint32_t i = 0; i < activity.ipv4_count + activity.ipv6_count; i++) {
        struct picket_wire_flow flow =
            i < activity.ipv4_count
                ? picket_wire_ipv4_flow_at(&activity, i).flow
                : picket_wire_ipv6_flow_at(&activity, i - activity.ipv4_count).flow;
        totals->flows++;
        totals->bytes_in += flow.bytes_in;
        totals->bytes_out += flow.bytes_out;
    }
}

struct harness_totals harness_totals(const struct harness *harness)
{
    struct harness_totals totals = {0};
    for (size_t i = 0; i < harness->message_count; i++) {
        const struct picket_wire_message_view *view = &harness->messages[i].view;
        for (uint32_t j = 0; j < view->event_count; j++) {
            struct picket_wire_event_view event = picket_wire_event_at(view, j);
            if (event.payload_type == PICKET_WIRE_NETWORK_ACTIVITY)
                add_network(&totals, &event);
            else if (event.payload_type == PICKET_WIRE_SYSTEM_INFORMATION)
                totals.system_information_events++;
            else if (event.payload_type == PICKET_WIRE_HEARTBEAT)
                totals.heartbeat_events++;
        }
    }
    return totals;
}

enum picket_packet_verdict harness_count(struct harness *harness, const struct packet_spec *spec)
{
    uint8_t packet[PACKET_BYTES_MAX];
    size_t size_bytes = packet_build(packet, spec);
    return picket_agent_count_packet(&harness->agent, packet, size_bytes, PICKET_WIRE_BYTES_UNKNOWN,
                                     spec->direction);
}

enum picket_packet_verdict harness_count_udp(struct harness *harness, uint16_t remote_port,
                                             uint32_t payload_bytes)
{
    struct packet_spec spec = {.version = 4,
                               .protocol = PICKET_WIRE_UDP,
                               .local = 0x0A000001,
                               .remote = 0x0A000002,
                               .local_port = 40000,
                               .remote_port = remote_port,
                               .payload_bytes = payload_bytes,
                               .direction = PICKET_OUT};
    return harness_count(harness, &spec);
}

static const struct picket_flow_head *entry(const struct picket_flow_table *table,
                                            picket_flow_index index)
{
    return (const struct picket_flow_head *)(const void *)(table->entries + index);
}

static void check_table(const struct picket_flow_table *table)
{
    uint32_t words = sizeof(struct picket_flow_head) / 4 + 2u * table->address_words;
    bool *seen = calloc(table->end + 1u, sizeof *seen);
    assert_non_null(seen);
    uint32_t live = 0, free_entries = 0;
    uint32_t buckets = UINT32_C(1) << (PICKET_AGENT_INDEX_BITS - table->bucket_shift);
    for (uint32_t bucket = 0; bucket < buckets; bucket++) {
        uint32_t depth = 0;
        for (picket_flow_index i = table->buckets[bucket]; i != PICKET_FLOW_NONE;
             i = entry(table, i)->next) {
            assert_true(i < table->fresh && i % words == 0 && !seen[i]);
            seen[i] = true;
            live++;
            assert_true(++depth <= PICKET_AGENT_CHAIN_MAX);
        }
    }
    uint32_t frozen = 0;
    for (picket_flow_index i = table->frozen; i != PICKET_FLOW_NONE; i = entry(table, i)->next) {
        assert_true(i < table->fresh && i % words == 0 && !seen[i]);
        seen[i] = true;
        frozen++;
    }
    for (picket_flow_index i = table->free; i != PICKET_FLOW_NONE; i = entry(table, i)->next) {
        assert_true(i < table->fresh && i % words == 0 && !seen[i]);
        seen[i] = true;
        free_entries++;
    }
    free(seen);
    assert_int_equal(live, table->live);
    assert_int_equal(frozen, table->frozen_count);
    assert_int_equal((live + frozen + free_entries) * words, table->fresh);
    assert_true(table->fresh <= table->end);
}

void harness_check_tables(const struct harness *harness)
{
    check_table(&harness->agent.tables[PICKET_IPV4]);
    check_table(&harness->agent.tables[PICKET_IPV6]);
}

/* An event's key, which is in stores for as long as they are: it must never come out otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "decode.h"
#include "picket/base/error.h"
#include "picket/wire/encoder.h"

enum { TIME_S = 1700000000, LARGEST = 300 };

struct bytes {
    uint8_t bytes[PICKET_WIRE_MESSAGE_BYTES_MAX];
    size_t size;
};

static bool append(void *context, const void *piece, size_t size)
{
    struct bytes *to = context;
    memcpy(to->bytes + to->size, piece, size);
    to->size += size;
    return true;
}

static uint32_t next_flow(const void *context, uint32_t cursor, struct picket_wire_flow *flow)
{
    static const uint8_t local[4] = {192, 168, 1, 2};
    static uint8_t remote[4];
    (void)context;
    memcpy(remote, &cursor, 4);
    *flow = (struct picket_wire_flow){.local_address = local,
                                      .remote_address = remote,
                                      .bytes_in = 1000 + cursor,
                                      .bytes_out = 0x01020304,
                                      .local_port = 0xabcd,
                                      .remote_port = 443,
                                      .protocol = 1};
    return cursor + 1;
}

static struct bytes message_of(uint32_t flows)
{
    struct bytes message = {.size = 0};
    struct picket_wire_event event = {.id = {7, 8, 9},
                                      .time_s = TIME_S,
                                      .collection_interval_s = 60,
                                      .duration_s = 61,
                                      .payload_type = PICKET_WIRE_NETWORK_ACTIVITY};
    event.payload.network_activity.ipv4 = (struct picket_wire_flows){flows, next_flow, NULL};
    event.payload.network_activity.lost_flows = 3;
    event.payload.network_activity.lost_bytes_in = 4;
    event.payload.network_activity.lost_bytes_out = 5;
    struct picket_wire_message wire = {"urn:test", 1, &event, 1};
    assert_true(picket_wire_encode(&wire, append, &message));
    return message;
}

static void put(struct bytes *out, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out->bytes[out->size++] = (uint8_t)(number >> 8 * i);
}

static void put_address(struct bytes *out, const uint8_t *ipv4)
{
    memcpy(out->bytes + out->size, ipv4, 4);
    memset(out->bytes + out->size + 4, 0, 12);
    out->size += 16;
}

/* All that the event says, in the key's own layout. */
static struct bytes said(uint32_t flows)
{
    struct bytes out = {.bytes = {7, 8, 9}, .size = 16};
    put(&out, TIME_S, 8);
    put(&out, UINT64_C(60) << 32 | 61, 8);
    put(&out, PICKET_WIRE_NETWORK_ACTIVITY, 8);
    for (uint32_t i = 0; i < flows; i++) {
        struct picket_wire_flow flow;
        next_flow(NULL, i, &flow);
        put(&out, 4, 1);
        put(&out, flow.protocol, 1);
        put_address(&out, flow.local_address);
        put_address(&out, flow.remote_address);
        put(&out, flow.local_port, 2);
        put(&out, flow.remote_port, 2);
        put(&out, 0, 4); /* process, user */
        put(&out, flow.bytes_in, 4);
        put(&out, flow.bytes_out, 4);
    }
    put(&out, 3, 8);
    put(&out, UINT64_C(4) << 32 | 5, 8);
    return out;
}

static void the_key_is_the_hash_of_all_that_the_event_says_whatever_its_size(void **state)
{
    struct arena arena = {.bytes = NULL};
    (void)state;
    assert_true(arena_resize(&arena, 1 << 20));
    for (uint32_t flows = 0; flows <= LARGEST; flows++) {
        static struct bytes message, expected;
        struct picket_wire_message_view view;
        struct picket_wire_error problem;
        struct decoded_event event;
        XXH128_canonical_t key;
        message = message_of(flows);
        expected = said(flows);
        arena.used = 0;
        assert_true(picket_wire_open(&view, message.bytes, message.size, &problem));
        assert_int_equal(decode_event(&arena, &view, 0, 1700000001000, &event), PICKET_OK);
        assert_int_equal(event.flow_count, flows);
        XXH128_canonicalFromHash(&key, XXH3_128bits(expected.bytes, expected.size));
        assert_memory_equal(event.key, key.digest, 16);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_the_hash_of_all_that_the_event_says_whatever_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

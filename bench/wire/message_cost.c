/* What a message costs: the functions below are counted by callgrind (bench/wire/run).
 *
 *   message_cost FAMILY FLOWS REPEAT
 *
 * The table and its cursor are those of a device: an array of entries. The sink copies, as one does
 * that fills the network stack's packets. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "picket/wire/decoder.h"
#include "picket/wire/encoder.h"

enum { FLOWS_MAX = 4000 };

struct entry {
    uint8_t local_address[16];
    uint8_t remote_address[16];
    uint32_t bytes_in;
    uint32_t bytes_out;
    uint16_t local_port;
    uint16_t remote_port;
    uint8_t protocol;
};

struct copy {
    uint8_t bytes[PICKET_WIRE_MESSAGE_BYTES_MAX];
    size_t size_bytes;
};

static struct entry table[FLOWS_MAX];
static struct copy copy;

static uint32_t next_flow(const void *entries, uint32_t cursor, struct picket_wire_flow *flow)
{
    const struct entry *entry = (const struct entry *)entries + cursor;
    flow->local_address = entry->local_address;
    flow->remote_address = entry->remote_address;
    flow->bytes_in = entry->bytes_in;
    flow->bytes_out = entry->bytes_out;
    flow->local_port = entry->local_port;
    flow->remote_port = entry->remote_port;
    flow->protocol = entry->protocol;
    return cursor + 1;
}

static bool take_piece(void *context, const void *piece, size_t size_bytes)
{
    struct copy *to = context;
    memcpy(to->bytes + to->size_bytes, piece, size_bytes);
    to->size_bytes += size_bytes;
    return true;
}

/* Not inlined, so that callgrind has them by name. */
__attribute__((noinline)) uint32_t cost_of_size(const struct picket_wire_message *message);
__attribute__((noinline)) bool cost_of_encode(const struct picket_wire_message *message);
__attribute__((noinline)) bool cost_of_open(struct picket_wire_message_view *view);
__attribute__((noinline)) uint64_t cost_of_read(const struct picket_wire_message_view *view);

uint32_t cost_of_size(const struct picket_wire_message *message)
{
    return picket_wire_message_size(message);
}

bool cost_of_encode(const struct picket_wire_message *message)
{
    copy.size_bytes = 0;
    return picket_wire_encode(message, take_piece, &copy);
}

bool cost_of_open(struct picket_wire_message_view *view)
{
    struct picket_wire_error error;
    return picket_wire_open(view, copy.bytes, copy.size_bytes, &error);
}

uint64_t cost_of_read(const struct picket_wire_message_view *view)
{
    struct picket_wire_event_view event = picket_wire_event_at(view, 0);
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(&event);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < activity.ipv4_count; i++)
        bytes += picket_wire_ipv4_flow_at(&activity, i).flow.bytes_in;
    for (uint32_t i = 0; i < activity.ipv6_count; i++)
        bytes += picket_wire_ipv6_flow_at(&activity, i).flow.bytes_in;
    return bytes;
}

static void fill_table(uint32_t flows)
{
    for (uint32_t i = 0; i < flows; i++) {
        struct entry *entry = &table[i];
        memset(entry->local_address, 10, sizeof entry->local_address);
        memset(entry->remote_address, (int)(i & 0xFF), sizeof entry->remote_address);
        entry->bytes_in = 1000 + i;
        entry->bytes_out = 2000 + i;
        entry->local_port = (uint16_t)(49152 + i);
        entry->remote_port = 443;
    }
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
    uint32_t flows = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 64;
    uint32_t repeat = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1;
    bool ipv6 = argc > 1 && strcmp(argv[1], "ipv6") == 0;
    if (flows > FLOWS_MAX) {
        fprintf(stderr, "at most %d flows\n", FLOWS_MAX);
        return 2;
    }
    fill_table(flows);
    struct picket_wire_flows list = {flows, next_flow, table}, none = {0, NULL, NULL};
    struct picket_wire_event event = {
        .time_s = 1700000000,
        .collection_interval_s = 60,
        .payload_type = PICKET_WIRE_NETWORK_ACTIVITY,
        .payload.network_activity = {.ipv4 = ipv6 ? none : list, .ipv6 = ipv6 ? list : none}};
    struct picket_wire_message message = {"defender-iot-micro-agent", PICKET_WIRE_VERSION(3, 5, 4),
                                          &event, 1};
    struct picket_wire_message_view view;
    struct timespec start;
    uint64_t bytes = 0;
    uint32_t size_bytes = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (uint32_t i = 0; i < repeat; i++) {
        size_bytes = cost_of_size(&message);
        if (!cost_of_encode(&message) || !cost_of_open(&view))
            return 1;
        bytes += cost_of_read(&view);
    }
    printf("%" PRIu32 " %s flows: %" PRIu32 " bytes, %.2f us to lay out, check and read (%" PRIu64
           ")\n",
           flows, ipv6 ? "IPv6" : "IPv4", size_bytes, 1e6 * seconds_since(&start) / repeat,
           bytes / repeat);
    return 0;
}

#include "rows.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "measure.h"

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static struct picket_flow random_flow(uint64_t *state)
{
    uint64_t addresses = next_random(state), ports = next_random(state);
    uint64_t bytes = next_random(state);
    uint8_t local[4] = {10, 0, (uint8_t)addresses, (uint8_t)(addresses >> 8)};
    uint8_t remote[4];
    memcpy(remote, (uint8_t *)&addresses + 4, 4);
    return (struct picket_flow){
        .local = picket_address_ipv4(local),
        .remote = picket_address_ipv4(remote),
        .local_port = (uint16_t)ports,
        .remote_port = 443,
        .protocol = (uint8_t)(ports >> 16 & 1),
        .bytes_in = (uint32_t)bytes & 0xfffff,
        .bytes_out = (uint32_t)(bytes >> 32) & 0xfffff,
    };
}

static size_t put_little_endian(uint8_t *out, uint32_t number, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        out[i] = (uint8_t)(number >> 8 * i);
    return size_bytes;
}

static size_t pack(const struct picket_flow *flow, uint8_t *out)
{
    size_t used = 0;
    out[used++] = flow->protocol;
    out[used++] = 0;
    memcpy(out + used, flow->local.bytes, 4);
    memcpy(out + used + 4, flow->remote.bytes, 4);
    used += 8;
    used += put_little_endian(out + used, flow->local_port, 2);
    used += put_little_endian(out + used, flow->remote_port, 2);
    used += put_little_endian(out + used, flow->bytes_in, 4);
    used += put_little_endian(out + used, flow->bytes_out, 4);
    return used;
}

/* Devices report once a minute, at times spread over it; a hundred messages arrive a millisecond.
 */
void next_message(struct generator *generator, const struct setting *setting,
                  struct message *message)
{
    uint64_t *state = &generator->state;
    memset(&message->event, 0, sizeof message->event);
    message->device = (int)(next_random(state) % (uint64_t)setting->devices);
    struct picket_event_row *event = &message->event;
    event->module = "";
    event->received_ms = 1790000000000 + generator->sent++ / 100;
    event->time_s = event->received_ms / 1000 - (int64_t)(next_random(state) % 60);
    uint64_t words[4] = {next_random(state), next_random(state), next_random(state),
                         next_random(state)};
    memcpy(event->id, words, 16);
    memcpy(event->key, words + 2, 16);
    event->collection_interval_s = 60;
    event->duration_s = 60;
    event->type = 1;
    message->block_bytes = 0;
    for (int i = 0; i < setting->flows; i++) {
        message->flows[i] = random_flow(state);
        message->block_bytes += pack(&message->flows[i], message->block + message->block_bytes);
    }
}

void device_name(int device, char out[20])
{
    snprintf(out, 20, "device-%08d", device);
}

void put_message(struct picket_store *store, const struct setting *setting, struct message *message)
{
    struct picket_error error;
    int64_t event;
    device_name(message->device, message->device_id);
    message->event.device = message->device_id;
    bench_must(picket_store_put_event(store, &message->event, &event, &error), &error);
    bench_must(picket_store_put_flows(store, event, message->flows, (size_t)setting->flows, &error),
               &error);
}

static double clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct stopwatch start_watch(void)
{
    return (struct stopwatch){clock_s(CLOCK_MONOTONIC), clock_s(CLOCK_PROCESS_CPUTIME_ID)};
}

struct speed speed_since(struct stopwatch start, int messages)
{
    struct stopwatch now = start_watch();
    return (struct speed){messages / (now.wall_s - start.wall_s),
                          messages / (now.cpu_s - start.cpu_s)};
}

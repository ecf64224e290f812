/* The hub's sessions over time: up to four connections of two devices and a module, the log, the
 * keeper, and what the owner does, in the order that the input says. A byte chooses what happens,
 * those after it how; see `acts`.
 *
 * Everything is the hub's own code but the socket's bytes, TLS and time, which are ours: so every
 * input is one run, always the same. After each, nothing may be left that anybody counts. What the
 * hub sends must be MQTT, and a PUBACK come only for what was sent, in its order, and is durable.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection/connection.h"
#include "exchange/device_bound.h"
#include "exchange/twins.h"
#include "session/devices.h"
#include "session_world.h"
#include "work.h"

enum { CALLS_MAX = 16, TURN_ANSWERS_MAX = 520 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the input ---- */

struct input {
    const uint8_t *data;
    size_t size;
};

static uint8_t next(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/* ---- what a peer does ---- */

static void give(struct peer *peer, const void *bytes, size_t size)
{
    if (peer->input_begin == peer->input_end)
        peer->input_begin = peer->input_end = 0;
    if (size > INPUT_MAX - peer->input_end)
        return; /* its socket is full */
    memcpy(peer->input + peer->input_end, bytes, size);
    peer->input_end += size;
}

static uint8_t packet[INPUT_MAX];
static size_t packet_size;

static void put(const void *bytes, size_t size)
{
    memcpy(packet + packet_size, bytes, size);
    packet_size += size;
}

static void put_text(const char *text)
{
    const uint8_t length[] = {(uint8_t)(strlen(text) >> 8), (uint8_t)strlen(text)};
    put(length, 2);
    put(text, strlen(text));
}

static void put_number(uint16_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
    put(bytes, 2);
}

static void give_packet(struct peer *peer, uint8_t first)
{
    uint8_t head[5] = {first};
    size_t size = 1, rest = packet_size;
    do {
        head[size++] = (uint8_t)((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
        rest >>= 7;
    } while (rest > 0);
    if (size + packet_size <= INPUT_MAX - peer->input_end) {
        give(peer, head, size);
        give(peer, packet, packet_size);
    }
    packet_size = 0;
}

static void leave(struct peer *peer)
{
    struct connection *connection = connection_of(peer);
    if (peer->ssl == NULL)
        return;
    if (connection != NULL)
        connection_end(connection, ENDING_LOST, "lost");
    close(peer->fd);
    peer->ssl = NULL;
}

static void arrive(struct peer *peer, uint8_t how)
{
    static const struct picket_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    int fds[2];
    leave(peer);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        abort();
    uint32_t slot = hub->free_slot != UINT32_MAX ? hub->free_slot : hub->slots_used;
    connection_open(hub, fds[0], &address, 5);
    struct connection *connection =
        slot < hub->config.connections_max ? hub->slots[slot].connection : NULL;
    if (connection == NULL) {
        close(fds[1]);
        return;
    }
    connection->state = CONNECTION_ANONYMOUS;
    peer->ssl = connection->ssl;
    peer->slot = slot;
    peer->generation = hub->slots[slot].generation;
    peer->fd = fds[1];
    peer->input_begin = peer->input_end = peer->output_size = 0;
    peer->ids_begin = peer->ids_end = 0;
    peer->closed = false;
    peer->reads = peer->is_tracked = true;
    peer->record = how & 0x80 ? 1 + (how & 0x7F) : 16384;
    peer->rid[0] = '\0';
    peer->device_bound_id = 0;
}

static const char *events_topic(const struct peer *peer, bool foreign)
{
    const char *name = name_of(peer);
    if (foreign)
        return "devices/x/messages/events/";
    return name == names[0]   ? "devices/d/messages/events/a=b"
           : name == names[1] ? "devices/d/modules/m/messages/events/"
                              : "devices/e/messages/events/";
}

static void act_connect(struct peer *peer, struct input *input)
{
    uint8_t how = next(input);
    int who = how % 3;
    char user_name[60];
    uint8_t flags = 0xC0 | (how & 8 ? 2 : 0) | (how & 16 ? 0x0C : 0);
    arrive(peer, next(input));
    snprintf(user_name, sizeof user_name, "h/%s/?api-version=1", names[who]);
    put_text("MQTT");
    put("\4", 1);
    put(&flags, 1);
    put_number(how & 32 ? 2 : 0);
    put_text(names[who]);
    if (how & 16) {
        put_text(who == 0   ? "devices/d/messages/events/"
                 : who == 1 ? "devices/d/modules/m/messages/events/"
                            : "devices/e/messages/events/");
        put_text("my last will");
    }
    put_text(user_name);
    put_text(how & 64 ? tokens[(who + 1) % 3] : tokens[who]);
    give_packet(peer, 0x10);
}

static void act_arrive(struct peer *peer, struct input *input)
{
    arrive(peer, next(input));
}

static void act_raw(struct peer *peer, struct input *input)
{
    size_t size = next(input);
    if (size > input->size)
        size = input->size;
    give(peer, input->data, size);
    input->data += size;
    input->size -= size;
    /* What it holds is not looked at: any of it may be messages. */
    peer->is_tracked = false;
    messages_sent_with_id += size;
    requests_sent_with_id += size;
}

static void act_publish(struct peer *peer, struct input *input)
{
    static const uint8_t zeros[131073];
    uint8_t how = next(input), id = next(input), size = next(input);
    put_text(events_topic(peer, how == 0xFF));
    if (how & 2) {
        put_number(id);
        messages_sent_with_id++;
        if (peer->ids_end < IDS_MAX)
            peer->ids[peer->ids_end++] = id;
        else
            peer->is_tracked = false;
    }
    put(zeros, how & 64 ? (size_t)size * 514 : size);
    give_packet(peer, 0x30 | (how & 0x0B));
}

static void act_twin(struct peer *peer, struct input *input)
{
    uint8_t how = next(input);
    put_text(how & 1   ? "$iothub/twin/GET/?$rid=7"
             : how & 4 ? "$iothub/twin/GET/"
                       : "$iothub/twin/PATCH/properties/reported/?$rid=abc");
    if (how & 2) {
        put_number(9);
        messages_sent_with_id++;
        requests_sent_with_id++;
        if (peer->ids_end < IDS_MAX)
            peer->ids[peer->ids_end++] = 9;
        else
            peer->is_tracked = false;
    }
    put("{\"n\":1}", how & 1 ? 0 : 7);
    give_packet(peer, 0x30 | (how & 2));
}

static const char *const filters[] = {"$iothub/twin/res/#",
                                      "$iothub/twin/PATCH/properties/desired/#",
                                      "$iothub/methods/POST/#",
                                      "devices/d/messages/devicebound/#",
                                      "devices/+/messages/devicebound/#",
                                      "devices/d/modules/m/#",
                                      "devices/e/messages/devicebound/#",
                                      "#"};

static void act_subscribe(struct peer *peer, struct input *input)
{
    uint8_t how = next(input), qos = how >> 6 & 1;
    put_number(11);
    for (int i = 0; i < 1 + (how >> 5 & 1) * 2; i++) {
        put_text(filters[(how + i) % 8]);
        put(&qos, 1);
    }
    give_packet(peer, 0x82);
}

static void act_unsubscribe(struct peer *peer, struct input *input)
{
    put_number(12);
    put_text(filters[next(input) % 8]);
    give_packet(peer, 0xA2);
}

static void act_puback(struct peer *peer, struct input *input)
{
    uint8_t how = next(input);
    put_number(how == 0 ? peer->device_bound_id : how);
    give_packet(peer, 0x40);
}

static void act_result(struct peer *peer, struct input *input)
{
    char topic[80];
    snprintf(topic, sizeof topic, "$iothub/methods/res/%d/?$rid=%s", 200 + next(input), peer->rid);
    put_text(topic);
    put("{}", 2);
    give_packet(peer, 0x30);
}

static void act_empty(struct peer *peer, struct input *input)
{
    static const uint8_t ping[] = {0xC0, 0}, goodbye[] = {0xE0, 0};
    give(peer, next(input) % 8 == 0 ? goodbye : ping, 2);
}

/* One that sends many small packets has no longer turns than others. */
static void turn(struct connection *connection)
{
    uint64_t before = packets_from_hub;
    connection_turn(connection);
    check(packets_from_hub - before <= TURN_ANSWERS_MAX);
}

static void act_turn(struct peer *peer, struct input *input)
{
    struct connection *connection = connection_of(peer);
    (void)input;
    if (connection != NULL && connection->queue == WORK_NONE && !connection->held_back &&
        !connection->window_full)
        turn(connection);
}

static void act_behave(struct peer *peer, struct input *input)
{
    uint8_t how = next(input);
    if (how & 1)
        peer->reads = (how & 2) != 0;
    if (how & 4)
        peer->closed = true;
    if (how & 8)
        peer->record = how & 16 ? 1 : 16384;
    if (how & 32)
        leave(peer);
}

/* ---- what the others do ---- */

static struct picket_hub_call *calls[CALLS_MAX];
static int call_count;

static void act_log(struct peer *peer, struct input *input)
{
    (void)peer;
    commit_log(1 + next(input) % 32);
}

static void act_exchange(struct peer *peer, struct input *input)
{
    static const int statuses[] = {PICKET_OK,      PICKET_OK, PICKET_OK,     PICKET_BUSY,
                                   PICKET_INVALID, PICKET_IO, PICKET_CLOSED, PICKET_NOT_FOUND};
    (void)peer;
    world.keeper_status = statuses[next(input) % 8];
    exchange_perform(&hub->exchange);
}

static void act_round(struct peer *peer, struct input *input)
{
    (void)peer;
    (void)input;
    work_round(hub);
}

static void sweep(void)
{
    for (uint32_t i = 0; i < hub->slots_used; i++)
        if (hub->slots[i].connection != NULL)
            connection_check(hub->slots[i].connection, world.now_ms,
                             __wrap_picket_unix_ms() / 1000);
    methods_check(hub, world.now_ms);
    exchange_check(hub, world.now_ms);
    hub_activity_sweep(hub, world.now_ms);
    conduct_sweep(hub, world.now_ms);
    hub->log_may_have_room = true;
}

static void act_time(struct peer *peer, struct input *input)
{
    static const int64_t steps_ms[] = {1, 250, 1000, 3000, 20000, 61000, 301000, 7300000};
    (void)peer;
    world.now_ms += steps_ms[next(input) % 8];
    sweep();
}

static void call_method(uint8_t how)
{
    struct picket_error error;
    const struct picket_hub_method method = {.device = "d",
                                             .module = how & 16 ? "m" : "",
                                             .name = "n",
                                             .payload = "null",
                                             .payload_bytes = 4,
                                             .timeout_s = 5,
                                             .connect_timeout_s = how & 32 ? 5 : 0};
    if (call_count == CALLS_MAX ||
        picket_hub_call_start(hub, &method, &calls[call_count], &error) != PICKET_OK)
        return;
    call_count++;
    methods_run(hub);
}

static void act_owner(struct peer *peer, struct input *input)
{
    uint8_t how = next(input);
    struct connection *connection = devices_find(hub, "d", how & 16 ? "m" : "");
    (void)peer;
    switch (how % 6) {
    case 0:
        world.messages_waiting += 1 + (how >> 4);
        if (connection != NULL)
            device_bound_queued(connection);
        break;
    case 1:
        if (connection != NULL)
            twins_tell(connection, how, how & 32 ? "{}" : "{\"a\":1}");
        break;
    case 2:
    case 3:
        call_method(how);
        break;
    case 4:
        world.device_is_enabled = !world.device_is_enabled;
        devices_recheck(hub, "d");
        break;
    default:
        devices_recheck(hub, "e");
    }
}

static void act_loop(struct peer *peer, struct input *input)
{
    (void)peer;
    (void)input;
    uv_run(&hub->loop, UV_RUN_NOWAIT);
}

static void (*const acts[])(struct peer *peer, struct input *input) = {
    act_connect, act_publish,  act_turn,   act_round, act_log,    act_subscribe,
    act_twin,    act_exchange, act_time,   act_owner, act_puback, act_unsubscribe,
    act_behave,  act_raw,      act_result, act_empty, act_loop,   act_arrive};

static bool needs_peer(size_t act)
{
    return acts[act] == act_publish || acts[act] == act_raw || acts[act] == act_subscribe ||
           acts[act] == act_unsubscribe || acts[act] == act_twin || acts[act] == act_puback ||
           acts[act] == act_result || acts[act] == act_empty || acts[act] == act_behave;
}

static void play(struct input *input)
{
    while (input->size > 0) {
        uint8_t byte = next(input);
        struct peer *peer = &peers[byte / 18 % PEERS];
        size_t act = byte % 18;
        if (needs_peer(act) && peer->ssl == NULL)
            continue;
        acts[act](peer, input);
        /* Who has gone is not written to or read from any more. */
        if (peer->ssl != NULL && connection_of(peer) == NULL)
            leave(peer);
    }
}

/* Everybody leaves, everything is done. */
static void come_to_an_end(void)
{
    world.keeper_status = PICKET_OK;
    for (int i = 0; i < PEERS; i++)
        leave(&peers[i]);
    for (int i = 0; i < 10; i++) {
        commit_log(1000);
        exchange_perform(&hub->exchange);
        methods_check(hub, world.now_ms);
        hub->log_may_have_room = true;
        work_round(hub);
        world.now_ms += 3000;
    }
    hub_activity_flush(hub);
    exchange_perform(&hub->exchange);
    exchange_run(hub);
    for (int i = 0; i < call_count; i++) {
        struct picket_hub_method_result result;
        struct picket_error error;
        picket_hub_call_wait(calls[i], &result, &error);
        free(result.payload);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    call_count = 0;
    messages_sent_with_id = requests_sent_with_id = acknowledged = 0;
    world_open();
    play(&input);
    come_to_an_end();
    world_close();
    return 0;
}

#include "random_message.h"

#include <string.h>

uint32_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 0x2545F4914F6CDD1Du >> 32);
}

static uint32_t below(uint64_t *state, uint32_t bound)
{
    return random_next(state) % bound;
}

/* Often 0 or the largest, which is where fields are left out or counters saturate. */
static uint32_t number(uint64_t *state, uint32_t largest)
{
    switch (below(state, 5)) {
    case 0:
        return 0;
    case 1:
        return largest;
    case 2:
        return below(state, 2000) & largest;
    default:
        return random_next(state) & largest;
    }
}

static const char *text(uint64_t *state, char *out)
{
    static const char *const letters[] = {"a", "Z", "0", " ", "\"", "\\", "ü", "€", "😀", "\n"};
    uint32_t length = below(state, RANDOM_TEXT_MAX / 4);
    out[0] = '\0';
    for (uint32_t i = 0; i < length; i++)
        strcat(out, letters[below(state, sizeof letters / sizeof letters[0])]);
    return out;
}

static uint32_t next_flow(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    const struct random_flows *list = table;
    *flow = list->flows[cursor];
    return cursor + 1;
}

static uint32_t random_count(uint64_t *state)
{
    static const uint32_t counts[] = {0, 0, 1, 2, 3, 64, RANDOM_FLOWS_MAX};
    return counts[below(state, sizeof counts / sizeof counts[0])];
}

static void fill_list(uint64_t *state, struct random_flows *list, struct picket_wire_flows *flows)
{
    list->count = random_count(state);
    for (uint32_t i = 0; i < list->count; i++) {
        struct picket_wire_flow *flow = &list->flows[i];
        for (uint32_t byte = 0; byte < 16; byte++) {
            list->addresses[i][0][byte] = (uint8_t)number(state, 0xFF);
            list->addresses[i][1][byte] = (uint8_t)number(state, 0xFF);
        }
        flow->local_address = list->addresses[i][0];
        flow->remote_address = list->addresses[i][1];
        flow->bytes_in = number(state, UINT32_MAX);
        flow->bytes_out = number(state, UINT32_MAX);
        flow->local_port = (uint16_t)number(state, UINT16_MAX);
        flow->remote_port = (uint16_t)number(state, UINT16_MAX);
        flow->protocol = (uint8_t)below(state, 3);
    }
    flows->count = list->count;
    flows->next = next_flow;
    flows->table = list;
}

/* Both families mixed, in one array. */
static void fill_ports(uint64_t *state, struct picket_wire_open_port *ports,
                       struct picket_wire_listening_ports *lists)
{
    lists->ipv4 = (struct picket_wire_ports){random_count(state), ports};
    lists->ipv6 = (struct picket_wire_ports){random_count(state), ports};
    uint32_t left[2] = {lists->ipv4.count, lists->ipv6.count};
    for (; left[0] + left[1] > 0; ports++) {
        bool is_ipv6 = below(state, left[0] + left[1]) >= left[0];
        left[is_ipv6]--;
        for (uint32_t byte = 0; byte < sizeof ports->address; byte++)
            ports->address[byte] = (uint8_t)number(state, 0xFF);
        ports->port = (uint16_t)number(state, UINT16_MAX);
        ports->protocol = (uint8_t)below(state, 3);
        ports->is_ipv6 = is_ipv6;
    }
}

static void fill_event(uint64_t *state, struct random_message *random, uint32_t index)
{
    static const uint8_t types[] = {PICKET_WIRE_NETWORK_ACTIVITY, PICKET_WIRE_SYSTEM_INFORMATION,
                                    PICKET_WIRE_LISTENING_PORTS, PICKET_WIRE_HEARTBEAT};
    struct picket_wire_event *event = &random->events[index];
    for (uint32_t i = 0; i < sizeof event->id; i++)
        event->id[i] = (uint8_t)random_next(state);
    event->time_s = number(state, UINT32_MAX);
    event->collection_interval_s = number(state, UINT32_MAX);
    event->duration_s = number(state, UINT32_MAX);
    event->payload_type = types[below(state, sizeof types)];
    if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        struct picket_wire_network_activity *activity = &event->payload.network_activity;
        fill_list(state, &random->lists[index][0], &activity->ipv4);
        fill_list(state, &random->lists[index][1], &activity->ipv6);
        activity->lost_flows = number(state, UINT32_MAX);
        activity->lost_bytes_in = number(state, UINT32_MAX);
        activity->lost_bytes_out = number(state, UINT32_MAX);
    } else if (event->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
        struct picket_wire_system_information *system = &event->payload.system_information;
        system->os_info = below(state, 3) ? text(state, random->texts[3 * index]) : NULL;
        system->kernel_info = below(state, 3) ? text(state, random->texts[3 * index + 1]) : NULL;
        system->hw_info = below(state, 3) ? text(state, random->texts[3 * index + 2]) : NULL;
    } else if (event->payload_type == PICKET_WIRE_LISTENING_PORTS) {
        struct picket_wire_listening_ports *ports = &event->payload.listening_ports;
        fill_ports(state, random->ports[index], ports);
        ports->unlisted = number(state, UINT32_MAX);
    } else {
        event->payload.heartbeat.uptime_s = number(state, UINT32_MAX);
    }
}

void random_message(struct random_message *random, uint64_t seed)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    memset(random, 0, sizeof *random);
    random->message.security_module_id = text(&state, random->texts[3 * PICKET_WIRE_EVENTS_MAX]);
    random->message.security_module_version = number(&state, UINT32_MAX);
    random->message.events = random->events;
    random->message.event_count = below(&state, PICKET_WIRE_EVENTS_MAX + 1);
    for (uint32_t i = 0; i < random->message.event_count; i++)
        fill_event(&state, random, i);
}

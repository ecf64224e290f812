#include "flow_list.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct flow_list *list, size_t more)
{
    if (list->capacity - list->count >= more)
        return true;
    size_t capacity = list->count + more + list->capacity / 2;
    struct picket_flow *flows = realloc(list->flows, capacity * sizeof *flows);
    if (flows == NULL)
        return false;
    list->flows = flows;
    list->capacity = capacity;
    return true;
}

static void append(struct flow_list *list, const struct picket_wire_flow *flow, unsigned version)
{
    struct picket_flow *own = &list->flows[list->count++];
    memset(own, 0, sizeof *own);
    if (version == 4) {
        own->local = picket_address_ipv4(flow->local_address);
        own->remote = picket_address_ipv4(flow->remote_address);
    } else {
        own->local = picket_address_ipv6(flow->local_address);
        own->remote = picket_address_ipv6(flow->remote_address);
    }
    own->local_port = flow->local_port;
    own->remote_port = flow->remote_port;
    own->protocol = flow->protocol;
    own->bytes_in = flow->bytes_in;
    own->bytes_out = flow->bytes_out;
    list->saturated += flow->bytes_in == UINT32_MAX || flow->bytes_out == UINT32_MAX;
}

static int append_flows(struct flow_list *list, const struct picket_wire_flows *flows,
                        unsigned version, struct picket_error *error)
{
    if (!reserve(list, flows->count))
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for %u flows", flows->count);
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < flows->count; i++) {
        struct picket_wire_flow flow;
        cursor = flows->next(flows->table, cursor, &flow);
        append(list, &flow, version);
    }
    return PICKET_OK;
}

int flow_list_append_message(struct flow_list *list, const struct picket_wire_message *message,
                             struct picket_error *error)
{
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        if (event->payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
            continue;
        const struct picket_wire_network_activity *activity = &event->payload.network_activity;
        list->lost_flows += activity->lost_flows;
        int status = append_flows(list, &activity->ipv4, 4, error);
        if (status == PICKET_OK)
            status = append_flows(list, &activity->ipv6, 6, error);
        if (status != PICKET_OK)
            return status;
    }
    return PICKET_OK;
}

void flow_list_clear(struct flow_list *list)
{
    free(list->flows);
    *list = (struct flow_list){0};
}

static int compare_addresses(const struct picket_address *a, const struct picket_address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static int compare_flows(const void *left, const void *right)
{
    const struct picket_flow *a = left, *b = right;
    int order = (int)a->protocol - (int)b->protocol;
    if (order == 0)
        order = compare_addresses(&a->local, &b->local);
    if (order == 0)
        order = (int)a->local_port - (int)b->local_port;
    if (order == 0)
        order = compare_addresses(&a->remote, &b->remote);
    if (order == 0)
        order = (int)a->remote_port - (int)b->remote_port;
    return order;
}

void flow_list_sort(struct flow_list *list)
{
    if (list->count > 1)
        qsort(list->flows, list->count, sizeof *list->flows, compare_flows);
}

void flow_list_print_csv(const struct flow_list *list, FILE *out)
{
    fputs("protocol,local_address,local_port,remote_address,remote_port,bytes_in,bytes_out\n", out);
    for (size_t i = 0; i < list->count; i++) {
        const struct picket_flow *flow = &list->flows[i];
        char local[PICKET_ADDRESS_TEXT_BYTES], remote[PICKET_ADDRESS_TEXT_BYTES];
        fprintf(out, "%s,%s,%u,%s,%u,%u,%u\n", picket_protocol_name(flow->protocol),
                picket_address_format(&flow->local, local), flow->local_port,
                picket_address_format(&flow->remote, remote), flow->remote_port, flow->bytes_in,
                flow->bytes_out);
    }
}

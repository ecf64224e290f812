#include "account.h"

#include <string.h>

#include "../../../../src/flow_table.h"
#include "double.h"
#include "hub.h"
#include "machine.h"
#include "picket/wire/decoder.h"

enum { LOCAL_PORT = 5000, FIRST_REMOTE_PORT = 1000, REMOTE_ADDRESS = 0x0B000001 };

/* Bytes of each flow, and of those that are not told apart. */
struct bytes {
    uint64_t flow[ACCOUNT_FLOWS][2];
    uint64_t lost[2];
};

static struct {
    struct bytes counted; /* by what the agent answered */
    struct bytes reported;
    struct bytes forgotten;
    uint64_t verdicts[3]; /* counted, lost, any other */
    struct account_totals totals;
    const struct picket_agent *agent; /* the one that runs, or ran */
} account;

static _Thread_local struct account_passing passing;

void account_reset(void)
{
    memset(&account, 0, sizeof account);
}

ULONG account_address(unsigned ip)
{
    return 0x0A000001 + 0x100 * ip;
}

static unsigned address_bits(const uint8_t *address)
{
    return (unsigned)address[0] << 24 | (unsigned)address[1] << 16 | (unsigned)address[2] << 8 |
           address[3];
}

/* ---- packets ---- */

static enum picket_wire_protocol protocol_of(unsigned flow)
{
    return flow % 2 == 0 ? PICKET_WIRE_UDP : PICKET_WIRE_TCP;
}

struct stack_packet *account_packet(unsigned ip, enum picket_direction direction)
{
    unsigned is_ipv6 = machine_draw(2);
    unsigned flow = (ip * 2 + is_ipv6) * ACCOUNT_FLOWS_EACH + machine_draw(ACCOUNT_FLOWS_EACH);
    struct packet_spec spec = {.version = is_ipv6 ? 6 : 4,
                               .protocol = protocol_of(flow),
                               .local = (uint32_t)account_address(ip),
                               .remote = REMOTE_ADDRESS,
                               .local_port = LOCAL_PORT,
                               .remote_port = (uint16_t)(FIRST_REMOTE_PORT + flow),
                               .payload_bytes = machine_draw(1000),
                               .direction = direction};
    struct stack_packet *packet =
        (struct stack_packet *)double_packet_allocate(sizeof(struct stack_packet));
    size_t size_bytes = packet_build(packet->bytes, &spec);
    packet->packet.nx_packet_prepend_ptr = packet->bytes;
    packet->packet.nx_packet_append_ptr = packet->bytes + size_bytes;
    packet->packet.nx_packet_length = size_bytes + spec.payload_bytes;
    passing.calls = 0;
    passing.flow = flow;
    passing.bytes = (spec.protocol == PICKET_WIRE_UDP ? 8 : 20) + spec.payload_bytes;
    return packet;
}

unsigned account_calls(void)
{
    return passing.calls;
}

struct account_passing account_put_aside(void)
{
    return passing;
}

void account_take_up(struct account_passing aside)
{
    passing = aside;
}

static void note(enum picket_packet_verdict verdict, enum picket_direction direction)
{
    passing.calls++;
    account.totals.packets++;
    switch (verdict) {
    case PICKET_PACKET_COUNTED:
        account.counted.flow[passing.flow][direction] += passing.bytes;
        account.verdicts[0]++;
        return;
    case PICKET_PACKET_LOST:
        account.counted.lost[direction] += passing.bytes;
        account.totals.lost_packets++;
        account.verdicts[1]++;
        return;
    default:
        account.verdicts[2]++;
    }
}

/* The linker puts these in the place of the core's functions, where the port calls them. */
enum picket_packet_verdict __real_picket_agent_count_packet(struct picket_agent *agent,
                                                            const uint8_t *packet,
                                                            size_t captured_bytes,
                                                            uint32_t wire_bytes,
                                                            enum picket_direction direction);
enum picket_packet_verdict __wrap_picket_agent_count_packet(struct picket_agent *agent,
                                                            const uint8_t *packet,
                                                            size_t captured_bytes,
                                                            uint32_t wire_bytes,
                                                            enum picket_direction direction);
enum picket_packet_verdict __wrap_picket_agent_count_packet(struct picket_agent *agent,
                                                            const uint8_t *packet,
                                                            size_t captured_bytes,
                                                            uint32_t wire_bytes,
                                                            enum picket_direction direction)
{
    enum picket_packet_verdict verdict =
        __real_picket_agent_count_packet(agent, packet, captured_bytes, wire_bytes, direction);
    note(verdict, direction);
    return verdict;
}

enum picket_packet_verdict
__real_picket_agent_count_reading(struct picket_agent *agent,
                                  const struct picket_packet_reading *reading);
enum picket_packet_verdict
__wrap_picket_agent_count_reading(struct picket_agent *agent,
                                  const struct picket_packet_reading *reading);
enum picket_packet_verdict
__wrap_picket_agent_count_reading(struct picket_agent *agent,
                                  const struct picket_packet_reading *reading)
{
    enum picket_packet_verdict verdict = __real_picket_agent_count_reading(agent, reading);
    note(verdict, (enum picket_direction)reading->direction);
    return verdict;
}

/* ---- what is in the tables ---- */

static unsigned flow_of_port(unsigned remote_port)
{
    unsigned flow = remote_port - FIRST_REMOTE_PORT;
    if (flow >= ACCOUNT_FLOWS)
        machine_fail("a flow to port %u, to which no packet went", remote_port);
    return flow;
}

static void add(struct bytes *bytes, unsigned flow, uint64_t in, uint64_t out)
{
    bytes->flow[flow][PICKET_IN] += in;
    bytes->flow[flow][PICKET_OUT] += out;
}

/* Returns how many flows the chain has. */
static unsigned forget_chain(const struct picket_flow_table *table, picket_flow_index index)
{
    unsigned length = 0;
    while (index != PICKET_FLOW_NONE) {
        if (index >= table->fresh || ++length > PICKET_AGENT_CHAIN_MAX)
            machine_fail("a chain leads astray");
        struct picket_flow_head *flow = picket_flow_at(table, index);
        const uint8_t *ports = (const uint8_t *)&flow->ports;
        add(&account.forgotten, flow_of_port(picket_big_endian_16(ports + 2)),
            flow->bytes[PICKET_IN], flow->bytes[PICKET_OUT]);
        index = flow->next;
    }
    return length;
}

static unsigned free_entries(const struct picket_flow_table *table, unsigned most)
{
    unsigned count = 0;
    for (picket_flow_index index = table->free; index != PICKET_FLOW_NONE; count++) {
        if (index >= table->fresh || count == most)
            machine_fail("the list of free entries leads astray");
        index = picket_flow_at(table, index)->next;
    }
    return count;
}

/* Each entry is in one place. What is frozen is in a message that has been handed over, and so is
 * reported. */
static void forget_table(const struct picket_flow_table *table)
{
    unsigned live = 0, used = table->fresh / picket_flow_words(table->address_words);
    uint32_t buckets = picket_flow_table_buckets(table);
    for (uint32_t i = 0; i < buckets; i++)
        live += forget_chain(table, table->buckets[i]);
    if (live != table->live)
        machine_fail("%u flows are in chains, %u are said to be", live, table->live);
    unsigned unused = free_entries(table, used);
    if (live + unused + table->frozen_count != used)
        machine_fail("of %u entries %u are live, %u free, %u frozen", used, live, unused,
                     table->frozen_count);
}

static void forget_losses(const struct picket_losses *losses)
{
    account.forgotten.lost[PICKET_IN] += losses->bytes[PICKET_IN];
    account.forgotten.lost[PICKET_OUT] += losses->bytes[PICKET_OUT];
}

static void forget(void)
{
    if (account.agent == NULL)
        return;
    for (unsigned family = 0; family < PICKET_FAMILIES; family++)
        forget_table(&account.agent->tables[family]);
    forget_losses(&account.agent->losses);
    if ((account.agent->on_way & 1u << PICKET_COLLECTOR_NETWORK_ACTIVITY) == 0)
        forget_losses(&account.agent->losses_told);
    hub_forget(account_is_on_way());
}

void __real_picket_agent_init(struct picket_agent *agent, const struct picket_agent_config *config);
void __wrap_picket_agent_init(struct picket_agent *agent, const struct picket_agent_config *config);
void __wrap_picket_agent_init(struct picket_agent *agent, const struct picket_agent_config *config)
{
    forget();
    account.agent = agent;
    account.totals.starts++;
    __real_picket_agent_init(agent, config);
}

/* ---- what was reported ---- */

static void read_flow(struct picket_wire_flow flow, unsigned is_ipv6, struct bytes *into)
{
    unsigned number = flow_of_port(flow.remote_port);
    const uint8_t *local = flow.local_address + (is_ipv6 ? 12 : 0);
    const uint8_t *remote = flow.remote_address + (is_ipv6 ? 12 : 0);
    if (number / ACCOUNT_FLOWS_EACH % 2 != is_ipv6 || flow.protocol != protocol_of(number) ||
        flow.local_port != LOCAL_PORT || address_bits(remote) != REMOTE_ADDRESS ||
        address_bits(local) != account_address(number / ACCOUNT_FLOWS_EACH / 2))
        machine_fail("the flow of port %u is another's", flow.remote_port);
    add(into, number, flow.bytes_in, flow.bytes_out);
}

static void read_message(const uint8_t *bytes, size_t size_bytes, struct bytes *into)
{
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    if (!picket_wire_open(&view, bytes, size_bytes, &error))
        machine_fail("a message is broken at %u: %s", error.offset, error.reason);
    for (uint32_t i = 0; i < view.event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(&view, i);
        if (event.payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
            continue;
        struct picket_wire_network_activity_view activity = picket_wire_network_activity(&event);
        into->lost[PICKET_IN] += activity.lost_bytes_in;
        into->lost[PICKET_OUT] += activity.lost_bytes_out;
        for (uint32_t flow = 0; flow < activity.ipv4_count; flow++)
            read_flow(picket_wire_ipv4_flow_at(&activity, flow).flow, 0, into);
        for (uint32_t flow = 0; flow < activity.ipv6_count; flow++)
            read_flow(picket_wire_ipv6_flow_at(&activity, flow).flow, 1, into);
    }
}

void account_read(const uint8_t *bytes, size_t size_bytes)
{
    account.totals.messages++;
    read_message(bytes, size_bytes, &account.reported);
}

void account_forget_message(const uint8_t *bytes, size_t size_bytes)
{
    read_message(bytes, size_bytes, &account.forgotten);
}

bool account_is_on_way(void)
{
    return account.agent != NULL && account.agent->on_way != 0;
}

/* ---- balance ---- */

/* Returns what of the flows was counted and not reported. */
static uint64_t missing(enum picket_direction direction)
{
    uint64_t sum = 0;
    for (unsigned flow = 0; flow < ACCOUNT_FLOWS; flow++) {
        uint64_t counted = account.counted.flow[flow][direction];
        uint64_t told =
            account.reported.flow[flow][direction] + account.forgotten.flow[flow][direction];
        if (told > counted)
            machine_fail("flow %u: %llu bytes counted, %llu reported", flow,
                         (unsigned long long)counted, (unsigned long long)told);
        sum += counted - told;
    }
    return sum;
}

void account_settle(void)
{
    forget();
    account.agent = NULL;
    for (int direction = PICKET_IN; direction <= PICKET_OUT; direction++) {
        uint64_t expected =
            account.counted.lost[direction] + missing((enum picket_direction)direction);
        uint64_t told = account.reported.lost[direction] + account.forgotten.lost[direction];
        if (told != expected)
            machine_fail("%llu bytes were lost, %llu told as that", (unsigned long long)expected,
                         (unsigned long long)told);
    }
}

void account_compare(const struct picket_agent_statistics *statistics)
{
    if (account.totals.starts != 1)
        return;
    if (statistics->packets_counted != account.verdicts[0] ||
        statistics->packets_lost != account.verdicts[1] ||
        statistics->packets_ignored != account.verdicts[2])
        machine_fail("statistics do not agree with %llu packets counted, %llu lost, %llu ignored",
                     (unsigned long long)account.verdicts[0],
                     (unsigned long long)account.verdicts[1],
                     (unsigned long long)account.verdicts[2]);
}

struct account_totals account_totals(void)
{
    return account.totals;
}

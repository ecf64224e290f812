/* The agent beside a twin that remembers everything: what was reported and what was said to be lost
 * is what was counted, flow by flow. */
#include <string.h>

#include "packets.h"
#include "port.h"

enum { FLOWS = 80, ROUNDS = 24, ACTIONS = 150, CROWDED_BUCKETS = 2 };
/* With the one of a fragment, the most that are walked. */
enum { EXTENSIONS = PICKET_AGENT_EXTENSION_HEADERS_MAX - 1 };

static struct twin {
    uint32_t counted[FLOWS][2]; /* bytes by enum picket_direction */
    uint32_t reported[FLOWS][2];
    uint32_t lost[2];
    uint32_t reported_lost[2];
    uint32_t lost_packets;
} twin;

/* Packets come at any alignment: their length decides where before the edge they begin. */
static void count_packets(void)
{
    for (uint32_t left = random_below(24); left > 0; left--) {
        uint8_t packet[PACKET_BYTES_MAX];
        const struct flow_kind kind = flow_kind((uint16_t)random_below(FLOWS));
        enum picket_direction direction = random_below(2) == 0 ? PICKET_IN : PICKET_OUT;
        uint32_t bytes = 60 + random_below(1300);
        size_t captured_bytes = make_packet(packet, &kind, direction, bytes, EXTENSIONS);
        captured_bytes += random_below(8);
        enum picket_packet_verdict verdict =
            port_count(packet, captured_bytes, PICKET_WIRE_BYTES_UNKNOWN, direction);
        check(verdict == PICKET_PACKET_COUNTED || verdict == PICKET_PACKET_LOST,
              "a good packet is counted, or lost");
        if (verdict == PICKET_PACKET_COUNTED) {
            twin.counted[kind.number][direction] += bytes;
        } else {
            twin.lost[direction] += bytes;
            twin.lost_packets++;
        }
    }
}

static void take_flow(const struct picket_wire_flow *flow, uint8_t version)
{
    uint16_t number = flow_number(flow, version);
    const struct flow_kind kind = flow_kind(number);
    check(number < FLOWS && kind.version == version && is_of_kind(flow, &kind),
          "a flow that is reported was there");
    twin.reported[number][PICKET_IN] += flow->bytes_in;
    twin.reported[number][PICKET_OUT] += flow->bytes_out;
}

static void take_losses(const struct picket_wire_network_activity_view *activity)
{
    check(activity->lost_flows <= FLOWS, "no more flows are lost than there are");
    check((activity->lost_flows > 0) == (activity->lost_bytes_in + activity->lost_bytes_out > 0),
          "flows that are lost had bytes");
    twin.reported_lost[PICKET_IN] += activity->lost_bytes_in;
    twin.reported_lost[PICKET_OUT] += activity->lost_bytes_out;
}

static void poll_for(uint32_t seconds)
{
    for (; seconds > 0; seconds--) {
        port.uptime_s++;
        check(picket_agent_poll(&port.agent) >= 1, "a poll asks for the next");
    }
}

static void act(void)
{
    uint32_t choice = random_below(100);
    if (choice < 50) {
        count_packets();
    } else if (choice < 80) {
        poll_for(1 + random_below(3));
    } else if (choice < 85) {
        port.uptime_s += random_below(1000);
        poll_for(1);
    } else if (choice < 90) {
        port.connected = !port.connected;
    } else if (choice < 97) {
        port.accepts = !port.accepts;
    } else {
        picket_agent_flush(&port.agent);
    }
}

static void settle_accounts(bool crowded)
{
    uint32_t missing[2] = {0, 0};
    port.during_send = NULL;
    port.connected = port.accepts = true;
    check(picket_agent_flush(&port.agent) == PICKET_SEND_ACCEPTED, "what is unsent goes out");
    for (uint32_t i = 0; i < FLOWS; i++)
        for (uint32_t direction = PICKET_IN; direction <= PICKET_OUT; direction++) {
            check(twin.reported[i][direction] <= twin.counted[i][direction],
                  "no more is reported than was counted");
            missing[direction] += twin.counted[i][direction] - twin.reported[i][direction];
        }
    /* Missing is only what met a full chain when it was put back, and that is lost. */
    for (uint32_t direction = PICKET_IN; direction <= PICKET_OUT; direction++) {
        check(twin.lost[direction] + missing[direction] == twin.reported_lost[direction],
              "what is lost is reported as lost");
        check(crowded || missing[direction] == 0, "no chain is full among enough buckets");
    }
}

static void run_round(bool crowded)
{
    memset(&twin, 0, sizeof twin);
    port_start(crowded ? CROWDED_BUCKETS : BUCKETS);
    port.during_send = count_packets;
    for (uint32_t i = 0; i < ACTIONS; i++)
        act();
    settle_accounts(crowded);
}

static void print_round(const char *kind, uint32_t round)
{
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&port.agent, &statistics);
    board_print(kind);
    print_number("traffic", round);
    print_number("counted", statistics.packets_counted);
    print_number("lost", statistics.packets_lost);
    print_number("refused", statistics.messages_refused);
    print_number("early", statistics.early_reports);
    print_number("messages", port.messages);
    print_digest("digest", port.content);
    board_print("\n");
}

static void print_layout(uint32_t round)
{
    board_print("layout");
    print_number("traffic", round);
    print_digest("digest", port.layout);
    board_print("\n");
}

void run_traffic(void)
{
    port.take_flow = take_flow;
    port.take_losses = take_losses;
    port.uptime_s = UINT32_MAX - 2000; /* the clock wraps */
    for (uint32_t round = 0; round < ROUNDS; round++) {
        run_round(false);
        print_round("content", round);
        print_layout(round);
    }
    port.take_flow = NULL;
    port.take_losses = NULL;
}

/* Which flows meet in a bucket is a matter of the hash. */
void run_crowded_traffic(void)
{
    port.take_flow = take_flow;
    port.take_losses = take_losses;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        run_round(true);
        check(twin.lost_packets > 0, "few buckets lose flows");
        print_round("layout crowded", round);
        print_layout(round);
    }
}

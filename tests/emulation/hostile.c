/* Packets with any byte changed and cut off anywhere; nothing behind what was captured can be read.
 * What is counted of them comes out again. */
#include "packets.h"
#include "port.h"

enum { ROUNDS = 40, PACKETS = 400, VERDICTS = PICKET_PACKET_HEADER_CHAIN + 1, FLOWS = 65536 };

static uint32_t verdicts[VERDICTS];
static uint32_t flows_reported;

static void take_flow(const struct picket_wire_flow *flow, uint8_t version)
{
    (void)flow;
    (void)version;
    flows_reported++;
}

/* Bytes that mean something somewhere in a header. */
static uint8_t damaged_byte(void)
{
    static const uint8_t telling[] = {0,  1,  6,    17,   43,   44,   51,
                                      58, 60, 0x45, 0x4F, 0x60, 0xE0, 0xFF};
    return random_below(2) == 0 ? (uint8_t)random_number()
                                : telling[random_below(sizeof telling / sizeof telling[0])];
}

static void damage(uint8_t *packet, size_t size_bytes)
{
    for (uint32_t left = random_below(4); left > 0; left--)
        packet[random_below((uint32_t)size_bytes)] = damaged_byte();
}

static size_t cut(size_t size_bytes)
{
    return random_below(3) == 0 ? random_below((uint32_t)size_bytes + 1) : size_bytes;
}

static void count_one(void)
{
    uint8_t packet[PACKET_BYTES_MAX];
    const struct flow_kind kind = flow_kind((uint16_t)random_below(FLOWS));
    enum picket_direction direction = random_below(2) == 0 ? PICKET_IN : PICKET_OUT;
    size_t size_bytes = make_packet(packet, &kind, direction, 60 + random_below(1300),
                                    PICKET_AGENT_EXTENSION_HEADERS_MAX);
    damage(packet, size_bytes);
    uint32_t wire_bytes = random_below(2) == 0 ? PICKET_WIRE_BYTES_UNKNOWN : random_below(1500);
    verdicts[port_count(packet, cut(size_bytes), wire_bytes, direction)]++;
}

static void run_round(uint32_t round)
{
    port_start(BUCKETS);
    flows_reported = 0;
    for (uint32_t i = 0; i < PACKETS; i++) {
        count_one();
        if (random_below(50) == 0)
            check(picket_agent_flush(&port.agent) == PICKET_SEND_ACCEPTED,
                  "what there is goes out");
    }
    check(picket_agent_flush(&port.agent) == PICKET_SEND_ACCEPTED, "what there is goes out");
    board_print("content");
    print_number("hostile", round);
    print_number("flows", flows_reported);
    for (uint32_t verdict = 0; verdict < VERDICTS; verdict++)
        print_number("/", verdicts[verdict]);
    print_digest("digest", port.content);
    board_print("\n");
}

void run_hostile_packets(void)
{
    port.during_send = NULL;
    port.take_flow = take_flow;
    for (uint32_t round = 0; round < ROUNDS; round++)
        run_round(round);
    port.take_flow = NULL;
    for (uint32_t verdict = 0; verdict < VERDICTS; verdict++)
        check(verdicts[verdict] > 0, "damaged packets come to every verdict");
}

#include "intake.h"

static const struct {
    const char *name;
    const char *text;
} outcomes[INTAKE_OUTCOMES] = {
    [INTAKE_COUNTED] = {"counted", "counted"},
    [INTAKE_LOST] = {"lost", "lost, the table of flows was full"},
    [INTAKE_NOT_IP] = {"not_ip", "not IP"},
    [INTAKE_UNKNOWN_LINK] = {"unknown_link", "of a link layer that is not decoded"},
    [INTAKE_OTHER_PROTOCOL] = {"other_protocol", "neither TCP, UDP nor ICMP"},
    [INTAKE_TRUNCATED] = {"truncated", "with headers that are not all captured"},
    [INTAKE_MALFORMED] = {"malformed", "malformed"},
    [INTAKE_HEADER_CHAIN] = {"header_chain", "lost, with too many IPv6 extension headers"},
    [INTAKE_NOT_LOCAL] = {"not_local", "between others, neither end is local"},
    [INTAKE_GROUP] = {"group", "inbound multicast or broadcast"},
    [INTAKE_VLAN] = {"vlan", "of a VLAN, counted on its own interface if there is one"},
};

const char *intake_outcome_text(enum intake_outcome outcome)
{
    return outcomes[outcome].text;
}

const char *intake_outcome_name(enum intake_outcome outcome)
{
    return outcomes[outcome].name;
}

static enum intake_outcome of_verdict(enum picket_packet_verdict verdict)
{
    switch (verdict) {
    case PICKET_PACKET_COUNTED:
        return INTAKE_COUNTED;
    case PICKET_PACKET_LOST:
        return INTAKE_LOST;
    case PICKET_PACKET_MULTICAST:
        return INTAKE_GROUP;
    case PICKET_PACKET_OTHER_PROTOCOL:
        return INTAKE_OTHER_PROTOCOL;
    case PICKET_PACKET_TRUNCATED:
        return INTAKE_TRUNCATED;
    case PICKET_PACKET_HEADER_CHAIN:
        return INTAKE_HEADER_CHAIN;
    case PICKET_PACKET_MALFORMED:
        break;
    }
    return INTAKE_MALFORMED;
}

static enum intake_outcome count(struct intake *intake, const struct ip_packet *packet,
                                 enum picket_direction direction)
{
    uint32_t wire_bytes =
        intake->believe_headers ? (uint32_t)PICKET_WIRE_BYTES_UNKNOWN : packet->wire_bytes;
    return of_verdict(picket_agent_count_packet(intake->agent, packet->bytes,
                                                packet->captured_bytes, wire_bytes, direction));
}

static enum intake_outcome by_direction(struct intake *intake, const struct ip_packet *packet)
{
    switch (local_addresses_classify(intake->local, packet)) {
    case TRAFFIC_OUT:
        return count(intake, packet, PICKET_OUT);
    case TRAFFIC_IN:
        return count(intake, packet, PICKET_IN);
    case TRAFFIC_GROUP:
        return intake->groups ? count(intake, packet, PICKET_IN) : INTAKE_GROUP;
    case TRAFFIC_FOREIGN:
        return INTAKE_NOT_LOCAL;
    case TRAFFIC_UNKNOWN:
        break;
    }
    return INTAKE_TRUNCATED;
}

static enum intake_outcome outcome_of(struct intake *intake, int link, const uint8_t *frame,
                                      size_t captured_bytes, uint32_t wire_bytes)
{
    struct ip_packet packet;
    switch (link_layer_find_ip(link, frame, captured_bytes, wire_bytes, &packet)) {
    case LINK_IP:
        break;
    case LINK_NOT_IP:
        return INTAKE_NOT_IP;
    case LINK_TRUNCATED:
        return INTAKE_TRUNCATED;
    case LINK_CONTRADICTS:
        return INTAKE_MALFORMED;
    case LINK_UNKNOWN:
        return INTAKE_UNKNOWN_LINK;
    }
    if (intake->ignore_vlans && packet.vlan != 0)
        return INTAKE_VLAN;
    return by_direction(intake, &packet);
}

enum intake_outcome intake_frame(struct intake *intake, int link, const uint8_t *frame,
                                 size_t captured_bytes, uint32_t wire_bytes)
{
    enum intake_outcome outcome = outcome_of(intake, link, frame, captured_bytes, wire_bytes);
    intake->outcomes[outcome]++;
    return outcome;
}

/* From a captured frame to a counted packet: link layer, direction, agent; and what became of each.
 *
 * Thread: one at a time for an intake.
 */
#ifndef PICKET_AGENT_LINUX_INTAKE_H
#define PICKET_AGENT_LINUX_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "local_addresses.h"
#include "picket/agent/agent.h"

/* What became of a frame. */
enum intake_outcome {
    INTAKE_COUNTED,
    INTAKE_LOST, /* no room in the table: part of what is reported as lost */
    INTAKE_NOT_IP,
    INTAKE_UNKNOWN_LINK, /* of a link layer that is not decoded */
    INTAKE_OTHER_PROTOCOL,
    INTAKE_TRUNCATED,
    INTAKE_MALFORMED,
    INTAKE_HEADER_CHAIN, /* more IPv6 extension headers than are walked */
    INTAKE_NOT_LOCAL,    /* neither end is this device's */
    INTAKE_GROUP,        /* inbound multicast or broadcast, which was not asked for */
    INTAKE_VLAN          /* of a VLAN, where those are counted on interfaces of their own */
};
enum { INTAKE_OUTCOMES = 11 };

/* For people, and as a member's name in JSON. */
const char *intake_outcome_text(enum intake_outcome outcome);
const char *intake_outcome_name(enum intake_outcome outcome);

struct intake {
    const struct local_addresses *local;
    struct picket_agent *agent;
    bool groups; /* count inbound multicast and broadcast */
    bool ignore_vlans;
    bool believe_headers; /* a declared length beyond the frame's is believed, not malformed */
    uint64_t outcomes[INTAKE_OUTCOMES];
};

enum intake_outcome intake_frame(struct intake *intake, int link, const uint8_t *frame,
                                 size_t captured_bytes, uint32_t wire_bytes);

#endif

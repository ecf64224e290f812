/* One event of a security message, as the service keeps it.
 *
 * Thread: one at a time per arena.
 */
#ifndef SERVICE_DECODE_H
#define SERVICE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "picket/base/flow.h"
#include "picket/store/store.h"
#include "picket/wire/decoder.h"

enum { DEVICE_TEXT_BYTES = 512 };

/* Pointers are into the arena. */
struct decoded_event {
    uint8_t id[16];
    uint8_t key[16]; /* XXH3-128 over everything the event says */
    int64_t time_s;
    int64_t seen_ms;
    int time_replaced; /* 1: its own time was of no use */
    uint32_t collection_interval_s;
    uint32_t duration_s;
    uint8_t type;
    uint32_t lost_flows;
    uint32_t lost_bytes_in;
    uint32_t lost_bytes_out;
    const struct picket_flow *flows;
    size_t flow_count;
    const char
        *content; /* JSON of a payload that is not flows; NULL for flows, and unknown types */
    const char *os_info; /* of system information; NULL otherwise */
    const char *kernel_info;
    const char *hw_info;
};

/* index < view->event_count. PICKET_OK, PICKET_FULL (there is no room in the arena) or
 * PICKET_NO_MEMORY. */
int decode_event(struct arena *arena, const struct picket_wire_message_view *view, uint32_t index,
                 int64_t received_ms, struct decoded_event *event);

/* What the hub says of a device, as an event: a JSON text, which has to live as long. */
void decode_of_hub(const char *json, int64_t received_ms, struct decoded_event *event);

/* The event's time, bounded by the time of receipt: one in the future is cut to it, and one that is
 * unknown (UINT32_MAX) or more than 90 days old is of a clock that was never set, and replaced by
 * it. *replaced: 1 if it was. */
int64_t decode_seen_ms(int64_t time_s, int64_t received_ms, int *replaced);

#endif

/* What can be found out about a message before its turn comes: what it is, what its events say, and
 * whether there is nothing in them for detectors that can tell. It holds however often the batch it
 * is in is done again.
 *
 * Thread: one at a time per arena; no state.
 */
#ifndef SERVICE_PREPARE_H
#define SERVICE_PREPARE_H

#include "arena.h"
#include "decode.h"
#include "picket/log/log.h"
#include "picket/service/detector.h"

enum prepared_kind {
    PREPARED_SECURITY,  /* view and security_module_id say what it brings */
    PREPARED_BAD,       /* problem says why it cannot be read */
    PREPARED_TELEMETRY, /* no security message */
    PREPARED_OF_HUB     /* not a device's, but of it: the message's properties are the event */
};

struct prepared_message {
    const struct picket_log_message *message;
    enum prepared_kind kind;
    struct picket_wire_error problem;
    struct picket_wire_message_view view;
    const char *security_module_id;     /* printable */
    const struct decoded_event *events; /* of the view, in order; NULL: there was no room for them,
                                           and they are still to be decoded */
    const uint64_t *clear; /* by event and detector: what look_ahead() said; NULL: not looked */
};

/* As detectors see it. The decoded event must live as long. */
struct picket_event prepared_event(const struct picket_log_message *message,
                                   const struct decoded_event *decoded, int64_t event_id);

/* Lets the detectors look ahead at a message's events. */
void prepare_clear(struct arena *arena, const struct picket_detector *detectors, size_t count,
                   struct prepared_message *prepared);

/* *prepared points to the message, its payload and the arena. False: what is left of the arena is
 * too little, or there is no memory; if the arena was empty, *prepared is good, but without events.
 */
bool prepare_message(struct arena *arena, const struct picket_log_message *message,
                     struct prepared_message *prepared);

#endif

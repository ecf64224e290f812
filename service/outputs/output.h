/* An output: one thread that sends what the outbox holds for its target.
 *
 *     outbox ─▶ up to 512 items ─▶ sender (file, mqtt …) ─▶ done up to the last one sent
 *                    ▲                    │ not all sent
 *                    └──── back-off ◀─────┘
 *                              │ the receiver has answered no to the first of them, several times
 *                              ▼
 *                     one behind it is sent ─▶ taken: then it was the item, which is set aside
 *
 * At least once, in order: an item is done only after the sender has confirmed it, and what follows
 * waits for it, until the receiver has shown that it takes others. What is set aside is put back at
 * the next start. Another kind of output is one file with a sender, and one line in settings.c.
 */
#ifndef OUTPUTS_OUTPUT_H
#define OUTPUTS_OUTPUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/service/service.h"

enum { DELIVERIES_TOGETHER = 512 }; /* no sender is given more at a time */

/* One item, ready to be sent. */
struct delivery {
    int64_t id;       /* of the outbox, growing: with the target's name the same at each attempt */
    int64_t alert_id; /* 0: telemetry */
    char *device;     /* "": an alert that concerns none */
    char *module;     /* "": the device itself */
    char *properties; /* of telemetry, as UTF-8; "": none */
    int64_t received_ms;
    char *body; /* a JSON object in one line, or the device's own bytes; NULL: the alert is gone,
                   nothing to send */
    size_t body_bytes;
    int refusals; /* how often it was set aside before */
};

/* How sending ended. */
struct sending {
    size_t sent;            /* so many, from the first on, are confirmed; also when it failed */
    bool answered;          /* the receiver itself said no: it may be for the item */
    int64_t retry_after_ms; /* when it wants to be asked again; 0: it did not say */
};

/* What a kind of output does. */
struct sender {
    int together; /* how many it is given at most: so many are sent again after a crash */
    /* As picket_output_check(), what all kinds have in common being right. */
    int (*check)(const struct picket_output_config *config, char *setting,
                 struct picket_error *error);
    /* The configuration outlives the state; *stopping is not 0 once sending must end soon. */
    int (*open)(void **state, const struct picket_output_config *config, const atomic_int *stopping,
                struct picket_error *error);
    /* Sends the items in order until one fails. What is behind the first that is not confirmed may
     * have been sent, too, and will be again. *sending is zeroed before. */
    int (*send)(void *state, const struct delivery *items, size_t count, struct sending *sending,
                struct picket_error *error);
    /* When there has been nothing to send for some seconds; NULL: nothing to do. Keeps the
     * connection alive or makes it, so that one that cannot be made is known before it is needed.
     */
    int (*idle)(void *state, struct picket_error *error);
    void (*close)(void *state);
};

extern const struct sender file_sender;
extern const struct sender webhook_sender;
extern const struct sender mqtt_sender;
extern const struct sender kafka_sender;

const struct sender *sender_of(enum picket_output_kind kind);

/* Notes the member that is wrong, for a sender's check; PICKET_INVALID. */
int setting_wrong(char *setting, const char *member, struct picket_error *error, const char *text);

struct output;

/* The configuration, which has been checked, must outlive it. */
int output_start(struct output **output, const struct picket_output_config *config,
                 const char *store_folder, struct picket_error *error);
/* Something was committed for it. */
void output_wake(struct output *output);
/* Ends within seconds, what is not sent stays in the outbox. */
void output_stop(struct output *output);

void output_status(struct output *output, struct picket_output_status *status);

void output_register_counters(void);

#endif

/* Searches of stored events for indicators: for those that come, by itself, as soon as they have
 * come; for any, when somebody asks.
 *
 * What comes within seconds is one search. It reads the events that were not inspected with those
 * indicators, and raises one alert for each device and indicator. What somebody asks for is
 * searched one after another, and kept for a while.
 *
 * Thread: any.
 */
#ifndef PICKET_SERVICE_HUNTER_H
#define PICKET_SERVICE_HUNTER_H

#include "picket/service/intel.h"
#include "picket/service/service.h"

struct picket_hunter;

enum {
    PICKET_HUNTS_WAITING_MAX = 8, /* asked for and not begun */
    PICKET_HUNTS_KEPT = 20,       /* that have ended */
    PICKET_HUNT_FOUND_MAX = 10000 /* devices and indicators of one */
};

struct picket_hunter_config {
    const char *store_folder;
    struct picket_intel *intel;     /* must outlive it, as must the service */
    struct picket_service *service; /* who raises alerts */
    int64_t quiet_ms; /* how long nothing more has come before what came is searched for; 0: 3 s */
    int64_t longest_ms; /* since the first came; 0: 60 s */
};

/* Goes on where it was ended. */
int picket_hunter_start(struct picket_hunter **hunter, const struct picket_hunter_config *config,
                        struct picket_error *error);
/* What is being searched is given up, and done again at the next start if nobody asked for it.
 * Before the service is stopped. NULL is nothing. */
void picket_hunter_stop(struct picket_hunter *hunter);

/* What to search for, and where: one of feed and indicators, or none: all indicators. */
struct picket_hunt_request {
    const char *feed; /* "": none */
    const struct picket_indicator *indicators;
    size_t count;
    int64_t since_ms, until_ms; /* received at or after, and before; 0: all there is */
    const char *device;         /* "": all */
    bool alert;                 /* what is found becomes alerts */
    bool leaves_out_told;       /* what live alerts tell of; so asks Picket itself */
};

/* PICKET_NOT_FOUND: the feed; PICKET_INVALID: it lists no threats; PICKET_BUSY: too many wait. */
int picket_hunter_ask(struct picket_hunter *hunter, const struct picket_hunt_request *request,
                      int64_t *id, struct picket_error *error);

enum picket_hunt_state {
    PICKET_HUNT_WAITING,
    PICKET_HUNT_RUNNING,
    PICKET_HUNT_DONE,
    PICKET_HUNT_CANCELLED,
    PICKET_HUNT_FAILED
};
const char *picket_hunt_state_name(int state); /* "waiting", "running" ... */

struct picket_hunt_status {
    int64_t id; /* counts from 1 since the start */
    enum picket_hunt_state state;
    bool automatic; /* nobody asked */
    bool alert;
    char what[100]; /* "feed drop", "3 indicators", "all indicators" */
    char device[129];
    int64_t since_ms, until_ms;
    int64_t asked_ms, started_ms, ended_ms; /* 0: not yet */
    int64_t indicators;                     /* searched for */
    int64_t first_event, next_event, end_event;
    int64_t events, flows; /* looked at */
    int64_t hits;          /* flows */
    int64_t found;         /* devices and indicators */
    int64_t left_out;      /* hits of others, beyond PICKET_HUNT_FOUND_MAX */
    int64_t damaged;       /* events whose flows could not be read */
    int64_t damaged_event; /* the last of them */
    int64_t alerts;        /* told of: new, or of higher severity */
    char problem[256];     /* why it failed */
};
typedef void (*picket_hunt_visit)(void *context, const struct picket_hunt_status *status);
/* id 0: all, newest first. PICKET_NOT_FOUND. */
int picket_hunter_status(struct picket_hunter *hunter, int64_t id, picket_hunt_visit visit,
                         void *context, struct picket_error *error);

/* Ends it, keeping what it has found; one that has ended is forgotten. PICKET_NOT_FOUND. */
int picket_hunter_cancel(struct picket_hunter *hunter, int64_t id, struct picket_error *error);

/* A device and an indicator's prefix. */
struct picket_hunt_found {
    const char *device;
    struct picket_prefix prefix;
    const char *feed; /* the one of the narrowest; "" for what was asked for */
    const char *tags;
    int confidence;
    int severity; /* enum picket_severity */
    int64_t first_ms, last_ms;
    int64_t events, flows;
    uint64_t bytes_in, bytes_out;
    const struct picket_flow *examples;
    const int64_t *example_events, *example_ms;
    size_t example_count;
};
typedef void (*picket_hunt_found_visit)(void *context, const struct picket_hunt_found *found);
/* In the order of device and prefix, up to limit after so many; of one that has ended.
 * PICKET_NOT_FOUND; PICKET_BUSY: it has not. */
int picket_hunter_found(struct picket_hunter *hunter, int64_t id, size_t after, size_t limit,
                        picket_hunt_found_visit visit, void *context, struct picket_error *error);

#endif

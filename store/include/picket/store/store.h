/* Everything Picket keeps: registry, events, flows, devices' state, alerts, dead letters, outbox,
 * feeds and their indicators.
 *
 * One handle is one connection to the engine and belongs to one thread at a time; open as many as
 * there are threads. Handles of one store see what others have committed. The engine is chosen by
 * the location: a folder (SQLite) now; "postgresql://…" later, behind the same functions.
 *
 * The writer's batch. The service handles a batch of messages in one transaction:
 *
 *     begin ─▶ put_event, put_flows, update_device, raise, put_dead_letter, enqueue … ─▶ tidy ─▶
 * commit
 *
 * Only PICKET_OK from commit means that anything is there, and then it is there after a power cut
 * too. After any error in between, the caller rolls back and does the whole batch again later;
 * PICKET_FULL says the disk is full. A batch that has failed takes nothing more until it is rolled
 * back; a commit that fails has rolled back. Handles of one process take turns in the order in
 * which they come.
 *
 * What a visit is given is valid during the call; it may call other functions that read on the same
 * handle, but not the one it is called by.
 *
 * Nothing is doubled. An event is identified by (device, module, time, key), key being a hash of
 * its whole content: the predecessor's event ids repeat at every boot and on every device, and so
 * cannot identify one alone. put_event() says whether it is new; for a known one nothing else is
 * written.
 */
#ifndef PICKET_STORE_STORE_H
#define PICKET_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"
#include "picket/base/address_filter.h"
#include "picket/base/error.h"
#include "picket/base/flow.h"
#include "picket/store/thumbprint.h"

struct picket_store;

/* folder: created if missing (mode 0700). Creates or upgrades the schema; refuses a newer one. */
int picket_store_open(struct picket_store **store, const char *folder, struct picket_error *error);
void picket_store_close(struct picket_store *store);

/* ---- registry: who may connect, and with what ---- */

enum { PICKET_KEY_BYTES_MAX = 64 };

/* How a device proves who it is. The numbers are kept: they do not change. */
enum picket_authentication {
    PICKET_AUTHENTICATION_SAS = 0,        /* a token signed with one of its keys */
    PICKET_AUTHENTICATION_THUMBPRINT = 1, /* a certificate known by its hash */
    PICKET_AUTHENTICATION_CA = 2          /* one of a registered CA, with the id as common name */
};
const char *picket_authentication_name(int authentication); /* "sas", "thumbprint", "ca" */

struct picket_device_identity {
    char id[129];
    bool enabled;
    int authentication; /* enum picket_authentication; what belongs to another kind is empty */
    uint8_t primary_key[PICKET_KEY_BYTES_MAX];
    size_t primary_key_bytes;
    uint8_t secondary_key[PICKET_KEY_BYTES_MAX];
    size_t secondary_key_bytes;
    struct picket_thumbprint primary_thumbprint;
    struct picket_thumbprint secondary_thumbprint;
    int64_t created_ms;
};

/* PICKET_EXISTS; PICKET_INVALID for an id that is empty, longer than 128 characters, or has others
 * than ASCII letters, digits and - . _ : % * ? ! ( ) , = @ $ ' (Azure IoT Hub's set without # and
 * +), and for credentials that are not those of its kind of authentication. */
int picket_store_device_add(struct picket_store *store, const struct picket_device_identity *device,
                            struct picket_error *error);
/* All of them in one transaction, or none: *at is then the one that was refused, as above. */
int picket_store_devices_add(struct picket_store *store,
                             const struct picket_device_identity *devices, size_t count, size_t *at,
                             struct picket_error *error);
int picket_store_device_get(struct picket_store *store, const char *id,
                            struct picket_device_identity *device, struct picket_error *error);
/* Whether it may connect; its keys stay as they are. PICKET_NOT_FOUND. */
int picket_store_device_enable(struct picket_store *store, const char *id, bool enabled,
                               struct picket_error *error);
/* Replaces the kind of authentication, keys and thumbprints by those of *device; the rest of it is
 * not looked at. PICKET_NOT_FOUND; PICKET_INVALID as above. */
int picket_store_device_set_credentials(struct picket_store *store,
                                        const struct picket_device_identity *device,
                                        struct picket_error *error);
/* Its history stays until it ages out. PICKET_NOT_FOUND. */
int picket_store_device_remove(struct picket_store *store, const char *id,
                               struct picket_error *error);

/* What is known of a device, for people: registry and state joined. */
struct picket_device_summary {
    const char *id;
    bool registered; /* false: removed from the registry, history still here */
    bool enabled;
    int authentication; /* enum picket_authentication */
    int64_t created_ms;
    int64_t last_seen_ms; /* 0: never */
    int64_t events;
    int64_t open_alerts;
    int64_t flows_lost; /* what the device itself reported as lost */
    int64_t bytes_lost;
    const char *security_module_id; /* "" when not known */
    uint32_t security_module_version;
    const char *os_info;
    const char *kernel_info;
    const char *hw_info;
};
typedef void (*picket_device_visit)(void *context, const struct picket_device_summary *device);
struct picket_device_query {
    const char *id;    /* this one alone */
    const char *after; /* those whose ids come after, for paging; NULL: from the first */
    int limit;         /* 0: 100 */
};
/* In the order of their ids, byte by byte. PICKET_NOT_FOUND for an id that has neither. */
int picket_store_devices(struct picket_store *store, const struct picket_device_query *query,
                         picket_device_visit visit, void *context, struct picket_error *error);

/* ---- the writer's batch ---- */

int picket_store_begin(struct picket_store *store, struct picket_error *error);
int picket_store_commit(struct picket_store *store, struct picket_error *error);
void picket_store_rollback(struct picket_store *store);

enum { PICKET_EVENT_OF_HUB = 255 }; /* a type beyond the wire's: what the hub saw of the device */

struct picket_event_row {
    const char *device;
    const char *module; /* "" for the device itself */
    int64_t received_ms;
    int64_t time_s; /* Unix time the device gave; UINT32_MAX: its clock was unknown */
    uint8_t id[16];
    uint8_t key[16];
    uint32_t collection_interval_s;
    uint32_t duration_s;
    uint8_t type; /* number of the wire's payload union */
    uint32_t lost_flows;
    uint64_t lost_bytes_in;
    uint64_t lost_bytes_out;
    const char *content; /* JSON of the payload where it is not flows; NULL otherwise */
};

/* *event_id: > 0 and growing for a new event, 0 for one already known. */
int picket_store_put_event(struct picket_store *store, const struct picket_event_row *event,
                           int64_t *event_id, struct picket_error *error);
/* All flows of an event in one call, or in calls that follow one another; 65,536 at most; events in
 * the order of their ids. They may be written later in the batch: its commit tells at the latest.
 */
int picket_store_put_flows(struct picket_store *store, int64_t event_id,
                           const struct picket_flow *flows, size_t count,
                           struct picket_error *error);

/* What the device's state takes over from a message; NULL strings leave what is there, and the
 * version goes with the security module's id. Counts are added, seen_ms only grows. */
struct picket_device_state {
    const char *device;
    int64_t seen_ms;
    const char *security_module_id;
    uint32_t security_module_version;
    const char *os_info;
    const char *kernel_info;
    const char *hw_info;
    uint64_t new_events;
    uint64_t flows_lost;
    uint64_t bytes_lost;
};
int picket_store_update_device(struct picket_store *store, const struct picket_device_state *state,
                               struct picket_error *error);

struct picket_dead_letter {
    int64_t id; /* set by the store */
    const char *device;
    const char *module;
    int64_t received_ms;
    const char *reason;
    uint32_t offset; /* byte of the payload */
    const char *properties;
    const uint8_t *payload;
    size_t payload_bytes;
};
int picket_store_put_dead_letter(struct picket_store *store,
                                 const struct picket_dead_letter *letter,
                                 struct picket_error *error);

/* What is kept at most; 0: no such bound. What exceeds one goes from its oldest end. */
struct picket_store_bounds {
    int64_t dead_letters;
    int64_t dead_letter_bytes;  /* payloads and properties */
    int64_t outbox_items;       /* of one target */
    int64_t outbox_bytes;       /* payloads of one target; an alert has none */
    int64_t outbox_age_s;       /* what waits for longer is not sent any more */
    int64_t event_age_s;        /* events received longer ago go, with their flows */
    int64_t closed_alert_age_s; /* alerts closed longer ago go; open ones never */
    int64_t bytes; /* in use in the main file; the oldest events make room, all else stays */
};

/* What one call removed. */
struct picket_store_tidied {
    int64_t dead_letters;
    int64_t outbox_items;
    int64_t events;          /* too old */
    int64_t events_for_room; /* others, since there was more than bounds.bytes */
    int64_t alerts;
    bool more; /* there are more old events: the next call will take them */
};

/* Within a batch, best as the last before its commit: removes what exceeds the bounds, and adds it
 * to the totals and to its target's `dropped`. By number and bytes all that exceeds goes. By age,
 * as of now_ms (Unix time), some go a call, so that no batch takes long: 1,000 items of the outbox,
 * 100 events and twice as many as the batch has put, 100 alerts. The newest event always stays. */
int picket_store_tidy(struct picket_store *store, const struct picket_store_bounds *bounds,
                      int64_t now_ms, struct picket_store_tidied *tidied,
                      struct picket_error *error);

/* Outside of a batch, from a handle that is otherwise idle: makes room in the store's logs, about a
 * MiB a call, so that commits need not (a commit that makes a file larger takes longer on the
 * disk). *done: there is as much as the logs use, or the disk has too little left for it.
 * PICKET_BUSY: others are writing; PICKET_FULL. */
int picket_store_reserve(struct picket_store *store, bool *done, struct picket_error *error);

/* ---- alerts ---- */

enum picket_severity {
    PICKET_SEVERITY_LOW = 1,
    PICKET_SEVERITY_MEDIUM = 2,
    PICKET_SEVERITY_HIGH = 3
};
const char *picket_severity_name(int severity); /* "low", "medium", "high" */

/* What is known when a finding comes: of its alert, if there is an open one, and of others of its
 * type and subject that are open. */
struct picket_standing {
    int64_t count; /* findings of the alert before this one; 0: it will be new */
    int64_t first_seen_ms, last_seen_ms; /* of these */
    int64_t devices; /* others that had one within PICKET_STANDING_MS before; stops at
                        PICKET_STANDING_DEVICES */
};
enum { PICKET_STANDING_DEVICES = 16, PICKET_STANDING_MS = 7 * 24 * 3600 * 1000 };

/* What a detector found. Findings of the same type, device and subject are one alert whose count,
 * last_seen and last evidence change, as long as that alert is open (new or acknowledged). They may
 * come out of the order of their times: the first evidence is that of the earliest, the last that
 * of the latest. */
struct picket_finding {
    const char *type; /* e.g. "IoT_SuspiciousIpCommunication" */
    const char *device;
    const char *subject; /* what it is about, e.g. the indicator's prefix: identity, not prose */
    int severity;        /* enum picket_severity; the alert keeps the highest */
    int64_t seen_ms;     /* the event's time, bounded by receipt */
    const char *title;   /* one line */
    const char *description;
    const char *remediation;
    const char *technique; /* MITRE ATT&CK ids, space-separated, or "" */
    const char *evidence;  /* JSON object */
    const char *reasons;   /* why it has that severity: JSON array; NULL: nothing to say */
    /* NULL, or changes severity and reasons by what is known of its kind, before it is written. Of
     * the finding it sees a copy; what it sets there has to live until picket_store_raise()
     * returns. */
    void (*weigh)(void *context, const struct picket_standing *standing,
                  struct picket_finding *finding);
    void *weigh_context;
    /* Of a finding about the past, that sums up what had happened: how often, and since when;
     * seen_ms is when it last did. Found again, it is the same: what is in a period that the newest
     * alert of its kind, open or closed, covers already changes nothing. 0: of one event. */
    int64_t past_count;
    int64_t past_since_ms;
};

/* The numbers are kept. */
enum picket_alert_status {
    PICKET_ALERT_NEW = 1,
    PICKET_ALERT_ACKNOWLEDGED = 2, /* these two are open: findings fold into them */
    PICKET_ALERT_DISMISSED = 3,
    PICKET_ALERT_RESOLVED = 4,
    PICKET_ALERT_SUPPRESSED = 5 /* suppressions.h: told to nobody */
};
const char *picket_alert_status_name(int status); /* "new" ... "suppressed", "unknown" */

struct picket_alert {
    int64_t id;
    const char *type;
    const char *device;
    const char *subject;
    int severity;
    const char *status; /* picket_alert_status_name() */
    int64_t first_seen_ms;
    int64_t last_seen_ms;
    int64_t raised_ms; /* when Picket wrote it */
    int64_t count;
    const char *title;
    const char *description;
    const char *remediation;
    const char *technique;
    const char *first_evidence;
    const char *last_evidence;
    const char *verdict; /* of who closed it, "" before */
    const char *reason;  /* why it was acknowledged or closed, "" if nobody said */
    int64_t decided_ms;  /* when it was acknowledged, closed or last suppressed; 0: it is new */
    const char *reasons; /* of the highest severity it has had; "" if none are known */
    int64_t suppression; /* id of the one that kept it back last; 0: none has */
    int64_t decided_uid; /* who acknowledged, closed or opened it last, a user of this machine;
                            negative: nobody has, or it is not known */
};

/* Within a batch. A new alert is put into the outbox of every target in `targets` (NULL-terminated,
 * may be NULL) in the same transaction, and so is one whose severity a finding raises; *is_told
 * says whether. *alert_id and *is_told may be NULL. */
int picket_store_raise(struct picket_store *store, const struct picket_finding *finding,
                       const char *const *targets, int64_t *alert_id, bool *is_told,
                       struct picket_error *error);

/* Somebody has looked at it. */
struct picket_alert_decision {
    int64_t id;
    const char *status;  /* "acknowledged"; or "dismissed", "resolved": these close it; or "new":
                            opens one that is closed */
    const char *verdict; /* "" for one that is open */
    const char *reason;  /* "" for none */
    int64_t decided_ms;
    bool change; /* closes also one that is closed already, with another verdict */
    int64_t uid; /* whose decision; negative: not known */
};
/* PICKET_NOT_FOUND; PICKET_EXISTS: it is closed already, and stays so; it is suppressed; it is to
 * be opened, but is open, or another of its kind is; PICKET_INVALID: another status. A finding of
 * the same kind after it was closed is a new alert. Its own transaction. */
int picket_store_alert_decide(struct picket_store *store,
                              const struct picket_alert_decision *decision,
                              struct picket_error *error);

struct picket_alert_query {
    int64_t id;          /* > 0: this one */
    int64_t after_id;    /* > 0: only newer ones, ascending; otherwise newest first */
    bool oldest_first;   /* ascending even with after_id 0: from the very first */
    int64_t before_id;   /* > 0: only older ones, newest first, for paging */
    const char *device;  /* NULL: all */
    int64_t since_ms;    /* last seen at or after */
    int limit;           /* 0: 100 */
    const char *type;    /* NULL: all */
    const char *subject; /* NULL: all */
    int severity;        /* enum picket_severity: at least that; 0: all */
    unsigned statuses;   /* 1 << enum picket_alert_status, or-ed; 0: all */
};

/* Decides alike on all open ones that the query asks for, by device, time, type, subject, severity
 * and status; 500 a transaction, so that others write in between: *count have been decided on, also
 * when it fails. decision: closes or acknowledges; its id is not looked at. */
int picket_store_alerts_decide(struct picket_store *store, const struct picket_alert_query *query,
                               const struct picket_alert_decision *decision, int64_t *count,
                               struct picket_error *error);

typedef void (*picket_alert_visit)(void *context, const struct picket_alert *alert);
int picket_store_alerts(struct picket_store *store, const struct picket_alert_query *query,
                        picket_alert_visit visit, void *context, struct picket_error *error);

/* Alerts of one type and subject, taken together: what happened, on how many devices, since when.
 */
struct picket_alert_group {
    const char *type;
    const char *subject;
    const char *device; /* one of them */
    int64_t devices;
    int64_t alerts;
    int64_t open;  /* of these */
    int64_t count; /* findings */
    int severity;  /* the highest */
    int64_t first_seen_ms, last_seen_ms;
};
typedef void (*picket_alert_group_visit)(void *context, const struct picket_alert_group *group);
/* Of the alerts that the query asks for, as above (ids and order of which are not looked at): the
 * `limit` last seen, last first. */
int picket_store_alert_groups(struct picket_store *store, const struct picket_alert_query *query,
                              picket_alert_group_visit visit, void *context,
                              struct picket_error *error);

/* ---- events, for people ---- */

struct picket_event_query {
    const char *device; /* NULL: all */
    bool of_hub;        /* those of type PICKET_EVENT_OF_HUB, instead of all others */
    int64_t since_ms;   /* received at or after */
    int64_t before_id;  /* > 0: older ones, for paging */
    int limit;          /* 0: 100 */
};
/* flows are those of the event, in the order received; newest event first. */
typedef void (*picket_event_visit)(void *context, int64_t id, const struct picket_event_row *event,
                                   const struct picket_flow *flows, size_t flow_count);
int picket_store_events(struct picket_store *store, const struct picket_event_query *query,
                        picket_event_visit visit, void *context, struct picket_error *error);

/* ---- stored flows, for a search ---- */

/* Which events to look at for those received at or after since_ms and before until_ms: ids from
 * *first to the one before *end, 0 and 0 for none. Others are among them where the clock was set
 * back. */
int picket_store_events_between(struct picket_store *store, int64_t since_ms, int64_t until_ms,
                                int64_t *first, int64_t *end, struct picket_error *error);

/* What a search finds, and the event it is of. */
struct picket_stored_flow {
    int64_t event_id;
    struct picket_flow flow;
};
enum { PICKET_STORED_FLOWS_TOGETHER = 64 };
/* Up to so many at a time, in the order of their events. */
typedef void (*picket_stored_flows_visit)(void *context, const struct picket_stored_flow *flows,
                                          size_t count);

/* A search on its way through the events, slice by slice. */
struct picket_flow_search {
    int64_t next_event; /* the first to be looked at; a call leaves where to go on */
    int64_t end_event;  /* the first not to be looked at: there is nothing left once it is next */
    const struct picket_address_filter *filter; /* of remote addresses; NULL: all flows are found */
    int64_t events_max; /* of one call, so that it reads for milliseconds only; 0: 20,000 */
    /* What the calls have come to, added up. */
    int64_t events, flows, bytes; /* looked at: events with flows, and their flows */
    /* Events whose flows cannot be read; what comes before in them is. Of a damaged page of the
     * file so many ids, of which not all may have had flows. */
    int64_t damaged;
    int64_t damaged_event; /* the last of these; 0: none */
};
/* Looks at the next slice, as it is now: what is removed meanwhile is not found, what is added is.
 * Reads in one transaction that ends with the call; so does what visit reads with the handle. After
 * a failure the search cannot go on. */
int picket_store_flows_search(struct picket_store *store, struct picket_flow_search *search,
                              picket_stored_flows_visit visit, void *context,
                              struct picket_error *error);

/* What an event's flows do not say of themselves. */
struct picket_event_head {
    char device[129];
    int64_t received_ms;
    int64_t time_s; /* as in struct picket_event_row */
};
/* PICKET_NOT_FOUND. */
int picket_store_event_head(struct picket_store *store, int64_t event_id,
                            struct picket_event_head *head, struct picket_error *error);

/* How far stored events have been searched for indicators that came after them. Times are those of
 * indicators' first_seen_ms. */
struct picket_hunted {
    int64_t mark_ms;   /* those up to then have been searched for; 0: never was it noted */
    int64_t to_ms;     /* those up to then are being searched for; 0: none are */
    int64_t end_event; /* in the events before this one */
};
int picket_store_hunted_get(struct picket_store *store, struct picket_hunted *hunted,
                            struct picket_error *error);
/* Its own transaction. */
int picket_store_hunted_put(struct picket_store *store, const struct picket_hunted *hunted,
                            struct picket_error *error);

typedef void (*picket_dead_letter_visit)(void *context, const struct picket_dead_letter *letter);
int picket_store_dead_letters(struct picket_store *store, int limit, picket_dead_letter_visit visit,
                              void *context, struct picket_error *error);

/* ---- outbox: what outputs still have to send ---- */

struct picket_outbox_item {
    int64_t id;
    int64_t alert_id; /* > 0: an alert (join with picket_store_alerts); 0: the payload below */
    const char *device;
    const char *module; /* of the device that sent it; "" or NULL: the device itself */
    const char *properties;
    int64_t received_ms;
    const uint8_t *payload;
    size_t payload_bytes;
    int refusals; /* how often it was set aside, and put back; set by the store */
};

/* Within a batch: telemetry on its way to a route. */
int picket_store_enqueue(struct picket_store *store, const char *target,
                         const struct picket_outbox_item *item, struct picket_error *error);

/* The oldest items of a target, in order, up to limit, and no more once their payloads together
 * reach bytes_max; none that is set aside. */
typedef void (*picket_outbox_visit)(void *context, const struct picket_outbox_item *item);
int picket_store_outbox(struct picket_store *store, const char *target, int limit,
                        int64_t bytes_max, picket_outbox_visit visit, void *context,
                        struct picket_error *error);
/* Everything of the target up to and including id has been delivered, but for what is set aside; or
 * that one alone. Each its own transaction, as are those that follow. */
int picket_store_outbox_done(struct picket_store *store, const char *target, int64_t id,
                             struct picket_error *error);
int picket_store_outbox_done_one(struct picket_store *store, const char *target, int64_t id,
                                 struct picket_error *error);
/* The receiver refuses it for that reason, and takes others: it stays, but is not sent, until all
 * of the target's are put back. */
int picket_store_outbox_set_aside(struct picket_store *store, const char *target, int64_t id,
                                  const char *reason, struct picket_error *error);
int picket_store_outbox_put_back(struct picket_store *store, const char *target, int64_t *count,
                                 struct picket_error *error);
/* How many are waiting to be sent; target NULL: all. */
int picket_store_outbox_depth(struct picket_store *store, const char *target, int64_t *depth,
                              struct picket_error *error);

/* A target of the outbox, from its first item on; also one that no output has any more. */
struct picket_target {
    const char *name;
    int64_t waiting;       /* to be sent */
    int64_t waiting_bytes; /* of these and of those set aside */
    int64_t aside;         /* set aside */
    const char *refusal;   /* why the last one was, "" if none ever was */
    int64_t dropped;       /* by picket_store_tidy(), ever; some may have been sent meanwhile */
};
typedef void (*picket_target_visit)(void *context, const struct picket_target *target);
/* In the order of their names. */
int picket_store_targets(struct picket_store *store, picket_target_visit visit, void *context,
                         struct picket_error *error);

/* ---- feeds and indicators ---- */

/* Kept apart from the rest, so that a large feed never holds up a batch. */

/* How a feed's server is reached. Secrets are in files, of which the paths are kept; "" for what is
 * not wanted. */
struct picket_feed_access {
    char user[129];
    char password_file[512];
    char token_file[512]; /* a bearer token */
    char header[65];      /* the name of one whose value is a secret */
    char header_file[512];
    char proxy[256];            /* URL; "" for what the environment says */
    char ca_file[512];          /* whom to trust instead of those whom the system trusts */
    char certificate_file[512]; /* of our own, with its key */
    char key_file[512];
};

/* removed + kept there were, added + kept there are; changed: of those kept, of which the feed now
 * says something else (in which line it stands does not count). */
struct picket_feed_delta {
    int64_t added, removed, kept, changed;
};

/* What it means that a feed covers an address. The numbers are kept. */
enum picket_feed_role {
    PICKET_FEED_THREAT = 0, /* talking to it is an alert */
    PICKET_FEED_ALLOW = 1,  /* talking to it is none, whoever else lists it */
    PICKET_FEED_SHARED = 2  /* many use it: that a feed lists it says less */
};
const char *picket_feed_role_name(int role);  /* "threat", "allow", "shared"; NULL: none of them */
int picket_feed_role_named(const char *name); /* negative: none of them */

struct picket_feed {
    char name[65];
    char source[1024];          /* path or URL; "": a kept list */
    char format[16];            /* "auto", "plain", "csv" ... */
    int confidence;             /* 0..100, for indicators that bring none */
    bool match_special_purpose; /* also match private, loopback, multicast ... addresses */
    uint32_t refresh_s;         /* how often it is looked at; 0: only on request */
    int64_t added_ms;
    int64_t tried_ms;  /* last attempt */
    int64_t loaded_ms; /* last success, 0: never */
    char etag[256];
    char last_modified[64];
    int64_t indicators; /* kept by the store: picket_store_feed_put() does not look at it */
    int64_t skipped;    /* lines not understood at the last success */
    char problem[512];  /* why the last attempt failed or was refused; "" if it did not */
    struct picket_feed_access access;
    char pattern[128];     /* which files of a folder; "" for the usual ones */
    char columns[512];     /* which column has what; "" for what the header says */
    int64_t max_bytes;     /* 0: as many as any feed may have */
    int64_t changed_ms;    /* its settings; 0: never since it was added */
    int64_t not_before_ms; /* until when its server wants to be left alone; 0: it does not */
    int64_t whole_ms;      /* when it was last read from its beginning */
    char cursor[64];       /* up to where it has been read, as its server says it */
    struct picket_feed_delta last; /* of the last success */
    int64_t last_duration_ms;
    bool waits;              /* it has shrunk, and that wants a person's yes */
    int64_t would_hold;      /* indicators, then */
    int role;                /* enum picket_feed_role */
    bool match_own_networks; /* also match the fleet's own addresses */
    int64_t succeeded_ms;    /* last attempt that did, also if nothing had changed; 0: none has */
};
int picket_store_feed_put(struct picket_store *store, const struct picket_feed *feed,
                          struct picket_error *error); /* adds or replaces */
int picket_store_feed_remove(struct picket_store *store, const char *name,
                             struct picket_error *error); /* with its indicators */
typedef void (*picket_feed_visit)(void *context, const struct picket_feed *feed);
int picket_store_feeds(struct picket_store *store, picket_feed_visit visit, void *context,
                       struct picket_error *error);

/* To whom it may be shown: Traffic Light Protocol 2.0 (FIRST). The numbers are kept. */
enum picket_tlp {
    PICKET_TLP_NONE = 0,
    PICKET_TLP_CLEAR = 1, /* WHITE, in version 1 */
    PICKET_TLP_GREEN = 2,
    PICKET_TLP_AMBER = 3,
    PICKET_TLP_AMBER_STRICT = 4,
    PICKET_TLP_RED = 5
};
const char *picket_tlp_name(int tlp); /* "clear" ... "red"; NULL for none */

/* One indicator as one feed gives it. Which of the feed's it is: prefix, port and protocol. Texts
 * may be NULL on the way in, which is "". */
struct picket_indicator {
    struct picket_prefix prefix;
    uint16_t port;          /* 0: any */
    uint8_t protocol;       /* 0: any; otherwise enum picket_protocol + 1 */
    uint8_t confidence;     /* 0..100 */
    uint8_t severity;       /* enum picket_severity; 0: the feed says nothing */
    uint8_t tlp;            /* enum picket_tlp */
    uint32_t line;          /* in the feed's file */
    int64_t first_seen_ms;  /* when this feed first brought it to us */
    int64_t listed_ms;      /* since when, says the feed; 0: it says nothing */
    int64_t valid_until_ms; /* 0: for ever */
    const char *tags;       /* free text the feed gave, "" for none */
    const char *malware;    /* the family it belongs to, "" for none */
    const char *reference;  /* where to read more: a URL, or an id of the feed's; "" for none */
};

/* An indicator that came (before NULL), went (now NULL), or stays and is told of otherwise. */
typedef void (*picket_indicator_change_visit)(void *context, const struct picket_indicator *before,
                                              const struct picket_indicator *now);

/* Replaces a feed's indicators whole, in one transaction, keeping first_seen_ms of those that stay;
 * PICKET_OK only if all of it is there. Of the duplicates of one (prefix, port, protocol) the most
 * confident counts. visit (may be NULL) is called for each change in the order of prefixes, before
 * it is known whether all succeeds. PICKET_NOT_FOUND: there is no such feed. */
int picket_store_indicators_replace(struct picket_store *store, const char *feed,
                                    const struct picket_indicator *indicators, size_t count,
                                    picket_indicator_change_visit visit, void *context,
                                    struct picket_feed_delta *delta, struct picket_error *error);
/* The same, but fewer than `least` are not taken: PICKET_DENIED, and *delta tells what would be. */
int picket_store_indicators_replace_at_least(struct picket_store *store, const char *feed,
                                             const struct picket_indicator *indicators,
                                             size_t count, int64_t least,
                                             picket_indicator_change_visit visit, void *context,
                                             struct picket_feed_delta *delta,
                                             struct picket_error *error);

/* A feed without a source is a kept list: its owner changes it, indicator by indicator. */
bool picket_feed_is_kept(const struct picket_feed *feed);
/* Puts indicators into a kept list, all of them or none, in one transaction. One that is there
 * (prefix, port, protocol) takes over what is said of it now, and keeps first_seen_ms unless it had
 * expired by the one given and is valid again; the last of several alike counts. visit as above, in
 * the order of what changes. PICKET_NOT_FOUND: there is no such list; PICKET_INVALID: it is a feed
 * with a source. */
int picket_store_indicators_put(struct picket_store *store, const char *feed,
                                const struct picket_indicator *indicators, size_t count,
                                picket_indicator_change_visit visit, void *context,
                                struct picket_feed_delta *delta, struct picket_error *error);
/* The members of a change that are given; what it does not give stays as it is. */
enum {
    PICKET_INDICATOR_CONFIDENCE = 1,
    PICKET_INDICATOR_SEVERITY = 2,
    PICKET_INDICATOR_TLP = 4,
    PICKET_INDICATOR_LINE = 8,
    PICKET_INDICATOR_LISTED = 16,
    PICKET_INDICATOR_VALID_UNTIL = 32,
    PICKET_INDICATOR_TAGS = 64,
    PICKET_INDICATOR_MALWARE = 128,
    PICKET_INDICATOR_REFERENCE = 256,
    PICKET_INDICATOR_ALL = 511
};
struct picket_indicator_change {
    struct picket_indicator to; /* prefix, port and protocol say which; first_seen_ms: as above */
    unsigned members;
};
/* Changes those that are there, all or none. PICKET_NOT_FOUND also if the list does not have one;
 * *at (may be NULL) is then its place, and `count` if it is not one of them that failed. */
int picket_store_indicators_change(struct picket_store *store, const char *feed,
                                   const struct picket_indicator_change *changes, size_t count,
                                   picket_indicator_change_visit visit, void *context,
                                   struct picket_feed_delta *delta, size_t *at,
                                   struct picket_error *error);
/* Takes them out of it, all or none: of each prefix, port and protocol are looked at. As
 * above. */
int picket_store_indicators_take_out(struct picket_store *store, const char *feed,
                                     const struct picket_indicator *which, size_t count,
                                     picket_indicator_change_visit visit, void *context, size_t *at,
                                     struct picket_error *error);

/* All indicators of all feeds (feed NULL) or one. */
typedef void (*picket_indicator_visit)(void *context, const char *feed,
                                       const struct picket_indicator *indicator);
int picket_store_indicators(struct picket_store *store, const char *feed,
                            picket_indicator_visit visit, void *context,
                            struct picket_error *error);
/* What a kept list has, in the order of family, address, prefix length, port, protocol. */
struct picket_kept_query {
    const char *list;
    const struct picket_indicator *after;  /* those that come after it, for paging; NULL: all */
    const struct picket_address *covering; /* those that cover it; NULL: all */
    int64_t at_ms; /* > 0: those in force then or, if so asked, expired by then; 0: both */
    bool expired;
    int limit; /* 0: 100 */
};
/* PICKET_NOT_FOUND: there is no such list; PICKET_INVALID: it is a feed with a source. */
int picket_store_kept_indicators(struct picket_store *store, const struct picket_kept_query *query,
                                 picket_indicator_visit visit, void *context,
                                 struct picket_error *error);
/* Those of a kept list that are valid until after `after_ms` and until `until_ms` at the latest.
 * *next_ms: the next such time after until_ms; INT64_MAX: there is none. */
int picket_store_kept_expiring(struct picket_store *store, const char *list, int64_t after_ms,
                               int64_t until_ms, picket_indicator_visit visit, void *context,
                               int64_t *next_ms, struct picket_error *error);
/* Removes from kept lists what was valid until before_ms at the latest, oldest first, some at a
 * time, in a transaction: visit (may be NULL) tells which. *more: there are others. */
int picket_store_kept_forget(struct picket_store *store, int64_t before_ms,
                             picket_indicator_visit visit, void *context, bool *more,
                             struct picket_error *error);
/* The one of the feed with exactly that prefix, port and protocol; the rest of which is not looked
 * at. PICKET_NOT_FOUND. */
int picket_store_indicator(struct picket_store *store, const char *feed,
                           const struct picket_indicator *which, picket_indicator_visit visit,
                           void *context, struct picket_error *error);

/* ---- totals for `picket status` ---- */

struct picket_store_totals {
    int64_t devices, events, flows, alerts_open, alerts, dead_letters, outbox, feeds, indicators;
    int64_t dead_letter_bytes;
    int64_t dead_letters_dropped; /* by picket_store_tidy(), ever */
    int64_t events_aged;          /* the same */
    int64_t alerts_aged;          /* the same */
    int64_t oldest_event_ms;      /* receipt of the oldest event there is; 0: there is none */
    int64_t size_bytes;           /* on disk */
};
int picket_store_totals(struct picket_store *store, struct picket_store_totals *totals,
                        struct picket_error *error);

#endif

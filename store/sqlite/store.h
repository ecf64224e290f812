/* The SQLite engine: a folder with two files.
 *
 *     picket.db        devices, activity, inventory, events, flows, alerts, suppressions,
 * dead_letters, outbox, targets, twins, messages, sessions, totals, authorities, ip_rules,
 * ip_default, audit intelligence.db  feeds, indicator_blocks, kept_indicators
 *
 * Two, because SQLite has one writer a file: a feed of millions may be replaced while batches go
 * on. schema.c has the tables; README.md draws them.
 *
 * One noun a file: devices.c, activity.c, events.c, flows.c, alerts.c, dead_letters.c, outbox.c,
 * feeds.c, indicators.c, kept_indicators.c, totals.c; batch.c has the transaction that holds them
 * together, tidy.c removes what exceeds a bound.
 */
#ifndef PICKET_STORE_SQLITE_STORE_H
#define PICKET_STORE_SQLITE_STORE_H

#include "../engine.h"
#include "activity.h"
#include "database.h"
#include "device_numbers.h"
#include "writers.h"

/* What may be prepared on picket.db. */
enum {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_DEVICE_ADD,
    STATEMENT_DEVICE_GET,
    STATEMENT_DEVICE_ENABLE,
    STATEMENT_DEVICE_SET_CREDENTIALS,
    STATEMENT_DEVICE_REMOVE,
    STATEMENT_DEVICE_NUMBER,
    STATEMENT_DEVICE_NUMBER_NEW,
    STATEMENT_DEVICE_IDS,
    STATEMENT_DEVICES_ALL,
    STATEMENT_DEVICES_ONE,
    STATEMENT_AUTHORITY_ADD,
    STATEMENT_AUTHORITY_REMOVE,
    STATEMENT_AUTHORITY_FIND,
    STATEMENT_AUTHORITIES,
    STATEMENT_IP_RULES,
    STATEMENT_IP_RULES_REMOVE,
    STATEMENT_IP_RULE_PUT,
    STATEMENT_IP_DEFAULT,
    STATEMENT_IP_DEFAULT_PUT,
    STATEMENT_AUDIT_LAST,
    STATEMENT_AUDIT_PUT,
    STATEMENT_AUDIT_AGED,
    STATEMENT_AUDIT_AFTER,
    STATEMENT_AUDIT_BEFORE,
    STATEMENT_DATA_VERSION,
    STATEMENT_ACTIVITY_GET,
    STATEMENT_ACTIVITY_PUT,
    STATEMENT_INVENTORY_GET,
    STATEMENT_INVENTORY_PUT,
    STATEMENT_EVENT_PUT,
    STATEMENT_EVENTS_BEFORE,
    STATEMENT_EVENT_GET,
    STATEMENT_EVENT_PREVIOUS,
    STATEMENT_EVENT_LAST,
    STATEMENT_EVENT_NEWEST,
    STATEMENT_CLOCK_STEP_PUT,
    STATEMENT_CLOCK_STEP_BEFORE,
    STATEMENT_FLOWS_PUT,
    STATEMENT_FLOWS_PUT_TOGETHER,
    STATEMENT_FLOWS_GET,
    STATEMENT_FLOWS_SEARCH,
    STATEMENT_FLOWS_FROM,
    STATEMENT_EVENT_HEAD,
    STATEMENT_EVENT_FROM,
    STATEMENT_EVENTS_RANGE,
    STATEMENT_CLOCK_STEPS,
    STATEMENT_HUNTED_GET,
    STATEMENT_HUNTED_PUT,
    STATEMENT_EVENTS_OLDEST,
    STATEMENT_BYTES_IN_USE,
    STATEMENT_FLOWS_OLDEST,
    STATEMENT_EVENTS_AGED,
    STATEMENT_FLOWS_AGED,
    STATEMENT_CLOCK_STEPS_AGED,
    STATEMENT_ALERT_FIND,
    STATEMENT_ALERT_FIND_SUPPRESSED,
    STATEMENT_ALERT_SUPPRESS,
    STATEMENT_ALERT_FIND_PAST,
    STATEMENT_ALERT_ALIKE,
    STATEMENT_ALERT_NEW,
    STATEMENT_ALERT_FOLD,
    STATEMENT_ALERT_DECIDE,
    STATEMENT_ALERT_DECIDE_OPEN,
    STATEMENT_ALERT_STATUS,
    STATEMENT_ALERT_OPEN_ALIKE,
    STATEMENT_SUPPRESSION_PUT,
    STATEMENT_SUPPRESSION_REMOVE,
    STATEMENT_SUPPRESSION_HIT,
    STATEMENT_SUPPRESSIONS,
    STATEMENT_SUPPRESSIONS_ROOM,
    STATEMENT_SUPPRESSIONS_COUNT,
    STATEMENT_ALERTS_AGED,
    STATEMENT_TOTALS_ALERTS_AGED,
    STATEMENT_ALERTS_NEWEST,
    STATEMENT_ALERTS_AFTER,
    STATEMENT_ALERTS_NEWEST_OF,
    STATEMENT_ALERTS_AFTER_OF,
    STATEMENT_ALERTS_NEWEST_SINCE,
    STATEMENT_ALERTS_AFTER_SINCE,
    STATEMENT_DEAD_LETTER_PUT,
    STATEMENT_DEAD_LETTERS,
    STATEMENT_DEAD_LETTER_SIZES,
    STATEMENT_DEAD_LETTERS_REMOVE,
    STATEMENT_DEAD_LETTERS_HELD,
    STATEMENT_DEAD_LETTERS_DROPPED,
    STATEMENT_OUTBOX_PUT,
    STATEMENT_OUTBOX,
    STATEMENT_OUTBOX_DONE,
    STATEMENT_OUTBOX_DROP,
    STATEMENT_OUTBOX_DONE_ONE,
    STATEMENT_OUTBOX_ASIDE,
    STATEMENT_OUTBOX_BACK,
    STATEMENT_OUTBOX_DEPTH,
    STATEMENT_OUTBOX_DEPTH_OF,
    STATEMENT_OUTBOX_THROUGH,
    STATEMENT_OUTBOX_ALL_THROUGH,
    STATEMENT_OUTBOX_ONE,
    STATEMENT_OUTBOX_SIZES,
    STATEMENT_OUTBOX_OLD,
    STATEMENT_TARGET_COUNT,
    STATEMENT_TARGET_ASIDE,
    STATEMENT_TARGET_BACK,
    STATEMENT_TARGET_OVER,
    STATEMENT_TARGETS,
    STATEMENT_SESSION_GET,
    STATEMENT_SESSION_PUT,
    STATEMENT_SESSION_FORGET,
    STATEMENT_SESSIONS_REMOVE,
    STATEMENT_MESSAGE_PUT,
    STATEMENT_MESSAGES_COUNT,
    STATEMENT_MESSAGES_EACH,
    STATEMENT_MESSAGES_DELIVERED,
    STATEMENT_MESSAGE_DONE,
    STATEMENT_MESSAGES_EXPIRED_OF,
    STATEMENT_MESSAGES_EXPIRED,
    STATEMENT_MESSAGES_UNDELIVERABLE,
    STATEMENT_MESSAGES_PURGE,
    STATEMENT_TWIN_GET,
    STATEMENT_TWIN_NEW,
    STATEMENT_TWIN_DESIRED,
    STATEMENT_TWIN_REPORTED,
    STATEMENT_TWINS_REMOVE,
    STATEMENT_TOTALS_ADD,
    STATEMENT_TOTALS_AGED,
    STATEMENT_TOTALS,
    STATEMENTS_OF_PICKET_DB
};

/* What may be prepared on intelligence.db. */
enum {
    STATEMENT_FEED_PUT,
    STATEMENT_FEED_REMOVE,
    STATEMENT_FEED_NUMBER,
    STATEMENT_FEED_NUMBERS,
    STATEMENT_FEEDS,
    STATEMENT_FEED_STORED,
    STATEMENT_BLOCK_PUT,
    STATEMENT_BLOCKS_OF,
    STATEMENT_LAST_BLOCK,
    STATEMENT_BLOCK,
    STATEMENT_BLOCKS_REMOVE,
    STATEMENT_FEED_TOTALS,
    STATEMENT_FEED_PROBLEM_PUT,
    STATEMENT_FEED_PROBLEMS_REMOVE,
    STATEMENT_FEED_PROBLEMS,
    STATEMENT_FEED_PART_PUT,
    STATEMENT_FEED_PART_REMOVE,
    STATEMENT_FEED_PARTS_REMOVE,
    STATEMENT_FEED_PARTS,
    STATEMENT_KEPT_ALL,
    STATEMENT_KEPT_ONE,
    STATEMENT_KEPT_LIST,
    STATEMENT_KEPT_PUT,
    STATEMENT_KEPT_REMOVE,
    STATEMENT_KEPT_REMOVE_ALL,
    STATEMENT_KEPT_COUNT,
    STATEMENT_KEPT_PAGE,
    STATEMENT_KEPT_OF_PREFIX,
    STATEMENT_KEPT_EXPIRING,
    STATEMENT_KEPT_NEXT_EXPIRY,
    STATEMENT_KEPT_OLDEST,
    STATEMENTS_OF_INTELLIGENCE_DB
};

_Static_assert((int)STATEMENTS_OF_PICKET_DB <= (int)STATEMENTS_MAX, "database.h has room for all");

/* What the batch adds to the totals. */
struct batch_totals {
    int64_t events, flows, dead_letters, dead_letter_bytes;
};

/* Packed flows that wait to be written with others: a statement for many is cheaper than many. */
enum { FLOW_BLOCKS_TOGETHER = 16 };
struct flow_block {
    int64_t id;
    size_t start, size; /* in bytes */
};
struct flow_blocks {
    struct flow_block waiting[FLOW_BLOCKS_TOGETHER];
    int count;
    uint8_t *bytes;
    size_t used, capacity;
    int64_t event; /* that put_flows() was last called for */
    size_t flows;  /* and how many it has */
};

/* Suppressions that had not ended when the batch first asked for them. */
struct suppressions {
    bool loaded, lacks;
    int count;
    struct picket_suppression *items; /* their reasons are not kept */
};

struct sqlite_store {
    struct picket_store store;
    struct database picket;
    struct database intelligence;
    char *folder;
    struct writers *writers; /* shared with the other handles of this folder */

    bool in_batch;
    int batch_status; /* the first failure: nothing but a rollback is taken after it */
    struct batch_totals batch_totals;
    struct activity_table activity;       /* of the devices in this batch and those before */
    int64_t activity_version;             /* of the file, as others write it, when they were read */
    struct device_numbers device_numbers; /* known to this handle */
    bool newest_is_known;
    int64_t newest_received_ms; /* receipt of the event with the highest id */
    struct flow_blocks flow_blocks;
    struct picket_flow *flows; /* those read are unpacked here */
    size_t flows_capacity;
    bool knows_search; /* the SQL function of flow_search.c */
    struct suppressions suppressions;
    int64_t findings_suppressed; /* in this batch */
};

static inline struct sqlite_store *sqlite_of(struct picket_store *store)
{
    return (struct sqlite_store *)store;
}

/* ---- batch.c ---- */

int sqlite_begin(struct picket_store *store, struct picket_error *error);
int sqlite_commit(struct picket_store *store, struct picket_error *error);
void sqlite_rollback(struct picket_store *store);

/* What each function of a batch begins and ends with: refuses outside of a batch and after a
 * failure; notes a failure down and returns it. */
int batch_check(const struct sqlite_store *store, struct picket_error *error);
int batch_note(struct sqlite_store *store, int status);

/* Within a batch, writes what is gathered in memory; before it is read, and at the end. */
int batch_flush(struct sqlite_store *store, struct picket_error *error);

/* What writes outside of a batch begins and ends with: waits for its turn among the writers. */
int own_transaction_begin(struct sqlite_store *store, struct picket_error *error);
int own_transaction_end(struct sqlite_store *store, int status, struct picket_error *error);

/* A frame around several reads, so that all see the same; within a batch, what it has put so far.
 */
int snapshot_begin(struct sqlite_store *store, bool *framed, struct picket_error *error);
void snapshot_end(struct sqlite_store *store, bool framed);

/* ---- devices.c ---- */

int sqlite_device_add(struct picket_store *store, const struct picket_device_identity *device,
                      struct picket_error *error);
int sqlite_devices_add(struct picket_store *store, const struct picket_device_identity *devices,
                       size_t count, size_t *at, struct picket_error *error);
int sqlite_device_get(struct picket_store *store, const char *id,
                      struct picket_device_identity *device, struct picket_error *error);
int sqlite_device_enable(struct picket_store *store, const char *id, bool enabled,
                         struct picket_error *error);
int sqlite_device_set_credentials(struct picket_store *store,
                                  const struct picket_device_identity *device,
                                  struct picket_error *error);
int sqlite_device_remove(struct picket_store *store, const char *id, struct picket_error *error);
int sqlite_devices(struct picket_store *store, const struct picket_device_query *query,
                   picket_device_visit visit, void *context, struct picket_error *error);

/* Within a batch: the device's number; gives it one if it has none. */
int device_number_of(struct sqlite_store *store, const char *id, int64_t *number,
                     struct picket_error *error);

/* ---- authorities.c ---- */

int sqlite_authority_add(struct picket_store *store, const struct picket_authority *authority,
                         struct picket_error *error);
int sqlite_authority_remove(struct picket_store *store, const char *name,
                            struct picket_error *error);
int sqlite_authorities(struct picket_store *store, picket_authority_visit visit, void *context,
                       struct picket_error *error);

/* ---- ip_filter.c ---- */

int sqlite_ip_filter_put(struct picket_store *store, const struct picket_ip_filter *filter,
                         struct picket_error *error);
int sqlite_ip_filter_get(struct picket_store *store, struct picket_ip_filter *filter,
                         struct picket_error *error);

/* ---- audit.c ---- */

int sqlite_audit_append(struct picket_store *store, struct picket_audit_entry *entry, int64_t age_s,
                        struct picket_error *error);
int sqlite_audit(struct picket_store *store, const struct picket_audit_query *query,
                 picket_audit_visit visit, void *context, struct picket_error *error);

/* ---- activity.c ---- */

int sqlite_update_device(struct picket_store *store, const struct picket_device_state *state,
                         struct picket_error *error);
/* The device's entry, read from the file at its first use. */
int activity_of(struct sqlite_store *store, int64_t device, struct activity **activity,
                struct picket_error *error);
/* Writes what the batch has changed. */
int activity_flush(struct sqlite_store *store, struct picket_error *error);
/* At the begin of a batch: forgets what others may have changed. */
int activity_refresh(struct sqlite_store *store, struct picket_error *error);

/* ---- flows.c ---- */

/* Writes what waits. */
int flows_flush(struct sqlite_store *store, struct picket_error *error);
/* What waits was never given. */
void flows_forget(struct sqlite_store *store);

/* ---- twins.c ---- */

int sqlite_change_begin(struct picket_store *store, struct picket_error *error);
int sqlite_change_end(struct picket_store *store, int status, struct picket_error *error);
int sqlite_twin_get(struct picket_store *store, const char *device, const char *module,
                    picket_twin_visit visit, void *context, struct picket_error *error);
int sqlite_twin_put(struct picket_store *store, const char *device, const char *module,
                    enum picket_twin_part part, const struct picket_twin_document *document,
                    struct picket_error *error);
/* Of a device and its modules. */
int twins_remove(struct sqlite_store *store, const char *device, struct picket_error *error);

/* ---- sessions.c ---- */

int sqlite_session_get(struct picket_store *store, const char *device, const char *module,
                       uint32_t *subscriptions, struct picket_error *error);
int sqlite_session_put(struct picket_store *store, const char *device, const char *module,
                       uint32_t subscriptions, struct picket_error *error);
/* Of a device and its modules. */
int sessions_remove(struct sqlite_store *store, const char *device, struct picket_error *error);

/* ---- messages.c ---- */

int sqlite_message_put(struct picket_store *store, const struct picket_message *message,
                       int64_t *id, struct picket_error *error);
int sqlite_messages_count(struct picket_store *store, const char *device, int64_t *count,
                          struct picket_error *error);
int sqlite_messages_each(struct picket_store *store, const char *device, int64_t after_id,
                         int limit, picket_message_visit visit, void *context,
                         struct picket_error *error);
int sqlite_messages_delivered(struct picket_store *store, const char *device, int64_t after_id,
                              int64_t last_id, struct picket_error *error);
int sqlite_message_done(struct picket_store *store, const char *device, int64_t id,
                        struct picket_error *error);
int sqlite_messages_expired(struct picket_store *store, int64_t now_ms, struct device_name *devices,
                            int capacity, int *count, struct picket_error *error);
int sqlite_messages_drop_expired(struct picket_store *store, const char *device, int64_t now_ms,
                                 int64_t *count, struct picket_error *error);
int sqlite_messages_drop_undeliverable(struct picket_store *store, const char *device,
                                       int deliveries, int64_t after_id, int64_t *count,
                                       struct picket_error *error);
/* Also of a device that is no longer registered. */
int sqlite_messages_purge(struct picket_store *store, const char *device, int64_t *count,
                          struct picket_error *error);

/* ---- feed_parts.c ---- */

int sqlite_feed_problems_put(struct picket_store *store, const char *feed,
                             const struct picket_feed_problem *problems, size_t count,
                             struct picket_error *error);
int sqlite_feed_problems(struct picket_store *store, const char *feed,
                         picket_feed_problem_visit visit, void *context,
                         struct picket_error *error);
int sqlite_feed_parts_change(struct picket_store *store, const char *feed, bool whole,
                             const struct picket_feed_part *parts, size_t count,
                             struct picket_error *error);
int sqlite_feed_parts(struct picket_store *store, const char *feed, picket_feed_part_visit visit,
                      void *context, struct picket_error *error);
/* Within a transaction: all that is kept of the feed beside it and its indicators. */
int feed_belongings_remove(struct sqlite_store *store, int64_t feed, struct picket_error *error);

/* ---- the rest ---- */

int sqlite_put_event(struct picket_store *store, const struct picket_event_row *event,
                     int64_t *event_id, struct picket_error *error);
int sqlite_put_flows(struct picket_store *store, int64_t event_id, const struct picket_flow *flows,
                     size_t count, struct picket_error *error);
int sqlite_events(struct picket_store *store, const struct picket_event_query *query,
                  picket_event_visit visit, void *context, struct picket_error *error);

int sqlite_events_between(struct picket_store *store, int64_t since_ms, int64_t until_ms,
                          int64_t *first, int64_t *end, struct picket_error *error);
int sqlite_flows_search(struct picket_store *store, struct picket_flow_search *search,
                        picket_stored_flows_visit visit, void *context, struct picket_error *error);
int sqlite_hunted_get(struct picket_store *store, struct picket_hunted *hunted,
                      struct picket_error *error);
int sqlite_hunted_put(struct picket_store *store, const struct picket_hunted *hunted,
                      struct picket_error *error);
int sqlite_event_head(struct picket_store *store, int64_t event_id, struct picket_event_head *head,
                      struct picket_error *error);

int sqlite_put_dead_letter(struct picket_store *store, const struct picket_dead_letter *letter,
                           struct picket_error *error);
int sqlite_dead_letters(struct picket_store *store, int limit, picket_dead_letter_visit visit,
                        void *context, struct picket_error *error);

int sqlite_raise(struct picket_store *store, const struct picket_finding *finding,
                 const char *const *targets, int64_t *alert_id, bool *is_told,
                 struct picket_error *error);

/* ---- alert_decisions.c ---- */

int sqlite_alert_decide(struct picket_store *store, const struct picket_alert_decision *decision,
                        struct picket_error *error);
int sqlite_alerts_decide(struct picket_store *store, const struct picket_alert_query *query,
                         const struct picket_alert_decision *decision, int64_t *count,
                         struct picket_error *error);

/* ---- alert_queries.c ---- */

int sqlite_alerts(struct picket_store *store, const struct picket_alert_query *query,
                  picket_alert_visit visit, void *context, struct picket_error *error);
int sqlite_alert_groups(struct picket_store *store, const struct picket_alert_query *query,
                        picket_alert_group_visit visit, void *context, struct picket_error *error);

/* What a query asks of `alerts i`: the index to go by, "where ...", and its parameters, in their
 * order. */
enum { ALERT_FILTER_BYTES = 512 };
const char *alert_filter_index(const struct picket_alert_query *asked);
void alert_filter_where(const struct picket_alert_query *asked, char out[ALERT_FILTER_BYTES]);
void alert_filter_bind(struct query *query, const struct picket_alert_query *asked);

/* ---- suppressions.c ---- */

int sqlite_suppression_add(struct picket_store *store, const struct picket_suppression *suppression,
                           int64_t *id, struct picket_error *error);
int sqlite_suppression_remove(struct picket_store *store, int64_t id, struct picket_error *error);
int sqlite_suppressions(struct picket_store *store, picket_suppression_visit visit, void *context,
                        struct picket_error *error);
/* Within a batch: the first that covers the finding now; 0: none does. */
int suppression_of(struct sqlite_store *store, const struct picket_finding *finding, int64_t now_ms,
                   int64_t *id, struct picket_error *error);
/* Within a batch: it has kept back one more. */
int suppression_hit(struct sqlite_store *store, int64_t id, int64_t now_ms,
                    struct picket_error *error);
/* Others may change them between batches. */
void suppressions_forget(struct suppressions *suppressions);
void suppressions_free(struct suppressions *suppressions);

int sqlite_enqueue(struct picket_store *store, const char *target,
                   const struct picket_outbox_item *item, struct picket_error *error);
int outbox_put(struct sqlite_store *store, const char *target,
               const struct picket_outbox_item *item, struct picket_error *error);
int sqlite_outbox(struct picket_store *store, const char *target, int limit, int64_t bytes_max,
                  picket_outbox_visit visit, void *context, struct picket_error *error);
int sqlite_outbox_done(struct picket_store *store, const char *target, int64_t id,
                       struct picket_error *error);
int sqlite_outbox_done_one(struct picket_store *store, const char *target, int64_t id,
                           struct picket_error *error);
int sqlite_outbox_set_aside(struct picket_store *store, const char *target, int64_t id,
                            const char *reason, struct picket_error *error);
int sqlite_outbox_put_back(struct picket_store *store, const char *target, int64_t *count,
                           struct picket_error *error);
/* Drops a target's items up to and including id, also those set aside. */
int outbox_drop(struct sqlite_store *store, const char *target, int64_t id, int64_t *count,
                struct picket_error *error);
int sqlite_targets(struct picket_store *store, picket_target_visit visit, void *context,
                   struct picket_error *error);
int sqlite_outbox_depth(struct picket_store *store, const char *target, int64_t *depth,
                        struct picket_error *error);

int sqlite_feed_put(struct picket_store *store, const struct picket_feed *feed,
                    struct picket_error *error);
int sqlite_feed_remove(struct picket_store *store, const char *name, struct picket_error *error);
int sqlite_feeds(struct picket_store *store, picket_feed_visit visit, void *context,
                 struct picket_error *error);
int sqlite_indicators_replace(struct picket_store *store, const char *feed,
                              const struct picket_indicator *indicators, size_t count,
                              int64_t least, picket_indicator_change_visit visit, void *context,
                              struct picket_feed_delta *delta, struct picket_error *error);
int sqlite_indicators(struct picket_store *store, const char *feed, picket_indicator_visit visit,
                      void *context, struct picket_error *error);
int sqlite_indicators_put(struct picket_store *store, const char *feed,
                          const struct picket_indicator *indicators, size_t count,
                          picket_indicator_change_visit visit, void *context,
                          struct picket_feed_delta *delta, struct picket_error *error);
int sqlite_indicators_change(struct picket_store *store, const char *feed,
                             const struct picket_indicator_change *changes, size_t count,
                             picket_indicator_change_visit visit, void *context,
                             struct picket_feed_delta *delta, size_t *at,
                             struct picket_error *error);
int sqlite_kept_indicators(struct picket_store *store, const struct picket_kept_query *query,
                           picket_indicator_visit visit, void *context, struct picket_error *error);
int sqlite_kept_expiring(struct picket_store *store, const char *list, int64_t after_ms,
                         int64_t until_ms, picket_indicator_visit visit, void *context,
                         int64_t *next_ms, struct picket_error *error);
int sqlite_kept_forget(struct picket_store *store, int64_t before_ms, picket_indicator_visit visit,
                       void *context, bool *more, struct picket_error *error);
int sqlite_indicators_take_out(struct picket_store *store, const char *feed,
                               const struct picket_indicator *which, size_t count,
                               picket_indicator_change_visit visit, void *context, size_t *at,
                               struct picket_error *error);
int sqlite_indicator(struct picket_store *store, const char *feed,
                     const struct picket_indicator *which, picket_indicator_visit visit,
                     void *context, struct picket_error *error);

/* Writing to intelligence.db. */
int intelligence_begin(struct sqlite_store *store, struct picket_error *error);
int intelligence_end(struct sqlite_store *store, int status, struct picket_error *error);
/* The id of the first block of a feed's indicators; there is room for UINT32_MAX behind it. */
int64_t first_block(int64_t feed, int64_t generation);
int feed_number(struct sqlite_store *store, const char *name, int64_t *number, int64_t *generation,
                struct picket_error *error);
int blocks_remove(struct sqlite_store *store, int64_t feed, int64_t generation,
                  struct picket_error *error);

/* ---- kept_indicators.c: those of lists that are changed one by one ---- */

int kept_visit(struct sqlite_store *store, const char *name, int64_t feed,
               picket_indicator_visit visit, void *context, struct picket_error *error);
int kept_find(struct sqlite_store *store, const char *name, int64_t feed,
              const struct picket_indicator *which, picket_indicator_visit visit, void *context,
              bool *found, struct picket_error *error);
int kept_remove_all(struct sqlite_store *store, int64_t feed, struct picket_error *error);

int sqlite_totals(struct picket_store *store, struct picket_store_totals *totals,
                  struct picket_error *error);

/* Removes some of the events that are older than age_s, with their flows. */
int age_events(struct sqlite_store *store, int64_t age_s, int64_t now_ms, int64_t events_put,
               struct picket_store_tidied *tidied, struct picket_error *error);
/* Removes some of the oldest events while more than so many bytes of the file are in use. */
int make_room(struct sqlite_store *store, int64_t bytes_max, int64_t events_put,
              struct picket_store_tidied *tidied, struct picket_error *error);
/* As age_events(), of alerts closed longer ago. */
int age_alerts(struct sqlite_store *store, int64_t age_s, int64_t now_ms,
               struct picket_store_tidied *tidied, struct picket_error *error);

int sqlite_tidy(struct picket_store *store, const struct picket_store_bounds *bounds,
                int64_t now_ms, struct picket_store_tidied *tidied, struct picket_error *error);

/* ---- log_room.c ---- */

int sqlite_reserve(struct picket_store *store, bool *done, struct picket_error *error);

/* ---- schema.c ---- */

extern const struct schema picket_schema;
extern const struct schema intelligence_schema;

#endif

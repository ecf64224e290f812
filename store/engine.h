/* What an engine gives to be a store. Internal to store/.
 *
 * An engine's own structure begins with struct picket_store; its open function allocates it and
 * sets engine, and close frees it. The functions are those of picket/store/store.h, with the same
 * contract; store.c has checked the arguments before they are called.
 */
#ifndef PICKET_STORE_ENGINE_H
#define PICKET_STORE_ENGINE_H

#include "picket/store/administration.h"
#include "picket/store/audit.h"
#include "picket/store/feed_parts.h"
#include "picket/store/messages.h"
#include "picket/store/store.h"
#include "picket/store/suppressions.h"
#include "picket/store/twins.h"

struct device_name {
    char id[129];
};

struct store_engine {
    void (*close)(struct picket_store *store);

    int (*device_add)(struct picket_store *store, const struct picket_device_identity *device,
                      struct picket_error *error);
    int (*devices_add)(struct picket_store *store, const struct picket_device_identity *devices,
                       size_t count, size_t *at, struct picket_error *error);
    int (*device_get)(struct picket_store *store, const char *id,
                      struct picket_device_identity *device, struct picket_error *error);
    int (*device_enable)(struct picket_store *store, const char *id, bool enabled,
                         struct picket_error *error);
    int (*device_set_credentials)(struct picket_store *store,
                                  const struct picket_device_identity *device,
                                  struct picket_error *error);
    int (*device_remove)(struct picket_store *store, const char *id, struct picket_error *error);
    int (*devices)(struct picket_store *store, const struct picket_device_query *query,
                   picket_device_visit visit, void *context, struct picket_error *error);

    int (*authority_add)(struct picket_store *store, const struct picket_authority *authority,
                         struct picket_error *error);
    int (*authority_remove)(struct picket_store *store, const char *name,
                            struct picket_error *error);
    int (*authorities)(struct picket_store *store, picket_authority_visit visit, void *context,
                       struct picket_error *error);
    int (*ip_filter_put)(struct picket_store *store, const struct picket_ip_filter *filter,
                         struct picket_error *error);
    int (*ip_filter_get)(struct picket_store *store, struct picket_ip_filter *filter,
                         struct picket_error *error);

    int (*audit_append)(struct picket_store *store, struct picket_audit_entry *entry, int64_t age_s,
                        struct picket_error *error);
    int (*audit)(struct picket_store *store, const struct picket_audit_query *query,
                 picket_audit_visit visit, void *context, struct picket_error *error);

    int (*begin)(struct picket_store *store, struct picket_error *error);
    int (*commit)(struct picket_store *store, struct picket_error *error);
    void (*rollback)(struct picket_store *store);
    int (*put_event)(struct picket_store *store, const struct picket_event_row *event,
                     int64_t *event_id, struct picket_error *error);
    int (*put_flows)(struct picket_store *store, int64_t event_id, const struct picket_flow *flows,
                     size_t count, struct picket_error *error);
    int (*update_device)(struct picket_store *store, const struct picket_device_state *state,
                         struct picket_error *error);
    int (*put_dead_letter)(struct picket_store *store, const struct picket_dead_letter *letter,
                           struct picket_error *error);
    int (*raise)(struct picket_store *store, const struct picket_finding *finding,
                 const char *const *targets, int64_t *alert_id, bool *is_told,
                 struct picket_error *error);
    int (*enqueue)(struct picket_store *store, const char *target,
                   const struct picket_outbox_item *item, struct picket_error *error);
    int (*tidy)(struct picket_store *store, const struct picket_store_bounds *bounds,
                int64_t now_ms, struct picket_store_tidied *tidied, struct picket_error *error);
    int (*reserve)(struct picket_store *store, bool *done, struct picket_error *error);

    int (*alert_decide)(struct picket_store *store, const struct picket_alert_decision *decision,
                        struct picket_error *error);
    int (*alerts_decide)(struct picket_store *store, const struct picket_alert_query *query,
                         const struct picket_alert_decision *decision, int64_t *count,
                         struct picket_error *error);
    int (*alert_groups)(struct picket_store *store, const struct picket_alert_query *query,
                        picket_alert_group_visit visit, void *context, struct picket_error *error);
    int (*suppression_add)(struct picket_store *store, const struct picket_suppression *suppression,
                           int64_t *id, struct picket_error *error);
    int (*suppression_remove)(struct picket_store *store, int64_t id, struct picket_error *error);
    int (*suppressions)(struct picket_store *store, picket_suppression_visit visit, void *context,
                        struct picket_error *error);
    int (*alerts)(struct picket_store *store, const struct picket_alert_query *query,
                  picket_alert_visit visit, void *context, struct picket_error *error);
    int (*events)(struct picket_store *store, const struct picket_event_query *query,
                  picket_event_visit visit, void *context, struct picket_error *error);
    int (*events_between)(struct picket_store *store, int64_t since_ms, int64_t until_ms,
                          int64_t *first, int64_t *end, struct picket_error *error);
    int (*flows_search)(struct picket_store *store, struct picket_flow_search *search,
                        picket_stored_flows_visit visit, void *context, struct picket_error *error);
    int (*hunted_get)(struct picket_store *store, struct picket_hunted *hunted,
                      struct picket_error *error);
    int (*hunted_put)(struct picket_store *store, const struct picket_hunted *hunted,
                      struct picket_error *error);
    int (*event_head)(struct picket_store *store, int64_t event_id, struct picket_event_head *head,
                      struct picket_error *error);
    int (*dead_letters)(struct picket_store *store, int limit, picket_dead_letter_visit visit,
                        void *context, struct picket_error *error);

    int (*outbox)(struct picket_store *store, const char *target, int limit, int64_t bytes_max,
                  picket_outbox_visit visit, void *context, struct picket_error *error);
    int (*outbox_done)(struct picket_store *store, const char *target, int64_t id,
                       struct picket_error *error);
    int (*outbox_done_one)(struct picket_store *store, const char *target, int64_t id,
                           struct picket_error *error);
    int (*outbox_set_aside)(struct picket_store *store, const char *target, int64_t id,
                            const char *reason, struct picket_error *error);
    int (*outbox_put_back)(struct picket_store *store, const char *target, int64_t *count,
                           struct picket_error *error);
    int (*outbox_depth)(struct picket_store *store, const char *target, int64_t *depth,
                        struct picket_error *error);
    int (*targets)(struct picket_store *store, picket_target_visit visit, void *context,
                   struct picket_error *error);

    int (*feed_put)(struct picket_store *store, const struct picket_feed *feed,
                    struct picket_error *error);
    int (*feed_remove)(struct picket_store *store, const char *name, struct picket_error *error);
    int (*feeds)(struct picket_store *store, picket_feed_visit visit, void *context,
                 struct picket_error *error);
    int (*indicators_replace)(struct picket_store *store, const char *feed,
                              const struct picket_indicator *indicators, size_t count,
                              int64_t least, picket_indicator_change_visit visit, void *context,
                              struct picket_feed_delta *delta, struct picket_error *error);
    int (*feed_problems_put)(struct picket_store *store, const char *feed,
                             const struct picket_feed_problem *problems, size_t count,
                             struct picket_error *error);
    int (*feed_problems)(struct picket_store *store, const char *feed,
                         picket_feed_problem_visit visit, void *context,
                         struct picket_error *error);
    int (*feed_parts_change)(struct picket_store *store, const char *feed, bool whole,
                             const struct picket_feed_part *parts, size_t count,
                             struct picket_error *error);
    int (*feed_parts)(struct picket_store *store, const char *feed, picket_feed_part_visit visit,
                      void *context, struct picket_error *error);
    int (*indicators_put)(struct picket_store *store, const char *feed,
                          const struct picket_indicator *indicators, size_t count,
                          picket_indicator_change_visit visit, void *context,
                          struct picket_feed_delta *delta, struct picket_error *error);
    int (*indicators_change)(struct picket_store *store, const char *feed,
                             const struct picket_indicator_change *changes, size_t count,
                             picket_indicator_change_visit visit, void *context,
                             struct picket_feed_delta *delta, size_t *at,
                             struct picket_error *error);
    int (*kept_indicators)(struct picket_store *store, const struct picket_kept_query *query,
                           picket_indicator_visit visit, void *context,
                           struct picket_error *error);
    int (*kept_expiring)(struct picket_store *store, const char *list, int64_t after_ms,
                         int64_t until_ms, picket_indicator_visit visit, void *context,
                         int64_t *next_ms, struct picket_error *error);
    int (*kept_forget)(struct picket_store *store, int64_t before_ms, picket_indicator_visit visit,
                       void *context, bool *more, struct picket_error *error);
    int (*indicators_take_out)(struct picket_store *store, const char *feed,
                               const struct picket_indicator *which, size_t count,
                               picket_indicator_change_visit visit, void *context, size_t *at,
                               struct picket_error *error);
    int (*indicators)(struct picket_store *store, const char *feed, picket_indicator_visit visit,
                      void *context, struct picket_error *error);
    int (*indicator)(struct picket_store *store, const char *feed,
                     const struct picket_indicator *which, picket_indicator_visit visit,
                     void *context, struct picket_error *error);

    /* A transaction of small changes; its end commits if status is PICKET_OK, else rolls back, and
     * returns status or the commit's. */
    int (*change_begin)(struct picket_store *store, struct picket_error *error);
    int (*change_end)(struct picket_store *store, int status, struct picket_error *error);
    int (*twin_get)(struct picket_store *store, const char *device, const char *module,
                    picket_twin_visit visit, void *context, struct picket_error *error);
    /* Within a change: replaces that part. PICKET_BUSY: too many modules. */
    int (*twin_put)(struct picket_store *store, const char *device, const char *module,
                    enum picket_twin_part part, const struct picket_twin_document *document,
                    struct picket_error *error);

    /* session_put: within a change. */
    int (*session_get)(struct picket_store *store, const char *device, const char *module,
                       uint32_t *subscriptions, struct picket_error *error);
    int (*session_put)(struct picket_store *store, const char *device, const char *module,
                       uint32_t subscriptions, struct picket_error *error);

    /* Within a change, but for messages_count and messages_each. message_put: to a device that is
     * registered; messages_count: PICKET_NOT_FOUND; messages_expired: devices for which some have
     * expired, as many as there is room for; the rest find nothing for a device that is not
     * registered. */
    int (*message_put)(struct picket_store *store, const struct picket_message *message,
                       int64_t *id, struct picket_error *error);
    int (*messages_count)(struct picket_store *store, const char *device, int64_t *count,
                          struct picket_error *error);
    int (*messages_each)(struct picket_store *store, const char *device, int64_t after_id,
                         int limit, picket_message_visit visit, void *context,
                         struct picket_error *error);
    int (*messages_delivered)(struct picket_store *store, const char *device, int64_t after_id,
                              int64_t last_id, struct picket_error *error);
    int (*message_done)(struct picket_store *store, const char *device, int64_t id,
                        struct picket_error *error);
    int (*messages_expired)(struct picket_store *store, int64_t now_ms, struct device_name *devices,
                            int capacity, int *count, struct picket_error *error);
    int (*messages_drop_expired)(struct picket_store *store, const char *device, int64_t now_ms,
                                 int64_t *count, struct picket_error *error);
    int (*messages_drop_undeliverable)(struct picket_store *store, const char *device,
                                       int deliveries, int64_t after_id, int64_t *count,
                                       struct picket_error *error);
    int (*messages_purge)(struct picket_store *store, const char *device, int64_t *count,
                          struct picket_error *error);

    int (*totals)(struct picket_store *store, struct picket_store_totals *totals,
                  struct picket_error *error);
};

struct picket_store {
    const struct store_engine *engine;
    bool grouped;                       /* between group_begin and its end */
    int group_status;                   /* the first failure that is no refusal */
    picket_messages_lost messages_lost; /* NULL: nobody wants to know */
    void *messages_lost_context;
};

/* Engines. */
int store_open_sqlite(struct picket_store **store, const char *folder, struct picket_error *error);

#endif

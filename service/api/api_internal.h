/* What the files of the API share.
 *
 * One thread a connection (libmicrohttpd's), so that a request may wait: for a feed to be read, or
 * for the next alert. Connections are bounded, and so are header, body, and the time a request may
 * wait.
 *
 *     connection ─▶ api.c: collect body ─▶ api_route.c: which resource, are all names known
 *                                              └─▶ api_<resource>.c: answer ─▶ api.c: send
 */
#ifndef PICKET_SERVICE_API_INTERNAL_H
#define PICKET_SERVICE_API_INTERNAL_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"
#include "picket/service/api.h"
#include "picket/store/administration.h"
#include "picket/store/store.h"
#include "picket/store/suppressions.h"

enum {
    API_BODY_BYTES_MAX = 128 * 1024, /* a message to a device in base64, and what goes with it */
    API_IMPORT_BYTES_MAX = 8 * 1024 * 1024,
    API_INDICATORS_IMPORT_BYTES_MAX = 32 * 1024 * 1024,
    API_IMPORT_DEVICES_MAX = 20000,
    API_DRAIN_BYTES_MAX =
        1024 * 1024, /* of a body too large, read so that the client gets its answer */
    API_CONNECTIONS_MAX = 128,
    API_IDLE_S = 60,
    API_WAIT_S_MAX = 60,
    API_STOP_MS = 5000, /* to answer what is under way */
    API_QUERY_MAX = 12,
    API_LOOKUP_MAX = 1000, /* addresses in one request */
    API_LIMIT_DEFAULT = 100,
    API_LIMIT_MAX = 1000
};

/* ---- a request and its answer ---- */

struct api_query_value {
    const char *name;
    const char *value;
};

struct api_request {
    struct picket_api *api;
    const char *method;
    const char *path;
    const char *argument; /* what stood at {} of the route's path, "" if it has none */
    struct api_query_value query[API_QUERY_MAX];
    size_t query_count;
    int64_t uid, pid; /* of who asks; -1 and 0: not known */
    const char *body_text;
    size_t body_bytes;
    json_t *body; /* an object if the route takes members, otherwise NULL */
};

struct api_answer {
    unsigned status;
    json_t *body;   /* owned */
    char allow[64]; /* for 405: the methods there are; otherwise "" */
};

/* Sets the answer; takes the reference. NULL (no memory) becomes an error. */
void api_answer_json(struct api_answer *answer, unsigned status, json_t *body);
void api_answer_refuse(struct api_answer *answer, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A failure of store, intelligence or parsing, with its HTTP status. */
void api_answer_error(struct api_answer *answer, const struct picket_error *error);
unsigned api_http_status(int status);

/* ---- routes ---- */

struct api_route {
    const char *method;
    const char *path;    /* segments; {} stands for one that is not empty */
    const char *query;   /* names it takes, blank-separated */
    const char *members; /* of its body; NULL: takes none */
    void (*handle)(struct api_request *request, struct api_answer *answer);
    const char *act; /* its name in the audit log; NULL: it only reads. Of a GET: with keys=true */
};

/* Of a body sent there. */
size_t api_body_bytes_max(const char *path);

/* Answers in every case. `request` has method, path, query and body text; the rest is filled here.
 */
void api_route(struct api_request *request, struct api_answer *answer);

/* True: the word is one of the blank-separated list. */
bool api_listed(const char *list, const char *word);

/* ---- values from outside (api_values.c) ---- */

/* The value given in the query, or NULL. */
const char *api_query_text(const struct api_request *request, const char *name);
/* Leave *out as it is when the query does not give the name. PICKET_INVALID. */
int api_query_number(const struct api_request *request, const char *name, int64_t min, int64_t max,
                     int64_t *out, struct picket_error *error);
int api_query_time(const struct api_request *request, const char *name, int64_t *unix_ms,
                   struct picket_error *error);
int api_query_flag(const struct api_request *request, const char *name, bool *out,
                   struct picket_error *error);
/* The query's `module`, "" without one. PICKET_INVALID: none has such a name. */
int api_query_module(const struct api_request *request, const char **out,
                     struct picket_error *error);

/* The id that the path gives of a noun ("alert"). False: it is none, and was refused. */
bool api_path_id(const struct api_request *request, const char *noun, int64_t *id,
                 struct api_answer *answer);

/* A time, or a span back from now; `what` it is of, for who reads why it is none. */
int api_parse_time(const char *what, const char *text, int64_t *unix_ms,
                   struct picket_error *error);

/* A body: one JSON object with none but the members listed, no duplicates, of bounded depth. */
int api_body_parse(const char *text, size_t size_bytes, const char *members, json_t **body,
                   struct picket_error *error);
/* An object within a body: none but the members listed. */
int api_members_check(const json_t *object, const char *members, struct picket_error *error);

/* Members of a body; without `required`, *out stays as it is when the member is absent. Text is the
 * body's, valid as long as it, and holds no NUL and no control characters. */
int api_member_text(const json_t *body, const char *name, bool required, const char **out,
                    struct picket_error *error);
int api_member_number(const json_t *body, const char *name, int64_t min, int64_t max, int64_t *out,
                      struct picket_error *error);
int api_member_flag(const json_t *body, const char *name, bool *out, struct picket_error *error);

/* 16 to 64 bytes in base64; SHA-256 or SHA-1 in hexadecimal. */
int api_member_key(const json_t *body, const char *name, uint8_t *key, size_t *key_bytes,
                   struct picket_error *error);
int api_member_thumbprint(const json_t *body, const char *name,
                          struct picket_thumbprint *thumbprint, struct picket_error *error);

/* The bodies of POST: pure functions of the object. */
int api_parse_device(const json_t *body, struct picket_device_identity *device,
                     struct picket_error *error);
int api_parse_prefix(const char *text, struct picket_prefix *prefix, struct picket_error *error);
/* What the owner allows: the reason is the tags, which are the body's; the end is to come. */
int api_parse_allow_entry(const json_t *body, struct picket_indicator *entry,
                          struct picket_error *error);
/* tcp, udp, icmp: enum picket_protocol + 1. */
int api_parse_protocol(const char *name, uint8_t *protocol, struct picket_error *error);
int api_parse_feed(const json_t *body, struct picket_feed *feed, struct picket_error *error);
/* Of PATCH: what is not given stays as it is. */
int api_parse_feed_settings(const json_t *body, struct picket_feed *feed,
                            struct picket_error *error);
/* *at: 0 when it is not given. */
int api_parse_ip_rule(const json_t *body, struct picket_ip_rule *rule, int64_t *at,
                      struct picket_error *error);
int api_parse_addresses(const json_t *body, struct picket_address *addresses, size_t *count,
                        struct picket_error *error);

/* until_ms is now_ms and what a span adds to it, or a time. */
int api_parse_suppression(const json_t *body, int64_t now_ms,
                          struct picket_suppression *suppression, struct picket_error *error);
/* Without its id and time. */
int api_parse_decision(const json_t *body, struct picket_alert_decision *decision,
                       struct picket_error *error);

/* ---- what alerts are asked for (api_alert_filter.c) ---- */

struct alert_asked {
    struct picket_alert_query query; /* its texts live as long as the request and this */
    char prefix[PICKET_PREFIX_TEXT_BYTES];
};
/* Of a query: device, type, subject, severity, status, since; suppressed ones only by status. */
int api_query_alerts(const struct api_request *request, struct alert_asked *asked,
                     struct picket_error *error);
/* Of a body: open ones, by device, type, subject, severity. PICKET_INVALID: all are. */
int api_parse_alerts_asked(const json_t *body, struct alert_asked *asked,
                           struct picket_error *error);

/* ---- values to outside (api_json.c) ---- */

/* A string, made fit by text_json() if it must be; null for NULL. */
json_t *api_json_text(const char *text);
/* The same; null for "" too. */
json_t *api_json_known(const char *text);
json_t *api_json_time(int64_t unix_ms); /* RFC 3339; null for 0 */
json_t *api_json_version(uint32_t version);
json_t *api_json_hex(const uint8_t *bytes, size_t count);
json_t *api_json_base64(const uint8_t *bytes, size_t count);
const char *api_event_type_name(uint8_t type); /* as in the schema; "Unknown" */
json_t *api_json_ip_filter(const struct picket_ip_filter *filter);
json_t *api_json_feed(const struct picket_feed *feed);
json_t *api_json_feed_report(const struct picket_feed_report *report); /* api_feeds.c */
json_t *api_json_feed_settings(const struct picket_feed *feed);
/* Of the list of what the owner allows. */
json_t *api_json_allow_entry(const struct picket_indicator *entry);
json_t *api_json_flow(const struct picket_flow *flow);
/* The id of the last one of a full page: ask for what is before, or after, it. null: was the last
 * page. */
json_t *api_json_next(const json_t *page, size_t limit);

/* What becomes of a flow to the address, of that port and protocol (0: any), and why. */
json_t *api_json_looked_up(struct picket_intel *intel, const struct picket_address *address,
                           uint16_t port, uint8_t protocol);
json_t *api_json_suppression(const struct picket_suppression *suppression);
json_t *api_json_thumbprint(const struct picket_thumbprint *thumbprint); /* null for none */

/* ---- what the handlers of devices share (api_devices.c) ---- */

/* Keys or thumbprints, and the connection string with the key that *device has as its primary one,
 * in the form that Azure IoT Hub's clients read. */
void api_add_credentials(json_t *object, const struct picket_api *api,
                         const struct picket_device_identity *device);
/* A random key, unless the caller brought one. */
int api_make_key(uint8_t *key, size_t *key_bytes, struct picket_error *error);
/* Both, if it is one with keys. */
int api_make_keys(struct picket_device_identity *device, struct picket_error *error);
/* The hub looks at the registry when a device connects; those that are connected it must be told.
 */
void api_tell_hub(const struct picket_api *api, const char *id);

/* ---- what the handlers of alerts share (api_alerts.c) ---- */

void api_answer_alert(const struct api_request *request, int64_t id, struct api_answer *answer);

/* ---- store handles: each request borrows one (api_stores.c) ---- */

struct picket_store *api_store_borrow(struct picket_api *api, struct picket_error *error);
void api_store_return(struct picket_api *api, struct picket_store *store);

/* ---- the rest of the server ---- */

const struct picket_api_config *api_config(const struct picket_api *api);
int64_t api_started_ms(const struct picket_api *api);
/* Waits; false at once when the server is stopping. */
bool api_pause(struct picket_api *api, int milliseconds);

/* Listens on a Unix socket, mode 0660. PICKET_EXISTS: another process answers there. */
int api_socket_listen(const char *path, int *socket_fd, struct picket_error *error);

/* Handlers, each described in docs/api.md. */
void api_status_get(struct api_request *request, struct api_answer *answer);
void api_devices_list(struct api_request *request, struct api_answer *answer);
void api_devices_add(struct api_request *request, struct api_answer *answer);
void api_devices_import(struct api_request *request, struct api_answer *answer);
void api_devices_show(struct api_request *request, struct api_answer *answer);
void api_devices_change(struct api_request *request, struct api_answer *answer);
void api_devices_remove(struct api_request *request, struct api_answer *answer);
void api_credentials_rotate(struct api_request *request, struct api_answer *answer);
void api_authorities_list(struct api_request *request, struct api_answer *answer);
void api_authorities_add(struct api_request *request, struct api_answer *answer);
void api_authorities_show(struct api_request *request, struct api_answer *answer);
void api_authorities_remove(struct api_request *request, struct api_answer *answer);
void api_ip_filter_show(struct api_request *request, struct api_answer *answer);
void api_ip_filter_default(struct api_request *request, struct api_answer *answer);
void api_ip_filter_add(struct api_request *request, struct api_answer *answer);
void api_ip_filter_move(struct api_request *request, struct api_answer *answer);
void api_ip_filter_remove(struct api_request *request, struct api_answer *answer);
void api_twins_show(struct api_request *request, struct api_answer *answer);
void api_twins_change(struct api_request *request, struct api_answer *answer);
void api_messages_send(struct api_request *request, struct api_answer *answer);
void api_messages_list(struct api_request *request, struct api_answer *answer);
void api_messages_purge(struct api_request *request, struct api_answer *answer);
void api_methods_invoke(struct api_request *request, struct api_answer *answer);
void api_feeds_list(struct api_request *request, struct api_answer *answer);
void api_feeds_add(struct api_request *request, struct api_answer *answer);
void api_feeds_collections(struct api_request *request, struct api_answer *answer);
void api_feeds_show(struct api_request *request, struct api_answer *answer);
void api_feeds_change(struct api_request *request, struct api_answer *answer);
void api_feeds_refresh(struct api_request *request, struct api_answer *answer);
void api_feeds_remove(struct api_request *request, struct api_answer *answer);
void api_indicators_list(struct api_request *request, struct api_answer *answer);
void api_indicators_add(struct api_request *request, struct api_answer *answer);
void api_indicators_change(struct api_request *request, struct api_answer *answer);
void api_indicators_remove(struct api_request *request, struct api_answer *answer);
void api_indicators_import(struct api_request *request, struct api_answer *answer);
void api_allow_list(struct api_request *request, struct api_answer *answer);
void api_allow_add(struct api_request *request, struct api_answer *answer);
void api_allow_remove(struct api_request *request, struct api_answer *answer);
void api_intelligence_lookup(struct api_request *request, struct api_answer *answer);
void api_hunts_start(struct api_request *request, struct api_answer *answer);
void api_hunts_list(struct api_request *request, struct api_answer *answer);
void api_hunts_show(struct api_request *request, struct api_answer *answer);
void api_hunts_found(struct api_request *request, struct api_answer *answer);
void api_hunts_cancel(struct api_request *request, struct api_answer *answer);
/* Those that have not ended; NULL: none. */
json_t *api_hunts_running(struct picket_hunter *hunter);
void api_alerts_list(struct api_request *request, struct api_answer *answer);
void api_alerts_decide(struct api_request *request, struct api_answer *answer);
void api_alerts_decide_many(struct api_request *request, struct api_answer *answer);
void api_alerts_explain(struct api_request *request, struct api_answer *answer);
void api_alerts_groups(struct api_request *request, struct api_answer *answer);
void api_suppressions_list(struct api_request *request, struct api_answer *answer);
void api_suppressions_add(struct api_request *request, struct api_answer *answer);
void api_suppressions_remove(struct api_request *request, struct api_answer *answer);
void api_alerts_show(struct api_request *request, struct api_answer *answer);
void api_audit_list(struct api_request *request, struct api_answer *answer);
void api_audit_check(struct api_request *request, struct api_answer *answer);
void api_events_list(struct api_request *request, struct api_answer *answer);
void api_dead_letters_list(struct api_request *request, struct api_answer *answer);

#endif

#include "audit.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "audit_note.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/audit.h"

enum {
    PART_BYTES_MAX = 16384,
    THING_BYTES = 200,
    ITEMS_SHOWN_MAX = 20
}; /* a part: request, before, after */

/* ---- what is written down ---- */

static const char *text_of(const json_t *body, const char *name)
{
    return json_string_value(json_object_get(body, name));
}

static json_t *instead_of(const char *text)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
    return json_pack("{s:I, s:o}", "bytes", (json_int_t)strlen(text), "sha256",
                     api_json_hex(digest, 32));
}

/* Of devices that come with their keys. */
static json_t *ids_of(const json_t *devices)
{
    json_t *ids = json_array();
    size_t index;
    const json_t *device;
    json_array_foreach(devices, index, device)
    {
        json_array_append_new(ids, json_incref(json_object_get(device, "id")));
    }
    return ids;
}

/* Of many only how many. */
static json_t *counted(json_t *array)
{
    size_t count = json_array_size(array);
    return count <= ITEMS_SHOWN_MAX ? json_incref(array)
                                    : json_pack("{s:I}", "count", (json_int_t)count);
}

/* "https://user:password@host/": refused, but its attempt is an entry, too. */
static bool holds_password(const json_t *address)
{
    const char *text = json_string_value(address);
    const char *host = text ? strstr(text, "://") : NULL;
    return host && memchr(host + 3, '@', strcspn(host + 3, "/?#"));
}

/* Secrets and bulk; what is left of a request says what was asked for. */
static json_t *shown_request(const json_t *body)
{
    static const char *const hidden[] = {"primary_key", "secondary_key",  "key",
                                         "payload",     "payload_base64", "certificate"};
    json_t *shown = body ? json_copy((json_t *)(uintptr_t)body) : json_null();
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (json_object_get(shown, hidden[i]))
            json_object_set_new(shown, hidden[i], json_string("(not kept)"));
    if (holds_password(json_object_get(shown, "source")))
        json_object_set_new(shown, "source", json_string("(not kept)"));
    if (holds_password(json_object_get(shown, "proxy")))
        json_object_set_new(shown, "proxy", json_string("(not kept)"));
    if (json_object_get(shown, "devices"))
        json_object_set_new(shown, "devices", ids_of(json_object_get(shown, "devices")));
    if (json_is_array(json_object_get(shown, "indicators")))
        json_object_set_new(shown, "indicators", counted(json_object_get(shown, "indicators")));
    if (json_object_get(shown, "text"))
        json_object_set_new(shown, "text",
                            instead_of(text_of(body, "text") ? text_of(body, "text") : ""));
    return shown;
}

static json_t *shown_query(const struct api_request *request)
{
    json_t *query = json_object();
    for (size_t i = 0; i < request->query_count; i++)
        json_object_set_new(query, request->query[i].name, api_json_text(request->query[i].value));
    return query;
}

/* Takes the value. One that is too large is told by its size and hash. */
static void add_part(json_t *detail, const char *name, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text && strlen(text) > PART_BYTES_MAX) {
        json_decref(value);
        value = instead_of(text);
    }
    free(text);
    json_object_set_new(detail, name, value);
}

/* ---- one act ---- */

struct act {
    struct picket_api *api;
    const struct api_request *request;
    const char *name;
    char thing[THING_BYTES];
    int64_t id; /* of its first entry */
};

static bool is_of_list(const struct act *act)
{
    return strncmp(act->name, "indicator.", strlen("indicator.")) == 0;
}

static const char *list_of(const json_t *body)
{
    const char *list = text_of(body, "list");
    return list ? list : PICKET_LIST_LOCAL;
}

/* On what: the path says it, or the body, or the query. */
static void name_thing(struct act *act)
{
    const struct api_request *request = act->request;
    const char *candidates[] = {*request->argument ? request->argument : NULL,
                                text_of(request->body, "id"),
                                text_of(request->body, "name"),
                                text_of(request->body, "prefix"),
                                is_of_list(act) ? list_of(request->body) : NULL,
                                text_of(request->body, "indicator"),
                                text_of(request->body, "subject"),
                                text_of(request->body, "device"),
                                text_of(request->body, "source"),
                                api_query_text(request, "prefix")};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0] && !act->thing[0]; i++)
        if (candidates[i])
            snprintf(act->thing, sizeof act->thing, "%s", candidates[i]);
}

static const char *module_of(const struct act *act)
{
    const char *module = api_query_text(act->request, "module");
    return module ? module : "";
}

/* In a second place, which who can write the store cannot change: the seal is the chain's end. */
static void say_entry(const struct picket_audit_entry *entry)
{
    char seal[17];
    for (int i = 0; i < 8; i++)
        snprintf(seal + 2 * i, 3, "%02x", entry->seal[i]);
    picket_say(PICKET_NOTICE, "service", "audit #%lld: %s%s%s by uid %lld: %lld, seal %s",
               (long long)entry->id, entry->act, *entry->thing ? " " : "", entry->thing,
               (long long)entry->uid, (long long)entry->status, seal);
}

static struct picket_counter untold = {
    .name = "service_acts_untold",
    .help = "acts of owners that no alert could be raised for: the log was full"};

/* Detectors raise alerts on some acts. The entry is what counts: this is lost with the process. */
static void tell_detectors(struct picket_api *api, const struct picket_audit_entry *entry)
{
    json_t *content =
        json_pack("{s:s, s:s, s:o, s:I, s:I, s:I}", "about", "act", "act", entry->act, "thing",
                  api_json_text(entry->thing), "status", (json_int_t)entry->status, "uid",
                  (json_int_t)entry->uid, "audit", (json_int_t)entry->id);
    char *text = json_dumps(content, JSON_COMPACT);
    json_decref(content);
    const struct picket_log_message message = {.kind = PICKET_LOG_OF_HUB,
                                               .device = "",
                                               .module = "",
                                               .received_ms = picket_unix_ms(),
                                               .properties = text,
                                               .payload = (const uint8_t *)""};
    if (!text || picket_log_append(api_config(api)->log, &message, NULL) != PICKET_OK)
        picket_count(&untold, 1);
    free(text);
}

static bool concerns_detectors(const struct picket_audit_entry *entry)
{
    return entry->status > 0 &&
           (strncmp(entry->act, "ca.", 3) == 0 || strncmp(entry->act, "audit.", 6) == 0);
}

static void note(const struct picket_api *api, const struct picket_audit_entry *entry)
{
    static struct picket_say_limit limit;
    struct picket_error error;
    struct audit_note note = {.id = entry->id};
    memcpy(note.seal, entry->seal, sizeof note.seal);
    if (audit_note_write(api_config(api)->store_folder, &note, false, &error) != PICKET_OK)
        picket_say_limited(&limit, PICKET_WARNING, "service", "%s", error.text);
}

int audit_append(struct picket_api *api, struct picket_store *store,
                 struct picket_audit_entry *entry, json_t *detail, struct picket_error *error)
{
    char *text = json_dumps(detail, JSON_COMPACT);
    json_decref(detail);
    if (!text)
        return picket_fail(error, PICKET_NO_MEMORY, "audit log: out of memory");
    entry->time_ms = picket_unix_ms();
    entry->detail = text;
    int status = picket_store_audit_append(store, entry, api_config(api)->audit_age_s, error);
    if (status == PICKET_OK)
        note(api, entry);
    if (status == PICKET_OK && entry->status > 0)
        say_entry(entry);
    if (status == PICKET_OK && concerns_detectors(entry))
        tell_detectors(api, entry);
    free(text);
    return status;
}

static int begin(struct act *act, struct picket_error *error)
{
    struct picket_audit_entry entry = {
        .uid = act->request->uid, .pid = act->request->pid, .act = act->name, .thing = act->thing};
    struct picket_store *store = api_store_borrow(act->api, error);
    if (!store)
        return error->status;
    json_t *detail = json_object();
    add_part(detail, "request", shown_request(act->request->body));
    add_part(detail, "query", shown_query(act->request));
    add_part(detail, "before", audit_state(store, act->name, act->thing, module_of(act)));
    int status = audit_append(act->api, store, &entry, detail, error);
    act->id = entry.id;
    api_store_return(act->api, store);
    return status;
}

static int finish(const struct act *act, const struct api_answer *answer,
                  struct picket_error *error)
{
    struct picket_audit_entry entry = {.uid = act->request->uid,
                                       .pid = act->request->pid,
                                       .of = act->id,
                                       .status = answer->status,
                                       .act = act->name,
                                       .thing = act->thing};
    struct picket_store *store = api_store_borrow(act->api, error);
    if (!store)
        return error->status;
    json_t *detail = json_object();
    const char *problem = text_of(answer->body, "error");
    if (answer->status >= 400)
        add_part(detail, "error", api_json_text(problem));
    else
        add_part(detail, "after", audit_state(store, act->name, act->thing, module_of(act)));
    int status = audit_append(act->api, store, &entry, detail, error);
    api_store_return(act->api, store);
    return status;
}

void audit_register_counters(void)
{
    picket_counter_register(&untold);
}

void audit_act(const struct api_route *route, struct api_request *request,
               struct api_answer *answer)
{
    struct picket_error error = {0};
    struct act act = {.api = request->api, .request = request, .name = route->act};
    name_thing(&act);
    if (begin(&act, &error) != PICKET_OK) {
        api_answer_refuse(answer, api_http_status(error.status),
                          "not done, because the audit log cannot be written: %s", error.text);
        return;
    }
    route->handle(request, answer);
    if (finish(&act, answer, &error) != PICKET_OK) {
        unsigned status = answer->status;
        picket_say(PICKET_ERROR, "service", "audit #%lld: its outcome, %u, cannot be written: %s",
                   (long long)act.id, status, error.text);
        api_answer_refuse(answer, api_http_status(error.status),
                          "%s, and the audit log cannot be written: %s",
                          status < 400 ? "done" : "not done", error.text);
    }
}

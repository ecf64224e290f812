/* /v1/audit: what owners did, and whether the log of it holds together. */
#include "api_internal.h"
#include "audit.h"
#include "picket/store/audit.h"

/* ---- as JSON ---- */

static json_t *entry_json(const struct picket_audit_entry *entry)
{
    return json_pack(
        "{s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)entry->id,
        "time", api_json_time(entry->time_ms), "time_ms", (json_int_t)entry->time_ms, "uid",
        entry->uid >= 0 ? json_integer(entry->uid) : json_null(), "pid",
        entry->pid > 0 ? json_integer(entry->pid) : json_null(), "act", api_json_text(entry->act),
        "thing", api_json_text(entry->thing), "of",
        entry->of ? json_integer(entry->of) : json_null(), "status",
        entry->status ? json_integer(entry->status) : json_null(), "detail",
        api_json_text(entry->detail), "previous", api_json_hex(entry->previous, PICKET_SEAL_BYTES),
        "seal", api_json_hex(entry->seal, PICKET_SEAL_BYTES));
}

static void append_entry(void *context, const struct picket_audit_entry *entry)
{
    json_array_append_new(context, entry_json(entry));
}

/* ---- requests ---- */

static int parse_query(const struct api_request *request, struct picket_audit_query *query,
                       struct picket_error *error)
{
    int64_t limit = API_LIMIT_DEFAULT;
    *query = (struct picket_audit_query){.oldest_first = api_query_text(request, "after") != NULL};
    int status = api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "after", 0, INT64_MAX, &query->after_id, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "before", 1, INT64_MAX, &query->before_id, error);
    if (status == PICKET_OK)
        status = api_query_time(request, "since", &query->since_ms, error);
    if (status == PICKET_OK && query->oldest_first && query->before_id > 0)
        status = picket_fail(error, PICKET_INVALID, "after and before exclude each other");
    query->limit = (int)limit;
    return status;
}

void api_audit_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_audit_query query;
    json_t *entries = json_array();
    struct picket_store *store = NULL;
    if (parse_query(request, &query, &error) == PICKET_OK)
        store = api_store_borrow(request->api, &error);
    if (store) {
        picket_store_audit(store, &query, append_entry, entries, &error);
        api_store_return(request->api, store);
    }
    if (error.status == PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:O, s:o}", "entries", entries,
                                  query.oldest_first ? "next_after" : "next_before",
                                  api_json_next(entries, (size_t)query.limit)));
    else
        api_answer_error(answer, &error);
    json_decref(entries);
}

static json_t *id_or_null(int64_t id)
{
    return id > 0 ? json_integer(id) : json_null();
}

void api_audit_check(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_audit_check check;
    char problem[AUDIT_PROBLEM_BYTES] = "";
    struct picket_store *store = api_store_borrow(request->api, &error);
    if (store) {
        if (picket_store_audit_check(store, &check, &error) == PICKET_OK)
            audit_find_loss(store, api_config(request->api)->store_folder, problem, &error);
        api_store_return(request->api, store);
    }
    if (error.status == PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:b, s:o, s:o, s:I, s:o, s:o, s:o}", "holds",
                                  check.broken_id == 0 && problem[0] == '\0', "broken",
                                  id_or_null(check.broken_id), "problem", api_json_known(problem),
                                  "entries", (json_int_t)check.count, "first",
                                  id_or_null(check.first_id), "last", id_or_null(check.last_id),
                                  "seal", api_json_hex(check.head, PICKET_SEAL_BYTES)));
    else
        api_answer_error(answer, &error);
}

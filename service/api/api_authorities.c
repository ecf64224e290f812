/* /v1/authorities: the CAs whose devices may come. */
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "authority.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/administration.h"

/* ---- as JSON ---- */

static json_t *authority_json(const struct picket_authority *row, bool with_pem)
{
    struct authority authority;
    bool readable = authority_describe(row->certificate, row->certificate_bytes, &authority);
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "name", api_json_text(row->name),
        "subject", api_json_known(authority.subject), "issuer", api_json_known(authority.issuer),
        "key", api_json_known(authority.key), "valid_from", api_json_time(authority.from_s * 1000),
        "valid_until", api_json_time(authority.until_s * 1000), "expired",
        !readable || authority.until_s * 1000 <= picket_unix_ms(), "sha256",
        api_json_thumbprint(&authority.sha256), "added", api_json_time(row->added_ms));
    if (with_pem) {
        char *pem = authority_pem(row->certificate, row->certificate_bytes);
        json_object_set_new(object, "certificate", api_json_text(pem));
        free(pem);
    }
    return object;
}

struct listing {
    const char *name; /* this one alone, with its PEM; NULL: all */
    json_t *array;
};

static void append(void *context, const struct picket_authority *authority)
{
    struct listing *listing = context;
    if (!listing->name || strcmp(listing->name, authority->name) == 0)
        json_array_append_new(listing->array, authority_json(authority, listing->name != NULL));
}

/* An array; NULL with *error. */
static json_t *listed(struct picket_api *api, const char *name, struct picket_error *error)
{
    struct listing listing = {.name = name};
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return NULL;
    listing.array = json_array();
    int status = picket_store_authorities(store, append, &listing, error);
    api_store_return(api, store);
    if (status == PICKET_OK)
        return listing.array;
    json_decref(listing.array);
    return NULL;
}

/* ---- looking ---- */

void api_authorities_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    json_t *array = listed(request->api, NULL, &error);
    if (array)
        api_answer_json(answer, 200, json_pack("{s:o}", "authorities", array));
    else
        api_answer_error(answer, &error);
}

void api_authorities_show(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    json_t *array = listed(request->api, request->argument, &error);
    if (array && json_array_size(array) == 0)
        picket_fail(&error, PICKET_NOT_FOUND, "CA %s: is not registered", request->argument);
    if (error.status == PICKET_OK)
        api_answer_json(answer, 200, json_incref(json_array_get(array, 0)));
    else
        api_answer_error(answer, &error);
    json_decref(array);
}

/* ---- changing ---- */

static int tell_hub(const struct picket_api *api, struct picket_error *error)
{
    const struct picket_api_config *config = api_config(api);
    return config->admission_changed ? config->admission_changed(config->context, error)
                                     : PICKET_OK;
}

/* PEM has lines, which no other member of a body has. */
static int member_pem(const json_t *body, const char **pem, struct picket_error *error)
{
    const json_t *value = json_object_get(body, "certificate");
    *pem = json_string_value(value);
    if (!*pem || strlen(*pem) != json_string_length(value))
        return picket_fail(error, PICKET_INVALID, "certificate: expected a string, PEM");
    return PICKET_OK;
}

static int add(struct picket_api *api, const json_t *body, const char **name,
               struct picket_error *error)
{
    const char *pem;
    uint8_t *der = NULL;
    struct picket_authority authority = {.added_ms = picket_unix_ms()};
    int status = api_member_text(body, "name", true, name, error);
    if (status == PICKET_OK)
        status = member_pem(body, &pem, error);
    if (status == PICKET_OK)
        status =
            authority_read(pem, picket_unix_ms() / 1000, &der, &authority.certificate_bytes, error);
    if (status != PICKET_OK)
        return status;
    authority.name = *name;
    authority.certificate = der;
    struct picket_store *store = api_store_borrow(api, error);
    status = store ? picket_store_authority_add(store, &authority, error) : error->status;
    if (store)
        api_store_return(api, store);
    free(der);
    return status == PICKET_OK ? tell_hub(api, error) : status;
}

void api_authorities_add(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    const char *name = "";
    json_t *array = NULL;
    if (add(request->api, request->body, &name, &error) == PICKET_OK) {
        picket_say(PICKET_NOTICE, "service", "CA %s: added", name);
        array = listed(request->api, name, &error);
    }
    if (array)
        api_answer_json(answer, 201, json_incref(json_array_get(array, 0)));
    else
        api_answer_error(answer, &error);
    json_decref(array);
}

void api_authorities_remove(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(request->api, &error);
    int status = error.status;
    if (store) {
        status = picket_store_authority_remove(store, request->argument, &error);
        api_store_return(request->api, store);
    }
    if (status == PICKET_OK)
        status = tell_hub(request->api, &error);
    if (status != PICKET_OK) {
        api_answer_error(answer, &error);
        return;
    }
    picket_say(PICKET_NOTICE, "service", "CA %s: removed", request->argument);
    api_answer_json(answer, 200, json_pack("{s:o}", "removed", api_json_text(request->argument)));
}

#include "taxii_answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ROOTS_MAX = 100, COLLECTIONS_MAX = 1000 };

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static int load(const char *text, size_t size, json_t **object, struct picket_error *error)
{
    json_error_t problem;
    *object = json_loadb(text, size, 0, &problem);
    if (*object == NULL)
        return picket_fail(error, PICKET_INVALID, "the answer is no JSON: %d:%d: %s", problem.line,
                           problem.column, problem.text);
    if (json_is_object(*object))
        return PICKET_OK;
    json_decref(*object);
    return picket_fail(error, PICKET_INVALID, "the answer is no JSON object");
}

/* ---- objects ---- */

/* Objects without a time (marking definitions) have none to change at. */
static int add_object(struct feed_parts *parts, const json_t *object, struct picket_error *error)
{
    const char *id = text_of(object, "id");
    if (id[0] == '\0' || strlen(id) >= FEED_PART_KEY_BYTES)
        return PICKET_OK;
    char *body = json_dumps(object, JSON_COMPACT);
    if (body == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory");
    const char *modified = text_of(object, "modified");
    const struct picket_feed_part part = {
        id, modified[0] != '\0' ? modified : text_of(object, "created"), body, strlen(body)};
    int status = feed_parts_add(parts, &part, error);
    free(body);
    return status;
}

static int take_page(const json_t *envelope, struct feed_parts *parts, struct taxii_page *page,
                     struct picket_error *error)
{
    const json_t *objects = json_object_get(envelope, "objects"), *object;
    size_t index;
    int status = PICKET_OK;
    if (objects != NULL && !json_is_array(objects))
        return picket_fail(error, PICKET_INVALID, "\"objects\" of the envelope is no array");
    page->more = json_is_true(json_object_get(envelope, "more"));
    const char *next = text_of(envelope, "next");
    if (strlen(next) >= sizeof page->next)
        return picket_fail(error, PICKET_INVALID,
                           "\"next\" of the envelope is longer than %d bytes",
                           TAXII_NEXT_BYTES - 1);
    strcpy(page->next, next);
    page->objects = json_array_size(objects);
    json_array_foreach(objects, index, object)
    {
        if (status == PICKET_OK)
            status = add_object(parts, object, error);
    }
    return status;
}

int taxii_page_parse(const char *text, size_t size, struct feed_parts *parts,
                     struct taxii_page *page, struct picket_error *error)
{
    json_t *envelope;
    memset(page, 0, sizeof *page);
    int status = load(text, size, &envelope, error);
    if (status != PICKET_OK)
        return status;
    status = take_page(envelope, parts, page, error);
    json_decref(envelope);
    return status;
}

/* ---- what there is ---- */

static int take_roots(const json_t *roots, taxii_root_visit visit, void *context)
{
    int status = PICKET_OK;
    for (size_t i = 0; i < json_array_size(roots) && i < ROOTS_MAX && status == PICKET_OK; i++) {
        const char *root = json_string_value(json_array_get(roots, i));
        if (root != NULL && strlen(root) < TAXII_URL_BYTES)
            status = visit(context, root);
    }
    return status;
}

static int take_collections(const json_t *collections, taxii_collection_visit visit, void *context)
{
    int status = PICKET_OK;
    size_t count = json_array_size(collections);
    for (size_t i = 0; i < count && i < COLLECTIONS_MAX && status == PICKET_OK; i++) {
        const json_t *object = json_array_get(collections, i);
        const struct taxii_collection collection = {
            .id = text_of(object, "id"),
            .title = text_of(object, "title"),
            .description = text_of(object, "description"),
            .can_read = json_is_true(json_object_get(object, "can_read")),
        };
        if (collection.id[0] != '\0')
            status = visit(context, &collection);
    }
    return status;
}

int taxii_directory_parse(const char *text, size_t size, taxii_root_visit root,
                          taxii_collection_visit collection, void *context, bool *is_root,
                          struct picket_error *error)
{
    json_t *object;
    *is_root = false;
    int status = load(text, size, &object, error);
    if (status != PICKET_OK)
        return status;
    const json_t *roots = json_object_get(object, "api_roots"),
                 *collections = json_object_get(object, "collections");
    if (json_is_array(collections))
        status = take_collections(collections, collection, context);
    else if (json_is_array(roots))
        status = take_roots(roots, root, context);
    else if (json_object_get(object, "versions") != NULL)
        *is_root = true;
    else
        status =
            picket_fail(error, PICKET_INVALID,
                        "the answer tells neither of API roots nor of collections of TAXII 2.1");
    json_decref(object);
    return status;
}

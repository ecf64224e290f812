#include "taxii_answer.h"

#include <string.h>

#include "intel/formats/json_scan.h"

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

static int fail_for_json(const char *problem, uint32_t line, struct picket_error *error)
{
    return picket_fail(error, PICKET_INVALID, "the answer is no JSON: line %u: %s", line,
                       problem != NULL ? problem : "no value");
}

/* Objects without a time (marking definitions) have none to change at. Its text is kept as it is.
 */
static int add_object(struct feed_parts *parts, struct json_slice object,
                      struct picket_error *error)
{
    static const char *const names[] = {"id", "modified", "created"};
    const char *reason = NULL;
    if (!json_slice_is(object, '{'))
        return PICKET_OK;
    json_t *known = json_pick(object, names, 3, &reason);
    if (known == NULL)
        return fail_for_json(reason, object.line, error);
    const char *id = text_of(known, "id"), *modified = text_of(known, "modified");
    const struct picket_feed_part part = {
        id, modified[0] != '\0' ? modified : text_of(known, "created"), object.text, object.bytes};
    int status = PICKET_OK;
    if (id[0] != '\0' && strlen(id) < FEED_PART_KEY_BYTES)
        status = feed_parts_add(parts, &part, error);
    json_decref(known);
    return status;
}

static int take_objects(struct json_slice array, struct feed_parts *parts, struct taxii_page *page,
                        struct picket_error *error)
{
    struct json_scan scan;
    struct json_slice object;
    int status = PICKET_OK;
    if (!json_slice_is(array, '['))
        return picket_fail(error, PICKET_INVALID, "\"objects\" of the envelope is no array");
    for (json_scan_into(&scan, array); status == PICKET_OK && json_scan_element(&scan, &object);
         page->objects++)
        status = add_object(parts, object, error);
    if (status == PICKET_OK && scan.problem != NULL)
        return fail_for_json(scan.problem, scan.line, error);
    return status;
}

static int take_next(struct json_slice value, struct taxii_page *page, struct picket_error *error)
{
    json_t *loaded = json_slice_load(value);
    const char *next = json_string_value(loaded);
    int status = PICKET_OK;
    if (next != NULL && strlen(next) >= sizeof page->next)
        status =
            picket_fail(error, PICKET_INVALID, "\"next\" of the envelope is longer than %d bytes",
                        TAXII_NEXT_BYTES - 1);
    else if (next != NULL)
        strcpy(page->next, next);
    json_decref(loaded);
    return status;
}

static bool is_named(struct json_slice name, const char *wanted)
{
    return strlen(wanted) == name.bytes && memcmp(name.text, wanted, name.bytes) == 0;
}

static int take_members(struct json_slice envelope, struct feed_parts *parts,
                        struct taxii_page *page, struct picket_error *error)
{
    struct json_scan scan;
    struct json_slice name, value;
    int status = PICKET_OK;
    for (json_scan_into(&scan, envelope);
         status == PICKET_OK && json_scan_member(&scan, &name, &value);) {
        if (is_named(name, "more"))
            page->more = json_slice_is(value, 't');
        else if (is_named(name, "next"))
            status = take_next(value, page, error);
        else if (is_named(name, "objects"))
            status = take_objects(value, parts, page, error);
    }
    if (status == PICKET_OK && scan.problem != NULL)
        return fail_for_json(scan.problem, scan.line, error);
    return status;
}

/* Of a page, which may be large, nothing is built in memory but its parts. */
int taxii_page_parse(const char *text, size_t size, struct feed_parts *parts,
                     struct taxii_page *page, struct picket_error *error)
{
    struct json_scan scan;
    struct json_slice envelope, rest;
    memset(page, 0, sizeof *page);
    json_scan_begin(&scan, text, size, 1);
    if (!json_scan_value(&scan, &envelope))
        return fail_for_json(scan.problem, scan.line, error);
    if (json_scan_value(&scan, &rest) || scan.problem != NULL || !json_slice_is(envelope, '{'))
        return picket_fail(error, PICKET_INVALID, "the answer is no JSON object");
    return take_members(envelope, parts, page, error);
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
    else if (json_object_size(object) > 0) /* one without members is an empty list (5.1.1) */
        status =
            picket_fail(error, PICKET_INVALID,
                        "the answer tells neither of API roots nor of collections of TAXII 2.1");
    json_decref(object);
    return status;
}

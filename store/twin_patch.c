#include "twin_patch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Azure's: doubles carry them exactly. */
#define INTEGER_MAX INT64_C(4503599627370495)
#define INTEGER_MIN INT64_C(-4503599627370496)

/* What was written with so many digits comes back as it was written. */
enum { REAL_DIGITS = 15 };

/* ---- is it allowed? ---- */

/* The names that lead to a member, for sentences. */
struct place {
    char text[200];
    size_t length;
};

static size_t place_enter(struct place *place, const char *name)
{
    size_t before = place->length;
    int added = snprintf(place->text + before, sizeof place->text - before, ".%.60s", name);
    size_t room = sizeof place->text - 1 - before;
    place->length += added < 0 ? 0 : (size_t)added < room ? (size_t)added : room;
    return before;
}

static void place_leave(struct place *place, size_t before)
{
    place->length = before;
    place->text[before] = '\0';
}

static const char *name_problem(const char *name)
{
    size_t length = strlen(name);
    if (length == 0)
        return "a name must not be empty";
    if (length > PICKET_TWIN_NAME_BYTES_MAX)
        return "a name is longer than 1024 bytes";
    for (const char *at = name; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || strchr(".$# ", *at) != NULL)
            return "a name has a control character, a space, or one of . $ #";
    return NULL;
}

static const char *scalar_problem(const json_t *value)
{
    if (json_is_string(value) && json_string_length(value) > PICKET_TWIN_TEXT_BYTES_MAX)
        return "a text is longer than 4096 bytes";
    if (json_is_integer(value) &&
        (json_integer_value(value) < INTEGER_MIN || json_integer_value(value) > INTEGER_MAX))
        return "an integer is not within -4503599627370496 and 4503599627370495";
    return NULL;
}

static int check_value(json_t *value, struct place *place, int depth, struct picket_error *error);

static int check_members(json_t *object, struct place *place, int depth, struct picket_error *error)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const char *problem = name_problem(name);
        size_t before = place_enter(place, name);
        if (problem != NULL)
            return picket_fail(error, PICKET_INVALID, "%s: %s", place->text, problem);
        int status = check_value(value, place, depth, error);
        if (status != PICKET_OK)
            return status;
        place_leave(place, before);
    }
    return PICKET_OK;
}

static int check_elements(json_t *array, struct place *place, int depth, struct picket_error *error)
{
    size_t index;
    json_t *value;
    json_array_foreach(array, index, value)
    {
        int status = check_value(value, place, depth, error);
        if (status != PICKET_OK)
            return status;
    }
    return PICKET_OK;
}

/* depth: of what holds the value. */
static int check_value(json_t *value, struct place *place, int depth, struct picket_error *error)
{
    const char *problem = scalar_problem(value);
    if (problem != NULL)
        return picket_fail(error, PICKET_INVALID, "%s: %s", place->text, problem);
    if (!json_is_object(value) && !json_is_array(value))
        return PICKET_OK;
    if (depth >= PICKET_TWIN_DEPTH_MAX)
        return picket_fail(error, PICKET_INVALID, "%s: deeper than %d levels", place->text,
                           PICKET_TWIN_DEPTH_MAX);
    return json_is_object(value) ? check_members(value, place, depth + 1, error)
                                 : check_elements(value, place, depth + 1, error);
}

static int parse_patch(const struct picket_twin_change *change, json_t **patch,
                       struct picket_error *error)
{
    const char *part = picket_twin_part_name(change->part);
    json_error_t problem;
    if (change->patch_bytes > PICKET_TWIN_PATCH_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "%s: a patch of %zu bytes exceeds %d", part,
                           change->patch_bytes, PICKET_TWIN_PATCH_BYTES_MAX);
    *patch = json_loadb(change->patch, change->patch_bytes, JSON_REJECT_DUPLICATES, &problem);
    if (*patch == NULL)
        return picket_fail(error, PICKET_INVALID, "%s: the patch is not JSON: %d:%d: %s", part,
                           problem.line, problem.column, problem.text);
    if (!json_is_object(*patch))
        return picket_fail(error, PICKET_INVALID, "%s: the patch is not a JSON object", part);
    struct place place;
    place.length = (size_t)snprintf(place.text, sizeof place.text, "%s", part);
    return check_value(*patch, &place, 0, error);
}

/* ---- what is stored ---- */

static bool load_object(const char *text, json_t **object)
{
    *object = json_loads(text, 0, NULL);
    return json_is_object(*object);
}

int twin_document_load(const struct picket_twin_document *stored, enum picket_twin_part part,
                       const char *device, json_t **document, json_t **times,
                       struct picket_error *error)
{
    json_t *json = NULL, *stamps = NULL;
    bool readable = load_object(stored->json, &json) && stored->version >= 1 &&
                    (times == NULL || load_object(stored->times, &stamps));
    if (readable && document != NULL)
        *document = json_incref(json);
    if (readable && times != NULL)
        *times = json_incref(stamps);
    json_decref(json);
    json_decref(stamps);
    return readable
               ? PICKET_OK
               : picket_fail(error, PICKET_IO,
                             "device %s: what is stored of its twin is damaged: the %s part is "
                             "no JSON object with a version",
                             device, picket_twin_part_name(part));
}

/* ---- merging ---- */

static int merge(json_t *target, json_t *times, json_t *patch, json_t *now);

/* The member as an object, whatever it was before. */
static json_t *open_member(json_t *object, const char *name)
{
    json_t *member = json_object_get(object, name);
    if (json_is_object(member))
        return member;
    return json_object_set_new(object, name, json_object()) == 0 ? json_object_get(object, name)
                                                                 : NULL;
}

static int merge_member(json_t *target, json_t *times, const char *name, json_t *value, json_t *now)
{
    if (json_is_null(value)) {
        json_object_del(target, name);
        json_object_del(times, name);
        return 0;
    }
    if (!json_is_object(value))
        return json_object_set(target, name, value) | json_object_set(times, name, now);
    json_t *member = json_object_get(target, name);
    if (!json_is_object(member)) /* nothing of an earlier value's times may stay */
        json_object_del(times, name);
    json_t *inner = open_member(target, name);
    json_t *inner_times = open_member(times, name);
    return inner != NULL && inner_times != NULL ? merge(inner, inner_times, value, now) : -1;
}

/* As deep as a patch may be. 0, or -1: no memory. */
static int merge(json_t *target, json_t *times, json_t *patch, json_t *now)
{
    const char *name;
    json_t *value;
    json_object_foreach(patch, name, value)
    {
        if (merge_member(target, times, name, value, now) != 0)
            return -1;
    }
    return json_object_set(times, "", now);
}

static int finish(struct twin_patched *out, json_t *document, json_t *times,
                  const struct picket_twin_change *change, struct picket_error *error)
{
    const char *part = picket_twin_part_name(change->part);
    struct place place;
    place.length = (size_t)snprintf(place.text, sizeof place.text, "%s", part);
    int status = check_value(document, &place, 0, error); /* deeper by what was there */
    if (status != PICKET_OK)
        return status;
    out->json = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
    out->times = json_dumps(times, JSON_COMPACT);
    if (out->json == NULL || out->times == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", part);
    size_t size = strlen(out->json);
    if (size > PICKET_TWIN_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "%s: %zu bytes with the patch exceed %d", part,
                           size, PICKET_TWIN_BYTES_MAX);
    return PICKET_OK;
}

static int apply(struct twin_patched *out, json_t *document, json_t *times, json_t *patch,
                 const struct picket_twin_change *change, int64_t version,
                 struct picket_error *error)
{
    json_t *now = json_pack("[I, I]", (json_int_t)change->now_ms, (json_int_t)version);
    int merged = now != NULL ? merge(document, times, patch, now) : -1;
    json_decref(now);
    if (merged != 0)
        return picket_fail(error, PICKET_NO_MEMORY, "device %s: no memory for its twin",
                           change->device);
    return finish(out, document, times, change, error);
}

int twin_patch_apply(struct twin_patched *out, const struct picket_twin_document *before,
                     const struct picket_twin_change *change, int64_t version,
                     struct picket_error *error)
{
    json_t *patch = NULL, *document = NULL, *times = NULL;
    *out = (struct twin_patched){NULL, NULL};
    int status = parse_patch(change, &patch, error);
    if (status == PICKET_OK)
        status = twin_document_load(before, change->part, change->device, &document, &times, error);
    if (status == PICKET_OK)
        status = apply(out, document, times, patch, change, version, error);
    json_decref(document);
    json_decref(times);
    json_decref(patch);
    if (status != PICKET_OK) {
        free(out->json);
        free(out->times);
        *out = (struct twin_patched){NULL, NULL};
    }
    return status;
}

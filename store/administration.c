/* As store.c, for what stands in administration.h. */
#include "picket/store/administration.h"

#include <string.h>

#include "engine.h"

static bool is_name_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') ||
           (character != '\0' && strchr("-._", character) != NULL);
}

static int check_authority_name(const char *name, struct picket_error *error)
{
    size_t length = strnlen(name, PICKET_AUTHORITY_NAME_BYTES);
    if (length == 0)
        return picket_fail(error, PICKET_INVALID, "a CA's name must not be empty");
    if (length == PICKET_AUTHORITY_NAME_BYTES)
        return picket_fail(error, PICKET_INVALID, "CA %.20s...: longer than %d characters", name,
                           PICKET_AUTHORITY_NAME_BYTES - 1);
    for (size_t i = 0; i < length; i++)
        if (!is_name_character(name[i]))
            return picket_fail(error, PICKET_INVALID,
                               "CA %s: character %zu is none of letters, digits and -._", name,
                               i + 1);
    return PICKET_OK;
}

int picket_store_authority_add(struct picket_store *store, const struct picket_authority *authority,
                               struct picket_error *error)
{
    int status = check_authority_name(authority->name, error);
    if (status != PICKET_OK)
        return status;
    if (authority->certificate_bytes == 0 ||
        authority->certificate_bytes > PICKET_AUTHORITY_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID,
                           "CA %s: its certificate has %zu bytes, not 1 to %d", authority->name,
                           authority->certificate_bytes, PICKET_AUTHORITY_BYTES_MAX);
    return store->engine->authority_add(store, authority, error);
}

int picket_store_authority_remove(struct picket_store *store, const char *name,
                                  struct picket_error *error)
{
    return store->engine->authority_remove(store, name, error);
}

int picket_store_authorities(struct picket_store *store, picket_authority_visit visit,
                             void *context, struct picket_error *error)
{
    return store->engine->authorities(store, visit, context, error);
}

/* ---- IP filter ---- */

static bool is_same_prefix(const struct picket_prefix *one, const struct picket_prefix *other)
{
    return one->length == other->length && one->address.family == other->address.family &&
           memcmp(one->address.bytes, other->address.bytes, sizeof one->address.bytes) == 0;
}

int picket_store_ip_filter_put(struct picket_store *store, const struct picket_ip_filter *filter,
                               struct picket_error *error)
{
    char text[PICKET_PREFIX_TEXT_BYTES];
    for (size_t i = 0; i < filter->count; i++)
        for (size_t j = 0; j < i; j++)
            if (is_same_prefix(&filter->rules[i].prefix, &filter->rules[j].prefix))
                return picket_fail(error, PICKET_INVALID,
                                   "IP filter: rules %zu and %zu are both for %s", j + 1, i + 1,
                                   picket_prefix_format(&filter->rules[i].prefix, text));
    return store->engine->ip_filter_put(store, filter, error);
}

int picket_store_ip_filter_get(struct picket_store *store, struct picket_ip_filter *filter,
                               struct picket_error *error)
{
    return store->engine->ip_filter_get(store, filter, error);
}

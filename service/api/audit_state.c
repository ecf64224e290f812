/* The state of things before and after an act. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "authority.h"
#include "picket/store/twins.h"

enum { KEY_MARK_BYTES = 4 };

/* ---- devices ---- */

static json_t *key_mark(const uint8_t *key, size_t key_bytes)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (key_bytes == 0 || EVP_Digest(key, key_bytes, digest, NULL, EVP_sha256(), NULL) != 1)
        return json_null();
    return api_json_hex(digest, KEY_MARK_BYTES);
}

static json_t *device_state(struct picket_store *store, const char *id)
{
    struct picket_device_identity device;
    if (picket_store_device_get(store, id, &device, NULL) != PICKET_OK)
        return json_null();
    json_t *state = json_pack("{s:b, s:s}", "enabled", device.enabled, "authentication",
                              picket_authentication_name(device.authentication));
    if (device.authentication == PICKET_AUTHENTICATION_SAS) {
        json_object_set_new(state, "primary_key_mark",
                            key_mark(device.primary_key, device.primary_key_bytes));
        json_object_set_new(state, "secondary_key_mark",
                            key_mark(device.secondary_key, device.secondary_key_bytes));
    } else if (device.authentication == PICKET_AUTHENTICATION_THUMBPRINT) {
        json_object_set_new(state, "primary_thumbprint",
                            api_json_thumbprint(&device.primary_thumbprint));
        json_object_set_new(state, "secondary_thumbprint",
                            api_json_thumbprint(&device.secondary_thumbprint));
    }
    OPENSSL_cleanse(&device, sizeof device);
    return state;
}

/* ---- what is found by its name in a list ---- */

struct search {
    const char *name;
    json_t *found; /* NULL: not yet */
};

static void look_at_authority(void *context, const struct picket_authority *row)
{
    struct search *search = context;
    struct authority authority;
    if (strcmp(row->name, search->name) != 0 ||
        !authority_describe(row->certificate, row->certificate_bytes, &authority))
        return;
    search->found = json_pack("{s:o, s:o, s:o}", "subject", api_json_text(authority.subject),
                              "sha256", api_json_thumbprint(&authority.sha256), "valid_until",
                              api_json_time(authority.until_s * 1000));
}

static void look_at_feed(void *context, const struct picket_feed *feed)
{
    struct search *search = context;
    if (strcmp(feed->name, search->name) == 0)
        search->found = api_json_feed_settings(feed);
}

static void look_at_list(void *context, const struct picket_feed *feed)
{
    struct search *search = context;
    if (strcmp(feed->name, search->name) == 0)
        search->found = json_pack("{s:I}", "indicators", (json_int_t)feed->indicators);
}

static void look_at_alert(void *context, const struct picket_alert *alert)
{
    struct search *search = context;
    search->found =
        json_pack("{s:s, s:o, s:o}", "status", alert->status, "verdict",
                  api_json_known(alert->verdict), "reason", api_json_known(alert->reason));
}

static void look_at_suppression(void *context, const struct picket_suppression *suppression)
{
    struct search *search = context;
    if (suppression->id == strtoll(search->name, NULL, 10))
        search->found = api_json_suppression(suppression);
}

static void look_at_twin(void *context, const struct picket_twin *twin)
{
    struct search *search = context;
    search->found = json_pack("{s:I, s:o}", "version", (json_int_t)twin->desired.version, "desired",
                              json_loads(twin->desired.json, 0, NULL));
}

static void search_alert(struct picket_store *store, const char *thing, struct search *search)
{
    const struct picket_alert_query query = {.id = strtoll(thing, NULL, 10), .limit = 1};
    if (query.id > 0)
        picket_store_alerts(store, &query, look_at_alert, search, NULL);
}

/* ---- what is allowed ---- */

/* All of a prefix, whatever their port and protocol. */
struct allow_search {
    struct picket_prefix prefix;
    json_t *entries;
};

static void look_at_entry(void *context, const char *list, const struct picket_indicator *entry)
{
    struct allow_search *search = context;
    (void)list;
    if (entry->prefix.length != search->prefix.length ||
        memcmp(&entry->prefix.address, &search->prefix.address, sizeof entry->prefix.address) != 0)
        return;
    json_t *object = api_json_allow_entry(entry);
    json_object_del(object, "prefix");
    json_array_append_new(search->entries, object);
}

static json_t *allow_state(struct picket_store *store, const char *prefix)
{
    struct allow_search search;
    if (!picket_prefix_parse(&search.prefix, prefix, strlen(prefix)))
        return json_null();
    search.entries = json_array();
    const struct picket_kept_query query = {
        .list = PICKET_LIST_ALLOW, .covering = &search.prefix.address, .limit = API_LIMIT_MAX};
    picket_store_kept_indicators(store, &query, look_at_entry, &search, NULL);
    return search.entries;
}

/* ---- the IP filter ---- */

static json_t *filter_state(struct picket_store *store)
{
    struct picket_ip_filter *filter = malloc(sizeof *filter);
    json_t *state = filter && picket_store_ip_filter_get(store, filter, NULL) == PICKET_OK
                        ? api_json_ip_filter(filter)
                        : json_null();
    free(filter);
    return state;
}

/* ---- all of them ---- */

static bool is_of(const char *act, const char *noun)
{
    size_t length = strlen(noun);
    return strncmp(act, noun, length) == 0 && act[length] == '.';
}

json_t *audit_state(struct picket_store *store, const char *act, const char *thing,
                    const char *module)
{
    struct search search = {.name = thing};
    if (is_of(act, "device"))
        return device_state(store, thing);
    if (is_of(act, "ip-filter"))
        return filter_state(store);
    if (is_of(act, "allow"))
        return allow_state(store, thing);
    if (is_of(act, "ca"))
        picket_store_authorities(store, look_at_authority, &search, NULL);
    else if (is_of(act, "feed"))
        picket_store_feeds(store, look_at_feed, &search, NULL);
    else if (is_of(act, "indicator"))
        picket_store_feeds(store, look_at_list, &search, NULL);
    else if (is_of(act, "alert"))
        search_alert(store, thing, &search);
    else if (is_of(act, "suppression"))
        picket_store_suppressions(store, look_at_suppression, &search, NULL);
    else if (is_of(act, "twin"))
        picket_store_twin(store, thing, module, look_at_twin, &search, NULL);
    return search.found ? search.found : json_null();
}

/* /v1/ip-filter: the addresses from which clients may come to the hub. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "picket/base/diagnostics.h"
#include "picket/store/administration.h"

/* Read, changed and written back: by one request at a time. */
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

/* ---- as JSON ---- */

static json_t *rule_json(size_t number, const struct picket_ip_rule *rule)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    return json_pack("{s:I, s:s, s:s, s:o}", "number", (json_int_t)number, "action",
                     rule->allow ? "allow" : "deny", "prefix",
                     picket_prefix_format(&rule->prefix, prefix), "note",
                     api_json_text(rule->note));
}

json_t *api_json_ip_filter(const struct picket_ip_filter *filter)
{
    json_t *rules = json_array();
    for (size_t i = 0; i < filter->count; i++)
        json_array_append_new(rules, rule_json(i + 1, &filter->rules[i]));
    return json_pack("{s:s, s:o}", "default", filter->deny_by_default ? "deny" : "allow", "rules",
                     rules);
}

/* ---- what is asked for ---- */

struct change {
    struct picket_ip_rule rule;
    int64_t at; /* 1: becomes the first; 0: not given */
    bool deny;
};

static int parse_action(const json_t *body, const char *name, bool *allow,
                        struct picket_error *error)
{
    const char *text = NULL;
    int status = api_member_text(body, name, true, &text, error);
    if (status != PICKET_OK)
        return status;
    if (!api_listed("allow deny", text))
        return picket_fail(error, PICKET_INVALID, "%s: \"%.60s\" is neither allow nor deny", name,
                           text);
    *allow = text[0] == 'a';
    return PICKET_OK;
}

/* Its listeners keep the families apart: what is written as IPv6 there never is IPv4. */
static bool is_mapped(const struct picket_prefix *prefix)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return prefix->address.family == 6 && prefix->length >= 96 &&
           memcmp(prefix->address.bytes, mapped, sizeof mapped) == 0;
}

int api_parse_prefix(const char *text, struct picket_prefix *prefix, struct picket_error *error)
{
    char canonical[PICKET_PREFIX_TEXT_BYTES];
    struct picket_address written;
    if (!picket_prefix_parse(prefix, text, strlen(text)))
        return picket_fail(error, PICKET_INVALID,
                           "prefix: \"%.60s\" is no IPv4 or IPv6 address or ADDRESS/LENGTH", text);
    picket_prefix_format(prefix, canonical);
    if (picket_address_parse(&written, text, strcspn(text, "/")) &&
        memcmp(written.bytes, prefix->address.bytes, sizeof written.bytes) != 0)
        return picket_fail(error, PICKET_INVALID,
                           "prefix: %.60s has bits set behind its length; is %s meant?", text,
                           canonical);
    if (is_mapped(prefix))
        return picket_fail(error, PICKET_INVALID,
                           "prefix: %.60s is IPv4 written as IPv6; write it as IPv4", text);
    return PICKET_OK;
}

int api_parse_ip_rule(const json_t *body, struct picket_ip_rule *rule, int64_t *at,
                      struct picket_error *error)
{
    const char *prefix = NULL, *note = "";
    memset(rule, 0, sizeof *rule);
    *at = 0;
    int status = parse_action(body, "action", &rule->allow, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "prefix", true, &prefix, error);
    if (status == PICKET_OK)
        status = api_parse_prefix(prefix, &rule->prefix, error);
    if (status == PICKET_OK)
        status = api_member_number(body, "at", 1, PICKET_IP_RULES_MAX, at, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "note", false, &note, error);
    if (status == PICKET_OK && strlen(note) >= sizeof rule->note)
        status = picket_fail(error, PICKET_INVALID, "note: longer than %zu bytes",
                             sizeof rule->note - 1);
    if (status == PICKET_OK)
        strcpy(rule->note, note);
    return status;
}

/* ---- changes ---- */

/* Each takes the filter as it is and leaves it as it is to be. */
typedef int (*filter_change)(struct picket_ip_filter *filter, const struct change *change,
                             struct picket_error *error);

static int find_rule(const struct picket_ip_filter *filter, const struct picket_prefix *prefix,
                     size_t *index, struct picket_error *error)
{
    char wanted[PICKET_PREFIX_TEXT_BYTES], text[PICKET_PREFIX_TEXT_BYTES];
    picket_prefix_format(prefix, wanted);
    for (*index = 0; *index < filter->count; ++*index)
        if (strcmp(picket_prefix_format(&filter->rules[*index].prefix, text), wanted) == 0)
            return PICKET_OK;
    return picket_fail(error, PICKET_NOT_FOUND, "IP filter: there is no rule for %s", wanted);
}

/* at: as people count; 0 or too high: at the end. */
static void insert(struct picket_ip_filter *filter, const struct picket_ip_rule *rule, int64_t at)
{
    size_t index = at > 0 && (size_t)at <= filter->count ? (size_t)at - 1 : filter->count;
    memmove(&filter->rules[index + 1], &filter->rules[index],
            (filter->count - index) * sizeof *filter->rules);
    filter->rules[index] = *rule;
    filter->count++;
}

static void take_out(struct picket_ip_filter *filter, size_t index)
{
    filter->count--;
    memmove(&filter->rules[index], &filter->rules[index + 1],
            (filter->count - index) * sizeof *filter->rules);
}

static int add_rule(struct picket_ip_filter *filter, const struct change *change,
                    struct picket_error *error)
{
    char text[PICKET_PREFIX_TEXT_BYTES];
    size_t index;
    if (find_rule(filter, &change->rule.prefix, &index, error) == PICKET_OK)
        return picket_fail(error, PICKET_EXISTS, "IP filter: rule %zu is for %s already", index + 1,
                           picket_prefix_format(&change->rule.prefix, text));
    *error = (struct picket_error){0};
    if (filter->count == PICKET_IP_RULES_MAX)
        return picket_fail(error, PICKET_FULL, "IP filter: there are %d rules already",
                           PICKET_IP_RULES_MAX);
    insert(filter, &change->rule, change->at);
    return PICKET_OK;
}

static int remove_rule(struct picket_ip_filter *filter, const struct change *change,
                       struct picket_error *error)
{
    size_t index;
    int status = find_rule(filter, &change->rule.prefix, &index, error);
    if (status == PICKET_OK)
        take_out(filter, index);
    return status;
}

static int move_rule(struct picket_ip_filter *filter, const struct change *change,
                     struct picket_error *error)
{
    size_t index;
    int status = find_rule(filter, &change->rule.prefix, &index, error);
    if (status != PICKET_OK)
        return status;
    struct picket_ip_rule rule = filter->rules[index];
    take_out(filter, index);
    insert(filter, &rule, change->at);
    return PICKET_OK;
}

static int set_default(struct picket_ip_filter *filter, const struct change *change,
                       struct picket_error *error)
{
    (void)error;
    filter->deny_by_default = change->deny;
    return PICKET_OK;
}

/* Reads, changes and writes; the hub takes it over before this returns. */
static int apply(struct picket_api *api, filter_change how, const struct change *change,
                 struct picket_ip_filter *filter, struct picket_error *error)
{
    const struct picket_api_config *config = api_config(api);
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    pthread_mutex_lock(&changing);
    int status = picket_store_ip_filter_get(store, filter, error);
    if (status == PICKET_OK)
        status = how(filter, change, error);
    if (status == PICKET_OK)
        status = picket_store_ip_filter_put(store, filter, error);
    if (status == PICKET_OK && config->admission_changed)
        status = config->admission_changed(config->context, error);
    pthread_mutex_unlock(&changing);
    api_store_return(api, store);
    return status;
}

static void answer_change(struct api_request *request, struct api_answer *answer,
                          unsigned http_status, filter_change how, const struct change *change)
{
    struct picket_error error = {0};
    struct picket_ip_filter *filter = malloc(sizeof *filter);
    if (!filter)
        picket_fail(&error, PICKET_NO_MEMORY, "out of memory");
    else if (apply(request->api, how, change, filter, &error) == PICKET_OK) {
        picket_say(PICKET_NOTICE, "service", "IP filter: changed: %zu rules, default %s",
                   filter->count, filter->deny_by_default ? "deny" : "allow");
        api_answer_json(answer, http_status, api_json_ip_filter(filter));
    }
    if (error.status != PICKET_OK)
        api_answer_error(answer, &error);
    free(filter);
}

/* ---- requests ---- */

void api_ip_filter_show(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(request->api, &error);
    struct picket_ip_filter *filter = malloc(sizeof *filter);
    if (store && filter)
        picket_store_ip_filter_get(store, filter, &error);
    else if (store)
        picket_fail(&error, PICKET_NO_MEMORY, "out of memory");
    if (store)
        api_store_return(request->api, store);
    if (error.status == PICKET_OK)
        api_answer_json(answer, 200, api_json_ip_filter(filter));
    else
        api_answer_error(answer, &error);
    free(filter);
}

void api_ip_filter_default(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct change change = {0};
    bool allow;
    if (parse_action(request->body, "default", &allow, &error) != PICKET_OK) {
        api_answer_error(answer, &error);
        return;
    }
    change.deny = !allow;
    answer_change(request, answer, 200, set_default, &change);
}

void api_ip_filter_add(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct change change;
    if (api_parse_ip_rule(request->body, &change.rule, &change.at, &error) == PICKET_OK)
        answer_change(request, answer, 201, add_rule, &change);
    else
        api_answer_error(answer, &error);
}

static int query_prefix(const struct api_request *request, struct picket_prefix *prefix,
                        struct picket_error *error)
{
    const char *text = api_query_text(request, "prefix");
    return text ? api_parse_prefix(text, prefix, error)
                : picket_fail(error, PICKET_INVALID, "query parameter \"prefix\" is missing");
}

void api_ip_filter_remove(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct change change = {0};
    if (query_prefix(request, &change.rule.prefix, &error) == PICKET_OK)
        answer_change(request, answer, 200, remove_rule, &change);
    else
        api_answer_error(answer, &error);
}

void api_ip_filter_move(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct change change = {0};
    int status = query_prefix(request, &change.rule.prefix, &error);
    if (status == PICKET_OK)
        status = api_member_number(request->body, "at", 1, PICKET_IP_RULES_MAX, &change.at, &error);
    if (status == PICKET_OK && change.at == 0)
        status = picket_fail(&error, PICKET_INVALID, "member \"at\" is missing");
    if (status == PICKET_OK)
        answer_change(request, answer, 200, move_rule, &change);
    else
        api_answer_error(answer, &error);
}

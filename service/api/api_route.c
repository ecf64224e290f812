#include <stdio.h>
#include <string.h>

#include "api_internal.h"
#include "audit.h"

static const char import_path[] = "/v1/devices/import";
static const char allow_path[] = "/v1/intelligence/allow";

#define FEED_ACCESS                                                                                \
    "source user password_file token_file header header_file proxy ca_file certificate_file "      \
    "key_file"
#define FEED_SETTINGS                                                                              \
    FEED_ACCESS " format columns pattern role confidence match_special_purpose "                   \
                "match_own_networks refresh_s max_bytes"

static const struct api_route routes[] = {
    {"GET", "/v1/status", "", NULL, api_status_get, NULL},
    {"GET", "/v1/devices", "limit after", NULL, api_devices_list, NULL},
    {"POST", "/v1/devices", "",
     "id primary_key secondary_key authentication primary_thumbprint secondary_thumbprint",
     api_devices_add, "device.add"},
    {"POST", import_path, "", "devices source", api_devices_import, "device.import"},
    {"GET", "/v1/devices/{}", "keys", NULL, api_devices_show, "device.show-keys"},
    {"PATCH", "/v1/devices/{}", "", "enabled", api_devices_change, "device.change"},
    {"DELETE", "/v1/devices/{}", "", NULL, api_devices_remove, "device.remove"},
    {"POST", "/v1/devices/{}/messages", "",
     "payload payload_base64 properties message_id correlation_id content_type content_encoding "
     "expires_in_s",
     api_messages_send, "message.send"},
    {"GET", "/v1/devices/{}/messages", "payload", NULL, api_messages_list, NULL},
    {"DELETE", "/v1/devices/{}/messages", "", NULL, api_messages_purge, "message.purge"},
    {"GET", "/v1/devices/{}/twin", "module", NULL, api_twins_show, NULL},
    {"PATCH", "/v1/devices/{}/twin", "module if_version", "desired", api_twins_change,
     "twin.change"},
    {"POST", "/v1/devices/{}/rotate", "", "which authentication key thumbprint",
     api_credentials_rotate, "device.rotate"},
    {"GET", "/v1/authorities", "", NULL, api_authorities_list, NULL},
    {"POST", "/v1/authorities", "", "name certificate", api_authorities_add, "ca.add"},
    {"GET", "/v1/authorities/{}", "", NULL, api_authorities_show, NULL},
    {"DELETE", "/v1/authorities/{}", "", NULL, api_authorities_remove, "ca.remove"},
    {"POST", "/v1/devices/{}/methods", "module", "name payload timeout_s connect_timeout_s",
     api_methods_invoke, "method.invoke"},
    {"GET", "/v1/ip-filter", "", NULL, api_ip_filter_show, NULL},
    {"PATCH", "/v1/ip-filter", "", "default", api_ip_filter_default, "ip-filter.default"},
    {"POST", "/v1/ip-filter/rules", "", "action prefix at note", api_ip_filter_add,
     "ip-filter.add"},
    {"PATCH", "/v1/ip-filter/rules", "prefix", "at", api_ip_filter_move, "ip-filter.move"},
    {"DELETE", "/v1/ip-filter/rules", "prefix", NULL, api_ip_filter_remove, "ip-filter.remove"},
    {"GET", "/v1/feeds", "", NULL, api_feeds_list, NULL},
    {"POST", "/v1/feeds", "", "name " FEED_SETTINGS, api_feeds_add, "feed.add"},
    {"POST", "/v1/feeds/collections", "", FEED_ACCESS, api_feeds_collections, "feed.collections"},
    {"GET", "/v1/feeds/{}", "", NULL, api_feeds_show, NULL},
    {"PATCH", "/v1/feeds/{}", "", FEED_SETTINGS, api_feeds_change, "feed.set"},
    {"DELETE", "/v1/feeds/{}", "", NULL, api_feeds_remove, "feed.remove"},
    {"POST", "/v1/feeds/{}/refresh", "accept_shrink", NULL, api_feeds_refresh, "feed.refresh"},
    {"GET", "/v1/intelligence/indicators", "list address expired limit after", NULL,
     api_indicators_list, NULL},
    {"POST", "/v1/intelligence/indicators", "",
     "list indicators indicator port protocol confidence severity tlp tags malware reference "
     "listed valid_until",
     api_indicators_add, "indicator.add"},
    {"PATCH", "/v1/intelligence/indicators", "",
     "list indicators indicator port protocol confidence severity tlp tags malware reference "
     "listed valid_until",
     api_indicators_change, "indicator.change"},
    {"DELETE", "/v1/intelligence/indicators", "", "list indicators indicator port protocol",
     api_indicators_remove, "indicator.remove"},
    {"POST", "/v1/intelligence/indicators/import", "", "list format confidence source text",
     api_indicators_import, "indicator.import"},
    {"GET", allow_path, "", NULL, api_allow_list, NULL},
    {"POST", allow_path, "", "prefix port protocol reason expires", api_allow_add, "allow.add"},
    {"DELETE", allow_path, "", "prefix port protocol", api_allow_remove, "allow.remove"},
    {"GET", "/v1/intelligence/hunts", "", NULL, api_hunts_list, NULL},
    {"POST", "/v1/intelligence/hunts", "", "indicators text feed since until device alert",
     api_hunts_start, "hunt.start"},
    {"GET", "/v1/intelligence/hunts/{}", "", NULL, api_hunts_show, NULL},
    {"DELETE", "/v1/intelligence/hunts/{}", "", NULL, api_hunts_cancel, "hunt.end"},
    {"GET", "/v1/intelligence/hunts/{}/found", "after limit", NULL, api_hunts_found, NULL},
    {"POST", "/v1/intelligence/lookup", "", "addresses port protocol", api_intelligence_lookup,
     NULL},
    {"GET", "/v1/alerts", "device type subject severity status since limit before after wait", NULL,
     api_alerts_list, NULL},
    {"GET", "/v1/alerts/groups", "device type subject severity status since limit", NULL,
     api_alerts_groups, NULL},
    {"POST", "/v1/alerts/decide", "", "device type subject severity status verdict reason",
     api_alerts_decide_many, "alerts.decide"},
    {"GET", "/v1/alerts/{}", "", NULL, api_alerts_show, NULL},
    {"GET", "/v1/alerts/{}/explanation", "", NULL, api_alerts_explain, NULL},
    {"PATCH", "/v1/alerts/{}", "", "status verdict reason change", api_alerts_decide,
     "alert.decide"},
    {"GET", "/v1/suppressions", "", NULL, api_suppressions_list, NULL},
    {"POST", "/v1/suppressions", "", "type device indicator until reason", api_suppressions_add,
     "suppression.add"},
    {"DELETE", "/v1/suppressions/{}", "", NULL, api_suppressions_remove, "suppression.remove"},
    {"GET", "/v1/events", "device since limit before of", NULL, api_events_list, NULL},
    {"GET", "/v1/audit", "since limit after before", NULL, api_audit_list, NULL},
    {"GET", "/v1/audit/check", "", NULL, api_audit_check, NULL},
    {"GET", "/v1/dead-letters", "limit payload", NULL, api_dead_letters_list, NULL},
};
enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

bool api_listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (*list) {
        size_t end = strcspn(list, " ");
        if (end == length && memcmp(list, word, length) == 0)
            return true;
        list += end + (list[end] == ' ');
    }
    return false;
}

/* Compares segment by segment. What stands at {} is copied to *argument, of size_bytes. */
static bool path_matches(const char *pattern, const char *path, char *argument, size_t size_bytes)
{
    argument[0] = 0;
    while (*pattern) {
        if (strncmp(pattern, "{}", 2) != 0) {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (length == 0 || length >= size_bytes)
            return false;
        memcpy(argument, path, length);
        argument[length] = 0;
        path += length;
        pattern += 2;
    }
    return *path == 0;
}

/* Adds a method to those that a path takes. */
static void allow_method(char *allow, size_t size_bytes, const char *method)
{
    size_t used = strlen(allow);
    snprintf(allow + used, size_bytes - used, "%s%s", used ? ", " : "",
             strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
}

/* NULL: there is none. *allow then has the methods that the path takes, "" if it is not known. */
static const struct api_route *find(const struct api_request *request, char *argument,
                                    size_t size_bytes, char *allow, size_t allow_bytes)
{
    bool head = strcmp(request->method, "HEAD") == 0;
    allow[0] = 0;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_matches(routes[i].path, request->path, argument, size_bytes))
            continue;
        if (strcmp(routes[i].method, head ? "GET" : request->method) == 0)
            return &routes[i];
        allow_method(allow, allow_bytes, routes[i].method);
    }
    return NULL;
}

size_t api_body_bytes_max(const char *path)
{
    if (strcmp(path, "/v1/intelligence/indicators/import") == 0)
        return API_INDICATORS_IMPORT_BYTES_MAX;
    return strcmp(path, import_path) == 0 || strcmp(path, "/v1/intelligence/indicators") == 0 ||
                   strcmp(path, "/v1/intelligence/hunts") == 0
               ? API_IMPORT_BYTES_MAX
               : API_BODY_BYTES_MAX;
}

static bool query_is_known(const struct api_route *route, const struct api_request *request,
                           struct api_answer *answer)
{
    for (size_t i = 0; i < request->query_count; i++) {
        const char *name = request->query[i].name;
        if (!api_listed(route->query, name) || !*name) {
            api_answer_refuse(answer, 400, "unknown query parameter \"%s\"%s%s", name,
                              *route->query ? "; known here: " : "; none is known here",
                              route->query);
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(request->query[j].name, name) == 0) {
                api_answer_refuse(answer, 400, "query parameter \"%s\" is given twice", name);
                return false;
            }
        }
    }
    return true;
}

/* Who reads keys could be that device from then on. */
static bool is_act(const struct api_route *route, const struct api_request *request)
{
    const char *keys = api_query_text(request, "keys");
    return route->act && (strcmp(route->method, "GET") != 0 || (keys && strcmp(keys, "true") == 0));
}

static void handle(const struct api_route *route, struct api_request *request,
                   struct api_answer *answer)
{
    struct picket_error error = {0};
    if (!query_is_known(route, request, answer))
        return;
    if (!route->members && request->body_bytes > 0) {
        api_answer_refuse(answer, 400, "%s %s takes no body", request->method, request->path);
        return;
    }
    if (route->members && api_body_parse(request->body_text, request->body_bytes, route->members,
                                         &request->body, &error) != PICKET_OK) {
        api_answer_error(answer, &error);
        return;
    }
    if (is_act(route, request))
        audit_act(route, request, answer);
    else
        route->handle(request, answer);
    json_decref(request->body);
    request->body = NULL;
}

void api_route(struct api_request *request, struct api_answer *answer)
{
    char argument[1024];
    const struct api_route *route =
        find(request, argument, sizeof argument, answer->allow, sizeof answer->allow);
    request->argument = argument;
    if (route) {
        answer->allow[0] = 0;
        handle(route, request, answer);
    } else if (answer->allow[0]) {
        api_answer_refuse(answer, 405, "%s does not take %s; it takes %s", request->path,
                          request->method, answer->allow);
    } else {
        api_answer_refuse(answer, 404, "there is no resource %s", request->path);
    }
    request->argument = "";
}

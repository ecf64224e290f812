#include "api_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "picket/base/time.h"

/* ---- status ---- */

static void the_status_shows_every_part(void **state)
{
    static const char *const parts[] = {
        "version", "time",    "started",  "uptime_s",     "log", "service",
        "store",   "outputs", "counters", "intelligence", "hub", "feeds_with_problems"};
    struct http_answer answer = expect(*state, 200, "GET", "/v1/status", NULL);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!json_object_get(answer.body, parts[i]))
            fail_msg("%s is missing", parts[i]);
    }
    assert_null(json_object_get(answer.body, "store_problem"));
    assert_string_equal(text_at(json_object_get(answer.body, "service"), "state"), "running");
    http_release(&answer);
}

static void the_status_shows_what_waits_for_an_output_that_is_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct picket_outbox_item item = {
        .device = "d", .payload = (const uint8_t *)"abc", .payload_bytes = 3};
    assert_int_equal(picket_store_begin(fixture->store, NULL), PICKET_OK);
    assert_int_equal(picket_store_enqueue(fixture->store, "gone", &item, NULL), PICKET_OK);
    assert_int_equal(picket_store_commit(fixture->store, NULL), PICKET_OK);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/status", NULL);
    const json_t *outputs = json_object_get(answer.body, "outputs");
    const json_t *gone = json_array_get(outputs, json_array_size(outputs) - 1);
    assert_string_equal(text_at(gone, "name"), "gone");
    assert_true(json_is_null(json_object_get(gone, "kind")));
    assert_int_equal(number_at(gone, "waiting"), 1);
    assert_int_equal(number_at(gone, "waiting_bytes"), 3);
    assert_int_equal(number_at(gone, "dropped"), 0);
    http_release(&answer);
}

/* ---- devices ---- */

static void a_device_is_added_with_keys_and_a_connection_string(void **state)
{
    char expected[300];
    struct picket_device_identity device;
    struct fixture *fixture = *state;
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/devices", "{\"id\": \"pump-7\"}");
    snprintf(expected, sizeof expected,
             "HostName=hub.example.org;DeviceId=pump-7;SharedAccessKey=%s",
             text_at(answer.body, "primary_key"));
    assert_string_equal(text_at(answer.body, "connection_string"), expected);
    assert_int_equal(strlen(text_at(answer.body, "primary_key")), 44); /* 32 bytes in base64 */
    assert_string_not_equal(text_at(answer.body, "primary_key"),
                            text_at(answer.body, "secondary_key"));
    http_release(&answer);
    assert_int_equal(picket_store_device_get(fixture->store, "pump-7", &device, NULL), PICKET_OK);
    assert_true(device.enabled);
    assert_int_equal(device.primary_key_bytes, 32);
    expect_error(fixture, 409, "POST", "/v1/devices", "{\"id\": \"pump-7\"}", "pump-7");
}

static void a_device_may_bring_its_keys(void **state)
{
    struct picket_device_identity device;
    struct fixture *fixture = *state;
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/devices",
                                       "{\"id\": \"old\", \"primary_key\": "
                                       "\"MDEyMzQ1Njc4OWFiY2RlZg==\"}");
    assert_string_equal(text_at(answer.body, "connection_string"),
                        "HostName=hub.example.org;DeviceId=old;SharedAccessKey="
                        "MDEyMzQ1Njc4OWFiY2RlZg==");
    http_release(&answer);
    assert_int_equal(picket_store_device_get(fixture->store, "old", &device, NULL), PICKET_OK);
    assert_int_equal(device.primary_key_bytes, 16);
    assert_memory_equal(device.primary_key, "0123456789abcdef", 16);
}

static void a_wrong_device_is_refused(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{}", "\"id\" is missing"},
        {"{\"id\": 7}", "id: expected a string"},
        {"{\"id\": \"\"}", "id"},
        {"{\"id\": \"a b\"}", "id"},
        {"{\"id\": \"a\\nb\"}", "control"},
        {"{\"id\": \"x\", \"primary_key\": \"AAAA\"}", "primary_key: expected are 16 to 64 bytes"},
        {"{\"id\": \"x\", \"primary_key\": \"not base64 at all!!!!\"}", "primary_key"},
        {"{\"id\": \"x\", \"secondary_key\": \"MDEyMzQ1Njc4OWFiY2RlZg=\"}", "secondary_key"},
        {"{\"id\": \"x\", \"primary_key\": \"MDEyMzQ1Njc4OWFiY2RlZh==\"}", "primary_key"},
        {"{\"id\": \"x\", \"enabled\": true}", "unknown member \"enabled\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "POST", "/v1/devices", cases[i].body, cases[i].error);
    char body[300];
    snprintf(body, sizeof body, "{\"id\": \"%0129d\"}", 0);
    expect_error(*state, 400, "POST", "/v1/devices", body, "longer than 128");
}

static void a_fleet_is_added_at_once(void **state)
{
    struct picket_device_identity device;
    struct fixture *fixture = *state;
    struct http_answer answer =
        expect(fixture, 201, "POST", "/v1/devices/import",
               "{\"devices\": [{\"id\": \"a\"}, {\"id\": \"b\", \"primary_key\": "
               "\"MDEyMzQ1Njc4OWFiY2RlZg==\"}, {\"id\": \"c\", \"authentication\": \"ca\"}]}");
    const json_t *devices = json_object_get(answer.body, "devices");
    assert_int_equal(number_at(answer.body, "added"), 3);
    assert_int_equal(strlen(text_at(json_array_get(devices, 0), "primary_key")), 44);
    assert_string_equal(text_at(json_array_get(devices, 1), "connection_string"),
                        "HostName=hub.example.org;DeviceId=b;SharedAccessKey="
                        "MDEyMzQ1Njc4OWFiY2RlZg==");
    assert_string_equal(text_at(json_array_get(devices, 2), "connection_string"),
                        "HostName=hub.example.org;DeviceId=c;x509=true");
    http_release(&answer);
    assert_int_equal(picket_store_device_get(fixture->store, "b", &device, NULL), PICKET_OK);
    assert_memory_equal(device.primary_key, "0123456789abcdef", 16);
    assert_true(device.enabled);
}

static void a_fleet_with_one_wrong_device_is_refused_whole(void **state)
{
    static const struct {
        const char *second, *error;
        int status;
    } cases[] = {
        {"{\"id\": \"b c\", \"line\": 7}", "fleet.csv:7: device id b c: character 2", 400},
        {"{\"line\": 7}", "fleet.csv:7: member \"id\" is missing", 400},
        {"{\"id\": \"b\"}, {\"id\": \"b\", \"line\": 8}", "fleet.csv:8: device b: is registered",
         409},
        {"{\"id\": \"b\", \"enabled\": true}", "devices[1]: unknown member \"enabled\"", 400},
        {"7", "devices[1]: expected an object", 400},
        {"{\"id\": \"b\", \"line\": 0}", "line: expected an integer", 400},
    };
    struct picket_device_identity device;
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[300];
        snprintf(body, sizeof body,
                 "{\"source\": \"fleet.csv\", \"devices\": [{\"id\": \"a\"}, %s]}",
                 cases[i].second);
        expect_error(fixture, cases[i].status, "POST", "/v1/devices/import", body, cases[i].error);
        assert_int_equal(picket_store_device_get(fixture->store, "a", &device, NULL),
                         PICKET_NOT_FOUND);
    }
    expect_error(fixture, 400, "POST", "/v1/devices/import", "{\"devices\": []}", "1 to 20000");
    expect_error(fixture, 400, "POST", "/v1/devices/import", "{}", "1 to 20000");
}

static void keys_are_shown_only_when_asked_for(void **state)
{
    struct http_answer answer =
        expect(*state, 201, "POST", "/v1/devices", "{\"id\": \"a:%?=$'x\"}");
    char *added = strdup(text_at(answer.body, "connection_string"));
    http_release(&answer);
    answer = expect(*state, 200, "GET", "/v1/devices/a%3A%25%3F%3D%24%27x", NULL);
    assert_string_equal(text_at(answer.body, "id"), "a:%?=$'x");
    assert_null(json_object_get(answer.body, "connection_string"));
    assert_null(json_object_get(answer.body, "primary_key"));
    http_release(&answer);
    answer = expect(*state, 200, "GET", "/v1/devices/a%3A%25%3F%3D%24%27x?keys=true", NULL);
    assert_string_equal(text_at(answer.body, "connection_string"), added);
    http_release(&answer);
    free(added);
    expect_error(*state, 400, "GET", "/v1/devices/a?keys=1", NULL, "keys");
    answer = expect(*state, 200, "GET", "/v1/devices", NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "devices")), 1);
    assert_null(
        json_object_get(json_array_get(json_object_get(answer.body, "devices"), 0), "primary_key"));
    http_release(&answer);
}

static void devices_are_paged_by_their_ids(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 5; i++) {
        char body[40];
        snprintf(body, sizeof body, "{\"id\": \"d-%%%d\"}", i);
        struct http_answer added = expect(fixture, 201, "POST", "/v1/devices", body);
        http_release(&added);
    }
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/devices?limit=3", NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "devices")), 3);
    assert_string_equal(text_at(answer.body, "next_after"), "d-%2");
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/devices?limit=3&after=d-%252", NULL);
    const json_t *rest = json_object_get(answer.body, "devices");
    assert_int_equal(json_array_size(rest), 2);
    assert_string_equal(text_at(json_array_get(rest, 0), "id"), "d-%3");
    assert_true(json_is_null(json_object_get(answer.body, "next_after")));
    http_release(&answer);
    expect_error(fixture, 400, "GET", "/v1/devices?limit=1001", NULL, "limit");
}

static void a_disabled_device_is_kept_and_the_hub_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/devices", "{\"id\": \"d\"}");
    http_release(&answer);
    answer = expect(fixture, 200, "PATCH", "/v1/devices/d", "{\"enabled\": false}");
    assert_true(json_is_false(json_object_get(answer.body, "enabled")));
    http_release(&answer);
    assert_string_equal(fixture->changed_device, "d");
    fixture->changed_device[0] = 0;
    answer = expect(fixture, 200, "PATCH", "/v1/devices/d", "{\"enabled\": true}");
    assert_true(json_is_true(json_object_get(answer.body, "enabled")));
    http_release(&answer);
    assert_string_equal(fixture->changed_device, "");
    expect_error(fixture, 400, "PATCH", "/v1/devices/d", "{}", "\"enabled\" is missing");
    expect_error(fixture, 400, "PATCH", "/v1/devices/d", "{\"enabled\": 1}", "true or false");
    expect_error(fixture, 404, "PATCH", "/v1/devices/e", "{\"enabled\": false}", "e");
}

static void a_removed_device_is_gone_and_the_hub_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/devices", "{\"id\": \"d\"}");
    http_release(&answer);
    answer = expect(fixture, 200, "DELETE", "/v1/devices/d", NULL);
    assert_string_equal(text_at(answer.body, "removed"), "d");
    http_release(&answer);
    assert_string_equal(fixture->changed_device, "d");
    expect_error(fixture, 404, "DELETE", "/v1/devices/d", NULL, "d");
    expect_error(fixture, 404, "GET", "/v1/devices/d", NULL, "d");
}

/* ---- feeds and lookups ---- */

static void a_feed_is_added_listed_refreshed_and_removed(void **state)
{
    struct fixture *fixture = *state;
    char path[128], body[300];
    write_file(fixture, "feed.txt", "198.51.100.0/24\nrubbish\n203.0.113.7\nevil.example\n", path,
               sizeof path);
    /* Only read on request, lest the change be seen before we ask. */
    snprintf(body, sizeof body,
             "{\"name\": \"f\", \"source\": \"%s\", \"confidence\": 70, \"refresh_s\": 0}", path);
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/feeds", body);
    const json_t *feed = json_object_get(answer.body, "feed");
    const json_t *problem = json_array_get(json_object_get(answer.body, "problems"), 0);
    assert_int_equal(number_at(answer.body, "added"), 2);
    assert_int_equal(number_at(answer.body, "passed_over"), 1);
    assert_int_equal(number_at(feed, "indicators"), 2);
    assert_int_equal(number_at(feed, "skipped"), 1);
    assert_int_equal(number_at(problem, "line"), 2);
    assert_string_equal(text_at(problem, "text"), "rubbish");
    http_release(&answer);
    expect_error(fixture, 409, "POST", "/v1/feeds", body, "f");
    answer = expect(fixture, 200, "GET", "/v1/feeds", NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "feeds")), 1);
    http_release(&answer);
    write_file(fixture, "feed.txt", "198.51.100.0/24\n192.0.2.1\n192.0.2.2\n", path, sizeof path);
    answer = expect(fixture, 200, "POST", "/v1/feeds/f/refresh", NULL);
    assert_int_equal(number_at(answer.body, "added"), 2);
    assert_int_equal(number_at(answer.body, "removed"), 1);
    assert_int_equal(number_at(answer.body, "kept"), 1);
    http_release(&answer);
    answer = expect(fixture, 200, "DELETE", "/v1/feeds/f", NULL);
    http_release(&answer);
    expect_error(fixture, 404, "DELETE", "/v1/feeds/f", NULL, "f");
    expect_error(fixture, 404, "POST", "/v1/feeds/f/refresh", NULL, "f");
}

static void a_wrong_feed_is_refused(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{\"source\": \"/x\"}", "\"name\" is missing"},
        {"{\"name\": \"f\", \"source\": \"/nonexistent/feed\"}", "/nonexistent/feed"},
        {"{\"name\": \"f\", \"source\": \"/x\", \"format\": \"xml\"}", "format: \"xml\""},
        {"{\"name\": \"f\", \"source\": \"/x\", \"confidence\": 101}", "confidence"},
        {"{\"name\": \"f\", \"source\": \"/x\", \"confidence\": \"90\"}", "confidence"},
        {"{\"name\": \"f\", \"source\": \"/x\", \"refresh_s\": 1}", "too often"},
        {"{\"name\": \"f\", \"source\": \"/x\", \"match_special_purpose\": 1}", "true or false"},
        {"{\"name\": \"f\", \"source\": \"/x\", \"role\": \"deny\"}", "role: \"deny\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "POST", "/v1/feeds", cases[i].body, cases[i].error);
}

static void a_lookup_names_every_indicator_the_most_specific_first(void **state)
{
    struct fixture *fixture = *state;
    char path[128], body[300];
    write_file(fixture, "feed.txt", "198.51.0.0/16\n198.51.100.0/24\n10.0.0.0/8\n", path,
               sizeof path);
    snprintf(body, sizeof body, "{\"name\": \"f\", \"source\": \"%s\"}", path);
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/feeds", body);
    http_release(&answer);
    answer = expect(fixture, 200, "POST", "/v1/intelligence/lookup",
                    "{\"addresses\": [\"198.51.100.9\", \"2001:DB8::1\", \"10.1.2.3\"]}");
    const json_t *results = json_object_get(answer.body, "results");
    const json_t *first = json_object_get(json_array_get(results, 0), "matches");
    assert_int_equal(json_array_size(results), 3);
    assert_int_equal(json_array_size(first), 2);
    assert_string_equal(text_at(json_array_get(first, 0), "indicator"), "198.51.100.0/24");
    assert_int_equal(number_at(json_array_get(first, 0), "line"), 2);
    assert_string_equal(text_at(json_array_get(first, 1), "indicator"), "198.51.0.0/16");
    assert_string_equal(text_at(json_array_get(results, 1), "address"), "2001:db8::1");
    assert_int_equal(json_array_size(json_object_get(json_array_get(results, 1), "matches")), 0);
    assert_string_equal(text_at(json_array_get(results, 2), "special_purpose"), "private-use");
    assert_true(json_is_true(json_object_get(
        json_array_get(json_object_get(json_array_get(results, 2), "matches"), 0), "suppressed")));
    http_release(&answer);
}

static void add_list(struct fixture *fixture, const char *name, const char *role, const char *text)
{
    char path[128], body[300];
    write_file(fixture, name, text, path, sizeof path);
    snprintf(body, sizeof body, "{\"name\": \"%s\", \"source\": \"%s\", \"role\": \"%s\"}", name,
             path, role);
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/feeds", body);
    http_release(&answer);
}

/* "feed outcome allowed-by;" for each match, and whether there is an alert. */
static const char *outcomes(struct fixture *fixture, const char *body)
{
    static char out[500];
    size_t i;
    json_t *match;
    struct http_answer answer = expect(fixture, 200, "POST", "/v1/intelligence/lookup", body);
    const json_t *result = json_array_get(json_object_get(answer.body, "results"), 0);
    out[0] = '\0';
    json_array_foreach(json_object_get(result, "matches"), i, match)
    {
        const json_t *allowed = json_object_get(match, "allowed_by");
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s %s%s%s;", text_at(match, "feed"),
                 text_at(match, "outcome"), json_is_null(allowed) ? "" : " ",
                 json_is_null(allowed) ? "" : text_at(allowed, "indicator"));
    }
    strcat(out, json_is_true(json_object_get(result, "alerts")) ? " alert" : " silent");
    http_release(&answer);
    return out;
}

static void a_lookup_tells_what_becomes_of_a_flow_and_why(void **state)
{
    struct fixture *fixture = *state;
    add_list(fixture, "bad", "threat", "45.9.0.0/16\n45.9.9.9:443\n10.0.0.0/8\n");
    add_list(fixture, "good", "allow", "45.9.9.0/24 ; our supplier\n45.9.8.8:53\n");
    add_list(fixture, "cdn", "shared", "45.9.7.0/24\n");
    assert_string_equal(outcomes(fixture, "{\"addresses\": [\"45.9.9.9\"]}"),
                        "bad allowed 45.9.9.0/24;good allows;bad allowed 45.9.9.0/24; silent");
    assert_string_equal(outcomes(fixture, "{\"addresses\": [\"45.9.9.9\"], \"port\": 80}"),
                        "bad other-traffic;good allows;bad allowed 45.9.9.0/24; silent");
    assert_string_equal(outcomes(fixture, "{\"addresses\": [\"45.9.8.8\"]}"),
                        "good allows;bad alert; alert");
    assert_string_equal(outcomes(fixture, "{\"addresses\": [\"45.9.8.8\"], \"port\": 53}"),
                        "good allows;bad allowed 45.9.8.8/32; silent");
    assert_string_equal(outcomes(fixture, "{\"addresses\": [\"45.9.7.7\"]}"),
                        "cdn shared;bad alert; alert");
    assert_string_equal(outcomes(fixture, "{\"addresses\": [\"10.1.1.1\"]}"),
                        "bad special-purpose; silent");
}

static void a_wrong_lookup_is_refused(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{}", "array of 1 to 1000"},
        {"{\"addresses\": []}", "array of 1 to 1000"},
        {"{\"addresses\": \"192.0.2.1\"}", "array of 1 to 1000"},
        {"{\"addresses\": [\"192.0.2.1\", 5]}", "addresses[1] is not a string"},
        {"{\"addresses\": [\"192.0.2.1\", \"192.0.2.256\"]}", "addresses[1]: \"192.0.2.256\""},
        {"{\"addresses\": [\"192.0.2.1\\u0000\"]}", "body:"},
        {"{\"addresses\": [\"192.0.2.1\"], \"port\": 65536}", "port"},
        {"{\"addresses\": [\"192.0.2.1\"], \"protocol\": \"sctp\"}", "protocol: \"sctp\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "POST", "/v1/intelligence/lookup", cases[i].body, cases[i].error);
}

/* ---- alerts ---- */

/* The ids of a list of alerts or events, joined by blanks, into out of 200 bytes. */
static char *ids(const json_t *list, char *out)
{
    size_t index;
    json_t *item;
    out[0] = 0;
    json_array_foreach(list, index, item)
    {
        snprintf(out + strlen(out), 200 - strlen(out), "%s%lld", index ? " " : "",
                 number_at(item, "id"));
    }
    return out;
}

static void expect_ids(struct fixture *fixture, const char *path, const char *list,
                       const char *expected)
{
    char found[200];
    struct http_answer answer = expect(fixture, 200, "GET", path, NULL);
    assert_string_equal(ids(json_object_get(answer.body, list), found), expected);
    http_release(&answer);
}

static void alerts_are_listed_and_paged_both_ways(void **state)
{
    struct fixture *fixture = *state;
    expect_ids(fixture, "/v1/alerts", "alerts", "");
    expect_ids(fixture, "/v1/alerts?after=0", "alerts", "");
    for (int i = 0; i < 5; i++) {
        char subject[16];
        snprintf(subject, sizeof subject, "s%d", i);
        assert_int_equal(raise_alert(fixture->store, i % 2 ? "odd" : "even", subject), i + 1);
    }
    expect_ids(fixture, "/v1/alerts", "alerts", "5 4 3 2 1");
    expect_ids(fixture, "/v1/alerts?limit=2", "alerts", "5 4");
    expect_ids(fixture, "/v1/alerts?limit=2&before=4", "alerts", "3 2");
    expect_ids(fixture, "/v1/alerts?after=0&limit=2", "alerts", "1 2");
    expect_ids(fixture, "/v1/alerts?after=2", "alerts", "3 4 5");
    expect_ids(fixture, "/v1/alerts?device=odd", "alerts", "4 2");
    expect_ids(fixture, "/v1/alerts?device=none", "alerts", "");
    expect_ids(fixture, "/v1/alerts?since=1h", "alerts", "5 4 3 2 1");
    expect_ids(fixture, "/v1/alerts?since=2100-01-01", "alerts", "");
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/alerts?limit=2", NULL);
    assert_int_equal(number_at(answer.body, "next_before"), 4);
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/alerts?limit=2&after=4", NULL);
    assert_true(json_is_null(json_object_get(answer.body, "next_after")));
    http_release(&answer);
}

static void one_alert_is_shown_whole(void **state)
{
    struct fixture *fixture = *state;
    raise_alert(fixture->store, "pump-7", "198.51.100.0/24");
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/alerts/1", NULL);
    assert_string_equal(text_at(answer.body, "device"), "pump-7");
    assert_string_equal(text_at(answer.body, "severity"), "high");
    assert_string_equal(text_at(answer.body, "status"), "new");
    assert_string_equal(text_at(json_object_get(answer.body, "evidence"), "feed"), "drop");
    http_release(&answer);
    expect_error(fixture, 404, "GET", "/v1/alerts/2", NULL, "no alert 2");
    expect_error(fixture, 400, "GET", "/v1/alerts/x", NULL, "\"x\"");
    expect_error(fixture, 400, "GET", "/v1/alerts/-1", NULL, "\"-1\"");
    expect_error(fixture, 400, "GET", "/v1/alerts/99999999999999999999", NULL, "positive number");
}

static void an_alert_is_acknowledged_and_closed(void **state)
{
    struct fixture *fixture = *state;
    raise_alert(fixture->store, "pump-7", "198.51.100.0/24");
    struct http_answer answer =
        expect(fixture, 200, "PATCH", "/v1/alerts/1", "{\"status\": \"acknowledged\"}");
    assert_string_equal(text_at(answer.body, "status"), "acknowledged");
    assert_string_equal(text_at(answer.body, "verdict"), "");
    http_release(&answer);
    static const struct {
        int status;
        const char *path, *body, *error;
    } cases[] = {
        {400, "/v1/alerts/1", "{}", "\"status\" is missing"},
        {400, "/v1/alerts/1", "{\"status\": \"gone\", \"verdict\": \"unknown\"}",
         "\"gone\" is none"},
        {400, "/v1/alerts/1", "{\"status\": \"new\", \"verdict\": \"unknown\"}", "goes with"},
        {409, "/v1/alerts/1", "{\"status\": \"new\"}", "alert 1 is open"},
        {400, "/v1/alerts/1", "{\"status\": \"resolved\"}", "verdict: \"\" is none of"},
        {400, "/v1/alerts/1", "{\"status\": \"acknowledged\", \"verdict\": \"unknown\"}",
         "goes with"},
        {404, "/v1/alerts/2", "{\"status\": \"acknowledged\"}", "no alert 2"},
        {400, "/v1/alerts/x", "{\"status\": \"acknowledged\"}", "positive number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(fixture, cases[i].status, "PATCH", cases[i].path, cases[i].body,
                     cases[i].error);
    answer = expect(fixture, 200, "PATCH", "/v1/alerts/1",
                    "{\"status\": \"dismissed\", \"verdict\": \"false-positive\", "
                    "\"reason\": \"our own\"}");
    assert_string_equal(text_at(answer.body, "status"), "dismissed");
    assert_string_equal(text_at(answer.body, "verdict"), "false-positive");
    assert_string_equal(text_at(answer.body, "reason"), "our own");
    assert_true(strlen(text_at(answer.body, "decided")) > 20);
    assert_int_equal(number_at(answer.body, "decided_uid"), getuid());
    http_release(&answer);
    expect_error(fixture, 409, "PATCH", "/v1/alerts/1", "{\"status\": \"acknowledged\"}",
                 "closed already: dismissed");
}

static void a_wrong_query_is_refused(void **state)
{
    static const struct {
        const char *path, *error;
    } cases[] = {
        {"/v1/alerts?limit=0", "from 1 to 1000"},
        {"/v1/alerts?limit=1001", "from 1 to 1000"},
        {"/v1/alerts?limit=", "is not a number"},
        {"/v1/alerts?limit", "is not a number"},
        {"/v1/alerts?limit=5x", "is not a number"},
        {"/v1/alerts?limit=99999999999999999999", "is not a number"},
        {"/v1/alerts?since=yesterday", "neither a time"},
        {"/v1/alerts?wait=5", "needs after"},
        {"/v1/alerts?after=1&wait=61", "from 0 to 60"},
        {"/v1/alerts?after=1&before=2", "exclude"},
        {"/v1/alerts?limit=1&limit=2", "given twice"},
        {"/v1/alerts?color=red", "unknown query parameter \"color\""},
        {"/v1/alerts?=1", "unknown query parameter"},
        {"/v1/status?x=1", "none is known here"},
        {"/v1/events?before=0", "before"},
        {"/v1/events?flows=yes", "unknown query parameter"},
        {"/v1/dead-letters?payload=yes", "neither true nor false"},
        {"/v1/devices/a%00b", "NUL"},
        {"/v1/alerts?device=a%00b", "NUL"},
        {"/v1/alerts?a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1&l=1&m=1", "more than 12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "GET", cases[i].path, NULL, cases[i].error);
}

struct waiter {
    struct fixture *fixture;
    struct http_answer answer;
    int64_t waited_ms;
};

static void *wait_for_alert(void *context)
{
    struct waiter *waiter = context;
    int64_t from_ms = picket_monotonic_ms();
    waiter->answer =
        http_call(waiter->fixture->socket_path, "GET", "/v1/alerts?after=0&wait=60", NULL);
    waiter->waited_ms = picket_monotonic_ms() - from_ms;
    return NULL;
}

static void a_request_may_wait_for_the_next_alert(void **state)
{
    struct waiter waiter = {.fixture = *state};
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_alert, &waiter);
    raise_alert(waiter.fixture->store, "pump-7", "s");
    pthread_join(thread, NULL);
    assert_int_equal(waiter.answer.status, 200);
    assert_int_equal(json_array_size(json_object_get(waiter.answer.body, "alerts")), 1);
    assert_true(waiter.waited_ms < 30000);
    http_release(&waiter.answer);
}

static void restart_api(struct fixture *fixture)
{
    struct picket_error error;
    struct picket_api_config config = fixture_api_config(fixture);
    assert_int_equal(picket_api_start(&fixture->api, &config, &error), PICKET_OK);
}

static void stopping_ends_a_request_that_waits(void **state)
{
    struct fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_alert, &waiter);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/alerts?after=0&wait=1", NULL);
    http_release(&answer);
    picket_api_stop(fixture->api);
    pthread_join(thread, NULL);
    assert_true(waiter.waited_ms < 30000);
    http_release(&waiter.answer);
    assert_int_not_equal(access(fixture->socket_path, F_OK), 0);
    restart_api(fixture);
}

static void *remove_device(void *context)
{
    struct waiter *waiter = context;
    waiter->answer = http_call(waiter->fixture->socket_path, "DELETE", "/v1/devices/d", NULL);
    return NULL;
}

static void stopping_lets_a_request_under_way_be_answered(void **state)
{
    struct fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    pthread_t thread;
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/devices", "{\"id\": \"d\"}");
    http_release(&answer);
    sem_init(&fixture->in_callback, 0, 0);
    fixture->slow_callback = true;
    pthread_create(&thread, NULL, remove_device, &waiter);
    sem_wait(&fixture->in_callback);
    picket_api_stop(fixture->api);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.answer.status, 200);
    http_release(&waiter.answer);
    sem_destroy(&fixture->in_callback);
    restart_api(fixture);
}

/* ---- events and dead letters ---- */

static void put_event(struct picket_store *store, const char *device, int64_t time_s, uint8_t key)
{
    const struct picket_event_row row = {.device = device,
                                         .module = "",
                                         .received_ms = picket_unix_ms(),
                                         .time_s = time_s,
                                         .id = {0xab, 1},
                                         .key = {key},
                                         .collection_interval_s = 60,
                                         .duration_s = 61,
                                         .type = 1,
                                         .lost_flows = 3};
    const struct picket_flow flow = {.local = picket_address_ipv4((const uint8_t[]){10, 0, 0, 7}),
                                     .remote =
                                         picket_address_ipv4((const uint8_t[]){198, 51, 100, 9}),
                                     .local_port = 49152,
                                     .remote_port = 443,
                                     .protocol = PICKET_TCP,
                                     .bytes_in = 4294967295u,
                                     .bytes_out = 5};
    int64_t id;
    assert_int_equal(picket_store_begin(store, NULL), PICKET_OK);
    assert_int_equal(picket_store_put_event(store, &row, &id, NULL), PICKET_OK);
    assert_int_equal(picket_store_put_flows(store, id, &flow, 1, NULL), PICKET_OK);
    assert_int_equal(picket_store_commit(store, NULL), PICKET_OK);
}

static void events_are_listed_with_their_flows(void **state)
{
    struct fixture *fixture = *state;
    put_event(fixture->store, "pump-7", 1700000000, 1);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/events", NULL);
    const json_t *event = json_array_get(json_object_get(answer.body, "events"), 0);
    const json_t *flow = json_array_get(json_object_get(event, "flows"), 0);
    assert_string_equal(text_at(event, "device"), "pump-7");
    assert_string_equal(text_at(event, "type"), "NetworkActivity");
    assert_string_equal(text_at(event, "time"), "2023-11-14T22:13:20.000Z");
    assert_string_equal(text_at(event, "event_id"), "ab010000000000000000000000000000");
    assert_int_equal(number_at(json_object_get(event, "lost"), "flows"), 3);
    assert_string_equal(text_at(flow, "protocol"), "tcp");
    assert_string_equal(text_at(flow, "remote_address"), "198.51.100.9");
    assert_int_equal(number_at(flow, "remote_port"), 443);
    assert_int_equal(number_at(flow, "bytes_in"), 4294967295LL);
    http_release(&answer);
}

static void events_are_paged_and_an_unknown_clock_is_null(void **state)
{
    struct fixture *fixture = *state;
    put_event(fixture->store, "a", 1, 1);
    put_event(fixture->store, "b", 2, 2);
    put_event(fixture->store, "a", UINT32_MAX, 3);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/events?limit=2", NULL);
    const json_t *newest = json_array_get(json_object_get(answer.body, "events"), 0);
    char path[100];
    assert_int_equal(json_array_size(json_object_get(answer.body, "events")), 2);
    assert_true(json_is_null(json_object_get(newest, "time")));
    snprintf(path, sizeof path, "/v1/events?limit=2&before=%lld",
             number_at(answer.body, "next_before"));
    http_release(&answer);
    answer = expect(fixture, 200, "GET", path, NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "events")), 1);
    assert_true(json_is_null(json_object_get(answer.body, "next_before")));
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/events?device=a", NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "events")), 2);
    http_release(&answer);
}

static void put_event_of_many_flows(struct picket_store *store, uint8_t key)
{
    static struct picket_flow flows[8000];
    const struct picket_event_row row = {.device = "d", .module = "", .time_s = 1, .key = {key}};
    int64_t id;
    for (size_t i = 0; i < 8000; i++)
        flows[i].local = flows[i].remote = picket_address_ipv4((const uint8_t[]){10, 0, 0, 7});
    assert_int_equal(picket_store_begin(store, NULL), PICKET_OK);
    assert_int_equal(picket_store_put_event(store, &row, &id, NULL), PICKET_OK);
    assert_int_equal(picket_store_put_flows(store, id, flows, 8000, NULL), PICKET_OK);
    assert_int_equal(picket_store_commit(store, NULL), PICKET_OK);
}

static void a_page_of_events_ends_early_when_it_holds_many_flows(void **state)
{
    struct fixture *fixture = *state;
    for (uint8_t key = 1; key <= 5; key++)
        put_event_of_many_flows(fixture->store, key);
    static const size_t counts[] = {2, 2, 1};
    char path[100] = "/v1/events";
    for (size_t page = 0; page < 3; page++) {
        struct http_answer answer = expect(fixture, 200, "GET", path, NULL);
        assert_int_equal(json_array_size(json_object_get(answer.body, "events")), counts[page]);
        assert_int_equal(json_is_null(json_object_get(answer.body, "next_before")), page == 2);
        if (page < 2)
            snprintf(path, sizeof path, "/v1/events?before=%lld",
                     number_at(answer.body, "next_before"));
        http_release(&answer);
    }
}

static void payloads_are_left_out_when_an_answer_holds_many_bytes(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t payload[6 * 1024 * 1024];
    const struct picket_dead_letter letter = {.device = "d",
                                              .module = "",
                                              .reason = "",
                                              .properties = "",
                                              .payload = payload,
                                              .payload_bytes = sizeof payload};
    assert_int_equal(picket_store_begin(fixture->store, NULL), PICKET_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(picket_store_put_dead_letter(fixture->store, &letter, NULL), PICKET_OK);
    assert_int_equal(picket_store_commit(fixture->store, NULL), PICKET_OK);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/dead-letters?payload=true", NULL);
    const json_t *letters = json_object_get(answer.body, "dead_letters");
    assert_int_equal(json_array_size(letters), 3);
    assert_true(json_is_string(json_object_get(json_array_get(letters, 1), "payload")));
    assert_true(json_is_null(json_object_get(json_array_get(letters, 2), "payload")));
    http_release(&answer);
}

static void dead_letters_are_listed_with_their_payload_on_request(void **state)
{
    struct fixture *fixture = *state;
    const struct picket_dead_letter letter = {.device = "d",
                                              .module = "",
                                              .received_ms = picket_unix_ms(),
                                              .reason = "vtable outside the message \x9b\xff",
                                              .offset = 17,
                                              .properties = "a=b",
                                              .payload = (const uint8_t *)"\0\1\2\xff",
                                              .payload_bytes = 4};
    assert_int_equal(picket_store_begin(fixture->store, NULL), PICKET_OK);
    assert_int_equal(picket_store_put_dead_letter(fixture->store, &letter, NULL), PICKET_OK);
    assert_int_equal(picket_store_commit(fixture->store, NULL), PICKET_OK);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/dead-letters", NULL);
    const json_t *shown = json_array_get(json_object_get(answer.body, "dead_letters"), 0);
    assert_int_equal(number_at(shown, "offset"), 17);
    assert_int_equal(number_at(shown, "payload_bytes"), 4);
    assert_null(json_object_get(shown, "payload"));
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/dead-letters?payload=true&limit=1", NULL);
    shown = json_array_get(json_object_get(answer.body, "dead_letters"), 0);
    assert_string_equal(text_at(shown, "payload"), "AAEC/w==");
    http_release(&answer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(the_status_shows_every_part),
        TEST(the_status_shows_what_waits_for_an_output_that_is_no_more),
        TEST(a_device_is_added_with_keys_and_a_connection_string),
        TEST(a_device_may_bring_its_keys),
        TEST(a_wrong_device_is_refused),
        TEST(a_fleet_is_added_at_once),
        TEST(a_fleet_with_one_wrong_device_is_refused_whole),
        TEST(keys_are_shown_only_when_asked_for),
        TEST(devices_are_paged_by_their_ids),
        TEST(a_disabled_device_is_kept_and_the_hub_is_told),
        TEST(a_removed_device_is_gone_and_the_hub_is_told),
        TEST(a_feed_is_added_listed_refreshed_and_removed),
        TEST(a_wrong_feed_is_refused),
        TEST(a_lookup_names_every_indicator_the_most_specific_first),
        TEST(a_lookup_tells_what_becomes_of_a_flow_and_why),
        TEST(a_wrong_lookup_is_refused),
        TEST(alerts_are_listed_and_paged_both_ways),
        TEST(one_alert_is_shown_whole),
        TEST(an_alert_is_acknowledged_and_closed),
        TEST(a_wrong_query_is_refused),
        TEST(a_request_may_wait_for_the_next_alert),
        TEST(stopping_ends_a_request_that_waits),
        TEST(stopping_lets_a_request_under_way_be_answered),
        TEST(events_are_listed_with_their_flows),
        TEST(events_are_paged_and_an_unknown_clock_is_null),
        TEST(a_page_of_events_ends_early_when_it_holds_many_flows),
        TEST(payloads_are_left_out_when_an_answer_holds_many_bytes),
        TEST(dead_letters_are_listed_with_their_payload_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Indicators that come, change and go by the API, one by one or some at a time. */
#include "api_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char path[] = "/v1/intelligence/indicators";

static struct http_answer change(struct fixture *fixture, int status, const char *method,
                                 const char *body)
{
    return expect(fixture, status, method, path, body);
}

static void must_change(struct fixture *fixture, int status, const char *method, const char *body)
{
    struct http_answer answer = change(fixture, status, method, body);
    http_release(&answer);
}

/* The indicators that cover the address, with a blank behind each, narrowest first. */
static const char *lookup(struct fixture *fixture, const char *address)
{
    static char out[1000];
    char body[200];
    size_t index;
    json_t *match;
    snprintf(body, sizeof body, "{\"addresses\": [\"%s\"]}", address);
    struct http_answer answer = expect(fixture, 200, "POST", "/v1/intelligence/lookup", body);
    const json_t *result = json_array_get(json_object_get(answer.body, "results"), 0);
    out[0] = '\0';
    json_array_foreach(json_object_get(result, "matches"), index, match)
    {
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s:%s ", text_at(match, "feed"),
                 text_at(match, "indicator"));
    }
    http_release(&answer);
    return out;
}

static void one_is_added_changed_and_removed(void **state)
{
    struct http_answer answer = change(
        *state, 201, "POST",
        "{\"indicator\": \"8.8.8.8:53\", \"protocol\": \"udp\", \"severity\": \"high\", "
        "\"tlp\": \"amber+strict\", \"tags\": \"dns\", \"malware\": \"m\", \"reference\": \"r\", "
        "\"listed\": \"2026-01-02\", \"valid_until\": \"2100-01-01T00:00:00Z\"}");
    assert_string_equal(text_at(answer.body, "list"), "local");
    assert_int_equal(number_at(answer.body, "added"), 1);
    http_release(&answer);
    assert_string_equal(lookup(*state, "8.8.8.8"), "local:8.8.8.8/32 ");
    must_change(*state, 200, "PATCH",
                "{\"indicator\": \"8.8.8.8\", \"port\": 53, \"protocol\": \"udp\", "
                "\"confidence\": 7, \"severity\": null}");
    answer = expect(*state, 200, "GET", path, NULL);
    const json_t *item = json_array_get(json_object_get(answer.body, "indicators"), 0);
    assert_string_equal(text_at(item, "indicator"), "8.8.8.8/32");
    assert_int_equal(number_at(item, "port"), 53);
    assert_string_equal(text_at(item, "protocol"), "udp");
    assert_int_equal(number_at(item, "confidence"), 7);
    assert_true(json_is_null(json_object_get(item, "severity")));
    assert_string_equal(text_at(item, "tlp"), "amber+strict");
    assert_string_equal(text_at(item, "tags"), "dns");
    assert_string_equal(text_at(item, "listed"), "2026-01-02T00:00:00.000Z");
    assert_string_equal(text_at(item, "valid_until"), "2100-01-01T00:00:00.000Z");
    http_release(&answer);
    must_change(*state, 404, "DELETE", "{\"indicator\": \"8.8.8.8\"}");
    must_change(*state, 200, "DELETE",
                "{\"indicator\": \"8.8.8.8\", \"port\": 53, \"protocol\": \"udp\"}");
    assert_string_equal(lookup(*state, "8.8.8.8"), "");
}

static void what_brings_no_confidence_has_that_of_its_list(void **state)
{
    struct http_answer answer =
        expect(*state, 201, "POST", "/v1/feeds", "{\"name\": \"ours\", \"confidence\": 33}");
    http_release(&answer);
    must_change(*state, 201, "POST", "{\"list\": \"ours\", \"indicator\": \"8.8.8.8\"}");
    must_change(*state, 201, "POST", "{\"indicator\": \"8.8.8.8\"}");
    answer =
        expect(*state, 200, "POST", "/v1/intelligence/lookup", "{\"addresses\": [\"8.8.8.8\"]}");
    const json_t *matches =
        json_object_get(json_array_get(json_object_get(answer.body, "results"), 0), "matches");
    assert_int_equal(number_at(json_array_get(matches, 0), "confidence"), 33);
    assert_int_equal(number_at(json_array_get(matches, 1), "confidence"), 90);
    http_release(&answer);
}

static void of_several_all_are_taken_or_none_and_the_wrong_one_is_named(void **state)
{
    struct http_answer answer = change(*state, 201, "POST",
                                       "{\"indicators\": [{\"indicator\": \"8.8.8.0-8.8.8.2\"}, "
                                       "{\"indicator\": \"10.0.0.0/8\"}]}");
    assert_int_equal(number_at(answer.body, "added"), 3); /* a /31, a /32 and a /8 */
    const json_t *special = json_object_get(answer.body, "special_purpose");
    assert_int_equal(json_array_size(special), 1);
    assert_string_equal(text_at(json_array_get(special, 0), "indicator"), "10.0.0.0/8");
    assert_string_equal(text_at(json_array_get(special, 0), "is"), "private-use");
    http_release(&answer);
    assert_string_equal(lookup(*state, "8.8.8.1"), "local:8.8.8.0/31 ");
    expect_error(*state, 400, "POST", path,
                 "{\"indicators\": [{\"indicator\": \"9.9.9.9\"}, {\"indicator\": \"9.9.9.x\"}]}",
                 "indicators[1]: indicator: \"9.9.9.x\"");
    expect_error(*state, 404, "DELETE", path,
                 "{\"indicators\": [{\"indicator\": \"8.8.8.0-8.8.8.2\"}, "
                 "{\"indicator\": \"9.9.9.9\"}]}",
                 "indicators[1]: list local does not have 9.9.9.9/32 for any port, any protocol");
    expect_error(*state, 404, "PATCH", path,
                 "{\"indicators\": [{\"indicator\": \"10.0.0.0/8\", \"tags\": \"x\"}, "
                 "{\"indicator\": \"9.9.9.9\"}]}",
                 "indicators[1]: list local does not have");
    assert_string_equal(lookup(*state, "9.9.9.9"), "");
    assert_string_equal(lookup(*state, "8.8.8.2"), "local:8.8.8.2/32 ");
}

static void a_wrong_value_is_refused_with_its_member(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{}", "member \"indicator\" is missing"},
        {"{\"indicator\": 5}", "indicator: expected a string"},
        {"{\"indicator\": \"\"}", "no address"},
        {"{\"indicator\": \"0.0.0.0/1\"}", "covers half"},
        {"{\"indicator\": \"::/0\"}", "covers half"},
        {"{\"indicator\": \"8.8.8.8/33\"}", "exceeds 32"},
        {"{\"indicator\": \"8.8.8.8:1\", \"port\": 2}", "port: 2, but the indicator says 1"},
        {"{\"indicator\": \"8.8.8.8\", \"port\": 0}", "port: expected an integer from 1"},
        {"{\"indicator\": \"8.8.8.8\", \"port\": 65536}", "port: expected"},
        {"{\"indicator\": \"8.8.8.8\", \"port\": 5, \"protocol\": \"icmp\"}", "ICMP has none"},
        {"{\"indicator\": \"8.8.8.8\", \"protocol\": \"tcpx\"}", "none of tcp, udp, icmp"},
        {"{\"indicator\": \"8.8.8.8\", \"confidence\": 101}", "confidence: expected"},
        {"{\"indicator\": \"8.8.8.8\", \"confidence\": \"high\"}", "confidence: expected"},
        {"{\"indicator\": \"8.8.8.8\", \"severity\": \"worst\"}", "none of low, medium, high"},
        {"{\"indicator\": \"8.8.8.8\", \"tlp\": \"white\"}",
         "none of clear, green, amber, amber+strict, red"},
        {"{\"indicator\": \"8.8.8.8\", \"valid_until\": \"7d\"}", "valid_until: \"7d\" is no time"},
        {"{\"indicator\": \"8.8.8.8\", \"valid_until\": 7}", "valid_until: expected a string"},
        {"{\"indicator\": \"8.8.8.8\", \"listed\": \"soon\"}", "listed: \"soon\" is no time"},
        {"{\"indicator\": \"8.8.8.8\", \"tags\": \"a\\u001bb\"}", "tags: expected a string"},
        {"{\"indicator\": \"8.8.8.8\", \"source\": \"x\"}", "unknown member"},
        {"{\"indicators\": []}", "array of 1 to 10000"},
        {"{\"indicators\": {}}", "array of 1 to 10000"},
        {"{\"indicators\": [5]}", "indicators[0]: expected an object"},
        {"{\"indicators\": [{\"indicator\": \"8.8.8.8\", \"list\": \"x\"}]}", "unknown member"},
        {"{\"indicators\": [{\"indicator\": \"8.8.8.8\"}], \"port\": 5}", "unknown member"},
        {"{\"list\": 7, \"indicator\": \"8.8.8.8\"}", "list: expected a string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "POST", path, cases[i].body, cases[i].error);
    char body[700], text[301];
    memset(text, 'x', 300);
    text[300] = '\0';
    snprintf(body, sizeof body, "{\"indicator\": \"8.8.8.8\", \"malware\": \"%s\"}", text);
    expect_error(*state, 400, "POST", path, body, "malware: longer than 255 bytes");
    expect_error(*state, 400, "DELETE", path,
                 "{\"indicators\": [{\"indicator\": \"8.8.8.8\", \"tags\": \"x\"}]}",
                 "unknown member \"tags\"");
    assert_string_equal(lookup(*state, "8.8.8.8"), "");
}

static void only_lists_that_are_kept_here_are_changed(void **state)
{
    char file[128], body[300];
    expect_error(*state, 404, "POST", path, "{\"list\": \"x\", \"indicator\": \"8.8.8.8\"}",
                 "list x: there is none of that name");
    write_file(*state, "feed.txt", "8.8.8.8\n", file, sizeof file);
    snprintf(body, sizeof body, "{\"name\": \"f\", \"source\": \"%s\"}", file);
    struct http_answer answer = expect(*state, 201, "POST", "/v1/feeds", body);
    http_release(&answer);
    expect_error(*state, 400, "POST", path, "{\"list\": \"f\", \"indicator\": \"8.8.8.8\"}",
                 "feed f is read from its source");
    expect_error(*state, 400, "GET", "/v1/intelligence/indicators?list=f", NULL,
                 "feed f is read from its source");
}

static void a_list_is_read_page_by_page(void **state)
{
    char body[4000], url[200];
    int used = snprintf(body, sizeof body, "{\"indicators\": [{\"indicator\": \"2001:db8::/32\"}");
    for (int i = 0; i < 24; i++)
        used += snprintf(body + used, sizeof body - (size_t)used,
                         ", {\"indicator\": \"8.8.%d.0/24\"}", i);
    snprintf(body + used, sizeof body - (size_t)used, "]}");
    must_change(*state, 201, "POST", body);
    int seen = 0;
    snprintf(url, sizeof url, "%s?limit=10", path);
    for (bool more = true; more;) {
        struct http_answer answer = expect(*state, 200, "GET", url, NULL);
        const json_t *items = json_object_get(answer.body, "indicators");
        for (size_t i = 0; i < json_array_size(items); i++, seen++) {
            snprintf(body, sizeof body, "8.8.%d.0/24", seen);
            assert_string_equal(text_at(json_array_get(items, i), "indicator"),
                                seen < 24 ? body : "2001:db8::/32");
        }
        more = json_is_string(json_object_get(answer.body, "next"));
        snprintf(url, sizeof url, "%s?limit=10&after=%s", path,
                 more ? text_at(answer.body, "next") : "");
        http_release(&answer);
    }
    assert_int_equal(seen, 25);
    struct http_answer answer =
        expect(*state, 200, "GET", "/v1/intelligence/indicators?address=8.8.7.7", NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "indicators")), 1);
    http_release(&answer);
    expect_error(*state, 400, "GET", "/v1/intelligence/indicators?after=8.8.8.8", NULL, "after");
    expect_error(*state, 400, "GET", "/v1/intelligence/indicators?after=8.8.8.8,1,2,3", NULL,
                 "after");
    expect_error(*state, 400, "GET", "/v1/intelligence/indicators?address=8.8.8.8/32", NULL,
                 "address");
}

static void expired_ones_are_shown_when_asked_for(void **state)
{
    must_change(*state, 201, "POST",
                "{\"indicators\": [{\"indicator\": \"8.8.8.8\", \"valid_until\": \"2020-01-01\"}, "
                "{\"indicator\": \"9.9.9.9\"}]}");
    struct http_answer answer = expect(*state, 200, "GET", path, NULL);
    const json_t *items = json_object_get(answer.body, "indicators");
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(text_at(json_array_get(items, 0), "indicator"), "9.9.9.9/32");
    http_release(&answer);
    answer = expect(*state, 200, "GET", "/v1/intelligence/indicators?expired=true", NULL);
    items = json_object_get(answer.body, "indicators");
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(text_at(json_array_get(items, 0), "indicator"), "8.8.8.8/32");
    http_release(&answer);
}

static void a_file_is_imported_onto_a_list(void **state)
{
    must_change(*state, 201, "POST", "{\"indicator\": \"8.8.8.8\", \"tags\": \"mine\"}");
    struct http_answer answer =
        expect(*state, 201, "POST", "/v1/intelligence/indicators/import",
               "{\"text\": \"# a list\\n8.8.8.0/24 wide\\nno address\\n9.9.9.9\\n\", "
               "\"confidence\": 40}");
    assert_int_equal(number_at(answer.body, "added"), 2);
    const json_t *feed = json_object_get(answer.body, "feed");
    assert_string_equal(text_at(feed, "name"), "local");
    assert_int_equal(number_at(feed, "indicators"), 3);
    assert_int_equal(number_at(feed, "skipped"), 1);
    http_release(&answer);
    assert_string_equal(lookup(*state, "8.8.8.8"), "local:8.8.8.8/32 local:8.8.8.0/24 ");
    expect_error(*state, 400, "POST", "/v1/intelligence/indicators/import",
                 "{\"text\": \"nothing\\n\", \"source\": \"f.txt\"}",
                 "f.txt: no indicator; line 1");
    expect_error(*state, 400, "POST", "/v1/intelligence/indicators/import", "{\"text\": 5}",
                 "text: expected a string");
    expect_error(*state, 400, "POST", "/v1/intelligence/indicators/import",
                 "{\"text\": \"8.8.8.8\", \"format\": \"word\"}", "format");
    expect_error(*state, 404, "POST", "/v1/intelligence/indicators/import",
                 "{\"text\": \"8.8.8.8\", \"list\": \"x\"}", "x");
}

static void each_change_is_in_the_audit_log_with_how_many(void **state)
{
    static char body[10000];
    int used = snprintf(body, sizeof body, "{\"indicators\": [{\"indicator\": \"9.9.9.9\"}");
    for (int i = 0; i < 100; i++)
        used +=
            snprintf(body + used, sizeof body - (size_t)used, ", {\"indicator\": \"8.8.8.%d\"}", i);
    snprintf(body + used, sizeof body - (size_t)used, "]}");
    must_change(*state, 201, "POST", body);
    struct http_answer answer = expect(*state, 200, "GET", "/v1/audit", NULL);
    const json_t *entries = json_object_get(answer.body, "entries");
    const json_t *done = json_array_get(entries, 0), *begun = json_array_get(entries, 1);
    assert_string_equal(text_at(done, "act"), "indicator.add");
    assert_string_equal(text_at(done, "thing"), "local");
    assert_non_null(strstr(text_at(begun, "detail"), "\"indicators\":{\"count\":101}"));
    assert_non_null(strstr(text_at(done, "detail"), "\"after\":{\"indicators\":101}"));
    http_release(&answer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(one_is_added_changed_and_removed),
        TEST(what_brings_no_confidence_has_that_of_its_list),
        TEST(of_several_all_are_taken_or_none_and_the_wrong_one_is_named),
        TEST(a_wrong_value_is_refused_with_its_member),
        TEST(only_lists_that_are_kept_here_are_changed),
        TEST(a_list_is_read_page_by_page),
        TEST(expired_ones_are_shown_when_asked_for),
        TEST(a_file_is_imported_onto_a_list),
        TEST(each_change_is_in_the_audit_log_with_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

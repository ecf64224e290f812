/* Searches of stored events, through the API. */
#include "api_fixture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HUNTS "/v1/intelligence/hunts"

/* So many devices, each of which talked to that address once. */
static void put_events(struct picket_store *store, int devices, const char *remote)
{
    struct picket_error error = {0};
    struct picket_flow flow = {.remote_port = 443, .bytes_in = 10, .bytes_out = 20};
    assert_true(picket_address_parse(&flow.remote, remote, strlen(remote)));
    assert_true(picket_address_parse(&flow.local, "10.0.0.7", 8));
    assert_int_equal(picket_store_begin(store, &error), PICKET_OK);
    for (int i = 0; i < devices; i++) {
        char id[20];
        int64_t event_id;
        snprintf(id, sizeof id, "pump-%03d", i);
        struct picket_event_row event = {.device = id,
                                         .module = "",
                                         .type = 1,
                                         .received_ms = 1790000000000 + i * 1000,
                                         .time_s = 1790000000 + i};
        memcpy(event.key, &i, sizeof i);
        assert_int_equal(picket_store_put_event(store, &event, &event_id, &error), PICKET_OK);
        assert_int_equal(picket_store_put_flows(store, event_id, &flow, 1, &error), PICKET_OK);
    }
    assert_int_equal(picket_store_commit(store, &error), PICKET_OK);
}

static long long start(struct fixture *fixture, const char *body)
{
    struct http_answer answer = expect(fixture, 202, "POST", HUNTS, body);
    long long id = number_at(answer.body, "id");
    http_release(&answer);
    return id;
}

static struct http_answer wait_for_end(struct fixture *fixture, long long id)
{
    char path[80];
    snprintf(path, sizeof path, HUNTS "/%lld", id);
    for (;;) {
        struct http_answer answer = expect(fixture, 200, "GET", path, NULL);
        if (json_is_string(json_object_get(answer.body, "ended")))
            return answer;
        http_release(&answer);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static void a_hunt_is_started_looked_at_and_forgotten(void **state)
{
    struct fixture *fixture = *state;
    char path[80];
    put_events(fixture->store, 3, "45.77.13.9");
    long long id = start(fixture, "{\"indicators\": [\"45.77.13.0/24\", \"10.0.0.1-10.0.0.3\"]}");
    struct http_answer answer = wait_for_end(fixture, id);
    assert_string_equal(text_at(answer.body, "state"), "done");
    assert_int_equal(number_at(answer.body, "events"), 3);
    assert_int_equal(number_at(answer.body, "hits"), 3);
    assert_int_equal(number_at(answer.body, "found"), 3);
    assert_true(json_is_false(json_object_get(answer.body, "automatic")));
    http_release(&answer);
    answer = expect(fixture, 200, "GET", HUNTS, NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "hunts")), 1);
    http_release(&answer);
    snprintf(path, sizeof path, HUNTS "/%lld", id);
    answer = expect(fixture, 200, "DELETE", path, NULL);
    http_release(&answer);
    expect_error(fixture, 404, "GET", path, NULL, "there is no hunt");
    expect_error(fixture, 404, "DELETE", path, NULL, "there is no hunt");
}

static void a_feed_that_comes_to_match_more_is_searched_for(void **state)
{
    struct fixture *fixture = *state;
    static const char feed[] = "/v1/feeds/cdn";
    put_events(fixture->store, 3, "45.77.13.9");
    struct http_answer answer =
        expect(fixture, 201, "POST", "/v1/feeds", "{\"name\": \"cdn\", \"role\": \"shared\"}");
    http_release(&answer);
    answer = expect(fixture, 201, "POST", "/v1/intelligence/indicators",
                    "{\"list\": \"cdn\", \"indicator\": \"45.77.13.9\"}");
    http_release(&answer);
    answer = expect(fixture, 200, "PATCH", feed, "{\"confidence\": 40}");
    assert_null(json_object_get(answer.body, "hunt"));
    http_release(&answer);
    answer = expect(fixture, 200, "PATCH", feed, "{\"role\": \"threat\"}");
    long long id = number_at(answer.body, "hunt");
    http_release(&answer);
    answer = wait_for_end(fixture, id);
    assert_true(json_is_true(json_object_get(answer.body, "automatic")));
    assert_true(json_is_true(json_object_get(answer.body, "alert")));
    assert_int_equal(number_at(answer.body, "hits"), 3);
    http_release(&answer);
}

static void what_was_found_comes_in_pages(void **state)
{
    struct fixture *fixture = *state;
    char path[120];
    put_events(fixture->store, 5, "45.77.13.9");
    long long id = start(fixture, "{\"text\": \"# a list\\n45.77.13.9\\nrubbish here\\n\"}");
    struct http_answer answer = wait_for_end(fixture, id);
    http_release(&answer);
    snprintf(path, sizeof path, HUNTS "/%lld/found?limit=3", id);
    answer = expect(fixture, 200, "GET", path, NULL);
    const json_t *found = json_object_get(answer.body, "found");
    assert_int_equal(json_array_size(found), 3);
    assert_string_equal(text_at(json_array_get(found, 0), "device"), "pump-000");
    assert_string_equal(text_at(json_array_get(found, 0), "indicator"), "45.77.13.9/32");
    assert_int_equal(json_array_size(json_object_get(json_array_get(found, 0), "examples")), 1);
    assert_int_equal(number_at(answer.body, "next_after"), 3);
    http_release(&answer);
    snprintf(path, sizeof path, HUNTS "/%lld/found?limit=3&after=3", id);
    answer = expect(fixture, 200, "GET", path, NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "found")), 2);
    assert_true(json_is_null(json_object_get(answer.body, "next_after")));
    http_release(&answer);
}

static void what_cannot_be_searched_for_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        int status;
        const char *body, *part;
    } wrong[] = {
        {400, "{\"indicators\": []}", "array of 1 to"},
        {400, "{\"indicators\": [\"45.77.13.9\", \"nonsense\"]}", "indicators[1]"},
        {400, "{\"indicators\": [7]}", "indicators[0]"},
        {400, "{\"indicators\": [\"45.77.13.9\\n10.0.0.1\"]}", "indicators[0]"},
        {400, "{\"text\": \"rubbish\"}", "no indicator"},
        {400, "{\"text\": 5}", "text"},
        {400, "{\"feed\": \"f\", \"text\": \"45.77.13.9\"}", "one of"},
        {404, "{\"feed\": \"none\"}", "there is no feed none"},
        {400, "{\"since\": \"soon\"}", "since"},
        {400, "{\"since\": \"1h\", \"until\": \"2h\"}", "until is not after since"},
        {400, "{\"alert\": 1}", "alert"},
        {400, "{\"colour\": \"red\"}", "unknown member"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_error(fixture, wrong[i].status, "POST", HUNTS, wrong[i].body, wrong[i].part);
    expect_error(fixture, 404, "GET", HUNTS "/7", NULL, "there is no hunt 7");
    expect_error(fixture, 404, "GET", HUNTS "/x", NULL, "there is no hunt x");
    expect_error(fixture, 404, "GET", HUNTS "/7/found", NULL, "there is no hunt 7");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_hunt_is_started_looked_at_and_forgotten),
        TEST(a_feed_that_comes_to_match_more_is_searched_for),
        TEST(what_was_found_comes_in_pages),
        TEST(what_cannot_be_searched_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

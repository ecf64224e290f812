/* Messages to devices over the API, with a real store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/message_bag.h"
#include "api_fixture.h"
#include "picket/store/messages.h"

static const char path[] = "/v1/devices/d/messages";

static void send_body(struct fixture *fixture, const char *body)
{
    struct http_answer answer = expect(fixture, 201, "POST", path, body);
    assert_true(number_at(answer.body, "id") > 0);
    http_release(&answer);
}

static void messages_are_queued_and_listed_and_the_hub_is_told(void **state)
{
    struct fixture *fixture = *state;
    send_body(fixture, "{\"payload\": \"hi\", \"message_id\": \"m 1\", \"correlation_id\": \"c\", "
                       "\"content_type\": \"text/plain\", \"content_encoding\": \"utf-8\", "
                       "\"properties\": {\"p\": \"v\\u00e4\"}, \"expires_in_s\": 60}");
    assert_string_equal(fixture->messages_changed, "d queued 1;");
    send_body(fixture, "{\"payload_base64\": \"AAH/\"}");
    send_body(fixture, "{\"payload_base64\": \"\"}");
    struct http_answer answer =
        expect(fixture, 200, "GET", "/v1/devices/d/messages?payload=true", NULL);
    json_t *messages = json_object_get(answer.body, "messages");
    assert_int_equal(json_array_size(messages), 3);
    json_t *first = json_array_get(messages, 0);
    char *properties = json_dumps(json_object_get(first, "properties"), JSON_COMPACT);
    assert_string_equal(properties,
                        "{\"$.to\":\"/devices/d/messages/devicebound\",\"$.mid\":\"m 1\","
                        "\"$.cid\":\"c\",\"$.ct\":\"text/plain\",\"$.ce\":\"utf-8\","
                        "\"p\":\"v\u00e4\"}");
    free(properties);
    assert_string_equal(text_at(first, "payload_base64"), "aGk=");
    assert_int_equal(number_at(first, "deliveries"), 0);
    assert_int_equal(number_at(json_array_get(messages, 1), "payload_bytes"), 3);
    assert_string_equal(text_at(json_array_get(messages, 1), "payload_base64"), "AAH/");
    http_release(&answer);
}

static void a_purge_empties_the_queue(void **state)
{
    struct fixture *fixture = *state;
    send_body(fixture, "{\"payload\": \"a\"}");
    send_body(fixture, "{\"payload\": \"b\"}");
    struct http_answer answer = expect(fixture, 200, "DELETE", path, NULL);
    assert_int_equal(number_at(answer.body, "purged"), 2);
    http_release(&answer);
    answer = expect(fixture, 200, "DELETE", path, NULL); /* nothing: nothing is told */
    http_release(&answer);
    assert_string_equal(fixture->messages_changed, "d queued 1;d queued 1;d purged 2;");
    answer = expect(fixture, 200, "GET", path, NULL);
    assert_int_equal(json_array_size(json_object_get(answer.body, "messages")), 0);
    http_release(&answer);
}

static void a_full_queue_is_told_as_429(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 50; i++)
        send_body(fixture, "{\"payload\": \"a\"}");
    expect_error(fixture, 429, "POST", path, "{\"payload\": \"b\"}", "50 messages");
    assert_non_null(strstr(fixture->messages_changed, "queued 1;d full 1;"));
}

static void a_wrong_message_is_refused(void **state)
{
    static const struct {
        const char *body, *told;
    } cases[] = {
        {"{}", "payload"},
        {"{\"payload\": \"a\", \"payload_base64\": \"YQ==\"}", "not both"},
        {"{\"payload\": {\"a\": 1}}", "a string"},
        {"{\"payload_base64\": \"YQ\"}", "base64"},
        {"{\"payload_base64\": \"Y===\"}", "base64"},
        {"{\"payload_base64\": \"Y!==\"}", "base64"},
        {"{\"payload\": \"a\", \"properties\": {\"$.mid\": \"x\"}}", "$.mid"},
        {"{\"payload\": \"a\", \"properties\": {\"\": \"x\"}}", "properties"},
        {"{\"payload\": \"a\", \"properties\": {\"a\": 1}}", "\"a\""},
        {"{\"payload\": \"a\", \"properties\": []}", "an object"},
        {"{\"payload\": \"a\", \"message_id\": 7}", "message_id"},
        {"{\"payload\": \"a\", \"expires_in_s\": 172801}", "expires_in_s"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(fixture, 400, "POST", path, cases[i].body, cases[i].told);
    expect_error(fixture, 404, "POST", "/v1/devices/e/messages", "{\"payload\": \"a\"}", "e");
    expect_error(fixture, 404, "GET", "/v1/devices/e/messages", NULL, "e");
    expect_error(fixture, 404, "DELETE", "/v1/devices/e/messages", NULL, "e");
    assert_string_equal(fixture->messages_changed, "");
}

static void the_largest_message_fits_and_one_byte_more_does_not(void **state)
{
    struct fixture *fixture = *state;
    static char body[100000];
    int head = snprintf(body, sizeof body, "{\"payload_base64\": \"");
    memset(body + head, 'A', 87384); /* 65,538 bytes */
    strcpy(body + head + 87382, "==\"}");
    send_body(fixture, body);
    strcpy(body + head + 87382, "A=\"}");
    expect_error(fixture, 400, "POST", path, body, "65537 bytes exceeds 65536");
    expect_error(fixture, 400, "POST", "/v1/devices/e/messages", body, "65537");
    snprintf(body, sizeof body, "{\"payload\": \"\", \"properties\": {\"a\": \"%01100d\"}}", 1);
    expect_error(fixture, 400, "POST", path, body, "more than 1024 bytes");
    assert_string_equal(fixture->messages_changed, "d queued 1;d large 1;d large 1;");
}

static void what_expired_meanwhile_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct picket_message old = {.device = "d", .bag = "", .queued_ms = 1, .expires_ms = 2};
    struct picket_error error;
    int64_t id;
    assert_int_equal(picket_store_message_put(fixture->store, &old, &id, &error), PICKET_OK);
    send_body(fixture, "{\"payload\": \"a\"}");
    assert_string_equal(fixture->messages_changed, "d expired 1;d queued 1;");
}

/* What goes in comes out, whatever it is. */
static void bags_are_read_as_they_were_written(void **state)
{
    static const char *const texts[] = {"a",   "$.mid",    "v 1", "a&b=c", "100%",
                                        "%41", "\xc3\xa4", "+#/", ""};
    char bag[200] = "", small[8] = "";
    (void)state;
    for (size_t i = 0; i + 1 < sizeof texts / sizeof *texts; i++)
        assert_true(message_bag_add(bag, sizeof bag, texts[i], texts[i + 1]));
    json_t *object = message_bag_json(bag);
    assert_int_equal(json_object_size(object), sizeof texts / sizeof *texts - 1);
    for (size_t i = 0; i + 1 < sizeof texts / sizeof *texts; i++)
        assert_string_equal(text_at(object, texts[i]), texts[i + 1]);
    json_decref(object);
    assert_false(message_bag_add(small, sizeof small, "name", "value"));
    object = message_bag_json("&=&a&%4&%zz=%&b=\xff");
    assert_string_equal(text_at(object, "%zz"), "%");
    assert_string_equal(text_at(object, "b"), "?");
    json_decref(object);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start_with_device, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(messages_are_queued_and_listed_and_the_hub_is_told),
        TEST(a_purge_empties_the_queue),
        TEST(a_full_queue_is_told_as_429),
        TEST(a_wrong_message_is_refused),
        TEST(the_largest_message_fits_and_one_byte_more_does_not),
        TEST(what_expired_meanwhile_is_told),
        cmocka_unit_test(bags_are_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

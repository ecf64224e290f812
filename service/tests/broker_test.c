/* Locations, topics and passwords of brokers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outputs/broker.h"
#include "secret.h"

static void a_location_is_taken_apart(void **state)
{
    struct broker_location location;
    char host[BROKER_HOST_BYTES];
    uint16_t port = 1883;
    (void)state;
    const char *text = "mqtts://[2001:db8::1]:884/a/{device}";
    assert_int_equal(broker_location_parse(text, "mqtt", &location, NULL), PICKET_OK);
    assert_true(location.is_tls);
    assert_string_equal(location.topic, "a/{device}");
    assert_int_equal(broker_parse(location.brokers, strlen(location.brokers), host, &port, NULL),
                     PICKET_OK);
    assert_string_equal(host, "2001:db8::1");
    assert_int_equal(port, 884);
    assert_int_equal(broker_location_parse("kafka://a,b:1/t", "kafka", &location, NULL), PICKET_OK);
    assert_false(location.is_tls);
    assert_string_equal(location.brokers, "a,b:1");
}

static void a_location_that_will_not_do_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *location, *reason;
    } cases[] = {
        {"http://a/t", "starts with neither mqtt:// nor mqtts://"},
        {"mqttx://a/t", "starts with neither"},
        {"mqtt://a", "has no topic"},
        {"mqtt://a/", "has no topic"},
        {"mqtt:///t", "names no host"},
        {"mqtt://:1883/t", "names no host"},
        {"mqtt://a:0/t", "no number from 1 to 65535"},
        {"mqtt://a:/t", "no number from 1 to 65535"},
        {"mqtt://a:65536/t", "no number from 1 to 65535"},
        {"mqtt://a:1x/t", "no number from 1 to 65535"},
        {"mqtt://[::1/t", "] is missing"},
        {"mqtt://a,,b/t", "names no host"},
    };
    struct broker_location location;
    struct picket_error error;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(broker_location_parse(cases[i].location, "mqtt", &location, &error),
                         PICKET_INVALID);
        if (strstr(error.text, cases[i].reason) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", error.text, cases[i].reason);
    }
}

static void a_password_in_a_location_is_refused_and_not_repeated(void **state)
{
    struct broker_location location;
    struct picket_error error;
    (void)state;
    assert_int_equal(broker_location_parse("mqtt://picket:hunter2@a/t", "mqtt", &location, &error),
                     PICKET_INVALID);
    assert_non_null(strstr(error.text, "password_file"));
    assert_null(strstr(error.text, "hunter2"));
}

static void assert_topic(const char *template, const char *device, const char *module,
                         const char *expected)
{
    char *topic = topic_render(template, device, module);
    assert_string_equal(topic, expected);
    free(topic);
}

static void topics_name_device_and_module(void **state)
{
    (void)state;
    assert_topic("fleet/{device}/{module}", "pump-7", "valve", "fleet/pump-7/valve");
    assert_topic("{device}{device}", "a", "", "aa");
    assert_topic("{device}/{module}/", "", "", "-/-/");
    assert_topic("plain", "a", "b", "plain");
}

/* The oracle is libmosquitto: what it takes for a topic, and how many levels it sees. */
static void no_name_makes_a_level_a_wildcard_or_another_devices_topic(void **state)
{
    static const char *const names[] = {"a/b",   "a+",   "#",    "$SYS", "%2F",
                                        "a%2Fb", "\x01", "\xff", "a b",  "-._:%*?!(),=@$'"};
    enum { NAMES = sizeof names / sizeof names[0] };
    char *topics[NAMES];
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        char **levels;
        int count;
        topics[i] = topic_render("{device}/x", names[i], "");
        assert_int_equal(mosquitto_pub_topic_check(topics[i]), MOSQ_ERR_SUCCESS);
        assert_int_equal(mosquitto_validate_utf8(topics[i], (int)strlen(topics[i])),
                         MOSQ_ERR_SUCCESS);
        assert_int_equal(mosquitto_sub_topic_tokenise(topics[i], &levels, &count),
                         MOSQ_ERR_SUCCESS);
        assert_int_equal(count, 2);
        assert_true(topics[i][0] != '$');
        mosquitto_sub_topic_tokens_free(&levels, count);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(topics[i], topics[k]);
    }
    for (size_t i = 0; i < NAMES; i++)
        free(topics[i]);
}

static void a_template_with_wildcards_or_unknown_names_is_refused(void **state)
{
    (void)state;
    assert_int_equal(topic_template_check("a/{device}/{module}/b", NULL), PICKET_OK);
    assert_int_equal(topic_template_check("a/+/b", NULL), PICKET_INVALID);
    assert_int_equal(topic_template_check("a/#", NULL), PICKET_INVALID);
    assert_int_equal(topic_template_check("a/{Device}", NULL), PICKET_INVALID);
    assert_int_equal(topic_template_check("a/{device", NULL), PICKET_INVALID);
    assert_int_equal(topic_template_check("a}", NULL), PICKET_INVALID);
    assert_int_equal(topic_template_check("a\nb", NULL), PICKET_INVALID);
}

static int read_password(const char *text, mode_t mode, char *password, struct picket_error *error)
{
    char path[] = "/tmp/picket-password-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(descriptor, mode), 0);
    close(descriptor);
    int status = secret_read(path, password, error);
    unlink(path);
    return status;
}

static void a_password_is_the_first_line_of_a_file_that_is_not_everybodys(void **state)
{
    char password[SECRET_BYTES];
    struct picket_error error;
    (void)state;
    assert_int_equal(read_password(" a b\r\nmore\n", 0640, password, &error), PICKET_OK);
    assert_string_equal(password, " a b");
    assert_int_equal(read_password("alone", 0600, password, &error), PICKET_OK);
    assert_string_equal(password, "alone");
    assert_int_equal(read_password("secret\n", 0604, password, &error), PICKET_DENIED);
    assert_non_null(strstr(error.text, "chmod o="));
    assert_int_equal(read_password("\nsecret\n", 0600, password, &error), PICKET_INVALID);
    assert_int_equal(read_password("", 0600, password, &error), PICKET_INVALID);
    assert_int_equal(secret_read("/nowhere", password, &error), PICKET_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_location_is_taken_apart),
        cmocka_unit_test(a_location_that_will_not_do_is_refused_with_the_reason),
        cmocka_unit_test(a_password_in_a_location_is_refused_and_not_repeated),
        cmocka_unit_test(topics_name_device_and_module),
        cmocka_unit_test(no_name_makes_a_level_a_wildcard_or_another_devices_topic),
        cmocka_unit_test(a_template_with_wildcards_or_unknown_names_is_refused),
        cmocka_unit_test(a_password_is_the_first_line_of_a_file_that_is_not_everybodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Devices with certificates, and new credentials for those that are there. */
#include "api_fixture.h"

#include <stdio.h>
#include <string.h>

#define SHA1   "A9993E364706816ABA3E25717850C26C9CD0D89D"
#define SHA256 "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"

static struct picket_device_identity stored(struct fixture *fixture, const char *id)
{
    struct picket_device_identity device;
    assert_int_equal(picket_store_device_get(fixture->store, id, &device, NULL), PICKET_OK);
    return device;
}

static void a_device_is_added_by_its_thumbprints(void **state)
{
    struct fixture *fixture = *state;
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/devices",
                                       "{\"id\": \"x\", \"primary_thumbprint\": "
                                       "\"a9:99:3e:36:47:06:81:6a:ba:3e:25:71:78:50:c2:6c:9c:d0:d8:"
                                       "9d\", \"secondary_thumbprint\": \"" SHA256 "\"}");
    assert_string_equal(text_at(answer.body, "authentication"), "thumbprint");
    assert_string_equal(text_at(answer.body, "primary_thumbprint"), SHA1);
    assert_string_equal(text_at(answer.body, "connection_string"),
                        "HostName=hub.example.org;DeviceId=x;x509=true");
    assert_null(json_object_get(answer.body, "primary_key"));
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/devices/x", NULL);
    assert_string_equal(text_at(answer.body, "authentication"), "thumbprint");
    assert_string_equal(text_at(answer.body, "secondary_thumbprint"), SHA256);
    http_release(&answer);
    assert_int_equal(stored(fixture, "x").primary_key_bytes, 0);
    assert_int_equal(stored(fixture, "x").secondary_thumbprint.size_bytes, 32);
}

static void a_device_is_added_by_its_ca(void **state)
{
    struct http_answer answer =
        expect(*state, 201, "POST", "/v1/devices", "{\"id\": \"c\", \"authentication\": \"ca\"}");
    assert_string_equal(text_at(answer.body, "connection_string"),
                        "HostName=hub.example.org;DeviceId=c;x509=true");
    http_release(&answer);
    assert_int_equal(stored(*state, "c").authentication, PICKET_AUTHENTICATION_CA);
    answer =
        expect(*state, 201, "POST", "/v1/devices", "{\"id\": \"s\", \"authentication\": \"sas\"}");
    assert_int_equal(strlen(text_at(answer.body, "primary_key")), 44);
    http_release(&answer);
}

static void credentials_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *members, *error;
    } cases[] = {
        {"\"primary_thumbprint\": \"A999\"", "primary_thumbprint: expected are 64"},
        {"\"secondary_thumbprint\": 7", "secondary_thumbprint"},
        {"\"authentication\": \"kerberos\"", "none of sas, thumbprint, ca"},
        {"\"authentication\": \"thumbprint\"", "one or two thumbprints"},
        {"\"authentication\": \"ca\", \"primary_thumbprint\": \"" SHA1 "\"", "neither keys nor"},
        {"\"authentication\": \"sas\", \"primary_thumbprint\": \"" SHA1 "\"", "no thumbprint"},
        {"\"primary_key\": \"MDEyMzQ1Njc4OWFiY2RlZg==\", \"primary_thumbprint\": \"" SHA1 "\"",
         "no keys"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[400];
        snprintf(body, sizeof body, "{\"id\": \"x\", %s}", cases[i].members);
        expect_error(*state, 400, "POST", "/v1/devices", body, cases[i].error);
    }
}

/* ---- rotation ---- */

static struct http_answer rotate(struct fixture *fixture, const char *id, const char *body)
{
    char path[100];
    snprintf(path, sizeof path, "/v1/devices/%s/rotate", id);
    return expect(fixture, 200, "POST", path, body);
}

static void add(struct fixture *fixture, const char *body)
{
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/devices", body);
    http_release(&answer);
}

static void one_key_is_replaced_and_the_other_stays(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, "{\"id\": \"d\"}");
    struct picket_device_identity before = stored(fixture, "d");
    struct http_answer answer = rotate(fixture, "d", "{\"which\": \"secondary\"}");
    struct picket_device_identity after = stored(fixture, "d");
    assert_memory_equal(before.primary_key, after.primary_key, 32);
    assert_memory_not_equal(before.secondary_key, after.secondary_key, 32);
    assert_int_equal(after.secondary_key_bytes, 32);
    assert_string_equal(fixture->changed_device, "d");
    /* What now goes to the device has the new key. */
    const char *connection_string = text_at(answer.body, "connection_string");
    assert_string_equal(strstr(connection_string, "SharedAccessKey=") + strlen("SharedAccessKey="),
                        text_at(answer.body, "secondary_key"));
    http_release(&answer);
    answer =
        rotate(fixture, "d", "{\"which\": \"primary\", \"key\": \"MDEyMzQ1Njc4OWFiY2RlZg==\"}");
    assert_string_equal(text_at(answer.body, "primary_key"), "MDEyMzQ1Njc4OWFiY2RlZg==");
    assert_non_null(strstr(text_at(answer.body, "connection_string"), "MDEyMzQ1Njc4OWFiY2RlZg=="));
    http_release(&answer);
    assert_int_equal(stored(fixture, "d").primary_key_bytes, 16);
    assert_memory_equal(stored(fixture, "d").secondary_key, after.secondary_key, 32);
}

static void keys_and_thumbprints_are_swapped(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, "{\"id\": \"d\", \"primary_key\": \"MDEyMzQ1Njc4OWFiY2RlZg==\"}");
    struct picket_device_identity before = stored(fixture, "d");
    struct http_answer answer = rotate(fixture, "d", "{\"which\": \"swap\"}");
    assert_string_equal(text_at(answer.body, "secondary_key"), "MDEyMzQ1Njc4OWFiY2RlZg==");
    http_release(&answer);
    assert_int_equal(stored(fixture, "d").primary_key_bytes, 32);
    assert_memory_equal(stored(fixture, "d").primary_key, before.secondary_key, 32);
    assert_int_equal(stored(fixture, "d").secondary_key_bytes, 16);
    add(fixture, "{\"id\": \"x\", \"primary_thumbprint\": \"" SHA1 "\"}");
    answer = rotate(fixture, "x", "{\"which\": \"swap\"}");
    assert_string_equal(text_at(answer.body, "secondary_thumbprint"), SHA1);
    assert_true(json_is_null(json_object_get(answer.body, "primary_thumbprint")));
    http_release(&answer);
}

static void a_thumbprint_is_replaced_and_removed_but_not_the_last(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, "{\"id\": \"x\", \"primary_thumbprint\": \"" SHA1 "\"}");
    struct http_answer answer =
        rotate(fixture, "x", "{\"which\": \"secondary\", \"thumbprint\": \"" SHA256 "\"}");
    assert_string_equal(text_at(answer.body, "primary_thumbprint"), SHA1);
    assert_string_equal(text_at(answer.body, "secondary_thumbprint"), SHA256);
    http_release(&answer);
    answer = rotate(fixture, "x", "{\"which\": \"primary\", \"thumbprint\": null}");
    assert_true(json_is_null(json_object_get(answer.body, "primary_thumbprint")));
    http_release(&answer);
    expect_error(fixture, 400, "POST", "/v1/devices/x/rotate",
                 "{\"which\": \"secondary\", \"thumbprint\": null}", "one or two thumbprints");
    assert_int_equal(stored(fixture, "x").secondary_thumbprint.size_bytes, 32);
}

static void a_wrong_rotation_is_refused_and_changes_nothing(void **state)
{
    static const struct {
        const char *id, *body, *error;
        int status;
    } cases[] = {
        {"k", "{}", "\"which\" is missing", 400},
        {"k", "{\"which\": \"third\"}", "none of primary, secondary, swap", 400},
        {"k", "{\"which\": \"primary\", \"key\": \"AAAA\"}", "key: expected are", 400},
        {"k", "{\"which\": \"primary\", \"thumbprint\": \"" SHA1 "\"}", "has keys", 400},
        {"k", "{\"which\": \"swap\", \"key\": \"MDEyMzQ1Njc4OWFiY2RlZg==\"}", "swap takes", 400},
        {"x", "{\"which\": \"primary\"}", "\"thumbprint\" is expected", 400},
        {"x", "{\"which\": \"primary\", \"key\": \"MDEyMzQ1Njc4OWFiY2RlZg==\"}", "not keys", 400},
        {"k", "{\"which\": \"swap\", \"authentication\": \"thumbprint\"}", "has keys", 400},
        {"x", "{\"which\": \"swap\", \"authentication\": \"sas\"}", "not keys", 400},
        {"x", "{\"which\": \"swap\", \"authentication\": \"ca\"}", "none of sas", 400},
        {"c", "{\"which\": \"swap\"}", "known by its CA", 400},
        {"nobody", "{\"which\": \"swap\"}", "is not registered", 404},
    };
    struct fixture *fixture = *state;
    add(fixture, "{\"id\": \"k\"}");
    add(fixture, "{\"id\": \"x\", \"primary_thumbprint\": \"" SHA1 "\"}");
    add(fixture, "{\"id\": \"c\", \"authentication\": \"ca\"}");
    struct picket_device_identity before = stored(fixture, "k");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[100];
        snprintf(path, sizeof path, "/v1/devices/%s/rotate", cases[i].id);
        expect_error(fixture, cases[i].status, "POST", path, cases[i].body, cases[i].error);
    }
    assert_memory_equal(stored(fixture, "k").primary_key, before.primary_key, 32);
    assert_string_equal(fixture->changed_device, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_device_is_added_by_its_thumbprints),
        TEST(a_device_is_added_by_its_ca),
        TEST(credentials_that_do_not_fit_are_refused),
        TEST(one_key_is_replaced_and_the_other_stays),
        TEST(keys_and_thumbprints_are_swapped),
        TEST(a_thumbprint_is_replaced_and_removed_but_not_the_last),
        TEST(a_wrong_rotation_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

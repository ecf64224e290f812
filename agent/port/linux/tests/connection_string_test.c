#include "testing.h"

#include <unistd.h>

#include "connection_string.h"

#define KEY "cGlja2V0LXRlc3Qta2V5LTAxMjM0NTY3ODlhYmNkZWY="

static struct connection_string parsed;

static void the_three_fields_are_read_in_any_order(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "HostName=hub.example.net;DeviceId=pump-7;SharedAccessKey=" KEY,
        "SharedAccessKey=" KEY ";DeviceId=pump-7;HostName=hub.example.net;",
        " \tDeviceId=pump-7;HostName=hub.example.net;SharedAccessKey=" KEY "\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(connection_string_parse(&parsed, texts[i], NULL), PICKET_OK);
        assert_string_equal(parsed.host_name, "hub.example.net");
        assert_string_equal(parsed.device_id, "pump-7");
        assert_int_equal(parsed.key_bytes, 32);
        assert_memory_equal(parsed.key, "picket-test-key-0123456789abcdef", 32);
    }
}

static void keys_of_all_paddings_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *base64;
        const char *key;
    } keys[] = {{"YQ==", "a"}, {"YWI=", "ab"}, {"YWJj", "abc"}, {"+/+/", "\xfb\xff\xbf"}};
    for (size_t i = 0; i < 4; i++) {
        char text[128];
        snprintf(text, sizeof text, "HostName=h;DeviceId=d;SharedAccessKey=%s", keys[i].base64);
        assert_int_equal(connection_string_parse(&parsed, text, NULL), PICKET_OK);
        assert_int_equal(parsed.key_bytes, strlen(keys[i].key));
        assert_memory_equal(parsed.key, keys[i].key, parsed.key_bytes);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", "HostName is missing"},
        {"HostName=h;DeviceId=d", "SharedAccessKey is missing"},
        {"HostName=h;SharedAccessKey=" KEY, "DeviceId is missing"},
        {"HostName=h;DeviceId=d;HostName=h", "HostName twice"},
        {"HostName=h;DeviceId=d;SharedAccessKeyName=owner;SharedAccessKey=" KEY,
         "'SharedAccessKeyName'"},
        {"HostName=h;nonsense", "without '='"},
        {"HostName=;DeviceId=d;SharedAccessKey=" KEY, "HostName ''"},
        {"HostName=h h;DeviceId=d;SharedAccessKey=" KEY, "HostName 'h h'"},
        {"HostName=h/x;DeviceId=d;SharedAccessKey=" KEY, "HostName 'h/x'"},
        {"HostName=h;DeviceId=a/b;SharedAccessKey=" KEY, "DeviceId 'a/b'"},
        {"HostName=h;DeviceId=a+;SharedAccessKey=" KEY, "DeviceId 'a+'"},
        {"HostName=h;DeviceId=a#;SharedAccessKey=" KEY, "DeviceId 'a#'"},
        {"HostName=h;DeviceId=d;SharedAccessKey=", "SharedAccessKey: expected base64"},
        {"HostName=h;DeviceId=d;SharedAccessKey=YWI", "SharedAccessKey: expected base64"},
        {"HostName=h;DeviceId=d;SharedAccessKey=Y=I=", "SharedAccessKey: expected base64"},
        {"HostName=h;DeviceId=d;SharedAccessKey=====", "SharedAccessKey: expected base64"},
        {"HostName=h;DeviceId=d;SharedAccessKey=YW-_", "SharedAccessKey: expected base64"},
        {"hostname=h;DeviceId=d;SharedAccessKey=" KEY, "'hostname'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct picket_error error = {0};
        assert_int_equal(connection_string_parse(&parsed, cases[i].text, &error), PICKET_INVALID);
        if (strstr(error.text, cases[i].expected) == NULL)
            fail_msg("'%s' gives '%s'", cases[i].text, error.text);
        assert_null(strstr(error.text, KEY));
    }
}

static void a_key_or_name_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char text[1024];
    snprintf(text, sizeof text, "HostName=h;DeviceId=%0129d;SharedAccessKey=" KEY, 1);
    assert_int_equal(connection_string_parse(&parsed, text, NULL), PICKET_INVALID);
    snprintf(text, sizeof text, "HostName=%0254d;DeviceId=d;SharedAccessKey=" KEY, 1);
    assert_int_equal(connection_string_parse(&parsed, text, NULL), PICKET_INVALID);
    snprintf(text, sizeof text, "HostName=h;DeviceId=d;SharedAccessKey=%088d", 0);
    assert_int_equal(connection_string_parse(&parsed, text, NULL), PICKET_INVALID);
}

static void it_is_read_from_a_files_first_line(void **state)
{
    (void)state;
    char path[] = "/tmp/picket-connection-string-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    dprintf(descriptor, "HostName=hub;DeviceId=d;SharedAccessKey=" KEY "\nsecond line\n");
    close(descriptor);
    assert_int_equal(connection_string_read(&parsed, path, NULL), PICKET_OK);
    assert_string_equal(parsed.host_name, "hub");
    unlink(path);
    struct picket_error error;
    assert_int_equal(connection_string_read(&parsed, path, &error), PICKET_IO);
    assert_non_null(strstr(error.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_fields_are_read_in_any_order),
        cmocka_unit_test(keys_of_all_paddings_are_decoded),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_key_or_name_that_is_too_long_is_refused),
        cmocka_unit_test(it_is_read_from_a_files_first_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

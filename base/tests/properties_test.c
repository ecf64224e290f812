#include "check.h"
#include "picket/base/properties.h"

static void a_security_message_is_known_however_its_property_is_encoded(void **state)
{
    static const char *const bags[] = {
        "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1",
        "$.ifid=urn:azureiot:Security:SecurityAgent:1",
        "$.ifid=urn:azureiot:Security:SecurityAgent:1/",
        "%24.mid=7&%24.ifid=urn%3aazureiot%3aSecurity%3aSecurityAgent%3a1&a=b",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bags / sizeof bags[0]; i++)
        assert_true(picket_properties_tell_security_message(bags[i]));
}

static void all_else_is_the_devices_own(void **state)
{
    static const char *const bags[] = {
        "",
        "%24.ifid",
        "ifid=urn:azureiot:Security:SecurityAgent:1",
        "$.ifid=urn:azureiot:Security:SecurityAgent:2",
        "$.ifid=urn:azureiot:Security:SecurityAgent:1%00",
        "a=$.ifid=urn:azureiot:Security:SecurityAgent:1",
        "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3",
    };
    (void)state;
    assert_false(picket_properties_tell_security_message(NULL));
    for (size_t i = 0; i < sizeof bags / sizeof bags[0]; i++)
        assert_false(picket_properties_tell_security_message(bags[i]));
}

static void a_property_is_found_by_name_and_value_however_they_are_encoded(void **state)
{
    (void)state;
    assert_true(picket_properties_have("kind=alarm", "kind", "alarm"));
    assert_true(picket_properties_have("a=b&k%69nd=al%61rm/", "kind", "alarm"));
    assert_true(picket_properties_have("kind=t&kind=alarm&c=d", "kind", "alarm"));
    assert_true(picket_properties_have("path=a/", "path", "a/"));
    assert_true(picket_properties_have("empty=&a=b", "empty", ""));
    assert_false(picket_properties_have("kind=alarm2", "kind", "alarm"));
    assert_false(picket_properties_have("kinds=alarm", "kind", "alarm"));
    assert_false(picket_properties_have("kind=alarm/&a=b", "kind", "alarm"));
    assert_false(picket_properties_have("kind", "kind", ""));
    assert_false(picket_properties_have("a=kind=alarm", "kind", "alarm"));
    assert_false(picket_properties_have("", "kind", ""));
    assert_false(picket_properties_have(NULL, "kind", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_security_message_is_known_however_its_property_is_encoded),
        cmocka_unit_test(all_else_is_the_devices_own),
        cmocka_unit_test(a_property_is_found_by_name_and_value_however_they_are_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

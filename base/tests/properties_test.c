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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_security_message_is_known_however_its_property_is_encoded),
        cmocka_unit_test(all_else_is_the_devices_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

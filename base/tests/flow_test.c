#include "check.h"

#include "picket/base/flow.h"

static void every_number_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(picket_protocol_name(PICKET_TCP), "tcp");
    assert_string_equal(picket_protocol_name(PICKET_UDP), "udp");
    assert_string_equal(picket_protocol_name(PICKET_ICMP), "icmp");
    for (int number = 3; number < 256; number++)
        assert_string_equal(picket_protocol_name((uint8_t)number), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_number_has_a_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

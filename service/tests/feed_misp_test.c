#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "reading.h"

#define ATTRIBUTE(type, value, rest)                                                               \
    "{\"type\":\"" type "\",\"value\":\"" value "\",\"uuid\":\"attribute-uuid\"" rest "}"
#define TO_IDS ",\"to_ids\":true"
#define EVENT(rest)                                                                                \
    "{\"Event\":{\"uuid\":\"event-uuid\",\"info\":\"Mirai\",\"threat_level_id\":\"1\","            \
    "\"timestamp\":"                                                                               \
    "\"1520624753\"," rest "}}"

/* clang-format off */
static const char one_event[] = EVENT("\"Attribute\":[\n"
    ATTRIBUTE("ip-dst", "203.0.113.1", TO_IDS) ",\n"
    ATTRIBUTE("ip-src", "203.0.113.0/28", TO_IDS) ","
    ATTRIBUTE("ip-dst|port", "203.0.113.2|8080", TO_IDS) ","
    ATTRIBUTE("ip-src|port", "2001:db8::2|53", TO_IDS) ","
    ATTRIBUTE("domain|ip", "x.example|203.0.113.3", TO_IDS) ","
    ATTRIBUTE("ip-dst", "203.0.113.4", ",\"to_ids\":false") ","
    ATTRIBUTE("ip-dst", "203.0.113.5", TO_IDS ",\"deleted\":true") ","
    ATTRIBUTE("ip-dst", "203.0.113.6", "") ","
    ATTRIBUTE("sha1", "203.0.113.7", TO_IDS) ","
    ATTRIBUTE("ip-dst|port", "203.0.113.8", TO_IDS) ","
    ATTRIBUTE("ip-dst|port", "203.0.113.8|0", TO_IDS) ","
    ATTRIBUTE("ip-dst", "203.0.113", TO_IDS) "],"
    "\"Object\":["
    "{\"name\":\"ip-port\",\"Attribute\":[" ATTRIBUTE("ip-dst", "203.0.113.9", TO_IDS) "]},"
    "{\"deleted\":true,\"Attribute\":[" ATTRIBUTE("ip-dst", "203.0.113.10", TO_IDS) "]}]");
/* clang-format on */

static void attributes_with_addresses_for_detection_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_text(one_event), PICKET_OK);
    assert_int_equal(reading.format, FEED_MISP_JSON);
    ASSERT_INDICATORS("203.0.113.1/32", "203.0.113.0/28", "203.0.113.2/32", "2001:db8::2/128",
                      "203.0.113.3/32", "203.0.113.9/32");
    assert_int_equal(reading.indicators.items[0].port, 0);
    assert_int_equal(reading.indicators.items[0].line, 2);
    assert_int_equal(reading.indicators.items[2].port, 8080);
    assert_int_equal(reading.indicators.items[3].port, 53);
    assert_int_equal(reading.passed_over, 5);
    assert_int_equal(reading.skipped, 3);
    assert_string_equal(reading.problems[0].reason, "the port behind the bar is missing");
    assert_string_equal(reading.problems[1].reason, "the port is not a number from 1 to 65535");
    assert_string_equal(reading.problems[2].reason, "not an address");
}

/* clang-format off */
static const char tagged_event[] = "{\"response\":[" EVENT("\"Attribute\":["
    ATTRIBUTE("ip-dst", "203.0.113.1", TO_IDS
        ",\"comment\":\"C2\",\"first_seen\":\"2021-11-15T00:00:00.000000+00:00\","
        "\"Tag\":[{\"name\":\"tlp:red\"},{\"name\":\"misp-galaxy:malpedia=\\\"Mirai (ELF)\\\"\"}]") ","
    ATTRIBUTE("ip-dst", "203.0.113.2", TO_IDS ",\"timestamp\":\"1520624226\"") ","
    ATTRIBUTE("ip-dst", "203.0.113.3", TO_IDS) "],"
    "\"Tag\":[{\"name\":\"tlp:green\"},{\"name\":\"osint:source-type=\\\"blog-post\\\"\"},"
    "{\"name\":\"misp-galaxy:threat-actor=\\\"TA1\\\"\"}],"
    "\"Galaxy\":[{\"type\":\"x\","
    "\"GalaxyCluster\":[{\"tag_name\":\"misp-galaxy:botnet=\\\"Moose\\\"\"}]}]")
    "]}";
/* clang-format on */

static void an_event_s_members_and_tags_count_for_its_attributes(void **state)
{
    (void)state;
    assert_int_equal(read_text(tagged_event), PICKET_OK);
    assert_int_equal(reading.indicators.count, 3);
    const struct picket_indicator *items = reading.indicators.items;
    assert_int_equal(items[0].tlp, PICKET_TLP_RED);
    assert_int_equal(items[0].severity, PICKET_SEVERITY_HIGH);
    assert_int_equal(items[0].listed_ms, 1636934400000);
    assert_string_equal(items[0].malware, "TA1, Moose, Mirai (ELF)");
    assert_string_equal(items[0].tags, "Mirai, osint:source-type=\"blog-post\", C2");
    assert_string_equal(items[0].reference, "event-uuid/attribute-uuid");
    assert_int_equal(items[1].tlp, PICKET_TLP_GREEN);
    assert_int_equal(items[1].listed_ms, 1520624226000);
    assert_string_equal(items[1].malware, "TA1, Moose");
    assert_int_equal(items[2].listed_ms, 1520624753000);
}

static void events_may_follow_one_another(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(
            EVENT("\"Attribute\":[" ATTRIBUTE("ip-dst", "203.0.113.1", TO_IDS) "]") "\n" EVENT(
                "\n\"Attribute\":[" ATTRIBUTE("ip-dst", "203.0.113.2", TO_IDS) "]")),
        PICKET_OK);
    assert_int_equal(reading.indicators.count, 2);
    assert_int_equal(reading.indicators.items[1].line, 3);
    assert_int_equal(reading.skipped, 0);
    assert_int_equal(
        read_text(
            EVENT("\n\"Attribute\":[" ATTRIBUTE("ip-dst", "203.0.113.1", TO_IDS) "]") "\n" EVENT(
                "\n\"Attribute\":[" ATTRIBUTE("ip-dst", "203.0.113.2", TO_IDS) "]")),
        PICKET_OK);
    assert_int_equal(reading.indicators.count, 2);
}

static void a_warninglist_is_a_list_of_its_addresses(void **state)
{
    (void)state;
    assert_int_equal(read_text("\n{\n \"description\":\"d\",\n \"list\":[\n  \"198.51.100.0/24\",\n"
                               "  \"203.0.113.1\", \"x.example\", \"203.0.113.256\", 5 ],\n"
                               " \"name\":\"Sinkholes\",\"type\":\"cidr\",\"version\":2}"),
                     PICKET_OK);
    assert_int_equal(reading.format, FEED_MISP_JSON);
    assert_int_equal(reading.indicators.count, 2);
    assert_prefix(0, "198.51.100.0/24");
    assert_int_equal(reading.indicators.items[0].line, 5);
    assert_string_equal(reading.indicators.items[0].tags, "Sinkholes");
    assert_int_equal(reading.passed_over, 1);
    assert_int_equal(reading.skipped, 2);
    assert_int_equal(
        read_text("{\"list\":[\"203.0.113.1\"],\"name\":\"n\",\"type\":\"substring\"}"), PICKET_OK);
    assert_int_equal(reading.indicators.count, 0);
    assert_int_equal(reading.passed_over, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_with_addresses_for_detection_are_read),
        cmocka_unit_test(an_event_s_members_and_tags_count_for_its_attributes),
        cmocka_unit_test(events_may_follow_one_another),
        cmocka_unit_test(a_warninglist_is_a_list_of_its_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, free_reading);
}

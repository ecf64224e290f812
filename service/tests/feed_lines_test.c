/* Formats of lines that are none of plain lists: Zeek's, rules, peer-to-peer lists, prose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "reading.h"

static void read_text_as(const char *text, enum feed_format expected)
{
    assert_int_equal(read_text(text), PICKET_OK);
    assert_int_equal(reading.format, expected);
}

/* ---- Zeek ---- */

static void a_zeek_file_is_read_by_its_fields(void **state)
{
    (void)state;
    read_text_as("#separator \\x09\n"
                 "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n"
                 "203.0.113.9\tIntel::ADDR\tours\tMirai C2\thttps://x.example/\n"
                 "198.51.100.0/24\tIntel::SUBNET\tours\t-\t-\n"
                 "x.example\tIntel::DOMAIN\tours\t-\t-\n"
                 "203.0.113.300\tIntel::ADDR\tours\t-\t-\n"
                 "203.0.113.10\n"
                 "#fields\tindicator_type\tindicator\n"
                 "Intel::ADDR\t2001:db8::9\n",
                 FEED_ZEEK);
    ASSERT_INDICATORS("203.0.113.9/32", "198.51.100.0/24", "2001:db8::9/128");
    assert_string_equal(reading.indicators.items[0].tags, "ours, Mirai C2");
    assert_string_equal(reading.indicators.items[0].reference, "https://x.example/");
    assert_string_equal(reading.indicators.items[1].tags, "ours");
    assert_string_equal(reading.indicators.items[1].reference, "");
    assert_int_equal(reading.passed_over, 1);
    assert_int_equal(reading.skipped, 2);
    assert_int_equal(reading.problems[1].line, 7);
    assert_string_equal(reading.problems[1].reason, "the indicator, or its type, is missing");
}

/* ---- rules ---- */

#define OPTIONS " (msg:\"M; x\"; sid:2404000; rev:1;)\n"

static void a_rule_s_listed_end_is_the_remote_one(void **state)
{
    (void)state;
    read_text_as("# comment\n"
                 "alert ip $HOME_NET any -> [203.0.113.9,198.51.100.0/24] any (msg:\"ET CNC; x\"; "
                 "reference:url,doc.example/x; threshold: type limit, track by_src, seconds 3600, "
                 "count 1; flowbits:set,ET.Evil; classtype:trojan-activity; sid:2404000; rev:6096; "
                 "metadata:tag Shadowserver, signature_severity Major, malware_family Mirai, "
                 "created_at 2012_05_04;)\n"
                 "drop tcp [203.0.113.1, [203.0.113.2]] any -> any any" OPTIONS
                 "alert udp any any <> 2001:db8::9 [53,5353:5354]" OPTIONS
                 "alert tcp $HOME_NET any -> \\\n  203.0.113.3 80 \\\n  (flow:to_server; sid:5;)\n",
                 FEED_RULES);
    ASSERT_INDICATORS("203.0.113.9/32", "198.51.100.0/24", "203.0.113.1/32", "203.0.113.2/32",
                      "2001:db8::9/128", "2001:db8::9/128", "2001:db8::9/128", "203.0.113.3/32");
    const struct picket_indicator *items = reading.indicators.items;
    assert_int_equal(items[0].port, 0);
    assert_int_equal(items[0].protocol, 0);
    assert_int_equal(items[0].line, 2);
    assert_int_equal(items[0].severity, PICKET_SEVERITY_HIGH);
    assert_string_equal(items[0].tags, "ET CNC; x");
    assert_string_equal(items[0].malware, "Mirai");
    assert_string_equal(items[0].reference, "sid:2404000");
    assert_int_equal(items[2].protocol, 1);
    assert_int_equal(items[4].protocol, 2);
    assert_int_equal(items[4].port, 53);
    assert_int_equal(items[6].port, 5354);
    assert_int_equal(items[7].port, 80);
    assert_int_equal(items[7].line, 5);
    assert_int_equal(reading.skipped, 0);
}

static void a_rule_that_asks_for_more_is_not_taken(void **state)
{
    static const struct {
        const char *rule, *reason; /* NULL: passed over */
    } rules[] = {
        {"alert ip any any -> any any" OPTIONS, NULL},
        {"alert ip $EXTERNAL_NET any -> $HOME_NET any" OPTIONS, NULL},
        {"alert ip $EXTERNAL_NET any -> 203.0.113.1 any" OPTIONS, NULL},
        {"alert ip !$HOME_NET any -> 203.0.113.1 any" OPTIONS, NULL},
        {"pass ip $HOME_NET any -> 203.0.113.1 any" OPTIONS, NULL},
        {"alert ip $HOME_NET any -> 203.0.113.1 any (flowbits:noalert; sid:1;)\n", NULL},
        {"alert ip $HOME_NET any -> !203.0.113.1 any" OPTIONS, NULL},
        {"alert ip $HOME_NET any -> [203.0.113.0/24,!203.0.113.1] any" OPTIONS,
         "excludes addresses"},
        {"alert ip $HOME_NET any -> [203.0.113.0/24,![203.0.113.1,203.0.113.2]] any" OPTIONS,
         "excludes addresses"},
        {"alert ip 198.51.100.1 any -> 203.0.113.1 any" OPTIONS, "asks for both ends"},
        {"alert http $HOME_NET any -> 203.0.113.1 any" OPTIONS,
         "the protocol is none of ip, tcp, udp and icmp"},
        {"alert tcp $HOME_NET 5000 -> 203.0.113.1 any" OPTIONS,
         "asks for a port of the device's own"},
        {"alert tcp 203.0.113.1 any -> $HOME_NET 23" OPTIONS,
         "asks for a port of the device's own"},
        {"alert tcp $HOME_NET any -> 203.0.113.1 1024:" OPTIONS,
         "its ports are more than 64, or not to be read"},
        {"alert tcp $HOME_NET any -> 203.0.113.1 !80" OPTIONS,
         "its ports are more than 64, or not to be read"},
        {"alert tcp $HOME_NET any -> 203.0.113.1 $HTTP_PORTS" OPTIONS,
         "its ports are more than 64, or not to be read"},
        {"alert tcp $HOME_NET any -> 203.0.113.1 80 (content:\"GET /evil\"; sid:1;)\n",
         "asks for more than addresses, ports and protocol"},
        {"alert ip $HOME_NET any -> 203.0.113.1 any (threshold: type both, count 5; sid:1;)\n",
         "asks for repetition"},
        {"alert ip $HOME_NET any -> 203.0.113.1 any (flowbits:isset,x; sid:1;)\n",
         "asks for what another rule has seen"},
        {"alert ip $HOME_NET any -> 203.0.113.1\n", "not a rule"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char text[600];
        snprintf(text, sizeof text, "alert ip any any -> 198.51.100.1 any" OPTIONS "%s",
                 rules[i].rule);
        read_text_as(text, FEED_RULES);
        if (reading.indicators.count != 1 || reading.passed_over != (rules[i].reason == NULL) ||
            reading.skipped != (rules[i].reason != NULL))
            fail_msg("%s: %zu read, %s", rules[i].rule, reading.indicators.count,
                     reading.problems[0].reason);
        if (rules[i].reason != NULL)
            assert_string_equal(reading.problems[0].reason, rules[i].reason);
    }
}

/* ---- peer-to-peer lists ---- */

static void ranges_with_levels_are_blocked_below_128(void **state)
{
    (void)state;
    read_text_as("# ipfilter\n"
                 "203.000.113.001 - 203.000.113.002 , 100 , Some, company\n"
                 "203.0.113.9-203.0.113.9,000,x\n"
                 "198.51.100.0 - 198.51.100.255 , 128 , friends\n"
                 "198.51.101.9 - 198.51.101.1 , 100 , reversed\n",
                 FEED_P2P);
    ASSERT_INDICATORS("203.0.113.1/32", "203.0.113.2/32", "203.0.113.9/32");
    assert_string_equal(reading.indicators.items[0].tags, "Some, company");
    assert_int_equal(reading.passed_over, 1);
    assert_int_equal(reading.skipped, 1);
    assert_string_equal(reading.problems[0].reason, "the range is reversed");
}

static void names_in_front_of_ranges_are_tags(void **state)
{
    (void)state;
    read_text_as("Some company: branch:203.0.113.0-203.0.113.255\nx:198.51.100.7-198.51.100.7\n",
                 FEED_P2P);
    ASSERT_INDICATORS("203.0.113.0/24", "198.51.100.7/32");
    assert_string_equal(reading.indicators.items[0].tags, "Some company: branch");
    read_text_as("2001:db8::1-2001:db8::2\n2001:db8::5\n", FEED_PLAIN);
}

/* ---- prose ---- */

static void addresses_within_prose_are_taken_from_their_words(void **state)
{
    (void)state;
    read_text_as("= A worm\n\nThe device talks to `203.0.113.1:81` (seen since 2015-05-26).\n"
                 "- 2021-08-12 - 203[.]0.113.2/bins/x.86_64 - 0123456789abcdef\n"
                 "Also hxxp://203[.]0[.]113[.]3/x, and 198.51.100.0/24; not version 1.2.3 or\n"
                 "10:20:30, std::string, 2016-11-02::, a.b.c.d, 300.1.1.1, x.example, 11 or ::.\n"
                 "    2001:db8::5\n",
                 FEED_PROSE);
    ASSERT_INDICATORS("203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32", "198.51.100.0/24",
                      "2001:db8::5/128");
    assert_int_equal(reading.indicators.items[0].port, 81);
    assert_int_equal(reading.indicators.items[0].line, 3);
    assert_string_equal(reading.indicators.items[1].tags,
                        "- 2021-08-12 - 203[.]0.113.2/bins/x.86_64 - 0123456789abcdef");
    assert_int_equal(reading.skipped, 0);
}

static void prose_without_addresses_is_no_list(void **state)
{
    (void)state;
    read_text_as("The service is down today.\nPlease come again some other time.\n"
                 "We are sorry for this.\n",
                 FEED_PROSE);
    assert_int_equal(reading.indicators.count, 0);
    assert_int_equal(reading.skipped, 1);
    assert_string_equal(reading.problems[0].reason, "no address in all the text");
}

static void a_list_with_long_remarks_stays_a_list(void **state)
{
    (void)state;
    read_text_as(
        "203.0.113.1 a scanner that was seen here\n203.0.113.2 another one of the same\n"
        "203.0.113.3 and one more of them, like 203.0.113.200\nthis line is simply wrong\n",
        FEED_PLAIN);
    ASSERT_INDICATORS("203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32");
    assert_int_equal(reading.skipped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeek_file_is_read_by_its_fields),
        cmocka_unit_test(a_rule_s_listed_end_is_the_remote_one),
        cmocka_unit_test(a_rule_that_asks_for_more_is_not_taken),
        cmocka_unit_test(ranges_with_levels_are_blocked_below_128),
        cmocka_unit_test(names_in_front_of_ranges_are_tags),
        cmocka_unit_test(addresses_within_prose_are_taken_from_their_words),
        cmocka_unit_test(prose_without_addresses_is_no_list),
        cmocka_unit_test(a_list_with_long_remarks_stays_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, free_reading);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"

/* Distinct letters make distinct ids. */
#define ID(letter) "indicator--00000000-0000-4000-8000-00000000000" letter
#define OBJECT(letter, pattern, rest)                                                              \
    "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" ID(                               \
        letter) "\",\"pattern_type\":\"stix\",\"pattern\":\"" pattern "\"" rest "}"
#define ADDRESS(letter, address, rest) OBJECT(letter, "[ipv4-addr:value = '" address "']", rest)
#define BUNDLE(objects)                "{\"type\":\"bundle\",\"id\":\"bundle--0\",\"objects\":[" objects "]}"

static void what_an_indicator_says_is_kept(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(BUNDLE("\n" ADDRESS(
            "1", "203.0.113.1",
            ",\"confidence\":85,\"valid_from\":\"2026-01-01T00:00:00.000Z\",\"valid_until\":"
            "\"2027-01-01T00:00:00Z\",\"labels\":[\"ref6138\"],\"indicator_types\":"
            "[\"malicious-activity\"],\"object_marking_refs\":"
            "[\"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da\","
            "\"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003\"]"))),
        PICKET_OK);
    assert_int_equal(reading.format, FEED_STIX);
    assert_int_equal(reading.indicators.count, 1);
    assert_prefix(0, "203.0.113.1/32");
    const struct picket_indicator *item = &reading.indicators.items[0];
    assert_int_equal(item->confidence, 85);
    assert_int_equal(item->line, 2);
    assert_int_equal(item->listed_ms, 1767225600000);
    assert_int_equal(item->valid_until_ms, 1798761600000);
    assert_int_equal(item->tlp, PICKET_TLP_AMBER_STRICT);
    assert_string_equal(item->tags, "malicious-activity, ref6138");
    assert_string_equal(item->reference, ID("1"));
}

static void objects_are_read_from_each_kind_of_document(void **state)
{
    static const char *const documents[] = {
        BUNDLE(ADDRESS("1", "203.0.113.1", "") "," ADDRESS("2", "203.0.113.2", "")),
        "\n\n  {\"objects\" : [" ADDRESS("1", "203.0.113.1", "") ",\n" ADDRESS(
            "2", "203.0.113.2", "") "], \"more\":true,\"next\":\"x\"}",
        "[" ADDRESS("1", "203.0.113.1", "") "," ADDRESS("2", "203.0.113.2", "") "]",
        ADDRESS("1", "203.0.113.1", "") "\n" ADDRESS("2", "203.0.113.2", "") "\n",
        BUNDLE(ADDRESS("1", "203.0.113.1", "")) "\n{\"more\":false}\n" BUNDLE(
            ADDRESS("2", "203.0.113.2", "")) "\n{}\n",
        "\xef\xbb\xbf" BUNDLE(ADDRESS("1", "203.0.113.1", "") "\n,") /* continued below */,
    };
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents - 1; i++) {
        if (read_text(documents[i]) != PICKET_OK || reading.indicators.count != 2)
            fail_msg("%s\n%s, %zu indicators", documents[i], reading_error.text,
                     reading.indicators.count);
        assert_int_equal(reading.format, FEED_STIX);
        assert_int_equal(reading.skipped, 0);
        assert_prefix(0, "203.0.113.1/32");
        assert_prefix(1, "203.0.113.2/32");
    }
    assert_int_equal(read_text(documents[5]), PICKET_INVALID); /* a comma too many */
}

static void an_empty_collection_is_empty_and_no_mistake(void **state)
{
    static const char *const documents[] = {BUNDLE(""),
                                            "{\"type\":\"bundle\",\"id\":\"bundle--0\"}",
                                            "{\"more\":false,\"objects\":[]}"};
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        assert_int_equal(read_text(documents[i]), PICKET_OK);
        assert_int_equal(reading.indicators.count, 0);
        assert_int_equal(reading.skipped + reading.passed_over, 0);
    }
}

static void what_is_revoked_or_of_another_kind_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(BUNDLE(ADDRESS("1", "203.0.113.1", ",\"revoked\":true") "," OBJECT(
            "2", "[domain-name:value = 'x.example']",
            "") ","
                "{\"type\":\"indicator\",\"id\":\"indicator--3\",\"pattern_type\":\"sigma\","
                "\"pattern\":\"alert ip any any -> 203.0.113.7 any (sid:1;)\"},"
                "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--1\",\"value\":\"203.0.113.200\"},"
                "{\"type\":\"identity\",\"id\":\"identity--1\",\"name\":\"n\"}")),
        PICKET_OK);
    assert_int_equal(reading.indicators.count, 0);
    assert_int_equal(reading.passed_over, 3);
    assert_int_equal(reading.skipped, 0);
}

struct rule {
    const char *kind, *pattern, *rest; /* as within JSON */
};

/* A bundle, one rule a line. */
static const char *rules_bundle(const struct rule *rules, size_t count)
{
    static char text[4000];
    size_t used = (size_t)snprintf(text, sizeof text, "{\"type\":\"bundle\",\"objects\":[");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s{\"type\":\"indicator\",\"id\":\"%s%zu\","
                                 "\"pattern_type\":\"%s\",\"pattern\":\"%s\"%s}",
                                 i > 0 ? ",\n" : "", ID(""), i + 1, rules[i].kind, rules[i].pattern,
                                 rules[i].rest);
    snprintf(text + used, sizeof text - used, "]}");
    return text;
}

static void rules_as_patterns_are_read_as_rules_are(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {"suricata",
         "alert tcp $HOME_NET any -> [203.0.113.7,203.0.113.8] 443 (msg:\\\"x\\\"; priority:1; "
         "sid:1;)",
         ",\"valid_until\":\"2030-01-01T00:00:00Z\",\"confidence\":77"},
        {"snort", "alert ip 203.0.113.9 any -> any any (msg:\\\"y\\\"; sid:2;)",
         ",\"labels\":[\"bad\"]"},
        {"suricata", "alert ip any any -> 203.0.113.10 any (content:\\\"z\\\"; sid:3;)", ""},
        {"suricata", "alert http any any -> any any (content:\\\"z\\\";)", ""},
        {"suricata", "alert ip any any -> 203.0.113.11 any (sid:5;)", ",\"revoked\":true"},
    };
    assert_int_equal(read_text(rules_bundle(rules, sizeof rules / sizeof *rules)), PICKET_OK);
    assert_int_equal(reading.indicators.count, 3);
    const struct picket_indicator *first = &reading.indicators.items[0];
    assert_prefix(0, "203.0.113.7/32");
    assert_int_equal(first->port, 443);
    assert_int_equal(first->protocol, PICKET_TCP + 1);
    assert_int_equal(first->confidence, 77);
    assert_int_equal(first->severity, PICKET_SEVERITY_HIGH);
    assert_true(first->valid_until_ms > 0);
    assert_string_equal(first->tags, "x");
    assert_string_equal(first->reference, ID("1"));
    assert_prefix(2, "203.0.113.9/32");
    assert_string_equal(reading.indicators.items[2].tags, "bad");
    assert_int_equal(reading.passed_over, 2);
    assert_int_equal(reading.skipped, 1);
    assert_int_equal(reading.problems[0].line, 3);
    assert_string_equal(reading.problems[0].reason,
                        "asks for more than addresses, ports and protocol");
}

static void what_is_not_understood_is_told_with_id_line_and_reason(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(BUNDLE("\n" OBJECT(
            "1", "[ipv4-addr:value LIKE '203.0.%']",
            "") ",\n"
                "{\"type\":\"indicator\",\"id\":\"indicator--2\"},\n5,{\"x\":1},\n" ADDRESS(
                    "3", "203.0.113.3", ",\"valid_until\":\"soon\""))),
        PICKET_OK);
    assert_int_equal(reading.skipped, 5);
    assert_int_equal(reading.problems[0].line, 2);
    assert_string_equal(reading.problems[0].text, ID("1") " [ipv4-addr:value LIKE '203.0.%']");
    assert_string_equal(reading.problems[0].reason, "LIKE is not read");
    assert_int_equal(reading.problems[1].line, 3);
    assert_string_equal(reading.problems[1].reason, "the indicator has no pattern");
    assert_string_equal(reading.problems[2].reason, "not a STIX object: it has no type");
    assert_string_equal(reading.problems[4].reason,
                        "the time until which it is valid cannot be read");
}

/* 2.0 has no pattern_type. */
static void stix_2_0_is_read_too(void **state)
{
    (void)state;
    assert_int_equal(
        read_text("{\"type\":\"bundle\",\"id\":\"bundle--1\",\"spec_version\":\"2.0\",\"objects\":["
                  "{\"type\":\"indicator\",\"id\":\"" ID(
                      "1") "\",\"labels\":[\"l\"],\"pattern\":"
                           "\"[network-traffic:dst_ref.type = 'ipv4-addr' AND "
                           "network-traffic:dst_ref.value"
                           " = '203.0.113.1' AND network-traffic:dst_port = '23']\","
                           "\"valid_from\":\"2025-04-07T14:10:29Z\"}]}"),
        PICKET_OK);
    assert_prefix(0, "203.0.113.1/32");
    assert_int_equal(reading.indicators.items[0].port, 23);
}

static void of_one_id_the_newest_version_counts(void **state)
{
    static const char *const old =
        ADDRESS("1", "203.0.113.1", ",\"modified\":\"2026-01-01T00:00:00Z\"");
    static const char *const new =
        ADDRESS("1", "203.0.113.2", ",\"modified\":\"2026-01-02T00:00:00.000Z\"");
    static const char *const gone =
        ADDRESS("1", "203.0.113.2", ",\"revoked\":true,\"modified\":\"2026-01-03T00:00:00Z\"");
    const char *const orders[][3] = {
        {old, new, NULL}, {new, old, NULL}, {new, old, gone}, {gone, old, new}, {old, gone, new}};
    char text[2000];
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        bool is_revoked = orders[i][2] != NULL;
        snprintf(text, sizeof text, "[%s,%s%s%s]", orders[i][0], orders[i][1],
                 is_revoked ? "," : "", is_revoked ? orders[i][2] : "");
        assert_int_equal(read_text(text), PICKET_OK);
        assert_int_equal(reading.indicators.count, is_revoked ? 0 : 1);
        assert_int_equal(reading.passed_over, is_revoked ? 3 : 1);
        if (!is_revoked)
            assert_prefix(0, "203.0.113.2/32");
    }
}

static void of_equally_new_versions_all_count(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(
            "[" ADDRESS("1", "203.0.113.1", ",\"modified\":\"2026-01-01T00:00:00Z\"") "," ADDRESS(
                "1", "203.0.113.2",
                ",\"modified\":\"2026-01-01T00:00:00Z\"") ","
                                                          "{\"type\":\"malware\",\"id\":\"malware--"
                                                          "1\",\"name\":\"Mirai\"},"
                                                          "{\"type\":\"relationship\",\"id\":"
                                                          "\"relationship--1\",\"relationship_"
                                                          "type\":"
                                                          "\"indicates\",\"source_ref\":\"" ID(
                                                              "1") "\",\"target_ref\":\"malware--"
                                                                   "1\"}]"),
        PICKET_OK);
    assert_int_equal(reading.indicators.count, 2);
    assert_string_equal(reading.indicators.items[0].malware, "Mirai");
    assert_string_equal(reading.indicators.items[1].malware, "Mirai");
}

#define RELATION(kind, from, to, rest)                                                             \
    "{\"type\":\"relationship\",\"id\":\"relationship--" from to                                   \
    "\",\"relationship_type\":\"" kind "\",\"source_ref\":\"" ID(from) "\",\"target_ref\":\"" to   \
                                                                       "\"" rest "}"

/* clang-format off */
static const char related[] = "["
    RELATION("indicates", "1", "malware--1", "") ","
    RELATION("indicates", "1", "threat-actor--1", "") ","
    RELATION("indicates", "1", "campaign--gone", "") ","
    RELATION("related-to", "1", "malware--2", "") ","
    RELATION("indicates", "1", "malware--2", ",\"revoked\":true") ","
    ADDRESS("1", "203.0.113.1", "") ","
    ADDRESS("2", "203.0.113.2", "") ","
    "{\"type\":\"malware\",\"id\":\"malware--1\",\"name\":\"Mirai\"},"
    "{\"type\":\"malware\",\"id\":\"malware--2\",\"name\":\"Other\"},"
    "{\"type\":\"threat-actor\",\"id\":\"threat-actor--1\",\"name\":\"TA1\"}]";
/* clang-format on */

static void what_an_indicator_indicates_is_its_malware(void **state)
{
    (void)state;
    assert_int_equal(read_text(related), PICKET_OK);
    assert_int_equal(reading.indicators.count, 2);
    assert_string_equal(reading.indicators.items[0].malware, "Mirai, TA1");
    assert_string_equal(reading.indicators.items[1].malware, "");
}

static void a_marking_is_known_by_its_definition_wherever_that_stands(void **state)
{
#define MARKED(letter) ",\"object_marking_refs\":[\"marking-definition--" letter "\"]"
    (void)state;
    assert_int_equal(
        read_text("[" ADDRESS("1", "203.0.113.1", MARKED("a")) "," ADDRESS(
            "2", "203.0.113.2",
            MARKED(
                "b")) ","
                      "{\"type\":\"marking-definition\",\"id\":\"marking-definition--a\","
                      "\"definition_type\":\"tlp\",\"definition\":{\"tlp\":\"amber\"}},"
                      "{\"type\":\"marking-definition\",\"id\":\"marking-definition--b\",\"name\":"
                      "\"x\",\"extensions\":{\"extension-definition--60a3c5c5-0d10-413e-aab3-"
                      "9e08dde9e88d\":{\"extension_type\":\"property-extension\",\"tlp_2_0\":"
                      "\"amber+strict\"}}},"
                      "{\"type\":\"marking-definition\",\"id\":\"marking-definition--c\",\"name\":"
                      "\"TLP:RED\"}," ADDRESS("3", "203.0.113.3", MARKED("c")) "," ADDRESS(
                          "4", "203.0.113.4", MARKED("unheard-of")) "]"),
        PICKET_OK);
    assert_int_equal(reading.indicators.items[0].tlp, PICKET_TLP_AMBER);
    assert_int_equal(reading.indicators.items[1].tlp, PICKET_TLP_AMBER_STRICT);
    assert_int_equal(reading.indicators.items[2].tlp, PICKET_TLP_RED);
    assert_int_equal(reading.indicators.items[3].tlp, PICKET_TLP_NONE);
}

static void a_document_cut_off_is_refused_and_a_line_is_only_skipped(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"type\":\"bundle\",\"objects\":[\n" ADDRESS("1", "203.0.113.1",
                                                                              "") ",\n{\"type\":"),
                     PICKET_INVALID);
    assert_string_equal(reading_error.text, "line 3: the JSON document ends too early");
    assert_int_equal(read_text(ADDRESS("1", "203.0.113.1",
                                       "") "\n{\"type\":\n" ADDRESS("2", "203.0.113.2", "") "\n"),
                     PICKET_OK);
    assert_int_equal(reading.indicators.count, 2);
    assert_int_equal(reading.skipped, 1);
    assert_int_equal(reading.problems[0].line, 2);
}

/* What nobody asks for may be large, deep or odd. */
static void members_that_are_not_needed_do_no_harm(void **state)
{
    char *text = malloc(200000), *at = text;
    (void)state;
    at += sprintf(at,
                  "["
                  "{\"type\":\"indicator\",\"id\":\"" ID("1") "\",\"x_number\":1%0500d,"
                                                              "\"x_real\":1e999,\"x_deep\":",
                  0);
    for (int i = 0; i < 200; i++)
        *at++ = '[';
    for (int i = 0; i < 200; i++)
        *at++ = ']';
    at += sprintf(at, ",\"x\":1,\"x\":2,\"pattern\":\"[ipv4-addr:value = '203.0.113.1']\"}]");
    assert_int_equal(read_text(text), PICKET_OK);
    assert_prefix(0, "203.0.113.1/32");
    at = text + sprintf(text, "[{\"type\":\"indicator\",\"x\":");
    for (int i = 0; i < 100000; i++)
        *at++ = '[';
    *at = '\0';
    assert_int_equal(read_text(text), PICKET_INVALID);
    assert_string_equal(reading_error.text, "line 1: the JSON document is nested too deep");
    free(text);
    assert_int_equal(
        read_text("[" ADDRESS("1", "203.0.113.1", ",\"revoked\":false,\"revoked\":true") "]"),
        PICKET_OK);
    assert_string_equal(reading.problems[0].reason, "a member is there twice");
    assert_int_equal(read_text("[" ADDRESS("1", "203.0.113.1", ",\"r\\u0065voked\":true") "]"),
                     PICKET_OK);
    assert_int_equal(reading.passed_over, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_indicator_says_is_kept),
        cmocka_unit_test(objects_are_read_from_each_kind_of_document),
        cmocka_unit_test(an_empty_collection_is_empty_and_no_mistake),
        cmocka_unit_test(what_is_revoked_or_of_another_kind_is_passed_over),
        cmocka_unit_test(rules_as_patterns_are_read_as_rules_are),
        cmocka_unit_test(what_is_not_understood_is_told_with_id_line_and_reason),
        cmocka_unit_test(stix_2_0_is_read_too),
        cmocka_unit_test(of_one_id_the_newest_version_counts),
        cmocka_unit_test(of_equally_new_versions_all_count),
        cmocka_unit_test(what_an_indicator_indicates_is_its_malware),
        cmocka_unit_test(a_marking_is_known_by_its_definition_wherever_that_stands),
        cmocka_unit_test(a_document_cut_off_is_refused_and_a_line_is_only_skipped),
        cmocka_unit_test(members_that_are_not_needed_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, free_reading);
}

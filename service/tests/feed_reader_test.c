#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"

static void assert_refused(const char *line, const char *reason)
{
    assert_int_equal(read_as(FEED_PLAIN, line), PICKET_OK);
    if (reading.indicators.count != 0 || reading.skipped != 1)
        fail_msg("%s: %zu indicators, %llu skipped", line, reading.indicators.count,
                 (unsigned long long)reading.skipped);
    assert_string_equal(reading.problems[0].reason, reason);
}

static void an_address_is_read_in_each_spelling(void **state)
{
    (void)state;
    static const char *const spellings[] = {"198.51.100.7",
                                            "  198.51.100.7\t",
                                            "198.51.100.7\r\n",
                                            "198.51.100.7 # comment",
                                            "198.51.100.7;comment",
                                            "198.51.100.7 // comment",
                                            "198.51.100.7#comment",
                                            "\"198.51.100.7\"",
                                            "198.51.100.7,malware,90",
                                            "198.51.100.7\tmalware\t90",
                                            "198[.]51[.]100[.]7",
                                            "198.51.100[.]7",
                                            "198(.)51(.)100(.)7",
                                            "hxxp://198[.]51[.]100[.]7/bins/x.sh",
                                            "198.51.100.7/32",
                                            "198.51.100.7/255.255.255.255",
                                            "198.51.100.7-198.51.100.7",
                                            "198.51.100.7 - 198.51.100.7",
                                            "::ffff:198.51.100.7",
                                            "::ffff:c633:6407",
                                            "::ffff:198.51.100.7/128",
                                            "\xef\xbb\xbf"
                                            "198.51.100.7",
                                            "\xc2\xa0"
                                            "198.51.100.7\xc2\xa0",
                                            "198.051.100.007" /* fixed width: decimal */};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        assert_int_equal(read_as(FEED_PLAIN, spellings[i]), PICKET_OK);
        if (reading.indicators.count != 1)
            fail_msg("%s: %s", spellings[i], reading.problems[0].reason);
        ASSERT_INDICATORS("198.51.100.7/32");
        assert_int_equal(reading.indicators.items[0].port, 0);
    }
}

static void a_port_narrows_the_indicator(void **state)
{
    (void)state;
    assert_int_equal(read_as(FEED_PLAIN,
                             "198.51.100.8:8080\n[2001:db8::2]:443\nhttp://198.51.100.9:81/x\n"
                             "128[.]199[.]72[.]218[:]4700/wp-content/\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("198.51.100.8/32", "2001:db8::2/128", "198.51.100.9/32", "128.199.72.218/32");
    assert_int_equal(reading.indicators.items[0].port, 8080);
    assert_int_equal(reading.indicators.items[1].port, 443);
    assert_int_equal(reading.indicators.items[2].port, 81);
    assert_int_equal(reading.indicators.items[3].port, 4700);
}

static void a_range_becomes_the_prefixes_that_make_it_up(void **state)
{
    (void)state;
    assert_int_equal(read_as(FEED_PLAIN, "198.51.100.12-198.51.100.20\n2001:db8::1-2001:db8::4\n"
                                         "255.255.255.254-255.255.255.255\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("198.51.100.12/30", "198.51.100.16/30", "198.51.100.20/32", "2001:db8::1/128",
                      "2001:db8::2/127", "2001:db8::4/128", "255.255.255.254/31");
}

static void host_bits_of_a_prefix_are_masked(void **state)
{
    (void)state;
    assert_int_equal(read_as(FEED_PLAIN,
                             "203.0.113.77/24\n203.0.113.0/255.255.254.0\n2001:DB8::1/32\n"
                             "::ffff:198.51.100.9/120\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("203.0.113.0/24", "203.0.112.0/23", "2001:db8::/32", "198.51.100.0/24");
}

static void what_would_match_more_than_was_written_is_refused(void **state)
{
    (void)state;
    assert_refused("198.51.100.30-198.51.100.25", "the range is reversed");
    assert_refused("0.0.0.0/0", "covers half of all addresses or more");
    assert_refused("0.0.0.0/1", "covers half of all addresses or more");
    assert_refused("1.0.0.0-223.255.255.255", "covers half of all addresses or more");
    assert_refused("::/0", "covers half of all addresses or more");
    assert_refused("2000::/3", "covers all of the IPv6 internet");
    assert_refused("198.51.100.042", "octets with leading zeros are ambiguous");
    assert_refused("2001:db8::/129", "prefix length exceeds 128");
    assert_refused("198.51.100.41/33", "prefix length exceeds 32");
    assert_refused("198.51.100.41/255.0.255.0",
                   "neither a prefix length nor a netmask follows the slash");
    assert_refused("198.51.100.256", "an octet exceeds 255");
    assert_refused("198.51.100", "not an address");
    assert_refused("198.51.100.", "not an address");
    assert_refused("1.2.3.4.5", "more than four octets");
    assert_refused("3325256705", "not an address");
    assert_refused("0xC6336401", "not an address");
    assert_refused("fe80::1%eth0", "an address with a scope is local to one machine");
    assert_refused("198.51.100.1-2001:db8::1", "the range's ends are of different families");
    assert_refused("198.51.100.1:0", "the port is not a number from 1 to 65535");
    assert_refused("198.51.100.1:65536", "the port is not a number from 1 to 65535");
    assert_refused("[2001:db8::3", "a bracket is not closed");
    assert_refused("198.51.100.48198.51.100.49", "an octet exceeds 255");
}

static void a_wide_special_purpose_prefix_is_read(void **state)
{
    (void)state;
    assert_int_equal(read_as(FEED_PLAIN, "224.0.0.0/3\n10.0.0.0/8\n"), PICKET_OK);
    ASSERT_INDICATORS("224.0.0.0/3", "10.0.0.0/8");
}

static void comments_are_no_problems(void **state)
{
    (void)state;
    assert_int_equal(read_text("# a\n; b\n// c\n\n \t\n#\n"), PICKET_OK);
    assert_int_equal(reading.indicators.count, 0);
    assert_int_equal(reading.skipped, 0);
    assert_int_equal(read_text(""), PICKET_OK);
    assert_int_equal(reading.indicators.count, 0);
}

static void the_first_ten_problems_are_shown_with_line_and_text(void **state)
{
    char text[600] = "198.51.100.1\n";
    (void)state;
    for (int i = 0; i < 12; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "bad\x01%d\n", i);
    assert_int_equal(read_text(text), PICKET_OK);
    assert_int_equal(reading.skipped, 12);
    assert_int_equal(reading.problem_count, FEED_PROBLEMS_SHOWN);
    assert_int_equal(reading.problems[0].line, 2);
    assert_string_equal(reading.problems[0].text, "bad?0");
    assert_string_equal(reading.problems[0].reason, "not an address");
    assert_int_equal(reading.problems[9].line, 11);
}

static void trailing_text_becomes_tags(void **state)
{
    (void)state;
    assert_int_equal(read_text("1.10.16.0/20 ; SBL256894\n1.19.0.0/16\n"), PICKET_OK);
    assert_string_equal(reading.indicators.items[0].tags, "SBL256894");
    assert_string_equal(reading.indicators.items[1].tags, "");
    assert_int_equal(reading.indicators.items[1].line, 2);
    assert_int_equal(reading.indicators.items[1].confidence, 50);
}

static void dshield_columns_are_one_prefix(void **state)
{
    (void)state;
    assert_int_equal(read_text("45.194.67.0\t45.194.67.255\t24\t1873\tNAME\n"
                               "45.194.67.0\t45.255.255.255\t24\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("45.194.67.0/24", "45.194.67.0/32"); /* no range where columns disagree */
    assert_int_equal(
        read_text("# Start\tEnd\tNetblock\tName\n45.194.67.0\t45.194.67.255\t24\tNAME\n"
                  "45.194.68.0\t45.194.69.255\t23\tNAME\n"),
        PICKET_OK);
    ASSERT_INDICATORS("45.194.67.0/24", "45.194.68.0/23");
}

static void a_csv_header_maps_the_columns(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(
            "# comment\n"
            "\"first_seen\", \"dst_ip\",\"dst_port\",\"malware\",confidence,Valid Until\r\n"
            "\"2023-05-23 17:51:44\",\"192.9.135.73\",\"1194\",\"Pikabot\n2\",80,2024-04-07\r\n"
            "x,198.51.100.1,,Emotet,high,2024-04-07 01:02:03\n"
            "x,198.51.100.2,443,Emotet,300,\n"
            "x,198.51.100.3,99999,Emotet,,\n"
            "x,198.51.100.4,1,Emotet,,soon\n"
            "x,example.com,1,Emotet,,\n"
            "# END\n"),
        PICKET_OK);
    assert_int_equal(reading.format, FEED_CSV);
    ASSERT_INDICATORS("192.9.135.73/32", "198.51.100.1/32", "198.51.100.2/32");
    const struct picket_indicator *items = reading.indicators.items;
    assert_int_equal(items[0].port, 1194);
    assert_int_equal(items[0].confidence, 80);
    assert_int_equal(items[0].line, 3);
    assert_int_equal(items[0].valid_until_ms, 1712448000000);
    assert_string_equal(items[0].malware, "Pikabot?2");
    assert_int_equal(items[0].listed_ms, 1684864304000);
    assert_int_equal(items[1].port, 0);
    assert_int_equal(items[1].confidence, 90);
    assert_int_equal(items[1].valid_until_ms, 1712451723000);
    assert_int_equal(items[1].line, 5);
    assert_int_equal(items[2].confidence, 50);
    assert_int_equal(items[2].valid_until_ms, 0);
    assert_int_equal(reading.skipped, 2);
    assert_int_equal(reading.passed_over, 1); /* a host name */
    assert_string_equal(reading.problems[0].reason, "the port is not a number from 1 to 65535");
    assert_string_equal(reading.problems[1].reason,
                        "the time until which it is valid cannot be read");
}

static void a_csv_header_may_be_a_comment(void **state)
{
    (void)state;
    assert_int_equal(read_text("# a, tag\n# DstIP,DstPort\n104.130.17.100,443,URLzone C&C\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("104.130.17.100/32");
    assert_int_equal(reading.indicators.items[0].port, 443);
    assert_string_equal(reading.indicators.items[0].tags, "URLzone C&C"); /* it has no name */
}

static const char *columns_problem(const char *text)
{
    struct feed_column_names names;
    assert_int_equal(feed_columns_parse(text, &names, &reading_error), PICKET_INVALID);
    assert_string_equal(names.of[FEED_ADDRESS], "");
    return reading_error.text;
}

static void columns_are_given_as_member_and_name(void **state)
{
    struct feed_column_names names;
    (void)state;
    assert_int_equal(feed_columns_parse("address=ioc,port=dst_port,tags=kind,tags=\"a, b\","
                                        "first_seen=#4,address=x",
                                        &names, NULL),
                     PICKET_INVALID);
    assert_int_equal(feed_columns_parse("address=ioc,port=dst_port,tags=kind,tags=\"a, b\","
                                        "first_seen=#4",
                                        &names, NULL),
                     PICKET_OK);
    assert_string_equal(names.of[FEED_ADDRESS], "ioc");
    assert_string_equal(names.of[FEED_PORT], "dst_port");
    assert_string_equal(names.of[FEED_LISTED], "#4");
    assert_string_equal(names.tags[0], "kind");
    assert_string_equal(names.tags[1], "a, b");
    assert_int_equal(feed_columns_parse("", &names, NULL), PICKET_OK);
    assert_string_equal(names.of[FEED_ADDRESS], "");
    assert_string_equal(columns_problem("address"),
                        "columns: \"address\": MEMBER=COLUMN expected, as in address=ip");
    assert_string_equal(columns_problem("address=a,address=b"),
                        "columns: address is given more than once");
    assert_string_equal(columns_problem("tags=a,tags=b,tags=c,tags=d,tags=e,address=f"),
                        "columns: tags is given more than four times");
    assert_string_equal(columns_problem("port=p"),
                        "columns: which one holds the address is not given; address=COLUMN "
                        "expected");
    assert_string_equal(columns_problem("address=,port=p"),
                        "columns: \"address=\": a column's name of 1 to 63 bytes expected");
    assert_string_equal(columns_problem("address=\"a"),
                        "columns: \"address=\"a\": a quote is not closed");
    assert_string_equal(
        columns_problem("adress=a"),
        "columns: there is no member \"adress\"; address, port, protocol, "
        "confidence, severity, malware, reference, first_seen, valid_until, tlp and "
        "tags are expected");
}

static int read_columns(const char *text, const char *columns, struct picket_error *error)
{
    struct feed_options options = {.confidence = 50};
    assert_int_equal(feed_columns_parse(columns, &options.columns, NULL), PICKET_OK);
    feed_reading_free(&reading);
    return feed_read(&reading, text, strlen(text), &options, error);
}

static void given_columns_count_instead_of_those_known_by_name(void **state)
{
    struct picket_error error = {0};
    static const char text[] = "when,Ioc,ip,p,layer,how sure,how bad,what,more,until,share,a,b\n"
                               "2026-01-02,203.0.113.5,198.51.100.1,443,TCP,71,critical,Mirai,"
                               "https://x.example/,2026-03-04,TLP:AMBER+STRICT,A,B\n";
    (void)state;
    assert_int_equal(read_columns(text,
                                  "address=ioc,port=p,protocol=layer,confidence=how sure,"
                                  "severity=how bad,malware=what,reference=more,first_seen=when,"
                                  "valid_until=until,tlp=share,tags=b,tags=#12",
                                  &error),
                     PICKET_OK);
    ASSERT_INDICATORS("203.0.113.5/32");
    const struct picket_indicator *item = &reading.indicators.items[0];
    assert_int_equal(item->port, 443);
    assert_int_equal(item->protocol, 1);
    assert_int_equal(item->confidence, 71);
    assert_int_equal(item->severity, PICKET_SEVERITY_HIGH);
    assert_int_equal(item->tlp, PICKET_TLP_AMBER_STRICT);
    assert_int_equal(item->listed_ms, 1767312000000);
    assert_int_equal(item->valid_until_ms, 1772582400000);
    assert_string_equal(item->malware, "Mirai");
    assert_string_equal(item->reference, "https://x.example/");
    assert_string_equal(item->tags, "A, B");
    assert_int_equal(reading.skipped, 0);
    assert_int_equal(read_columns(text, "address=address", &error), PICKET_INVALID);
    assert_string_equal(error.text, "no column is called \"address\"; the header is "
                                    "\"when,Ioc,ip,p,layer,how sure,how bad,what,more,until,share,"
                                    "a,b\"");
    assert_int_equal(read_columns("1,198.51.100.1\n2,198.51.100.2\n", "address=ip", &error),
                     PICKET_INVALID);
    assert_string_equal(error.text, "has no header, so no column is called \"ip\"; #1, #2, ... are "
                                    "its columns");
    assert_int_equal(read_columns("1,198.51.100.1\n2,198.51.100.2\n", "address=#2", &error),
                     PICKET_OK);
    ASSERT_INDICATORS("198.51.100.1/32", "198.51.100.2/32");
}

static void a_header_may_separate_by_semicolons_or_tabs(void **state)
{
    (void)state;
    assert_int_equal(read_text("ip;port;malware\n198.51.100.1;80;a, b\n"), PICKET_OK);
    ASSERT_INDICATORS("198.51.100.1/32");
    assert_int_equal(reading.indicators.items[0].port, 80);
    assert_string_equal(reading.indicators.items[0].malware, "a, b");
    assert_int_equal(read_text("ip\tport\ttags\n198.51.100.1\t81\t\n198.51.100.2\t\tx\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("198.51.100.1/32", "198.51.100.2/32");
    assert_int_equal(reading.indicators.items[0].port, 81);
    assert_string_equal(reading.indicators.items[1].tags, "x");
}

static void a_protocol_narrows_and_one_that_flows_do_not_tell_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_text("ip,protocol\n198.51.100.1,udp\n198.51.100.2,any\n"
                               "198.51.100.3,https\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("198.51.100.1/32", "198.51.100.2/32");
    assert_int_equal(reading.indicators.items[0].protocol, 2);
    assert_int_equal(reading.indicators.items[1].protocol, 0);
    assert_string_equal(reading.problems[0].reason, "the protocol is none of tcp, udp and icmp");
}

static void indicators_of_other_kinds_are_passed_over(void **state)
{
    static const char *const others[] = {"evil.example.com",
                                         "evil[.]example[.]com",
                                         "*.evil.example",
                                         "evil.example.",
                                         "hxxp://evil.example/a.sh",
                                         "https://evil.example:8443/x?y=1.2.3.4",
                                         "who@evil.example",
                                         "d41d8cd98f00b204e9800998ecf8427e",
                                         "da39a3ee5e6b4b0d3255bfef95601890afd80709"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(read_as(FEED_PLAIN, others[i]), PICKET_OK);
        if (reading.passed_over != 1 || reading.skipped != 0 || reading.indicators.count != 0)
            fail_msg("%s", others[i]);
    }
    assert_refused("198.51.100.1.5", "more than four octets");
    assert_refused("198.51.100.5x", "not an address");
    assert_refused("headline", "not an address");
}

/* The layout of a widely used feed of mixed indicators: a quoted header in a comment, IP:port
 * within. */
static void mixed_indicators_in_csv_give_their_addresses(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(
            "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\","
            "\"fk_malware\",\"malware_printable\",\"confidence_level\"\n"
            "\"2026-01-01 00:00:00\", \"1\", \"203.0.113.5:4444\", \"ip:port\", \"botnet_cc\", "
            "\"win.x\", \"Xloader\", \"100\"\n"
            "\"2026-01-01 00:00:00\", \"2\", \"evil.example\", \"domain\", \"botnet_cc\", "
            "\"win.x\", \"Xloader\", \"100\"\n"),
        PICKET_OK);
    ASSERT_INDICATORS("203.0.113.5/32");
    assert_int_equal(reading.indicators.items[0].port, 4444);
    assert_int_equal(reading.indicators.items[0].confidence, 100);
    assert_string_equal(reading.indicators.items[0].tags, "botnet_cc");
    assert_string_equal(reading.indicators.items[0].malware, "Xloader");
    assert_int_equal(reading.skipped, 0);
    assert_int_equal(reading.passed_over, 1);
}

static void the_column_with_addresses_is_found_without_a_header(void **state)
{
    (void)state;
    assert_int_equal(read_text("1,x,198.51.100.1\n2,y,198.51.100.2:80\n3,z,nothing\n"), PICKET_OK);
    ASSERT_INDICATORS("198.51.100.1/32", "198.51.100.2/32");
    assert_int_equal(reading.indicators.items[1].port, 80);
    assert_string_equal(reading.indicators.items[1].tags, "2, y");
    assert_int_equal(reading.skipped, 1);
}

static void a_quote_never_closed_costs_one_line(void **state)
{
    (void)state;
    assert_int_equal(read_as(FEED_CSV, "ip,note\n198.51.100.1,\"open\n198.51.100.2,x\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("198.51.100.2/32");
    assert_int_equal(reading.skipped, 1);
    assert_int_equal(reading.problems[0].line, 2);
    assert_string_equal(reading.problems[0].reason, "a quote is not closed");
}

static void json_is_read_by_line_or_as_a_document(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"cidr\":\"1.10.16.0/20\",\"sblid\":\"SBL1\",\"rir\":\"apnic\"}\n"
                               "{\"cidr\":\"nonsense\"}\n{\"x\":1}\nnot json\n"
                               "{\"type\":\"metadata\",\"records\":1}\n"),
                     PICKET_OK);
    ASSERT_INDICATORS("1.10.16.0/20");
    assert_string_equal(reading.indicators.items[0].reference, "SBL1");
    assert_int_equal(reading.passed_over, 1); /* the metadata */
    assert_int_equal(reading.skipped, 3);
    assert_int_equal(read_text("[\n{\"ip_address\":\"1.2.3.4\"},\n{\"ip_address\":\"1.2.3.5\"}]"),
                     PICKET_OK);
    ASSERT_INDICATORS("1.2.3.4/32", "1.2.3.5/32");
    assert_int_equal(reading.indicators.items[1].line, 3);
    assert_int_equal(read_text("{\"meta\":{\"n\":2},\"data\":[\n{\"ipAddress\":\"1.2.3.4\",\n"
                               "\"abuseConfidenceScore\":97}]}"),
                     PICKET_OK);
    ASSERT_INDICATORS("1.2.3.4/32");
    assert_int_equal(reading.indicators.items[0].confidence, 97);
    assert_int_equal(read_text("[\"1.2.3.4\",\"1.2.4.0/24\",\"x.example\",5]"), PICKET_OK);
    ASSERT_INDICATORS("1.2.3.4/32", "1.2.4.0/24");
    assert_int_equal(reading.passed_over, 1);
    assert_int_equal(reading.skipped, 1);
    assert_int_equal(read_text("[\n{\"ip_address\":\"1.2.3.4\"},\n{\"ip_addr"),
                     PICKET_INVALID); /* cut off */
    assert_int_equal(read_as(FEED_CSV, "{\"ip\":\"1.2.3.4\"}"), PICKET_INVALID);
    assert_int_equal(read_as(FEED_STIX, "1.2.3.4\n"), PICKET_INVALID);
    assert_int_equal(read_text("[2001:db8::1]:80\n"), PICKET_OK);
    ASSERT_INDICATORS("2001:db8::1/128");
}

static void members_of_json_are_known_by_name_or_given(void **state)
{
    struct picket_error error = {0};
    static const char text[] =
        "{\"id\":7,\"data\":{\"ip\":[\"198.51.100.1\",\"198.51.100.2:80\"],\"p\":443},"
        "\"more\":[{\"tag\":\"x\"},{\"tag\":\"y\"}],\"tlp\":\"green\"}\n";
    (void)state;
    assert_int_equal(
        read_text("{\"host\":\"h\",\"ip_address\":\"198.51.100.3\",\"port\":\"81\",\"score\":70,"
                  "\"malware\":\"Pikabot\",\"tags\":[\"a\",\"b\"],\"first_seen\":"
                  "\"2023-05-23 17:51:44\",\"protocol\":\"tcp\",\"tlp\":\"white\"}\n"),
        PICKET_OK);
    assert_int_equal(reading.format, FEED_NDJSON);
    ASSERT_INDICATORS("198.51.100.3/32");
    const struct picket_indicator *item = &reading.indicators.items[0];
    assert_int_equal(item->port, 81);
    assert_int_equal(item->protocol, 1);
    assert_int_equal(item->confidence, 70);
    assert_int_equal(item->tlp, PICKET_TLP_CLEAR);
    assert_int_equal(item->listed_ms, 1684864304000);
    assert_string_equal(item->malware, "Pikabot");
    assert_string_equal(item->tags, "a, b");
    struct feed_options options = {.format = FEED_NDJSON, .confidence = 50};
    assert_int_equal(
        feed_columns_parse("address=data.ip,tags=more.tag,tlp=tlp", &options.columns, NULL),
        PICKET_OK);
    feed_reading_free(&reading);
    assert_int_equal(feed_read(&reading, text, strlen(text), &options, &error), PICKET_OK);
    ASSERT_INDICATORS("198.51.100.1/32", "198.51.100.2/32");
    assert_int_equal(reading.indicators.items[0].port, 0);
    assert_int_equal(reading.indicators.items[1].port, 80);
    assert_int_equal(reading.indicators.items[1].tlp, PICKET_TLP_GREEN);
    assert_string_equal(reading.indicators.items[1].tags, "x, y");
}

static void what_is_no_list_is_refused_whole(void **state)
{
    (void)state;
    assert_int_equal(read_text("<!DOCTYPE html>\n1.2.3.4\n"), PICKET_INVALID);
    assert_int_equal(read_text("\x1f\x8b\x08"), PICKET_INVALID);
    assert_int_equal(read_text("\xff\xfe"
                               "1"),
                     PICKET_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_in_each_spelling),
        cmocka_unit_test(a_port_narrows_the_indicator),
        cmocka_unit_test(a_range_becomes_the_prefixes_that_make_it_up),
        cmocka_unit_test(host_bits_of_a_prefix_are_masked),
        cmocka_unit_test(what_would_match_more_than_was_written_is_refused),
        cmocka_unit_test(a_wide_special_purpose_prefix_is_read),
        cmocka_unit_test(comments_are_no_problems),
        cmocka_unit_test(the_first_ten_problems_are_shown_with_line_and_text),
        cmocka_unit_test(trailing_text_becomes_tags),
        cmocka_unit_test(dshield_columns_are_one_prefix),
        cmocka_unit_test(a_csv_header_maps_the_columns),
        cmocka_unit_test(a_csv_header_may_be_a_comment),
        cmocka_unit_test(columns_are_given_as_member_and_name),
        cmocka_unit_test(given_columns_count_instead_of_those_known_by_name),
        cmocka_unit_test(a_header_may_separate_by_semicolons_or_tabs),
        cmocka_unit_test(a_protocol_narrows_and_one_that_flows_do_not_tell_is_refused),
        cmocka_unit_test(indicators_of_other_kinds_are_passed_over),
        cmocka_unit_test(members_of_json_are_known_by_name_or_given),
        cmocka_unit_test(mixed_indicators_in_csv_give_their_addresses),
        cmocka_unit_test(the_column_with_addresses_is_found_without_a_header),
        cmocka_unit_test(a_quote_never_closed_costs_one_line),
        cmocka_unit_test(json_is_read_by_line_or_as_a_document),
        cmocka_unit_test(what_is_no_list_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, free_reading);
}

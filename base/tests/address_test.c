#include "check.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "picket/base/address.h"

static bool parse(const char *text, struct picket_address *address)
{
    return picket_address_parse(address, text, strlen(text));
}

static struct picket_address address_of(const char *text)
{
    struct picket_address address;
    if (!parse(text, &address))
        fail_msg("%s was refused", text);
    return address;
}

static struct picket_prefix prefix_of(const char *text)
{
    struct picket_prefix prefix;
    if (!picket_prefix_parse(&prefix, text, strlen(text)))
        fail_msg("%s was refused", text);
    return prefix;
}

static void texts_that_are_no_address_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        " ",
                                        "1",
                                        "1.2.3",
                                        "1.2.3.4.5",
                                        "1.2.3.256",
                                        "01.2.3.4",
                                        "1.2.3.04",
                                        "1.2.3.4 ",
                                        " 1.2.3.4",
                                        "1.2.3.-4",
                                        "0x1.2.3.4",
                                        "1.2.3.4/32",
                                        "1..2.3",
                                        "1.2.3.",
                                        ":",
                                        ":::",
                                        "1::2::3",
                                        "12345::",
                                        "1:2:3:4:5:6:7",
                                        "1:2:3:4:5:6:7:8:9",
                                        "1:2:3:4:5:6:7:8::",
                                        "::g",
                                        "fe80::1%eth0",
                                        "[::1]",
                                        "::1.2.3",
                                        "::1.2.3.4:5",
                                        "1.2.3.4::",
                                        "::00001",
                                        "::ffff:1.2.3.256",
                                        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"};
    struct picket_address address;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (parse(wrong[i], &address))
            fail_msg("%s was taken for an address", wrong[i]);
    assert_false(picket_address_parse(&address, "1.2.3.4\0", 8));
    assert_true(picket_address_parse(&address, "1.2.3.45", 7));
    assert_int_equal(address.bytes[3], 4);
}

/* The examples of RFC 5952, sections 1 to 5. */
static void addresses_are_written_as_rfc_5952_asks(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"192.0.2.1", "192.0.2.1"},
    };
    char text[PICKET_ADDRESS_TEXT_BYTES];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct picket_address address = address_of(pairs[i][0]);
        assert_string_equal(picket_address_format(&address, text), pairs[i][1]);
    }
}

/* Addresses with long and short runs of zeros, which is where writers of IPv6 differ. */
static struct picket_address random_address(uint64_t *seed)
{
    uint8_t bytes[16];
    uint64_t which = next_random(seed);
    for (int i = 0; i < 16; i += 2) {
        uint64_t group = which >> (i * 2) & 3 ? 0 : next_random(seed) >> (which >> 60 & 12);
        bytes[i] = (uint8_t)(group >> 8);
        bytes[i + 1] = (uint8_t)group;
    }
    return next_random(seed) % 8 == 0 ? picket_address_ipv4(bytes + 12)
                                      : picket_address_ipv6(bytes);
}

/* In ::/80 lie the forms with a dotted quad, which Python writes in another way. */
static bool may_be_mixed(const struct picket_address *address)
{
    static const uint8_t zeros[10];
    return address->family == 6 && memcmp(address->bytes, zeros, sizeof zeros) == 0;
}

/* Runs a Python script over a file of lines made by `make`, and gives what it printed. */
static FILE *ask_python(const char *script, void (*make)(FILE *file))
{
    char path[] = "/tmp/picket-address-XXXXXX";
    FILE *questions = fdopen(mkstemp(path), "w");
    assert_non_null(questions);
    make(questions);
    fclose(questions);
    char command[2000];
    snprintf(command, sizeof command, "/usr/bin/python3 -c '%s' <%s; rm -f %s", script, path, path);
    FILE *answers = popen(command, "r");
    assert_non_null(answers);
    return answers;
}

enum { ORACLE_ROUNDS = 20000 };

static void make_addresses(FILE *file)
{
    uint64_t seed = 2;
    for (int i = 0; i < ORACLE_ROUNDS; i++) {
        struct picket_address address = random_address(&seed);
        for (int byte = 0; byte < (address.family == 4 ? 4 : 16); byte++)
            fprintf(file, "%02x", address.bytes[byte]);
        fputc('\n', file);
    }
}

static void addresses_are_written_as_python_writes_them(void **state)
{
    (void)state;
    FILE *answers = ask_python("import sys, ipaddress\n"
                               "for line in sys.stdin:\n"
                               "    print(ipaddress.ip_address(bytes.fromhex(line)))",
                               make_addresses);
    uint64_t seed = 2;
    char line[100], text[PICKET_ADDRESS_TEXT_BYTES];
    for (int i = 0; i < ORACLE_ROUNDS; i++) {
        struct picket_address address = random_address(&seed), again;
        assert_non_null(fgets(line, sizeof line, answers));
        line[strcspn(line, "\n")] = '\0';
        if (!may_be_mixed(&address))
            assert_string_equal(picket_address_format(&address, text), line);
        assert_true(parse(line, &again));
        assert_memory_equal(&address, &again, sizeof address);
        assert_true(parse(picket_address_format(&address, text), &again));
        assert_memory_equal(&address, &again, sizeof address);
    }
    pclose(answers);
}

static struct picket_prefix random_prefix_text(uint64_t *seed, char *text)
{
    struct picket_prefix prefix = {.address = random_address(seed)};
    for (int i = 0; i < (prefix.address.family == 4 ? 4 : 16); i++)
        prefix.address.bytes[i] |= (uint8_t)(next_random(seed) & 0x55);
    prefix.length = (uint8_t)(next_random(seed) % (prefix.address.family == 4 ? 33 : 129));
    picket_prefix_format(&prefix, text);
    return prefix;
}

static void make_prefixes(FILE *file)
{
    uint64_t seed = 3;
    char text[PICKET_PREFIX_TEXT_BYTES];
    for (int i = 0; i < ORACLE_ROUNDS; i++) {
        random_prefix_text(&seed, text);
        fprintf(file, "%s\n", text);
    }
}

static void prefixes_are_masked_as_python_masks_them(void **state)
{
    (void)state;
    FILE *answers = ask_python("import sys, ipaddress\n"
                               "for line in sys.stdin:\n"
                               "    print(ipaddress.ip_network(line.strip(), strict=False))",
                               make_prefixes);
    uint64_t seed = 3;
    char line[100], text[PICKET_PREFIX_TEXT_BYTES];
    for (int i = 0; i < ORACLE_ROUNDS; i++) {
        random_prefix_text(&seed, text);
        struct picket_prefix prefix = prefix_of(text);
        assert_non_null(fgets(line, sizeof line, answers));
        line[strcspn(line, "\n")] = '\0';
        if (!may_be_mixed(&prefix.address))
            assert_string_equal(picket_prefix_format(&prefix, text), line);
        struct picket_prefix again = prefix_of(line);
        assert_memory_equal(&prefix, &again, sizeof prefix);
    }
    pclose(answers);
}

static void prefixes_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",           "/",          "/8",          "1.2.3.4/",   "1.2.3.4/33", "1.2.3.4/-1",
        "1.2.3.4/08", "1.2.3.4/8 ", "1.2.3.4/8/8", "1.2.3/8",    "::/129",     "::/999",
        "::/1000",    "1.2.3.4/+8", "1.2.3.4/0x8", "1.2.3.4 /8", "::1%eth0/64"};
    struct picket_prefix prefix;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (picket_prefix_parse(&prefix, wrong[i], strlen(wrong[i])))
            fail_msg("%s was taken for a prefix", wrong[i]);
}

static void an_address_alone_is_the_longest_prefix(void **state)
{
    (void)state;
    assert_int_equal(prefix_of("1.2.3.4").length, 32);
    assert_int_equal(prefix_of("::1").length, 128);
    assert_int_equal(prefix_of("0.0.0.0/0").length, 0);
}

/* Naive twin: bit by bit. */
static bool covers_bit_by_bit(const struct picket_prefix *prefix,
                              const struct picket_address *address)
{
    if (prefix->address.family != address->family)
        return false;
    for (int bit = 0; bit < prefix->length; bit++)
        if (((prefix->address.bytes[bit / 8] ^ address->bytes[bit / 8]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static void a_prefix_covers_exactly_what_shares_its_bits(void **state)
{
    (void)state;
    uint64_t seed = 4;
    char text[PICKET_PREFIX_TEXT_BYTES];
    int covered = 0;
    for (int i = 0; i < 200000; i++) {
        struct picket_prefix prefix = random_prefix_text(&seed, text);
        struct picket_address address = prefix.address;
        if (next_random(&seed) % 16 == 0)
            address.family = address.family == 4 ? 6 : 4;
        unsigned bit = (unsigned)(next_random(&seed) % (prefix.address.family == 4 ? 32 : 128));
        address.bytes[bit / 8] ^= (uint8_t)(0x80 >> (bit % 8));
        bool covers = picket_prefix_covers(&prefix, &address);
        assert_int_equal(covers, covers_bit_by_bit(&prefix, &address));
        covered += covers;
    }
    assert_true(covered > 1000 && covered < 199000);
}

static void special_purpose_addresses_have_their_word(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"0.0.0.0", "this-network"},
        {"0.255.255.255", "this-network"},
        {"1.0.0.0", NULL},
        {"9.255.255.255", NULL},
        {"10.0.0.0", "private-use"},
        {"10.255.255.255", "private-use"},
        {"11.0.0.0", NULL},
        {"100.63.255.255", NULL},
        {"100.64.0.0", "shared-address-space"},
        {"100.127.255.255", "shared-address-space"},
        {"100.128.0.0", NULL},
        {"126.255.255.255", NULL},
        {"127.0.0.1", "loopback"},
        {"128.0.0.0", NULL},
        {"169.253.255.255", NULL},
        {"169.254.0.0", "link-local"},
        {"169.255.0.0", NULL},
        {"172.15.255.255", NULL},
        {"172.16.0.0", "private-use"},
        {"172.31.255.255", "private-use"},
        {"172.32.0.0", NULL},
        {"192.0.0.8", "protocol-assignments"},
        {"192.0.0.9", NULL},
        {"192.0.0.10", NULL},
        {"192.0.0.170", "protocol-assignments"},
        {"192.0.1.0", NULL},
        {"192.0.2.1", "documentation"},
        {"192.31.196.1", NULL},
        {"192.88.99.1", NULL},
        {"192.168.0.0", "private-use"},
        {"192.169.0.0", NULL},
        {"198.17.255.255", NULL},
        {"198.18.0.0", "benchmarking"},
        {"198.19.255.255", "benchmarking"},
        {"198.20.0.0", NULL},
        {"198.51.100.7", "documentation"},
        {"203.0.113.9", "documentation"},
        {"223.255.255.255", NULL},
        {"224.0.0.1", "multicast"},
        {"239.255.255.250", "multicast"},
        {"240.0.0.0", "reserved"},
        {"255.255.255.254", "reserved"},
        {"255.255.255.255", "broadcast"},
        {"8.8.8.8", NULL},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::ffff:8.8.8.8", "ipv4-mapped"},
        {"64:ff9b::808:808", NULL},
        {"64:ff9b:1::1", "local-translation"},
        {"100::1", "discard-only"},
        {"100:0:0:1::1", "dummy"},
        {"100:0:0:2::1", NULL},
        {"2001::1", NULL},
        {"2001:1::1", NULL},
        {"2001:1::2", NULL},
        {"2001:1::3", NULL},
        {"2001:1::4", "protocol-assignments"},
        {"2001:2::1", "benchmarking"},
        {"2001:2:1::1", "protocol-assignments"},
        {"2001:3::1", NULL},
        {"2001:4:112::1", NULL},
        {"2001:10::1", "protocol-assignments"},
        {"2001:20::1", NULL},
        {"2001:3f:ffff::1", NULL},
        {"2001:40::1", "protocol-assignments"},
        {"2001:1ff:ffff::", "protocol-assignments"},
        {"2001:200::1", NULL},
        {"2001:db8::1", "documentation"},
        {"2002:808:808::1", NULL},
        {"2606:4700::1111", NULL},
        {"3fff:fff::1", "documentation"},
        {"3fff:1000::1", NULL},
        {"5f00::1", "segment-routing"},
        {"fbff::1", NULL},
        {"fc00::1", "unique-local"},
        {"fdff::1", "unique-local"},
        {"fe00::1", NULL},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"fec0::1", NULL},
        {"ff02::1", "multicast"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct picket_address address = address_of(expected[i][0]);
        const char *word = picket_address_special_purpose(&address);
        if ((word == NULL) != (expected[i][1] == NULL) ||
            (word != NULL && strcmp(word, expected[i][1]) != 0))
            fail_msg("%s: %s", expected[i][0], word != NULL ? word : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_no_address_are_refused),
        cmocka_unit_test(addresses_are_written_as_rfc_5952_asks),
        cmocka_unit_test(addresses_are_written_as_python_writes_them),
        cmocka_unit_test(prefixes_are_masked_as_python_masks_them),
        cmocka_unit_test(prefixes_that_are_none_are_refused),
        cmocka_unit_test(an_address_alone_is_the_longest_prefix),
        cmocka_unit_test(a_prefix_covers_exactly_what_shares_its_bits),
        cmocka_unit_test(special_purpose_addresses_have_their_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

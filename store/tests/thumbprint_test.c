#include <stdio.h>
#include <string.h>

#include "check.h"
#include "picket/store/thumbprint.h"

/* sha1sum and sha256sum of "abc", FIPS 180's first example. */
#define SHA1   "A9993E364706816ABA3E25717850C26C9CD0D89D"
#define SHA256 "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"

static void every_form_that_tools_print_is_understood(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {SHA1, SHA1},
        {SHA256, SHA256},
        {"a9993e364706816aba3e25717850c26c9cd0d89d", SHA1},
        {"A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D", SHA1},
        {"a9 99 3e 36 47 06 81 6a ba 3e 25 71 78 50 c2 6c 9c d0 d8 9d", SHA1},
        {"a9993e36:4706816aba3e25717850c26c9cd0d89d", SHA1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct picket_thumbprint thumbprint;
        char text[PICKET_THUMBPRINT_TEXT_BYTES];
        if (!picket_thumbprint_parse(&thumbprint, cases[i].text))
            fail_msg("%s was refused", cases[i].text);
        assert_string_equal(picket_thumbprint_format(&thumbprint, text), cases[i].canonical);
    }
}

static void what_is_no_thumbprint_is_refused_and_leaves_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "A",
        "A9",
        "A9993E364706816ABA3E25717850C26C9CD0D8",     /* 19 bytes */
        "A9993E364706816ABA3E25717850C26C9CD0D89D00", /* 21 */
        SHA256 "00",                                  /* 33 */
        "A9993E364706816ABA3E25717850C26C9CD0D89",    /* half a byte less */
        "A9993E364706816ABA3E25717850C26C9CD0D89G",
        ":A9993E364706816ABA3E25717850C26C9CD0D89D",
        "A9993E364706816ABA3E25717850C26C9CD0D89D:",
        "A9::993E364706816ABA3E25717850C26C9CD0D89D",
        "A-9993E364706816ABA3E25717850C26C9CD0D89D",
        "0xA9993E364706816ABA3E25717850C26C9CD0D89D",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct picket_thumbprint thumbprint = {{1}, 20};
        if (picket_thumbprint_parse(&thumbprint, wrong[i]))
            fail_msg("%s was taken", wrong[i]);
        assert_int_equal(thumbprint.size_bytes, 0);
        assert_int_equal(thumbprint.bytes[0], 0);
    }
}

static void thumbprints_are_equal_by_kind_and_bytes(void **state)
{
    struct picket_thumbprint one, same, sha256, none = {{0}, 0};
    (void)state;
    picket_thumbprint_parse(&one, SHA1);
    picket_thumbprint_parse(&same, "a9993e364706816aba3e25717850c26c9cd0d89d");
    picket_thumbprint_parse(&sha256, SHA256);
    assert_true(picket_thumbprint_equals(&one, &same));
    same.bytes[19] ^= 1;
    assert_false(picket_thumbprint_equals(&one, &same));
    assert_false(picket_thumbprint_equals(&one, &sha256));
    assert_false(picket_thumbprint_equals(&one, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_that_tools_print_is_understood),
        cmocka_unit_test(what_is_no_thumbprint_is_refused_and_leaves_nothing),
        cmocka_unit_test(thumbprints_are_equal_by_kind_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

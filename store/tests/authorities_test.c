#include "picket/store/administration.h"
#include "support.h"

static struct picket_authority authority_of(const char *name, const char *bytes)
{
    return (struct picket_authority){.name = name,
                                     .certificate = (const uint8_t *)bytes,
                                     .certificate_bytes = strlen(bytes),
                                     .added_ms = 1000};
}

static int add(struct picket_store *store, const char *name, const char *bytes)
{
    struct picket_authority authority = authority_of(name, bytes);
    return picket_store_authority_add(store, &authority, &error);
}

static char seen[4000];

static void note(void *context, const struct picket_authority *authority)
{
    (void)context;
    char line[200];
    snprintf(line, sizeof line, "%s=%.*s@%lld ", authority->name, (int)authority->certificate_bytes,
             (const char *)authority->certificate, (long long)authority->added_ms);
    strncat(seen, line, sizeof seen - strlen(seen) - 1);
}

static const char *look(struct picket_store *store)
{
    seen[0] = '\0';
    MUST(picket_store_authorities(store, note, NULL, &error));
    return seen;
}

static void cas_are_given_back_in_the_order_of_their_names(void **state)
{
    MUST(add(*state, "plant-b", "second"));
    MUST(add(*state, "plant-a", "first"));
    assert_string_equal(look(*state), "plant-a=first@1000 plant-b=second@1000 ");
    MUST(picket_store_authority_remove(*state, "plant-a", &error));
    assert_string_equal(look(*state), "plant-b=second@1000 ");
}

static void a_name_or_certificate_is_taken_once(void **state)
{
    MUST(add(*state, "a", "one"));
    assert_int_equal(add(*state, "a", "two"), PICKET_EXISTS);
    assert_string_equal(error.text, "CA a: is registered already");
    assert_int_equal(add(*state, "b", "one"), PICKET_EXISTS);
    assert_string_equal(error.text, "CA b: its certificate is registered already, as a");
    assert_string_equal(look(*state), "a=one@1000 ");
}

static void what_is_not_there_cannot_be_removed(void **state)
{
    assert_int_equal(picket_store_authority_remove(*state, "x", &error), PICKET_NOT_FOUND);
    assert_string_equal(error.text, "CA x: is not registered");
}

static void wrong_names_and_sizes_are_refused(void **state)
{
    char long_name[70];
    memset(long_name, 'a', sizeof long_name);
    long_name[64] = '\0';
    MUST(add(*state, long_name, "long"));
    memset(long_name, 'a', sizeof long_name);
    long_name[65] = '\0';
    assert_int_equal(add(*state, long_name, "x"), PICKET_INVALID);
    assert_int_equal(add(*state, "", "x"), PICKET_INVALID);
    assert_int_equal(add(*state, "a b", "x"), PICKET_INVALID);
    assert_int_equal(add(*state, "a/b", "x"), PICKET_INVALID);
    assert_int_equal(add(*state, "a", ""), PICKET_INVALID);
    static uint8_t large[PICKET_AUTHORITY_BYTES_MAX + 1];
    struct picket_authority authority = {
        .name = "large", .certificate = large, .certificate_bytes = sizeof large};
    assert_int_equal(picket_store_authority_add(*state, &authority, &error), PICKET_INVALID);
    authority.certificate_bytes--;
    MUST(picket_store_authority_add(*state, &authority, &error));
}

static void there_are_at_most_so_many(void **state)
{
    char name[20];
    for (int i = 0; i < PICKET_AUTHORITIES_MAX; i++) {
        snprintf(name, sizeof name, "ca-%d", i);
        MUST(add(*state, name, name));
    }
    assert_int_equal(add(*state, "one-more", "x"), PICKET_FULL);
    MUST(picket_store_authority_remove(*state, "ca-0", &error));
    MUST(add(*state, "one-more", "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cas_are_given_back_in_the_order_of_their_names, with_store,
                                        without_store),
        cmocka_unit_test_setup_teardown(a_name_or_certificate_is_taken_once, with_store,
                                        without_store),
        cmocka_unit_test_setup_teardown(what_is_not_there_cannot_be_removed, with_store,
                                        without_store),
        cmocka_unit_test_setup_teardown(wrong_names_and_sizes_are_refused, with_store,
                                        without_store),
        cmocka_unit_test_setup_teardown(there_are_at_most_so_many, with_store, without_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include <jansson.h>

#include "picket/store/twins.h"

static char desired[70000], reported[70000], times[2 * 70000];
static int64_t desired_version, reported_version;

static void take(void *context, const struct picket_twin *twin)
{
    (void)context;
    snprintf(desired, sizeof desired, "%s", twin->desired.json);
    snprintf(reported, sizeof reported, "%s", twin->reported.json);
    snprintf(times, sizeof times, "%s", twin->desired.times);
    desired_version = twin->desired.version;
    reported_version = twin->reported.version;
}

static void look(struct picket_store *store, const char *module)
{
    MUST(picket_store_twin(store, "pump-7", module, take, NULL, &error));
}

static int64_t version;
static int64_t now_ms = 1000;

static int change(struct picket_store *store, enum picket_twin_part part, const char *patch)
{
    struct picket_twin_change wanted = {
        .device = "pump-7",
        .module = "",
        .part = part,
        .patch = patch,
        .patch_bytes = strlen(patch),
        .now_ms = now_ms,
    };
    return picket_store_twin_patch(store, &wanted, &version, &error);
}

static int desire(struct picket_store *store, const char *patch)
{
    return change(store, PICKET_TWIN_DESIRED, patch);
}

static int with_device(void **state)
{
    struct picket_device_identity device = identity_of("pump-7");
    if (with_store(state) != 0)
        return -1;
    now_ms = 1000;
    return picket_store_device_add(*state, &device, &error);
}

static void assert_json(const char *text, const char *expected)
{
    json_t *a = json_loads(text, 0, NULL), *b = json_loads(expected, 0, NULL);
    assert_non_null(b);
    if (!json_equal(a, b))
        fail_msg("%s is not %s", text, expected);
    json_decref(a);
    json_decref(b);
}

static void a_twin_never_patched_is_empty_and_has_version_1(void **state)
{
    look(*state, "");
    assert_string_equal(desired, "{}");
    assert_string_equal(reported, "{}");
    assert_int_equal(desired_version, 1);
    assert_int_equal(reported_version, 1);
}

static void a_device_that_is_not_registered_has_no_twin(void **state)
{
    assert_int_equal(picket_store_twin(*state, "x", "", take, NULL, &error), PICKET_NOT_FOUND);
    assert_string_equal(error.text, "device x: is not registered");
    struct picket_twin_change wanted = {
        .device = "x", .module = "", .patch = "{}", .patch_bytes = 2};
    assert_int_equal(picket_store_twin_patch(*state, &wanted, &version, &error), PICKET_NOT_FOUND);
}

/* The table of RFC 7396, appendix A, as far as a twin's part is an object; and what is not in it.
 */
static void patches_merge_as_the_rfc_says(void **state)
{
    static const struct {
        const char *before, *patch, *after;
    } cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        {"{\"a\":7}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":7}", "{\"a\":7}"},
        {"{}", "{\"n\":4503599627370495,\"f\":0.5,\"t\":true}",
         "{\"n\":4503599627370495,\"f\":0.5,\"t\":true}"},
        {"{\"a\":1}", "{}", "{\"a\":1}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        MUST(desire(*state, "{\"a\":null,\"b\":null,\"n\":null,\"f\":null,\"t\":null}"));
        MUST(desire(*state, cases[i].before));
        int64_t before = version;
        MUST(desire(*state, cases[i].patch));
        assert_int_equal(version, before + 1);
        look(*state, "");
        assert_json(desired, cases[i].after);
        assert_int_equal(desired_version, version);
    }
}

static void fractions_come_back_as_they_were_written(void **state)
{
    MUST(desire(*state, "{\"f\":[2.1,-0.7,1e300,0.123456789012345]}"));
    look(*state, "");
    assert_string_equal(desired, "{\"f\":[2.1,-0.7,1e300,0.123456789012345]}");
}

static void times_follow_the_shape_of_the_document(void **state)
{
    MUST(desire(*state, "{\"a\":1,\"c\":{\"x\":1,\"y\":[2]}}"));
    now_ms = 2000;
    MUST(desire(*state, "{\"c\":{\"x\":3}}"));
    look(*state, "");
    assert_json(times, "{\"\":[2000,3],\"a\":[1000,2],"
                       "\"c\":{\"\":[2000,3],\"x\":[2000,3],\"y\":[1000,2]}}");
    now_ms = 3000;
    MUST(desire(*state, "{\"a\":{\"b\":true},\"c\":null}"));
    look(*state, "");
    assert_json(times, "{\"\":[3000,4],\"a\":{\"\":[3000,4],\"b\":[3000,4]}}");
}

static void desired_and_reported_are_apart(void **state)
{
    MUST(desire(*state, "{\"a\":1}"));
    MUST(change(*state, PICKET_TWIN_REPORTED, "{\"b\":2}"));
    MUST(change(*state, PICKET_TWIN_REPORTED, "{\"b\":3}"));
    look(*state, "");
    assert_string_equal(desired, "{\"a\":1}");
    assert_string_equal(reported, "{\"b\":3}");
    assert_int_equal(desired_version, 2);
    assert_int_equal(reported_version, 3);
}

static void a_module_has_a_twin_of_its_own(void **state)
{
    struct picket_twin_change wanted = {
        .device = "pump-7", .module = "vision", .patch = "{\"m\":1}", .patch_bytes = 7};
    MUST(picket_store_twin_patch(*state, &wanted, &version, &error));
    look(*state, "");
    assert_string_equal(desired, "{}");
    look(*state, "vision");
    assert_string_equal(desired, "{\"m\":1}");
}

static void modules_of_a_device_are_bounded(void **state)
{
    char module[16];
    struct picket_twin_change wanted = {
        .device = "pump-7", .module = module, .patch = "{}", .patch_bytes = 2};
    for (int i = 0; i < PICKET_TWIN_MODULES_MAX; i++) {
        snprintf(module, sizeof module, "m%d", i);
        MUST(picket_store_twin_patch(*state, &wanted, &version, &error));
    }
    MUST(picket_store_twin_patch(*state, &wanted, &version, &error)); /* one that is there */
    MUST(desire(*state, "{}"));
    strcpy(module, "another");
    assert_int_equal(picket_store_twin_patch(*state, &wanted, &version, &error), PICKET_BUSY);
    assert_non_null(strstr(error.text, "50 modules"));
}

static void a_patch_for_another_version_is_refused(void **state)
{
    struct picket_twin_change wanted = {
        .device = "pump-7", .module = "", .patch = "{\"a\":1}", .patch_bytes = 7, .if_version = 1};
    MUST(picket_store_twin_patch(*state, &wanted, &version, &error));
    assert_int_equal(picket_store_twin_patch(*state, &wanted, &version, &error), PICKET_EXISTS);
    assert_string_equal(error.text, "device pump-7: desired has version 2, not 1");
    look(*state, "");
    assert_int_equal(desired_version, 2);
}

static void what_is_no_patch_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *patch, *told;
    } cases[] = {
        {"", "not JSON"},
        {"[1]", "not a JSON object"},
        {"{\"a\":1", "1:6"},
        {"{\"a\":1,\"a\":2}", "duplicate object key"},
        {"{\"$version\":7}", "desired.$version: a name has"},
        {"{\"c\":{\"a.b\":1}}", "desired.c.a.b: a name has"},
        {"{\"a b\":1}", "a name has"},
        {"{\"\":1}", "must not be empty"},
        {"{\"n\":4503599627370496}", "desired.n: an integer is not within"},
        {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}}",
         "deeper than 10 levels"},
        {"{\"a\":\"\\u0000\"}", "not JSON"},
        {"{\"a\":\"\xff\"}", "not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(desire(*state, cases[i].patch), PICKET_INVALID);
        if (strstr(error.text, cases[i].told) == NULL)
            fail_msg("%s: %s", cases[i].patch, error.text);
    }
    look(*state, "");
    assert_int_equal(desired_version, 1);
}

/* A member NAME of as many bytes as are wanted, in a patch. */
static char *patch_with(const char *name, size_t value_bytes)
{
    static char patch[80000];
    int head = snprintf(patch, sizeof patch, "{\"%s\":\"", name);
    memset(patch + head, 'x', value_bytes);
    strcpy(patch + head + value_bytes, "\"}");
    return patch;
}

static void sizes_are_bounded(void **state)
{
    static char long_name[PICKET_TWIN_NAME_BYTES_MAX + 2];
    char name[8];
    MUST(desire(*state, patch_with("a", 4096)));
    assert_int_equal(desire(*state, patch_with("a", 4097)), PICKET_INVALID);
    assert_non_null(strstr(error.text, "4096"));
    MUST(desire(*state, "{\"a\":null}"));
    memset(long_name, 'n', PICKET_TWIN_NAME_BYTES_MAX);
    MUST(desire(*state, patch_with(long_name, 1)));
    long_name[PICKET_TWIN_NAME_BYTES_MAX] = 'n';
    assert_int_equal(desire(*state, patch_with(long_name, 1)), PICKET_INVALID);
    int status = PICKET_OK, parts = 0;
    for (; status == PICKET_OK; parts++) {
        snprintf(name, sizeof name, "p%d", parts);
        status = desire(*state, patch_with(name, 4000));
    }
    assert_int_equal(parts, 8);
    assert_non_null(strstr(error.text, "exceed 32768"));
    assert_int_equal(desire(*state, patch_with("a", 66000)), PICKET_INVALID);
    assert_non_null(strstr(error.text, "exceeds 65536"));
}

static void depth_counts_what_was_there(void **state)
{
    MUST(desire(*state,
                "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}"));
    MUST(desire(*state,
                "{\"a\":{\"a\":{\"a\":{\"b\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}"));
    look(*state, "");
    assert_int_equal(desired_version, 3);
}

static void a_group_is_there_as_a_whole_or_not_at_all(void **state)
{
    MUST(picket_store_group_begin(*state, &error));
    MUST(desire(*state, "{\"a\":1}"));
    MUST(desire(*state, "{\"b\":2}"));
    look(*state, "");
    assert_int_equal(desired_version, 3);
    picket_store_group_rollback(*state);
    look(*state, "");
    assert_int_equal(desired_version, 1);
    MUST(picket_store_group_begin(*state, &error));
    MUST(desire(*state, "{\"a\":1}"));
    assert_int_equal(desire(*state, "[]"), PICKET_INVALID); /* costs itself only */
    MUST(desire(*state, "{\"b\":2}"));
    assert_int_equal(picket_store_begin(*state, &error), PICKET_INVALID);
    MUST(picket_store_group_commit(*state, &error));
    assert_int_equal(picket_store_group_commit(*state, &error), PICKET_INVALID);
    look(*state, "");
    assert_string_equal(desired, "{\"a\":1,\"b\":2}");
}

static void a_removed_device_leaves_no_twin(void **state)
{
    struct picket_device_identity device = identity_of("pump-7");
    MUST(desire(*state, "{\"a\":1}"));
    MUST(picket_store_device_remove(*state, "pump-7", &error));
    assert_int_equal(picket_store_twin(*state, "pump-7", "", take, NULL, &error), PICKET_NOT_FOUND);
    MUST(picket_store_device_add(*state, &device, &error));
    look(*state, "");
    assert_string_equal(desired, "{}");
    assert_int_equal(desired_version, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_device, without_store)
    const struct CMUnitTest tests[] = {
        TEST(a_twin_never_patched_is_empty_and_has_version_1),
        TEST(a_device_that_is_not_registered_has_no_twin),
        TEST(patches_merge_as_the_rfc_says),
        TEST(fractions_come_back_as_they_were_written),
        TEST(times_follow_the_shape_of_the_document),
        TEST(desired_and_reported_are_apart),
        TEST(a_module_has_a_twin_of_its_own),
        TEST(modules_of_a_device_are_bounded),
        TEST(a_patch_for_another_version_is_refused),
        TEST(what_is_no_patch_is_refused_with_its_place),
        TEST(sizes_are_bounded),
        TEST(depth_counts_what_was_there),
        TEST(a_group_is_there_as_a_whole_or_not_at_all),
        TEST(a_removed_device_leaves_no_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include "picket/store/sessions.h"

static uint32_t kept(struct picket_store *store, const char *module)
{
    uint32_t subscriptions = 99;
    MUST(picket_store_session_get(store, "pump-7", module, &subscriptions, &error));
    return subscriptions;
}

static int with_device(void **state)
{
    struct picket_device_identity device = identity_of("pump-7");
    return with_store(state) != 0 ? -1 : picket_store_device_add(*state, &device, &error);
}

static void subscriptions_are_kept_replaced_and_forgotten(void **state)
{
    assert_int_equal(kept(*state, ""), 0);
    MUST(picket_store_session_put(*state, "pump-7", "", 6, &error));
    MUST(picket_store_session_put(*state, "pump-7", "vision", 0x8010, &error));
    assert_int_equal(kept(*state, ""), 6);
    assert_int_equal(kept(*state, "vision"), 0x8010);
    MUST(picket_store_session_put(*state, "pump-7", "", 8, &error));
    assert_int_equal(kept(*state, ""), 8);
    MUST(picket_store_session_put(*state, "pump-7", "", 0, &error));
    MUST(picket_store_session_put(*state, "pump-7", "", 0, &error));
    assert_int_equal(kept(*state, ""), 0);
    assert_int_equal(ask_sql("picket.db", "select count(*) from sessions"), 1);
}

static void a_removed_device_leaves_no_session(void **state)
{
    struct picket_device_identity device = identity_of("pump-7");
    MUST(picket_store_session_put(*state, "pump-7", "", 6, &error));
    MUST(picket_store_device_remove(*state, "pump-7", &error));
    assert_int_equal(kept(*state, ""), 0);
    assert_int_equal(picket_store_session_put(*state, "pump-7", "", 6, &error), PICKET_BUSY);
    MUST(picket_store_device_add(*state, &device, &error));
    assert_int_equal(kept(*state, ""), 0);
}

static void modules_with_a_session_are_bounded(void **state)
{
    char module[16];
    for (int i = 0; i < PICKET_SESSION_MODULES_MAX; i++) {
        snprintf(module, sizeof module, "m%d", i);
        MUST(picket_store_session_put(*state, "pump-7", module, 6, &error));
    }
    MUST(picket_store_session_put(*state, "pump-7", module, 7, &error));
    MUST(picket_store_session_put(*state, "pump-7", "", 7, &error));
    assert_int_equal(picket_store_session_put(*state, "pump-7", "another", 7, &error), PICKET_BUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_device, without_store)
    const struct CMUnitTest tests[] = {
        TEST(subscriptions_are_kept_replaced_and_forgotten),
        TEST(a_removed_device_leaves_no_session),
        TEST(modules_with_a_session_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

static int add(struct picket_store *store, const char *id)
{
    struct picket_device_identity device = identity_of("");
    snprintf(device.id, sizeof device.id, "%.128s", id);
    return picket_store_device_add(store, &device, NULL);
}

static void a_device_is_given_back_as_it_was_added(void **state)
{
    struct picket_device_identity device = identity_of("pump-7"), found;
    MUST(picket_store_device_add(*state, &device, &error));
    memset(&found, 0xff, sizeof found);
    MUST(picket_store_device_get(*state, "pump-7", &found, &error));
    assert_string_equal(found.id, "pump-7");
    assert_true(found.enabled);
    assert_int_equal(found.created_ms, 1000);
    assert_int_equal(found.primary_key_bytes, 7);
    assert_memory_equal(found.primary_key, device.primary_key, PICKET_KEY_BYTES_MAX);
    assert_int_equal(found.secondary_key_bytes, 10);
    assert_memory_equal(found.secondary_key, device.secondary_key, PICKET_KEY_BYTES_MAX);
}

static void keys_may_be_absent_or_of_full_length(void **state)
{
    struct picket_device_identity device = identity_of("d"), found;
    device.enabled = false;
    device.secondary_key_bytes = 0;
    device.primary_key_bytes = PICKET_KEY_BYTES_MAX;
    memset(device.primary_key, 0xa5, PICKET_KEY_BYTES_MAX);
    MUST(picket_store_device_add(*state, &device, &error));
    MUST(picket_store_device_get(*state, "d", &found, &error));
    assert_false(found.enabled);
    assert_int_equal(found.primary_key_bytes, PICKET_KEY_BYTES_MAX);
    assert_memory_equal(found.primary_key, device.primary_key, PICKET_KEY_BYTES_MAX);
    assert_int_equal(found.secondary_key_bytes, 0);
    device.primary_key_bytes = PICKET_KEY_BYTES_MAX + 1;
    strcpy(device.id, "e");
    assert_int_equal(picket_store_device_add(*state, &device, NULL), PICKET_INVALID);
}

static void a_device_is_added_once(void **state)
{
    struct picket_device_identity device = identity_of("d"), found;
    MUST(picket_store_device_add(*state, &device, &error));
    device.primary_key[0] = 'X';
    assert_int_equal(picket_store_device_add(*state, &device, &error), PICKET_EXISTS);
    assert_string_equal(error.text, "device d: is registered already");
    MUST(picket_store_device_get(*state, "d", &found, &error));
    assert_int_equal(found.primary_key[0], 'p');
    assert_int_equal(add(*state, "D"), PICKET_OK); /* ids are case-sensitive */
}

static void many_devices_are_added_all_or_none(void **state)
{
    struct picket_device_identity devices[3] = {identity_of("a"), identity_of("b"),
                                                identity_of("a")};
    struct picket_device_identity found;
    size_t at;
    assert_int_equal(picket_store_devices_add(*state, devices, 3, &at, &error), PICKET_EXISTS);
    assert_int_equal(at, 2);
    assert_int_equal(picket_store_device_get(*state, "b", &found, NULL), PICKET_NOT_FOUND);
    strcpy(devices[2].id, "c d");
    assert_int_equal(picket_store_devices_add(*state, devices, 3, &at, &error), PICKET_INVALID);
    assert_int_equal(at, 2);
    assert_int_equal(picket_store_device_get(*state, "a", &found, NULL), PICKET_NOT_FOUND);
    strcpy(devices[2].id, "c");
    MUST(picket_store_devices_add(*state, devices, 3, &at, &error));
    MUST(picket_store_device_get(*state, "c", &found, &error));
}

static void ids_are_those_of_azure_iot_hub(void **state)
{
    char id[200];
    memset(id, 'a', sizeof id);
    id[128] = '\0';
    assert_int_equal(add(*state, id), PICKET_OK);
    assert_int_equal(add(*state, "aZ09-._:%*?!(),=@$'"), PICKET_OK);
    assert_int_equal(add(*state, ""), PICKET_INVALID);
    static const char *const wrong[] = {"a b",  "a/b", "a+b", "a#b",   "a\xc3\xa4", "a\"b",
                                        "a\\b", "a&b", "a;b", "a\x7f", "a\nb",      "<a>"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (add(*state, wrong[i]) != PICKET_INVALID)
            fail_msg("%s was taken", wrong[i]);
    struct picket_device_identity device = identity_of("");
    memset(device.id, 'a', sizeof device.id); /* 129 characters, no end */
    assert_int_equal(picket_store_device_add(*state, &device, NULL), PICKET_INVALID);
}

static void an_unknown_device_is_not_found(void **state)
{
    struct picket_device_identity found;
    assert_int_equal(picket_store_device_get(*state, "x", &found, &error), PICKET_NOT_FOUND);
    assert_string_equal(error.text, "device x: is not registered");
    assert_int_equal(picket_store_device_remove(*state, "x", &error), PICKET_NOT_FOUND);
}

static void put_state(struct picket_store *store, const struct picket_device_state *device)
{
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_update_device(store, device, &error));
    MUST(picket_store_commit(store, &error));
}

static struct picket_device_summary seen;
static char seen_texts[5][64];
static int seen_count;
static char seen_ids[20000];

static void note(void *context, const struct picket_device_summary *device)
{
    (void)context;
    const char *texts[] = {device->id, device->security_module_id, device->os_info,
                           device->kernel_info, device->hw_info};
    for (int i = 0; i < 5; i++)
        snprintf(seen_texts[i], sizeof seen_texts[i], "%s", texts[i]);
    seen = *device;
    seen_count++;
    strncat(seen_ids, device->id, 100);
    strcat(seen_ids, " ");
}

static int look(struct picket_store *store, struct picket_device_query query)
{
    seen_count = 0;
    seen_ids[0] = '\0';
    return picket_store_devices(store, &query, note, NULL, &error);
}

static void look_at(struct picket_store *store, const char *id)
{
    MUST(look(store, (struct picket_device_query){.id = id, .limit = 10000}));
}

static void a_device_is_disabled_and_enabled_again(void **state)
{
    struct picket_device_identity found;
    add(*state, "d");
    MUST(picket_store_device_enable(*state, "d", false, &error));
    MUST(picket_store_device_get(*state, "d", &found, &error));
    assert_false(found.enabled);
    assert_int_equal(found.primary_key_bytes, 7);
    look_at(*state, "d");
    assert_false(seen.enabled);
    MUST(picket_store_device_enable(*state, "d", true, &error));
    look_at(*state, "d");
    assert_true(seen.enabled);
    MUST(picket_store_device_remove(*state, "d", &error));
    assert_int_equal(picket_store_device_enable(*state, "d", true, &error), PICKET_NOT_FOUND);
    assert_int_equal(picket_store_device_enable(*state, "e", true, &error), PICKET_NOT_FOUND);
}

static void a_removed_device_keeps_its_history_and_loses_its_keys(void **state)
{
    struct picket_device_identity found;
    add(*state, "gone");
    add(*state, "without-history");
    put_state(*state, &(struct picket_device_state){.device = "gone", .seen_ms = 5});
    MUST(picket_store_device_remove(*state, "gone", &error));
    MUST(picket_store_device_remove(*state, "without-history", &error));
    assert_int_equal(picket_store_device_get(*state, "gone", &found, NULL), PICKET_NOT_FOUND);
    look_at(*state, "gone");
    assert_false(seen.registered);
    assert_int_equal(seen.last_seen_ms, 5);
    assert_int_equal(look(*state, (struct picket_device_query){.id = "without-history"}),
                     PICKET_NOT_FOUND);
    assert_int_equal(ask_sql("picket.db", "select sum(length(primary_key) + "
                                          "length(secondary_key)) from devices"),
                     0);
    assert_int_equal(totals_of(*state).devices, 0);
}

/* How often the bytes stand in a file of the folder. */
static int occurrences(const char *name, const char *bytes, size_t size_bytes)
{
    static char content[1 << 20];
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(content, 1, sizeof content, file) : 0;
    if (file != NULL)
        fclose(file);
    int found = 0;
    for (const char *at = content; size >= size_bytes && at <= content + size - size_bytes; at++)
        found += memcmp(at, bytes, size_bytes) == 0;
    return found;
}

static void the_keys_of_a_removed_device_are_no_longer_in_the_file(void **state)
{
    struct picket_device_identity device = identity_of("d");
    memcpy(device.primary_key, "very secret key 1", 17);
    device.primary_key_bytes = PICKET_KEY_BYTES_MAX;
    for (int i = 0; i < 40; i++) {
        snprintf(device.id, sizeof device.id, "device-%d", i);
        MUST(picket_store_device_add(*state, &device, &error));
    }
    picket_store_close(*state);
    assert_int_equal(occurrences("picket.db", "very secret key 1", 17), 40);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
    for (int i = 0; i < 40; i += 2) {
        snprintf(device.id, sizeof device.id, "device-%d", i);
        MUST(picket_store_device_remove(*state, device.id, &error));
    }
    picket_store_close(*state);
    assert_int_equal(occurrences("picket.db", "very secret key 1", 17), 20);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
}

static void a_device_that_comes_back_has_its_history(void **state)
{
    add(*state, "d");
    put_state(*state, &(struct picket_device_state){.device = "d", .seen_ms = 5});
    MUST(picket_store_device_remove(*state, "d", &error));
    assert_int_equal(add(*state, "d"), PICKET_OK);
    look_at(*state, "d");
    assert_true(seen.registered);
    assert_int_equal(seen.last_seen_ms, 5);
}

static void devices_come_in_the_order_of_their_ids(void **state)
{
    add(*state, "c");
    add(*state, "a");
    put_state(*state, &(struct picket_device_state){.device = "b", .seen_ms = 5});
    look_at(*state, NULL);
    assert_string_equal(seen_ids, "a b c ");
    look_at(*state, "c");
    assert_string_equal(seen_ids, "c ");
    assert_int_equal(seen.last_seen_ms, 0);
    assert_string_equal(seen_texts[1], "");
    assert_int_equal(look(*state, (struct picket_device_query){.id = "d"}), PICKET_NOT_FOUND);
}

static void devices_come_in_pages(void **state)
{
    static const char *const ids[] = {"b", "a", "A", "a.b"};
    for (size_t i = 0; i < 4; i++)
        add(*state, ids[i]);
    MUST(look(*state, (struct picket_device_query){.limit = 2}));
    assert_string_equal(seen_ids, "A a ");
    MUST(look(*state, (struct picket_device_query){.after = "a", .limit = 2}));
    assert_string_equal(seen_ids, "a.b b ");
    MUST(look(*state, (struct picket_device_query){.after = "b", .limit = 2}));
    assert_string_equal(seen_ids, "");
    MUST(look(*state, (struct picket_device_query){.after = "aa", .limit = 9}));
    assert_string_equal(seen_ids, "b ");
}

static void state_adds_up_and_texts_stay_until_replaced(void **state)
{
    add(*state, "d");
    struct picket_device_state first = {.device = "d",
                                        .seen_ms = 20,
                                        .security_module_id = "module",
                                        .security_module_version = 7,
                                        .os_info = "os",
                                        .new_events = 2,
                                        .flows_lost = 3,
                                        .bytes_lost = 4};
    put_state(*state, &first);
    put_state(*state, &(struct picket_device_state){
                          .device = "d", .seen_ms = 10, .hw_info = "hw", .new_events = 1});
    look_at(*state, "d");
    assert_int_equal(seen.last_seen_ms, 20);
    assert_int_equal(seen.events, 3);
    assert_int_equal(seen.flows_lost, 3);
    assert_int_equal(seen.bytes_lost, 4);
    assert_int_equal(seen.security_module_version, 7);
    assert_string_equal(seen_texts[1], "module");
    assert_string_equal(seen_texts[2], "os");
    assert_string_equal(seen_texts[3], "");
    assert_string_equal(seen_texts[4], "hw");
    first.os_info = "";
    first.security_module_version = 8;
    put_state(*state, &first);
    look_at(*state, "d");
    assert_int_equal(seen.security_module_version, 8);
    assert_string_equal(seen_texts[2], "");
}

static void counts_stop_at_their_largest(void **state)
{
    struct picket_device_state most = {.device = "d", .bytes_lost = UINT64_MAX};
    put_state(*state, &most);
    put_state(*state, &most);
    look_at(*state, "d");
    assert_int_equal(seen.bytes_lost, INT64_MAX);
}

static void several_messages_of_a_batch_are_gathered(void **state)
{
    MUST(picket_store_begin(*state, &error));
    for (int i = 0; i < 3000; i++) {
        char id[20];
        snprintf(id, sizeof id, "d%04d", i % 1500);
        struct picket_device_state device = {.device = id, .seen_ms = i, .new_events = 1};
        MUST(picket_store_update_device(*state, &device, &error));
    }
    look_at(*state, "d0003"); /* a batch sees what it has put */
    assert_int_equal(seen.events, 2);
    MUST(picket_store_update_device(
        *state, (&(struct picket_device_state){.device = "d0003", .new_events = 5}), &error));
    MUST(picket_store_commit(*state, &error));
    look_at(*state, NULL);
    assert_int_equal(seen_count, 1500);
    look_at(*state, "d0003");
    assert_int_equal(seen.events, 7);
    assert_int_equal(seen.last_seen_ms, 1503);
}

static void the_registry_is_not_changed_within_a_batch(void **state)
{
    MUST(picket_store_begin(*state, &error));
    assert_int_equal(add(*state, "d"), PICKET_INVALID);
    assert_int_equal(picket_store_device_remove(*state, "d", &error), PICKET_INVALID);
    assert_non_null(strstr(error.text, "a batch is open"));
    MUST(picket_store_commit(*state, &error));
}

static struct picket_thumbprint thumbprint_of(uint8_t byte, size_t size_bytes)
{
    struct picket_thumbprint thumbprint = {.size_bytes = size_bytes};
    memset(thumbprint.bytes, byte, size_bytes);
    return thumbprint;
}

static struct picket_device_identity with_thumbprint(const char *id, size_t size_bytes)
{
    struct picket_device_identity device = {
        .enabled = true, .authentication = PICKET_AUTHENTICATION_THUMBPRINT, .created_ms = 1000};
    snprintf(device.id, sizeof device.id, "%s", id);
    device.primary_thumbprint = thumbprint_of(0xa5, size_bytes);
    return device;
}

static void a_device_may_have_thumbprints_or_a_ca_instead_of_keys(void **state)
{
    struct picket_device_identity device = with_thumbprint("x", 32), found;
    device.secondary_thumbprint = thumbprint_of(0x5a, 20);
    MUST(picket_store_device_add(*state, &device, &error));
    MUST(picket_store_device_get(*state, "x", &found, &error));
    assert_int_equal(found.authentication, PICKET_AUTHENTICATION_THUMBPRINT);
    assert_int_equal(found.primary_key_bytes, 0);
    assert_true(picket_thumbprint_equals(&found.primary_thumbprint, &device.primary_thumbprint));
    assert_true(
        picket_thumbprint_equals(&found.secondary_thumbprint, &device.secondary_thumbprint));
    look_at(*state, "x");
    assert_int_equal(seen.authentication, PICKET_AUTHENTICATION_THUMBPRINT);
    struct picket_device_identity of_ca = {
        .id = "c", .enabled = true, .authentication = PICKET_AUTHENTICATION_CA};
    MUST(picket_store_device_add(*state, &of_ca, &error));
    MUST(picket_store_device_get(*state, "c", &found, &error));
    assert_int_equal(found.authentication, PICKET_AUTHENTICATION_CA);
    assert_int_equal(found.primary_thumbprint.size_bytes, 0);
    add(*state, "s");
    MUST(picket_store_device_get(*state, "s", &found, &error));
    assert_int_equal(found.authentication, PICKET_AUTHENTICATION_SAS);
}

static void credentials_of_another_kind_are_refused(void **state)
{
    struct picket_device_identity keys = identity_of("a"), prints = with_thumbprint("b", 20);
    keys.primary_thumbprint = prints.primary_thumbprint;
    assert_int_equal(picket_store_device_add(*state, &keys, &error), PICKET_INVALID);
    keys.authentication = PICKET_AUTHENTICATION_THUMBPRINT;
    assert_int_equal(picket_store_device_add(*state, &keys, &error), PICKET_INVALID);
    prints.primary_thumbprint.size_bytes = 21;
    assert_int_equal(picket_store_device_add(*state, &prints, &error), PICKET_INVALID);
    prints.primary_thumbprint.size_bytes = 0;
    assert_int_equal(picket_store_device_add(*state, &prints, &error), PICKET_INVALID);
    prints = with_thumbprint("b", 20);
    prints.authentication = PICKET_AUTHENTICATION_CA;
    assert_int_equal(picket_store_device_add(*state, &prints, &error), PICKET_INVALID);
    prints.authentication = 3;
    assert_int_equal(picket_store_device_add(*state, &prints, &error), PICKET_INVALID);
}

static void credentials_are_replaced_and_the_rest_stays(void **state)
{
    struct picket_device_identity device = identity_of("d"), found;
    MUST(picket_store_device_add(*state, &device, &error));
    MUST(picket_store_device_enable(*state, "d", false, &error));
    struct picket_device_identity next = with_thumbprint("d", 32);
    next.created_ms = 5;
    MUST(picket_store_device_set_credentials(*state, &next, &error));
    MUST(picket_store_device_get(*state, "d", &found, &error));
    assert_int_equal(found.authentication, PICKET_AUTHENTICATION_THUMBPRINT);
    assert_int_equal(found.primary_key_bytes + found.secondary_key_bytes, 0);
    assert_int_equal(found.primary_thumbprint.size_bytes, 32);
    assert_int_equal(found.created_ms, 1000);
    assert_false(found.enabled);
    strcpy(next.id, "other");
    assert_int_equal(picket_store_device_set_credentials(*state, &next, &error), PICKET_NOT_FOUND);
    MUST(picket_store_device_remove(*state, "d", &error));
    strcpy(next.id, "d");
    assert_int_equal(picket_store_device_set_credentials(*state, &next, &error), PICKET_NOT_FOUND);
    assert_int_equal(ask_sql("picket.db", "select sum(length(primary_thumbprint)) from devices"),
                     0);
}

static void a_replaced_key_is_no_longer_in_the_file(void **state)
{
    struct picket_device_identity device = identity_of("d");
    memcpy(device.primary_key, "very secret key 1", 17);
    device.primary_key_bytes = PICKET_KEY_BYTES_MAX;
    MUST(picket_store_device_add(*state, &device, &error));
    picket_store_close(*state);
    assert_int_equal(occurrences("picket.db", "very secret key 1", 17), 1);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
    memcpy(device.primary_key, "other secret key ", 17);
    MUST(picket_store_device_set_credentials(*state, &device, &error));
    picket_store_close(*state);
    assert_int_equal(occurrences("picket.db", "very secret key 1", 17), 0);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(a_device_is_given_back_as_it_was_added),
        TEST(keys_may_be_absent_or_of_full_length),
        TEST(a_device_is_added_once),
        TEST(many_devices_are_added_all_or_none),
        TEST(ids_are_those_of_azure_iot_hub),
        TEST(an_unknown_device_is_not_found),
        TEST(a_device_is_disabled_and_enabled_again),
        TEST(a_removed_device_keeps_its_history_and_loses_its_keys),
        TEST(the_keys_of_a_removed_device_are_no_longer_in_the_file),
        TEST(a_device_that_comes_back_has_its_history),
        TEST(devices_come_in_the_order_of_their_ids),
        TEST(devices_come_in_pages),
        TEST(state_adds_up_and_texts_stay_until_replaced),
        TEST(counts_stop_at_their_largest),
        TEST(several_messages_of_a_batch_are_gathered),
        TEST(the_registry_is_not_changed_within_a_batch),
        TEST(a_device_may_have_thumbprints_or_a_ca_instead_of_keys),
        TEST(credentials_of_another_kind_are_refused),
        TEST(credentials_are_replaced_and_the_rest_stays),
        TEST(a_replaced_key_is_no_longer_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

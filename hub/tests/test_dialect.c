#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/dialect.h"

static void a_device_publishes_to_its_own_events_topic_alone(void **state)
{
    static const struct {
        const char *topic, *module, *bag; /* bag NULL: foreign */
    } cases[] = {
        {"devices/d/messages/events", "", ""},
        {"devices/d/messages/events/", "", ""},
        {"devices/d/messages/events/a=b", "", "a=b"},
        {"devices/d/messages/events/a=b/", "", "a=b"},
        {"devices/d/messages/events/a=b//", "", "a=b/"},
        {"devices/d/messages/events/%24.ct=a%2Fb&$.mid=1", "", "%24.ct=a%2Fb&$.mid=1"},
        {"devices/d/modules/m/messages/events/a=b", "m", "a=b"},
        {"devices/d/messages/events/", "m", NULL},
        {"devices/d/modules/m/messages/events/", "", NULL},
        {"devices/d/modules/n/messages/events/", "m", NULL},
        {"devices/dd/messages/events/", "", NULL},
        {"devices//messages/events/", "", NULL},
        {"devices/D/messages/events/", "", NULL},
        {"devices/d/messages/eventsa=b", "", NULL},
        {"devices/d/messages/event", "", NULL},
        {"devices/d/messages/devicebound/", "", NULL},
        {"devices/d", "", NULL},
        {"devices/", "", NULL},
        {"/devices/d/messages/events/", "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice bag;
        enum dialect_topic kind =
            dialect_published(slice_of(cases[i].topic), "d", cases[i].module, &bag);
        if ((kind == DIALECT_EVENTS) != (cases[i].bag != NULL))
            fail_msg("%s as module \"%s\"", cases[i].topic, cases[i].module);
        if (cases[i].bag != NULL)
            assert_true(slice_equals(bag, cases[i].bag));
    }
}

static void twin_and_methods_are_told_from_foreign_topics(void **state)
{
    struct slice bag;
    (void)state;
    assert_int_equal(dialect_published(slice_of("$iothub/twin/GET/?$rid=2"), "d", "", &bag),
                     DIALECT_TWIN_GET);
    assert_int_equal(dialect_published(slice_of("$iothub/twin/PATCH/properties/reported/?$rid=3"),
                                       "d", "", &bag),
                     DIALECT_TWIN_REPORT);
    assert_int_equal(dialect_published(slice_of("$iothub/methods/res/200/?$rid=1"), "d", "", &bag),
                     DIALECT_METHOD_RESULT);
    assert_int_equal(dialect_published(slice_of("$iothub/twin/res/200/"), "d", "", &bag),
                     DIALECT_FOREIGN_TOPIC);
}

static void a_device_subscribes_to_the_contracts_filters_alone(void **state)
{
    static const struct {
        const char *filter, *module;
        enum dialect_filter kind;
    } cases[] = {
        {"$iothub/twin/res/#", "", DIALECT_TWIN_RESULTS},
        {"$iothub/twin/PATCH/properties/desired/#", "m", DIALECT_TWIN_DESIRED},
        {"$iothub/methods/POST/#", "", DIALECT_METHODS},
        {"devices/d/messages/devicebound/#", "", DIALECT_DEVICE_BOUND},
        {"devices/+/messages/devicebound/#", "", DIALECT_DEVICE_BOUND},
        {"devices/+/messages/devicebound/#", "m", DIALECT_DEVICE_BOUND},
        {"devices/d/modules/m/#", "m", DIALECT_MODULE_ALL},
        {"devices/d/modules/m/inputs/#", "m", DIALECT_MODULE_INPUTS},
        {"devices/d/modules/m/#", "", DIALECT_FOREIGN_FILTER},
        {"devices/d/modules/n/#", "m", DIALECT_FOREIGN_FILTER},
        {"devices/e/messages/devicebound/#", "", DIALECT_FOREIGN_FILTER},
        {"devices/d/#", "", DIALECT_FOREIGN_FILTER},
        {"devices/+/messages/events/#", "", DIALECT_FOREIGN_FILTER},
        {"devices/d/messages/devicebound/", "", DIALECT_FOREIGN_FILTER},
        {"$iothub/twin/res/", "", DIALECT_FOREIGN_FILTER},
        {"#", "", DIALECT_FOREIGN_FILTER},
        {"+/#", "", DIALECT_FOREIGN_FILTER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (dialect_filtered(slice_of(cases[i].filter), "d", cases[i].module) != cases[i].kind)
            fail_msg("%s as module \"%s\"", cases[i].filter, cases[i].module);
}

static void properties_are_appended_while_there_is_room(void **state)
{
    char bag[10];
    size_t size = 0;
    (void)state;
    assert_true(dialect_bag_append(bag, &size, sizeof bag, "a=b"));
    assert_true(dialect_bag_append(bag, &size, sizeof bag, "c=d"));
    assert_int_equal(size, 7);
    assert_memory_equal(bag, "a=b&c=d", 7);
    assert_false(dialect_bag_append(bag, &size, sizeof bag, "e=f"));
    assert_int_equal(size, 7);
    assert_true(dialect_bag_append(bag, &size, sizeof bag, "ef"));
    assert_int_equal(size, 10);
    assert_false(dialect_bag_append(bag, &size, sizeof bag, ""));
}

static void requests_are_read_from_their_topics(void **state)
{
    static const struct {
        const char *topic, *rid; /* NULL: refused */
        int status;
    } cases[] = {
        {"$iothub/twin/GET/?$rid=2", "2", 0},
        {"$iothub/twin/GET/?$rid=a%20b=c", "a%20b=c", 0},
        {"$iothub/twin/GET/?x=1&$rid=7&y=2", "7", 0},
        {"$iothub/twin/GET/?$rid=", NULL, 0},
        {"$iothub/twin/GET/", NULL, 0},
        {"$iothub/twin/GET/$rid=1", NULL, 0},
        {"$iothub/twin/PATCH/properties/reported/?$rid=3", "3", 0},
        {"$iothub/twin/PATCH/properties/reported/?rid=3", NULL, 0},
        {"$iothub/methods/res/200/?$rid=1f", "1f", 200},
        {"$iothub/methods/res/-1/?$rid=1f", "1f", -1},
        {"$iothub/methods/res/0/?$rid=1f", "1f", 0},
        {"$iothub/methods/res/999999999/?$rid=1f", "1f", 999999999},
        {"$iothub/methods/res/1000000000/?$rid=1f", NULL, 0},
        {"$iothub/methods/res/2x/?$rid=1f", NULL, 0},
        {"$iothub/methods/res//?$rid=1f", NULL, 0},
        {"$iothub/methods/res/?$rid=1f", NULL, 0},
        {"$iothub/methods/res/200", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dialect_request request;
        const char *wrong = dialect_request_parse(&request, slice_of(cases[i].topic));
        if ((wrong == NULL) != (cases[i].rid != NULL))
            fail_msg("%s: %s", cases[i].topic, wrong != NULL ? wrong : "taken");
        if (wrong != NULL)
            continue;
        assert_true(slice_equals(request.rid, cases[i].rid));
        assert_int_equal(request.status, cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_publishes_to_its_own_events_topic_alone),
        cmocka_unit_test(twin_and_methods_are_told_from_foreign_topics),
        cmocka_unit_test(requests_are_read_from_their_topics),
        cmocka_unit_test(a_device_subscribes_to_the_contracts_filters_alone),
        cmocka_unit_test(properties_are_appended_while_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

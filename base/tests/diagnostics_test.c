#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

static char said[1 << 20];
static FILE *capture;
static int true_stderr;

static int begin_capture(void **state)
{
    (void)state;
    fflush(stderr);
    capture = tmpfile();
    true_stderr = dup(STDERR_FILENO);
    dup2(fileno(capture), STDERR_FILENO);
    return 0;
}

static const char *end_capture(void)
{
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    rewind(capture);
    said[fread(said, 1, sizeof said - 1, capture)] = '\0';
    fclose(capture);
    return said;
}

static int restore(void **state)
{
    (void)state;
    unsetenv("PICKET_LOG_FORMAT");
    picket_diagnostics_threshold(PICKET_NOTICE);
    return 0;
}

static void a_line_has_time_level_part_and_message(void **state)
{
    (void)state;
    picket_say(PICKET_WARNING, "hub", "device %s: refused", "pump-7");
    const char *line = end_capture();
    int64_t at;
    char time[PICKET_TIME_TEXT_BYTES] = {0};
    memcpy(time, line, 24);
    assert_true(picket_time_parse(time, &at));
    assert_string_equal(line + 24, " warning hub: device pump-7: refused\n");
}

static void lines_below_the_threshold_are_dropped(void **state)
{
    (void)state;
    picket_say(PICKET_DEBUG, "hub", "dropped");
    picket_diagnostics_threshold(PICKET_ERROR);
    picket_say(PICKET_WARNING, "hub", "dropped");
    picket_say(PICKET_ERROR, "hub", "shown");
    picket_diagnostics_threshold(PICKET_DEBUG);
    picket_say(PICKET_DEBUG, "hub", "shown too");
    const char *lines = end_capture();
    assert_null(strstr(lines, "dropped"));
    assert_non_null(strstr(lines, " error hub: shown\n"));
    assert_non_null(strstr(lines, " debug hub: shown too\n"));
}

static void text_from_outside_is_made_printable(void **state)
{
    (void)state;
    picket_say(PICKET_NOTICE, "hub", "%s",
               "a\nb\x1b[31m\x7f\xff\xc3\xa4 \xe2\x82\xac \xc0\x80 \xe2\x80\xae");
    assert_string_equal(end_capture() + 24,
                        " notice hub: a\\x0ab\\x1b[31m\\x7f\\xff\xc3\xa4 \xe2\x82\xac \\xc0\\x80 "
                        "\\xe2\\x80\\xae\n");
}

static void a_line_can_be_a_json_object(void **state)
{
    (void)state;
    setenv("PICKET_LOG_FORMAT", "json", 1);
    picket_say(PICKET_ERROR, "store", "%s", "say \"hi\" \\ \n");
    assert_string_equal(end_capture() + 9 + 24, "\",\"level\":\"error\",\"part\":\"store\","
                                                "\"message\":\"say \\\"hi\\\" \\\\ \\u000a\"}\n");
}

static void a_long_message_is_cut_and_stays_a_line(void **state)
{
    (void)state;
    char text[5000];
    memset(text, '\x01', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    setenv("PICKET_LOG_FORMAT", "json", 1);
    picket_say(PICKET_ERROR, "store", "%s", text);
    const char *line = end_capture();
    assert_string_equal(line + strlen(line) - 3, "\"}\n");
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void ten_lines_of_a_kind_pass_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct picket_say_limit limit = {0};
    for (int i = 0; i < 100; i++)
        picket_say_limited(&limit, PICKET_NOTICE, "hub", "noise %d", i);
    limit.window_ms -= 1000; /* a second passes */
    picket_say_limited(&limit, PICKET_NOTICE, "hub", "later");
    picket_say_limited(&limit, PICKET_NOTICE, "hub", "and on");
    const char *lines = end_capture();
    assert_non_null(strstr(lines, "noise 0\n"));
    assert_non_null(strstr(lines, "noise 9\n"));
    assert_null(strstr(lines, "noise 10"));
    assert_non_null(strstr(lines, " notice hub: later (90 more like it were held back)\n"));
    assert_non_null(strstr(lines, " notice hub: and on\n"));
}

static void levels_are_known_by_name(void **state)
{
    (void)state;
    end_capture();
    assert_int_equal(picket_level_named("error"), PICKET_ERROR);
    assert_int_equal(picket_level_named("warning"), PICKET_WARNING);
    assert_int_equal(picket_level_named("notice"), PICKET_NOTICE);
    assert_int_equal(picket_level_named("debug"), PICKET_DEBUG);
    assert_true(picket_level_named("Error") < 0);
    assert_true(picket_level_named("") < 0);
}

static void *say_often(void *argument)
{
    for (int i = 0; i < 500; i++)
        picket_say(PICKET_NOTICE, "hub", "%s%s%s", (char *)argument, (char *)argument,
                   (char *)argument);
    return NULL;
}

static void lines_of_several_threads_stay_whole(void **state)
{
    (void)state;
    static char words[2][8] = {"aaaaaaa", "bbbbbbb"};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, say_often, words[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    char *rest = NULL;
    int lines = 0;
    for (char *line = strtok_r((end_capture(), said), "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest), lines++) {
        const char *word = line + 24 + strlen(" notice hub: ");
        assert_int_equal(strlen(word), 21);
        assert_int_equal(strspn(word, "a") + strspn(word, "b"), 21);
    }
    assert_int_equal(lines, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_part_and_message, begin_capture,
                                        restore),
        cmocka_unit_test_setup_teardown(lines_below_the_threshold_are_dropped, begin_capture,
                                        restore),
        cmocka_unit_test_setup_teardown(text_from_outside_is_made_printable, begin_capture,
                                        restore),
        cmocka_unit_test_setup_teardown(a_line_can_be_a_json_object, begin_capture, restore),
        cmocka_unit_test_setup_teardown(a_long_message_is_cut_and_stays_a_line, begin_capture,
                                        restore),
        cmocka_unit_test_setup_teardown(ten_lines_of_a_kind_pass_and_the_rest_is_counted,
                                        begin_capture, restore),
        cmocka_unit_test_setup_teardown(levels_are_known_by_name, begin_capture, restore),
        cmocka_unit_test_setup_teardown(lines_of_several_threads_stay_whole, begin_capture,
                                        restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

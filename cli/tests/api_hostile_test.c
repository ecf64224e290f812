/* What a client does that is careless, broken or ill-meaning costs itself only. */
#include "api_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The measure after each attack: somebody else still gets an answer. */
static void expect_alive(struct fixture *fixture)
{
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/status", NULL);
    http_release(&answer);
}

static void an_unknown_path_is_not_found(void **state)
{
    static const char *const paths[] = {"/",
                                        "/v1",
                                        "/v1/",
                                        "/v1/statu",
                                        "/v1/status/",
                                        "/v1/devices/",
                                        "/v1/devices/a/b",
                                        "/v1/feeds//refresh",
                                        "//v1/status",
                                        "/v1/../v1/status",
                                        "/v2/status"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        expect_error(*state, 404, "GET", paths[i], NULL, "no resource");
}

static void a_wrong_method_is_told_which_there_are(void **state)
{
    static const struct {
        const char *method, *path, *allow;
    } cases[] = {
        {"DELETE", "/v1/status", "Allow: GET, HEAD"},
        {"PUT", "/v1/devices", "Allow: GET, HEAD, POST"},
        {"POST", "/v1/devices/a", "Allow: GET, HEAD, PATCH, DELETE"},
        {"PUT", "/v1/feeds/a", "Allow: GET, HEAD, PATCH, DELETE"},
        {"GET", "/v1/feeds/a/refresh", "Allow: POST"},
        {"GET", "/v1/intelligence/lookup", "Allow: POST"},
        {"BREW", "/v1/alerts", "Allow: GET, HEAD"},
        {"PUT", "/v1/alerts/1", "Allow: GET, HEAD, PATCH"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_answer answer = expect(fixture, 405, cases[i].method, cases[i].path, NULL);
        char line[64];
        snprintf(line, sizeof line, "%s\r\n", cases[i].allow);
        if (!strstr(answer.headers, line))
            fail_msg("%s %s: %s lacks %s", cases[i].method, cases[i].path, answer.headers, line);
        http_release(&answer);
    }
}

static void head_gives_the_headers_of_get_alone(void **state)
{
    struct fixture *fixture = *state;
    struct http_answer answer = http_call(fixture->socket_path, "HEAD", "/v1/status", NULL);
    assert_int_equal(answer.status, 200);
    assert_null(answer.body);
    assert_non_null(strstr(answer.headers, "application/json"));
    http_release(&answer);
}

static void a_body_that_is_not_json_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"", "body is empty"},
        {"{", "body:1:1:"},
        {"{\"id\": \"a\",\n \"id\": \"b\"}", "body:2:"},
        {"[]", "not a JSON object"},
        {"{\"id\": \"a\"} x", "body:1:"},
        {"{\"id\": \"\xff\"}", "body:1:"},
        {"{\"id\": \"a\\u0000b\"}", "body:1:"},
        {"{\"\": 1}", "unknown member"},
        {"{\"id primary_key\": 1}", "unknown member"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "POST", "/v1/devices", cases[i].body, cases[i].error);
}

static void deep_json_does_not_overflow_the_stack(void **state)
{
    enum { DEPTH = 30000 };
    char *body = malloc(2 * DEPTH + 16);
    memset(body, '[', DEPTH);
    memset(body + DEPTH, ']', DEPTH);
    body[2 * DEPTH] = 0;
    expect_error(*state, 400, "POST", "/v1/devices", body, "depth");
    free(body);
}

static void a_body_where_none_belongs_is_refused(void **state)
{
    expect_error(*state, 400, "GET", "/v1/status", "{}", "takes no body");
    expect_error(*state, 400, "DELETE", "/v1/devices/a", "{}", "takes no body");
}

static void a_body_too_large_is_refused_and_not_kept(void **state)
{
    enum { SIZE = 140000 };
    struct fixture *fixture = *state;
    char *body = malloc(SIZE + 1);
    memset(body, ' ', SIZE);
    body[SIZE] = 0;
    expect_error(fixture, 413, "POST", "/v1/devices", body, "larger than 131072");
    free(body);
}

static void a_body_without_end_is_cut_off(void **state)
{
    enum { CHUNK = 0x10000, CHUNKS = 64 };
    struct fixture *fixture = *state;
    static const char head[] = "POST /v1/devices HTTP/1.1\r\nHost: x\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    size_t size = sizeof head + CHUNKS * (CHUNK + 16), used = 0;
    char *request = malloc(size);
    used += (size_t)sprintf(request, "%s", head);
    for (int i = 0; i < CHUNKS; i++) {
        used += (size_t)sprintf(request + used, "%x\r\n", CHUNK);
        memset(request + used, ' ', CHUNK);
        used += CHUNK;
        used += (size_t)sprintf(request + used, "\r\n");
    }
    struct http_answer answer = http_raw(fixture->socket_path, request, used);
    assert_true(answer.status == 0 || answer.status == 413);
    http_release(&answer);
    free(request);
    expect_alive(fixture);
}

static void a_long_query_is_refused(void **state)
{
    enum { SIZE = 100000 };
    struct fixture *fixture = *state;
    char *path = malloc(SIZE + 40);
    strcpy(path, "/v1/alerts?device=");
    size_t used = strlen(path);
    memset(path + used, 'a', SIZE);
    path[used + SIZE] = 0;
    struct http_answer answer = http_call(fixture->socket_path, "GET", path, NULL);
    assert_int_equal(answer.status, 414);
    http_release(&answer);
    free(path);
    expect_alive(fixture);
}

static void bytes_that_are_not_http_end_their_connection_only(void **state)
{
    static const char *const garbage[] = {"\x16\x03\x01\x02\x00\x01\xfc\x03\x03",
                                          "GET\r\n\r\n",
                                          "GET /v1/status HTTP/9.9\r\n\r\n",
                                          "\r\n\r\n\r\n\r\n",
                                          "GET /v1/status HTTP/1.1\r\n\r\n",
                                          "POST /v1/devices HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                          "-5\r\n\r\n{}",
                                          "POST /v1/devices HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                          "99999999999999999999999\r\n\r\n{}"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        int fd = http_connect(fixture->socket_path);
        assert_true(fd >= 0);
        assert_int_equal(send(fd, garbage[i], strlen(garbage[i]), MSG_NOSIGNAL),
                         strlen(garbage[i]));
        shutdown(fd, SHUT_WR);
        char answer[4096];
        while (read(fd, answer, sizeof answer) > 0)
            ;
        close(fd);
        expect_alive(fixture);
    }
}

static void a_client_that_leaves_in_the_middle_costs_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 300; i++) {
        int fd = http_connect(fixture->socket_path);
        static const char part[] =
            "POST /v1/devices HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{";
        assert_true(fd >= 0);
        assert_true(send(fd, part, sizeof part - 1, MSG_NOSIGNAL) > 0);
        close(fd);
    }
    expect_alive(fixture);
}

/* ---- the socket ---- */

static void the_socket_is_the_owners_and_the_groups(void **state)
{
    struct fixture *fixture = *state;
    struct stat found;
    assert_int_equal(stat(fixture->socket_path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 0777, 0660);
}

static void a_live_socket_is_not_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct picket_api_config config = fixture_api_config(fixture);
    struct picket_api *second;
    struct picket_error error;
    assert_int_equal(picket_api_start(&second, &config, &error), PICKET_EXISTS);
    assert_non_null(strstr(error.text, fixture->socket_path));
    expect_alive(fixture);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct picket_error error;
    struct stat found;
    picket_api_stop(fixture->api);
    assert_int_not_equal(stat(fixture->socket_path, &found), 0);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, fixture->socket_path);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof address), 0);
    close(stale);
    struct picket_api_config config = fixture_api_config(fixture);
    assert_int_equal(picket_api_start(&fixture->api, &config, &error), PICKET_OK);
    expect_alive(fixture);
}

static void another_kind_of_file_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    struct picket_api_config config = fixture_api_config(fixture);
    struct picket_api *second;
    struct picket_error error;
    write_file(fixture, "precious", "data", path, sizeof path);
    config.socket_path = path;
    assert_int_equal(picket_api_start(&second, &config, &error), PICKET_EXISTS);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char path[200];
    struct picket_api_config config = fixture_api_config(fixture);
    struct picket_api *second;
    struct picket_error error;
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    config.socket_path = path;
    assert_int_equal(picket_api_start(&second, &config, &error), PICKET_INVALID);
    assert_non_null(strstr(error.text, "longer than"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_path_is_not_found),
        TEST(a_wrong_method_is_told_which_there_are),
        TEST(head_gives_the_headers_of_get_alone),
        TEST(a_body_that_is_not_json_is_refused_with_its_place),
        TEST(deep_json_does_not_overflow_the_stack),
        TEST(a_body_where_none_belongs_is_refused),
        TEST(a_body_too_large_is_refused_and_not_kept),
        TEST(a_body_without_end_is_cut_off),
        TEST(a_long_query_is_refused),
        TEST(bytes_that_are_not_http_end_their_connection_only),
        TEST(a_client_that_leaves_in_the_middle_costs_nothing),
        TEST(the_socket_is_the_owners_and_the_groups),
        TEST(a_live_socket_is_not_replaced),
        TEST(a_stale_socket_is_replaced),
        TEST(another_kind_of_file_is_left_alone),
        TEST(a_path_too_long_for_a_socket_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Feeds over HTTP: who is told what secret, what is decoded, and servers that are slow, cut off or
 * never end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "http_server.h"
#include "intel/fetching/feed_http.h"
#include "intel/fetching/feed_source.h"

static struct http_server *server;
static struct picket_error error;
static struct picket_feed_access access_of;
static struct feed_source source;
static char folder[] = "/tmp/picket-http-XXXXXX";
static size_t max_bytes;

static int start(void **state)
{
    (void)state;
    server = http_server_start();
    memset(&access_of, 0, sizeof access_of);
    memset(&source, 0, sizeof source);
    memset(&error, 0, sizeof error);
    max_bytes = FEED_BYTES_MAX;
    feed_http_patience(300, 30);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    feed_source_free(&source);
    http_server_stop(server);
    return 0;
}

static const char *url_of(const struct http_server *of)
{
    static char text[64];
    snprintf(text, sizeof text, "http://127.0.0.1:%u/list.txt", http_server_port(of));
    return text;
}

static const char *url(void)
{
    return url_of(server);
}

static int fetch(const char *location)
{
    static atomic_int cancel;
    const struct feed_request request = {location, "", "", &access_of, max_bytes, &cancel};
    feed_source_free(&source);
    return feed_source_fetch(&source, &request, &error);
}

static void keep(char *out, const char *name, const char *text, mode_t mode)
{
    sprintf(out, "%s/%s", folder, name);
    FILE *file = fopen(out, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(out, mode), 0);
}

static const char *last_request(struct http_server *of)
{
    return http_server_request(of, http_server_requests(of) - 1);
}

/* ---- secrets ---- */

static void use_all_secrets(void)
{
    strcpy(access_of.user, "picket");
    keep(access_of.password_file, "password", "open sesame\n", 0600);
    strcpy(access_of.header, "Auth-Key");
    keep(access_of.header_file, "key", "s3cret\nmore\n", 0640);
}

static void credentials_are_read_from_their_files_and_sent(void **state)
{
    (void)state;
    http_server_special(server,
                        (struct http_special){.answer.status = 200, .answer.body = "8.8.8.8\n"});
    use_all_secrets();
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_non_null(strstr(last_request(server), "Authorization: Basic cGlja2V0Om9wZW4gc2VzYW1l"));
    assert_non_null(strstr(last_request(server), "Auth-Key: s3cret\r\n"));
    memset(&access_of, 0, sizeof access_of);
    keep(access_of.token_file, "token", "abc.def", 0600);
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_non_null(strstr(last_request(server), "Authorization: Bearer abc.def\r\n"));
    keep(access_of.token_file, "token", "ghi", 0600); /* read at each fetch */
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_non_null(strstr(last_request(server), "Authorization: Bearer ghi\r\n"));
}

static void a_secret_that_everybody_may_read_is_not_used(void **state)
{
    (void)state;
    keep(access_of.token_file, "token", "abc", 0644);
    assert_int_equal(fetch(url()), PICKET_DENIED);
    assert_non_null(strstr(error.text, "/token: everybody may read"));
    assert_null(strstr(error.text, "abc"));
    strcpy(access_of.token_file, "/nowhere/at/all");
    assert_int_equal(fetch(url()), PICKET_IO);
    assert_int_equal(http_server_requests(server), 0);
}

static void no_secret_follows_a_redirect_to_another_server(void **state)
{
    (void)state;
    struct http_server *other = http_server_start();
    char location[100];
    snprintf(location, sizeof location, "Location: %s\r\n", url_of(other));
    http_server_special(server,
                        (struct http_special){.answer.status = 302, .answer.headers = location});
    http_server_special(other,
                        (struct http_special){.answer.status = 200, .answer.body = "8.8.8.8\n"});
    use_all_secrets();
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_non_null(strstr(last_request(server), "s3cret"));
    assert_null(strstr(last_request(other), "s3cret"));
    assert_null(strstr(last_request(other), "Authorization"));
    http_server_stop(other);
}

static void a_redirect_is_followed_whatever_page_comes_with_it(void **state)
{
    (void)state;
    static char page[200 * 1024];
    memset(page, 'x', sizeof page - 1);
    const struct http_answer moved[] = {{301, "Location: /new.txt\r\n", page},
                                        {302, "Location: /newer.txt\r\n", "<html>moved</html>"},
                                        {200, NULL, "8.8.8.8\n"}};
    http_server_answers(server, moved, 3);
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_string_equal(source.bytes.text, "8.8.8.8\n");
    http_server_special(server, (struct http_special){.answer = moved[0], .endless = true});
    assert_int_equal(fetch(url()), PICKET_IO);
    assert_non_null(strstr(error.text, "the server answered 301"));
}

static void no_redirect_leads_from_elsewhere_to_this_machine(void **state)
{
    static const char *const places[] = {
        "http://127.0.0.1/x",         "http://127.8.9.1:81/x", "http://localhost/x",
        "http://a.localhost/x",       "http://[::1]/x",        "http://0.0.0.0/x",
        "http://2130706433/x",        "http://[fe80::1]/x",    "http://169.254.169.254/latest",
        "http://[::ffff:127.0.0.1]/x"};
    char location[100];
    (void)state;
    snprintf(access_of.proxy, sizeof access_of.proxy, "http://127.0.0.1:%u",
             http_server_port(server));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(location, sizeof location, "Location: %s\r\n", places[i]);
        http_server_special(
            server, (struct http_special){.answer.status = 302, .answer.headers = location});
        size_t before = http_server_requests(server);
        assert_int_equal(fetch("http://feeds.invalid/list.txt"), PICKET_IO);
        if (strstr(error.text, ": redirects to this machine, or to a link-local address") == NULL)
            fail_msg("%s: %s", places[i], error.text);
        assert_int_equal(http_server_requests(server), before + 1);
    }
    snprintf(location, sizeof location, "Location: http://10.1.2.3/x\r\n");
    const struct http_answer answers[] = {{302, location, NULL}, {200, NULL, "8.8.8.8\n"}};
    http_server_answers(server, answers, 2);
    assert_int_equal(fetch("http://feeds.invalid/list.txt"), PICKET_OK); /* a server of the house */
}

static void secrets_stay_with_the_server_they_are_for(void **state)
{
    const struct http_answer moved[] = {{.status = 301, .headers = "Location: /new.txt\r\n"},
                                        {.status = 200, .body = "8.8.8.8\n"}};
    (void)state;
    http_server_answers(server, moved, 2);
    use_all_secrets();
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_non_null(strstr(last_request(server), "GET /new.txt"));
    assert_non_null(strstr(last_request(server), "s3cret"));
}

static void no_secret_goes_over_plain_http_but_to_loopback(void **state)
{
    static const char *const refused[] = {"http://192.0.2.1/list", "http://example.test/list",
                                          "http://127.0.0.1.example.test/list"};
    static const char *const fine[] = {"http://localhost/", "http://127.8.7.6:81/",
                                       "http://[::1]:81/", "https://example.test/"};
    (void)state;
    use_all_secrets();
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fetch(refused[i]), PICKET_INVALID);
        assert_non_null(strstr(error.text, "credentials would go over plain http"));
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(feed_http_check(fine[i], &access_of, &error), PICKET_OK);
}

static void a_password_in_the_address_is_refused_and_not_repeated(void **state)
{
    (void)state;
    assert_int_equal(fetch("https://me:s3cret@example.test/list"), PICKET_INVALID);
    assert_null(strstr(error.text, "s3cret"));
    assert_non_null(strstr(error.text, "password_file"));
    strcpy(access_of.proxy, "http://me:s3cret@proxy.test:3128");
    assert_int_equal(fetch("https://example.test/list"), PICKET_INVALID);
    assert_null(strstr(error.text, "s3cret"));
}

static void settings_that_do_not_go_together_are_refused(void **state)
{
    static const struct {
        struct picket_feed_access access;
        const char *expected;
    } cases[] = {
        {{.user = "a"}, "user and password_file go together"},
        {{.password_file = "/a"}, "user and password_file go together"},
        {{.header = "a"}, "header and header_file go together"},
        {{.certificate_file = "a"}, "certificate_file and key_file go together"},
        {{.user = "a:b", .password_file = "/a"}, "a colon"},
        {{.user = "a", .password_file = "/a", .token_file = "/b"}, "one authorization"},
        {{.header = "a b", .header_file = "/a"}, "no header's name"},
        {{.header = "a:", .header_file = "/a"}, "no header's name"},
        {{.header = "Host", .header_file = "/a"}, "Picket's own"},
        {{.proxy = "proxy.test:3128"}, "starts with none of"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(feed_http_check("https://example.test/", &cases[i].access, &error),
                         PICKET_INVALID);
        if (strstr(error.text, cases[i].expected) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", error.text, cases[i].expected);
    }
    strcpy(access_of.ca_file, "/ca.crt");
    assert_int_equal(feed_http_check("http://example.test/", &access_of, &error), PICKET_INVALID);
    assert_int_equal(feed_http_check("https://", &access_of, &error), PICKET_INVALID);
}

static void credentials_that_are_refused_are_told_of_as_such(void **state)
{
    (void)state;
    http_server_special(server, (struct http_special){.answer.status = 401, .answer.body = "no"});
    assert_int_equal(fetch(url()), PICKET_DENIED);
    assert_non_null(strstr(error.text, "401: the credentials are missing or wrong"));
}

/* ---- proxies ---- */

static void a_feed_is_fetched_through_its_proxy(void **state)
{
    (void)state;
    http_server_special(server,
                        (struct http_special){.answer.status = 200, .answer.body = "8.8.8.8\n"});
    snprintf(access_of.proxy, sizeof access_of.proxy, "http://127.0.0.1:%u",
             http_server_port(server));
    assert_int_equal(fetch("http://feeds.invalid/list.txt"), PICKET_OK);
    assert_non_null(strstr(last_request(server), "GET http://feeds.invalid/list.txt "));
    setenv("no_proxy", "feeds.invalid", 1);
    assert_int_equal(fetch("http://feeds.invalid/list.txt"), PICKET_IO);
    unsetenv("no_proxy");
}

static void a_proxy_that_wants_credentials_is_told_of(void **state)
{
    (void)state;
    http_server_special(server, (struct http_special){.answer.status = 407, .answer.body = "no"});
    snprintf(access_of.proxy, sizeof access_of.proxy, "http://127.0.0.1:%u",
             http_server_port(server));
    static const char *const urls[] = {"http://feeds.invalid/x", "https://feeds.invalid/x"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fetch(urls[i]), PICKET_DENIED);
        assert_non_null(strstr(error.text, ": the proxy wants credentials (407)"));
    }
}

static void the_environments_proxy_is_used_where_the_feed_has_none(void **state)
{
    char proxy[64];
    (void)state;
    http_server_special(server,
                        (struct http_special){.answer.status = 200, .answer.body = "8.8.8.8\n"});
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", http_server_port(server));
    setenv("http_proxy", proxy, 1);
    assert_int_equal(fetch("http://feeds.invalid/list.txt"), PICKET_OK);
    unsetenv("http_proxy");
}

static void a_secret_for_loopback_does_not_go_to_a_proxy(void **state)
{
    (void)state;
    struct http_server *proxy = http_server_start();
    http_server_special(server,
                        (struct http_special){.answer.status = 200, .answer.body = "8.8.8.8\n"});
    use_all_secrets();
    snprintf(access_of.proxy, sizeof access_of.proxy, "http://127.0.0.1:%u",
             http_server_port(proxy));
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_int_equal(http_server_requests(proxy), 0);
    http_server_stop(proxy);
}

/* ---- compressed ---- */

static size_t compressed(const char *text, size_t size, bool gzip, char *out, size_t capacity)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)text, .avail_in = (unsigned)size};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, gzip ? 15 + 16 : 15, 8, 0), Z_OK);
    stream.next_out = (unsigned char *)out;
    stream.avail_out = (unsigned)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

static void what_comes_compressed_is_decoded(void **state)
{
    char body[200], path[600];
    size_t size = compressed("8.8.8.8\n", 8, true, body, sizeof body);
    (void)state;
    http_server_special(server,
                        (struct http_special){.answer.status = 200,
                                              .answer.headers = "Content-Encoding: gzip\r\n",
                                              .answer.body = body,
                                              .body_bytes = size});
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_string_equal(source.bytes.text, "8.8.8.8\n");
    assert_non_null(strstr(last_request(server), "Accept-Encoding: gzip\r\n"));
    http_server_special(server, (struct http_special){
                                    .answer.status = 200, .answer.body = body, .body_bytes = size});
    assert_int_equal(fetch(url()), PICKET_OK); /* a .gz file */
    assert_string_equal(source.bytes.text, "8.8.8.8\n");
    sprintf(path, "%s/list.gz", folder);
    FILE *file = fopen(path, "wb");
    fwrite(body, 1, size, file);
    fwrite(body, 1, size, file); /* members follow one another */
    fclose(file);
    assert_int_equal(fetch(path), PICKET_OK);
    assert_string_equal(source.bytes.text, "8.8.8.8\n8.8.8.8\n");
    size = compressed("9.9.9.9\n", 8, false, body, sizeof body);
    http_server_special(server,
                        (struct http_special){.answer.status = 200,
                                              .answer.headers = "Content-Encoding: deflate\r\n",
                                              .answer.body = body,
                                              .body_bytes = size});
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_string_equal(source.bytes.text, "9.9.9.9\n");
}

static void what_is_compressed_and_damaged_is_refused(void **state)
{
    char body[200];
    size_t size = compressed("8.8.8.8\n", 8, true, body, sizeof body);
    struct http_special special = {.answer = {200, NULL, body}};
    (void)state;
    for (size_t cut = 2; cut < size; cut++) {
        special.body_bytes = cut;
        http_server_special(server, special);
        assert_int_equal(fetch(url()), PICKET_INVALID);
        assert_non_null(strstr(error.text, "cut off"));
    }
    body[size - 6] ^= 1; /* of its checksum */
    special.body_bytes = size;
    http_server_special(server, special);
    assert_int_equal(fetch(url()), PICKET_INVALID);
    assert_non_null(strstr(error.text, "damaged"));
    body[size - 6] ^= 1;
    memcpy(body + size, "rest", 4);
    special.body_bytes = size + 4;
    http_server_special(server, special);
    assert_int_equal(fetch(url()), PICKET_INVALID);
    assert_non_null(strstr(error.text, "something else behind"));
    special.answer.headers = "Content-Encoding: br\r\n";
    http_server_special(server, special);
    assert_int_equal(fetch(url()), PICKET_INVALID);
    assert_non_null(strstr(error.text, "encoded with br"));
}

static void a_small_feed_that_unpacks_to_a_large_one_is_refused(void **state)
{
    enum { LARGE = 4 * 1024 * 1024 };
    static char text[LARGE], body[LARGE / 100];
    (void)state;
    memset(text, '#', LARGE);
    size_t size = compressed(text, LARGE, true, body, sizeof body);
    max_bytes = LARGE - 1;
    http_server_special(server, (struct http_special){
                                    .answer.status = 200, .answer.body = body, .body_bytes = size});
    assert_int_equal(fetch(url()), PICKET_FULL);
    assert_non_null(strstr(error.text, "larger than 4194303 bytes"));
    max_bytes = LARGE;
    assert_int_equal(fetch(url()), PICKET_OK);
    assert_int_equal(source.bytes.size_bytes, LARGE);
}

/* ---- servers that fail ---- */

static void what_is_cut_off_is_not_taken(void **state)
{
    (void)state;
    http_server_special(
        server, (struct http_special){
                    .raw = "HTTP/1.1 200 x\r\nContent-Length: 17\r\n\r\n8.8.8.8\n9.9.9.9\n"});
    assert_int_equal(fetch(url()), PICKET_IO);
    http_server_special(
        server, (struct http_special){.raw = "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                             "8\r\n8.8.8.8\n\r\n"});
    assert_int_equal(fetch(url()), PICKET_IO);
    http_server_special(
        server, (struct http_special){.raw = "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                             "8\r\n8.8.8.8\n\r\n0\r\n\r\n"});
    assert_int_equal(fetch(url()), PICKET_OK);
}

static void a_feed_has_a_bound_of_its_own(void **state)
{
    (void)state;
    http_server_special(
        server, (struct http_special){.answer.status = 200, .answer.body = "8.8.8.8\n9.9.9.9\n"});
    max_bytes = 16;
    assert_int_equal(fetch(url()), PICKET_OK);
    max_bytes = 15;
    assert_int_equal(fetch(url()), PICKET_FULL);
    char path[600];
    keep(path, "list", "8.8.8.8\n9.9.9.9\n", 0644);
    assert_int_equal(fetch(path), PICKET_FULL);
    http_server_special(
        server,
        (struct http_special){.answer.status = 200, .answer.body = "8.8.8.8\n", .endless = true});
    max_bytes = 100000;
    assert_int_equal(fetch(url()), PICKET_FULL);
}

static void a_server_that_trickles_is_given_up(void **state)
{
    (void)state;
    feed_http_patience(300, 1);
    http_server_special(server, (struct http_special){.answer.status = 200,
                                                      .answer.body = "8.8.8.8\n",
                                                      .pause_ms = 50,
                                                      .endless = true});
    assert_int_equal(fetch(url()), PICKET_IO);
    assert_non_null(strstr(error.text, "too slow"));
    feed_http_patience(1, 30);
    assert_int_equal(fetch(url()), PICKET_IO);
    assert_non_null(strstr(error.text, "timed out"));
}

static void a_name_that_nobody_knows_is_told(void **state)
{
    (void)state;
    assert_int_equal(fetch("https://nowhere.invalid/list"), PICKET_IO);
    assert_non_null(strstr(error.text, "nowhere.invalid"));
}

static void a_server_may_say_when_to_come_again(void **state)
{
    (void)state;
    http_server_special(server, (struct http_special){.answer.status = 429,
                                                      .answer.headers = "Retry-After: 120\r\n"});
    assert_int_equal(fetch(url()), PICKET_BUSY);
    assert_int_equal(source.retry_after_s, 120);
    http_server_special(
        server,
        (struct http_special){.answer.status = 503, .answer.headers = "Retry-After: 99999999\r\n"});
    assert_int_equal(fetch(url()), PICKET_IO);
    assert_int_equal(source.retry_after_s, 24 * 3600);
    http_server_special(server, (struct http_special){.answer.status = 500,
                                                      .answer.headers = "Retry-After: 120\r\n"});
    assert_int_equal(fetch(url()), PICKET_IO);
    assert_int_equal(source.retry_after_s, 0);
}

#define HTTP_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(credentials_are_read_from_their_files_and_sent),
        HTTP_TEST(a_secret_that_everybody_may_read_is_not_used),
        HTTP_TEST(no_secret_follows_a_redirect_to_another_server),
        HTTP_TEST(a_redirect_is_followed_whatever_page_comes_with_it),
        HTTP_TEST(no_redirect_leads_from_elsewhere_to_this_machine),
        HTTP_TEST(secrets_stay_with_the_server_they_are_for),
        HTTP_TEST(no_secret_goes_over_plain_http_but_to_loopback),
        HTTP_TEST(a_password_in_the_address_is_refused_and_not_repeated),
        HTTP_TEST(settings_that_do_not_go_together_are_refused),
        HTTP_TEST(credentials_that_are_refused_are_told_of_as_such),
        HTTP_TEST(a_feed_is_fetched_through_its_proxy),
        HTTP_TEST(a_proxy_that_wants_credentials_is_told_of),
        HTTP_TEST(the_environments_proxy_is_used_where_the_feed_has_none),
        HTTP_TEST(a_secret_for_loopback_does_not_go_to_a_proxy),
        HTTP_TEST(what_comes_compressed_is_decoded),
        HTTP_TEST(what_is_compressed_and_damaged_is_refused),
        HTTP_TEST(a_small_feed_that_unpacks_to_a_large_one_is_refused),
        HTTP_TEST(what_is_cut_off_is_not_taken),
        HTTP_TEST(a_feed_has_a_bound_of_its_own),
        HTTP_TEST(a_server_that_trickles_is_given_up),
        HTTP_TEST(a_name_that_nobody_knows_is_told),
        HTTP_TEST(a_server_may_say_when_to_come_again),
    };
    if (mkdtemp(folder) == NULL)
        return 2;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? failed : 2;
}

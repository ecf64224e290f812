/* Feeds that come, change, fail and go, from files and over HTTP, while lookups go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "http_server.h"
#include "intel/fetching/feed_source.h"
#include "intel/intel_internal.h"
#include "picket/base/time.h"

static struct harness harness;
static struct picket_feed_report report;
static struct picket_error error;

static struct picket_feed feed_from(const char *name, const char *source)
{
    struct picket_feed feed = {.confidence = 50};
    snprintf(feed.name, sizeof feed.name, "%s", name);
    snprintf(feed.source, sizeof feed.source, "%s", source);
    return feed;
}

static int add(const char *name, const char *source)
{
    struct picket_feed feed = feed_from(name, source);
    return picket_intel_feed_add(harness.intel, &feed, &report, &error);
}

static void append_match(void *context, const struct picket_match *match)
{
    char *out = context, prefix[PICKET_PREFIX_TEXT_BYTES];
    snprintf(out + strlen(out), 500 - strlen(out), "%s:%s%s ", match->feed,
             picket_prefix_format(&match->prefix, prefix), match->suppressed ? ":suppressed" : "");
}

static const char *lookup(const char *text)
{
    static char out[500];
    struct picket_address address;
    out[0] = '\0';
    assert_true(picket_address_parse(&address, text, strlen(text)));
    picket_intel_lookup(harness.intel, &address, append_match, out);
    return out;
}

static void find_feed(void *context, const struct picket_feed *feed)
{
    struct picket_feed *found = context;
    if (strcmp(feed->name, found->name) == 0)
        *found = *feed;
}

static struct picket_feed stored(const char *name)
{
    struct picket_feed feed = feed_from(name, "");
    assert_int_equal(picket_store_feeds(harness.store, find_feed, &feed, NULL), PICKET_OK);
    return feed;
}

static void a_feed_is_added_looked_up_refreshed_and_removed(void **state)
{
    (void)state;
    assert_int_equal(add("bad", harness_file(&harness, "bad",
                                             "198.51.100.0/24\nnonsense\n"
                                             "8.8.8.8\n8.8.8.8\n")),
                     PICKET_OK);
    assert_int_equal(report.delta.added, 2);
    assert_int_equal(report.feed.indicators, 2);
    assert_int_equal(report.feed.skipped, 1);
    assert_int_equal(report.problem_count, 1);
    assert_int_equal(report.problems[0].line, 2);
    assert_int_equal(picket_intel_indicator_count(harness.intel), 2);
    assert_string_equal(lookup("8.8.8.8"), "bad:8.8.8.8/32 ");
    assert_string_equal(lookup("198.51.100.77"), "bad:198.51.100.0/24:suppressed ");
    assert_string_equal(lookup("9.9.9.9"), "");
    harness_file(&harness, "bad", "8.8.8.8\n9.9.9.9\n");
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", &report, &error), PICKET_OK);
    assert_int_equal(report.delta.added, 1);
    assert_int_equal(report.delta.removed, 1);
    assert_int_equal(report.delta.kept, 1);
    assert_string_equal(lookup("9.9.9.9"), "bad:9.9.9.9/32 ");
    assert_string_equal(lookup("198.51.100.77"), "");
    assert_int_equal(picket_intel_feed_remove(harness.intel, "bad", &error), PICKET_OK);
    assert_string_equal(lookup("9.9.9.9"), "");
    assert_int_equal(picket_intel_feed_remove(harness.intel, "bad", &error), PICKET_NOT_FOUND);
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", NULL, &error),
                     PICKET_NOT_FOUND);
}

static void what_cannot_be_a_feed_is_refused_with_the_reason(void **state)
{
    (void)state;
    assert_int_equal(add("a/b", "/x"), PICKET_INVALID);
    assert_int_equal(add("", "/x"), PICKET_INVALID);
    assert_int_equal(add("x", "/nowhere/at/all"), PICKET_NOT_FOUND);
    assert_non_null(strstr(error.text, "/nowhere/at/all"));
    assert_int_equal(add("x", "/dev/null"), PICKET_INVALID);
    assert_int_equal(add("x", harness_file(&harness, "f", "no address at all\n")), PICKET_INVALID);
    assert_non_null(strstr(error.text, "line 1"));
    assert_int_equal(add("x", harness_file(&harness, "f", "{\n\"type\":\"bundle\"\n")),
                     PICKET_INVALID);
    assert_int_equal(add("x", harness_file(&harness, "f", "0.0.0.0/2\n64.0.0.0/2\n8.8.8.8\n")),
                     PICKET_INVALID);
    assert_non_null(strstr(error.text, "50.00 %"));
    assert_int_equal(add("x", harness_file(&harness, "f", "8.8.8.8\n")), PICKET_OK);
    assert_int_equal(add("x", harness_file(&harness, "f", "8.8.8.8\n")), PICKET_EXISTS);
    assert_int_equal(picket_intel_indicator_count(harness.intel), 1);
}

static int add_wide(const char *name, int role)
{
    struct picket_feed feed = {.confidence = 50, .role = role};
    snprintf(feed.name, sizeof feed.name, "%s", name);
    snprintf(feed.source, sizeof feed.source, "%s",
             harness_file(&harness, name, "0.0.0.0/2\n64.0.0.0/3\n128.0.0.0/3\n"));
    return picket_intel_feed_add(harness.intel, &feed, &report, &error);
}

static void half_of_all_addresses_are_no_list_of_any_role(void **state)
{
    (void)state;
    assert_int_equal(add_wide("threats", PICKET_FEED_THREAT), PICKET_INVALID);
    assert_non_null(strstr(error.text, "would match whatever a device talks to"));
    assert_int_equal(add_wide("allowed", PICKET_FEED_ALLOW), PICKET_INVALID);
    assert_non_null(strstr(error.text, "would silence alerts"));
    assert_int_equal(add_wide("shared", PICKET_FEED_SHARED), PICKET_INVALID);
    assert_non_null(strstr(error.text, "would weaken alerts"));
}

static void a_lookup_tells_of_the_fleets_own_addresses(void **state)
{
    static struct picket_prefix own[2];
    struct picket_prefix found;
    struct picket_address address;
    (void)state;
    assert_true(picket_prefix_parse(&own[0], "45.0.0.0/16", 11));
    assert_true(picket_prefix_parse(&own[1], "45.0.1.0/24", 11));
    picket_intel_own_networks(harness.intel, own, 2);
    assert_int_equal(add("f", harness_file(&harness, "f", "45.0.1.1\n45.1.0.0/16\n")), PICKET_OK);
    assert_string_equal(lookup("45.0.1.1"), "f:45.0.1.1/32:suppressed ");
    assert_string_equal(lookup("45.1.1.1"), "f:45.1.0.0/16 ");
    assert_true(picket_address_parse(&address, "45.0.1.1", 8));
    assert_true(picket_intel_own_network(harness.intel, &address, &found));
    assert_int_equal(found.length, 24);
    assert_true(picket_address_parse(&address, "45.1.1.1", 8));
    assert_false(picket_intel_own_network(harness.intel, &address, &found));
}

static void a_feed_that_is_empty_for_now_is_no_error(void **state)
{
    (void)state;
    assert_int_equal(add("feodo", harness_file(&harness, "f", "# nothing today\n")), PICKET_OK);
    assert_int_equal(report.feed.indicators, 0);
}

static void a_feed_that_shrinks_to_nothing_is_refused_and_the_old_one_stays(void **state)
{
    (void)state;
    assert_int_equal(add("bad", harness_file(&harness, "bad", "8.8.8.8\n9.9.9.9\n")), PICKET_OK);
    harness_file(&harness, "bad", "# gone\n");
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", &report, &error),
                     PICKET_DENIED);
    assert_string_equal(lookup("9.9.9.9"), "bad:9.9.9.9/32 ");
    struct picket_feed feed = stored("bad");
    assert_int_equal(feed.indicators, 2);
    assert_true(feed.waits);
    assert_non_null(strstr(feed.problem, "holds 0 indicators, of 2 that were there"));
    assert_true(feed.tried_ms >= feed.loaded_ms);
    harness_file(&harness, "bad", "9.9.9.9\n");
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", NULL, NULL), PICKET_OK);
    assert_string_equal(stored("bad").problem, "");
}

static const char *numbered(int count)
{
    static char text[4096];
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        sprintf(text + strlen(text), "8.8.%d.1\n8.8.%d.1\n", i, i); /* twice the same is one */
    return text;
}

static void a_feed_that_loses_more_than_half_waits_for_a_persons_yes(void **state)
{
    (void)state;
    assert_int_equal(add("bad", harness_file(&harness, "bad", numbered(20))), PICKET_OK);
    harness_file(&harness, "bad", numbered(9));
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", &report, &error),
                     PICKET_DENIED);
    assert_non_null(strstr(error.text, "--accept-shrink"));
    struct picket_feed feed = stored("bad");
    assert_true(feed.waits);
    assert_int_equal(feed.would_hold, 9);
    assert_int_equal(feed.indicators, 20);
    assert_string_equal(lookup("8.8.19.1"), "bad:8.8.19.1/32 ");
    harness_file(&harness, "bad", numbered(10)); /* has grown again, to half */
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", &report, &error), PICKET_OK);
    assert_false(stored("bad").waits);
    assert_int_equal(stored("bad").indicators, 10);
    harness_file(&harness, "bad", "# none\n");
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", &report, &error),
                     PICKET_DENIED);
    assert_int_equal(picket_intel_feed_accept(harness.intel, "bad", &report, &error), PICKET_OK);
    assert_int_equal(report.delta.removed, 10);
    assert_false(stored("bad").waits);
    assert_string_equal(lookup("8.8.1.1"), "");
}

static void a_small_feed_may_shrink_but_not_to_nothing(void **state)
{
    (void)state;
    assert_int_equal(add("bad", harness_file(&harness, "bad", numbered(19))), PICKET_OK);
    harness_file(&harness, "bad", numbered(1));
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "bad", &report, &error), PICKET_OK);
}

static void settings_change_and_what_the_feed_holds_keeps_since_when(void **state)
{
    (void)state;
    struct picket_feed feed = feed_from("bad", harness_file(&harness, "bad", "10.0.0.1\n"));
    feed.refresh_s = 3600;
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, &report, &error), PICKET_OK);
    assert_string_equal(lookup("10.0.0.1"), "bad:10.0.0.1/32:suppressed ");
    struct picket_feed wanted = stored("bad"), changed;
    wanted.match_special_purpose = true;
    wanted.confidence = 77;
    assert_int_equal(picket_intel_feed_change(harness.intel, &wanted, &changed, &error), PICKET_OK);
    assert_string_equal(lookup("10.0.0.1"), "bad:10.0.0.1/32 ");
    assert_int_equal(picket_intel_feed_change(harness.intel, &wanted, &changed, &error),
                     PICKET_BUSY);
    wanted = stored("bad");
    assert_int_equal(wanted.confidence, 77);
    wanted.max_bytes = -1;
    assert_int_equal(picket_intel_feed_change(harness.intel, &wanted, &changed, &error),
                     PICKET_INVALID);
    strcpy(wanted.name, "none");
    wanted.max_bytes = 0;
    assert_int_equal(picket_intel_feed_change(harness.intel, &wanted, &changed, &error),
                     PICKET_NOT_FOUND);
}

static void feeds_are_there_again_after_a_restart(void **state)
{
    (void)state;
    assert_int_equal(add("bad", harness_file(&harness, "bad", "8.8.8.8:53\n2001:4860::/32\n")),
                     PICKET_OK);
    harness_stop(&harness);
    harness_start(&harness);
    assert_string_equal(lookup("8.8.8.8"), "bad:8.8.8.8/32 ");
    assert_string_equal(lookup("2001:4860::8888"), "bad:2001:4860::/32 ");
}

static void what_two_feeds_list_is_found_twice(void **state)
{
    (void)state;
    assert_int_equal(add("one", harness_file(&harness, "1", "8.8.8.0/24\n")), PICKET_OK);
    assert_int_equal(add("two", harness_file(&harness, "2", "8.8.8.0/24\n8.8.8.8\n")), PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"), "two:8.8.8.8/32 one:8.8.8.0/24 two:8.8.8.0/24 ");
}

/* ---- folders, and files that change ---- */

/* Written beside and moved there, as whoever wants no half files does. */
static void put_file(const char *folder, const char *name, const char *text)
{
    char path[512], temporary[520];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(temporary, sizeof temporary, "%s/.%s.new", folder, name);
    FILE *file = fopen(temporary, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(rename(temporary, path), 0);
}

static const char *make_folder(void)
{
    static char folder[256];
    harness_path(&harness, "lists", folder, sizeof folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    return folder;
}

static void print_reference(void *context, const struct picket_match *match)
{
    sprintf(context, "%s:%u %s", match->feed, match->line, match->reference);
}

static const char *reference_of(const char *text)
{
    static char out[500];
    struct picket_address address;
    out[0] = '\0';
    assert_true(picket_address_parse(&address, text, strlen(text)));
    picket_intel_lookup(harness.intel, &address, print_reference, out);
    return out;
}

static void the_files_of_a_folder_are_one_feed_that_names_them(void **state)
{
    (void)state;
    const char *folder = make_folder();
    put_file(folder, "a.txt", "8.8.8.8\n");
    put_file(folder, "b.csv", "ip,note\n9.9.9.9,x\nnonsense,y\n");
    put_file(folder, "c.txt~", "1.1.1.1\n");
    put_file(folder, ".hidden", "1.1.1.1\n");
    assert_int_equal(add("ours", folder), PICKET_OK);
    assert_int_equal(report.feed.indicators, 2);
    assert_int_equal(report.problem_count, 1);
    assert_string_equal(report.problems[0].file, "b.csv");
    assert_int_equal(report.problems[0].line, 3);
    assert_string_equal(reference_of("8.8.8.8"), "ours:1 a.txt");
    assert_string_equal(reference_of("9.9.9.9"), "ours:2 b.csv");
    put_file(folder, "d.html", "<html>");
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "ours", &report, &error),
                     PICKET_INVALID);
    assert_non_null(strstr(error.text, "lists: d.html: is a web page"));
    struct picket_feed wanted = stored("ours"), changed;
    strcpy(wanted.pattern, "*.txt");
    assert_int_equal(picket_intel_feed_change(harness.intel, &wanted, &changed, &error), PICKET_OK);
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "ours", &report, &error), PICKET_OK);
    assert_int_equal(report.feed.indicators, 1);
}

static void the_files_of_a_folder_share_the_feeds_bound(void **state)
{
    (void)state;
    const char *folder = make_folder();
    put_file(folder, "a", "8.8.8.8\n");
    put_file(folder, "b", "9.9.9.9\n");
    struct picket_feed feed = feed_from("ours", folder);
    feed.max_bytes = 15;
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, &report, &error), PICKET_FULL);
    feed.max_bytes = 16;
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, &report, &error), PICKET_OK);
}

static bool is_known(void *context)
{
    return lookup(context)[0] != '\0';
}

static bool is_unknown(void *context)
{
    return lookup(context)[0] == '\0';
}

static bool is_watched(void *context)
{
    (void)context;
    struct picket_feed feed = stored("ours");
    return feed.tried_ms > feed.loaded_ms; /* it was asked for when the watch began */
}

static void add_watched(const char *source)
{
    struct picket_feed feed = feed_from("ours", source);
    feed.refresh_s = 3600;
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, &report, &error), PICKET_OK);
    assert_true(harness_wait(is_watched, NULL));
}

static void what_changes_in_a_folder_is_read_at_once(void **state)
{
    static char nine[] = "9.9.9.9";
    (void)state;
    const char *folder = make_folder();
    char path[512];
    put_file(folder, "a.txt", "8.8.8.8\n");
    add_watched(folder);
    put_file(folder, "b.txt", "9.9.9.9\n");
    assert_true(harness_wait(is_known, nine));
    snprintf(path, sizeof path, "%s/b.txt", folder);
    assert_int_equal(unlink(path), 0);
    assert_true(harness_wait(is_unknown, nine));
    assert_string_equal(lookup("8.8.8.8"), "ours:8.8.8.8/32 ");
}

static bool is_being_written(void *context)
{
    char file[256];
    (void)context;
    return feed_watch_is_written(harness.intel->watch, "ours", file, sizeof file);
}

static void half_a_file_is_not_read(void **state)
{
    static char written[] = "1.2.3.4";
    (void)state;
    add_watched(harness_file(&harness, "list.txt", "8.8.8.8\n"));
    char path[512];
    harness_path(&harness, "list.txt", path, sizeof path);
    FILE *file = fopen(path, "w");
    fputs("9.9.9.9\n1.2.3.", file);
    fflush(file);
    assert_true(harness_wait(is_being_written, NULL));
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "ours", NULL, &error), PICKET_BUSY);
    assert_non_null(strstr(error.text, "list.txt is being written"));
    assert_string_equal(lookup("8.8.8.8"), "ours:8.8.8.8/32 ");
    assert_string_equal(stored("ours").problem, "");
    fputs("4\n", file);
    fclose(file);
    assert_true(harness_wait(is_known, written));
    assert_string_equal(lookup("8.8.8.8"), "");
}

/* ---- over HTTP ---- */

static struct http_server *server;

static const char *url(void)
{
    static char text[64];
    snprintf(text, sizeof text, "http://127.0.0.1:%u/list.txt", http_server_port(server));
    return text;
}

static void a_url_is_fetched_and_errors_are_told_in_words(void **state)
{
    (void)state;
    server = http_server_start();
    const struct http_answer gone[] = {{404, NULL, NULL}}, wrong[] = {{500, NULL, NULL}},
                             broken[] = {{0, NULL, NULL}},
                             page[] = {{200, NULL, "<html>maintenance</html>"}},
                             loop[] = {{302, "Location: /list.txt\r\n", NULL}},
                             outside[] = {{302, "Location: file:///etc/passwd\r\n", NULL}},
                             moved[] = {{301, "Location: /new.txt\r\n", NULL},
                                        {200, NULL, "8.8.8.8\n"}};
    http_server_answers(server, gone, 1);
    assert_int_equal(add("web", url()), PICKET_NOT_FOUND);
    assert_non_null(strstr(error.text, "the server answered 404"));
    http_server_answers(server, wrong, 1);
    assert_int_equal(add("web", url()), PICKET_IO);
    http_server_answers(server, broken, 1);
    assert_int_equal(add("web", url()), PICKET_IO);
    http_server_answers(server, page, 1);
    assert_int_equal(add("web", url()), PICKET_INVALID);
    http_server_answers(server, loop, 1);
    assert_int_equal(add("web", url()), PICKET_IO);
    http_server_answers(server, outside, 1);
    assert_int_equal(add("web", url()), PICKET_IO);
    http_server_answers(server, moved, 2);
    assert_int_equal(add("web", url()), PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"), "web:8.8.8.8/32 ");
    http_server_stop(server);
}

static int fetch(struct feed_source *source, const char *location)
{
    static atomic_int cancel;
    static const struct picket_feed_access access;
    const struct feed_request request = {location, "", "", &access, FEED_BYTES_MAX, &cancel};
    int status = feed_source_fetch(source, &request, &error);
    if (status != PICKET_OK)
        feed_source_free(source);
    return status;
}

static void what_all_feeds_hold_that_are_being_read_is_bounded(void **state)
{
    static char body[401];
    struct feed_source first, file, web;
    char path[512];
    (void)state;
    memset(body, '#', 400);
    snprintf(path, sizeof path, "%s", harness_file(&harness, "long", body));
    server = http_server_start();
    const struct http_answer answers[] = {{200, NULL, body}};
    http_server_answers(server, answers, 1);
    feed_bytes_bound(401 + 400);
    assert_int_equal(fetch(&first, path), PICKET_OK);
    assert_int_equal(fetch(&file, path), PICKET_BUSY);
    assert_int_equal(fetch(&web, url()), PICKET_BUSY);
    assert_non_null(strstr(error.text, "try again later"));
    feed_source_free(&first);
    feed_bytes_bound(401 + 802);
    assert_int_equal(fetch(&file, path), PICKET_OK);
    assert_int_equal(fetch(&web, url()), PICKET_OK);
    feed_source_free(&file);
    feed_source_free(&web);
    feed_bytes_bound(FEED_BYTES_OF_ALL);
    http_server_stop(server);
}

static bool was_asked_with_its_etag(void *context)
{
    (void)context;
    size_t count = http_server_requests(server);
    return count > 1 &&
           strstr(http_server_request(server, count - 1), "If-None-Match: \"v1\"") != NULL;
}

static bool new_one_is_there(void *context)
{
    (void)context;
    return strcmp(lookup("9.9.9.9"), "") != 0;
}

static bool problem_is_told(void *context)
{
    (void)context;
    return strstr(stored("web").problem, "answered 503") != NULL;
}

static void a_feed_is_refreshed_by_itself_and_only_fetched_when_it_changed(void **state)
{
    (void)state;
    server = http_server_start();
    const struct http_answer first[] = {
        {200, "ETag: \"v1\"\r\nLast-Modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n", "8.8.8.8\n"},
        {304, NULL, NULL}};
    const struct http_answer failing[] = {{503, NULL, NULL}};
    const struct http_answer second[] = {{200, "ETag: \"v2\"\r\n", "9.9.9.9\n"}};
    http_server_answers(server, first, 2);
    struct picket_feed feed = feed_from("web", url());
    feed.refresh_s = 1;
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, &report, &error), PICKET_OK);
    assert_true(harness_wait(was_asked_with_its_etag, NULL));
    assert_non_null(strstr(http_server_request(server, http_server_requests(server) - 1),
                           "If-Modified-Since: Sat, 21 Nov 2026"));
    assert_string_equal(lookup("8.8.8.8"), "web:8.8.8.8/32 ");
    http_server_answers(server, failing, 1);
    assert_true(harness_wait(problem_is_told, NULL));
    assert_string_equal(lookup("8.8.8.8"), "web:8.8.8.8/32 ");
    http_server_answers(server, second, 1);
    assert_true(harness_wait(new_one_is_there, NULL));
    assert_string_equal(lookup("8.8.8.8"), "");
    http_server_stop(server);
}

static bool wants_rest(void *context)
{
    (void)context;
    return stored("web").not_before_ms > 0;
}

static void a_server_that_wants_to_be_left_alone_is(void **state)
{
    static const struct http_answer answers[] = {{200, NULL, "8.8.8.8\n"},
                                                 {429, "Retry-After: 3600\r\n", NULL}};
    (void)state;
    server = http_server_start();
    http_server_answers(server, answers, 2);
    struct picket_feed feed = feed_from("web", url());
    feed.refresh_s = 1;
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, &report, &error), PICKET_OK);
    assert_true(harness_wait(wants_rest, NULL));
    feed = stored("web");
    assert_non_null(strstr(feed.problem, "left alone for 3600 s"));
    assert_true(picket_intel_feed_next_ms(harness.intel, &feed) > picket_unix_ms() + 3500 * 1000);
    harness_stop(&harness); /* and after a restart, too */
    harness_start(&harness);
    assert_true(picket_intel_feed_next_ms(harness.intel, &feed) > picket_unix_ms() + 3500 * 1000);
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "web", NULL, &error), PICKET_BUSY);
    http_server_stop(server);
}

/* ---- servers that do not answer ---- */

/* Takes connections, and says nothing. */
static int silent_listener, silent_port;

static void listen_silently(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    silent_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silent_listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(silent_listener, 16), 0);
    assert_int_equal(getsockname(silent_listener, (struct sockaddr *)&address, &size), 0);
    silent_port = ntohs(address.sin_port);
}

static void put_silent_feed(const char *name, uint32_t refresh_s)
{
    char source[64];
    snprintf(source, sizeof source, "http://127.0.0.1:%d/feed", silent_port);
    struct picket_feed feed = feed_from(name, source);
    memcpy(feed.format, "auto", 5);
    feed.refresh_s = refresh_s;
    assert_int_equal(picket_store_feed_put(harness.store, &feed, NULL), PICKET_OK);
}

static void slow_servers_do_not_hold_up_other_feeds(void **state)
{
    static const struct http_answer answers[] = {{200, "ETag: \"v1\"\r\n", "8.8.8.8\n"},
                                                 {304, NULL, NULL}};
    (void)state;
    server = http_server_start();
    http_server_answers(server, answers, 2);
    listen_silently();
    put_silent_feed("a", 1);
    put_silent_feed("b", 1);
    put_silent_feed("c", 1);
    struct picket_feed feed = feed_from("web", url());
    feed.refresh_s = 1;
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, &report, &error), PICKET_OK);
    assert_true(harness_wait(was_asked_with_its_etag, NULL));
    assert_int_equal(stored("a").tried_ms, 0); /* still at it */
    http_server_stop(server);
    harness_stop(&harness);
    close(silent_listener);
}

static atomic_int requests_refused;

static void *request_refresh(void *context)
{
    struct picket_error own = {0};
    int status = picket_intel_feed_refresh(context, "silent", NULL, &own);
    atomic_fetch_add(&requests_refused, status == PICKET_BUSY);
    return NULL;
}

static bool one_was_refused(void *context)
{
    (void)context;
    return atomic_load(&requests_refused) == 1;
}

static void no_more_than_four_feeds_are_read_on_request_at_a_time(void **state)
{
    pthread_t threads[5];
    (void)state;
    listen_silently();
    put_silent_feed("silent", 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, request_refresh, harness.intel), 0);
    assert_true(harness_wait(one_was_refused, NULL));
    picket_intel_interrupt(harness.intel);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&requests_refused), 1);
    close(silent_listener);
}

/* ---- lookups while feeds change ---- */

static atomic_bool stop_looking;
static _Atomic uint64_t lookups_done;

static void check_one(void *context, const struct picket_match *match)
{
    ++*(int *)context;
    assert_true(match->prefix.length == 24 || match->prefix.length == 16);
    assert_int_equal(strlen(match->tags), 4);
}

/* The /16 is always there, the /24 comes and goes: one or two matches, and never any other number.
 */
static void *look_up(void *context)
{
    struct picket_address address;
    (void)context;
    picket_address_parse(&address, "8.8.8.8", 7);
    while (!atomic_load(&stop_looking)) {
        int found = 0;
        picket_intel_lookup(harness.intel, &address, check_one, &found);
        if (found != 1 && found != 2)
            abort();
        atomic_fetch_add(&lookups_done, 1);
    }
    return NULL;
}

static bool have_looked_up(void *context)
{
    (void)context;
    return atomic_load(&lookups_done) > 0;
}

static void lookups_go_on_while_feeds_change(void **state)
{
    pthread_t threads[2];
    (void)state;
    assert_int_equal(add("stays", harness_file(&harness, "1", "8.8.0.0/16 ; tag1\n")), PICKET_OK);
    atomic_store(&stop_looking, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, NULL), 0);
    assert_true(harness_wait(have_looked_up, NULL));
    harness_file(&harness, "2", "8.8.8.0/24 ; tag2\n1.2.3.4 ; tag3\n");
    char path[128];
    harness_path(&harness, "2", path, sizeof path);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(add("goes", path), PICKET_OK);
        assert_int_equal(picket_intel_feed_refresh(harness.intel, "goes", NULL, &error), PICKET_OK);
        assert_int_equal(picket_intel_feed_remove(harness.intel, "goes", &error), PICKET_OK);
    }
    atomic_store(&stop_looking, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

#define INTEL_TEST(f)                                                                              \
    cmocka_unit_test_prestate_setup_teardown(f, harness_set_up, harness_tear_down, &harness)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INTEL_TEST(a_feed_is_added_looked_up_refreshed_and_removed),
        INTEL_TEST(slow_servers_do_not_hold_up_other_feeds),
        INTEL_TEST(no_more_than_four_feeds_are_read_on_request_at_a_time),
        INTEL_TEST(what_cannot_be_a_feed_is_refused_with_the_reason),
        INTEL_TEST(half_of_all_addresses_are_no_list_of_any_role),
        INTEL_TEST(a_lookup_tells_of_the_fleets_own_addresses),
        INTEL_TEST(a_feed_that_is_empty_for_now_is_no_error),
        INTEL_TEST(a_feed_that_shrinks_to_nothing_is_refused_and_the_old_one_stays),
        INTEL_TEST(a_feed_that_loses_more_than_half_waits_for_a_persons_yes),
        INTEL_TEST(a_small_feed_may_shrink_but_not_to_nothing),
        INTEL_TEST(settings_change_and_what_the_feed_holds_keeps_since_when),
        INTEL_TEST(feeds_are_there_again_after_a_restart),
        INTEL_TEST(the_files_of_a_folder_are_one_feed_that_names_them),
        INTEL_TEST(the_files_of_a_folder_share_the_feeds_bound),
        INTEL_TEST(what_changes_in_a_folder_is_read_at_once),
        INTEL_TEST(half_a_file_is_not_read),
        INTEL_TEST(what_two_feeds_list_is_found_twice),
        INTEL_TEST(a_url_is_fetched_and_errors_are_told_in_words),
        INTEL_TEST(what_all_feeds_hold_that_are_being_read_is_bounded),
        INTEL_TEST(a_feed_is_refreshed_by_itself_and_only_fetched_when_it_changed),
        INTEL_TEST(a_server_that_wants_to_be_left_alone_is),
        INTEL_TEST(lookups_go_on_while_feeds_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

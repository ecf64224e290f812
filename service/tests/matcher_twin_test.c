/* The matcher beside a naive twin that looks at every indicator for every flow: random lists of all
 * roles, nested prefixes, ports, protocols, expiry, the fleet's own networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel/matching/matcher.h"

enum { ROUNDS = 400, FEEDS = 6, LISTED_MAX = 60, FLOWS = 40, LINE_BYTES = 120 };

/* One of each role, and of the threat feeds each that asks for something. */
static const struct table_feed feeds[FEEDS] = {
    {.name = "plain"},
    {.name = "special", .match_special_purpose = true},
    {.name = "own", .match_own_networks = true},
    {.name = "allow", .role = PICKET_FEED_ALLOW},
    {.name = "also-allow", .role = PICKET_FEED_ALLOW},
    {.name = "shared", .role = PICKET_FEED_SHARED},
};

static const int64_t now_ms = 5000;

struct listed {
    int feed; /* its place in feeds */
    struct picket_indicator indicator;
};

struct round {
    struct listed listed[LISTED_MAX];
    size_t listed_count;
    struct picket_flow flows[FLOWS];
    struct picket_prefix own[2];
    /* "subject flows matches shared weaker" of each finding */
    char matcher[FLOWS][LINE_BYTES], twin[FLOWS][LINE_BYTES];
    size_t matcher_count, twin_count;
    uint64_t twin_allowed; /* flows */
};

/* ---- what is drawn ---- */

static uint32_t state;

static uint32_t draw(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static uint32_t one_of(const uint32_t *values, uint32_t count)
{
    return values[draw(count)];
}

/* Few enough of them that prefixes nest and flows hit: some special-purpose, some own, IPv6 too. */
static struct picket_address draw_address(void)
{
    static const uint8_t starts[][4] = {
        {45, 0, 0, 0}, {45, 0, 1, 0}, {10, 0, 0, 0}, {93, 184, 216, 0}};
    if (draw(4) == 0) {
        uint8_t bytes[16] = {0x2a, 0x00, 0, (uint8_t)draw(2)};
        bytes[15] = (uint8_t)draw(8);
        return picket_address_ipv6(bytes);
    }
    uint8_t bytes[4];
    memcpy(bytes, starts[draw(4)], sizeof bytes);
    bytes[3] = (uint8_t)draw(8);
    return picket_address_ipv4(bytes);
}

static struct picket_prefix draw_prefix(void)
{
    static const uint32_t ipv4[] = {8, 16, 24, 29, 30, 31, 32, 32};
    static const uint32_t ipv6[] = {16, 32, 64, 125, 127, 128, 128, 128};
    struct picket_prefix prefix = {.address = draw_address()};
    prefix.length = (uint8_t)one_of(prefix.address.family == 4 ? ipv4 : ipv6, 8);
    picket_prefix_mask(&prefix);
    return prefix;
}

static bool is_same(const struct listed *a, const struct listed *b)
{
    const struct picket_indicator *x = &a->indicator, *y = &b->indicator;
    return a->feed == b->feed && x->port == y->port && x->protocol == y->protocol &&
           x->prefix.length == y->prefix.length &&
           memcmp(&x->prefix.address, &y->prefix.address, sizeof x->prefix.address) == 0;
}

static void draw_listed(struct round *round)
{
    static const uint32_t ports[] = {0, 0, 0, 53, 443};
    static const uint32_t ends_ms[] = {0, 0, 0, 4000, 5000, 6000};
    struct listed drawn = {.feed = (int)draw(FEEDS), .indicator = {.tags = "", .confidence = 80}};
    drawn.indicator.prefix = draw_prefix();
    drawn.indicator.port = (uint16_t)one_of(ports, 5);
    drawn.indicator.protocol = (uint8_t)(draw(3) == 0 ? 1 + draw(2) : 0);
    drawn.indicator.valid_until_ms = one_of(ends_ms, 6);
    for (size_t i = 0; i < round->listed_count; i++)
        if (is_same(&drawn, &round->listed[i]))
            return;
    round->listed[round->listed_count++] = drawn;
}

static void draw_round(struct round *round)
{
    static const uint32_t ports[] = {0, 53, 443, 8883};
    memset(round, 0, sizeof *round);
    for (uint32_t i = 0, count = 1 + draw(LISTED_MAX); i < count; i++)
        draw_listed(round);
    for (size_t i = 0; i < FLOWS; i++) {
        round->flows[i].remote = round->flows[i].local = draw_address();
        round->flows[i].remote_port = (uint16_t)one_of(ports, 4);
        round->flows[i].protocol = (uint8_t)draw(3);
        round->flows[i].bytes_in = round->flows[i].bytes_out = 5000;
    }
    for (size_t i = 0; i < 2; i++) {
        round->own[i] = (struct picket_prefix){draw_address(), 0};
        round->own[i].length = round->own[i].address.family == 4 ? 30 : 126;
        picket_prefix_mask(&round->own[i]);
    }
}

/* ---- the twin ---- */

static bool is_about(const struct listed *listed, const struct picket_flow *flow)
{
    const struct picket_indicator *indicator = &listed->indicator;
    if (!picket_prefix_covers(&indicator->prefix, &flow->remote))
        return false;
    if (indicator->port != 0 && indicator->port != flow->remote_port)
        return false;
    if (indicator->protocol != 0 && indicator->protocol - 1 != flow->protocol)
        return false;
    return indicator->valid_until_ms == 0 || now_ms < indicator->valid_until_ms;
}

static bool is_own(const struct round *round, const struct picket_address *address)
{
    return picket_prefix_covers(&round->own[0], address) ||
           picket_prefix_covers(&round->own[1], address);
}

static bool is_threat(const struct round *round, const struct listed *listed,
                      const struct picket_flow *flow)
{
    const struct table_feed *feed = &feeds[listed->feed];
    if (feed->role != PICKET_FEED_THREAT || !is_about(listed, flow))
        return false;
    if (picket_address_special_purpose(&flow->remote) != NULL && !feed->match_special_purpose)
        return false;
    return !is_own(round, &flow->remote) || feed->match_own_networks;
}

static bool is_of_role(const struct listed *listed, int role, const struct picket_flow *flow)
{
    return feeds[listed->feed].role == role && is_about(listed, flow);
}

/* The narrowest indicator that the flow would alert by, and whether an allow list covers it. */
static const struct listed *subject_of(struct round *round, const struct picket_flow *flow,
                                       const struct listed **allow)
{
    const struct listed *subject = NULL;
    *allow = NULL;
    for (size_t i = 0; i < round->listed_count; i++) {
        const struct listed *listed = &round->listed[i];
        uint8_t length = listed->indicator.prefix.length;
        if (is_threat(round, listed, flow) &&
            (subject == NULL || length > subject->indicator.prefix.length))
            subject = listed;
        if (is_of_role(listed, PICKET_FEED_ALLOW, flow))
            *allow = listed;
    }
    return subject;
}

static bool is_same_prefix(const struct picket_prefix *a, const struct picket_prefix *b)
{
    return a->length == b->length && memcmp(&a->address, &b->address, sizeof a->address) == 0;
}

/* How many of a role are about at least one of the flows. */
static size_t count_about(const struct round *round, int role, const struct picket_flow *const *of,
                          size_t count, const struct picket_prefix *around)
{
    size_t found = 0;
    for (size_t i = 0; i < round->listed_count; i++) {
        const struct listed *listed = &round->listed[i];
        bool any = false;
        if (around != NULL && (listed->indicator.prefix.length > around->length ||
                               !picket_prefix_covers(&listed->indicator.prefix, &around->address)))
            continue;
        for (size_t k = 0; k < count; k++)
            any |= role == PICKET_FEED_THREAT ? is_threat(round, listed, of[k])
                                              : is_of_role(listed, role, of[k]);
        found += any;
    }
    return found;
}

static bool all_are_shared(const struct round *round, const struct picket_flow *const *of,
                           size_t count)
{
    for (size_t k = 0; k < count; k++)
        if (count_about(round, PICKET_FEED_SHARED, &of[k], 1, NULL) == 0)
            return false;
    return true;
}

static void write_line(char *out, const char *subject, size_t flow_count, size_t matches,
                       size_t shared, bool weaker)
{
    snprintf(out, LINE_BYTES, "%s %zu %zu %zu %d", subject, flow_count, matches, shared, weaker);
}

static void run_twin(struct round *round)
{
    const struct listed *subjects[FLOWS];
    size_t allowed = 0;
    for (size_t i = 0; i < FLOWS; i++) {
        const struct listed *allow;
        subjects[i] = subject_of(round, &round->flows[i], &allow);
        allowed += subjects[i] != NULL && allow != NULL;
        if (allow != NULL)
            subjects[i] = NULL;
    }
    round->twin_allowed = allowed;
    for (size_t i = 0; i < FLOWS; i++) {
        const struct picket_flow *of[FLOWS];
        char subject[PICKET_PREFIX_TEXT_BYTES];
        size_t count = 0;
        if (subjects[i] == NULL)
            continue;
        const struct picket_prefix prefix = subjects[i]->indicator.prefix;
        for (size_t k = i; k < FLOWS; k++) {
            if (subjects[k] == NULL || !is_same_prefix(&subjects[k]->indicator.prefix, &prefix))
                continue;
            of[count++] = &round->flows[k];
            subjects[k] = NULL;
        }
        size_t shared = count_about(round, PICKET_FEED_SHARED, of, count, NULL);
        write_line(round->twin[round->twin_count++], picket_prefix_format(&prefix, subject), count,
                   count_about(round, PICKET_FEED_THREAT, of, count, &prefix),
                   shared < FINDING_SHARED_SHOWN ? shared : FINDING_SHARED_SHOWN,
                   all_are_shared(round, of, count));
    }
}

/* ---- the matcher ---- */

static int note(void *context, const struct picket_finding *finding)
{
    struct round *round = context;
    json_t *evidence = json_loads(finding->evidence, 0, NULL);
    assert_non_null(evidence);
    write_line(round->matcher[round->matcher_count++], finding->subject,
               (size_t)json_integer_value(json_object_get(evidence, "flow_count")),
               (size_t)json_integer_value(json_object_get(evidence, "match_count")),
               json_array_size(json_object_get(evidence, "shared_by")),
               strstr(finding->description, "Many use") != NULL);
    json_decref(evidence);
    return PICKET_OK;
}

static struct table *table_of(const struct round *round)
{
    struct table *table = table_new();
    uint16_t numbers[FEEDS];
    for (int i = 0; i < FEEDS; i++)
        numbers[i] = table_add_feed(table, &feeds[i]);
    struct table_batch *batch = table_batch_new(table);
    for (size_t i = 0; i < round->listed_count; i++)
        assert_true(table_put(batch, numbers[round->listed[i].feed], &round->listed[i].indicator));
    assert_int_equal(table_apply(batch, NULL), PICKET_OK);
    return table;
}

static void run_matcher(struct round *round, struct silences *silences)
{
    struct matching matching = {
        .table = table_of(round), .own_networks = {round->own, 2}, .silences = silences};
    struct picket_event event = {.device = "pump",
                                 .group = "",
                                 .event_id = 1,
                                 .seen_ms = now_ms,
                                 .flows = round->flows,
                                 .flow_count = FLOWS};
    assert_int_equal(matcher_inspect(&matching, &event, note, round), PICKET_OK);
    if (round->matcher_count > 0)
        assert_true(matcher_finds(&matching, &event));
    table_free((struct table *)(uintptr_t)matching.table);
}

/* ---- beside each other ---- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void flows_alert_and_stay_silent_as_the_naive_twin_says(void **unused)
{
    size_t findings = 0, allowed = 0, weaker = 0;
    static struct round round;
    (void)unused;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct silences silences;
        state = 7919 * i + 1;
        draw_round(&round);
        silences_open(&silences);
        run_matcher(&round, &silences);
        run_twin(&round);
        qsort(round.matcher, round.matcher_count, LINE_BYTES, compare_lines);
        qsort(round.twin, round.twin_count, LINE_BYTES, compare_lines);
        assert_int_equal(round.matcher_count, round.twin_count);
        for (size_t k = 0; k < round.twin_count; k++) {
            assert_string_equal(round.matcher[k], round.twin[k]);
            weaker += round.twin[k][strlen(round.twin[k]) - 1] == '1';
        }
        assert_int_equal(silences_of(&silences, "allow") + silences_of(&silences, "also-allow"),
                         round.twin_allowed);
        findings += round.twin_count;
        allowed += round.twin_allowed;
        silences_close(&silences);
    }
    print_message("%d rounds: %zu findings, %zu flows allowed, %zu findings weaker\n", ROUNDS,
                  findings, allowed, weaker);
    assert_true(findings > 1000 && allowed > 500 && weaker > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_alert_and_stay_silent_as_the_naive_twin_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

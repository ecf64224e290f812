#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel/formats/stix_pattern.h"
#include "picket/base/flow.h"

/* ---- a table: written → read ---- */

/* Terms as "PREFIX[:PORT][ PROTOCOL]", joined with ", "; behind "! " the reason. */
static void format_pattern(const struct stix_pattern *pattern, char *out, size_t size)
{
    static const char *const protocols[] = {"", " tcp", " udp", " icmp"};
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < pattern->count; i++) {
        struct address_range range = pattern->terms[i].range;
        struct picket_prefix prefix;
        while (address_range_next_prefix(&range, &prefix)) {
            char text[PICKET_PREFIX_TEXT_BYTES], port[16] = "";
            picket_prefix_format(&prefix, text);
            if (range.port != 0)
                snprintf(port, sizeof port, ":%u", range.port);
            used += (size_t)snprintf(out + used, size - used, "%s%s%s%s", used > 0 ? ", " : "",
                                     text, port, protocols[pattern->terms[i].protocol]);
        }
    }
    if (pattern->reason != NULL)
        snprintf(out + used, size - used, "%s! %s", used > 0 ? " " : "", pattern->reason);
}

static const char *read_as(const char *text)
{
    static char out[1000];
    struct stix_pattern pattern;
    assert_true(stix_pattern_read(&pattern, text, strlen(text)));
    format_pattern(&pattern, out, sizeof out);
    stix_pattern_free(&pattern);
    return out;
}

#define REF  "network-traffic:dst_ref.value"
#define SRC  "network-traffic:src_ref.value"
#define PORT "network-traffic:dst_port"

static const struct {
    const char *written, *read;
} table[] = {
    /* one condition */
    {"[ipv4-addr:value = '203.0.113.9']", "203.0.113.9/32"},
    {"[ipv4-addr:value == '203.0.113.9']", "203.0.113.9/32"},
    {"  [ ipv4-addr : value='203.0.113.9' ]  ", "203.0.113.9/32"},
    {"[ipv4-addr:value = '203.0.113.0/24']", "203.0.113.0/24"},
    {"[ipv6-addr:value = '2001:DB8::9']", "2001:db8::9/128"},
    {"[ipv6-addr:value ISSUBSET '2001:db8:bad:100::/56']", "2001:db8:bad:100::/56"},
    {"[ipv4-addr:value ISSUBSET '203.0.113.77/24']", "203.0.113.0/24"},
    {"[ipv4-addr:value IN ('203.0.113.1', '203.0.113.2','203.0.113.3')]",
     "203.0.113.1/32, 203.0.113.2/32, 203.0.113.3/32"},
    {"[ipv4-addr:value ISSUPERSET '203.0.113.9']", "203.0.113.9/32"},
    {"[ipv6-addr:value = '::ffff:203.0.113.9']", "203.0.113.9/32"},
    {"[" REF " = '203.0.113.9']", "203.0.113.9/32"},
    {"[" SRC " = '2001:db8::9']", "2001:db8::9/128"},
    {"[/* a */ipv4-addr:value/**/= '203.0.113.9'] // b", "203.0.113.9/32"},
    /* OR */
    {"[ipv4-addr:value = '203.0.113.1' OR ipv4-addr:value = '203.0.113.2']",
     "203.0.113.1/32, 203.0.113.2/32"},
    {"[ipv4-addr:value = '203.0.113.1'] OR [ipv6-addr:value = '2001:db8::2']",
     "203.0.113.1/32, 2001:db8::2/128"},
    {"[domain-name:value = 'x.example' OR ipv4-addr:value = '203.0.113.2']", "203.0.113.2/32"},
    {"([ipv4-addr:value = '203.0.113.1'])", "203.0.113.1/32"},
    /* AND within an observation */
    {"[network-traffic:dst_ref.type = 'ipv6-addr' AND " REF " = '2001:db8:bad::2' AND " PORT
     " = 1883]",
     "2001:db8:bad::2/128:1883"},
    {"[ipv4-addr:value = '203.0.113.4' AND " PORT " = 23]", "203.0.113.4/32:23"},
    {"[" REF " = '203.0.113.4' AND " PORT " = '23']", "203.0.113.4/32:23"},
    {"[" REF " = '203.0.113.4' AND " PORT " IN (23, 2323)]",
     "203.0.113.4/32:23, 203.0.113.4/32:2323"},
    {"[" SRC " = '203.0.113.4' AND network-traffic:src_port = 53]", "203.0.113.4/32:53"},
    {"[" REF " = '203.0.113.4' AND network-traffic:protocols[*] = 'tcp']", "203.0.113.4/32 tcp"},
    {"[network-traffic:protocols[0] = 'ipv4' AND network-traffic:protocols[1] = 'UDP' AND " REF
     " = '203.0.113.4' AND " PORT " = 53]",
     "203.0.113.4/32:53 udp"},
    {"[(" REF " = '203.0.113.4' OR " REF " = '203.0.113.5') AND (" PORT " = 1 OR " PORT " = 2)]",
     "203.0.113.4/32:1, 203.0.113.4/32:2, 203.0.113.5/32:1, 203.0.113.5/32:2"},
    /* AND binds more strongly than OR */
    {"[" REF " = '203.0.113.4' OR " REF " = '203.0.113.5' AND " PORT " = 2]",
     "203.0.113.4/32, 203.0.113.5/32:2"},
    /* qualifiers that one flow meets */
    {"[ipv4-addr:value = '203.0.113.1'] WITHIN 5 SECONDS", "203.0.113.1/32"},
    {"[ipv4-addr:value = '203.0.113.1'] REPEATS 1 TIMES", "203.0.113.1/32"},
    /* about other things */
    {"[domain-name:value = 'x.example']", ""},
    {"[file:hashes.'SHA-256' = 'aa' OR file:hashes.MD5 = 'bb']", ""},
    {"[file:name LIKE 'a%' AND file:size > 5]", ""},
    {"[domain-name:resolves_to_refs[*].value = '203.0.113.1']", ""},
    {"[" PORT " = 23]", ""},
    {"[file:created = t'2026-01-01T00:00:00Z' AND file:content_ref.x = h'ff']", ""},
    {"[domain-name:value = 'a'] AND [file:name = 'b']", ""},
    {"[domain-name:value = 'it\\'s \\\\ odd']", ""},
    {"[EXISTS file:name]", ""},
    /* wider than one flow can show */
    {"[ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.10']",
     "! asks for several observations"},
    {"[ipv4-addr:value = '203.0.113.9'] AND [domain-name:value = 'x']",
     "! asks for several observations"},
    {"[ipv4-addr:value = '203.0.113.1'] OR [ipv4-addr:value = '203.0.113.2'] AND "
     "[ipv4-addr:value = '203.0.113.3']",
     "203.0.113.1/32 ! asks for several observations"},
    {"[ipv4-addr:value = '203.0.113.1'] REPEATS 5 TIMES WITHIN 60 SECONDS",
     "! asks for repetition"},
    {"[ipv4-addr:value = '203.0.113.1'] START t'2026-01-01T00:00:00Z' STOP "
     "t'2026-01-02T00:00:00Z'",
     "! is limited to a span of time"},
    {"[ipv4-addr:value = '203.0.113.1' AND domain-name:value = 'x']",
     "! asks for more than a flow shows"},
    {"[ipv4-addr:value = '203.0.113.1' AND network-traffic:protocols[*] = 'http']",
     "! asks for more than a flow shows"},
    {"[ipv4-addr:value = '203.0.113.1' AND network-traffic:src_byte_count > 5]",
     "! asks for more than a flow shows"},
    {"[ipv4-addr:value = '203.0.113.1' AND ipv4-addr:value = '203.0.113.2']",
     "! asks for two addresses at once"},
    {"[" SRC " = '203.0.113.1' AND " REF " = '203.0.113.2']", "! asks for two addresses at once"},
    {"[" SRC " = '203.0.113.1' AND " PORT " = 23]", "! the port is not the address's own"},
    {"[" REF " = '203.0.113.1' AND network-traffic:src_port = 23]",
     "! the port is not the address's own"},
    {"[" REF " = '203.0.113.1' AND " PORT " = 23 AND network-traffic:src_port = 23]",
     "! asks for two ports at once"},
    {"[" REF " = '203.0.113.1' AND " PORT " > 1023]", "! comparisons are not read"},
    {"[" REF " = '203.0.113.1' AND network-traffic:dst_ref.type = 'ipv6-addr']",
     "! contradicts itself"},
    {"[" REF " = '203.0.113.1' AND EXISTS " PORT "]", "! EXISTS is not read"},
    /* negations and what is no single value */
    {"[ipv4-addr:value NOT IN ('203.0.113.8')]", "! negations are not read"},
    {"[ipv4-addr:value != '203.0.113.8']", "! negations are not read"},
    {"[ipv4-addr:value <> '203.0.113.8']", "! negations are not read"},
    {"[ipv4-addr:value NOT ISSUBSET '203.0.113.0/24']", "! negations are not read"},
    {"[ipv4-addr:value LIKE '203.0.113.%']", "! LIKE is not read"},
    {"[ipv4-addr:value MATCHES '203.*']", "! MATCHES is not read"},
    {"[ipv4-addr:value ISSUPERSET '203.0.113.0/24']",
     "! ISSUPERSET asks for a prefix, and flows have addresses"},
    /* values that are no addresses */
    {"[ipv4-addr:value = '0.0.0.0/0']", "! covers half of all addresses or more"},
    {"[ipv4-addr:value = '203.0.113.9:80']", "! not an address"},
    {"[ipv4-addr:value = '203.0.113.1-203.0.113.9']", "! not an address"},
    {"[ipv4-addr:value = 'http://203.0.113.9/']", "! not an address"},
    {"[ipv4-addr:value = '2001:db8::9']", "! the address is of the other family"},
    {"[ipv4-addr:value = 5]", "! not an address"},
    {"[ipv4-addr:value = true]", "! the constant is of another type"},
    {"[ipv4-addr:value = '203.0.113.9' AND " PORT " = 65536]",
     "! the port is not a number from 1 to 65535"},
    /* what is no pattern */
    {"", "! an observation in brackets is missing"},
    {"203.0.113.9", "! an observation in brackets is missing"},
    {"[ipv4-addr:value = '203.0.113.9'", "! a bracket is not closed"},
    {"[ipv4-addr:value = '203.0.113.9]", "! a constant is missing, or not to be read"},
    {"[ipv4-addr:value = '203.0.113.9'] x", "! something follows the pattern"},
    {"[ipv4-addr:value '203.0.113.9']", "! an operator is missing, or not known"},
    {"[ipv4-addr = '203.0.113.9']", "! an object's path is not complete"},
    {"[ipv4-addr:value = '\\u0032\\u0030\\u0033.0.113.11']",
     "! a constant is missing, or not to be read"},
    {"[domain-name:value = 'it''s odd']", "! a bracket is not closed"},
    {"[NOT ipv4-addr:value = '203.0.113.9']", "! an object's path is not complete"},
};

static void a_pattern_is_read_as_it_is_written_and_no_wider(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(read_as(table[i].written), table[i].read) != 0)
            fail_msg("%s\n  was read as %s\n  expected    %s", table[i].written,
                     read_as(table[i].written), table[i].read);
}

static void a_pattern_that_would_take_too_long_is_refused(void **state)
{
    char deep[400] = "", *wide = malloc(100000);
    (void)state;
    for (int i = 0; i < 100; i++)
        strcat(deep, "(");
    assert_string_equal(read_as(deep), "! is nested too deep");
    strcpy(wide, "[");
    for (int part = 0; part < 3; part++) {
        strcat(wide, part > 0 ? " AND (" : "(");
        for (int i = 1; i <= 200; i++)
            sprintf(wide + strlen(wide), "%snetwork-traffic:dst_port = %d", i > 1 ? " OR " : "",
                    i + part * 200);
        strcat(wide, ")");
    }
    strcat(wide, " AND ipv4-addr:value = '203.0.113.9']");
    const char *read = read_as(wide);
    assert_true(strstr(read, "! asks for") != NULL);
    free(wide);
}

/* ---- beside a naive evaluator ----
 *
 * Patterns are made at random together with a tree that is evaluated flow by flow, straight from
 * the standard, over a world of a few addresses, ports and protocols. What we read must never
 * match where the pattern is false; and what is made of conditions we claim to understand must
 * match wherever it is true. */

enum { ADDRESSES = 6, PORTS = 3, NODES_MAX = 200 };

static const char *const addresses[ADDRESSES] = {"203.0.113.1",  "203.0.113.2", "203.0.113.130",
                                                 "198.51.100.7", "2001:db8::1", "2001:db8::2"};
static const unsigned ports[PORTS] = {23, 80, 443};
static const char *const protocol_names[] = {"tcp", "udp"};

struct flow {
    int remote, local;
    int remote_port, local_port;
    int protocol;
    bool remote_is_destination;
};

enum node_kind {
    NODE_ADDRESS,  /* some address object is in `set` */
    NODE_DST,      /* the destination is */
    NODE_SRC,      /* the source is */
    NODE_DST_PORT, /* in `set` */
    NODE_SRC_PORT,
    NODE_PROTOCOL,
    NODE_DOMAIN, /* never */
    NODE_AND,
    NODE_OR
};

struct node {
    enum node_kind kind;
    unsigned set; /* bits of addresses, ports, protocols for which it holds */
    struct node *a, *b;
};

static struct node nodes[NODES_MAX];
static size_t node_count;
static uint64_t random_state;
static char written[8000];

static unsigned any(unsigned below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

static bool holds(const struct node *node, const struct flow *flow)
{
    int destination = flow->remote_is_destination ? flow->remote : flow->local;
    int source = flow->remote_is_destination ? flow->local : flow->remote;
    int destination_port = flow->remote_is_destination ? flow->remote_port : flow->local_port;
    int source_port = flow->remote_is_destination ? flow->local_port : flow->remote_port;
    switch (node->kind) {
    case NODE_ADDRESS:
        return (node->set >> destination & 1) != 0 || (node->set >> source & 1) != 0;
    case NODE_DST:
        return (node->set >> destination & 1) != 0;
    case NODE_SRC:
        return (node->set >> source & 1) != 0;
    case NODE_DST_PORT:
        return (node->set >> destination_port & 1) != 0;
    case NODE_SRC_PORT:
        return (node->set >> source_port & 1) != 0;
    case NODE_PROTOCOL:
        return (node->set >> flow->protocol & 1) != 0;
    case NODE_AND:
        return holds(node->a, flow) && holds(node->b, flow);
    case NODE_OR:
        return holds(node->a, flow) || holds(node->b, flow);
    default:
        return false;
    }
}

static void put(const char *text)
{
    assert_true(strlen(written) + strlen(text) < sizeof written - 1);
    strcat(written, text);
}

static struct node *new_node(enum node_kind kind)
{
    assert_true(node_count < NODES_MAX);
    nodes[node_count] = (struct node){.kind = kind};
    return &nodes[node_count++];
}

/* Writes "= x", "IN (x, y)", "ISSUBSET p" or a negation, and returns the set it stands for. */
static unsigned put_address_test(unsigned family_mask, const char **last)
{
    char text[200];
    unsigned first = any(ADDRESSES), second = any(ADDRESSES);
    while ((family_mask >> first & 1) == 0)
        first = any(ADDRESSES);
    while ((family_mask >> second & 1) == 0)
        second = any(ADDRESSES);
    *last = addresses[first];
    switch (any(6)) {
    case 0:
        snprintf(text, sizeof text, " IN ('%s','%s')", addresses[first], addresses[second]);
        put(text);
        return 1u << first | 1u << second;
    case 1:
        put(first < 4 ? " ISSUBSET '203.0.113.0/25'" : " ISSUBSET '2001:db8::/127'");
        return first < 4 ? 3u : 1u << 4;
    case 2:
        snprintf(text, sizeof text, " != '%s'", addresses[first]);
        put(text);
        return family_mask & ~(1u << first);
    default:
        snprintf(text, sizeof text, " = '%s'", addresses[first]);
        put(text);
        return 1u << first;
    }
}

static unsigned put_port_test(void)
{
    char text[60];
    unsigned port = any(PORTS);
    if (any(5) == 0) {
        snprintf(text, sizeof text, " > %u", ports[port]);
        put(text);
        return 7u << (port + 1) & 7u;
    }
    snprintf(text, sizeof text, any(2) == 0 ? " = %u" : " IN (%u)", ports[port]);
    put(text);
    return 1u << port;
}

static struct node *make_test(void)
{
    const char *last;
    struct node *node;
    switch (any(8)) {
    case 0:
        put("ipv6-addr:value");
        node = new_node(NODE_ADDRESS);
        node->set = put_address_test(0x30, &last);
        return node;
    case 1:
        put(REF);
        node = new_node(NODE_DST);
        node->set = put_address_test(0x3f, &last);
        return node;
    case 2:
        put(SRC);
        node = new_node(NODE_SRC);
        node->set = put_address_test(0x3f, &last);
        return node;
    case 3:
        put(PORT);
        node = new_node(NODE_DST_PORT);
        node->set = put_port_test();
        return node;
    case 4:
        put("network-traffic:src_port");
        node = new_node(NODE_SRC_PORT);
        node->set = put_port_test();
        return node;
    case 5:
        node = new_node(NODE_PROTOCOL);
        node->set = 1u << any(2);
        put("network-traffic:protocols[*] = '");
        put(protocol_names[node->set >> 1]);
        put("'");
        return node;
    case 6:
        put("domain-name:value = 'x.example'");
        return new_node(NODE_DOMAIN);
    default:
        put("ipv4-addr:value");
        node = new_node(NODE_ADDRESS);
        node->set = put_address_test(0x0f, &last);
        return node;
    }
}

static struct node *make(unsigned depth)
{
    if (depth == 0 || any(3) == 0)
        return make_test();
    struct node *node = new_node(any(2) == 0 ? NODE_AND : NODE_OR);
    put("(");
    node->a = make(depth - 1);
    put(node->kind == NODE_AND ? " AND " : " OR ");
    node->b = make(depth - 1);
    put(")");
    return node;
}

static wide_address address_number(int index)
{
    struct address_range range;
    assert_null(indicator_text_parse(addresses[index], strlen(addresses[index]), &range));
    return range.first;
}

static bool matches(const struct stix_pattern *pattern, const struct flow *flow)
{
    wide_address remote = address_number(flow->remote);
    for (size_t i = 0; i < pattern->count; i++) {
        const struct stix_term *term = &pattern->terms[i];
        bool of_family = term->range.family == (flow->remote < 4 ? 4 : 6);
        if (of_family && term->range.first <= remote && remote <= term->range.last &&
            (term->range.port == 0 || term->range.port == ports[flow->remote_port]) &&
            (term->protocol == 0 || term->protocol == flow->protocol + 1))
            return true;
    }
    return false;
}

/* The local address is one that no pattern names: what a pattern says of one end is about the
 * remote one. */
static bool holds_in_some_direction(const struct node *node, struct flow flow)
{
    flow.local = flow.local_port = 30; /* no bit of any set */
    flow.remote_is_destination = true;
    if (holds(node, &flow))
        return true;
    flow.remote_is_destination = false;
    return holds(node, &flow);
}

static void what_is_read_never_matches_where_a_naive_evaluation_is_false(void **state)
{
    unsigned read = 0, exact = 0, wholly = 0;
    (void)state;
    random_state = 20261122;
    for (unsigned round = 0; round < 20000; round++) {
        struct stix_pattern pattern;
        node_count = 0;
        strcpy(written, "[");
        struct node *root = make(any(4));
        put("]");
        assert_true(stix_pattern_read(&pattern, written, strlen(written)));
        bool complete = pattern.reason == NULL && pattern.count > 0, same = true;
        for (int index = 0; index < ADDRESSES * PORTS * 2; index++) {
            struct flow flow = {.remote = index % ADDRESSES,
                                .remote_port = index / ADDRESSES % PORTS,
                                .protocol = index / ADDRESSES / PORTS};
            bool ours = matches(&pattern, &flow), theirs = holds_in_some_direction(root, flow);
            if (ours && !theirs)
                fail_msg("%s matches %s port %u, and is false there", written,
                         addresses[flow.remote], ports[flow.remote_port]);
            same &= ours == theirs;
        }
        read += pattern.count > 0;
        wholly += complete;
        exact += complete && same;
        stix_pattern_free(&pattern);
    }
    print_message("20000 patterns: %u read, %u wholly, %u of these match all they should\n", read,
                  wholly, exact);
    assert_true(read > 5000 && exact > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_read_as_it_is_written_and_no_wider),
        cmocka_unit_test(a_pattern_that_would_take_too_long_is_refused),
        cmocka_unit_test(what_is_read_never_matches_where_a_naive_evaluation_is_false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "stix_pattern.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "picket/base/flow.h"
#include "stix_alternatives.h"
#include "stix_tokens.h"

enum {
    DEPTH_MAX = 64,         /* of parentheses */
    PAIRS_MAX = 256 * 1024, /* that all ANDs make */
    PATH_BYTES = 64,
    VALUE_BYTES = 64
};

struct parser {
    struct stix_tokens tokens;
    const char *problem; /* the pattern as a whole cannot be read */
    bool no_memory;
    unsigned depth;
    size_t pairs;
};

static void fail(struct parser *parser, const char *problem)
{
    if (parser->problem == NULL)
        parser->problem = problem;
}

static bool is_going_on(const struct parser *parser)
{
    return parser->problem == NULL && !parser->no_memory;
}

static bool take(struct parser *parser, const char *text)
{
    if (!stix_token_is(&parser->tokens.now, text))
        return false;
    stix_tokens_next(&parser->tokens);
    return true;
}

static void expect(struct parser *parser, const char *text, const char *problem)
{
    if (!take(parser, text))
        fail(parser, problem);
}

static void add(struct parser *parser, struct stix_alternatives *list,
                const struct stix_alternative *one)
{
    if (!stix_alternatives_add(list, one))
        parser->no_memory = true;
}

static void join_or(struct parser *parser, struct stix_alternatives *list,
                    struct stix_alternatives *other)
{
    if (!stix_alternatives_or(list, other))
        parser->no_memory = true;
}

static void join_and(struct parser *parser, struct stix_alternatives *list,
                     struct stix_alternatives *other)
{
    parser->pairs += list->count * other->count;
    if (parser->pairs > PAIRS_MAX) {
        fail(parser, "asks for too many combinations");
        stix_alternatives_free(other);
    } else if (!stix_alternatives_and(list, other)) {
        parser->no_memory = true;
    }
}

static void refuse(struct parser *parser, struct stix_alternatives *list, const char *reason)
{
    if (!stix_alternatives_refuse(list, reason))
        parser->no_memory = true;
}

/* ---- what a comparison is about ---- */

enum subject { OTHER_SUBJECT, ADDRESS, ADDRESS_TYPE, PORT, PROTOCOL };

struct object_path {
    const char *name;
    enum subject subject;
    enum stix_end end;
    uint8_t family;
};

static const struct object_path object_paths[] = {
    {"ipv4-addr:value", ADDRESS, STIX_EITHER_END, 4},
    {"ipv6-addr:value", ADDRESS, STIX_EITHER_END, 6},
    {"network-traffic:dst_ref.value", ADDRESS, STIX_DESTINATION, 0},
    {"network-traffic:src_ref.value", ADDRESS, STIX_SOURCE, 0},
    {"network-traffic:dst_ref.type", ADDRESS_TYPE, STIX_DESTINATION, 0},
    {"network-traffic:src_ref.type", ADDRESS_TYPE, STIX_SOURCE, 0},
    {"network-traffic:dst_port", PORT, STIX_DESTINATION, 0},
    {"network-traffic:src_port", PORT, STIX_SOURCE, 0},
    {"network-traffic:protocols", PROTOCOL, STIX_EITHER_END, 0},
    {"network-traffic:protocols[]", PROTOCOL, STIX_EITHER_END, 0},
};
static const struct object_path other_path = {"", OTHER_SUBJECT, STIX_EITHER_END, 0};

struct path_text {
    char text[PATH_BYTES];
    size_t size;
    bool too_long;
};

static void append(struct path_text *path, const char *text, size_t size)
{
    path->too_long |= size > sizeof path->text - path->size;
    if (path->too_long)
        return;
    memcpy(path->text + path->size, text, size);
    path->size += size;
}

/* "[*]", "[0]": which one does not matter for what we read. */
static void take_index(struct parser *parser, struct path_text *path)
{
    if (!take(parser, "*")) {
        if (parser->tokens.now.kind != STIX_INTEGER)
            fail(parser, "an index is not a number");
        stix_tokens_next(&parser->tokens);
    }
    expect(parser, "]", "a bracket is not closed");
    append(path, "[]", 2);
}

static void take_component(struct parser *parser, struct path_text *path)
{
    const struct stix_token token = parser->tokens.now;
    if (token.kind != STIX_WORD && token.kind != STIX_STRING)
        fail(parser, "an object's path is not complete");
    append(path, token.text, token.size);
    stix_tokens_next(&parser->tokens);
}

static const struct object_path *take_path(struct parser *parser)
{
    struct path_text path = {.size = 0};
    take_component(parser, &path);
    expect(parser, ":", "an object's path is not complete");
    append(&path, ":", 1);
    take_component(parser, &path);
    while (is_going_on(parser)) {
        if (take(parser, "[")) {
            take_index(parser, &path);
        } else if (take(parser, ".")) {
            append(&path, ".", 1);
            take_component(parser, &path);
        } else {
            break;
        }
    }
    for (size_t i = 0; i < sizeof object_paths / sizeof *object_paths && !path.too_long; i++)
        if (strlen(object_paths[i].name) == path.size &&
            memcmp(object_paths[i].name, path.text, path.size) == 0)
            return &object_paths[i];
    return &other_path;
}

/* ---- what it is compared with ---- */

struct value_text {
    char text[VALUE_BYTES];
    size_t size;
};

static bool text_is(const struct value_text *value, const char *text)
{
    return strlen(text) == value->size && strncasecmp(value->text, text, value->size) == 0;
}

/* A plain address or prefix: none of the other spellings that lists have. */
static bool is_plain_address(const struct value_text *value)
{
    for (size_t i = 0; i < value->size; i++) {
        char c = value->text[i];
        bool is_hexadecimal =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!is_hexadecimal && c != '.' && c != ':' && c != '/')
            return false;
    }
    return true;
}

static void ask_address(const struct object_path *path, const struct value_text *value,
                        struct stix_alternative *one)
{
    bool written_as_ipv6 = memchr(value->text, ':', value->size) != NULL;
    uint8_t family = written_as_ipv6 ? 6 : 4;
    if (!is_plain_address(value)) {
        one->reason = "not an address";
        return;
    }
    one->reason = indicator_text_parse(value->text, value->size, &one->range);
    if (one->reason == NULL && one->range.port != 0)
        one->reason = "not an address";
    if (one->reason == NULL && path->family != 0 && path->family != family)
        one->reason = "the address is of the other family";
    one->range_end = path->end;
    one->family = family;
}

static void ask_address_type(const struct value_text *value, struct stix_alternative *one)
{
    if (text_is(value, "ipv4-addr"))
        one->family = 4;
    else if (text_is(value, "ipv6-addr"))
        one->family = 6;
    else
        one->asks_more = true;
}

static void ask_port(const struct object_path *path, const struct value_text *value,
                     struct stix_alternative *one)
{
    unsigned port = 0;
    for (size_t i = 0; i < value->size && port <= 65535; i++) {
        if (value->text[i] < '0' || value->text[i] > '9') {
            port = 0;
            break;
        }
        port = port * 10 + (unsigned)(value->text[i] - '0');
    }
    if (port == 0 || port > 65535)
        one->reason = "the port is not a number from 1 to 65535";
    one->port = (uint16_t)port;
    one->port_end = path->end;
}

/* Of what a flow's protocols may be called, it shows only these. */
static void ask_protocol(const struct value_text *value, struct stix_alternative *one)
{
    static const struct {
        const char *name;
        uint8_t protocol, family;
    } protocols[] = {{"tcp", PICKET_TCP + 1, 0},
                     {"udp", PICKET_UDP + 1, 0},
                     {"icmp", PICKET_ICMP + 1, 0},
                     {"ipv4", 0, 4},
                     {"ipv6", 0, 6}};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (text_is(value, protocols[i].name)) {
            one->protocol = protocols[i].protocol;
            one->family = protocols[i].family;
            return;
        }
    one->asks_more = true;
}

static void ask(const struct object_path *path, const struct value_text *value,
                struct stix_alternative *one)
{
    switch (path->subject) {
    case ADDRESS:
        ask_address(path, value, one);
        break;
    case ADDRESS_TYPE:
        ask_address_type(value, one);
        break;
    case PORT:
        ask_port(path, value, one);
        break;
    case PROTOCOL:
        ask_protocol(value, one);
        break;
    case OTHER_SUBJECT:
        one->asks_more = true;
        break;
    }
}

static bool is_constant(const struct stix_token *token)
{
    return token->kind == STIX_STRING || token->kind == STIX_INTEGER ||
           token->kind == STIX_LITERAL || stix_token_is(token, "true") ||
           stix_token_is(token, "false");
}

/* Takes one constant and adds what it asks; reason: why it cannot be taken anyway, or NULL. */
static void take_constant(struct parser *parser, const struct object_path *path, const char *reason,
                          struct stix_alternatives *list)
{
    const struct stix_token token = parser->tokens.now;
    struct value_text value = {.size = 0};
    struct stix_alternative one = {.is_about_address = path->subject == ADDRESS};
    if (!is_constant(&token)) {
        fail(parser, "a constant is missing, or not to be read");
        return;
    }
    stix_tokens_next(&parser->tokens);
    if (path->subject == OTHER_SUBJECT)
        one.asks_more = true;
    else if (reason != NULL || token.kind == STIX_LITERAL || token.kind == STIX_WORD)
        one.reason = reason != NULL ? reason : "the constant is of another type";
    else if (stix_token_text(&token, value.text, sizeof value.text, &value.size))
        ask(path, &value, &one);
    else
        one.reason = "the constant is too long";
    add(parser, list, &one);
}

static void take_set(struct parser *parser, const struct object_path *path, const char *reason,
                     struct stix_alternatives *list)
{
    expect(parser, "(", "a set's parenthesis is missing");
    do
        take_constant(parser, path, reason, list);
    while (is_going_on(parser) && take(parser, ","));
    expect(parser, ")", "a set's parenthesis is not closed");
}

/* A value is a superset of an address only if it is that address; of a prefix only if it is one
 * itself, and flows have addresses. */
static void keep_single_addresses(struct stix_alternatives *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].reason == NULL &&
            list->items[i].range.first != list->items[i].range.last)
            list->items[i].reason = "ISSUPERSET asks for a prefix, and flows have addresses";
}

/* ---- comparisons ---- */

static const char *refused_operator(const struct stix_token *token)
{
    static const char *const operators[][2] = {
        {"!=", "negations are not read"},   {"<>", "negations are not read"},
        {"<", "comparisons are not read"},  {">", "comparisons are not read"},
        {"<=", "comparisons are not read"}, {">=", "comparisons are not read"},
        {"LIKE", "LIKE is not read"},       {"MATCHES", "MATCHES is not read"},
    };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (stix_token_is(token, operators[i][0]))
            return operators[i][1];
    return NULL;
}

static void parse_test(struct parser *parser, struct stix_alternatives *list)
{
    const struct object_path *path = take_path(parser);
    bool is_address = path->subject == ADDRESS;
    const char *reason = take(parser, "NOT") ? "negations are not read" : NULL;
    if (take(parser, "=") || take(parser, "==")) {
        take_constant(parser, path, reason, list);
    } else if (take(parser, "IN")) {
        take_set(parser, path, reason, list);
    } else if (take(parser, "ISSUBSET")) {
        take_constant(parser, path, is_address ? reason : "ISSUBSET is of addresses", list);
    } else if (take(parser, "ISSUPERSET")) {
        take_constant(parser, path, is_address ? reason : "ISSUPERSET is of addresses", list);
        keep_single_addresses(list);
    } else {
        const char *refused = refused_operator(&parser->tokens.now);
        if (refused == NULL)
            fail(parser, "an operator is missing, or not known");
        stix_tokens_next(&parser->tokens);
        take_constant(parser, path, refused, list);
    }
}

/* "EXISTS network-traffic:dst_port" */
static void parse_exists(struct parser *parser, struct stix_alternatives *list)
{
    const struct object_path *path = take_path(parser);
    struct stix_alternative one = {.is_about_address = path->subject == ADDRESS,
                                   .asks_more = path->subject == OTHER_SUBJECT};
    if (path->subject != OTHER_SUBJECT)
        one.reason = "EXISTS is not read";
    add(parser, list, &one);
}

static void parse_comparisons(struct parser *parser, struct stix_alternatives *list);

static bool go_deeper(struct parser *parser)
{
    if (++parser->depth > DEPTH_MAX)
        fail(parser, "is nested too deep");
    return is_going_on(parser);
}

static void parse_comparison(struct parser *parser, struct stix_alternatives *list)
{
    if (take(parser, "(")) {
        if (go_deeper(parser))
            parse_comparisons(parser, list);
        expect(parser, ")", "a parenthesis is not closed");
        parser->depth--;
    } else if (take(parser, "EXISTS")) {
        parse_exists(parser, list);
    } else {
        parse_test(parser, list);
    }
}

static void parse_comparisons_and(struct parser *parser, struct stix_alternatives *list)
{
    parse_comparison(parser, list);
    while (is_going_on(parser) && take(parser, "AND")) {
        struct stix_alternatives other = {0};
        parse_comparison(parser, &other);
        join_and(parser, list, &other);
    }
}

static void parse_comparisons(struct parser *parser, struct stix_alternatives *list)
{
    parse_comparisons_and(parser, list);
    while (is_going_on(parser) && take(parser, "OR")) {
        struct stix_alternatives other = {0};
        parse_comparisons_and(parser, &other);
        join_or(parser, list, &other);
    }
}

/* ---- observations ---- */

static void parse_observations(struct parser *parser, struct stix_alternatives *list);

static void skip_constant(struct parser *parser)
{
    if (!is_constant(&parser->tokens.now))
        fail(parser, "a qualifier is not complete");
    stix_tokens_next(&parser->tokens);
}

/* A single observation is within any time. */
static void parse_qualifiers(struct parser *parser, struct stix_alternatives *list)
{
    while (is_going_on(parser)) {
        if (take(parser, "WITHIN")) {
            skip_constant(parser);
            expect(parser, "SECONDS", "a qualifier is not complete");
        } else if (take(parser, "REPEATS")) {
            bool is_one = parser->tokens.now.kind == STIX_INTEGER && parser->tokens.now.size == 1 &&
                          parser->tokens.now.text[0] == '1';
            skip_constant(parser);
            expect(parser, "TIMES", "a qualifier is not complete");
            if (!is_one)
                refuse(parser, list, "asks for repetition");
        } else if (take(parser, "START")) {
            skip_constant(parser);
            expect(parser, "STOP", "a qualifier is not complete");
            skip_constant(parser);
            refuse(parser, list, "is limited to a span of time");
        } else {
            break;
        }
    }
}

static void parse_observation(struct parser *parser, struct stix_alternatives *list)
{
    if (take(parser, "[")) {
        parse_comparisons(parser, list);
        expect(parser, "]", "a bracket is not closed");
    } else if (take(parser, "(")) {
        if (go_deeper(parser))
            parse_observations(parser, list);
        expect(parser, ")", "a parenthesis is not closed");
        parser->depth--;
    } else {
        fail(parser, "an observation in brackets is missing");
    }
    parse_qualifiers(parser, list);
}

static void parse_observations_and(struct parser *parser, struct stix_alternatives *list)
{
    parse_observation(parser, list);
    while (is_going_on(parser) && take(parser, "AND")) {
        struct stix_alternatives other = {0};
        parse_observation(parser, &other);
        join_or(parser, list, &other);
        refuse(parser, list, "asks for several observations");
    }
}

static void parse_observations_or(struct parser *parser, struct stix_alternatives *list)
{
    parse_observations_and(parser, list);
    while (is_going_on(parser) && take(parser, "OR")) {
        struct stix_alternatives other = {0};
        parse_observations_and(parser, &other);
        join_or(parser, list, &other);
    }
}

static void parse_observations(struct parser *parser, struct stix_alternatives *list)
{
    parse_observations_or(parser, list);
    while (is_going_on(parser) && take(parser, "FOLLOWEDBY")) {
        struct stix_alternatives other = {0};
        parse_observations_or(parser, &other);
        join_or(parser, list, &other);
        refuse(parser, list, "asks for several observations");
    }
}

/* ---- terms ---- */

/* NULL if one flow shows all that the alternative asks for. */
static const char *unreadable(const struct stix_alternative *one)
{
    if (one->reason != NULL)
        return one->reason;
    if (one->asks_more)
        return "asks for more than a flow shows";
    if (one->port != 0 && one->range_end != STIX_EITHER_END && one->port_end != one->range_end)
        return "the port is not the address's own";
    return NULL;
}

static void take_alternative(struct stix_pattern *pattern, const struct stix_alternative *one)
{
    if (!one->is_about_address)
        return;
    const char *reason = unreadable(one);
    if (reason != NULL) {
        pattern->reason = pattern->reason != NULL ? pattern->reason : reason;
        return;
    }
    struct stix_term *term = &pattern->terms[pattern->count++];
    term->range = one->range;
    term->range.port = one->port;
    term->protocol = one->protocol;
}

bool stix_pattern_read(struct stix_pattern *pattern, const char *text, size_t size)
{
    struct parser parser = {.depth = 0};
    struct stix_alternatives list = {0};
    memset(pattern, 0, sizeof *pattern);
    stix_tokens_begin(&parser.tokens, text, size);
    parse_observations(&parser, &list);
    if (parser.tokens.now.kind != STIX_END)
        fail(&parser, "something follows the pattern");
    pattern->reason = parser.problem;
    if (is_going_on(&parser)) {
        pattern->terms = calloc(list.count + 1, sizeof *pattern->terms);
        parser.no_memory = pattern->terms == NULL;
        for (size_t i = 0; i < list.count && !parser.no_memory; i++)
            take_alternative(pattern, &list.items[i]);
    }
    stix_alternatives_free(&list);
    return !parser.no_memory;
}

void stix_pattern_free(struct stix_pattern *pattern)
{
    free(pattern->terms);
    memset(pattern, 0, sizeof *pattern);
}

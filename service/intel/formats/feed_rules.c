/* Rules of Suricata and Snort, of which those are read that list addresses and ask for nothing
 * else:
 *
 *     alert ip $HOME_NET any -> [203.0.113.9,198.51.100.0/24] any (msg:"C2"; sid:2404000; rev:1;)
 *
 * The listed end is the remote one. A rule that asks for content, for a port of the device's own or
 * for both ends is narrower than an indicator can be, so it is not taken. Rules without addresses
 * are passed over. Source: the Suricata user guide, Rules Format. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "feed_reader.h"
#include "feed_values.h"
#include "indicator_text.h"
#include "picket/base/flow.h"

enum { PORTS_MAX = 64 };

/* ---- the header ---- */

struct rule {
    uint32_t line;
    struct feed_text whole;
    struct feed_text action, protocol, source, source_ports, direction, destination,
        destination_ports;
    struct feed_text options; /* between the parentheses */
};

/* A rule may go on in the next line behind a backslash. */
static bool is_blank(char c)
{
    return feed_is_blank(c) || c == '\n' || c == '\\';
}

static void skip_blanks(struct feed_text *text)
{
    while (text->bytes > 0 && is_blank(text->text[0])) {
        text->text++;
        text->bytes--;
    }
}

/* Up to a blank that is not within brackets. */
static struct feed_text take_word(struct feed_text *text)
{
    int depth = 0;
    skip_blanks(text);
    struct feed_text word = {text->text, 0};
    while (text->bytes > 0 && (depth > 0 || !is_blank(text->text[0]))) {
        depth += text->text[0] == '[';
        depth -= text->text[0] == ']';
        word.bytes++;
        text->text++;
        text->bytes--;
    }
    return word;
}

static bool is(struct feed_text text, const char *wanted)
{
    return strlen(wanted) == text.bytes && strncasecmp(text.text, wanted, text.bytes) == 0;
}

static bool is_one_of(struct feed_text text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is(text, names[i]))
            return true;
    return false;
}

static bool parse_header(struct rule *rule)
{
    struct feed_text rest = rule->whole;
    struct feed_text *const words[] = {
        &rule->action,    &rule->protocol,    &rule->source,           &rule->source_ports,
        &rule->direction, &rule->destination, &rule->destination_ports};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *words[i] = take_word(&rest);
    skip_blanks(&rest);
    while (rest.bytes > 0 && is_blank(rest.text[rest.bytes - 1]))
        rest.bytes--;
    if ((!is(rule->direction, "->") && !is(rule->direction, "<>")) || rest.bytes < 2 ||
        rest.text[0] != '(' || rest.text[rest.bytes - 1] != ')')
        return false;
    rule->options = (struct feed_text){rest.text + 1, rest.bytes - 2};
    return true;
}

/* ---- the ends ---- */

/* The next element of a list, however deep it is nested. */
static bool next_element(struct feed_text *list, struct feed_text *element)
{
    while (list->bytes > 0 && (is_blank(list->text[0]) || strchr("[],", list->text[0]) != NULL)) {
        list->text++;
        list->bytes--;
    }
    *element = (struct feed_text){list->text, 0};
    while (list->bytes > 0 && !is_blank(list->text[0]) && list->text[0] != ',' &&
           list->text[0] != ']') {
        element->bytes++;
        list->text++;
        list->bytes--;
        if (element->bytes == 1 && element->text[0] == '!' && list->bytes > 0 &&
            list->text[0] == '[')
            break; /* "![": what follows is excluded, whatever it is */
    }
    return element->bytes > 0;
}

enum end_kind { OWN_END, LISTED_END, EXCLUDING_END, OTHER_END };

static enum end_kind kind_of_end(struct feed_text end)
{
    bool is_own = false, is_listed = false, excludes = false;
    struct feed_text element;
    while (next_element(&end, &element)) {
        excludes |= element.text[0] == '!';
        is_own |= is(element, "any") || is(element, "$HOME_NET");
        is_listed |= element.text[0] != '!' && element.text[0] != '$' && !is(element, "any");
    }
    if (is_listed)
        return excludes ? EXCLUDING_END : LISTED_END;
    return is_own && !excludes ? OWN_END : OTHER_END;
}

/* ---- ports ---- */

struct ports {
    uint16_t of[PORTS_MAX];
    size_t count;
};

static bool take_port(struct feed_text text, unsigned *port)
{
    *port = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.text[i] < '0' || text.text[i] > '9' || *port > 65535)
            return false;
        *port = *port * 10 + (unsigned)(text.text[i] - '0');
    }
    return text.bytes > 0 && *port >= 1 && *port <= 65535;
}

/* "80" or "8000:8010"; false: not so many, or not to be read. */
static bool add_ports(struct feed_text element, struct ports *ports)
{
    unsigned first, last;
    const char *colon = memchr(element.text, ':', element.bytes);
    struct feed_text from = element, to = element;
    if (colon != NULL) {
        from.bytes = (size_t)(colon - element.text);
        to = (struct feed_text){colon + 1, element.bytes - from.bytes - 1};
    }
    if (!take_port(from, &first) || !take_port(to, &last) || last < first ||
        last - first + 1 > PORTS_MAX - ports->count)
        return false;
    for (unsigned port = first; port <= last; port++)
        ports->of[ports->count++] = (uint16_t)port;
    return true;
}

/* "any" is one port, 0. */
static bool parse_ports(struct feed_text text, struct ports *ports)
{
    struct feed_text element;
    ports->count = 0;
    if (is(text, "any")) {
        ports->of[ports->count++] = 0;
        return true;
    }
    while (next_element(&text, &element))
        if (!add_ports(element, ports))
            return false;
    return ports->count > 0;
}

/* ---- the options ---- */

struct rule_texts {
    struct feed_text message, sid, malware;
    uint8_t severity;
    bool is_silent;     /* it only notes something for other rules */
    const char *reason; /* why it is narrower than an indicator */
};

/* The next option; ';' ends it, but not within quotes or behind a backslash. */
static bool next_option(struct feed_text *options, struct feed_text *name, struct feed_text *value)
{
    bool quoted = false;
    size_t end = 0;
    skip_blanks(options);
    while (end < options->bytes && (quoted || options->text[end] != ';')) {
        if (options->text[end] == '\\' && end + 1 < options->bytes)
            end++;
        else if (options->text[end] == '"')
            quoted = !quoted;
        end++;
    }
    if (end == 0)
        return false;
    struct feed_text whole = {options->text, end};
    const char *colon = memchr(whole.text, ':', whole.bytes);
    *name = whole;
    *value = (struct feed_text){whole.text + end, 0};
    if (colon != NULL) {
        name->bytes = (size_t)(colon - whole.text);
        *value = (struct feed_text){colon + 1, end - name->bytes - 1};
    }
    feed_trim(&name->text, &name->bytes);
    feed_trim(&value->text, &value->bytes);
    end += end < options->bytes;
    options->text += end;
    options->bytes -= end;
    return true;
}

/* "signature_severity Major": what is behind the key in a list of such pairs. */
static struct feed_text metadata_value(struct feed_text metadata, const char *key)
{
    size_t key_size = strlen(key);
    const char *at = memmem(metadata.text, metadata.bytes, key, key_size);
    struct feed_text value = {"", 0};
    if (at == NULL)
        return value;
    value.text = at + key_size;
    const char *end = metadata.text + metadata.bytes;
    while (value.text + value.bytes < end && value.text[value.bytes] != ',')
        value.bytes++;
    feed_trim(&value.text, &value.bytes);
    return value;
}

static bool holds(struct feed_text text, const char *part)
{
    return memmem(text.text, text.bytes, part, strlen(part)) != NULL;
}

static uint8_t severity_of_priority(struct feed_text priority)
{
    bool is_known = priority.bytes == 1 && priority.text[0] >= '1' && priority.text[0] <= '3';
    return is_known ? (uint8_t)(PICKET_SEVERITY_HIGH - (priority.text[0] - '1')) : 0;
}

static void unquote(struct feed_text *text)
{
    if (text->bytes >= 2 && text->text[0] == '"' && text->text[text->bytes - 1] == '"') {
        text->text++;
        text->bytes -= 2;
    }
}

/* Which packet of a connection raises the alert, and how often, is no matter of which connections
 * do. All options that are not known might be. */
static void take_option(struct rule_texts *texts, struct feed_text name, struct feed_text value)
{
    static const char *const harmless[] = {"gid",  "rev",   "classtype", "reference",
                                           "flow", "flags", "target",    "tag"};
    if (is(name, "msg")) {
        unquote(&value);
        texts->message = value;
    } else if (is(name, "sid")) {
        texts->sid = value;
    } else if (is(name, "priority")) {
        if (texts->severity == 0)
            texts->severity = severity_of_priority(value);
    } else if (is(name, "metadata")) {
        struct feed_text severity = metadata_value(value, "signature_severity ");
        texts->severity = feed_severity_parse(severity.text, severity.bytes);
        texts->malware = metadata_value(value, "malware_family ");
    } else if (is(name, "noalert") || (is(name, "flowbits") && holds(value, "noalert"))) {
        texts->is_silent = true;
    } else if (is(name, "flowbits") || is(name, "xbits")) {
        if (holds(value, "isset") || holds(value, "isnotset"))
            texts->reason = "asks for what another rule has seen";
    } else if (is(name, "threshold")) {
        if (!holds(value, "type limit"))
            texts->reason = "asks for repetition";
    } else if (!is_one_of(name, harmless, sizeof harmless / sizeof *harmless)) {
        texts->reason = "asks for more than addresses, ports and protocol";
    }
}

static void read_options(struct feed_text options, struct rule_texts *texts)
{
    struct feed_text name, value;
    memset(texts, 0, sizeof *texts);
    while (next_option(&options, &name, &value))
        take_option(texts, name, value);
}

/* ---- taking a rule ---- */

static const char *parse_protocol(struct feed_text text, uint8_t *protocol)
{
    static const struct {
        const char *name;
        uint8_t protocol;
    } protocols[] = {
        {"ip", 0}, {"tcp", PICKET_TCP + 1}, {"udp", PICKET_UDP + 1}, {"icmp", PICKET_ICMP + 1}};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (is(text, protocols[i].name)) {
            *protocol = protocols[i].protocol;
            return NULL;
        }
    return "the protocol is none of ip, tcp, udp and icmp";
}

static void take_addresses(struct feed_reading *reading, const struct rule *rule,
                           struct feed_text addresses, const struct ports *ports, uint8_t protocol,
                           const struct rule_texts *texts)
{
    char reference[32];
    int size = snprintf(reference, sizeof reference, "sid:%.*s",
                        (int)(texts->sid.bytes < 20 ? texts->sid.bytes : 20), texts->sid.text);
    struct feed_item item = {
        .line = rule->line,
        .protocol = protocol,
        .severity = texts->severity,
        .confidence = -1,
        .texts = {.tags = texts->message,
                  .malware = texts->malware,
                  .reference = {reference, texts->sid.bytes > 0 ? (size_t)size : 0}}};
    while (reading->failure == 0 && next_element(&addresses, &item.indicator)) {
        if (item.indicator.text[0] == '$')
            continue;
        for (size_t i = 0; i < ports->count; i++) {
            item.port = ports->of[i];
            feed_take(reading, &item);
        }
    }
}

static void skip_rule(struct feed_reading *reading, const struct rule *rule, const char *reason)
{
    feed_skip(reading, rule->line, rule->whole.text, rule->whole.bytes, reason);
}

static void take_rule(struct feed_reading *reading, const struct rule *rule)
{
    static const char *const warning[] = {"alert", "drop", "reject", "block", "sdrop"};
    enum end_kind source = kind_of_end(rule->source), destination = kind_of_end(rule->destination);
    bool listed_source = source == LISTED_END;
    struct ports ports, own_ports;
    struct rule_texts texts;
    uint8_t protocol = 0;
    read_options(rule->options, &texts);
    bool excludes = source == EXCLUDING_END || destination == EXCLUDING_END;
    bool any_listed = listed_source || destination == LISTED_END;
    const char *reason = parse_protocol(rule->protocol, &protocol);
    if (!is_one_of(rule->action, warning, sizeof warning / sizeof *warning) || texts.is_silent ||
        (!any_listed && !excludes) || source == OTHER_END || destination == OTHER_END)
        feed_pass_over(reading);
    else if (excludes)
        skip_rule(reading, rule, "excludes addresses");
    else if (source == destination)
        skip_rule(reading, rule, "asks for both ends");
    else if (reason != NULL || texts.reason != NULL)
        skip_rule(reading, rule, reason != NULL ? reason : texts.reason);
    else if (!parse_ports(listed_source ? rule->destination_ports : rule->source_ports,
                          &own_ports) ||
             own_ports.of[0] != 0)
        skip_rule(reading, rule, "asks for a port of the device's own");
    else if (!parse_ports(listed_source ? rule->source_ports : rule->destination_ports, &ports))
        skip_rule(reading, rule, "its ports are more than 64, or not to be read");
    else
        take_addresses(reading, rule, listed_source ? rule->source : rule->destination, &ports,
                       protocol, &texts);
}

/* ---- lines ---- */

struct cursor {
    const char *at, *end;
    uint32_t line;
};

/* The next rule or what stands in its place; false at the end. */
static bool next_rule(struct cursor *cursor, struct rule *rule)
{
    while (cursor->at < cursor->end) {
        const char *start = cursor->at, *at = start;
        rule->line = cursor->line;
        for (; at < cursor->end; at++) {
            if (*at != '\n')
                continue;
            cursor->line++;
            const char *before = at > start && at[-1] == '\r' ? at - 1 : at;
            if (before == start || before[-1] != '\\')
                break;
        }
        cursor->at = at < cursor->end ? at + 1 : at;
        rule->whole = (struct feed_text){start, (size_t)(at - start)};
        skip_blanks(&rule->whole);
        feed_trim(&rule->whole.text, &rule->whole.bytes);
        if (rule->whole.bytes > 0 && !feed_is_comment(rule->whole.text, rule->whole.bytes))
            return true;
    }
    return false;
}

void feed_read_rules(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    struct cursor cursor = {text, text + size_bytes, 1};
    struct rule rule;
    while (reading->failure == 0 && next_rule(&cursor, &rule)) {
        if (parse_header(&rule))
            take_rule(reading, &rule);
        else
            skip_rule(reading, &rule, "not a rule");
    }
}

/* They hold addresses, and commas, but read as CSV they would be read by half. */
bool feed_looks_like_rules(const char *text, size_t size_bytes)
{
    static const char *const actions[] = {"alert", "drop", "reject", "block",
                                          "sdrop", "pass", "log"};
    struct cursor cursor = {text, text + size_bytes, 1};
    struct rule rule;
    return next_rule(&cursor, &rule) && parse_header(&rule) &&
           is_one_of(rule.action, actions, sizeof actions / sizeof *actions);
}

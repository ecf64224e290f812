#include "feed_values.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "picket/base/flow.h"
#include "picket/base/time.h"

enum { NAME_BYTES = 32, TIME_TEXT_BYTES = 48 };

/* ---- names ---- */

static const struct {
    const char *name; /* without blanks, '_' and '-' */
    enum feed_member member;
} members[] = {
    {"ip", FEED_ADDRESS},
    {"ipaddress", FEED_ADDRESS},
    {"dstip", FEED_ADDRESS},
    {"destip", FEED_ADDRESS},
    {"destinationip", FEED_ADDRESS},
    {"srcip", FEED_ADDRESS},
    {"sourceip", FEED_ADDRESS},
    {"address", FEED_ADDRESS},
    {"ioc", FEED_ADDRESS},
    {"iocvalue", FEED_ADDRESS},
    {"indicator", FEED_ADDRESS},
    {"indicatorvalue", FEED_ADDRESS},
    {"value", FEED_ADDRESS},
    {"cidr", FEED_ADDRESS},
    {"network", FEED_ADDRESS},
    {"netblock", FEED_ADDRESS},
    {"prefix", FEED_ADDRESS},
    {"subnet", FEED_ADDRESS},
    {"range", FEED_ADDRESS},
    {"host", FEED_ADDRESS},
    {"ip:port", FEED_ADDRESS},
    {"data", FEED_ADDRESS},
    {"port", FEED_PORT},
    {"dstport", FEED_PORT},
    {"destport", FEED_PORT},
    {"destinationport", FEED_PORT},
    {"srcport", FEED_PORT},
    {"protocol", FEED_PROTOCOL},
    {"proto", FEED_PROTOCOL},
    {"transport", FEED_PROTOCOL},
    {"confidence", FEED_CONFIDENCE},
    {"confidencelevel", FEED_CONFIDENCE},
    {"confidencescore", FEED_CONFIDENCE},
    {"abuseconfidencescore", FEED_CONFIDENCE},
    {"score", FEED_CONFIDENCE},
    {"severity", FEED_SEVERITY},
    {"risk", FEED_SEVERITY},
    {"risklevel", FEED_SEVERITY},
    {"threatlevel", FEED_SEVERITY},
    {"malware", FEED_MALWARE},
    {"malwarefamily", FEED_MALWARE},
    {"malwareprintable", FEED_MALWARE},
    {"malwarename", FEED_MALWARE},
    {"family", FEED_MALWARE},
    {"reference", FEED_REFERENCE},
    {"references", FEED_REFERENCE},
    {"url", FEED_REFERENCE},
    {"link", FEED_REFERENCE},
    {"links", FEED_REFERENCE},
    {"source", FEED_REFERENCE},
    {"sblid", FEED_REFERENCE},
    {"firstseen", FEED_LISTED},
    {"firstseenutc", FEED_LISTED},
    {"firstseendate", FEED_LISTED},
    {"validfrom", FEED_LISTED},
    {"dateadded", FEED_LISTED},
    {"added", FEED_LISTED},
    {"listed", FEED_LISTED},
    {"listingdate", FEED_LISTED},
    {"created", FEED_LISTED},
    {"reportdate", FEED_LISTED},
    {"date", FEED_LISTED},
    {"validuntil", FEED_VALID_UNTIL},
    {"validto", FEED_VALID_UNTIL},
    {"expires", FEED_VALID_UNTIL},
    {"expiry", FEED_VALID_UNTIL},
    {"expiration", FEED_VALID_UNTIL},
    {"expirationdate", FEED_VALID_UNTIL},
    {"tlp", FEED_TLP},
    {"tag", FEED_TAGS},
    {"tags", FEED_TAGS},
    {"category", FEED_TAGS},
    {"categories", FEED_TAGS},
    {"threat", FEED_TAGS},
    {"threattype", FEED_TAGS},
    {"threatname", FEED_TAGS},
    {"detail", FEED_TAGS},
    {"note", FEED_TAGS},
    {"notes", FEED_TAGS},
    {"reason", FEED_TAGS},
    {"comment", FEED_TAGS},
    {"description", FEED_TAGS},
    {"campaign", FEED_TAGS},
};

/* In small letters, without blanks and signs that people put between words; false: too long for any
 * name. */
static bool plain_name(const char *name, size_t size, char plain[NAME_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '\0' || used == NAME_BYTES - 1)
            return false;
        if (strchr(" _-\"", name[i]) == NULL)
            plain[used++] = (char)tolower((unsigned char)name[i]);
    }
    plain[used] = '\0';
    return true;
}

enum feed_member feed_member_called(const char *name, size_t size)
{
    char plain[NAME_BYTES];
    if (plain_name(name, size, plain))
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            if (plain[0] == members[i].name[0] && strcmp(plain, members[i].name) == 0)
                return members[i].member;
    return FEED_MEMBERS;
}

/* ---- values ---- */

static bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static bool parse_decimal(const char *text, size_t size, int max, int *number)
{
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || *number > max)
            return false;
        *number = *number * 10 + (text[i] - '0');
    }
    return size > 0 && *number <= max;
}

/* 0..100, with or without "%", or a word; negative: says nothing of use. */
static int parse_confidence(const char *text, size_t size)
{
    int percent;
    if (is_word(text, size, "high"))
        return 90;
    if (is_word(text, size, "medium") || is_word(text, size, "moderate"))
        return 60;
    if (is_word(text, size, "low"))
        return 30;
    if (size > 1 && text[size - 1] == '%')
        size--;
    return parse_decimal(text, size, 100, &percent) ? percent : -1;
}

/* A protocol that flows do not tell narrows the indicator to what is never seen. */
static bool parse_protocol(const char *text, size_t size, uint8_t *protocol)
{
    static const struct {
        const char *name;
        uint8_t protocol;
    } protocols[] = {{"tcp", PICKET_TCP + 1},
                     {"6", PICKET_TCP + 1},
                     {"udp", PICKET_UDP + 1},
                     {"17", PICKET_UDP + 1},
                     {"icmp", PICKET_ICMP + 1},
                     {"1", PICKET_ICMP + 1},
                     {"ip", 0},
                     {"any", 0},
                     {"all", 0},
                     {"*", 0},
                     {"-", 0}};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (is_word(text, size, protocols[i].name)) {
            *protocol = protocols[i].protocol;
            return true;
        }
    return false;
}

bool feed_time_parse(const char *text, size_t size, int64_t *unix_ms)
{
    char copy[TIME_TEXT_BYTES];
    if (size < 8 || size >= sizeof copy - 1)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (size > 4 && strcmp(copy + size - 4, " UTC") == 0)
        copy[size -= 4] = '\0';
    if (size == 19 && (copy[10] == ' ' || copy[10] == 'T')) {
        copy[10] = 'T';
        memcpy(copy + 19, "Z", 2);
    }
    return picket_time_parse(copy, unix_ms);
}

uint8_t feed_tlp_parse(const char *text, size_t size)
{
    if (size > 4 && strncasecmp(text, "tlp:", 4) == 0) {
        text += 4;
        size -= 4;
    }
    if (is_word(text, size, "clear") || is_word(text, size, "white"))
        return PICKET_TLP_CLEAR;
    if (is_word(text, size, "green"))
        return PICKET_TLP_GREEN;
    if (is_word(text, size, "amber"))
        return PICKET_TLP_AMBER;
    if (is_word(text, size, "amber+strict"))
        return PICKET_TLP_AMBER_STRICT;
    return is_word(text, size, "red") ? PICKET_TLP_RED : PICKET_TLP_NONE;
}

uint8_t feed_severity_parse(const char *text, size_t size)
{
    if (is_word(text, size, "high") || is_word(text, size, "critical") ||
        is_word(text, size, "major"))
        return PICKET_SEVERITY_HIGH;
    if (is_word(text, size, "medium") || is_word(text, size, "moderate"))
        return PICKET_SEVERITY_MEDIUM;
    if (is_word(text, size, "low") || is_word(text, size, "minor") || is_word(text, size, "info") ||
        is_word(text, size, "informational"))
        return PICKET_SEVERITY_LOW;
    return 0;
}

const char *feed_item_set(struct feed_item *item, enum feed_member member, const char *text,
                          size_t size)
{
    int port = 0;
    if (size == 0)
        return NULL;
    switch (member) {
    case FEED_PORT:
        if (!parse_decimal(text, size, 65535, &port))
            return "the port is not a number from 1 to 65535";
        item->port = (uint16_t)port;
        return NULL;
    case FEED_PROTOCOL:
        return parse_protocol(text, size, &item->protocol)
                   ? NULL
                   : "the protocol is none of tcp, udp and icmp";
    case FEED_VALID_UNTIL:
        return feed_time_parse(text, size, &item->valid_until_ms)
                   ? NULL
                   : "the time until which it is valid cannot be read";
    case FEED_CONFIDENCE:
        item->confidence = parse_confidence(text, size);
        return NULL;
    case FEED_SEVERITY:
        item->severity = feed_severity_parse(text, size);
        return NULL;
    case FEED_TLP:
        item->tlp = feed_tlp_parse(text, size);
        return NULL;
    case FEED_LISTED:
        if (!feed_time_parse(text, size, &item->listed_ms))
            item->listed_ms = 0;
        return NULL;
    case FEED_MALWARE:
        item->texts.malware = (struct feed_text){text, size};
        return NULL;
    case FEED_REFERENCE:
        item->texts.reference = (struct feed_text){text, size};
        return NULL;
    default:
        return NULL;
    }
}

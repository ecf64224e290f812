/* The bytes of a threat feed → indicators.
 *
 * Each format has a reader of its own. What does not parse is skipped and counted, and the first
 * ten are kept with their reason; what parses and is of no use to us is counted apart.
 * docs/feeds.md has the tables of what is read how.
 *
 *     text ─▶ feed_read ─▶ feed_plain, feed_prose, feed_p2p, feed_zeek, feed_rules ─┐
 *                      ├─▶ feed_csv                                                ├─▶ feed_take
 *                      └─▶ feed_json ─▶ feed_ndjson, feed_stix, feed_misp          ─┘      │
 *                                                              indicators ◀─ indicator_text ┘
 *
 * Thread: any; one reading at a time per struct.
 */
#ifndef INTEL_FEED_READER_H
#define INTEL_FEED_READER_H

#include "feed_columns.h"
#include "indicator_list.h"
#include "indicator_text.h"
#include "picket/base/error.h"
#include "picket/service/intel.h"

enum feed_format {
    FEED_AUTO,
    FEED_PLAIN,
    FEED_CSV,
    FEED_NDJSON, /* JSON objects of any kind, one a line or in an array */
    FEED_STIX,
    FEED_MISP_JSON, /* events and warninglists */
    FEED_ZEEK,
    FEED_RULES, /* Suricata's and Snort's */
    FEED_P2P,
    FEED_PROSE,
    FEED_FORMATS
};

enum { FEED_INDICATORS_MAX = 32 * 1024 * 1024, FEED_PROBLEMS_SHOWN = 10, FEED_REFUSAL_BYTES = 400 };

/* How a feed is to be read. Zeroed but for the confidence: all is found out. */
struct feed_options {
    enum feed_format format;
    int confidence;                   /* 0..100, for indicators that bring none */
    struct feed_column_names columns; /* of CSV and NDJSON only */
};

struct feed_reading {
    struct indicator_list indicators; /* first_seen_ms is 0: the reader cannot know it */
    enum feed_format format;          /* as detected */
    uint64_t skipped;                 /* lines, records, objects not understood */
    uint64_t passed_over; /* understood, and of no use: no address, revoked, not for detection */
    size_t problem_count;
    struct picket_feed_line_problem problems[FEED_PROBLEMS_SHOWN];
    int confidence;                          /* for indicators that bring none */
    const struct feed_column_names *columns; /* NULL: none given; while reading */
    int failure;                             /* enum picket_status, while reading */
    char refusal[FEED_REFUSAL_BYTES];        /* why the whole feed cannot be read, or "" */
};

/* "auto", "plain", "csv", "ndjson", "stix", "misp", "zeek", "rules", "p2p", "text" → format;
 * negative for another name. */
int feed_format_named(const char *name);

/* A feed without any indicator is PICKET_OK and empty. PICKET_INVALID: not text of these formats
 * (HTML, compressed, UTF-16, JSON of another kind, JSON that ends too early), no column is called
 * as the options say, or more than FEED_INDICATORS_MAX. feed_reading_free() in any case. */
int feed_read(struct feed_reading *reading, const char *text, size_t size_bytes,
              const struct feed_options *options, struct picket_error *error);
void feed_reading_free(struct feed_reading *reading);

/* ---- for the readers of each format ---- */

struct feed_item {
    uint32_t line;
    struct feed_text indicator; /* trimmed */
    uint16_t port;              /* of its own column; 0: none */
    uint8_t protocol;           /* 0: none; otherwise enum picket_protocol + 1 */
    uint8_t severity;           /* enum picket_severity; 0: none given */
    uint8_t tlp;                /* enum picket_tlp */
    int confidence;             /* negative: none given */
    int64_t listed_ms;          /* 0: not given */
    int64_t valid_until_ms;     /* 0: for ever */
    struct feed_texts texts;
};

void feed_add_one(struct feed_reading *reading, const struct picket_indicator *indicator,
                  const struct feed_texts *texts);
/* Adds a range's prefixes with what `like` says of them. */
void feed_add(struct feed_reading *reading, struct address_range range,
              const struct picket_indicator *like, const struct feed_texts *texts);
/* Adds the item's indicators, or notes why not. */
void feed_take(struct feed_reading *reading, const struct feed_item *item);
void feed_skip(struct feed_reading *reading, uint32_t line, const char *text, size_t text_bytes,
               const char *reason);

/* One that was understood, and is of no use. */
void feed_pass_over(struct feed_reading *reading);
/* Ends the reading: the feed as a whole cannot be used. */
void feed_refuse(struct feed_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void feed_read_plain(struct feed_reading *reading, const char *text, size_t size_bytes);
/* True of DShield's layout, which would be CSV otherwise. */
bool feed_looks_like_range_columns(const char *text, size_t size_bytes);
void feed_read_csv(struct feed_reading *reading, const char *text, size_t size_bytes);
/* True if the first records look like CSV that a plain reading would not do justice to. */
bool feed_looks_like_csv(const char *text, size_t size_bytes);
void feed_read_ndjson(struct feed_reading *reading, const char *text, size_t size_bytes);
void feed_read_stix(struct feed_reading *reading, const char *text, size_t size_bytes);
void feed_read_zeek(struct feed_reading *reading, const char *text, size_t size_bytes);
bool feed_looks_like_zeek(const char *text, size_t size_bytes);
void feed_read_rules(struct feed_reading *reading, const char *text, size_t size_bytes);
bool feed_looks_like_rules(const char *text, size_t size_bytes);
void feed_read_p2p(struct feed_reading *reading, const char *text, size_t size_bytes);
bool feed_looks_like_p2p(const char *text, size_t size_bytes);
void feed_read_prose(struct feed_reading *reading, const char *text, size_t size_bytes);
bool feed_looks_like_prose(const char *text, size_t size_bytes);
void feed_read_misp(struct feed_reading *reading, const char *text, size_t size_bytes);

/* Blanks around text, no-break spaces (U+00A0) too. */
void feed_trim(const char **text, size_t *size_bytes);
bool feed_is_blank(char c); /* not a newline */
bool feed_starts(const char *text, size_t size_bytes, const char *with);
/* "# ...", "; ...", "// ..." */
bool feed_is_comment(const char *text, size_t size_bytes);

#endif

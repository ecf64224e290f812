/* The bytes of a threat feed → indicators.
 *
 * Plain lists (one indicator a line, comments, trailing text), CSV (RFC 4180, with or without a
 * header) and NDJSON (one JSON object a line). A line that does not parse is skipped and counted,
 * and the first ten are kept with their reason; docs/intelligence.md has the table of what is read
 * how.
 *
 *     text ─▶ feed_read ─▶ plain lines  ─┐
 *                      ├─▶ feed_csv     ─┼─▶ feed_take ─▶ indicator_text ─▶ indicators
 *                      └─▶ feed_ndjson  ─┘
 *
 * Thread: any; one reading at a time per struct.
 */
#ifndef INTEL_FEED_READER_H
#define INTEL_FEED_READER_H

#include "indicator_list.h"
#include "picket/base/error.h"
#include "picket/service/intel.h"

enum feed_format { FEED_AUTO, FEED_PLAIN, FEED_CSV, FEED_NDJSON };

enum { FEED_INDICATORS_MAX = 32 * 1024 * 1024, FEED_PROBLEMS_SHOWN = 10 };

struct feed_reading {
    struct indicator_list indicators; /* first_seen_ms is 0: the reader cannot know it */
    enum feed_format format;          /* as detected */
    uint64_t skipped;                 /* lines, or CSV records, not understood */
    size_t problem_count;
    struct picket_feed_line_problem problems[FEED_PROBLEMS_SHOWN];
    int confidence; /* for indicators that bring none */
    int failure;    /* enum picket_status, while reading */
};

/* "auto", "plain", "csv", "ndjson" → format; negative for another name. */
int feed_format_named(const char *name);

/* confidence: 0..100. A feed without any indicator is PICKET_OK and empty. PICKET_INVALID: not text
 * of these formats (a JSON document, HTML, compressed, UTF-16), or more than FEED_INDICATORS_MAX.
 * feed_reading_free() in any case. */
int feed_read(struct feed_reading *reading, const char *text, size_t size_bytes,
              enum feed_format format, int confidence, struct picket_error *error);
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

/* Adds the item's indicators, or notes why not. */
void feed_take(struct feed_reading *reading, const struct feed_item *item);
void feed_skip(struct feed_reading *reading, uint32_t line, const char *text, size_t text_bytes,
               const char *reason);

void feed_read_csv(struct feed_reading *reading, const char *text, size_t size_bytes);
/* True if the first records look like CSV that a plain reading would not do justice to. */
bool feed_looks_like_csv(const char *text, size_t size_bytes);
void feed_read_ndjson(struct feed_reading *reading, const char *text, size_t size_bytes);
bool feed_looks_like_ndjson(const char *text, size_t size_bytes);

/* Blanks around text, no-break spaces (U+00A0) too. */
void feed_trim(const char **text, size_t *size_bytes);

#endif

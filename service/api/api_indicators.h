/* Bodies that name indicators of a kept list: one, by its own members, or several in an array.
 *
 *     {"indicator": "203.0.113.9", "confidence": 90}
 *     {"list": "ours", "indicators": [{"indicator": "198.51.100.0/24", "port": 443}, ...]}
 *
 * Thread: pure functions.
 */
#ifndef SERVICE_API_INDICATORS_H
#define SERVICE_API_INDICATORS_H

#include "api_internal.h"

enum {
    API_INDICATORS_MAX = 10000, /* of one request */
    API_PREFIXES_MAX = 100000,  /* that they are made up of: a range is several */
    API_INDICATOR_TEXT_MAX = 255
};

#define API_INDICATOR_KEY "indicator port protocol"
#define API_INDICATOR_MEMBERS                                                                      \
    API_INDICATOR_KEY                                                                              \
    " confidence severity tlp tags malware reference listed valid_until"

struct api_indicators {
    const char *list;                      /* of the body, or the default */
    bool several;                          /* an array */
    struct picket_indicator_change *items; /* a prefix each; texts are the body's */
    uint32_t *places;                      /* of each: where it stands in the array */
    size_t count, capacity;
};

/* members: that an indicator may have. PICKET_INVALID says which indicator and member.
 * api_indicators_free() in any case. */
int api_parse_indicators(const json_t *body, const char *members, struct api_indicators *indicators,
                         struct picket_error *error);
void api_indicators_free(struct api_indicators *indicators);
/* Puts where the item stands in the body before what is wrong with it. */
void api_indicators_fail_at(const struct api_indicators *indicators, size_t item,
                            struct picket_error *error);

/* What tells indicators of a list apart, as text for the query, and back. */
enum { API_INDICATOR_PLACE_BYTES = PICKET_PREFIX_TEXT_BYTES + 16 };
char *api_indicator_place(const struct picket_indicator *indicator,
                          char out[API_INDICATOR_PLACE_BYTES]);
bool api_parse_indicator_place(const char *text, struct picket_indicator *indicator);

#endif

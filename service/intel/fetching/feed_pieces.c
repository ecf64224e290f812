#include "feed_pieces.h"

#include <stdio.h>
#include <string.h>

/* "FILE", or "FILE: what the indicator refers to by itself". */
static struct feed_text reference_of(const struct feed_piece *piece, const char *own, char *out,
                                     size_t out_bytes)
{
    if (!piece->refers)
        return (struct feed_text){own, strlen(own)};
    int size = snprintf(out, out_bytes, "%s%s%s", piece->file, own[0] != '\0' ? ": " : "", own);
    return (struct feed_text){out, (size_t)size < out_bytes ? (size_t)size : out_bytes - 1};
}

static bool add_indicators(struct feed_reading *whole, const struct feed_reading *part,
                           const struct feed_piece *piece)
{
    char reference[2 * INDICATOR_TEXT_BYTES];
    for (size_t i = 0; i < part->indicators.count; i++) {
        const struct picket_indicator *indicator = &part->indicators.items[i];
        const struct feed_texts texts = {
            .tags = {indicator->tags, strlen(indicator->tags)},
            .malware = {indicator->malware, strlen(indicator->malware)},
            .reference = reference_of(piece, indicator->reference, reference, sizeof reference),
        };
        if (!indicator_list_add(&whole->indicators, indicator, &texts))
            return false;
    }
    return true;
}

static void add_problems(struct feed_reading *whole, const struct feed_reading *part,
                         const char *file)
{
    for (size_t i = 0; i < part->problem_count && whole->problem_count < FEED_PROBLEMS_SHOWN; i++) {
        struct picket_feed_line_problem *problem = &whole->problems[whole->problem_count++];
        *problem = part->problems[i];
        snprintf(problem->file, sizeof problem->file, "%s", file);
    }
}

static int add_part(struct feed_reading *whole, const struct feed_reading *part,
                    const struct feed_piece *piece, struct picket_error *error)
{
    whole->format = part->format;
    whole->skipped += part->skipped;
    whole->passed_over += part->passed_over;
    add_problems(whole, part, piece->file);
    if (!add_indicators(whole, part, piece))
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the feed's indicators");
    if (whole->indicators.count > FEED_INDICATORS_MAX)
        return picket_fail(error, PICKET_INVALID, "more than %d indicators", FEED_INDICATORS_MAX);
    return PICKET_OK;
}

int feed_read_piece(struct feed_reading *whole, const struct feed_piece *piece,
                    const struct feed_options *options, struct picket_error *error)
{
    struct feed_reading part;
    int status = feed_read(&part, piece->text, piece->size_bytes, options, error);
    if (status == PICKET_OK)
        status = add_part(whole, &part, piece, error);
    feed_reading_free(&part);
    if (status != PICKET_OK)
        picket_fail_in(error, "%s", piece->file);
    return status;
}

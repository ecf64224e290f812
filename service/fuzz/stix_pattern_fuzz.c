/* A STIX pattern that anybody may have written: what is read of it is addresses in order, never
 * half of all, and with a reason if some could not be read. */
#include <stdint.h>
#include <stdlib.h>

#include "intel/formats/stix_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_term(const struct stix_term *term)
{
    unsigned bits = term->range.family == 4 ? 32 : 128;
    if ((term->range.family != 4 && term->range.family != 6) || term->protocol > 3 ||
        term->range.first > term->range.last ||
        (term->range.last - term->range.first) >> (bits - 1) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stix_pattern pattern;
    if (stix_pattern_read(&pattern, (const char *)data, size))
        for (size_t i = 0; i < pattern.count; i++)
            check_term(&pattern.terms[i]);
    stix_pattern_free(&pattern);
    return 0;
}

/* A thumbprint from outside, in what forms tools print it: what is taken is written and read again
 * the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "picket/store/thumbprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picket_thumbprint first, again;
    char written[PICKET_THUMBPRINT_TEXT_BYTES];
    char *text = malloc(size + 1);
    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (picket_thumbprint_parse(&first, text)) {
        picket_thumbprint_format(&first, written);
        if (!picket_thumbprint_parse(&again, written) || !picket_thumbprint_equals(&first, &again))
            abort();
    }
    free(text);
    return 0;
}

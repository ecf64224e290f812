/* Any bytes: refused with a reason and a place inside, or read through every accessor. What the
 * encoder has words for is then encoded and must decode again. */
#include <stdlib.h>

#include "picket/wire/decoder.h"
#include "reencode.h"
#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every fault of this target ends in abort(), which the fuzzer reports with its input. */
static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_reencoding(const struct picket_wire_message_view *view)
{
    struct reencoding reencoding;
    struct picket_wire_message_view again;
    struct picket_wire_error error;
    size_t size_bytes;
    if (!reencoding_prepare(&reencoding, view))
        return;
    unsigned char *bytes = encode_exactly(&reencoding.message, &size_bytes);
    if (bytes == NULL)
        return; /* tables were shared, and written out it is too large */
    require(picket_wire_open(&again, bytes, size_bytes, &error));
    require(again.event_count == view->event_count);
    walk_message(&again);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picket_wire_message_view view;
    struct picket_wire_error error = {NULL, 0};
    if (picket_wire_open(&view, data, size, &error)) {
        walk_message(&view);
        check_reencoding(&view);
    } else {
        require(error.reason != NULL);
        require(error.offset <= size);
    }
    return 0;
}

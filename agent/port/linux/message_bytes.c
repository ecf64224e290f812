#include "message_bytes.h"

#include <stdlib.h>
#include <string.h>

struct page {
    uint8_t *bytes;
    uint32_t filled;
    uint32_t size_bytes;
};

static bool append(void *context, const void *piece, size_t size_bytes)
{
    struct page *page = context;
    if (size_bytes > page->size_bytes - page->filled)
        return false;
    memcpy(page->bytes + page->filled, piece, size_bytes);
    page->filled += (uint32_t)size_bytes;
    return true;
}

int message_bytes_encode(const struct picket_wire_message *message, uint8_t **bytes,
                         uint32_t *size_bytes, struct picket_error *error)
{
    struct page page = {.size_bytes = picket_wire_message_size(message)};
    if (page.size_bytes == 0)
        return picket_fail(error, PICKET_INVALID, "the message is larger than %d bytes",
                           PICKET_WIRE_MESSAGE_BYTES_MAX);
    page.bytes = malloc(page.size_bytes);
    if (page.bytes == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a message of %u bytes",
                           page.size_bytes);
    if (!picket_wire_encode(message, append, &page) || page.filled != page.size_bytes) {
        free(page.bytes);
        return picket_fail(error, PICKET_INVALID, "a message of %u bytes became one of %u",
                           page.size_bytes, page.filled);
    }
    *bytes = page.bytes;
    *size_bytes = page.size_bytes;
    return PICKET_OK;
}

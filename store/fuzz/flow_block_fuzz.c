/* Any bytes as a block of flows: nothing is read past the end, and what is understood is packed
 * into the very bytes it was read from. */
#include <stdlib.h>
#include <string.h>

#include "flow_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *at = data, *end = data + size;
    for (;;) {
        struct picket_flow flow;
        const uint8_t *from = at;
        if (!flow_unpack(&flow, &at, end)) {
            if (at != from)
                abort();
            return 0;
        }
        uint8_t again[FLOW_BYTES_MAX];
        size_t length = flow_pack(&flow, again);
        if (length != (size_t)(at - from) || memcmp(again, from, length) != 0)
            abort();
    }
}

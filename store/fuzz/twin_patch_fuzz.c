/* A twin's patch as a device sends it, on a document that has something of everything; then once
 * more on what came out, which must change nothing but the times. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../twin_patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picket_twin_document before = {
        "{\"a\":1,\"c\":{\"x\":[1,2],\"y\":\"z\"}}", 7,
        "{\"\":[1,2],\"a\":[1,2],\"c\":{\"\":[1,2],\"x\":[1,2],\"y\":[1,2]}}"};
    struct picket_twin_change change = {
        .device = "pump-7",
        .module = "",
        .part = PICKET_TWIN_REPORTED,
        .patch = (const char *)data,
        .patch_bytes = size,
        .now_ms = 5,
    };
    struct twin_patched once, twice;
    struct picket_error error;
    if (twin_patch_apply(&once, &before, &change, 8, &error) != PICKET_OK)
        return 0;
    if (strlen(once.json) > PICKET_TWIN_BYTES_MAX)
        abort();
    struct picket_twin_document after = {once.json, 8, once.times};
    if (twin_patch_apply(&twice, &after, &change, 9, &error) != PICKET_OK ||
        strcmp(once.json, twice.json) != 0)
        abort();
    free(once.json);
    free(once.times);
    free(twice.json);
    free(twice.times);
    return 0;
}

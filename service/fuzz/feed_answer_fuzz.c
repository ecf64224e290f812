/* What servers of feeds say beside the feeds themselves: TAXII's envelopes and directories, MISP's
 * manifests, compressed bytes. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intel/fetching/feed_inflate.h"
#include "intel/fetching/misp_manifest.h"
#include "intel/fetching/taxii_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

enum { BYTES_MAX = 1 << 20 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Each part is found by its key, and there is one of each. */
static void check_parts(struct feed_parts *parts)
{
    feed_parts_settle(parts);
    for (size_t i = 0; i < parts->count; i++) {
        const struct picket_feed_part part = feed_parts_at(parts, i);
        check(feed_parts_find(parts, part.key) == i);
        check(strlen(part.key) < FEED_PART_KEY_BYTES);
        check(part.body != NULL && ((const char *)part.body)[part.body_bytes] == '\0');
    }
}

static void try_page(const char *text, size_t size)
{
    struct feed_parts parts = {.bytes.max_bytes = BYTES_MAX};
    struct taxii_page page;
    struct picket_error error = {0};
    if (taxii_page_parse(text, size, &parts, &page, &error) == PICKET_OK)
        check(memchr(page.next, 0, sizeof page.next) != NULL);
    else
        check(error.text[0] != '\0');
    check_parts(&parts);
    feed_parts_free(&parts);
}

static int count_root(void *context, const char *api_root)
{
    ++*(size_t *)context;
    check(strlen(api_root) < TAXII_URL_BYTES);
    return PICKET_OK;
}

static int count_collection(void *context, const struct taxii_collection *collection)
{
    ++*(size_t *)context;
    check(collection->id[0] != '\0');
    return PICKET_OK;
}

static void try_directory(const char *text, size_t size)
{
    struct picket_error error = {0};
    size_t count = 0;
    bool is_root;
    if (taxii_directory_parse(text, size, count_root, count_collection, &count, &is_root, &error) !=
        PICKET_OK)
        check(error.text[0] != '\0' && count == 0);
}

static void try_manifest(const char *text, size_t size)
{
    struct feed_parts events = {.bytes.max_bytes = BYTES_MAX};
    struct picket_error error = {0};
    if (misp_manifest_parse(text, size, &events, &error) == PICKET_OK) {
        check_parts(&events);
        for (size_t i = 0; i < events.count; i++)
            check(strchr(feed_parts_at(&events, i).key, '/') == NULL);
    } else {
        check(error.text[0] != '\0');
    }
    feed_parts_free(&events);
}

static void try_compressed(const char *text, size_t size)
{
    struct feed_bytes bytes = {.max_bytes = BYTES_MAX};
    struct picket_error error = {0};
    if (feed_bytes_append(&bytes, text, size, &error) == PICKET_OK &&
        feed_inflate(&bytes, &error) == PICKET_OK)
        check(bytes.size_bytes <= BYTES_MAX && bytes.text[bytes.size_bytes] == '\0');
    else
        check(error.text[0] != '\0');
    feed_bytes_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static void (*const tries[])(const char *text, size_t size) = {try_page, try_directory,
                                                                   try_manifest, try_compressed};
    if (size_bytes == 0)
        return 0;
    tries[data[0] % 4]((const char *)data + 1, size_bytes - 1);
    return 0;
}

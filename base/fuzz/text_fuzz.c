/* Any bytes as an address, a prefix and a time: what is understood can be written, and is read as
 * the same again. */
#include <stdlib.h>
#include <string.h>

#include "picket/base/address.h"
#include "picket/base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_address(const char *text, size_t size)
{
    struct picket_address address, again;
    char written[PICKET_ADDRESS_TEXT_BYTES];
    if (!picket_address_parse(&address, text, size))
        return;
    picket_address_format(&address, written);
    if (!picket_address_parse(&again, written, strlen(written)) ||
        memcmp(&address, &again, sizeof address) != 0)
        abort();
    picket_address_special_purpose(&address);
}

static void try_prefix(const char *text, size_t size)
{
    struct picket_prefix prefix, again;
    char written[PICKET_PREFIX_TEXT_BYTES];
    if (!picket_prefix_parse(&prefix, text, size))
        return;
    picket_prefix_format(&prefix, written);
    if (!picket_prefix_parse(&again, written, strlen(written)) ||
        memcmp(&prefix, &again, sizeof prefix) != 0 ||
        !picket_prefix_covers(&prefix, &prefix.address))
        abort();
}

static void try_time(const char *text)
{
    int64_t unix_ms, again;
    char written[PICKET_TIME_TEXT_BYTES];
    if (!picket_time_parse(text, &unix_ms))
        return;
    picket_time_format(unix_ms, written);
    /* An offset may lead out of the years that can be written. */
    bool in_range = unix_ms >= -62167219200000 && unix_ms <= 253402300799999;
    if (in_range && (!picket_time_parse(written, &again) || again != unix_ms))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    try_time(text);
    try_address((const char *)data, size);
    try_prefix((const char *)data, size);
    free(text);
    return 0;
}

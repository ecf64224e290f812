/* A pcapng file from memory. */
#include <stdlib.h>

#include "pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile uint8_t sum;
    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        return 0;
    for (size_t i = 0; i < size; i++)
        copy[i] = data[i];
    FILE *file = fmemopen(copy, size, "rb");
    struct pcapng *reader = file != NULL ? pcapng_open(file) : NULL;
    struct captured_frame frame;
    while (reader != NULL && pcapng_next(reader, &frame, NULL) == 1)
        for (size_t i = 0; i < frame.captured_bytes; i++)
            sum = (uint8_t)(sum + frame.bytes[i]);
    pcapng_close(reader);
    if (file != NULL)
        fclose(file);
    free(copy);
    return 0;
}

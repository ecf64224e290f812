/* make_messages DIRECTORY SEED COUNT: writes random messages, laid out by our encoder, as
 * DIRECTORY/SEED.bin and on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "random_message.h"
#include "reencode.h"

int main(int argc, char **argv)
{
    static struct random_message random;
    if (argc != 4)
        return 2;
    uint64_t seed = strtoull(argv[2], NULL, 10);
    for (uint64_t end = seed + strtoull(argv[3], NULL, 10); seed < end; seed++) {
        char path[4096];
        size_t size_bytes;
        random_message(&random, seed);
        unsigned char *bytes = encode_exactly(&random.message, &size_bytes);
        snprintf(path, sizeof path, "%s/%" PRIu64 ".bin", argv[1], seed);
        FILE *file = fopen(path, "wb");
        if (bytes == NULL || file == NULL || fwrite(bytes, 1, size_bytes, file) != size_bytes ||
            fclose(file) != 0) {
            fprintf(stderr, "%s cannot be written\n", path);
            return 1;
        }
        free(bytes);
    }
    return 0;
}

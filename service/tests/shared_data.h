/* The feeds, captures and messages of ../shared, which is not part of the repository: tests that
 * read it skip themselves with a message when it is not there. */
#ifndef TESTS_SHARED_DATA_H
#define TESTS_SHARED_DATA_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline bool shared_data_is_here(void)
{
    bool here = access(PICKET_SHARED_DIRECTORY "/data/feeds/INDEX.csv", R_OK) == 0;
    if (!here)
        printf("skipped: %s/data is not there\n", PICKET_SHARED_DIRECTORY);
    return here;
}

/* The content of a file, NUL-terminated, to be freed; ends the program if it cannot be read. */
static inline char *whole_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (text == NULL || fread(text, 1, *size, file) != *size)
        exit(2);
    text[*size] = '\0';
    fclose(file);
    return text;
}

/* path: under ../shared. */
static inline char *shared_file(const char *path, size_t *size)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", PICKET_SHARED_DIRECTORY, path);
    return whole_file(whole, size);
}

#endif

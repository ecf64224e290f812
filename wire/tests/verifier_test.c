/* What we accept of mutated messages, the FlatBuffers library's own verifier accepts.
 *
 * The other way round it need not: it does not look at the size of a table and of its vtable's
 * header, nor at a payload without a type, and has other bounds on sharing. What it accepts and we
 * refuse is counted by reason, and must have one of these. */
#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "picket/wire/decoder.h"
#include "random_message.h"
#include "reencode.h"
#include "walk.h"

int flatbuffers_verifies(const uint8_t *bytes, size_t size_bytes);

enum { INPUTS_MAX = 64, INPUT_BYTES_MAX = 20000, MUTATIONS = 3000 };

struct input {
    uint8_t *bytes;
    size_t size_bytes;
};

struct inputs {
    struct input input[INPUTS_MAX];
    size_t count;
};

struct outcome {
    size_t both_accept, both_refuse, only_they_accept;
};

static void add_input(struct inputs *inputs, uint8_t *bytes, size_t size_bytes)
{
    assert_true(inputs->count < INPUTS_MAX);
    inputs->input[inputs->count++] = (struct input){bytes, size_bytes};
}

static void load_corpus(struct inputs *inputs, const char *folder)
{
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        uint8_t *bytes = malloc(INPUT_BYTES_MAX);
        assert_non_null(bytes);
        add_input(inputs, bytes, fread(bytes, 1, INPUT_BYTES_MAX, file));
        fclose(file);
    }
    closedir(directory);
}

static void load_encoded(struct inputs *inputs)
{
    static struct random_message random;
    for (uint64_t seed = 0; seed < 30; seed++) {
        size_t size_bytes;
        random_message(&random, seed);
        uint8_t *bytes = encode_exactly(&random.message, &size_bytes);
        if (size_bytes > INPUT_BYTES_MAX)
            free(bytes);
        else
            add_input(inputs, bytes, size_bytes);
    }
}

/* Numbers that offsets and sizes become wrong by. */
static uint32_t odd_number(uint64_t *state, uint32_t size_bytes)
{
    switch (random_next(state) % 6) {
    case 0:
        return random_next(state) % (size_bytes + 8);
    case 1:
        return 0u - random_next(state) % (size_bytes + 8);
    case 2:
        return random_next(state) % 64;
    case 3:
        return 4 * (random_next(state) % (size_bytes / 4 + 2));
    case 4:
        return 0;
    default:
        return random_next(state);
    }
}

/* The first half of a message has most of what is worth changing. */
static void mutate(uint64_t *state, uint8_t *bytes, size_t *size_bytes)
{
    uint32_t changes = 1 + random_next(state) % 3;
    for (uint32_t i = 0; i < changes; i++) {
        size_t width = (size_t)1 << random_next(state) % 3;
        size_t at = random_next(state) % *size_bytes / width * width;
        uint32_t value = odd_number(state, (uint32_t)*size_bytes);
        for (size_t byte = 0; byte < width && at + byte < *size_bytes; byte++)
            bytes[at + byte] = (uint8_t)(value >> 8 * byte);
    }
    if (random_next(state) % 16 == 0)
        *size_bytes = 1 + random_next(state) % *size_bytes;
}

/* A vtable of which the message ends within the second number, the table's size: the library does
 * not look at that of a table without fields. */
static bool vtable_is_cut_off(const struct picket_wire_error *error, const uint8_t *bytes,
                              size_t size_bytes)
{
    uint32_t back, size = (uint32_t)size_bytes;
    memcpy(&back, bytes + error->offset, sizeof back);
    uint32_t left = size - (error->offset - back);
    return strcmp(error->reason, "vtable outside the message") == 0 && (left == 2 || left == 3);
}

static bool explained(const char *reason)
{
    static const char *const reasons[] = {
        "table of an impossible size",   "table longer than the message",
        "field outside its table",       "vtable of an impossible size",
        "payload without a type",        "tables shared too often",
        "required Event.payload absent", "strings or vectors shared too often",
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    }
    return false;
}

static void compare(struct outcome *outcome, const uint8_t *bytes, size_t size_bytes)
{
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    uint8_t *exact = malloc(size_bytes);
    assert_non_null(exact);
    memcpy(exact, bytes, size_bytes);
    bool ours = picket_wire_open(&view, exact, size_bytes, &error);
    bool theirs = flatbuffers_verifies(exact, size_bytes) != 0;
    if (ours)
        walk_message(&view);
    if (ours && !theirs)
        fail_msg("we accept what the verifier of FlatBuffers refuses");
    if (theirs && !ours && !explained(error.reason) &&
        !vtable_is_cut_off(&error, exact, size_bytes))
        fail_msg("only we refuse: byte %u: %s", error.offset, error.reason);
    outcome->both_accept += ours && theirs;
    outcome->both_refuse += !ours && !theirs;
    outcome->only_they_accept += !ours && theirs;
    free(exact);
}

static uint64_t choose_seed(void)
{
    const char *given = getenv("PICKET_TEST_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)now.tv_nsec;
    printf("seed %" PRIu64 " (PICKET_TEST_SEED=%" PRIu64 " repeats this run)\n", seed, seed);
    return seed + 1;
}

static void what_we_accept_the_library_accepts(void **state)
{
    static struct inputs inputs;
    struct outcome outcome = {0, 0, 0};
    uint8_t *mutated = malloc(INPUT_BYTES_MAX);
    uint64_t random = choose_seed();
    (void)state;
    assert_non_null(mutated);
    load_corpus(&inputs, "../fuzz/decoder_corpus");
    load_encoded(&inputs);
    for (size_t i = 0; i < inputs.count; i++) {
        compare(&outcome, inputs.input[i].bytes, inputs.input[i].size_bytes);
        for (int n = 0; n < MUTATIONS; n++) {
            size_t size_bytes = inputs.input[i].size_bytes;
            memcpy(mutated, inputs.input[i].bytes, size_bytes);
            mutate(&random, mutated, &size_bytes);
            compare(&outcome, mutated, size_bytes);
        }
        free(inputs.input[i].bytes);
    }
    printf("accepted by both %zu, refused by both %zu, accepted by the library only %zu\n",
           outcome.both_accept, outcome.both_refuse, outcome.only_they_accept);
    assert_true(outcome.both_accept > 1000 && outcome.both_refuse > 1000);
    free(mutated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_accept_the_library_accepts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

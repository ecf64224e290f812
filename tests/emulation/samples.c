/* Messages of the predecessor, of flatc and of our encoder, at any alignment, whole, cut off and
 * with bytes changed. What opens is read through every accessor; what the encoder has words for is
 * encoded again. */
#include "samples.h"

#include <string.h>

#include "emulation.h"
#include "reencode.h"
#include "walk.h"

enum { CHANGES = 60, CUTS = 60 };

static uint64_t digest_text(uint64_t digest, const char *text)
{
    while (*text != '\0')
        digest = digest_bytes(digest, text++, 1);
    return digest;
}

static uint64_t encode_again(uint64_t digest, const struct picket_wire_message_view *view)
{
    static struct reencoding reencoding;
    struct sink sink = {.digest = digest};
    if (!reencoding_prepare(&reencoding, view))
        return digest;
    /* False: tables were shared, and written out it is too large. */
    if (!picket_wire_encode(&reencoding.message, sink_take, &sink))
        return digest_number(digest, 0);
    return sink.digest;
}

static uint64_t read_message(uint64_t digest, const uint8_t *bytes, uint32_t size_bytes)
{
    struct picket_wire_message_view view;
    struct picket_wire_error error = {"", 0};
    if (!picket_wire_open(&view, bytes, size_bytes, &error)) {
        check(error.offset <= size_bytes, "a fault is inside the message");
        return digest_number(digest_text(digest, error.reason), error.offset);
    }
    uint64_t sum = walk_message(&view);
    digest = digest_number(digest_number(digest, (uint32_t)(sum >> 32)), (uint32_t)sum);
    return encode_again(digest, &view);
}

static uint64_t read_changed(uint64_t digest, const struct sample *sample)
{
    for (uint32_t i = 0; i < CHANGES; i++) {
        uint8_t *at = board_edge() - sample->size_bytes;
        memcpy(at, sample->bytes, sample->size_bytes);
        for (uint32_t left = 1 + random_below(3); left > 0; left--)
            at[random_below(sample->size_bytes)] = (uint8_t)random_number();
        digest = read_message(digest, at, sample->size_bytes);
    }
    return digest;
}

static uint64_t read_cut(uint64_t digest, const struct sample *sample)
{
    for (uint32_t i = 0; i < CUTS; i++) {
        uint32_t size_bytes = random_below(sample->size_bytes);
        memcpy(board_edge() - size_bytes, sample->bytes, size_bytes);
        digest = read_message(digest, board_edge() - size_bytes, size_bytes);
    }
    return digest;
}

static uint64_t read_whole(const struct sample *sample)
{
    uint64_t digests[4];
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t *at = board_edge() - EDGE_BYTES + i;
        memcpy(at, sample->bytes, sample->size_bytes);
        digests[i] = read_message(DIGEST_START, at, sample->size_bytes);
        check(digests[i] == digests[0], "a message is the same at each alignment");
    }
    return digests[0];
}

static void run_sample(const struct sample *sample)
{
    check(sample->size_bytes > 0 && sample->size_bytes + 4 <= EDGE_BYTES, "a sample has its place");
    board_print("content sample ");
    board_print(sample->name);
    print_digest("whole", read_whole(sample));
    print_digest("cut", read_cut(DIGEST_START, sample));
    print_digest("changed", read_changed(DIGEST_START, sample));
    board_print("\n");
}

void run_samples(void)
{
    for (uint32_t i = 0; i < sample_count; i++)
        run_sample(&samples[i]);
}

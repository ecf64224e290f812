/* The agent's fuzz target on random commands: it is its own judge. */
#include "emulation.h"

enum { SEQUENCES = 400, COMMAND_BYTES_MAX = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void run_sequences(void)
{
    uint64_t digest = DIGEST_START;
    for (uint32_t sequence = 0; sequence < SEQUENCES; sequence++) {
        uint8_t commands[COMMAND_BYTES_MAX];
        uint32_t size_bytes = random_below(COMMAND_BYTES_MAX);
        for (uint32_t i = 0; i < size_bytes; i++)
            commands[i] = (uint8_t)random_number();
        digest = digest_bytes(digest, commands, size_bytes);
        check(LLVMFuzzerTestOneInput(commands, size_bytes) == 0, "a sequence of commands");
    }
    board_print("content");
    print_number("sequences", SEQUENCES);
    print_digest("digest", digest);
    board_print("\n");
}

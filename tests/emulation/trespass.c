/* What the machine must not let pass, so that it can be relied upon: TRESPASS 1 reads a word at an
 * odd address, 2 reads behind the edge. Ends as passed if nothing happens. */
#include "emulation.h"

int main(void)
{
#if TRESPASS == 1
    const volatile uint32_t *word = (const volatile uint32_t *)(void *)(board_edge() - 7);
#else
    const volatile uint8_t *word = board_edge();
#endif
    uint32_t read = *word;
    (void)read;
    board_print("nothing happened\n");
    board_end(true);
    return 0;
}

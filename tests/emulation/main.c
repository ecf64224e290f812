#include "emulation.h"

int main(void)
{
    run_traffic();
    run_hostile_packets();
    run_sequences();
    run_messages();
    run_samples();
    run_crowded_traffic();
    board_end(true);
    return 0;
}

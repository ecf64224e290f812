/* `picket decode` without the rest of picket. */
#include "../../cli/command_decode.h"

int main(int argc, char **argv)
{
    return picket_command_decode(argc, argv);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "run.h"
#include "usage.h"

/* Large for a stack: lists of addresses. */
static struct replay_settings replay_settings;
static struct run_settings run_settings;

int main(int argc, char **argv)
{
    int exit_code;
    const char *command = argc > 1 ? argv[1] : "";
    static char replay_name[] = "picket-agent: replay", run_name[] = "picket-agent: run";
    if (strcmp(command, "replay") == 0) {
        argv[1] = replay_name; /* what getopt begins its messages with */
        return settings_of_replay(&replay_settings, argc - 1, argv + 1, &exit_code)
                   ? replay(&replay_settings)
                   : exit_code;
    }
    if (strcmp(command, "run") == 0) {
        argv[1] = run_name;
        return settings_of_run(&run_settings, argc - 1, argv + 1, &exit_code) ? run(&run_settings)
                                                                              : exit_code;
    }
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0 ||
        strcmp(command, "help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(command, "--version") == 0) {
        puts("picket-agent " PICKET_VERSION);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "picket-agent: %s: expected run or replay\n\n%s",
            argc > 1 ? command : "no command", usage);
    return EXIT_USAGE;
}

/* picket decode FILE...: each security message as one line of JSON. Needs no running Picket. */
#ifndef PICKET_CLI_COMMAND_DECODE_H
#define PICKET_CLI_COMMAND_DECODE_H

/* argv[0] is "decode". Returns the exit status: 0, 1 if a file could not be read or decoded (the
 * others were), 2 for a wrong call. */
int picket_command_decode(int argc, char **argv);

#endif

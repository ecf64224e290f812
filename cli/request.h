/* Commands that are one request to the API, with no options but --json and --socket.
 */
#ifndef PICKET_CLI_REQUEST_H
#define PICKET_CLI_REQUEST_H

#include <jansson.h>

#include "command.h"

struct request {
    const char *method;
    const char *path;      /* as client_url() takes it; its operand is the command's first */
    const char *body;      /* JSON; NULL: none */
    const char *member;    /* of the answer, to be printed; NULL: the whole */
    const char *json_help; /* of --json; NULL: the command has no such option */
    void (*print)(const json_t *value); /* NULL: nothing is printed */
};

/* A command's run(): reads options and operands, does the request, prints. */
int request_run(const struct command *command, int argc, char **argv,
                const struct request *request);

#endif

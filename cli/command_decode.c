#include "command_decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message_json.h"
#include "picket/wire/decoder.h"

static const char help[] =
    "Usage: picket decode FILE...\n"
    "\n"
    "Prints each security message as one line of JSON; - reads one from standard\n"
    "input. Needs no running picket.\n"
    "\n"
    "Options:\n"
    "  --json                       changes nothing: the output is JSON anyway\n"
    "  --help                       print this\n"
    "\n"
    "Members are named as in the message's schema. Addresses are text, the module's\n"
    "version is \"3.5.4\", an event's id is 32 hexadecimal digits. Scalars that the\n"
    "message does not store are shown with their defaults; absent strings are left\n"
    "out. A payload of a type newer than this program has its number as\n"
    "payload_type and null as payload.\n"
    "\n"
    "What is no security message is told on standard error as FILE: byte N: reason;\n"
    "the exit code is then 1, and the other files are printed.\n"
    "\n"
    "  picket decode message-000001.bin | jq .\n"
    "  picket decode messages/*.bin | jq '.events[].payload_type'\n";

/* One byte more than a message may have, so that what is too large is seen to be. */
struct input {
    unsigned char bytes[PICKET_WIRE_MESSAGE_BYTES_MAX + 1];
    size_t size_bytes;
};

static bool read_input(const char *name, struct input *input)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return false;
    }
    errno = 0;
    input->size_bytes = fread(input->bytes, 1, sizeof input->bytes, file);
    bool failed = ferror(file) != 0;
    if (failed)
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
    if (file != stdin)
        fclose(file);
    return !failed;
}

static bool print_line(const char *name, const struct picket_wire_message_view *view)
{
    json_t *json = picket_message_json(view);
    /* A terminal gets ASCII alone: what devices chose must not be able to control it. */
    size_t flags = JSON_COMPACT | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
    bool printed = json != NULL && json_dumpf(json, stdout, flags) == 0 && putchar('\n') != EOF;
    if (json == NULL)
        fprintf(stderr, "%s: not enough memory\n", name);
    json_decref(json);
    return printed;
}

static bool decode(const char *name)
{
    static struct input input;
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    if (!read_input(name, &input))
        return false;
    if (!picket_wire_open(&view, input.bytes, input.size_bytes, &error)) {
        fprintf(stderr, "%s: byte %u: %s\n", name, error.offset, error.reason);
        return false;
    }
    return print_line(name, &view);
}

int picket_command_decode(int argc, char **argv)
{
    int status = 0, files = 0;
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (options && strcmp(argv[i], "--json") == 0)
            continue;
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            continue;
        }
        if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            fprintf(stderr, "picket decode: %s: no such option; picket decode --help\n", argv[i]);
            return 2;
        }
        files++;
        if (!decode(argv[i]))
            status = 1;
        if (ferror(stdout))
            break; /* whoever reads has gone, or the disk is full */
    }
    if (files == 0) {
        fprintf(stderr, "picket decode: name a file, or - for standard input\n");
        return 2;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno != EPIPE)
            fprintf(stderr, "picket decode: standard output: %s\n", strerror(errno));
        clearerr(stdout);
        status = 1;
    }
    return status;
}

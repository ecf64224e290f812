/* picket device import */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "device_file.h"

/* A new file that nobody else may read: it will hold keys. NULL after saying why. */
static FILE *create_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (out == NULL)
        complain("%s: cannot be made: %s", path, strerror(errno));
    return out;
}

static int print_added(const json_t *answer, FILE *out, bool as_json)
{
    const json_t *devices = json_object_get(answer, "devices");
    size_t index;
    const json_t *device;
    json_array_foreach(devices, index, device)
    {
        if (as_json)
            json_dumpf(device, out, JSON_COMPACT | JSON_ENSURE_ASCII);
        else
            fputs(member_text(device, "connection_string"), out);
        fputc('\n', out);
    }
    return fflush(out) == 0 && !ferror(out) ? EXIT_DONE : EXIT_FAILED;
}

/* They are there by now, whatever becomes of the file. */
static int write_added(const json_t *answer, FILE *out, const char *path, bool as_json)
{
    int result = print_added(answer, out, as_json);
    if (path != NULL && (fsync(fileno(out)) != 0 || result != EXIT_DONE)) {
        complain("%s: cannot be written: %s; the devices are added, and `picket device show ID "
                 "--connection-string` tells what was to stand there",
                 path, strerror(errno));
        return EXIT_FAILED;
    }
    fprintf(stderr, "%lld devices added\n", member_number(answer, "added"));
    return result;
}

static int import(const char *socket_path, const char *path, json_t *devices, FILE *out,
                  const char *out_path, bool as_json)
{
    struct client_url url;
    json_t *answer;
    client_url(&url, "/v1/devices/import", NULL);
    json_t *body = json_pack("{s:O, s:s*}", "devices", devices, "source", path);
    int result = client_call(socket_path, "POST", &url, body, &answer);
    json_decref(body);
    if (result != EXIT_DONE)
        return result;
    result = write_added(answer, out, out_path, as_json);
    json_decref(answer);
    return result;
}

static int run_import(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *out_path = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"out", OPTION_TEXT, &out_path, "FILE",
         "a new file for the connection strings, which only you may read"},
        {"json", OPTION_FLAG, &as_json, NULL, "a line of JSON for each, with its keys"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *devices = device_file_read(operands.words[0]);
    if (devices == NULL)
        return EXIT_FAILED;
    FILE *out = out_path != NULL ? create_private(out_path) : stdout;
    result = out != NULL ? import(socket_path, operands.words[0], devices, out, out_path, as_json)
                         : EXIT_FAILED;
    json_decref(devices);
    if (out_path != NULL && out != NULL) {
        long size = ftell(out);
        fclose(out);
        if (result != EXIT_DONE && size == 0)
            unlink(out_path); /* made by us, and of no use */
    }
    return result;
}

const struct command command_device_import = {
    "device import", "FILE", "Enrols many devices: all of a file, or none",
    "FILE (- is standard input) has a device a line: its id alone; or CSV under a\n"
    "heading that begins with id, with any of primary_key, secondary_key,\n"
    "primary_thumbprint, secondary_thumbprint, authentication (ca); or JSON with\n"
    "these members. Who brings no key and no thumbprint gets random keys. Prints\n"
    "their connection strings in the order of the file. Up to 20,000 at a time.\n"
    "\n"
    "  picket device import fleet.csv --out fleet.connections\n"
    "  seq -f 'pump-%g' 10000 | picket device import - --out pumps.connections\n",
    run_import};

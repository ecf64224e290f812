/* picket device rotate-key | rotate-x509 */
#include <string.h>

#include "client.h"
#include "command.h"
#include "command_device.h"

/* Which one of the two: exactly one of the flags is given, or NULL after saying so. */
static const char *which_of(const struct command *command, bool primary, bool secondary, bool swap)
{
    if (primary + secondary + swap == 1)
        return primary ? "primary" : secondary ? "secondary" : "swap";
    complain("%s: one of --primary, --secondary and --swap is expected", command->name);
    return NULL;
}

/* Takes the body. */
static int rotate(const char *socket_path, const char *id, json_t *body, bool as_json,
                  void (*print)(const json_t *device))
{
    struct client_url url;
    if (!body) {
        complain("an id, key or thumbprint is not UTF-8");
        return EXIT_USAGE;
    }
    client_url(&url, "/v1/devices/{id}/rotate", id);
    return client_change(socket_path, "POST", &url, body, as_json, print);
}

static int run_rotate_key(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *key = NULL;
    bool primary = false, secondary = false, swap = false, as_json = false;
    const struct option_spec options[] = {
        {"primary", OPTION_FLAG, &primary, NULL, "replace the primary key"},
        {"secondary", OPTION_FLAG, &secondary, NULL, "replace the secondary key"},
        {"swap", OPTION_FLAG, &swap, NULL, "the primary becomes the secondary, and vice versa"},
        {"key", OPTION_TEXT, &key, "BASE64", "the new key; else a random one"},
        {"json", OPTION_FLAG, &as_json, NULL, "print keys and connection string as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    const char *which = which_of(command, primary, secondary, swap);
    if (!which)
        return EXIT_USAGE;
    json_t *body =
        json_pack("{s:s, s:s, s:s*}", "which", which, "authentication", "sas", "key", key);
    return rotate(socket_path, operands.words[0], body, as_json, print_connection_string);
}

const struct command command_device_rotate_key = {
    "device rotate-key", "ID", "Replaces or swaps a device's keys",
    "Standard output gets the connection string with the new key (after --swap, with\n"
    "the primary one). Connections made with the key that goes end at once, those\n"
    "made with the other one stay. So without a gap: replace the one that the device\n"
    "does not use, give it the new one, and then replace the other.\n"
    "\n"
    "  picket device rotate-key pump-7 --secondary >pump-7.connection\n"
    "  picket device rotate-key pump-7 --swap\n"
    "  picket device rotate-key pump-7 --secondary\n",
    run_rotate_key};

static json_t *thumbprint_value(const char *text)
{
    return strcmp(text, "none") == 0 ? json_null() : json_string(text);
}

static int run_rotate_x509(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *primary = NULL, *secondary = NULL;
    bool swap = false;
    const struct option_spec options[] = {
        {"primary", OPTION_TEXT, &primary, "HEX", "replace the primary thumbprint"},
        {"secondary", OPTION_TEXT, &secondary, "HEX", "replace the secondary thumbprint"},
        {"swap", OPTION_FLAG, &swap, NULL, "the primary becomes the secondary, and vice versa"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    const char *which = which_of(command, primary != NULL, secondary != NULL, swap);
    if (!which)
        return EXIT_USAGE;
    json_t *body = json_pack("{s:s, s:s}", "which", which, "authentication", "thumbprint");
    if (!swap)
        json_object_set_new(body, "thumbprint", thumbprint_value(primary ? primary : secondary));
    return rotate(socket_path, operands.words[0], body, false, NULL);
}

const struct command command_device_rotate_x509 = {
    "device rotate-x509", "ID", "Replaces or swaps its thumbprints",
    "HEX is the SHA-256 (64 digits) or SHA-1 (40) of the new certificate; \"none\"\n"
    "removes it, and one has to remain. Connections made with the certificate that\n"
    "goes end at once, those made with the other one stay.\n"
    "\n"
    "  picket device rotate-x509 pump-7 --secondary 9F86D081884C7D659A2F...\n"
    "  picket device rotate-x509 pump-7 --swap\n"
    "  picket device rotate-x509 pump-7 --secondary none\n",
    run_rotate_x509};

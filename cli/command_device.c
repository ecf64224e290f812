/* picket device add | list | show | remove */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "table.h"
#include "text.h"

static const char *state_name(const json_t *device)
{
    if (!json_is_true(json_object_get(device, "registered")))
        return "removed";
    return json_is_true(json_object_get(device, "enabled")) ? "enabled" : "disabled";
}

/* ---- add ---- */

static int print_added(const json_t *device, bool as_json)
{
    if (as_json)
        return print_json(device);
    printf("%s\n", member_text(device, "connection_string"));
    if (isatty(STDOUT_FILENO))
        fprintf(stderr,
                "Put it into the device. `picket device show %s --connection-string` shows "
                "it again.\n",
                member_text(device, "id"));
    return EXIT_DONE;
}

static int run_add(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *primary = NULL, *secondary = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"primary-key", OPTION_TEXT, &primary, "BASE64",
         "key the device has already; else a new one"},
        {"secondary-key", OPTION_TEXT, &secondary, "BASE64", "likewise"},
        {"json", OPTION_FLAG, &as_json, NULL, "print id, keys and connection string as JSON"},
        {"socket", OPTION_TEXT, &socket_path, "PATH", "of the running picket"},
        {0}};
    struct operands operands;
    struct client_url url;
    json_t *answer;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/devices");
    json_t *body = json_pack("{s:s, s:s*, s:s*}", "id", operands.words[0], "primary_key", primary,
                             "secondary_key", secondary);
    if (!body) {
        complain("an id or key is not UTF-8");
        return EXIT_USAGE;
    }
    result = client_call(client_socket(socket_path), "POST", &url, body, &answer);
    json_decref(body);
    if (result != EXIT_DONE)
        return result;
    result = print_added(answer, as_json);
    json_decref(answer);
    return result;
}

const struct command command_device_add = {
    "device add", "ID", "Enrols a device and prints its connection string",
    "Standard output gets exactly one line, HostName=...;DeviceId=...;SharedAccessKey=..., in the "
    "form\n"
    "that IoT Hub clients take. A device that moves here from elsewhere keeps its keys by "
    "--primary-key\n"
    "and --secondary-key (other users of this machine can see a command's options while it runs).\n"
    "\n"
    "  picket device add pump-7\n"
    "  picket device add pump-7 >pump-7.connection\n",
    run_add};

/* ---- list ---- */

static void print_devices(const json_t *devices)
{
    struct table table;
    char when[32];
    size_t index;
    json_t *device;
    table_begin(&table, 8, "ID", "STATE", "LAST SEEN", ">EVENTS", ">OPEN ALERTS", ">FLOWS LOST",
                "AGENT", "~SYSTEM");
    json_array_foreach(devices, index, device)
    {
        table_cell(&table, "%s", member_text(device, "id"));
        table_cell(&table, "%s", state_name(device));
        table_cell(&table, "%s", text_time(member_time(device, "last_seen"), when));
        table_cell(&table, "%lld", member_number(device, "events"));
        table_cell(&table, "%lld", member_number(device, "open_alerts"));
        table_cell(&table, "%lld", member_number(device, "flows_lost"));
        table_cell(&table, "%s", member_shown(device, "security_module_version"));
        table_cell(&table, "%s", member_shown(device, "os_info"));
    }
    table_end(&table);
}

static int run_list(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON array"},
        {"socket", OPTION_TEXT, &socket_path, "PATH", "of the running picket"},
        {0}};
    struct operands operands;
    struct client_url url;
    json_t *answer;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/devices");
    result = client_call(client_socket(socket_path), "GET", &url, NULL, &answer);
    if (result != EXIT_DONE)
        return result;
    if (as_json)
        print_json(json_object_get(answer, "devices"));
    else
        print_devices(json_object_get(answer, "devices"));
    json_decref(answer);
    return EXIT_DONE;
}

const struct command command_device_list = {
    "device list", "", "Lists all devices: enrolled ones, and removed ones that still have events",
    "  picket device list\n"
    "  picket device list --json | jq -r '.[] | select(.open_alerts > 0) | .id'\n",
    run_list};

/* ---- show ---- */

static void print_line(const char *label, const char *value)
{
    char *safe = text_printable_copy(value);
    printf("%-12s%s\n", label, safe);
    free(safe);
}

static void print_device(const json_t *device)
{
    char text[200], when[32], bytes[32];
    print_line("device", member_text(device, "id"));
    print_line("state", state_name(device));
    print_line("enrolled", text_time(member_time(device, "created"), when));
    print_line("last seen", text_time(member_time(device, "last_seen"), when));
    snprintf(text, sizeof text, "%lld", member_number(device, "events"));
    print_line("events", text);
    snprintf(text, sizeof text, "%lld open", member_number(device, "open_alerts"));
    print_line("alerts", text);
    snprintf(text, sizeof text, "%lld flows, %s, by its own account",
             member_number(device, "flows_lost"),
             text_bytes(member_number(device, "bytes_lost"), bytes));
    print_line("lost", text);
    snprintf(text, sizeof text, "%.100s %.50s", member_shown(device, "security_module_id"),
             member_text(device, "security_module_version"));
    print_line("agent", text);
    print_line("os", member_shown(device, "os_info"));
    print_line("kernel", member_shown(device, "kernel_info"));
    print_line("hardware", member_shown(device, "hw_info"));
}

static int run_show(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false, keys = false;
    const struct option_spec options[] = {
        {"connection-string", OPTION_FLAG, &keys, NULL,
         "print the connection string alone; with --json, keys and connection string too"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        {"socket", OPTION_TEXT, &socket_path, "PATH", "of the running picket"},
        {0}};
    struct operands operands;
    struct client_url url;
    json_t *answer;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/devices");
    client_url_segment(&url, operands.words[0]);
    if (keys)
        client_url_query(&url, "keys", "true");
    result = client_call(client_socket(socket_path), "GET", &url, NULL, &answer);
    if (result != EXIT_DONE)
        return result;
    if (as_json)
        print_json(answer);
    else if (keys)
        printf("%s\n", member_text(answer, "connection_string"));
    else
        print_device(answer);
    json_decref(answer);
    return EXIT_DONE;
}

const struct command command_device_show = {"device show", "ID", "Shows what is known of a device",
                                            "Keys are shown only when they are asked for.\n"
                                            "\n"
                                            "  picket device show pump-7\n"
                                            "  picket device show pump-7 --connection-string\n",
                                            run_show};

/* ---- remove ---- */

static int run_remove(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    const struct option_spec options[] = {
        {"socket", OPTION_TEXT, &socket_path, "PATH", "of the running picket"}, {0}};
    struct operands operands;
    struct client_url url;
    json_t *answer;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/devices");
    client_url_segment(&url, operands.words[0]);
    result = client_call(client_socket(socket_path), "DELETE", &url, NULL, &answer);
    if (result == EXIT_DONE)
        json_decref(answer);
    return result;
}

const struct command command_device_remove = {
    "device remove", "ID", "Removes a device's identity",
    "Its connection ends, and it can no longer connect. Its events and alerts stay.\n"
    "\n"
    "  picket device remove pump-7\n",
    run_remove};

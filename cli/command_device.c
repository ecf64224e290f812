/* picket device add | list | show | disable | enable | remove; rotate-…: command_device_rotate.c */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "activity.h"
#include "client.h"
#include "command.h"
#include "command_device.h"
#include "page.h"
#include "request.h"
#include "table.h"
#include "text.h"

enum { PAGE = 1000 };

static const char device_path[] = "/v1/devices/{id}";

static const char *state_name(const json_t *device)
{
    if (!member_true(device, "registered"))
        return "removed";
    return member_true(device, "enabled") ? "enabled" : "disabled";
}

/* ---- add ---- */

void print_connection_string(const json_t *device)
{
    printf("%s\n", member_text(device, "connection_string"));
}

static void print_added(const json_t *device)
{
    print_connection_string(device);
    if (isatty(STDOUT_FILENO))
        fprintf(stderr,
                "Put it into the device. `picket device show %s --connection-string` shows "
                "it again.\n",
                member_text(device, "id"));
}

static int run_add(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *primary = NULL, *secondary = NULL;
    const char *thumbprint = NULL, *second_thumbprint = NULL;
    bool as_json = false, by_ca = false;
    const struct option_spec options[] = {
        {"primary-key", OPTION_TEXT, &primary, "BASE64",
         "key the device has already; else a new one"},
        {"secondary-key", OPTION_TEXT, &secondary, "BASE64", "likewise"},
        {"thumbprint", OPTION_TEXT, &thumbprint, "HEX",
         "SHA-256 (or SHA-1) of its certificate, not keys"},
        {"secondary-thumbprint", OPTION_TEXT, &second_thumbprint, "HEX", "of a second one"},
        {"x509-ca", OPTION_FLAG, &by_ca, NULL, "it has a registered CA's certificate for ID"},
        {"json", OPTION_FLAG, &as_json, NULL, "print id, keys and connection string as JSON"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, "/v1/devices", NULL);
    json_t *body =
        json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "id", operands.words[0], "primary_key",
                  primary, "secondary_key", secondary, "primary_thumbprint", thumbprint,
                  "secondary_thumbprint", second_thumbprint, "authentication", by_ca ? "ca" : NULL);
    if (!body) {
        complain("an id or key is not UTF-8");
        return EXIT_USAGE;
    }
    return client_change(socket_path, "POST", &url, body, as_json, print_added);
}

const struct command command_device_add = {
    "device add", "ID", "Enrols a device and says how it connects",
    "Standard output gets exactly one line, the connection string in the form that\n"
    "IoT Hub clients take: HostName=...;DeviceId=...;SharedAccessKey=... A device\n"
    "that moves here from elsewhere keeps its keys by --primary-key and\n"
    "--secondary-key (other users of this machine can see a command's options while\n"
    "it runs). One with an X.509 certificate is known by its thumbprint, or by the\n"
    "CA (`picket ca add`) that issued it; its line ends with x509=true.\n"
    "\n"
    "  picket device add pump-7\n"
    "  picket device add pump-7 >pump-7.connection\n"
    "  picket device add pump-7 --thumbprint \"$(openssl x509 -in pump-7.crt -noout \\\n"
    "      -fingerprint -sha256 | cut -d= -f2)\"\n"
    "  picket device add pump-7 --x509-ca\n",
    run_add};

/* ---- list ---- */

static const struct table_column device_columns[] = {
    {"ID", .cut_to = 24},           {"STATE", .leave_out = 4},
    {"LAST SEEN", .leave_out = 6},  {"EVENTS", .right = true, .leave_out = 2},
    {"OPEN ALERTS", .right = true}, {"FLOWS LOST", .right = true, .leave_out = 5},
    {"AGENT", .leave_out = 3},      {"SYSTEM", .cut_to = 16, .leave_out = 1},
};

static void print_devices(const json_t *devices)
{
    struct table table;
    size_t index;
    json_t *device;
    table_begin(&table, "devices", device_columns, 8);
    json_array_foreach(devices, index, device)
    {
        table_cell(&table, "%s", member_text(device, "id"));
        table_cell(&table, "%s", state_name(device));
        table_time(&table, member_time(device, "last_seen"));
        table_cell(&table, "%lld", member_number(device, "events"));
        table_cell(&table, "%lld", member_number(device, "open_alerts"));
        table_cell(&table, "%lld", member_number(device, "flows_lost"));
        table_cell(&table, "%s", member_shown(device, "security_module_version"));
        table_cell(&table, "%s", member_shown(device, "os_info"));
    }
    table_end(&table);
}

/* All of them, page by page; only a page that leads on is followed. */
static int get_devices(const char *socket_path, json_t *devices)
{
    char after[1024] = "";
    for (;;) {
        struct client_url url;
        json_t *answer;
        client_url(&url, "/v1/devices", NULL);
        client_url_query_number(&url, "limit", PAGE);
        if (*after)
            client_url_query(&url, "after", after);
        int result = client_call(socket_path, "GET", &url, NULL, &answer);
        if (result != EXIT_DONE)
            return result;
        json_array_extend(devices, json_object_get(answer, "devices"));
        const char *next = member_text(answer, "next_after");
        bool is_end = strcmp(next, after) <= 0;
        snprintf(after, sizeof after, "%s", next);
        json_decref(answer);
        if (is_end)
            return EXIT_DONE;
    }
}

static int run_list(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON array"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *devices = json_array();
    result = get_devices(socket_path, devices);
    if (result == EXIT_DONE)
        print_either(json_incref(devices), NULL, as_json, print_devices);
    json_decref(devices);
    return result;
}

const struct command command_device_list = {
    "device list", "", "Lists the devices",
    "Enrolled ones, and removed ones of which there are still events. FLOWS LOST are\n"
    "those that the device itself reports it had no room for.\n"
    "\n"
    "  picket device list\n"
    "  picket device list --json | jq -r '.[] | select(.open_alerts > 0) | .id'\n",
    run_list};

/* ---- show ---- */

enum { LABEL_COLUMN = 12, ACTIVITY_SHOWN = 5 };

static const char *authentication_name(const json_t *device)
{
    const char *name = member_text(device, "authentication");
    return strcmp(name, "sas") == 0          ? "SAS token"
           : strcmp(name, "thumbprint") == 0 ? "X.509 certificate with a known thumbprint"
           : strcmp(name, "ca") == 0         ? "X.509 certificate of a registered CA"
                                             : "-";
}

static void print_thumbprint(const char *label, const json_t *device, const char *name)
{
    if (*member_text(device, name))
        page_line(label, LABEL_COLUMN, "%s", member_text(device, name));
}

static void print_at_hub(const json_t *hub)
{
    char connections[64], span[32], times[64];
    if (!json_is_object(hub))
        return;
    long long held_off_s = member_number(hub, "held_off_s");
    long long held_back = member_number(hub, "held_back");
    page_line("hub", LABEL_COLUMN, "%s",
              text_count(member_number(hub, "connections"), "connection", connections));
    if (held_off_s > 0)
        page_line("", LABEL_COLUMN, "HELD OFF for another %s: it connects too often",
                  text_span(held_off_s, span));
    if (held_back > 0)
        page_line("", LABEL_COLUMN, "held back %s: it sends faster than allowed",
                  text_count(held_back, "time", times));
}

static void print_device(const json_t *device)
{
    const char *version = member_text(device, "security_module_version");
    char when[32], bytes[32];
    page_line("device", LABEL_COLUMN, "%s", member_text(device, "id"));
    page_line("state", LABEL_COLUMN, "%s", state_name(device));
    page_line("by", LABEL_COLUMN, "%s", authentication_name(device));
    print_thumbprint("primary", device, "primary_thumbprint");
    print_thumbprint("secondary", device, "secondary_thumbprint");
    page_line("enrolled", LABEL_COLUMN, "%s", text_time(member_time(device, "created"), when));
    page_line("last seen", LABEL_COLUMN, "%s", text_time(member_time(device, "last_seen"), when));
    print_at_hub(json_object_get(device, "hub"));
    page_line("events", LABEL_COLUMN, "%lld", member_number(device, "events"));
    page_line("alerts", LABEL_COLUMN, "%lld open", member_number(device, "open_alerts"));
    page_line("lost", LABEL_COLUMN, "%lld flows, %s, by its own account",
              member_number(device, "flows_lost"),
              text_bytes(member_number(device, "bytes_lost"), bytes));
    page_line("agent", LABEL_COLUMN, "%s%s%s", member_shown(device, "security_module_id"),
              *version ? " " : "", version);
    page_line("os", LABEL_COLUMN, "%s", member_shown(device, "os_info"));
    page_line("kernel", LABEL_COLUMN, "%s", member_shown(device, "kernel_info"));
    page_line("hardware", LABEL_COLUMN, "%s", member_shown(device, "hw_info"));
}

/* The last of what the hub saw of it. */
static int print_activity(const char *socket_path, const char *id)
{
    struct client_url url;
    client_url(&url, "/v1/events", NULL);
    client_url_query(&url, "of", "hub");
    client_url_query(&url, "device", id);
    client_url_query(&url, "since", "24h");
    json_t *events = json_array();
    int result = client_newest(socket_path, &url, "events", ACTIVITY_SHOWN, ACTIVITY_SHOWN, events);
    if (result == EXIT_DONE && json_array_size(events) > 0) {
        putchar('\n');
        page_text(0, 0, "At the hub, the last of 24 h; picket event list --hub has all:");
        activity_print(events, false);
    }
    json_decref(events);
    return result;
}

static int run_show(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false, keys = false;
    const struct option_spec options[] = {
        {"connection-string", OPTION_FLAG, &keys, NULL,
         "print the connection string alone; with --json, keys and connection string too"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, device_path, operands.words[0]);
    if (keys)
        client_url_query(&url, "keys", "true");
    result = client_show(socket_path, &url, NULL, as_json,
                         keys ? print_connection_string : print_device);
    if (result == EXIT_DONE && !keys && !as_json)
        result = print_activity(socket_path, operands.words[0]);
    return result;
}

const struct command command_device_show = {
    "device show", "ID", "Shows what is known of a device",
    "Keys are shown only when they are asked for. Below, the\n"
    "last of what the hub saw of it.\n"
    "\n"
    "  picket device show pump-7\n"
    "  picket device show pump-7 --connection-string\n",
    run_show};

/* ---- change ---- */

static int run_disable(const struct command *command, int argc, char **argv)
{
    static const struct request request = {
        .method = "PATCH", .path = device_path, .body = "{\"enabled\": false}"};
    return request_run(command, argc, argv, &request);
}

const struct command command_device_disable = {
    "device disable", "ID", "Keeps a device out, for the time being",
    "Its connection ends, and it can no longer connect, until it is enabled again.\n"
    "Its keys stay.\n"
    "\n"
    "  picket device disable pump-7\n",
    run_disable};

static int run_enable(const struct command *command, int argc, char **argv)
{
    static const struct request request = {
        .method = "PATCH", .path = device_path, .body = "{\"enabled\": true}"};
    return request_run(command, argc, argv, &request);
}

const struct command command_device_enable = {"device enable", "ID",
                                              "Lets a device in again that was disabled",
                                              "  picket device enable pump-7\n", run_enable};

static int run_remove(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "DELETE", .path = device_path};
    return request_run(command, argc, argv, &request);
}

const struct command command_device_remove = {
    "device remove", "ID", "Removes a device's identity",
    "Its connection ends, and it can no longer connect. Its events and alerts stay.\n"
    "\n"
    "  picket device remove pump-7\n",
    run_remove};

/* picket c2d send | list | purge */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "file.h"
#include "request.h"
#include "table.h"
#include "text.h"

enum { MESSAGE_BYTES_MAX = 65536 };

static const char messages_path[] = "/v1/devices/{id}/messages";

/* ---- send ---- */

/* All of a file as base64. NULL after saying why. */
static json_t *read_payload(const char *path)
{
    static unsigned char text[4 * (MESSAGE_BYTES_MAX / 3 + 2)];
    char *bytes;
    size_t size_bytes;
    struct picket_error error;
    if (file_read(path, MESSAGE_BYTES_MAX, &bytes, &size_bytes, &error) != PICKET_OK) {
        complain("%s", error.text);
        return NULL;
    }
    EVP_EncodeBlock(text, (const unsigned char *)bytes, (int)size_bytes);
    free(bytes);
    return json_string((const char *)text);
}

/* False after saying why. */
static bool add_payload(json_t *body, const struct operands *operands, const char *file)
{
    bool has_text = operands->count > 1;
    if (has_text == (file != NULL)) {
        complain(has_text ? "a text and --file exclude each other"
                          : "what is to be sent is missing: a text, or --file");
        return false;
    }
    json_t *payload = has_text ? json_string(operands->words[1]) : read_payload(file);
    if (has_text && !payload)
        complain("the text is not UTF-8: send it by --file");
    return payload &&
           json_object_set_new(body, has_text ? "payload" : "payload_base64", payload) == 0;
}

/* NAME=VALUE each. False after saying why. */
static bool add_properties(json_t *body, const struct option_texts *properties)
{
    json_t *object = json_object();
    json_object_set_new(body, "properties", object);
    for (int i = 0; i < properties->count; i++) {
        const char *text = properties->texts[i], *equals = strchr(text, '=');
        char name[256];
        snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - text) : 0, text);
        if (!equals || equals == text || (size_t)(equals - text) >= sizeof name ||
            json_object_set_new(object, name, json_string(equals + 1)) != 0) {
            complain("--property: \"%s\": expected NAME=VALUE in UTF-8", text);
            return false;
        }
    }
    return true;
}

static bool add_text(json_t *body, const char *member, const char *text)
{
    if (!text || json_object_set_new(body, member, json_string(text)) == 0)
        return true;
    complain("%s is not UTF-8", member);
    return false;
}

static void print_sent(const json_t *message)
{
    char when[32];
    printf("message %lld waits until %s\n", member_number(message, "id"),
           text_time(member_time(message, "expires"), when));
}

static int run_send(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *file = NULL, *message_id = NULL, *correlation_id = NULL;
    const char *content_type = NULL, *content_encoding = NULL;
    struct option_texts properties = {.count = 0};
    long long expires_in_s = 3600;
    bool as_json = false;
    const struct option_spec options[] = {
        {"file", OPTION_TEXT, &file, "FILE", "its bytes, instead of a text; - is standard input"},
        {"property", OPTION_TEXTS, &properties, "NAME=VALUE", "of the message; may be repeated"},
        {"message-id", OPTION_TEXT, &message_id, "ID", "by which the device knows it"},
        {"correlation-id", OPTION_TEXT, &correlation_id, "ID", "of what it answers"},
        {"content-type", OPTION_TEXT, &content_type, "TYPE", "e.g. application/json"},
        {"content-encoding", OPTION_TEXT, &content_encoding, "NAME", "e.g. utf-8"},
        {"expires-in", OPTION_NUMBER, &expires_in_s, "S", "seconds, up to two days; else an hour"},
        {"json", OPTION_FLAG, &as_json, NULL, "print id and times as a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *body = json_pack("{s:I}", "expires_in_s", (json_int_t)expires_in_s);
    bool fits = add_payload(body, &operands, file) && add_properties(body, &properties) &&
                add_text(body, "message_id", message_id) &&
                add_text(body, "correlation_id", correlation_id) &&
                add_text(body, "content_type", content_type) &&
                add_text(body, "content_encoding", content_encoding);
    if (!fits) {
        json_decref(body);
        return EXIT_USAGE;
    }
    client_url(&url, messages_path, operands.words[0]);
    return client_change(socket_path, "POST", &url, body, as_json, print_sent);
}

const struct command command_c2d_send = {
    "c2d send", "ID [TEXT]", "Queues a message to a device",
    "A connected device gets it at once, any other when it connects; it waits until\n"
    "the device has acknowledged it, or it expires. At most 50 wait for a device.\n"
    "\n"
    "  picket c2d send pump-7 'close the valve' --message-id 17\n"
    "  picket c2d send pump-7 --file image.bin --property part=1 --expires-in 86400\n",
    run_send};

/* ---- list ---- */

static char *properties_text(const json_t *message)
{
    return json_dumps(json_object_get(message, "properties"), JSON_COMPACT);
}

static void print_messages(const json_t *messages)
{
    static const struct table_column columns[] = {
        {"ID", .right = true},         {"QUEUED", .leave_out = 2}, {"EXPIRES", .leave_out = 1},
        {"DELIVERIES", .right = true}, {"BYTES", .right = true},   {"PROPERTIES", .cut_to = 60}};
    struct table table;
    size_t index;
    json_t *message;
    table_begin(&table, "messages", columns, 6);
    json_array_foreach(messages, index, message)
    {
        char *properties = properties_text(message);
        table_cell(&table, "%lld", member_number(message, "id"));
        table_time(&table, member_time(message, "queued"));
        table_time(&table, member_time(message, "expires"));
        table_cell(&table, "%lld", member_number(message, "deliveries"));
        table_cell(&table, "%lld", member_number(message, "payload_bytes"));
        table_cell(&table, "%s", properties ? properties : "");
        free(properties);
    }
    table_end(&table);
}

static int run_list(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false, payload = false;
    const struct option_spec options[] = {
        {"payload", OPTION_FLAG, &payload, NULL, "with --json: the messages' bytes, in base64"},
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON array"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    client_url(&url, messages_path, operands.words[0]);
    if (payload)
        client_url_query(&url, "payload", "true");
    return client_show(socket_path, &url, "messages", as_json, print_messages);
}

const struct command command_c2d_list = {
    "c2d list", "ID", "Lists the messages that wait for a device",
    "In the order in which the device gets them. DELIVERIES is how often one was sent\n"
    "without an acknowledgement; after the tenth it is given up.\n"
    "\n"
    "  picket c2d list pump-7\n",
    run_list};

/* ---- purge ---- */

static void print_purged(const json_t *answer)
{
    char count[64];
    printf("%s removed\n", text_count(member_number(answer, "purged"), "message", count));
}

static int run_purge(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "DELETE",
                                           .path = messages_path,
                                           .json_help = "print their number as a JSON object",
                                           .print = print_purged};
    return request_run(command, argc, argv, &request);
}

const struct command command_c2d_purge = {"c2d purge", "ID",
                                          "Removes the messages that wait for a device",
                                          "One that is on its way may still arrive.\n"
                                          "\n"
                                          "  picket c2d purge pump-7\n",
                                          run_purge};

#include "connection_string.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum field { FIELD_HOST, FIELD_DEVICE, FIELD_KEY, FIELDS };
static const char *const field_names[FIELDS] = {"HostName", "DeviceId", "SharedAccessKey"};

static bool is_host_name(const char *text, size_t size)
{
    if (size == 0 || size > HOST_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("-._:", text[i]) == NULL)
            return false; /* ':' for an IPv6 address */
    return true;
}

/* What Azure allows, but for '#', which MQTT topics do not; '+' and '/' are not allowed either. */
static bool is_device_id(const char *text, size_t size)
{
    if (size == 0 || size > DEVICE_ID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("-.%_*?!(),:=@$'", text[i]) == NULL)
            return false;
    return true;
}

/* Strict base64: groups of four, '=' only at the end. */
static bool decode_key(struct connection_string *parsed, const char *text, size_t size)
{
    enum { TEXT_MAX = (SHARED_ACCESS_KEY_BYTES_MAX + 2) / 3 * 4 };
    uint8_t decoded[TEXT_MAX / 4 * 3];
    if (size == 0 || size % 4 != 0 || size > TEXT_MAX)
        return false;
    size_t padding = (text[size - 1] == '=') + (text[size - 1] == '=' && text[size - 2] == '=');
    for (size_t i = 0; i < size - padding; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '+' && text[i] != '/')
            return false;
    int length = EVP_DecodeBlock(decoded, (const uint8_t *)text, (int)size);
    if (length < 0 || (size_t)length - padding > SHARED_ACCESS_KEY_BYTES_MAX)
        return false;
    parsed->key_bytes = (size_t)length - padding;
    memcpy(parsed->key, decoded, parsed->key_bytes);
    return true;
}

static int take_field(struct connection_string *parsed, enum field field, const char *value,
                      size_t size, struct picket_error *error)
{
    switch (field) {
    case FIELD_HOST:
        if (!is_host_name(value, size))
            return picket_fail(error, PICKET_INVALID,
                               "HostName '%.*s': expected a host name or address without a port",
                               size > 256 ? 256 : (int)size, value);
        memcpy(parsed->host_name, value, size);
        return PICKET_OK;
    case FIELD_DEVICE:
        if (!is_device_id(value, size))
            return picket_fail(error, PICKET_INVALID,
                               "DeviceId '%.*s': expected 1 to 128 of A-Z a-z 0-9 "
                               "- . %% _ * ? ! ( ) , : = @ $ '",
                               size > 256 ? 256 : (int)size, value);
        memcpy(parsed->device_id, value, size);
        return PICKET_OK;
    default:
        return decode_key(parsed, value, size)
                   ? PICKET_OK
                   : picket_fail(error, PICKET_INVALID,
                                 "SharedAccessKey: expected base64 of 1 to %d bytes",
                                 SHARED_ACCESS_KEY_BYTES_MAX);
    }
}

static int field_named(const char *name, size_t size)
{
    for (int field = 0; field < FIELDS; field++)
        if (strlen(field_names[field]) == size && memcmp(field_names[field], name, size) == 0)
            return field;
    return -1;
}

/* text to end is NAME=value. The key's value may hold '=', too. */
static int parse_part(struct connection_string *parsed, bool seen[FIELDS], const char *text,
                      const char *end, struct picket_error *error)
{
    const char *equals = memchr(text, '=', (size_t)(end - text));
    if (equals == NULL)
        return picket_fail(error, PICKET_INVALID,
                           "a part without '='; expected "
                           "HostName=...;DeviceId=...;SharedAccessKey=...");
    int field = field_named(text, (size_t)(equals - text));
    if (field < 0)
        return picket_fail(error, PICKET_INVALID,
                           "field '%.*s': expected HostName, DeviceId and SharedAccessKey",
                           equals - text > 64 ? 64 : (int)(equals - text), text);
    if (seen[field])
        return picket_fail(error, PICKET_INVALID, "%s twice", field_names[field]);
    seen[field] = true;
    return take_field(parsed, (enum field)field, equals + 1, (size_t)(end - equals - 1), error);
}

int connection_string_parse(struct connection_string *parsed, const char *text,
                            struct picket_error *error)
{
    bool seen[FIELDS] = {false};
    memset(parsed, 0, sizeof *parsed);
    text += strspn(text, " \t\r\n");
    const char *end = text + strlen(text);
    while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
        end--;
    while (text < end) {
        const char *semicolon = memchr(text, ';', (size_t)(end - text));
        const char *part_end = semicolon != NULL ? semicolon : end;
        int status = parse_part(parsed, seen, text, part_end, error);
        if (status != PICKET_OK) {
            picket_fail_in(error, "connection string");
            return status;
        }
        text = part_end + (semicolon != NULL);
    }
    for (int field = 0; field < FIELDS; field++)
        if (!seen[field])
            return picket_fail(error, PICKET_INVALID,
                               "connection string: %s is missing; expected "
                               "HostName=...;DeviceId=...;SharedAccessKey=...",
                               field_names[field]);
    return PICKET_OK;
}

int connection_string_read(struct connection_string *parsed, const char *path,
                           struct picket_error *error)
{
    char line[1024];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return picket_fail(error, PICKET_IO, "%s: cannot be opened: %s", path, strerror(errno));
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    if (!read)
        return picket_fail(error, PICKET_INVALID, "%s: empty; expected a connection string", path);
    int status = connection_string_parse(parsed, line, error);
    OPENSSL_cleanse(line, sizeof line);
    if (status != PICKET_OK)
        picket_fail_in(error, "%s", path);
    return status;
}

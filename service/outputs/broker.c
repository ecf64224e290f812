#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPIC_TEMPLATE_BYTES_MAX = 1024 };

/* ---- locations ---- */

static const char *skip_scheme(const char *location, const char *scheme, bool *is_tls)
{
    size_t length = strlen(scheme);
    if (strncmp(location, scheme, length) != 0)
        return NULL;
    *is_tls = location[length] == 's';
    location += length + *is_tls;
    return strncmp(location, "://", 3) == 0 ? location + 3 : NULL;
}

int broker_parse(const char *broker, size_t length, char *host, uint16_t *port,
                 struct picket_error *error)
{
    const char *start = broker, *end = broker + length, *colon;
    if (length > 0 && broker[0] == '[') {
        const char *closing = memchr(broker, ']', length);
        if (closing == NULL)
            return picket_fail(error, PICKET_INVALID, "\"%.*s\": ] is missing", (int)length,
                               broker);
        start = broker + 1;
        end = closing;
        colon = closing + 1 < broker + length ? closing + 1 : NULL;
    } else {
        colon = memchr(broker, ':', length);
        end = colon != NULL ? colon : end;
    }
    if (end == start || end - start >= BROKER_HOST_BYTES)
        return picket_fail(error, PICKET_INVALID, "\"%.*s\" names no host", (int)length, broker);
    snprintf(host, BROKER_HOST_BYTES, "%.*s", (int)(end - start), start);
    if (colon == NULL)
        return PICKET_OK;
    char digits[8] = "";
    size_t digit_count = (size_t)(broker + length - colon - 1);
    if (*colon == ':' && digit_count < sizeof digits)
        snprintf(digits, sizeof digits, "%.*s", (int)digit_count, colon + 1);
    unsigned long number = strtoul(digits, NULL, 10);
    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0' || number < 1 ||
        number > UINT16_MAX)
        return picket_fail(error, PICKET_INVALID, "\"%.*s\": the port is no number from 1 to 65535",
                           (int)length, broker);
    *port = (uint16_t)number;
    return PICKET_OK;
}

static int check_brokers(const char *brokers, struct picket_error *error)
{
    int status = PICKET_OK;
    for (const char *broker = brokers; status == PICKET_OK; broker++) {
        char host[BROKER_HOST_BYTES];
        uint16_t port;
        size_t length = strcspn(broker, ",");
        status = broker_parse(broker, length, host, &port, error);
        broker += length;
        if (*broker == '\0')
            break;
    }
    return status;
}

int broker_location_parse(const char *location, const char *scheme, struct broker_location *parsed,
                          struct picket_error *error)
{
    const char *rest = skip_scheme(location, scheme, &parsed->is_tls);
    if (rest == NULL)
        return picket_fail(error, PICKET_INVALID, "\"%.60s\" starts with neither %s:// nor %ss://",
                           location, scheme, scheme);
    size_t length = strcspn(rest, "/");
    if (memchr(rest, '@', length) != NULL)
        return picket_fail(error, PICKET_INVALID,
                           "there is an @ in it; user and password are settings of their own: "
                           "user, password_file");
    if (length >= sizeof parsed->brokers)
        return picket_fail(error, PICKET_INVALID, "names too many hosts");
    snprintf(parsed->brokers, sizeof parsed->brokers, "%.*s", (int)length, rest);
    parsed->topic = rest[length] == '/' ? rest + length + 1 : "";
    if (parsed->topic[0] == '\0')
        return picket_fail(error, PICKET_INVALID,
                           "\"%.100s\" has no topic; expected %s://HOST[:PORT]/TOPIC", location,
                           scheme);
    return check_brokers(parsed->brokers, error);
}

int broker_check_tls(const struct picket_output_config *config, const char *scheme, bool is_tls,
                     char *setting, struct picket_error *error)
{
    const char *member = config->ca_file != NULL            ? "ca_file"
                         : config->certificate_file != NULL ? "certificate_file"
                                                            : NULL;
    if (is_tls || member == NULL)
        return PICKET_OK;
    snprintf(setting, PICKET_OUTPUT_SETTING_BYTES, "%s", member);
    return picket_fail(error, PICKET_INVALID, "is for TLS; the location does not start with %ss://",
                       scheme);
}

/* ---- topics ---- */

/* What a brace begins. NULL: neither {device} nor {module}. */
static const char *value_at(const char *brace, const char *device, const char *module,
                            size_t *length)
{
    static const char device_name[] = "{device}", module_name[] = "{module}";
    if (strncmp(brace, device_name, sizeof device_name - 1) == 0) {
        *length = sizeof device_name - 1;
        return device[0] != '\0' ? device : "-";
    }
    if (strncmp(brace, module_name, sizeof module_name - 1) == 0) {
        *length = sizeof module_name - 1;
        return module[0] != '\0' ? module : "-";
    }
    return NULL;
}

int topic_template_check(const char *template, struct picket_error *error)
{
    size_t length;
    if (strlen(template) > TOPIC_TEMPLATE_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "the topic is longer than %d bytes",
                           TOPIC_TEMPLATE_BYTES_MAX);
    for (const char *at = template; *at != '\0'; at++) {
        if (*at == '+' || *at == '#' || (unsigned char)*at < ' ' || *at == '\x7f')
            return picket_fail(error, PICKET_INVALID,
                               "topic \"%.100s\": + and # are for subscribing, and there are no "
                               "control characters in topics",
                               template);
        if (*at == '}' || (*at == '{' && value_at(at, "", "", &length) == NULL))
            return picket_fail(error, PICKET_INVALID,
                               "topic \"%.100s\": only {device} and {module} may be in braces",
                               template);
        if (*at == '{')
            at += length - 1;
    }
    return PICKET_OK;
}

static bool is_plain(char character)
{
    return character > ' ' && character < '\x7f' && strchr("/+#$%", character) == NULL;
}

static char *append_value(char *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (is_plain(*value))
            *out++ = *value;
        else
            out += sprintf(out, "%%%02X", (unsigned)(unsigned char)*value);
    }
    return out;
}

char *topic_render(const char *template, const char *device, const char *module)
{
    size_t longest = strlen(device) > strlen(module) ? strlen(device) : strlen(module);
    size_t length, values = 0;
    for (const char *at = template; *at != '\0'; at++)
        values += *at == '{';
    char *topic = malloc(strlen(template) + values * (3 * longest + 1) + 1), *out = topic;
    if (topic == NULL)
        return NULL;
    while (*template != '\0') {
        const char *value = *template == '{' ? value_at(template, device, module, &length) : NULL;
        if (value != NULL) {
            out = append_value(out, value);
            template += length;
        } else {
            *out++ = *template ++;
        }
    }
    *out = '\0';
    return topic;
}

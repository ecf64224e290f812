#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "config_yaml.h"
#include "picket/base/address.h"
#include "picket/base/time.h"

enum {
    HUB_PORT = 8883,
    NAME_CHARACTERS_MAX = 64,
    HOST_NAME_CHARACTERS_MAX = 253,
    PROPERTIES_MAX = 100
};

struct kept_text {
    struct kept_text *next;
    max_align_t bytes[];
};

/* What reading the file carries along. */
struct reading {
    struct picket_config *config;
    struct yaml_file *file; /* NULL: there is none */
    char folder[PATH_MAX];  /* that relative paths start from */
    struct picket_error *error;
};

static const void *keep_bytes(struct picket_config *config, const void *bytes, size_t size)
{
    struct kept_text *kept = malloc(sizeof *kept + size);
    if (!kept)
        abort(); /* at start, before anything could be lost */
    memcpy(kept->bytes, bytes, size);
    kept->next = config->texts;
    config->texts = kept;
    return kept->bytes;
}

static const char *keep(struct picket_config *config, const char *text)
{
    return keep_bytes(config, text, strlen(text) + 1);
}

static int wrong(const struct reading *reading, const char *setting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct reading *reading, const char *setting, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t line = reading->file ? yaml_file_line(reading->file, setting) : 0;
    if (line > 0)
        return picket_fail(reading->error, PICKET_INVALID, "%s:%zu: %s: %s", reading->file->path,
                           line, setting, text);
    return picket_fail(reading->error, PICKET_INVALID, "%s%s%s: %s",
                       reading->file ? reading->file->path : "", reading->file ? ": " : "", setting,
                       text);
}

/* ---- values ---- */

static int number(const struct reading *reading, const char *setting, const char *text,
                  unsigned long long min, unsigned long long max, unsigned long long *out)
{
    if (!text)
        return PICKET_OK;
    errno = 0;
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (!*text || text[strspn(text, "0123456789")] || errno || value < min || value > max)
        return wrong(reading, setting, "\"%.60s\" is not a number from %llu to %llu", text, min,
                     max);
    *out = value;
    return PICKET_OK;
}

static int number_u32(const struct reading *reading, const char *setting, const char *text,
                      uint32_t min, uint32_t max, uint32_t *out)
{
    unsigned long long value = *out;
    int status = number(reading, setting, text, min, max, &value);
    *out = (uint32_t)value;
    return status;
}

/* 0, or a number within the range. */
static int none_or(const struct reading *reading, const char *setting, const char *text,
                   uint32_t min, uint32_t max, uint32_t *out)
{
    int status = number_u32(reading, setting, text, 0, max, out);
    if (status == PICKET_OK && *out > 0 && *out < min)
        return wrong(reading, setting, "\"%.60s\" is neither 0 nor a number from %u to %u", text,
                     min, max);
    return status;
}

/* A span such as 30d, or "never", which is 0. */
static int span(const struct reading *reading, const char *setting, const char *text, int64_t *out)
{
    int64_t span_s = 0;
    if (!text)
        return PICKET_OK;
    if (strcmp(text, "never") != 0 && (!picket_span_parse(text, &span_s) || span_s == 0))
        return wrong(reading, setting,
                     "\"%.60s\" is not a span such as 90s, 30m, 12h or 30d, or never", text);
    *out = span_s;
    return PICKET_OK;
}

static const char *absolute(const struct reading *reading, const char *folder, const char *path)
{
    char joined[2 * PATH_MAX];
    if (path[0] == '/')
        return keep(reading->config, path);
    snprintf(joined, sizeof joined, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path);
    return keep(reading->config, joined);
}

static int path(const struct reading *reading, const char *setting, const char *text,
                const char **out)
{
    if (!text)
        return PICKET_OK;
    if (!*text)
        return wrong(reading, setting, "is empty; expected a path");
    if (text[0] == '~')
        return wrong(reading, setting,
                     "\"%.60s\": ~ does not stand for a home folder here; expected the whole path",
                     text);
    *out = absolute(reading, reading->folder, text);
    return PICKET_OK;
}

/* ---- hub ---- */

static int hub_address(const struct reading *reading, const char *text)
{
    struct picket_address address;
    if (!text)
        return PICKET_OK;
    if (*text && !picket_address_parse(&address, text, strlen(text)))
        return wrong(reading, "hub.address",
                     "\"%.60s\" is not an IPv4 or IPv6 address; \"\" stands for every address of "
                     "this machine",
                     text);
    reading->config->hub.address = keep(reading->config, text);
    return PICKET_OK;
}

static int hub_host_name(const struct reading *reading, const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
    if (!text)
        return PICKET_OK;
    if (!*text || text[strspn(text, allowed)] || strlen(text) > HOST_NAME_CHARACTERS_MAX)
        return wrong(reading, "hub.host_name",
                     "\"%.60s\" is not a host name: letters, digits, - and .", text);
    reading->config->hub.host_name = keep(reading->config, text);
    return PICKET_OK;
}

/* Of each device, and of each address. */
static int hub_limits_each(const struct reading *reading, const struct yaml_limits *limits)
{
    struct picket_hub_config *hub = &reading->config->hub;
    int status = number_u32(reading, "hub.limits.device_packets_per_s",
                            limits->device_packets_per_s, 0, 1000000, &hub->device_packets_per_s);
    if (status == PICKET_OK)
        status = none_or(reading, "hub.limits.device_bytes_per_s", limits->device_bytes_per_s,
                         65536, 1 << 30, &hub->device_bytes_per_s);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.limits.device_connections", limits->device_connections, 0,
                            10000, &hub->device_connections_max);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.limits.device_connects_per_minute",
                            limits->device_connects_per_minute, 0, 100000,
                            &hub->device_connects_per_minute);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.limits.address_connections_per_s",
                            limits->address_connections_per_s, 0, 100000,
                            &hub->address_connections_per_s);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.limits.address_refusals_per_minute",
                            limits->address_refusals_per_minute, 0, 100000,
                            &hub->address_refusals_per_minute);
    return status;
}

static int hub_limits(const struct reading *reading, const struct yaml_limits *limits)
{
    struct picket_hub_config *hub = &reading->config->hub;
    int status = number_u32(reading, "hub.limits.connections", limits->connections, 1, 1000000,
                            &hub->connections_max);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.limits.message_bytes", limits->message_bytes, 1024,
                            262144, &hub->message_bytes_max);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.limits.connect_timeout_s", limits->connect_timeout_s, 1,
                            3600, &hub->connect_timeout_s);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.limits.handshakes", limits->handshakes, 1, 100000,
                            &hub->handshakes_max);
    if (status == PICKET_OK)
        status =
            number_u32(reading, "hub.limits.handshakes_per_address", limits->handshakes_per_address,
                       1, 100000, &hub->handshakes_per_address_max);
    unsigned long long input_bytes = 0, output_bytes = 0;
    if (status == PICKET_OK)
        status = number(reading, "hub.limits.input_bytes", limits->input_bytes, 1048576, 1ULL << 36,
                        &input_bytes);
    if (status == PICKET_OK)
        status = number(reading, "hub.limits.output_bytes", limits->output_bytes, 1048576,
                        1ULL << 36, &output_bytes);
    hub->input_bytes_max = input_bytes;
    hub->output_bytes_max = output_bytes;
    return status == PICKET_OK ? hub_limits_each(reading, limits) : status;
}

/* A span between two bounds; min and max are how they are told. */
static int span_within(const struct reading *reading, const char *setting, const char *text,
                       const char *min, const char *max, uint32_t *out)
{
    int64_t span_s = 0, min_s = 0, max_s = 0;
    if (!text)
        return PICKET_OK;
    picket_span_parse(min, &min_s);
    picket_span_parse(max, &max_s);
    if (!picket_span_parse(text, &span_s) || span_s < min_s || span_s > max_s)
        return wrong(reading, setting, "\"%.60s\" is not a span from %s to %s", text, min, max);
    *out = (uint32_t)span_s;
    return PICKET_OK;
}

static int hub(const struct reading *reading, const struct yaml_hub *yaml)
{
    struct picket_hub_config *config = &reading->config->hub;
    uint32_t port = config->port;
    int status = hub_address(reading, yaml->address);
    if (status == PICKET_OK)
        status = number_u32(reading, "hub.port", yaml->port, 0, 65535, &port);
    config->port = (uint16_t)port;
    if (status == PICKET_OK)
        status = hub_host_name(reading, yaml->host_name);
    if (status == PICKET_OK)
        status = path(reading, "hub.certificate_file", yaml->certificate_file,
                      &config->certificate_file);
    if (status == PICKET_OK)
        status = path(reading, "hub.key_file", yaml->key_file, &config->key_file);
    if (status == PICKET_OK)
        status = span_within(reading, "hub.activity_interval", yaml->activity_interval, "1m", "24h",
                             &config->activity_interval_s);
    if (status == PICKET_OK)
        status = span_within(reading, "hub.certificate_warning", yaml->certificate_warning, "1d",
                             "1000d", &config->certificate_warning_s);
    return status == PICKET_OK ? hub_limits(reading, &yaml->limits) : status;
}

/* ---- store ---- */

static int bound(const struct reading *reading, const char *setting, const char *text,
                 unsigned long long min, unsigned long long max, int64_t *out)
{
    unsigned long long value = (unsigned long long)*out;
    int status = number(reading, setting, text, min, max, &value);
    *out = (int64_t)value;
    return status;
}

static int store_bounds(const struct reading *reading, const struct yaml_store *yaml)
{
    struct picket_store_bounds *bounds = &reading->config->bounds;
    int status = bound(reading, "store.dead_letters", yaml->dead_letters, 1, 100000000,
                       &bounds->dead_letters);
    if (status == PICKET_OK)
        status = bound(reading, "store.dead_letter_bytes", yaml->dead_letter_bytes, 1048576,
                       1ULL << 40, &bounds->dead_letter_bytes);
    if (status == PICKET_OK)
        status = bound(reading, "store.outbox_items", yaml->outbox_items, 1, 100000000,
                       &bounds->outbox_items);
    if (status == PICKET_OK)
        status = bound(reading, "store.outbox_bytes", yaml->outbox_bytes, 1048576, 1ULL << 40,
                       &bounds->outbox_bytes);
    if (status == PICKET_OK)
        status = span(reading, "store.outbox_age", yaml->outbox_age, &bounds->outbox_age_s);
    if (status == PICKET_OK)
        status = span(reading, "store.retention", yaml->retention, &bounds->event_age_s);
    if (status == PICKET_OK)
        status = bound(reading, "store.max_bytes", yaml->max_bytes, 67108864, 1ULL << 50,
                       &bounds->bytes);
    if (status == PICKET_OK)
        status =
            span(reading, "store.closed_alerts", yaml->closed_alerts, &bounds->closed_alert_age_s);
    if (status == PICKET_OK)
        status = span(reading, "store.audit", yaml->audit, &reading->config->audit_age_s);
    return status;
}

/* ---- log, service, diagnostics ---- */

static int log_limits(const struct reading *reading, const struct yaml_log *yaml)
{
    unsigned long long messages = 0, bytes = 0;
    int status = number(reading, "log.messages", yaml->messages, 1, 100000000, &messages);
    if (status == PICKET_OK)
        status = number(reading, "log.bytes", yaml->bytes, 1048576, 1ULL << 36, &bytes);
    reading->config->log.messages = (size_t)messages;
    reading->config->log.bytes = (size_t)bytes;
    return status;
}

static int level(const struct reading *reading, const char *text)
{
    if (!text)
        return PICKET_OK;
    int named = picket_level_named(text);
    if (named < 0)
        return wrong(reading, "diagnostics.level",
                     "\"%.60s\" is none of error, warning, notice, debug", text);
    reading->config->level = (enum picket_level)named;
    return PICKET_OK;
}

/* ---- intelligence ---- */

static int network(const struct reading *reading, const char *setting, const char *text,
                   struct picket_prefix *prefix)
{
    char canonical[PICKET_PREFIX_TEXT_BYTES];
    struct picket_address written;
    if (!picket_prefix_parse(prefix, text, strlen(text)))
        return wrong(reading, setting, "\"%.60s\" is no IPv4 or IPv6 address or ADDRESS/LENGTH",
                     text);
    if (prefix->length == 0)
        return wrong(reading, setting, "\"%.60s\" is every address there is", text);
    if (picket_address_parse(&written, text, strcspn(text, "/")) &&
        memcmp(written.bytes, prefix->address.bytes, sizeof written.bytes) != 0)
        return wrong(reading, setting, "\"%.60s\" has bits set behind its length; is %s meant?",
                     text, picket_prefix_format(prefix, canonical));
    return PICKET_OK;
}

static int own_networks(const struct reading *reading, const struct yaml_intelligence *yaml)
{
    struct picket_prefix prefixes[PICKET_CONFIG_NETWORKS_MAX];
    struct picket_config *config = reading->config;
    for (unsigned i = 0; i < yaml->own_networks_count; i++) {
        char setting[64];
        snprintf(setting, sizeof setting, "intelligence.own_networks[%u]", i);
        int status = network(reading, setting, yaml->own_networks[i], &prefixes[i]);
        if (status != PICKET_OK)
            return status;
    }
    config->own_network_count = yaml->own_networks_count;
    config->own_networks =
        keep_bytes(config, prefixes, yaml->own_networks_count * sizeof prefixes[0]);
    return PICKET_OK;
}

/* ---- outputs and routes ---- */

static bool name_is_taken(const struct picket_config *config, const char *name)
{
    for (size_t i = 0; i < config->output_count; i++) {
        if (strcmp(config->outputs[i].name, name) == 0)
            return true;
    }
    for (size_t i = 0; i < config->route_count; i++) {
        if (strcmp(config->routes[i].name, name) == 0)
            return true;
    }
    return false;
}

static int output_name(const struct reading *reading, const char *setting, const char *text,
                       struct picket_output_config *output)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (!*text || text[strspn(text, allowed)] || strlen(text) > NAME_CHARACTERS_MAX)
        return wrong(reading, setting, "\"%.70s\" is not a name: 1 to %d letters, digits, - and _",
                     text, NAME_CHARACTERS_MAX);
    if (name_is_taken(reading->config, text))
        return wrong(reading, setting, "there is an output or route named \"%s\" already", text);
    output->name = keep(reading->config, text);
    return PICKET_OK;
}

static int output_kind(const struct reading *reading, const char *setting, const char *text,
                       struct picket_output_config *output)
{
    if (!picket_output_kind_named(text, &output->kind))
        return wrong(reading, setting, "\"%.60s\" is none of file, webhook, mqtt, kafka", text);
    return PICKET_OK;
}

static int output_location(const struct reading *reading, const char *setting, const char *text,
                           struct picket_output_config *output)
{
    if (output->kind == PICKET_OUTPUT_FILE)
        return path(reading, setting, text, &output->location);
    output->location = keep(reading->config, text);
    return PICKET_OK;
}

static int output_payload(const struct reading *reading, const char *setting, const char *text,
                          struct picket_output_config *output)
{
    bool is_body = text && strcmp(text, "body") == 0;
    if (text && !is_body && strcmp(text, "json") != 0)
        return wrong(reading, setting, "\"%.60s\" is none of json, body", text);
    if (is_body && strncmp(setting, "outputs", 7) == 0)
        return wrong(reading, setting, "an alert has no body that a device sent; expected json");
    output->payload = is_body ? PICKET_PAYLOAD_BODY : PICKET_PAYLOAD_JSON;
    return PICKET_OK;
}

/* Members that are text without a meaning here, or paths. */
static int output_texts(const struct reading *reading, const char *entry,
                        const struct yaml_output *yaml, struct picket_output_config *out)
{
    const struct {
        const char *name, *text;
        const char **out;
        bool is_path;
    } members[] = {
        {"client_id", yaml->client_id, &out->client_id, false},
        {"user", yaml->user, &out->user, false},
        {"password_file", yaml->password_file, &out->password_file, true},
        {"ca_file", yaml->ca_file, &out->ca_file, true},
        {"certificate_file", yaml->certificate_file, &out->certificate_file, true},
        {"key_file", yaml->key_file, &out->key_file, true},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char setting[64];
        snprintf(setting, sizeof setting, "%s.%s", entry, members[i].name);
        if (members[i].is_path) {
            int status = path(reading, setting, members[i].text, members[i].out);
            if (status != PICKET_OK)
                return status;
        } else if (members[i].text) {
            if (!*members[i].text)
                return wrong(reading, setting, "is empty");
            *members[i].out = keep(reading->config, members[i].text);
        }
    }
    return PICKET_OK;
}

/* ---- names of the writer's own: properties of librdkafka, and of messages ---- */

struct properties {
    const struct reading *reading;
    const char *setting, *expected;
    struct picket_output_property list[PROPERTIES_MAX];
    size_t count;
};

static int take_property(void *context, const char *name, const char *value)
{
    struct properties *properties = context;
    const struct reading *reading = properties->reading;
    if (!name || !value)
        return wrong(reading, properties->setting, "expected %s", properties->expected);
    if (properties->count == PROPERTIES_MAX)
        return wrong(reading, properties->setting, "more than %d", PROPERTIES_MAX);
    properties->list[properties->count++] =
        (struct picket_output_property){keep(reading->config, name), keep(reading->config, value)};
    return PICKET_OK;
}

static int output_properties(const struct reading *reading, const char *setting,
                             const char *expected, const struct picket_output_property **out,
                             size_t *count)
{
    struct properties properties = {.reading = reading, .setting = setting, .expected = expected};
    int status = yaml_file_pairs(reading->file, setting, take_property, &properties);
    if (status != PICKET_OK || properties.count == 0)
        return status;
    *out =
        keep_bytes(reading->config, properties.list, properties.count * sizeof properties.list[0]);
    *count = properties.count;
    return PICKET_OK;
}

static int output_librdkafka(const struct reading *reading, const char *entry,
                             struct picket_output_config *out)
{
    char setting[64];
    snprintf(setting, sizeof setting, "%s.librdkafka", entry);
    return output_properties(reading, setting,
                             "properties of librdkafka, such as compression.type: lz4",
                             &out->properties, &out->property_count);
}

/* ---- which messages a route takes ---- */

static void keep_patterns(const struct reading *reading, const struct yaml_output *yaml,
                          struct picket_route_filter *filter)
{
    const char *patterns[PICKET_CONFIG_PATTERNS_MAX];
    if (yaml->devices_count == 0)
        return;
    for (unsigned i = 0; i < yaml->devices_count; i++)
        patterns[i] = keep(reading->config, yaml->devices[i]);
    filter->devices =
        keep_bytes(reading->config, patterns, yaml->devices_count * sizeof patterns[0]);
    filter->device_count = yaml->devices_count;
}

static int output_filter(const struct reading *reading, const char *entry,
                         const struct yaml_output *yaml, struct picket_output_config *out)
{
    struct picket_route_filter *filter = &out->filter;
    char devices[64], properties[64];
    snprintf(devices, sizeof devices, "%s.devices", entry);
    snprintf(properties, sizeof properties, "%s.properties", entry);
    keep_patterns(reading, yaml, filter);
    int status =
        output_properties(reading, properties, "properties of messages, such as kind: alarm",
                          &filter->properties, &filter->property_count);
    if (status != PICKET_OK || strncmp(entry, "outputs", 7) != 0)
        return status;
    if (filter->device_count > 0)
        return wrong(reading, devices, "is for routes; an output takes every alert");
    if (filter->property_count > 0)
        return wrong(reading, properties, "is for routes; an output takes every alert");
    return PICKET_OK;
}

/* Whether what is there goes together. */
static int check_output(const struct reading *reading, const char *entry,
                        const struct picket_output_config *output)
{
    char member[PICKET_OUTPUT_SETTING_BYTES], setting[sizeof member + 64];
    struct picket_error error;
    if (picket_output_check(output, member, &error) == PICKET_OK)
        return PICKET_OK;
    snprintf(setting, sizeof setting, "%s.%s", entry, member);
    return wrong(reading, setting, "%s", error.text);
}

typedef int (*output_member)(const struct reading *reading, const char *setting, const char *text,
                             struct picket_output_config *output);

static int output(const struct reading *reading, const char *entry, const struct yaml_output *yaml,
                  struct picket_output_config *out)
{
    const struct {
        const char *name;
        const char *text;
        output_member read;
        bool is_needed;
    } members[] = {{"name", yaml->name, output_name, true},
                   {"kind", yaml->kind, output_kind, true},
                   {"location", yaml->location, output_location, true},
                   {"payload", yaml->payload, output_payload, false}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char setting[64];
        if (members[i].is_needed && !members[i].text)
            return wrong(reading, entry, "%s is missing", members[i].name);
        snprintf(setting, sizeof setting, "%s.%s", entry, members[i].name);
        int status = members[i].read(reading, setting, members[i].text, out);
        if (status != PICKET_OK)
            return status;
    }
    int status = output_texts(reading, entry, yaml, out);
    if (status == PICKET_OK)
        status = output_librdkafka(reading, entry, out);
    if (status == PICKET_OK)
        status = output_filter(reading, entry, yaml, out);
    return status == PICKET_OK ? check_output(reading, entry, out) : status;
}

static int outputs(const struct reading *reading, const char *list, const struct yaml_output *yaml,
                   unsigned count, struct picket_output_config *out, size_t *out_count)
{
    for (unsigned i = 0; i < count; i++) {
        char entry[32];
        snprintf(entry, sizeof entry, "%s[%u]", list, i);
        int status = output(reading, entry, &yaml[i], &out[i]);
        if (status != PICKET_OK)
            return status;
        *out_count = i + 1;
    }
    return PICKET_OK;
}

/* ---- the whole ---- */

static void set_defaults(struct reading *reading)
{
    struct picket_config *config = reading->config;
    char host_name[HOST_NAME_CHARACTERS_MAX + 1] = "localhost";
    if (gethostname(host_name, sizeof host_name - 1) != 0 || !host_name[0])
        strcpy(host_name, "localhost");
    config->data_folder = PICKET_DATA_FOLDER;
    config->hub.address = "127.0.0.1";
    config->hub.port = HUB_PORT;
    config->hub.host_name = keep(config, host_name);
    config->hub.device_packets_per_s = 1000;
    config->hub.device_bytes_per_s = 4 << 20;
    config->hub.device_connections_max = 51;
    config->hub.device_connects_per_minute = 6;
    config->hub.address_connections_per_s = 100;
    config->hub.address_refusals_per_minute = 60;
    config->bounds = (struct picket_store_bounds){.dead_letters = 10000,
                                                  .dead_letter_bytes = 64 << 20,
                                                  .outbox_items = 100000,
                                                  .outbox_bytes = 1 << 30,
                                                  .outbox_age_s = 30 * 86400,
                                                  .event_age_s = 30 * 86400,
                                                  .closed_alert_age_s = 365 * 86400};
    config->audit_age_s = 730 * 86400;
    config->hub.certificate_warning_s = 30 * 86400;
    config->level = PICKET_NOTICE;
}

static int check_socket(const struct reading *reading)
{
    const struct sockaddr_un *address = NULL;
    size_t most = sizeof address->sun_path - 1, length = strlen(reading->config->api_socket);
    return length <= most
               ? PICKET_OK
               : wrong(reading, "api.socket", "the path has %zu characters; a socket's at most %zu",
                       length, most);
}

/* What follows from the data folder. */
static int complete(struct reading *reading)
{
    struct picket_config *config = reading->config;
    config->hub.store_folder = config->data_folder;
    if (!config->hub.certificate_file)
        config->hub.certificate_file =
            absolute(reading, config->data_folder, "certificates/server.crt");
    if (!config->hub.key_file)
        config->hub.key_file = absolute(reading, config->data_folder, "certificates/server.key");
    if (!config->api_socket)
        config->api_socket = absolute(reading, config->data_folder, PICKET_SOCKET_NAME);
    return check_socket(reading);
}

static int take(const struct reading *reading, const struct yaml_config *yaml)
{
    struct picket_config *config = reading->config;
    int status = path(reading, "data_folder", yaml->data_folder, &config->data_folder);
    if (status == PICKET_OK)
        status = hub(reading, &yaml->hub);
    if (status == PICKET_OK)
        status = log_limits(reading, &yaml->log);
    if (status == PICKET_OK)
        status = number_u32(reading, "service.batch_messages", yaml->service.batch_messages, 1,
                            100000, &config->batch_messages_max);
    if (status == PICKET_OK)
        status = store_bounds(reading, &yaml->store);
    if (status == PICKET_OK)
        status = own_networks(reading, &yaml->intelligence);
    if (status == PICKET_OK)
        status = path(reading, "api.socket", yaml->api.socket, &config->api_socket);
    if (status == PICKET_OK)
        status = level(reading, yaml->diagnostics.level);
    if (status == PICKET_OK)
        status = outputs(reading, "outputs", yaml->outputs, yaml->outputs_count, config->outputs,
                         &config->output_count);
    if (status == PICKET_OK)
        status = outputs(reading, "routes", yaml->routes, yaml->routes_count, config->routes,
                         &config->route_count);
    return status;
}

/* The folder of the file, as an absolute path without symbolic links. */
static int find_folder(struct reading *reading, const char *file)
{
    char whole[PATH_MAX];
    if (!realpath(file, whole))
        return picket_fail(reading->error, PICKET_IO, "%s: cannot be read: %s", file,
                           strerror(errno));
    char *slash = strrchr(whole, '/');
    *(slash == whole ? slash + 1 : slash) = 0;
    strcpy(reading->folder, whole);
    return PICKET_OK;
}

static int load_file(struct reading *reading, const char *file_path)
{
    struct yaml_file file;
    int status = find_folder(reading, file_path);
    if (status == PICKET_OK)
        status = yaml_file_load(&file, file_path, reading->error);
    if (status != PICKET_OK)
        return status;
    reading->file = &file;
    if (file.values)
        status = take(reading, file.values);
    if (status == PICKET_OK)
        status = complete(reading);
    reading->file = NULL;
    yaml_file_free(&file);
    return status;
}

int picket_config_load(struct picket_config **config, const char *file_path,
                       struct picket_error *error)
{
    struct reading reading = {.config = calloc(1, sizeof(struct picket_config)), .error = error};
    if (!reading.config)
        return picket_fail(error, PICKET_NO_MEMORY, "configuration: out of memory");
    set_defaults(&reading);
    int status = file_path ? load_file(&reading, file_path) : complete(&reading);
    if (status != PICKET_OK) {
        picket_config_free(reading.config);
        return status;
    }
    *config = reading.config;
    return PICKET_OK;
}

void picket_config_free(struct picket_config *config)
{
    if (!config)
        return;
    for (struct kept_text *kept = config->texts, *next; kept; kept = next) {
        next = kept->next;
        free(kept);
    }
    free(config);
}

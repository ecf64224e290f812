/* picket.yaml as text values: syntax, structure and names are checked here, by libcyaml; what the
 * values mean is config.c's. Numbers are text too, since libcyaml reads "12abc" as 12.
 */
#ifndef PICKET_CLI_CONFIG_YAML_H
#define PICKET_CLI_CONFIG_YAML_H

#include <stddef.h>
#include <yaml.h>

#include "picket/base/error.h"

/* NULL: not given. */
struct yaml_limits {
    char *connections, *message_bytes, *connect_timeout_s, *handshakes, *handshakes_per_address,
        *input_bytes, *output_bytes, *device_packets_per_s, *device_bytes_per_s,
        *device_connections, *device_connects_per_minute, *address_connections_per_s,
        *address_refusals_per_minute;
};
struct yaml_hub {
    char *address, *port, *host_name, *certificate_file, *key_file, *activity_interval,
        *certificate_warning;
    struct yaml_limits limits;
};
struct yaml_log {
    char *messages, *bytes;
};
struct yaml_service {
    char *batch_messages;
};
struct yaml_store {
    char *dead_letters, *dead_letter_bytes, *outbox_items, *outbox_bytes, *outbox_age, *retention,
        *max_bytes, *closed_alerts, *audit;
};
struct yaml_intelligence {
    char **own_networks;
    unsigned own_networks_count;
};
struct yaml_api {
    char *socket;
};
struct yaml_diagnostics {
    char *level;
};
struct yaml_output {
    char *name, *kind, *location, *payload, *client_id, *user, *password_file, *ca_file,
        *certificate_file, *key_file;
    char **devices;
    unsigned devices_count;
};
struct yaml_config {
    char *data_folder;
    struct yaml_hub hub;
    struct yaml_log log;
    struct yaml_service service;
    struct yaml_store store;
    struct yaml_api api;
    struct yaml_intelligence intelligence;
    struct yaml_diagnostics diagnostics;
    struct yaml_output *outputs;
    unsigned outputs_count;
    struct yaml_output *routes;
    unsigned routes_count;
};

struct yaml_file {
    const char *path;           /* the caller's */
    struct yaml_config *values; /* NULL for a file without any */
    yaml_document_t document;   /* the same once more, with line numbers */
};

int yaml_file_load(struct yaml_file *file, const char *path, struct picket_error *error);
void yaml_file_free(struct yaml_file *file);

/* The line of a setting's name, 1 being the first: "hub.port", "outputs[2].name" (the third). 0: it
 * is not there. */
size_t yaml_file_line(struct yaml_file *file, const char *setting);

/* Called for each pair of a mapping of the writer's own names, until it is not PICKET_OK. NULL:
 * that is no text; both are NULL if the setting is there and no mapping. */
typedef int (*yaml_pair)(void *context, const char *name, const char *value);
int yaml_file_pairs(struct yaml_file *file, const char *setting, yaml_pair visit, void *context);

#endif

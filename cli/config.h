/* The one configuration file, as `picket serve` uses it. docs/configuration.md and the commented
 * deploy/picket.yaml describe each setting.
 *
 *     picket.yaml ─▶ config_yaml: syntax, known keys ─▶ config: values, ranges, paths, defaults
 *
 * Every error says file, line, setting, what is there and what was expected.
 */
#ifndef PICKET_CLI_CONFIG_H
#define PICKET_CLI_CONFIG_H

#include "picket/base/diagnostics.h"
#include "picket/base/error.h"
#include "picket/hub/hub.h"
#include "picket/log/log.h"
#include "picket/service/service.h"

#define PICKET_DATA_FOLDER "/var/lib/picket"
#define PICKET_SOCKET_NAME "picket.sock"
#define PICKET_CONFIG_FILE "/etc/picket/picket.yaml"

enum {
    PICKET_CONFIG_OUTPUTS_MAX = 32,
    PICKET_CONFIG_PATTERNS_MAX = 1000,
    PICKET_CONFIG_NETWORKS_MAX = 1000,
    PICKET_CONFIG_BYTES_MAX = 1024 * 1024
};

/* All paths are absolute; all text belongs to the configuration. */
struct picket_config {
    const char *data_folder;
    struct picket_hub_config hub; /* store_folder is data_folder */
    struct picket_log_limits log;
    const char *api_socket;
    const struct picket_prefix *own_networks; /* the fleet's own public addresses */
    size_t own_network_count;
    uint32_t batch_messages_max;
    struct picket_store_bounds bounds;
    int64_t audit_age_s; /* of the audit log; 0: for ever */
    enum picket_level level;
    struct picket_output_config outputs[PICKET_CONFIG_OUTPUTS_MAX];
    size_t output_count;
    struct picket_output_config routes[PICKET_CONFIG_OUTPUTS_MAX];
    size_t route_count;
    struct kept_text *texts; /* internal */
};

/* path NULL: the defaults. Files that the configuration names need not exist yet. */
int picket_config_load(struct picket_config **config, const char *path, struct picket_error *error);
void picket_config_free(struct picket_config *config);

#endif

#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usage.h"

/* Options without a letter; those before OPTION_RUN are of both commands. */
enum option_code {
    OPTION_HELP = 256,
    OPTION_LOCAL,
    OPTION_HIGH,
    OPTION_MEDIUM,
    OPTION_LOW,
    OPTION_FIRST_DELAY,
    OPTION_IPV4_FLOWS,
    OPTION_IPV6_FLOWS,
    OPTION_MODULE_ID,
    OPTION_MULTICAST,
    OPTION_EMPTY_EVENTS,
    OPTION_CONNECTION_STRING,
    OPTION_CONNECTION_STRING_FILE,
    OPTION_PORT,
    OPTION_CA,
    OPTION_INTERFACE,
    OPTION_TOKEN_LIFE,
    OPTION_VERBOSE,
    OPTION_FLOWS,
    OPTION_MESSAGES,
    OPTION_JSON,
    OPTION_SEED
};

#define COMMON_OPTIONS                                                                             \
    {"help", no_argument, NULL, OPTION_HELP}, {"local", required_argument, NULL, OPTION_LOCAL},    \
        {"high", required_argument, NULL, OPTION_HIGH},                                            \
        {"medium", required_argument, NULL, OPTION_MEDIUM},                                        \
        {"low", required_argument, NULL, OPTION_LOW},                                              \
        {"first-delay", required_argument, NULL, OPTION_FIRST_DELAY},                              \
        {"ipv4-flows", required_argument, NULL, OPTION_IPV4_FLOWS},                                \
        {"ipv6-flows", required_argument, NULL, OPTION_IPV6_FLOWS},                                \
        {"module-id", required_argument, NULL, OPTION_MODULE_ID},                                  \
        {"multicast", no_argument, NULL, OPTION_MULTICAST},                                        \
    {                                                                                              \
        "empty-events", no_argument, NULL, OPTION_EMPTY_EVENTS                                     \
    }

static const struct option run_options[] = {
    COMMON_OPTIONS,
    {"connection-string", required_argument, NULL, OPTION_CONNECTION_STRING},
    {"connection-string-file", required_argument, NULL, OPTION_CONNECTION_STRING_FILE},
    {"port", required_argument, NULL, OPTION_PORT},
    {"ca", required_argument, NULL, OPTION_CA},
    {"interface", required_argument, NULL, OPTION_INTERFACE},
    {"token-life", required_argument, NULL, OPTION_TOKEN_LIFE},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {NULL, 0, NULL, 0},
};

static const struct option replay_options[] = {
    COMMON_OPTIONS,
    {"flows", required_argument, NULL, OPTION_FLOWS},
    {"messages", required_argument, NULL, OPTION_MESSAGES},
    {"json", no_argument, NULL, OPTION_JSON},
    {"seed", required_argument, NULL, OPTION_SEED},
    {NULL, 0, NULL, 0},
};

static int invalid(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "picket-agent: --%s %s: expected %s\n", option, value, expected);
    return PICKET_INVALID;
}

/* Digits only, up to the character `end`; *rest is behind them. */
static bool read_number(const char *text, uint64_t least, uint64_t most, const char **rest,
                        uint64_t *number)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || value < least || value > most)
        return false;
    *rest = end;
    *number = value;
    return true;
}

static int take_number(const char *option, const char *text, uint64_t least, uint64_t most,
                       uint64_t *number)
{
    char expected[96];
    const char *rest;
    if (read_number(text, least, most, &rest, number) && *rest == '\0')
        return PICKET_OK;
    snprintf(expected, sizeof expected, "a number from %llu to %llu", (unsigned long long)least,
             (unsigned long long)most);
    return invalid(option, text, expected);
}

static int take_u32(const char *option, const char *text, uint32_t least, uint32_t most,
                    uint32_t *number)
{
    uint64_t value = 0;
    int status = take_number(option, text, least, most, &value);
    if (status == PICKET_OK)
        *number = (uint32_t)value;
    return status;
}

static int take_first_delay(struct agent_settings *agent, const char *text)
{
    enum { DELAY_MAX_S = 86400 };
    uint64_t least, most;
    const char *rest;
    bool valid = read_number(text, 0, DELAY_MAX_S, &rest, &least);
    if (valid && *rest == '\0')
        most = least;
    else
        valid = valid && *rest == '-' && read_number(rest + 1, least, DELAY_MAX_S, &rest, &most) &&
                *rest == '\0';
    if (!valid)
        return invalid("first-delay", text, "seconds from 0 to 86400, as MIN-MAX");
    agent->first_delay_given = true;
    agent->first_delay_min_s = (uint32_t)least;
    agent->first_delay_max_s = (uint32_t)most;
    return PICKET_OK;
}

static int take_module_id(struct agent_settings *agent, const char *text)
{
    enum { MODULE_ID_MAX = 128 };
    if (text[0] == '\0' || strlen(text) > MODULE_ID_MAX)
        return invalid("module-id", text, "1 to 128 bytes");
    agent->module_id = text;
    return PICKET_OK;
}

static int take_local(struct local_addresses *local, const char *text)
{
    struct picket_error error;
    int status = local_addresses_add(local, text, &error);
    if (status != PICKET_OK)
        fprintf(stderr, "picket-agent: %s\n", error.text);
    return status;
}

static int take_common(struct agent_settings *agent, struct local_addresses *local, int option,
                       const char *value)
{
    enum { INTERVAL_MAX_S = 7 * 86400 };
    switch (option) {
    case OPTION_LOCAL:
        return take_local(local, value);
    case OPTION_HIGH:
        return take_u32("high", value, 1, INTERVAL_MAX_S, &agent->interval_s[PICKET_PRIORITY_HIGH]);
    case OPTION_MEDIUM:
        return take_u32("medium", value, 1, INTERVAL_MAX_S,
                        &agent->interval_s[PICKET_PRIORITY_MEDIUM]);
    case OPTION_LOW:
        return take_u32("low", value, 1, INTERVAL_MAX_S, &agent->interval_s[PICKET_PRIORITY_LOW]);
    case OPTION_FIRST_DELAY:
        return take_first_delay(agent, value);
    case OPTION_IPV4_FLOWS:
        return take_u32("ipv4-flows", value, 1, FLOWS_MAX, &agent->ipv4_flows);
    case OPTION_IPV6_FLOWS:
        return take_u32("ipv6-flows", value, 1, FLOWS_MAX, &agent->ipv6_flows);
    case OPTION_MODULE_ID:
        return take_module_id(agent, value);
    case OPTION_MULTICAST:
        agent->groups = true;
        return PICKET_OK;
    case OPTION_EMPTY_EVENTS:
        agent->empty_events = true;
        return PICKET_OK;
    default: /* getopt has said what is wrong */
        return PICKET_INVALID;
    }
}

static int take_interface(struct run_settings *settings, const char *name)
{
    if (name[0] == '\0')
        return invalid("interface", "''", "the name of an interface, like eth0");
    if (settings->interface_count == INTERFACES_NAMED_MAX)
        return invalid("interface", name, "at most 64 of them");
    settings->interfaces[settings->interface_count++] = name;
    return PICKET_OK;
}

static int take_run(struct run_settings *settings, int option, const char *value)
{
    uint32_t port;
    int status;
    switch (option) {
    case OPTION_CONNECTION_STRING:
        settings->connection_string = value;
        return PICKET_OK;
    case OPTION_CONNECTION_STRING_FILE:
        settings->connection_string_file = value;
        return PICKET_OK;
    case OPTION_PORT:
        status = take_u32("port", value, 1, 65535, &port);
        if (status == PICKET_OK)
            settings->port = (uint16_t)port;
        return status;
    case OPTION_CA:
        settings->ca_file = value;
        return PICKET_OK;
    case OPTION_INTERFACE:
        return take_interface(settings, value);
    case OPTION_TOKEN_LIFE:
        return take_u32("token-life", value, 5, 86400, &settings->token_life_s);
    case OPTION_VERBOSE:
        settings->verbose = true;
        return PICKET_OK;
    default:
        return take_common(&settings->agent, &settings->local, option, value);
    }
}

static int take_replay(struct replay_settings *settings, int option, const char *value)
{
    switch (option) {
    case OPTION_FLOWS:
        settings->flows_csv = true;
        return strcmp(value, "csv") == 0 ? PICKET_OK : invalid("flows", value, "csv");
    case OPTION_MESSAGES:
        settings->messages = value;
        return value[0] != '\0' ? PICKET_OK : invalid("messages", "''", "a folder");
    case OPTION_JSON:
        settings->json = true;
        return PICKET_OK;
    case OPTION_SEED:
        settings->seeded = true;
        return take_number("seed", value, 0, UINT64_MAX, &settings->seed);
    default:
        return take_common(&settings->agent, &settings->local, option, value);
    }
}

static void agent_defaults(struct agent_settings *agent)
{
    *agent =
        (struct agent_settings){.ipv4_flows = FLOWS_DEFAULT_IPV4, .ipv6_flows = FLOWS_DEFAULT_IPV6};
}

static bool usage_error(const char *command, int *exit_code)
{
    fprintf(stderr, "See picket-agent %s --help.\n", command);
    *exit_code = EXIT_USAGE;
    return false;
}

static bool help(const char *text, int *exit_code)
{
    fputs(text, stdout);
    *exit_code = EXIT_SUCCESS;
    return false;
}

bool settings_of_replay(struct replay_settings *settings, int argc, char **argv, int *exit_code)
{
    memset(settings, 0, sizeof *settings);
    agent_defaults(&settings->agent);
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "h", replay_options, NULL)) != -1;) {
        if (option == OPTION_HELP || option == 'h')
            return help(usage_replay, exit_code);
        if (take_replay(settings, option, optarg) != PICKET_OK)
            return usage_error("replay", exit_code);
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "picket-agent: replay: %s\n",
                optind == argc ? "the capture FILE is missing" : "one capture FILE at a time");
        return usage_error("replay", exit_code);
    }
    settings->file = argv[optind];
    if (settings->local.prefix_count > 0)
        return true;
    fputs("picket-agent: replay: --local is missing: a capture does not tell which addresses are "
          "the device's\n",
          stderr);
    return usage_error("replay", exit_code);
}

bool settings_of_run(struct run_settings *settings, int argc, char **argv, int *exit_code)
{
    memset(settings, 0, sizeof *settings);
    agent_defaults(&settings->agent);
    settings->port = 8883;
    settings->token_life_s = 3600;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "h", run_options, NULL)) != -1;) {
        if (option == OPTION_HELP || option == 'h')
            return help(usage_run, exit_code);
        if (take_run(settings, option, optarg) != PICKET_OK)
            return usage_error("run", exit_code);
    }
    if (optind != argc) {
        fprintf(stderr, "picket-agent: run: %s: expected options only\n", argv[optind]);
        return usage_error("run", exit_code);
    }
    if (settings->connection_string != NULL && settings->connection_string_file != NULL) {
        fputs("picket-agent: run: --connection-string and --connection-string-file: expected one "
              "of them\n",
              stderr);
        return usage_error("run", exit_code);
    }
    return true;
}

void settings_configure(const struct agent_settings *settings, struct picket_agent_config *config)
{
    *config = (struct picket_agent_config){PICKET_AGENT_CONFIG_DEFAULTS};
    for (int i = 0; i < PICKET_PRIORITIES; i++)
        if (settings->interval_s[i] != 0)
            config->interval_s[i] = settings->interval_s[i];
    if (settings->first_delay_given) {
        config->first_delay_min_s = settings->first_delay_min_s;
        config->first_delay_max_s = settings->first_delay_max_s;
    }
    if (settings->module_id != NULL)
        config->security_module_id = settings->module_id;
    config->unicast_only = !settings->groups;
    config->send_empty_events = settings->empty_events;
}

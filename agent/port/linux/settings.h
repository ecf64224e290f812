/* What the command line asks for, checked. The strings are the command line's own. */
#ifndef PICKET_AGENT_LINUX_SETTINGS_H
#define PICKET_AGENT_LINUX_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "local_addresses.h"
#include "picket/agent/agent.h"

/* Of the agent itself, in either command. */
struct agent_settings {
    uint32_t interval_s[PICKET_PRIORITIES]; /* 0: the agent's default */
    bool first_delay_given;
    uint32_t first_delay_min_s;
    uint32_t first_delay_max_s;
    uint32_t ipv4_flows;
    uint32_t ipv6_flows;
    const char *module_id;
    bool groups; /* inbound multicast and broadcast, too */
    bool empty_events;
};

/* The reserve is for packets that arrive while a report is on its way out. */
enum {
    FLOWS_DEFAULT_IPV4 = 2048,
    FLOWS_DEFAULT_IPV6 = 1024,
    FLOWS_RESERVE = 16,
    FLOWS_MAX = 1 << 20
};
enum { INTERFACES_NAMED_MAX = 64 };

struct replay_settings {
    struct agent_settings agent;
    struct local_addresses local;
    const char *file;
    bool flows_csv;
    const char *messages; /* folder, or NULL */
    bool json;
    bool seeded;
    uint64_t seed;
};

struct run_settings {
    struct agent_settings agent;
    struct local_addresses local;
    const char *connection_string; /* at most one of the two; neither: the environment */
    const char *connection_string_file;
    uint16_t port;
    const char *ca_file; /* NULL: the system's certificates */
    const char *interfaces[INTERFACES_NAMED_MAX];
    unsigned interface_count; /* 0: chosen by what they are */
    uint32_t token_life_s;
    bool verbose;
};

enum { EXIT_USAGE = 2 };

/* Both print what is wrong, or the help that was asked for. True: go on with *settings. False: end
 * with *exit_code. argv[0] is the command's name. */
bool settings_of_replay(struct replay_settings *settings, int argc, char **argv, int *exit_code);
bool settings_of_run(struct run_settings *settings, int argc, char **argv, int *exit_code);

/* The agent's configuration, without callbacks, storage and system information. */
void settings_configure(const struct agent_settings *settings, struct picket_agent_config *config);

#endif

/* picket serve */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "config.h"
#include "picket/base/diagnostics.h"
#include "server.h"

/* Blocked in every thread from before the first is started; await_signal() takes them. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* A second signal ends the process at once, which loses nothing that was acknowledged. */
static void await_signal(const sigset_t *signals)
{
    int number = 0;
    sigwait(signals, &number);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    picket_say(PICKET_NOTICE, "cli", "%s: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
}

static const char *shown_address(const struct picket_config *config)
{
    return *config->hub.address ? config->hub.address : "every address";
}

static void print_settings(const struct picket_config *config)
{
    printf("data folder  %s\n", config->data_folder);
    printf("hub          %s port %u, as %s\n", shown_address(config), config->hub.port,
           config->hub.host_name);
    printf("certificate  %s\n", config->hub.certificate_file);
    printf("key          %s\n", config->hub.key_file);
    printf("API          %s\n", config->api_socket);
    for (size_t i = 0; i < config->output_count; i++)
        printf("output       %s\n", config->outputs[i].name);
    for (size_t i = 0; i < config->route_count; i++)
        printf("route        %s\n", config->routes[i].name);
}

static void print_ready(const struct picket_config *config, const struct server *server)
{
    printf("picket %s is ready\n", PICKET_VERSION);
    printf("hub: %s port %u, as %s%s\n", shown_address(config), server_port(server),
           config->hub.host_name,
           strncmp(config->hub.address, "127.", 4) == 0 ? " (this machine only: see hub.address)"
                                                        : "");
    printf("API: %s\n", config->api_socket);
    fflush(stdout);
}

static int serve(const struct picket_config *config)
{
    sigset_t signals;
    struct server *server;
    struct picket_error error = {0};
    picket_diagnostics_threshold(config->level);
    block_signals(&signals);
    if (server_start(&server, config, &error) != PICKET_OK) {
        complain("%s", error.text);
        return EXIT_FAILED;
    }
    print_ready(config, server);
    await_signal(&signals);
    server_stop(server);
    picket_say(PICKET_NOTICE, "cli", "stopped");
    return EXIT_DONE;
}

static int check(const struct picket_config *config)
{
    print_settings(config);
    int result = EXIT_DONE;
    const struct {
        const char *setting, *path;
    } files[] = {{"hub.certificate_file", config->hub.certificate_file},
                 {"hub.key_file", config->hub.key_file}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (access(files[i].path, R_OK) == 0)
            continue;
        complain("%s: cannot read %s", files[i].setting, files[i].path);
        result = EXIT_FAILED;
    }
    return result;
}

static int run(const struct command *command, int argc, char **argv)
{
    const char *path = NULL;
    bool only_check = false;
    const struct option_spec options[] = {
        {"config", OPTION_TEXT, &path, "FILE", "default " PICKET_CONFIG_FILE ", if there is one"},
        {"check-config", OPTION_FLAG, &only_check, NULL,
         "read the configuration, print what follows from it, and end"},
        {0}};
    struct operands operands;
    struct picket_config *config;
    struct picket_error error = {0};
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (!path && access(PICKET_CONFIG_FILE, F_OK) == 0)
        path = PICKET_CONFIG_FILE;
    if (picket_config_load(&config, path, &error) != PICKET_OK) {
        complain("%s", error.text);
        return EXIT_FAILED;
    }
    result = only_check ? check(config) : serve(config);
    picket_config_free(config);
    return result;
}

const struct command command_serve = {
    "serve", "", "Runs hub, service and API in this process until SIGINT or SIGTERM",
    "Prints where it listens when it is ready. Messages for its operator go to standard error.\n"
    "\n"
    "  picket serve --config picket.yaml\n"
    "  picket serve --config picket.yaml --check-config\n",
    run};

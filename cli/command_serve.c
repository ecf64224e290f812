/* picket serve */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "command.h"
#include "config.h"
#include "picket/base/diagnostics.h"
#include "server.h"

/* The terminal was closed; who started us under nohup wants that ignored, and a blocked signal is
 * not. */
static bool hang_up_counts(void)
{
    struct sigaction action;
    return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler != SIG_IGN;
}

/* Blocked in every thread from before the first is started; await_signal() takes them. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    if (hang_up_counts())
        sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* A second signal ends the process at once, which loses nothing that was acknowledged. */
static void await_signal(const sigset_t *signals)
{
    int number = 0;
    sigwait(signals, &number);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    picket_say(PICKET_NOTICE, "cli", "SIG%s: stopping", sigabbrev_np(number));
}

static const char *shown_address(const struct picket_config *config)
{
    return *config->hub.address ? config->hub.address : "every address";
}

/* A webhook's address stays out: it often holds a secret. */
static void print_target(const char *label, const struct picket_output_config *target)
{
    bool is_shown = target->kind != PICKET_OUTPUT_WEBHOOK;
    printf("%-13s%s: %s%s%s\n", label, target->name, picket_output_kind_name(target->kind),
           is_shown ? " " : "", is_shown ? target->location : "");
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
        print_target("output", &config->outputs[i]);
    for (size_t i = 0; i < config->route_count; i++)
        print_target("route", &config->routes[i]);
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

/* A warning only: the hub itself refuses what it cannot work with. */
static void warn_of_certificate(void *context, const char *text)
{
    (void)context;
    picket_say(PICKET_WARNING, "cli", "%s", text);
}

/* Who starts for the first time has none. */
static void say_how_to_get_certificate(const struct picket_config *config)
{
    if (access(config->hub.certificate_file, F_OK) != 0 && errno == ENOENT)
        fprintf(stderr,
                "A certificate for %s is what devices know the hub by: Picket's source has\n"
                "deploy/make-certificates FOLDER %s, which makes one, and a CA for it.\n",
                config->hub.host_name, config->hub.host_name);
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
        say_how_to_get_certificate(config);
        return EXIT_FAILED;
    }
    certificate_check(&config->hub, warn_of_certificate, NULL);
    print_ready(config, server);
    await_signal(&signals);
    server_stop(server);
    picket_say(PICKET_NOTICE, "cli", "stopped");
    return EXIT_DONE;
}

static void complain_of_certificate(void *context, const char *text)
{
    (void)context;
    complain("%s", text);
}

static int check(const struct picket_config *config)
{
    print_settings(config);
    fflush(stdout);
    int problems = certificate_check(&config->hub, complain_of_certificate, NULL);
    return problems ? EXIT_FAILED : EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
    const char *path = NULL;
    bool only_check = false;
    const struct option_spec options[] = {
        {"config", OPTION_TEXT, &path, "FILE", "default " PICKET_CONFIG_FILE ", if there is one"},
        {"check-config", OPTION_FLAG, &only_check, NULL,
         "read configuration and certificate, print what follows, and end"},
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
    "serve", "", "Runs hub, service and API in one process",
    "Prints where it listens when it is ready, and runs until SIGINT, SIGTERM or\n"
    "SIGHUP. Messages for its operator go to standard error. --check-config ends\n"
    "with 1 if the configuration is wrong, or if devices would refuse the\n"
    "certificate: for another host name, ended or ending soon, with\n"
    "another key.\n"
    "\n"
    "  picket serve --config picket.yaml\n"
    "  picket serve --config picket.yaml --check-config\n",
    run};

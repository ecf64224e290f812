/* picket: starts the service, and speaks to it. */
#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "command_decode.h"

static int run_decode(const struct command *command, int argc, char **argv)
{
    (void)command;
    return picket_command_decode(argc, argv);
}

const struct command command_decode = {"decode", "FILE...",
                                       "Prints security messages as lines of JSON", "", run_decode};

/* As `picket --help` lists them. */
static const struct {
    const char *title;
    const struct command *commands[24]; /* up to the first NULL */
} groups[] = {
    {"Running it", {&command_serve, &command_status}},
    {"Devices and what they are told",
     {&command_device_add, &command_device_import, &command_device_list, &command_device_show,
      &command_device_disable, &command_device_enable, &command_device_remove,
      &command_device_rotate_key, &command_device_rotate_x509, &command_twin_show,
      &command_twin_set, &command_method_invoke, &command_c2d_send, &command_c2d_list,
      &command_c2d_purge}},
    {"Threat intelligence",
     {&command_feed_add, &command_feed_list, &command_feed_show, &command_feed_set,
      &command_feed_refresh, &command_feed_remove, &command_feed_collections, &command_allow_list,
      &command_allow_add, &command_allow_remove, &command_intel_lookup, &command_intel_hunt,
      &command_intel_add, &command_intel_change, &command_intel_remove, &command_intel_import,
      &command_intel_list}},
    {"What was found and reported",
     {&command_alert_list, &command_alert_show, &command_alert_explain, &command_alert_acknowledge,
      &command_alert_close, &command_alert_reopen, &command_suppression_add,
      &command_suppression_list, &command_suppression_remove, &command_event_list,
      &command_dead_letter_list, &command_decode}},
    {"Who may connect, and who did what",
     {&command_ca_add, &command_ca_list, &command_ca_show, &command_ca_remove,
      &command_ip_filter_list, &command_ip_filter_add, &command_ip_filter_remove,
      &command_ip_filter_move, &command_ip_filter_default, &command_audit_list,
      &command_audit_export, &command_audit_check}}};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

static void print_command(FILE *stream, const struct command *command)
{
    char left[80];
    snprintf(left, sizeof left, "%s%s%s", command->name, *command->operands ? " " : "",
             command->operands);
    fprintf(stream, "  %-28s  %s\n", left, command->summary);
}

static bool starts_with(const struct command *command, const char *word)
{
    size_t length = strlen(word);
    return strncmp(command->name, word, length) == 0 && command->name[length] == ' ';
}

/* The commands whose names start with the word; stream NULL: only counts them. */
static int print_commands(FILE *stream, const char *word)
{
    int found = 0;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        for (const struct command *const *at = groups[i].commands; *at; at++) {
            if (!starts_with(*at, word))
                continue;
            if (stream)
                print_command(stream, *at);
            found++;
        }
    }
    return found;
}

static int print_help(FILE *stream)
{
    fprintf(stream, "Usage: picket COMMAND [OPTION...]\n\n"
                    "Security for ThreadX devices: hub, detection and alerts.\n");
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        fprintf(stream, "\n%s:\n", groups[i].title);
        for (const struct command *const *at = groups[i].commands; *at; at++)
            print_command(stream, *at);
    }
    fprintf(stream,
            "\n"
            "picket COMMAND --help says more, with examples; picket --version.\n"
            "All but serve and decode speak to the running `picket serve` through its socket:\n"
            "--socket PATH, else the environment's PICKET_SOCKET, else\n"
            "/var/lib/picket/picket.sock.\n");
    return EXIT_DONE;
}

/* Of such a name; *words is how many words it has. */
static bool is_called(const struct command *command, int argc, char **argv, int *words)
{
    const char *name = command->name, *space = strchr(name, ' ');
    size_t first = space ? (size_t)(space - name) : strlen(name);
    *words = space ? 2 : 1;
    return argc > *words && strlen(argv[1]) == first && memcmp(argv[1], name, first) == 0 &&
           (!space || strcmp(argv[2], space + 1) == 0);
}

/* The command that the arguments begin with; *words is how many words its name has. */
static const struct command *find(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        for (const struct command *const *at = groups[i].commands; *at; at++) {
            if (is_called(*at, argc, argv, words))
                return *at;
        }
    }
    return NULL;
}

static int without_command(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return print_help(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        printf("picket %s\n", PICKET_VERSION);
        return EXIT_DONE;
    }
    bool asked = argc > 2 && strcmp(argv[2], "--help") == 0;
    if (asked && print_commands(stdout, argv[1]) > 0)
        return EXIT_DONE;
    if (argc == 2 && print_commands(NULL, argv[1]) > 0)
        complain("\"%s\" goes on with one of these", argv[1]);
    else
        complain("there is no command \"%s%s%s\"", argv[1], argc > 2 ? " " : "",
                 argc > 2 ? argv[2] : "");
    if (print_commands(stderr, argv[1]) == 0)
        fprintf(stderr, "picket --help lists the commands\n");
    return EXIT_USAGE;
}

/* `picket help device add` is `picket device add --help`, and `picket help device` lists what there
 * is. */
static int help_with(int argc, char **argv)
{
    int words;
    const struct command *command = find(argc - 1, argv + 1, &words);
    char help[] = "--help", *asking[] = {argv[argc - 1], help, NULL};
    if (command)
        return command->run(command, 2, asking);
    if (argc == 3 && print_commands(stdout, argv[2]) > 0)
        return EXIT_DONE;
    return without_command(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int words;
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const struct command *command = find(argc, argv, &words);
    int result;
    if (command)
        result = command->run(command, argc - words, argv + words);
    else if (argc > 2 && strcmp(argv[1], "help") == 0)
        result = help_with(argc, argv);
    else
        result = without_command(argc, argv);
    curl_global_cleanup();
    if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE) {
        complain("standard output: %s", strerror(errno));
        result = EXIT_FAILED;
    }
    return result;
}

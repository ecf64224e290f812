/* picket alert acknowledge | close */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"

/* Sends the decision; the body is taken. */
static int decide(const char *socket_path, const char *id, json_t *body)
{
    struct client_url url;
    if (!body) {
        complain("--reason: is not UTF-8");
        return EXIT_USAGE;
    }
    client_url(&url, "/v1/alerts/{id}", id + (id[0] == '#'));
    return client_change(socket_path, "PATCH", &url, body, false, NULL);
}

static int run_acknowledge(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *reason = NULL;
    const struct option_spec options[] = {
        {"reason", OPTION_TEXT, &reason, "TEXT", "who looks at it, and how"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    return decide(socket_path, operands.words[0],
                  json_pack("{s:s, s:s*}", "status", "acknowledged", "reason", reason));
}

const struct command command_alert_acknowledge = {
    "alert acknowledge", "ID", "Says that somebody looks at an alert",
    "It stays open: further findings of its kind add to its count.\n"
    "\n"
    "  picket alert acknowledge 12 --reason 'Ann asks the plant'\n",
    run_acknowledge};

static int run_close(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *reason = NULL, *verdict = NULL;
    const struct option_spec options[] = {
        {"verdict", OPTION_TEXT, &verdict, "VERDICT",
         "true-positive, benign-positive, false-positive or unknown"},
        {"reason", OPTION_TEXT, &reason, "TEXT", "what was found, what was done"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (!verdict) {
        complain("--verdict is missing: true-positive, benign-positive, false-positive or unknown");
        return EXIT_USAGE;
    }
    bool was_real = strcmp(verdict, "true-positive") == 0;
    return decide(socket_path, operands.words[0],
                  json_pack("{s:s, s:s, s:s*}", "status", was_real ? "resolved" : "dismissed",
                            "verdict", verdict, "reason", reason));
}

const struct command command_alert_close = {
    "alert close", "ID", "Closes an alert with a verdict",
    "A true positive is resolved; all else is dismissed. A further finding of its\n"
    "kind is a new alert.\n"
    "\n"
    "  picket alert close 12 --verdict false-positive --reason 'our own time server'\n",
    run_close};

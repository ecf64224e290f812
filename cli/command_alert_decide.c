/* picket alert acknowledge | close | reopen */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "picket/service/intel.h"
#include "text.h"

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

/* A decision that takes nothing but a reason. */
static int run_decision(const struct command *command, int argc, char **argv, const char *status,
                        const char *reason_help)
{
    const char *socket_path = NULL, *reason = NULL;
    const struct option_spec options[] = {
        {"reason", OPTION_TEXT, &reason, "TEXT", reason_help}, OPTION_SOCKET(socket_path), {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    return decide(socket_path, operands.words[0],
                  json_pack("{s:s, s:s*}", "status", status, "reason", reason));
}

static int run_acknowledge(const struct command *command, int argc, char **argv)
{
    return run_decision(command, argc, argv, "acknowledged", "who looks at it, and how");
}

const struct command command_alert_acknowledge = {
    "alert acknowledge", "ID", "Says that somebody looks at an alert",
    "It stays open: further findings of its kind add to its count.\n"
    "\n"
    "  picket alert acknowledge 12 --reason 'Ann asks the plant'\n",
    run_acknowledge};

/* ---- close ---- */

struct closing {
    const char *socket_path;
    const char *verdict, *reason;
    const char *device, *indicator, *type, *severity; /* of many */
    bool change;
};

static bool asks_for_many(const struct closing *closing)
{
    return closing->device || closing->indicator || closing->type;
}

static void complete(json_t *body, const struct closing *closing)
{
    bool was_real = strcmp(closing->verdict, "true-positive") == 0;
    json_object_set_new(body, "status", json_string(was_real ? "resolved" : "dismissed"));
    json_object_set_new(body, "verdict", json_string(closing->verdict));
}

/* A false alarm comes again with the next flow, unless something is done about it. */
static void suggest_silence(const char *device, const char *indicator, const char *type)
{
    fprintf(stderr,
            "If it comes again, that is a new alert. To keep it back for 30 days:\n"
            "  picket suppression add%s%s%s%s%s%s --until 30d --reason TEXT\n",
            *device ? " --device " : "", device, *indicator ? " --indicator " : "", indicator,
            *type ? " --type " : "", type);
    if (*indicator)
        fprintf(stderr, "For good, on all devices: picket allow add %s --reason TEXT\n", indicator);
}

static bool is_false_alarm(const struct closing *closing)
{
    return strcmp(closing->verdict, "false-positive") == 0;
}

static int close_one(const struct closing *closing, const char *id)
{
    struct client_url url;
    json_t *answer, *body = json_pack("{s:s*}", "reason", closing->reason);
    if (!body) {
        complain("--reason: is not UTF-8");
        return EXIT_USAGE;
    }
    complete(body, closing);
    if (closing->change)
        json_object_set_new(body, "change", json_true());
    client_url(&url, "/v1/alerts/{id}", id + (id[0] == '#'));
    int result = client_call(closing->socket_path, "PATCH", &url, body, &answer);
    json_decref(body);
    if (result != EXIT_DONE)
        return result;
    if (is_false_alarm(closing)) {
        const char *subject = member_text(answer, "subject");
        bool is_indicator = picket_is_intelligence(member_text(answer, "type"));
        suggest_silence(member_text(answer, "device"), is_indicator ? subject : "",
                        is_indicator ? "" : member_text(answer, "type"));
    }
    json_decref(answer);
    return EXIT_DONE;
}

static int close_many(const struct closing *closing)
{
    struct client_url url;
    char count[64];
    json_t *answer, *body = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*}", "device", closing->device,
                                      "subject", closing->indicator, "type", closing->type,
                                      "severity", closing->severity, "reason", closing->reason);
    if (!body) {
        complain("what is given is not UTF-8");
        return EXIT_USAGE;
    }
    complete(body, closing);
    client_url(&url, "/v1/alerts/decide", NULL);
    int result = client_call(closing->socket_path, "POST", &url, body, &answer);
    json_decref(body);
    if (result != EXIT_DONE)
        return result;
    printf("%s closed\n", text_count(member_number(answer, "decided"), "alert", count));
    if (is_false_alarm(closing) && member_number(answer, "decided") > 0)
        suggest_silence(closing->device ? closing->device : "",
                        closing->indicator ? closing->indicator : "",
                        closing->type ? closing->type : "");
    json_decref(answer);
    return EXIT_DONE;
}

static bool is_asked_well(const struct closing *closing, const struct operands *operands)
{
    if (!closing->verdict)
        complain("--verdict is missing: true-positive, benign-positive, false-positive or unknown");
    else if ((operands->count > 0) == asks_for_many(closing))
        complain("expected is one alert's ID, or --device, --indicator, --type for many");
    else if (closing->severity && !asks_for_many(closing))
        complain("--severity goes with --device, --indicator or --type");
    else if (closing->change && operands->count == 0)
        complain("--change goes with one alert's ID");
    else
        return true;
    return false;
}

static int run_close(const struct command *command, int argc, char **argv)
{
    struct closing closing = {0};
    const struct option_spec options[] = {
        {"verdict", OPTION_TEXT, &closing.verdict, "VERDICT",
         "true-positive, benign-positive, false-positive or unknown"},
        {"reason", OPTION_TEXT, &closing.reason, "TEXT", "what was found, what was done"},
        {"change", OPTION_FLAG, &closing.change, NULL, "one that is closed gets this verdict"},
        {"device", OPTION_TEXT, &closing.device, "ID", "all open ones of this device"},
        {"indicator", OPTION_TEXT, &closing.indicator, "PREFIX", "all open ones of this indicator"},
        {"type", OPTION_TEXT, &closing.type, "TYPE", "all open ones of this type"},
        {"severity", OPTION_TEXT, &closing.severity, "SEVERITY", "of these at least that severe"},
        OPTION_SOCKET(closing.socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    if (!is_asked_well(&closing, &operands))
        return EXIT_USAGE;
    return operands.count > 0 ? close_one(&closing, operands.words[0]) : close_many(&closing);
}

const struct command command_alert_close = {
    "alert close", "[ID]", "Closes an alert, or many, with a verdict",
    "A true positive is resolved; all else is dismissed. A further finding of its\n"
    "kind is a new alert. Instead of an ID, --device, --indicator and --type name\n"
    "all open alerts that fit each of them.\n"
    "\n"
    "  picket alert close 12 --verdict false-positive --reason 'our own time server'\n"
    "  picket alert close --indicator 203.0.113.9 --verdict true-positive\n",
    run_close};

static int run_reopen(const struct command *command, int argc, char **argv)
{
    return run_decision(command, argc, argv, "new", "why it is looked at again");
}

const struct command command_alert_reopen = {
    "alert reopen", "ID", "Opens a closed alert again",
    "Its verdict goes; the audit log keeps it. Further findings of its kind add to\n"
    "its count again. If one of them has opened another alert, look at that one.\n"
    "\n"
    "  picket alert reopen 12 --reason 'the plant says it was not them'\n",
    run_reopen};

/* picket method invoke */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "command.h"
#include "page.h"

enum { LABEL_COLUMN = 9, REFUSED_FROM = 400 };

static void print_result(const json_t *result)
{
    char *payload = json_dumps(json_object_get(result, "payload"),
                               JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    page_line("status", LABEL_COLUMN, "%lld", member_number(result, "status"));
    page_line("payload", LABEL_COLUMN, "%s", payload ? payload : "");
    free(payload);
}

/* NULL after saying why. */
static json_t *parse_payload(const char *text)
{
    json_error_t problem;
    json_t *payload = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
    if (!payload)
        complain("--payload: not JSON: column %d: %s", problem.column, problem.text);
    return payload;
}

static int invoke(const char *socket_path, const char *id, const char *module, json_t *body,
                  bool as_json)
{
    struct client_url url;
    json_t *answer;
    client_url(&url, "/v1/devices/{id}/methods", id);
    if (module)
        client_url_query(&url, "module", module);
    int result = client_call(socket_path, "POST", &url, body, &answer);
    if (result != EXIT_DONE)
        return result;
    bool refused = member_number(answer, "status") >= REFUSED_FROM;
    print_either(answer, NULL, as_json, print_result);
    return refused ? EXIT_FAILED : EXIT_DONE;
}

static int run_invoke(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL, *module = NULL, *payload = "null";
    long long timeout_s = 30, connect_timeout_s = 0;
    bool as_json = false;
    const struct option_spec options[] = {
        {"payload", OPTION_TEXT, &payload, "JSON", "what the method is called with; else null"},
        {"timeout", OPTION_NUMBER, &timeout_s, "S", "seconds for the device's answer; else 30"},
        {"connect-timeout", OPTION_NUMBER, &connect_timeout_s, "S",
         "seconds to wait for the device to connect; else none"},
        {"module", OPTION_TEXT, &module, "ID", "of that module of the device"},
        {"json", OPTION_FLAG, &as_json, NULL, "print status and payload as a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *parsed = parse_payload(payload);
    if (!parsed)
        return EXIT_USAGE;
    json_t *body =
        json_pack("{s:s, s:o, s:I, s:I}", "name", operands.words[1], "payload", parsed, "timeout_s",
                  (json_int_t)timeout_s, "connect_timeout_s", (json_int_t)connect_timeout_s);
    if (!body) {
        complain("the method's name is not UTF-8");
        return EXIT_USAGE;
    }
    result = invoke(socket_path, operands.words[0], module, body, as_json);
    json_decref(body);
    return result;
}

const struct command command_method_invoke = {
    "method invoke", "ID NAME", "Calls a method of a device, shows its answer",
    "The device has to be connected, or to connect within --connect-timeout. A status\n"
    "of 400 and more ends with 1; so does a device that does not answer. A\n"
    "component's command is COMPONENT*COMMAND.\n"
    "\n"
    "  picket method invoke pump-7 reboot --payload '{\"delay\": 5}'\n"
    "  picket method invoke pump-7 getMaxMinReport --timeout 60 --connect-timeout 120\n",
    run_invoke};

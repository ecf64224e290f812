#include "request.h"

#include "client.h"

int request_run(const struct command *command, int argc, char **argv, const struct request *request)
{
    const char *socket_path = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"json", OPTION_FLAG, &as_json, NULL, request->json_help}, OPTION_SOCKET(socket_path), {0}};
    struct operands operands;
    struct client_url url;
    json_t *answer;
    int result;
    if (!command_parse(command, request->json_help ? options : options + 1, argc, argv, &operands,
                       &result))
        return result;
    client_url(&url, request->path, operands.count > 0 ? operands.words[0] : NULL);
    json_t *body = request->body ? json_loads(request->body, 0, NULL) : NULL;
    result = client_call(socket_path, request->method, &url, body, &answer);
    json_decref(body);
    if (result == EXIT_DONE)
        print_either(answer, request->member, as_json, request->print);
    return result;
}

#include "api_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

static void on_device_changed(void *context, const char *device)
{
    struct fixture *fixture = context;
    snprintf(fixture->changed_device, sizeof fixture->changed_device, "%s", device);
    if (fixture->slow_callback) {
        sem_post(&fixture->in_callback);
        usleep(300000);
    }
}

static void on_twin_changed(void *context, const char *device, const char *module, int64_t version,
                            const char *patch)
{
    struct fixture *fixture = context;
    snprintf(fixture->twin_change, sizeof fixture->twin_change, "%s [%s] %lld %s", device, module,
             (long long)version, patch);
}

static int on_method(void *context, const struct picket_api_method *method,
                     struct picket_api_method_result *result, struct picket_error *error)
{
    struct fixture *fixture = context;
    snprintf(fixture->method, sizeof fixture->method, "%s [%s] %s %u %u %s", method->device,
             method->module, method->name, method->timeout_s, method->connect_timeout_s,
             method->payload);
    if (fixture->method_outcome != PICKET_OK)
        return picket_fail(error, fixture->method_outcome, "as the hub says");
    *result = (struct picket_api_method_result){201, strdup(fixture->method_payload),
                                                strlen(fixture->method_payload)};
    return PICKET_OK;
}

static void on_messages_changed(void *context, const char *device, enum picket_api_messages what,
                                uint64_t count)
{
    static const char *const names[] = {"queued", "purged", "expired", "full", "large"};
    struct fixture *fixture = context;
    size_t used = strlen(fixture->messages_changed);
    snprintf(fixture->messages_changed + used, sizeof fixture->messages_changed - used,
             "%s %s %llu;", device, names[what], (unsigned long long)count);
}

static void on_status(void *context, void *json_object)
{
    (void)context;
    json_object_set_new(json_object, "hub", json_pack("{s:i}", "port", 8883));
}

struct picket_api_config fixture_api_config(struct fixture *fixture)
{
    return (struct picket_api_config){.socket_path = fixture->socket_path,
                                      .store_folder = fixture->folder,
                                      .host_name = "hub.example.org",
                                      .log = fixture->log,
                                      .intel = fixture->intel,
                                      .service = fixture->service,
                                      .hunter = fixture->hunter,
                                      .add_status = on_status,
                                      .device_changed = on_device_changed,
                                      .twin_changed = on_twin_changed,
                                      .invoke_method = on_method,
                                      .messages_changed = on_messages_changed,
                                      .context = fixture};
}

enum { NEVER_MS = 24 * 3600 * 1000 };

static void must(int status, const struct picket_error *error)
{
    if (status != PICKET_OK)
        fail_msg("%s", error->text);
}

int fixture_start(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct picket_error error = {0};
    const struct picket_service_config service = {.store_folder = fixture->folder};
    fixture->method_payload = "{\"a\": 1}";
    picket_diagnostics_threshold(PICKET_ERROR);
    strcpy(fixture->folder, "/tmp/picket-api-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->socket_path, sizeof fixture->socket_path, "%s/api", fixture->folder);
    must(picket_store_open(&fixture->store, fixture->folder, &error), &error);
    must(picket_log_open_direct(&fixture->log, NULL, &error), &error);
    must(picket_intel_start(&fixture->intel, fixture->folder, &error), &error);
    must(picket_service_start(&fixture->service, &service, fixture->log, fixture->intel, &error),
         &error);
    const struct picket_hunter_config hunting = {.store_folder = fixture->folder,
                                                 .intel = fixture->intel,
                                                 .service = fixture->service,
                                                 .quiet_ms = NEVER_MS,
                                                 .longest_ms = NEVER_MS};
    must(picket_hunter_start(&fixture->hunter, &hunting, &error), &error);
    struct picket_api_config config = fixture_api_config(fixture);
    must(picket_api_start(&fixture->api, &config, &error), &error);
    *state = fixture;
    return 0;
}

int fixture_start_with_device(void **state)
{
    int result = fixture_start(state);
    if (result != 0)
        return result;
    struct http_answer answer = expect(*state, 201, "POST", "/v1/devices", "{\"id\": \"d\"}");
    http_release(&answer);
    return 0;
}

int fixture_stop(void **state)
{
    struct fixture *fixture = *state;
    char command[100];
    picket_api_stop(fixture->api);
    picket_log_close(fixture->log);
    picket_hunter_stop(fixture->hunter);
    picket_service_stop(fixture->service);
    picket_intel_stop(fixture->intel);
    picket_log_destroy(fixture->log);
    picket_store_close(fixture->store);
    snprintf(command, sizeof command, "rm -rf %s", fixture->folder);
    int result = system(command);
    free(fixture);
    return result;
}

struct http_answer expect(struct fixture *fixture, int status, const char *method, const char *path,
                          const char *body)
{
    struct http_answer answer = http_call(fixture->socket_path, method, path, body);
    if (answer.status != status)
        fail_msg("%s %s: status %d, expected %d: %s", method, path, answer.status, status,
                 answer.body ? json_string_value(json_object_get(answer.body, "error"))
                             : "no JSON");
    assert_non_null(answer.body);
    return answer;
}

void expect_error(struct fixture *fixture, int status, const char *method, const char *path,
                  const char *body, const char *error_part)
{
    struct http_answer answer = expect(fixture, status, method, path, body);
    if (!strstr(text_at(answer.body, "error"), error_part))
        fail_msg("%s %s: \"%s\" lacks \"%s\"", method, path, text_at(answer.body, "error"),
                 error_part);
    assert_int_equal(number_at(answer.body, "status"), status);
    http_release(&answer);
}

const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text)
        fail_msg("\"%s\" is not a string", name);
    return text;
}

long long number_at(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value))
        fail_msg("\"%s\" is not an integer", name);
    return json_integer_value(value);
}

void write_file(struct fixture *fixture, const char *name, const char *content, char *out,
                size_t size_bytes)
{
    snprintf(out, size_bytes, "%s/%s", fixture->folder, name);
    FILE *stream = fopen(out, "w");
    assert_non_null(stream);
    fputs(content, stream);
    fclose(stream);
}

int64_t raise_alert(struct picket_store *store, const char *device, const char *subject)
{
    struct picket_error error = {0};
    int64_t id = 0;
    const struct picket_finding finding = {.type = "IoT_SuspiciousIpCommunication",
                                           .device = device,
                                           .subject = subject,
                                           .severity = PICKET_SEVERITY_HIGH,
                                           .seen_ms = picket_unix_ms(),
                                           .title = "Title",
                                           .description = "Description.",
                                           .remediation = "Remediation.",
                                           .technique = "T0869",
                                           .evidence = "{\"feed\": \"drop\"}"};
    must(picket_store_begin(store, &error), &error);
    must(picket_store_raise(store, &finding, NULL, &id, NULL, &error), &error);
    must(picket_store_commit(store, &error), &error);
    return id;
}

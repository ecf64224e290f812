#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

static char folder[] = "/tmp/picket-config-XXXXXX";
static char file[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/picket.yaml", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static int load(const char *text, struct picket_config **config, struct picket_error *error)
{
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
    memset(error, 0, sizeof *error);
    return picket_config_load(config, file, error);
}

static struct picket_config *good(const char *text)
{
    struct picket_config *config = NULL;
    struct picket_error error;
    if (load(text, &config, &error) != PICKET_OK)
        fail_msg("refused: %s", error.text);
    return config;
}

static void without_a_file_everything_has_a_default(void **state)
{
    struct picket_config *config;
    struct picket_error error;
    (void)state;
    assert_int_equal(picket_config_load(&config, NULL, &error), PICKET_OK);
    assert_string_equal(config->data_folder, "/var/lib/picket");
    assert_string_equal(config->hub.store_folder, "/var/lib/picket");
    assert_string_equal(config->hub.address, "127.0.0.1");
    assert_int_equal(config->hub.port, 8883);
    assert_true(strlen(config->hub.host_name) > 0);
    assert_string_equal(config->hub.certificate_file, "/var/lib/picket/certificates/server.crt");
    assert_string_equal(config->hub.key_file, "/var/lib/picket/certificates/server.key");
    assert_string_equal(config->api_socket, "/var/lib/picket/picket.sock");
    assert_int_equal(config->level, PICKET_NOTICE);
    assert_int_equal(config->output_count + config->route_count, 0);
    assert_int_equal(config->bounds.dead_letters, 10000);
    assert_int_equal(config->bounds.outbox_items, 100000);
    assert_int_equal(config->bounds.outbox_age_s, 30 * 86400);
    assert_int_equal(config->bounds.event_age_s, 30 * 86400);
    assert_int_equal(config->bounds.bytes, 0);
    picket_config_free(config);
}

static void an_empty_file_and_one_of_comments_mean_the_defaults(void **state)
{
    static const char *const texts[] = {"", "\n\n", "# data_folder: /x\n", "---\n", "{}\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct picket_config *config = good(texts[i]);
        assert_string_equal(config->data_folder, "/var/lib/picket");
        picket_config_free(config);
    }
}

static void every_setting_is_taken(void **state)
{
    (void)state;
    struct picket_config *config =
        good("data_folder: /srv/picket\n"
             "hub:\n"
             "  address: \"::\"\n"
             "  port: 0\n"
             "  host_name: hub.example.org\n"
             "  certificate_file: /c\n"
             "  key_file: /k\n"
             "  activity_interval: 10m\n"
             "  certificate_warning: 60d\n"
             "  limits:\n"
             "    connections: 5\n"
             "    message_bytes: 2048\n"
             "    connect_timeout_s: 7\n"
             "    handshakes: 9\n"
             "    handshakes_per_address: 3\n"
             "    input_bytes: 4000000\n"
             "    output_bytes: 5000000\n"
             "    device_packets_per_s: 21\n"
             "    device_bytes_per_s: 70000\n"
             "    device_connections: 23\n"
             "    device_connects_per_minute: 24\n"
             "    address_connections_per_s: 0\n"
             "    address_refusals_per_minute: 26\n"
             "log: {messages: 11, bytes: 2000000}\n"
             "service: {batch_messages: 13}\n"
             "store: {dead_letters: 14, dead_letter_bytes: 2000000, outbox_items: 15,\n"
             "        outbox_bytes: 3000000, outbox_age: 12h, retention: never, max_bytes: "
             "80000000, closed_alerts: 90d,\n"
             "        audit: 20d}\n"
             "api: {socket: /run/p.sock}\n"
             "intelligence: {own_networks: [45.0.0.0/24, \"2a00:1::/32\", 46.0.0.1]}\n"
             "diagnostics: {level: debug}\n"
             "outputs:\n"
             "  - {name: soc, kind: webhook, location: \"https://x/y\"}\n"
             "  - {name: file-1, kind: file, location: /a.jsonl}\n"
             "routes:\n"
             "  - {name: t, kind: file, location: /t.jsonl, devices: [pump-*, a/b],\n"
             "     properties: {kind: alarm}}\n"
             "  - {name: m, kind: mqtt, location: \"mqtts://b/{device}\", payload: body, user: u,\n"
             "     client_id: c, password_file: /p, ca_file: /ca, certificate_file: /crt,\n"
             "     key_file: /key}\n");
    assert_string_equal(config->data_folder, "/srv/picket");
    assert_string_equal(config->hub.address, "::");
    assert_int_equal(config->hub.port, 0);
    assert_string_equal(config->hub.host_name, "hub.example.org");
    assert_string_equal(config->hub.certificate_file, "/c");
    assert_string_equal(config->hub.key_file, "/k");
    assert_int_equal(config->hub.activity_interval_s, 600);
    assert_int_equal(config->hub.certificate_warning_s, 60 * 86400);
    assert_int_equal(config->hub.connections_max, 5);
    assert_int_equal(config->hub.message_bytes_max, 2048);
    assert_int_equal(config->hub.connect_timeout_s, 7);
    assert_int_equal(config->hub.handshakes_max, 9);
    assert_int_equal(config->hub.handshakes_per_address_max, 3);
    assert_int_equal(config->hub.input_bytes_max, 4000000);
    assert_int_equal(config->hub.output_bytes_max, 5000000);
    assert_int_equal(config->hub.device_packets_per_s, 21);
    assert_int_equal(config->hub.device_bytes_per_s, 70000);
    assert_int_equal(config->hub.device_connections_max, 23);
    assert_int_equal(config->hub.device_connects_per_minute, 24);
    assert_int_equal(config->hub.address_connections_per_s, 0);
    assert_int_equal(config->hub.address_refusals_per_minute, 26);
    assert_int_equal(config->log.messages, 11);
    assert_int_equal(config->log.bytes, 2000000);
    assert_int_equal(config->batch_messages_max, 13);
    assert_int_equal(config->bounds.dead_letters, 14);
    assert_int_equal(config->bounds.dead_letter_bytes, 2000000);
    assert_int_equal(config->bounds.outbox_items, 15);
    assert_int_equal(config->bounds.outbox_bytes, 3000000);
    assert_int_equal(config->bounds.outbox_age_s, 43200);
    assert_int_equal(config->bounds.event_age_s, 0);
    assert_int_equal(config->bounds.bytes, 80000000);
    assert_int_equal(config->bounds.closed_alert_age_s, 90 * 86400);
    assert_int_equal(config->audit_age_s, 20 * 86400);
    assert_string_equal(config->api_socket, "/run/p.sock");
    assert_int_equal(config->own_network_count, 3);
    assert_int_equal(config->own_networks[1].length, 32);
    assert_int_equal(config->own_networks[2].length, 32);
    assert_int_equal(config->level, PICKET_DEBUG);
    assert_int_equal(config->output_count, 2);
    assert_string_equal(config->outputs[0].name, "soc");
    assert_int_equal(config->outputs[0].kind, PICKET_OUTPUT_WEBHOOK);
    assert_string_equal(config->outputs[0].location, "https://x/y");
    assert_int_equal(config->outputs[1].kind, PICKET_OUTPUT_FILE);
    assert_int_equal(config->route_count, 2);
    assert_string_equal(config->routes[0].location, "/t.jsonl");
    assert_int_equal(config->routes[0].payload, PICKET_PAYLOAD_JSON);
    assert_null(config->routes[0].user);
    assert_int_equal(config->routes[0].filter.device_count, 2);
    assert_string_equal(config->routes[0].filter.devices[0], "pump-*");
    assert_string_equal(config->routes[0].filter.devices[1], "a/b");
    assert_int_equal(config->routes[0].filter.property_count, 1);
    assert_string_equal(config->routes[0].filter.properties[0].name, "kind");
    assert_string_equal(config->routes[0].filter.properties[0].value, "alarm");
    assert_int_equal(config->routes[1].filter.device_count, 0);
    assert_int_equal(config->routes[1].kind, PICKET_OUTPUT_MQTT);
    assert_string_equal(config->routes[1].location, "mqtts://b/{device}");
    assert_int_equal(config->routes[1].payload, PICKET_PAYLOAD_BODY);
    assert_string_equal(config->routes[1].client_id, "c");
    assert_string_equal(config->routes[1].user, "u");
    assert_string_equal(config->routes[1].password_file, "/p");
    assert_string_equal(config->routes[1].ca_file, "/ca");
    assert_string_equal(config->routes[1].certificate_file, "/crt");
    assert_string_equal(config->routes[1].key_file, "/key");
    picket_config_free(config);
}

#if PICKET_KAFKA
static void properties_of_librdkafka_are_taken_as_they_are(void **state)
{
    (void)state;
    struct picket_config *config = good("routes:\n"
                                        "  - name: k\n"
                                        "    kind: kafka\n"
                                        "    location: kafka://a:9092,b/t\n"
                                        "    librdkafka: {compression.type: lz4, linger.ms: 5}\n");
    const struct picket_output_config *route = &config->routes[0];
    assert_int_equal(route->kind, PICKET_OUTPUT_KAFKA);
    assert_int_equal(route->property_count, 2);
    assert_string_equal(route->properties[0].name, "compression.type");
    assert_string_equal(route->properties[0].value, "lz4");
    assert_string_equal(route->properties[1].value, "5");
    picket_config_free(config);
}
#endif

static void relative_paths_start_at_the_files_folder(void **state)
{
    char expected[128];
    (void)state;
    struct picket_config *config = good("data_folder: data\n"
                                        "hub: {certificate_file: tls/a.crt}\n"
                                        "outputs: [{name: o, kind: file, location: o.jsonl}]\n");
    snprintf(expected, sizeof expected, "%s/data", folder);
    assert_string_equal(config->data_folder, expected);
    snprintf(expected, sizeof expected, "%s/tls/a.crt", folder);
    assert_string_equal(config->hub.certificate_file, expected);
    snprintf(expected, sizeof expected, "%s/data/certificates/server.key", folder);
    assert_string_equal(config->hub.key_file, expected);
    snprintf(expected, sizeof expected, "%s/o.jsonl", folder);
    assert_string_equal(config->outputs[0].location, expected);
    picket_config_free(config);
}

#define KAFKA_ROUTE "routes:\n  - name: a\n    kind: kafka\n    location: kafka://b/t\n"
#define LONG_NAME   "a-name-of-28-characters-...."
#define LONG_PATH   LONG_NAME LONG_NAME LONG_NAME LONG_NAME

static void a_wrong_file_is_refused_with_line_and_reason(void **state)
{
    static const struct {
        const char *text;
        const char *where; /* ":LINE: " */
        const char *what;
    } cases[] = {
        {"hub:\n  prot: 1\n", ":2: hub: ", "Unexpected key: prot; known here: address, port"},
        {"log:\n  bytes: 5000000\nhbu:\n  port: 1\n", ":3: ", "Unexpected key: hbu"},
        {"hbu: {}\n", ":1: ", "Unexpected key: hbu; known here: data_folder, hub"},
        {"\ndata_folder: ~/picket\n", ":2: data_folder: ", "~ does not stand for a home folder"},
        {"api:\n  socket: /" LONG_PATH "\n",
         ":2: api.socket: ", "the path has 113 characters; a socket's at most 107"},
        {"data_folder: /" LONG_PATH "\n", ": api.socket: ", "a socket's at most 107"},
        {"\n\noutputs:\n  - name: a\n    kind: file\n    plcae: /x\n", ":6: outputs",
         "known here: name, kind, location"},
        {"hub:\n\n  port: 70000\n", ":3: hub.port: ", "\"70000\" is not a number from 0 to 65535"},
        {"hub:\n  limits:\n    device_bytes_per_s: 1000\n",
         ":3: hub.limits.device_bytes_per_s: ", "neither 0 nor a number from 65536 to"},
        {"intelligence:\n  own_networks:\n    - 45.0.0.0/24\n    - 45.0.1.1/24\n",
         ":4: intelligence.own_networks[1]: ", "is 45.0.1.0/24 meant?"},
        {"intelligence:\n  own_networks: [pumps]\n",
         ":2: intelligence.own_networks[0]: ", "\"pumps\" is no IPv4 or IPv6 address"},
        {"intelligence:\n  own_networks: [0.0.0.0/0]\n",
         ":2: intelligence.own_networks[0]: ", "is every address there is"},
        {"intelligence:\n  own_networks: 45.0.0.0/24\n",
         ":2: intelligence.own_networks: ", "Expecting SEQUENCE"},
        {"hub:\n  port: -1\n", ":2: hub.port: ", "is not a number"},
        {"hub:\n  port: 12abc\n", ":2: hub.port: ", "is not a number"},
        {"hub:\n  port: 0x10\n", ":2: hub.port: ", "is not a number"},
        {"hub:\n  port:\n", ":2: hub.port: ", "\"\" is not a number"},
        {"hub:\n  port: 99999999999999999999999\n", ":2: hub.port: ", "is not a number"},
        {"hub:\n  port: [1]\n", ":2: hub.port: ", "got event: SEQUENCE"},
        {"hub: 3\n", ":1: hub: ", "Expecting MAPPING"},
        {"- hub\n", ":1: ", "Expecting MAPPING"},
        {"hub:\n  port: 1\n  port: 2\n", ": hub.port: ", "already seen"},
        {"hub:\n  address: everywhere\n", ":2: hub.address: ", "is not an IPv4 or IPv6 address"},
        {"hub:\n  host_name: a b\n", ":2: hub.host_name: ", "is not a host name"},
        {"hub:\n  activity_interval: 59s\n", ":2: hub.activity_interval: ", "from 1m to 24h"},
        {"hub:\n  certificate_warning: 23h\n",
         ":2: hub.certificate_warning: ", "\"23h\" is not a span from 1d to 1000d"},
        {"hub:\n  activity_interval: never\n", ":2: hub.activity_interval: ", "from 1m to 24h"},
        {"hub:\n  limits:\n    connections: 0\n",
         ":3: hub.limits.connections: ", "from 1 to 1000000"},
        {"hub:\n  limits:\n    message_bytes: 262145\n",
         ":3: hub.limits.message_bytes: ", "from 1024 to 262144"},
        {"log:\n  bytes: 5\n", ":2: log.bytes: ", "is not a number from 1048576"},
        {"log:\n  bytes: 68719476737\n", ":2: log.bytes: ", "to 68719476736"},
        {"store:\n  outbox_age: 30\n", ":2: store.outbox_age: ", "\"30\" is not a span"},
        {"store:\n  dead_letters: 0\n", ":2: store.dead_letters: ", "from 1 to 100000000"},
        {"data_folder: ''\n", ":1: data_folder: ", "is empty"},
        {"diagnostics:\n  level: loud\n",
         ":2: diagnostics.level: ", "none of error, warning, notice, debug"},
        {"outputs:\n  - name: a\n    kind: syslog\n    location: x\n",
         ":3: outputs[0].kind: ", "none of file, webhook"},
        {"outputs:\n  - name: a\n    kind: file\n", ":2: outputs[0]: ", "location is missing"},
        {"outputs:\n  - {name: a/b, kind: file, location: x}\n",
         ":2: outputs[0].name: ", "is not a name"},
        {"outputs:\n  - {name: a, kind: webhook, location: x}\n",
         ":2: outputs[0].location: ", "neither https:// nor http://"},
        {"outputs:\n  - {name: a, kind: file, location: x}\nroutes:\n"
         "  - {name: a, kind: file, location: y}\n",
         ":4: routes[0].name: ", "named \"a\" already"},
#if PICKET_KAFKA
        {KAFKA_ROUTE "    librdkafka: {compression.type: lz5}\n",
         ":5: routes[0].librdkafka.compression.type: ", "Invalid value"},
        {KAFKA_ROUTE "    librdkafka:\n      linger.ms: 5\n      linge.ms: 5\n",
         ":7: routes[0].librdkafka.linge.ms: ", "No such configuration property"},
        {KAFKA_ROUTE "    librdkafka:\n      acks: 1\n",
         ":6: routes[0].librdkafka.acks: ", "is not to be set here"},
        {KAFKA_ROUTE "    librdkafka:\n      test.mock.num.brokers: 1\n",
         ":6: routes[0].librdkafka.test.mock.num.brokers: ", "is not to be set here"},
        {KAFKA_ROUTE "    librdkafka: zstd\n",
         ":5: routes[0].librdkafka: ", "expected properties of librdkafka"},
        {KAFKA_ROUTE "    librdkafka: {linger.ms: [5]}\n",
         ":5: routes[0].librdkafka: ", "expected properties of librdkafka"},
        {KAFKA_ROUTE "    user: u\n", ":5: routes[0].user: ", "password_file is missing"},
        {KAFKA_ROUTE "    client_id: c\n", ":5: routes[0].client_id: ", "of kind kafka has none"},
        {"routes:\n  - name: a\n    kind: mqtt\n    location: mqtt://b/t\n    librdkafka: {a: b}\n",
         ":5: routes[0].librdkafka: ", "of kind mqtt has none"},
        {"routes:\n  - name: a\n    kind: kafka\n    location: kafka://b/{device}\n",
         ":4: routes[0].location: ", "expected at most 249 letters"},
#else
        {KAFKA_ROUTE, ":3: routes[0].kind: ", "built without Kafka"},
#endif
        {"routes:\n  - name: a\n    kind: mqtt\n    location: mqtt://b\n",
         ":4: routes[0].location: ", "has no topic; expected mqtt://HOST[:PORT]/TOPIC"},
        {"routes:\n  - name: a\n    kind: mqtt\n    location: mqtt://b/t\n    ca_file: x\n",
         ":5: routes[0].ca_file: ", "does not start with mqtts://"},
        {"routes:\n  - name: a\n    kind: mqtt\n    location: mqtts://b/t\n    key_file: x\n",
         ":5: routes[0].key_file: ", "certificate_file is missing"},
        {"routes:\n  - name: a\n    kind: mqtt\n    location: mqtt://b/t\n    password_file: x\n",
         ":5: routes[0].password_file: ", "no user"},
        {"routes:\n  - name: a\n    kind: mqtt\n    location: mqtt://b/t\n    payload: raw\n",
         ":5: routes[0].payload: ", "none of json, body"},
        {"outputs:\n  - name: a\n    kind: mqtt\n    location: mqtt://b/t\n    payload: body\n",
         ":5: outputs[0].payload: ", "an alert has no body"},
        {"outputs:\n  - name: a\n    kind: file\n    location: /x\n    devices: [a]\n",
         ":5: outputs[0].devices: ", "is for routes"},
        {"outputs:\n  - name: a\n    kind: file\n    location: /x\n    properties: {a: b}\n",
         ":5: outputs[0].properties: ", "is for routes"},
        {"routes:\n  - name: a\n    kind: file\n    location: /x\n    properties: [a]\n",
         ":5: routes[0].properties: ", "expected properties of messages"},
        {"routes:\n  - name: a\n    kind: file\n    location: /x\n    user: u\n",
         ":5: routes[0].user: ", "an output of kind file has none"},
        {"hub:\n\tport: 1\n", ":2: ", "cannot start any token"},
        {"hub: [\n", ":2: ", "did not find"},
        {"data_folder: &a /x\napi: {socket: *a}\n", ":2: ", "lias"},
        {"data_folder: /x\n---\ndata_folder: /y\n", ": ", "document"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct picket_config *config = NULL;
        struct picket_error error;
        if (load(cases[i].text, &config, &error) == PICKET_OK)
            fail_msg("accepted: %s", cases[i].text);
        assert_int_equal(error.status, PICKET_INVALID);
        if (strncmp(error.text, file, strlen(file)) != 0 || !strstr(error.text, cases[i].where) ||
            !strstr(error.text, cases[i].what))
            fail_msg("\"%s\" lacks \"%s\" or \"%s\"", error.text, cases[i].where, cases[i].what);
    }
}

static void too_many_outputs_are_refused(void **state)
{
    char text[4096] = "outputs:\n";
    struct picket_config *config;
    struct picket_error error;
    (void)state;
    for (int i = 0; i <= PICKET_CONFIG_OUTPUTS_MAX; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "  - {name: o%d, kind: file, location: x}\n", i);
    assert_int_equal(load(text, &config, &error), PICKET_INVALID);
    assert_non_null(strstr(error.text, "32 max"));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    struct picket_config *config;
    struct picket_error error = {0};
    (void)state;
    assert_int_equal(picket_config_load(&config, "/nonexistent/picket.yaml", &error), PICKET_IO);
    assert_non_null(strstr(error.text, "/nonexistent/picket.yaml"));
    assert_non_null(strstr(error.text, "No such file"));
    assert_int_equal(picket_config_load(&config, folder, &error), PICKET_IO);
    assert_non_null(strstr(error.text, "directory"));
}

static void a_file_larger_than_a_configuration_may_be_is_refused(void **state)
{
    static char text[PICKET_CONFIG_BYTES_MAX + 2];
    struct picket_config *config;
    struct picket_error error;
    (void)state;
    memset(text, '\n', PICKET_CONFIG_BYTES_MAX + 1);
    assert_int_equal(load(text, &config, &error), PICKET_INVALID);
    assert_non_null(strstr(error.text, "is larger than"));
}

/* The example is the manual of the settings: each line of it must be one that is understood. */
static void the_commented_example_is_understood_with_its_comments_removed(void **state)
{
    char line[512], whole[32768] = "";
    FILE *example = fopen("../../deploy/picket.yaml", "r");
    (void)state;
    assert_non_null(example);
    while (fgets(line, sizeof line, example)) {
        /* "#key: value" and "#  - name: x" are settings; "# prose" is prose. */
        const char *text = line[0] == '#' && line[1] != ' ' && line[1] != '\n' ? line + 1 : line;
        if (line[0] == '#' && strncmp(line, "#  ", 3) == 0)
            text = line + 1;
        strncat(whole, text, sizeof whole - strlen(whole) - 1);
    }
    fclose(example);
#if !PICKET_KAFKA
    skip(); /* there is a route to Kafka in it */
#endif
    struct picket_config *config = good(whole);
    assert_true(config->output_count > 0);
    assert_true(config->route_count > 0);
    assert_int_equal(config->hub.connections_max, 20000);
    picket_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_everything_has_a_default),
        cmocka_unit_test(an_empty_file_and_one_of_comments_mean_the_defaults),
        cmocka_unit_test(every_setting_is_taken),
#if PICKET_KAFKA
        cmocka_unit_test(properties_of_librdkafka_are_taken_as_they_are),
#endif
        cmocka_unit_test(relative_paths_start_at_the_files_folder),
        cmocka_unit_test(a_wrong_file_is_refused_with_line_and_reason),
        cmocka_unit_test(too_many_outputs_are_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(a_file_larger_than_a_configuration_may_be_is_refused),
        cmocka_unit_test(the_commented_example_is_understood_with_its_comments_removed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

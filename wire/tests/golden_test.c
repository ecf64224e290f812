/* Messages of the real predecessor: what we read in them is what went in, and we say the same in
 * hardly more bytes. */
#include <arpa/inet.h>
#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "picket/wire/decoder.h"
#include "reencode.h"

#define GOLDEN PICKET_SHARED_DIRECTORY "/wire/golden"

struct golden {
    char name[256];
    json_t *content;
    unsigned char *bytes; /* NULL: the predecessor could not send this */
    size_t size_bytes;
};

static unsigned char *read_file(const char *path, size_t *size_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size_bytes = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size_bytes);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size_bytes, file), *size_bytes);
    fclose(file);
    return bytes;
}

static void check_string(json_t *expected, struct picket_wire_string found, const char *name)
{
    const char *text = json_string_value(json_object_get(expected, name));
    if (text == NULL) {
        assert_null(found.text);
        return;
    }
    assert_int_equal(found.size_bytes, strlen(text));
    assert_memory_equal(found.text, text, found.size_bytes);
}

static long long number(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void check_address(json_t *flow, const char *name, const uint8_t *found, int family)
{
    unsigned char expected[16];
    assert_int_equal(inet_pton(family, json_string_value(json_object_get(flow, name)), expected),
                     1);
    assert_memory_equal(found, expected, family == AF_INET ? 4 : 16);
}

static void check_flow(json_t *expected, struct picket_wire_flow_view found, int family)
{
    static const char *const protocols[] = {"TCP", "UDP", "ICMP"};
    check_address(expected, "local", found.flow.local_address, family);
    check_address(expected, "remote", found.flow.remote_address, family);
    assert_int_equal(found.flow.local_port, number(expected, "local_port"));
    assert_int_equal(found.flow.remote_port, number(expected, "remote_port"));
    assert_int_equal(found.flow.bytes_in, number(expected, "bytes_in"));
    assert_int_equal(found.flow.bytes_out, number(expected, "bytes_out"));
    assert_true(found.flow.protocol < 3);
    assert_string_equal(protocols[found.flow.protocol],
                        json_string_value(json_object_get(expected, "protocol")));
    assert_int_equal(found.process_id, 0);
    assert_int_equal(found.user_id, 0);
    assert_null(found.executable.text);
    assert_null(found.commandline.text);
}

static void check_activity(json_t *expected, const struct picket_wire_event_view *event)
{
    struct picket_wire_network_activity_view found = picket_wire_network_activity(event);
    json_t *ipv4 = json_object_get(expected, "ipv4_activity");
    json_t *ipv6 = json_object_get(expected, "ipv6_activity");
    assert_int_equal(found.ipv4_count, json_array_size(ipv4));
    assert_int_equal(found.ipv6_count, json_array_size(ipv6));
    for (uint32_t i = 0; i < found.ipv4_count; i++)
        check_flow(json_array_get(ipv4, i), picket_wire_ipv4_flow_at(&found, i), AF_INET);
    for (uint32_t i = 0; i < found.ipv6_count; i++)
        check_flow(json_array_get(ipv6, i), picket_wire_ipv6_flow_at(&found, i), AF_INET6);
    assert_int_equal(found.lost_flows, 0);
    assert_int_equal(found.lost_bytes_in, 0);
    assert_int_equal(found.lost_bytes_out, 0);
}

static void check_event(json_t *expected, const struct picket_wire_event_view *event)
{
    char id[2 * PICKET_WIRE_EVENT_ID_BYTES + 1];
    for (int i = 0; i < PICKET_WIRE_EVENT_ID_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02x", event->id[i]);
    assert_string_equal(id, json_string_value(json_object_get(expected, "id")));
    assert_int_equal(event->time_s, number(expected, "time"));
    assert_int_equal(event->collection_interval_s, number(expected, "collection_interval"));
    assert_int_equal(event->duration_s, 0);

    const char *payload = json_string_value(json_object_get(expected, "payload"));
    if (strcmp(payload, "NetworkActivity") == 0) {
        assert_int_equal(event->payload_type, PICKET_WIRE_NETWORK_ACTIVITY);
        check_activity(expected, event);
    } else if (strcmp(payload, "SystemInformation") == 0) {
        assert_int_equal(event->payload_type, PICKET_WIRE_SYSTEM_INFORMATION);
        struct picket_wire_system_information_view system = picket_wire_system_information(event);
        check_string(expected, system.os_info, "os_info");
        check_string(expected, system.kernel_info, "kernel_info");
        check_string(expected, system.hw_info, "hw_info");
    } else {
        assert_string_equal(payload, "Heartbeat");
        assert_int_equal(event->payload_type, PICKET_WIRE_HEARTBEAT);
        assert_int_equal(picket_wire_heartbeat(event).uptime_s, 0);
    }
}

static void check_message(json_t *expected, const unsigned char *bytes, size_t size_bytes,
                          struct picket_wire_message_view *view)
{
    struct picket_wire_error error;
    if (!picket_wire_open(view, bytes, size_bytes, &error))
        fail_msg("byte %u: %s", error.offset, error.reason);
    json_t *events = json_object_get(expected, "events");
    check_string(expected, view->security_module_id, "security_module_id");
    assert_int_equal(view->security_module_version, number(expected, "security_module_version"));
    assert_int_equal(view->timezone, 0);
    assert_int_equal(view->event_count, json_array_size(events));
    for (uint32_t i = 0; i < view->event_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(view, i);
        check_event(json_array_get(events, i), &event);
    }
}

/* Words of flows that are 0: the predecessor leaves them out. */
static size_t zero_words(json_t *flows)
{
    size_t words = 0, i;
    json_t *flow;
    json_array_foreach(flows, i, flow)
    {
        words += number(flow, "bytes_in") == 0;
        words += number(flow, "bytes_out") == 0;
        words += number(flow, "local_port") == 0 && number(flow, "remote_port") == 0;
    }
    return words;
}

/* What we may write more, so that the encoder can be small: a word for each event, vtables of flows
 * that other flows would need, and words of flows that are 0. */
static size_t more_bytes(const struct golden *golden)
{
    json_t *event;
    size_t bytes = 26, i;
    json_array_foreach(json_object_get(golden->content, "events"), i, event)
    {
        bytes += 8 + 4 * zero_words(json_object_get(event, "ipv4_activity")) +
                 4 * zero_words(json_object_get(event, "ipv6_activity"));
    }
    return bytes;
}

static void check_golden(const struct golden *golden)
{
    struct picket_wire_message_view theirs, ours;
    check_message(golden->content, golden->bytes, golden->size_bytes, &theirs);

    struct reencoding reencoding;
    size_t size_bytes;
    assert_true(reencoding_prepare(&reencoding, &theirs));
    unsigned char *bytes = encode_exactly(&reencoding.message, &size_bytes);
    assert_non_null(bytes);
    check_message(golden->content, bytes, size_bytes, &ours);
    printf("%-28s predecessor %5zu bytes, picket %5zu\n", golden->name, golden->size_bytes,
           size_bytes);
    assert_in_range(size_bytes, 1, golden->size_bytes + more_bytes(golden));
    free(bytes);
}

static bool load_golden(struct golden *golden, const char *file_name)
{
    char path[1024];
    const char *dot = strrchr(file_name, '.');
    if (dot == NULL || strcmp(dot, ".json") != 0)
        return false;
    snprintf(golden->name, sizeof golden->name, "%.*s", (int)(dot - file_name), file_name);
    snprintf(path, sizeof path, "%s/%s", GOLDEN, file_name);
    golden->content = json_load_file(path, 0, NULL);
    assert_non_null(golden->content);
    snprintf(path, sizeof path, "%s/%s.bin", GOLDEN, golden->name);
    golden->bytes = read_file(path, &golden->size_bytes);
    return true;
}

static void the_predecessors_messages_are_read_and_written_in_hardly_more_bytes(void **state)
{
    (void)state;
    DIR *directory = opendir(GOLDEN);
    if (directory == NULL) {
        printf("%s is not here: nothing to compare with\n", GOLDEN);
        skip();
    }
    int checked = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct golden golden;
        if (!load_golden(&golden, entry->d_name))
            continue;
        if (golden.bytes != NULL) {
            check_golden(&golden);
            checked++;
        }
        json_decref(golden.content);
        free(golden.bytes);
    }
    closedir(directory);
    assert_true(checked > 0);
}

struct json_flows {
    json_t *flows;
    int family;
    unsigned char addresses[2][16];
};

static uint32_t next_json_flow(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    struct json_flows *flows = *(struct json_flows *const *)table;
    json_t *from = json_array_get(flows->flows, cursor);
    const char *protocol = json_string_value(json_object_get(from, "protocol"));
    inet_pton(flows->family, json_string_value(json_object_get(from, "local")),
              flows->addresses[0]);
    inet_pton(flows->family, json_string_value(json_object_get(from, "remote")),
              flows->addresses[1]);
    *flow = (struct picket_wire_flow){
        .local_address = flows->addresses[0],
        .remote_address = flows->addresses[1],
        .bytes_in = (uint32_t)number(from, "bytes_in"),
        .bytes_out = (uint32_t)number(from, "bytes_out"),
        .local_port = (uint16_t)number(from, "local_port"),
        .remote_port = (uint16_t)number(from, "remote_port"),
        .protocol = protocol[0] == 'T' ? PICKET_WIRE_TCP
                                       : (protocol[0] == 'U' ? PICKET_WIRE_UDP : PICKET_WIRE_ICMP),
    };
    return cursor + 1;
}

/* The predecessor hangs on 64 + 64 bidirectional UDP flows. */
static void what_the_predecessor_could_not_send_is_sent(void **state)
{
    (void)state;
    struct golden golden;
    if (access(GOLDEN "/full_tables_udp.json", R_OK) != 0)
        skip();
    assert_true(load_golden(&golden, "full_tables_udp.json"));
    json_t *content = json_array_get(json_object_get(golden.content, "events"), 0);
    struct json_flows lists[2] = {
        {.flows = json_object_get(content, "ipv4_activity"), .family = AF_INET},
        {.flows = json_object_get(content, "ipv6_activity"), .family = AF_INET6},
    };
    const struct json_flows *tables[2] = {&lists[0], &lists[1]};
    struct picket_wire_event event = {
        .time_s = (uint32_t)number(content, "time"),
        .collection_interval_s = (uint32_t)number(content, "collection_interval"),
        .payload_type = PICKET_WIRE_NETWORK_ACTIVITY,
        .payload.network_activity = {
            .ipv4 = {(uint32_t)json_array_size(lists[0].flows), next_json_flow, &tables[0]},
            .ipv6 = {(uint32_t)json_array_size(lists[1].flows), next_json_flow, &tables[1]},
        }};
    struct picket_wire_message message = {
        json_string_value(json_object_get(golden.content, "security_module_id")),
        (uint32_t)number(golden.content, "security_module_version"), &event, 1};

    size_t size_bytes;
    unsigned char *bytes = encode_exactly(&message, &size_bytes);
    assert_non_null(bytes);
    json_object_set_new(content, "id", json_string("00000000000000000000000000000000"));
    struct picket_wire_message_view view;
    check_message(golden.content, bytes, size_bytes, &view);
    assert_int_equal(picket_wire_event_at(&view, 0).payload_type, PICKET_WIRE_NETWORK_ACTIVITY);
    free(bytes);
    json_decref(golden.content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_predecessors_messages_are_read_and_written_in_hardly_more_bytes),
        cmocka_unit_test(what_the_predecessor_could_not_send_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

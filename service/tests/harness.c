#include "harness.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "picket/base/time.h"
#include "picket/wire/encoder.h"

static _Atomic uint64_t durable_position;

static void note_durable(void *context, uint64_t position)
{
    (void)context;
    atomic_store(&durable_position, position);
}

uint64_t harness_durable(void)
{
    return atomic_load(&durable_position);
}

void harness_open(struct harness *harness)
{
    memset(harness, 0, sizeof *harness);
    harness->hunt_quiet_ms = HUNT_QUIET_MS;
    snprintf(harness->folder, sizeof harness->folder, "/tmp/picket-service-XXXXXX");
    assert_non_null(mkdtemp(harness->folder));
}

void harness_start(struct harness *harness)
{
    struct picket_error error = {0};
    char store_folder[80];
    harness_path(harness, "store", store_folder, sizeof store_folder);
    struct picket_service_config config = {.store_folder = store_folder,
                                           .outputs = harness->outputs,
                                           .output_count = harness->output_count,
                                           .routes = harness->routes,
                                           .route_count = harness->route_count,
                                           .bounds = harness->bounds};
    atomic_store(&durable_position, 0);
    harness->appended = 0;
    if (picket_log_open_direct(&harness->log, NULL, &error) != PICKET_OK ||
        picket_store_open(&harness->store, store_folder, &error) != PICKET_OK ||
        picket_intel_start(&harness->intel, store_folder, &error) != PICKET_OK)
        fail_msg("%s", error.text);
    picket_log_on_durable(harness->log, note_durable, NULL);
    if (picket_service_start(&harness->service, &config, harness->log, harness->intel, &error) !=
        PICKET_OK)
        fail_msg("%s", error.text);
    const struct picket_hunter_config hunting = {.store_folder = store_folder,
                                                 .intel = harness->intel,
                                                 .service = harness->service,
                                                 .quiet_ms = harness->hunt_quiet_ms,
                                                 .longest_ms = HUNT_NEVER_MS};
    if (picket_hunter_start(&harness->hunter, &hunting, &error) != PICKET_OK)
        fail_msg("%s", error.text);
}

void harness_stop(struct harness *harness)
{
    if (harness->log == NULL)
        return;
    picket_log_close(harness->log);
    picket_hunter_stop(harness->hunter);
    picket_service_stop(harness->service);
    picket_intel_stop(harness->intel);
    picket_log_destroy(harness->log);
    picket_store_close(harness->store);
    harness->log = NULL;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void harness_close(struct harness *harness)
{
    harness_stop(harness);
    nftw(harness->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int harness_set_up(void **state)
{
    harness_open(*state);
    harness_start(*state);
    return 0;
}

int harness_tear_down(void **state)
{
    harness_close(*state);
    return 0;
}

void harness_path(const struct harness *harness, const char *name, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s/%s", harness->folder, name);
}

const char *harness_file(struct harness *harness, const char *name, const char *text)
{
    static char path[128];
    harness_path(harness, name, path, sizeof path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return path;
}

void harness_feed(struct harness *harness, const char *name, const char *text, int confidence,
                  bool match_special_purpose)
{
    struct picket_error error = {0};
    struct picket_feed feed = {.confidence = confidence,
                               .match_special_purpose = match_special_purpose};
    snprintf(feed.name, sizeof feed.name, "%s", name);
    snprintf(feed.source, sizeof feed.source, "%s", harness_file(harness, name, text));
    if (picket_intel_feed_add(harness->intel, &feed, NULL, &error) != PICKET_OK)
        fail_msg("%s", error.text);
}

void harness_append(struct harness *harness, const char *device, const char *properties,
                    const void *payload, size_t size)
{
    harness_append_of_module(harness, device, "", properties, payload, size);
}

void harness_append_of_module(struct harness *harness, const char *device, const char *module,
                              const char *properties, const void *payload, size_t size)
{
    struct picket_log_message message = {.device = device,
                                         .module = module,
                                         .received_ms = picket_unix_ms(),
                                         .properties = properties,
                                         .payload = payload,
                                         .payload_bytes = size};
    assert_int_equal(picket_log_append(harness->log, &message, &harness->appended), PICKET_OK);
}

static uint32_t one_flow(const void *context, uint32_t cursor, struct picket_wire_flow *flow)
{
    *flow = *(const struct picket_wire_flow *)context;
    return cursor + 1;
}

struct buffer {
    uint8_t bytes[PICKET_WIRE_MESSAGE_BYTES_MAX];
    size_t size;
};

static bool append_piece(void *context, const void *piece, size_t size)
{
    struct buffer *buffer = context;
    memcpy(buffer->bytes + buffer->size, piece, size);
    buffer->size += size;
    return true;
}

static void append_wire(struct harness *harness, const char *device,
                        const struct picket_wire_message *message)
{
    static struct buffer buffer;
    buffer.size = 0;
    assert_true(picket_wire_encode(message, append_piece, &buffer));
    harness_append(harness, device, SECURITY_PROPERTIES, buffer.bytes, buffer.size);
}

void harness_append_flow(struct harness *harness, const char *device, struct flow_message message)
{
    static const uint8_t local[16] = {192, 168, 1, 2};
    struct picket_address remote;
    assert_true(picket_address_parse(&remote, message.remote, strlen(message.remote)));
    struct picket_wire_flow flow = {.local_address = local,
                                    .remote_address = remote.bytes,
                                    .bytes_in = 1000,
                                    .bytes_out = message.bytes_out,
                                    .local_port = 50000,
                                    .remote_port = message.remote_port};
    struct picket_wire_event event = {
        .time_s = message.time_s != 0 ? message.time_s : (uint32_t)(picket_unix_ms() / 1000),
        .collection_interval_s = 60,
        .duration_s = 60,
        .payload_type = PICKET_WIRE_NETWORK_ACTIVITY};
    event.id[0] = message.event_id;
    struct picket_wire_flows flows = {1, one_flow, &flow};
    if (remote.family == 4)
        event.payload.network_activity.ipv4 = flows;
    else
        event.payload.network_activity.ipv6 = flows;
    struct picket_wire_message wire = {"urn:test", PICKET_WIRE_VERSION(1, 2, 3), &event, 1};
    append_wire(harness, device, &wire);
}

static uint32_t next_flow(const void *context, uint32_t cursor, struct picket_wire_flow *flow)
{
    static uint8_t local[4] = {192, 168, 1, 2}, remote[4] = {198, 18};
    (void)context;
    remote[2] = (uint8_t)(cursor >> 8);
    remote[3] = (uint8_t)cursor;
    *flow = (struct picket_wire_flow){.local_address = local,
                                      .remote_address = remote,
                                      .bytes_in = cursor,
                                      .local_port = 50000,
                                      .remote_port = 443};
    return cursor + 1;
}

void harness_append_flows(struct harness *harness, const char *device, uint32_t flows)
{
    struct picket_wire_event event = {.time_s = (uint32_t)(picket_unix_ms() / 1000),
                                      .collection_interval_s = 60,
                                      .duration_s = 60,
                                      .payload_type = PICKET_WIRE_NETWORK_ACTIVITY,
                                      .payload.network_activity.ipv4 = {flows, next_flow, NULL}};
    struct picket_wire_message wire = {"urn:test", PICKET_WIRE_VERSION(1, 2, 3), &event, 1};
    append_wire(harness, device, &wire);
}

bool harness_wait(bool (*condition)(void *context), void *context)
{
    int64_t until_ms = picket_monotonic_ms() + DEADLINE_MS;
    while (!condition(context)) {
        if (picket_monotonic_ms() > until_ms)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return true;
}

static bool is_durable(void *context)
{
    return atomic_load(&durable_position) >= *(const uint64_t *)context;
}

bool harness_wait_durable(struct harness *harness)
{
    return harness_wait(is_durable, &harness->appended);
}

struct picket_store_totals harness_totals(struct harness *harness)
{
    struct picket_store_totals totals;
    assert_int_equal(picket_store_totals(harness->store, &totals, NULL), PICKET_OK);
    return totals;
}

static void add_count(void *context, const struct picket_alert *alert)
{
    *(int64_t *)context += alert->count;
}

int64_t harness_alert_counts(struct harness *harness)
{
    int64_t sum = 0;
    struct picket_alert_query query = {.limit = 1000};
    assert_int_equal(picket_store_alerts(harness->store, &query, add_count, &sum, NULL), PICKET_OK);
    return sum;
}

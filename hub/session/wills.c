#include "wills.h"

#include <stdlib.h>
#include <string.h>

#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/properties.h"
#include "picket/base/time.h"
#include "session.h"

static struct picket_counter delayed = {.name = "hub_wills_delayed",
                                        .help = "wills that had to wait because the log was full"};
static struct picket_counter dropped = {
    .name = "hub_wills_dropped",
    .help = "wills dropped: the log was closed, or too many waited for room in it"};

void wills_register_counters(void)
{
    picket_counter_register(&delayed);
    picket_counter_register(&dropped);
}

static void drop(const char *device)
{
    static struct picket_say_limit limit;
    picket_count(&dropped, 1);
    picket_say_limited(&limit, PICKET_WARNING, "hub",
                       "device %s: its will was dropped: the log is full or closed", device);
}

/* It is of the device, whose connection has gone or goes. */
static void count_will(struct picket_hub *hub, const struct picket_log_message *message)
{
    hub_activity_count_of(hub, message->device, message->module, TALLY_WILLS, 1);
    hub_activity_count_of(hub, message->device, message->module, TALLY_MESSAGES, 1);
    hub_activity_count_of(hub, message->device, message->module, TALLY_BYTES,
                          message->payload_bytes);
    if (picket_properties_tell_security_message(message->properties))
        hub_activity_count_of(hub, message->device, message->module, TALLY_SECURITY, 1);
}

static int append(struct picket_hub *hub, const char *device, const char *module,
                  const struct will *will, int64_t received_ms)
{
    const char *bag = (const char *)will->content;
    uint64_t position;
    struct picket_log_message message = {
        .device = device,
        .module = module,
        .received_ms = received_ms,
        .properties = bag,
        .payload = (const uint8_t *)bag + will->bag_bytes + 1,
        .payload_bytes = will->payload_bytes,
    };
    int status = session_append(hub, &message, &position);
    if (status == PICKET_OK)
        count_will(hub, &message);
    return status;
}

static bool is_full(int status)
{
    return status != PICKET_OK && status != PICKET_CLOSED && status != PICKET_INVALID;
}

/* ---- waiting ---- */

static size_t size_of(const struct will *will, const char *device, const char *module)
{
    return sizeof(struct waiting_will) + sizeof *will + will->bag_bytes + 1 + will->payload_bytes +
           strlen(device) + 1 + strlen(module) + 1;
}

/* Takes the will and the names of the connection, which ends. False: it does not fit. */
static bool wait_for_log(struct connection *connection, int64_t received_ms)
{
    struct picket_hub *hub = connection->hub;
    size_t bytes = size_of(connection->will, connection->device, connection->module);
    if (bytes > HUB_WILLS_BYTES_MAX - hub->wills_bytes)
        return false;
    struct waiting_will *waiting = malloc(sizeof *waiting);
    if (waiting == NULL)
        return false;
    *waiting = (struct waiting_will){.device = connection->device,
                                     .module = connection->module,
                                     .will = connection->will,
                                     .received_ms = received_ms,
                                     .bytes = (uint32_t)bytes};
    connection->device = NULL;
    connection->module = NULL;
    connection->will = NULL;
    hub->wills_bytes += bytes;
    STAILQ_INSERT_TAIL(&hub->wills, waiting, next);
    picket_count(&delayed, 1);
    return true;
}

static void leave(struct picket_hub *hub, struct waiting_will *waiting)
{
    STAILQ_REMOVE_HEAD(&hub->wills, next);
    hub->wills_bytes -= waiting->bytes;
    free(waiting->device);
    free(waiting->will);
    free(waiting);
}

void wills_take(struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    if (connection->will == NULL)
        return;
    int64_t now_ms = picket_unix_ms();
    int status = PICKET_FULL;
    if (STAILQ_EMPTY(&hub->wills)) /* nobody overtakes those that wait already */
        status = append(hub, connection->device, connection->module, connection->will, now_ms);
    if (status == PICKET_OK || (is_full(status) && wait_for_log(connection, now_ms)))
        return;
    drop(connection->device);
}

void wills_run(struct picket_hub *hub)
{
    struct waiting_will *waiting;
    while (hub->log_may_have_room && (waiting = STAILQ_FIRST(&hub->wills)) != NULL) {
        int status =
            append(hub, waiting->device, waiting->module, waiting->will, waiting->received_ms);
        if (is_full(status)) {
            hub->log_may_have_room = false;
            return;
        }
        if (status != PICKET_OK)
            drop(waiting->device);
        leave(hub, waiting);
    }
}

void wills_drop_all(struct picket_hub *hub)
{
    struct waiting_will *waiting;
    while ((waiting = STAILQ_FIRST(&hub->wills)) != NULL) {
        drop(waiting->device);
        leave(hub, waiting);
    }
}

#include "conduct.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "session/devices.h"

enum {
    BURST_S = 10,      /* so many seconds' worth of packets and bytes at once */
    BURST_MINUTES = 5, /* the same of connects */
    FORGOTTEN_A_SWEEP = 1000
};

static struct picket_counter held_back = {
    .name = "hub_devices_held_back",
    .help = "times that a device was read no further for a moment: it sent faster than allowed"};

void conduct_register_counters(void)
{
    picket_counter_register(&held_back);
}

/* ---- the table ---- */

bool conduct_open(struct picket_hub *hub)
{
    struct conduct_table *table = &hub->conduct;
    const struct picket_hub_config *config = &hub->config;
    uint32_t count = 256;
    while (count < config->connections_max && count < 1u << 20)
        count *= 2;
    table->mask = count - 1;
    table->buckets = calloc(count, sizeof *table->buckets); /* zero: empty lists */
    table->packets = (struct rate){config->device_packets_per_s, 1000,
                                   (uint64_t)config->device_packets_per_s * BURST_S};
    table->bytes = (struct rate){config->device_bytes_per_s, 1000,
                                 (uint64_t)config->device_bytes_per_s * BURST_S};
    table->connects =
        (struct hold_off_rule){{config->device_connects_per_minute, 60000,
                                (uint64_t)config->device_connects_per_minute * BURST_MINUTES},
                               CONDUCT_HOLD_OFF_FIRST_MS,
                               CONDUCT_HOLD_OFF_LONGEST_MS};
    return table->buckets != NULL;
}

static struct conduct_bucket *bucket_of(struct picket_hub *hub, const char *device)
{
    return &hub->conduct.buckets[devices_hash(hub, device) & hub->conduct.mask];
}

static struct conduct *find(struct picket_hub *hub, const char *device, const char *module)
{
    struct conduct *conduct;
    LIST_FOREACH(conduct, bucket_of(hub, device), in_bucket)
    {
        if (strcmp(conduct->names, device) == 0 && strcmp(conduct->module, module) == 0)
            return conduct;
    }
    return NULL;
}

static void hold(struct picket_hub *hub, struct conduct *conduct)
{
    if (conduct->references++ > 0)
        return;
    TAILQ_REMOVE(&hub->conduct.idle, conduct, in_idle);
    hub->conduct.idle_count--;
}

static void make_idle(struct picket_hub *hub, struct conduct *conduct)
{
    conduct->idle_ms = picket_monotonic_ms();
    TAILQ_INSERT_TAIL(&hub->conduct.idle, conduct, in_idle);
    hub->conduct.idle_count++;
}

static void let_go(struct picket_hub *hub, struct conduct *conduct)
{
    if (--conduct->references == 0)
        make_idle(hub, conduct);
}

/* A device's conduct outlives those of its modules, each of which holds it. */
static void forget(struct picket_hub *hub, struct conduct *conduct)
{
    struct conduct *of_device = conduct->of_device;
    pthread_mutex_lock(&hub->conduct.lock);
    LIST_REMOVE(conduct, in_bucket);
    pthread_mutex_unlock(&hub->conduct.lock);
    TAILQ_REMOVE(&hub->conduct.idle, conduct, in_idle);
    hub->conduct.idle_count--;
    of_device->members--;
    if (of_device != conduct)
        let_go(hub, of_device);
    free(conduct);
}

/* It is idle. NULL: there is no memory. */
static struct conduct *make(struct picket_hub *hub, const char *device, const char *module,
                            struct conduct *of_device)
{
    size_t device_bytes = strlen(device) + 1, module_bytes = strlen(module) + 1;
    struct conduct *conduct = calloc(1, sizeof *conduct + device_bytes + module_bytes);
    if (conduct == NULL)
        return NULL;
    memcpy(conduct->names, device, device_bytes);
    memcpy(conduct->names + device_bytes, module, module_bytes);
    conduct->module = conduct->names + device_bytes;
    conduct->of_device = of_device != NULL ? of_device : conduct;
    conduct->of_device->members++;
    if (of_device != NULL)
        hold(hub, of_device);
    make_idle(hub, conduct);
    pthread_mutex_lock(&hub->conduct.lock);
    LIST_INSERT_HEAD(bucket_of(hub, device), conduct, in_bucket);
    pthread_mutex_unlock(&hub->conduct.lock);
    return conduct;
}

void conduct_close(struct picket_hub *hub)
{
    struct conduct *conduct;
    while ((conduct = TAILQ_FIRST(&hub->conduct.idle)) != NULL)
        forget(hub, conduct);
    free(hub->conduct.buckets);
}

void conduct_sweep(struct picket_hub *hub, int64_t now_ms)
{
    struct conduct_table *table = &hub->conduct;
    for (int i = 0; i < FORGOTTEN_A_SWEEP; i++) {
        struct conduct *conduct = TAILQ_FIRST(&table->idle);
        if (conduct == NULL)
            return;
        if (now_ms - conduct->idle_ms < CONDUCT_REMEMBERED_MS &&
            table->idle_count <= CONDUCT_REMEMBERED_MAX)
            return;
        pthread_mutex_lock(&table->lock);
        bool worthless = hold_off_is_forgotten(&conduct->connects, &table->connects, now_ms);
        pthread_mutex_unlock(&table->lock);
        if (worthless || table->idle_count > CONDUCT_REMEMBERED_MAX) {
            forget(hub, conduct);
            continue;
        }
        TAILQ_REMOVE(&table->idle, conduct, in_idle);
        table->idle_count--;
        make_idle(hub, conduct);
    }
}

/* ---- connecting ---- */

static enum ending count_connect(struct picket_hub *hub, struct conduct *conduct, int64_t *wait_ms)
{
    int64_t now_ms = picket_monotonic_ms();
    pthread_mutex_lock(&hub->conduct.lock);
    *wait_ms = hold_off_left_ms(&conduct->connects, now_ms);
    if (*wait_ms == 0 && !hold_off_count(&conduct->connects, &hub->conduct.connects, now_ms))
        *wait_ms = hold_off_left_ms(&conduct->connects, now_ms);
    pthread_mutex_unlock(&hub->conduct.lock);
    return *wait_ms == 0 ? ENDING_NONE : ENDING_HELD_OFF;
}

static bool has_room_for_module(const struct picket_hub *hub, const struct conduct *of_device)
{
    uint32_t max = hub->config.device_connections_max;
    return max == 0 || of_device->members < max;
}

enum ending conduct_enter(struct connection *connection, int64_t *wait_ms)
{
    struct picket_hub *hub = connection->hub;
    struct conduct *of_device = find(hub, connection->device, "");
    *wait_ms = CONDUCT_REMEMBERED_MS;
    if (of_device == NULL)
        of_device = make(hub, connection->device, "", NULL);
    struct conduct *conduct = of_device;
    if (of_device != NULL && connection->module[0] != '\0')
        conduct = find(hub, connection->device, connection->module);
    if (conduct == NULL && of_device != NULL) {
        if (!has_room_for_module(hub, of_device))
            return ENDING_TOO_MANY_OF_DEVICE;
        conduct = make(hub, connection->device, connection->module, of_device);
    }
    if (conduct == NULL)
        return ENDING_NO_MEMORY;
    enum ending ending = count_connect(hub, conduct, wait_ms);
    if (ending != ENDING_NONE)
        return ending;
    hold(hub, conduct);
    atomic_fetch_add(&conduct->connected, 1);
    connection->conduct = conduct;
    return ENDING_NONE;
}

void conduct_leave(struct connection *connection)
{
    struct conduct *conduct = connection->conduct;
    if (conduct == NULL)
        return;
    connection->conduct = NULL;
    atomic_fetch_sub(&conduct->connected, 1);
    let_go(connection->hub, conduct);
}

/* ---- sending ---- */

void conduct_refill(struct connection *connection, int64_t now_ms)
{
    const struct conduct_table *table = &connection->hub->conduct;
    if (connection->conduct == NULL)
        return;
    struct conduct *of_device = connection->conduct->of_device;
    rate_fill(&of_device->packets, &table->packets, now_ms);
    rate_fill(&of_device->bytes, &table->bytes, now_ms);
}

bool conduct_admits(const struct connection *connection)
{
    const struct conduct_table *table = &connection->hub->conduct;
    if (connection->conduct == NULL)
        return true;
    const struct conduct *of_device = connection->conduct->of_device;
    return rate_admits(&of_device->packets, &table->packets) &&
           rate_admits(&of_device->bytes, &table->bytes);
}

void conduct_charge(struct connection *connection, uint64_t bytes)
{
    const struct conduct_table *table = &connection->hub->conduct;
    if (connection->conduct == NULL)
        return;
    struct conduct *of_device = connection->conduct->of_device;
    rate_take(&of_device->packets, &table->packets, 1);
    rate_take(&of_device->bytes, &table->bytes, bytes);
}

void conduct_hold_back(struct connection *connection)
{
    static struct picket_say_limit limit;
    const struct picket_hub_config *config = &connection->hub->config;
    if (connection->conduct == NULL)
        return;
    connection->held_back = true;
    atomic_fetch_add(&connection->conduct->of_device->held_back, 1);
    picket_count(&held_back, 1);
    hub_activity_held_back(connection);
    picket_say_limited(&limit, PICKET_WARNING, "hub",
                       "device %s: sends faster than allowed (%u packets and %u bytes a second; 0: "
                       "any number): is read more slowly",
                       connection->device, config->device_packets_per_s,
                       config->device_bytes_per_s);
}

/* ---- for others ---- */

void conduct_look(struct picket_hub *hub, const char *device,
                  struct picket_hub_device_statistics *out)
{
    int64_t now_ms = picket_monotonic_ms();
    const struct conduct *conduct;
    *out = (struct picket_hub_device_statistics){0};
    pthread_mutex_lock(&hub->conduct.lock);
    LIST_FOREACH(conduct, bucket_of(hub, device), in_bucket)
    {
        if (strcmp(conduct->names, device) != 0)
            continue;
        int64_t left_ms = hold_off_left_ms(&conduct->connects, now_ms);
        out->connections += atomic_load(&conduct->connected);
        out->held_back += atomic_load(&conduct->held_back);
        if (left_ms > out->held_off_ms)
            out->held_off_ms = left_ms;
    }
    pthread_mutex_unlock(&hub->conduct.lock);
}

#include "activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activity_entry.h"
#include "identity/certificate.h"
#include "internal.h"
#include "picket/base/counter.h"
#include "picket/base/properties.h"
#include "picket/base/time.h"
#include "session/devices.h"

/* A fleet that comes back at once is told of step by step: the loop has others to serve. */
enum { LOOK_MS = 500, LOOK_MOST = 1000 };

static const int64_t never = INT64_MAX;

static struct picket_counter put = {.name = "hub_activity_events",
                                    .help = "events of the hub itself, put on the log",
                                    .is_work = true};
static struct picket_counter dropped = {
    .name = "hub_activity_dropped",
    .help = "what the hub saw of devices and could not tell: too many, or the log was full"};

void hub_activity_register_counters(void)
{
    picket_counter_register(&put);
    picket_counter_register(&dropped);
}

void hub_activity_open(struct activity_table *table)
{
    memset(table, 0, sizeof *table);
}

static void forget(struct activity_table *table, struct activity_record *record)
{
    LIST_REMOVE(record, in_bucket);
    table->count--;
    free(record->entry);
    free(record);
}

void hub_activity_close(struct activity_table *table)
{
    for (size_t i = 0; table->buckets != NULL && i < ACTIVITY_BUCKETS; i++)
        while (!LIST_EMPTY(&table->buckets[i]))
            forget(table, LIST_FIRST(&table->buckets[i]));
    free(table->buckets);
    table->buckets = NULL;
}

/* ---- intervals ---- */

static int64_t ordinary_ms(const struct picket_hub *hub)
{
    return (int64_t)hub->config.activity_interval_s * 1000;
}

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t notable_ms(const struct picket_hub *hub)
{
    return shorter(ACTIVITY_INTERVAL_MS, ordinary_ms(hub));
}

static struct burst_rule trespass_rule(const struct picket_hub *hub)
{
    struct burst_rule rule = burst_of_trespasses;
    rule.window_ms = shorter(rule.window_ms, ordinary_ms(hub));
    return rule;
}

/* ---- entries ---- */

static struct activity_bucket *bucket_of(const struct picket_hub *hub, const char *device)
{
    return &hub->activity.buckets[devices_hash(hub, device) % ACTIVITY_BUCKETS];
}

static struct activity_record *find_record(const struct picket_hub *hub, const char *device,
                                           const char *module)
{
    struct activity_record *record;
    LIST_FOREACH(record, bucket_of(hub, device), in_bucket)
    {
        if (strcmp(record->device, device) == 0 && strcmp(record->module, module) == 0)
            return record;
    }
    return NULL;
}

/* NULL: there is no room for it. */
static struct activity_record *make_record(struct picket_hub *hub, const char *device,
                                           const char *module)
{
    struct activity_table *table = &hub->activity;
    size_t device_bytes = strlen(device) + 1, module_bytes = strlen(module) + 1;
    struct activity_record *record = table->count < ACTIVITY_DEVICES_MAX
                                         ? calloc(1, sizeof *record + device_bytes + module_bytes)
                                         : NULL;
    if (record == NULL)
        return NULL;
    memcpy(record->device, device, device_bytes);
    record->module = memcpy(record->device + device_bytes, module, module_bytes);
    record->due_ms = never;
    LIST_INSERT_HEAD(bucket_of(hub, device), record, in_bucket);
    table->count++;
    return record;
}

static bool make_entry(struct activity_record *record)
{
    if (record->entry == NULL)
        record->entry = calloc(1, sizeof *record->entry);
    if (record->entry != NULL)
        record->entry->of = record;
    return record->entry != NULL;
}

/* NULL: there is no room; it is counted. */
static struct activity_entry *entry_of(struct picket_hub *hub, const char *device,
                                       const char *module)
{
    struct activity_table *table = &hub->activity;
    struct activity_record *record = NULL;
    if (table->buckets == NULL)
        table->buckets = calloc(ACTIVITY_BUCKETS, sizeof *table->buckets); /* zero: empty lists */
    if (table->buckets != NULL)
        record = find_record(hub, device, module);
    if (table->buckets != NULL && record == NULL)
        record = make_record(hub, device, module);
    if (record == NULL || !make_entry(record)) {
        picket_count(&dropped, 1);
        return NULL;
    }
    return record->entry;
}

/* Something has come into it. */
static void set_due(const struct picket_hub *hub, struct activity_entry *entry, bool notable)
{
    int64_t now_ms = picket_monotonic_ms();
    int64_t due_ms = now_ms + (notable ? ACTIVITY_FIRST_MS : ordinary_ms(hub));
    struct activity_record *record = entry->of;
    if (due_ms < record->free_ms)
        due_ms = record->free_ms;
    record->due_ms = shorter(record->due_ms, due_ms);
    if (entry->begin_ms == 0)
        entry->begin_ms = picket_unix_ms();
}

static struct activity_entry *notable_entry_of(struct connection *connection)
{
    struct activity_entry *entry =
        entry_of(connection->hub, connection->device, connection->module);
    if (entry != NULL)
        set_due(connection->hub, entry, true);
    return entry;
}

/* ---- tallies ---- */

static void free_tally(struct connection *connection)
{
    if (connection->tally != NULL)
        free(connection->tally->others);
    free(connection->tally);
    connection->tally = NULL;
    connection->tally_due_ms = never;
}

/* The connection's becomes part of the entry. */
static void fold(struct connection *connection, struct activity_entry *entry)
{
    const struct connection_tally *own = connection->tally;
    for (int i = 0; i < TALLY_OF_MESSAGES; i++)
        entry->tally.counts[i] += own->messages[i];
    if (own->others != NULL)
        tally_add(&entry->tally, own->others);
    if (entry->begin_ms == 0 || own->since_ms < entry->begin_ms)
        entry->begin_ms = own->since_ms;
    free_tally(connection);
}

static void fold_what_is_there(const struct picket_hub *hub, struct activity_entry *entry)
{
    struct connection *connection = devices_find(hub, entry->of->device, entry->of->module);
    if (connection != NULL && connection->tally != NULL)
        fold(connection, entry);
}

/* NULL: there is no memory; it is counted. */
static struct connection_tally *tally_of(struct connection *connection)
{
    if (connection->tally != NULL)
        return connection->tally;
    connection->tally = calloc(1, sizeof *connection->tally);
    if (connection->tally == NULL) {
        picket_count(&dropped, 1);
        return NULL;
    }
    connection->tally->since_ms = picket_unix_ms();
    connection->tally_due_ms = picket_monotonic_ms() + ordinary_ms(connection->hub);
    return connection->tally;
}

void hub_activity_message(struct connection *connection, const char *bag, size_t payload_bytes)
{
    struct connection_tally *tally = tally_of(connection);
    if (tally == NULL)
        return;
    tally->messages[TALLY_MESSAGES]++;
    tally->messages[TALLY_BYTES] += payload_bytes;
    tally->messages[TALLY_SECURITY] += picket_properties_tell_security_message(bag);
}

void hub_activity_count(struct connection *connection, enum tally_kind kind, uint64_t count)
{
    struct connection_tally *tally = tally_of(connection);
    if (tally == NULL)
        return;
    if (tally->others == NULL)
        tally->others = calloc(1, sizeof *tally->others);
    if (tally->others == NULL) {
        picket_count(&dropped, 1);
        return;
    }
    tally->others->counts[kind] += count;
    if (tally_is_notable(kind))
        connection->tally_due_ms = 0;
}

void hub_activity_count_of(struct picket_hub *hub, const char *device, const char *module,
                           enum tally_kind kind, uint64_t count)
{
    struct activity_entry *entry = entry_of(hub, device, module);
    if (entry == NULL)
        return;
    entry->tally.counts[kind] += count;
    set_due(hub, entry, tally_is_notable(kind));
}

void hub_activity_trespass(struct connection *connection, enum tally_kind kind, struct slice topic)
{
    struct activity_entry *entry = notable_entry_of(connection);
    if (entry == NULL)
        return;
    entry->tally.counts[kind]++;
    entry->trespass.kind = kind;
    activity_plain_topic(entry->trespass.topic, topic);
    burst_count(&entry->trespasses);
}

void hub_activity_check(struct connection *connection, int64_t now_ms)
{
    if (connection->tally == NULL || now_ms < connection->tally_due_ms)
        return;
    struct activity_entry *entry =
        entry_of(connection->hub, connection->device, connection->module);
    if (entry == NULL) { /* it stays, and may find room later */
        connection->tally_due_ms = now_ms + ACTIVITY_INTERVAL_MS;
        return;
    }
    fold(connection, entry);
    set_due(connection->hub, entry, true);
}

/* ---- connections ---- */

static void describe(struct attempt *attempt, const struct connection *connection)
{
    struct certificate_prints prints;
    X509 *certificate = SSL_get0_peer_certificate(connection->ssl);
    memset(attempt, 0, sizeof *attempt);
    picket_address_format(&connection->address, attempt->address);
    attempt->tls = SSL_get_version(connection->ssl);
    attempt->cipher = SSL_get_cipher_name(connection->ssl);
    if (certificate != NULL && certificate_prints(certificate, &prints))
        attempt->certificate = prints.sha256;
}

void hub_activity_connected(struct connection *connection)
{
    struct activity_entry *entry = notable_entry_of(connection);
    if (entry == NULL)
        return;
    entry->connected++;
    entry->credential = connection->credential.kind;
    describe(&entry->accepted, connection);
}

void hub_activity_moved(struct connection *connection)
{
    struct activity_entry *entry = notable_entry_of(connection);
    if (entry != NULL)
        entry->moved++;
}

void hub_activity_held_back(struct connection *connection)
{
    struct activity_entry *entry = notable_entry_of(connection);
    if (entry != NULL)
        entry->held_back++;
}

void hub_activity_refused(struct connection *connection, enum ending ending)
{
    struct activity_entry *entry = notable_entry_of(connection);
    if (entry == NULL)
        return;
    entry->endings[ending]++;
    describe(&entry->refused, connection);
}

void hub_activity_turned_away(struct picket_hub *hub)
{
    burst_count(&hub->activity.burst);
}

void hub_activity_ended(struct connection *connection, enum ending ending)
{
    if (ending == ENDING_NONE && connection->tally == NULL)
        return;
    struct activity_entry *entry = notable_entry_of(connection);
    if (entry == NULL) {
        free_tally(connection);
        return;
    }
    if (ending != ENDING_NONE)
        entry->endings[ending]++;
    if (connection->tally != NULL)
        fold(connection, entry);
}

/* ---- onto the log ---- */

bool hub_activity_append(struct picket_hub *hub, const char *device, const char *module,
                         const struct activity_json *json)
{
    const struct picket_log_message message = {.kind = PICKET_LOG_OF_HUB,
                                               .device = device,
                                               .module = module,
                                               .received_ms = picket_unix_ms(),
                                               .properties = json->text,
                                               .payload = (const uint8_t *)""};
    bool taken = picket_log_append(hub->log, &message, NULL) == PICKET_OK;
    if (taken)
        picket_count(&put, 1);
    return taken;
}

static bool append_entry(struct picket_hub *hub, struct activity_entry *entry)
{
    struct activity_json json;
    fold_what_is_there(hub, entry);
    activity_write(&json, entry);
    return hub_activity_append(hub, entry->of->device, entry->of->module, &json);
}

static void empty(struct activity_entry *entry)
{
    entry->of->due_ms = never;
    entry->begin_ms = 0;
    entry->connected = entry->moved = entry->held_back = 0;
    memset(entry->endings, 0, sizeof entry->endings);
    memset(&entry->tally, 0, sizeof entry->tally);
    entry->accepted.address[0] = entry->refused.address[0] = '\0';
}

/* One that goes on is told of by itself, once. */
static void look_for_trespasses(struct picket_hub *hub, struct activity_entry *entry,
                                int64_t now_ms)
{
    const struct burst_rule rule = trespass_rule(hub);
    struct activity_json json;
    uint64_t operations;
    if (burst_is_over(&entry->trespasses) ||
        !burst_look(&entry->trespasses, &rule, now_ms, &operations))
        return;
    activity_write_trespasses(&json, entry, operations,
                              rule.windows_to_begin * rule.window_ms / 1000);
    if (!hub_activity_append(hub, entry->of->device, entry->of->module, &json))
        picket_count(&dropped, 1);
}

/* What is empty is given back: most of a record is its entry. */
static void free_empty(struct activity_record *record)
{
    if (record->entry == NULL || record->entry->begin_ms != 0 ||
        !burst_is_over(&record->entry->trespasses))
        return;
    free(record->entry);
    record->entry = NULL;
}

/* How many times the log was asked: 0 or 1. */
static uint32_t look_at(struct picket_hub *hub, struct activity_record *record, int64_t now_ms)
{
    if (record->entry != NULL)
        look_for_trespasses(hub, record->entry, now_ms);
    free_empty(record);
    if (record->entry == NULL && now_ms >= record->free_ms) {
        forget(&hub->activity, record);
        return 0;
    }
    if (now_ms < record->due_ms)
        return 0;
    if (append_entry(hub, record->entry)) {
        empty(record->entry);
        record->free_ms = now_ms + notable_ms(hub);
        free_empty(record);
    }
    return 1;
}

static uint32_t look_at_bucket(struct picket_hub *hub, struct activity_bucket *bucket,
                               int64_t now_ms)
{
    uint32_t asked = 0;
    struct activity_record *record = LIST_FIRST(bucket), *next;
    for (; record != NULL; record = next) {
        next = LIST_NEXT(record, in_bucket);
        asked += look_at(hub, record, now_ms);
    }
    return asked;
}

/* Once round the table at most; who is left over when `most` are told is where the next look
 * begins. */
static void look_around(struct picket_hub *hub, int64_t now_ms, uint32_t most)
{
    struct activity_table *table = &hub->activity;
    uint32_t asked = 0;
    for (size_t i = 0; table->buckets != NULL && i < ACTIVITY_BUCKETS && asked < most; i++) {
        asked += look_at_bucket(hub, &table->buckets[table->cursor], now_ms);
        table->cursor = (table->cursor + 1) % ACTIVITY_BUCKETS;
    }
}

static void look_for_burst(struct picket_hub *hub, int64_t now_ms)
{
    const struct burst_rule *rule = &burst_of_refusals;
    struct activity_json json;
    uint64_t refusals;
    if (!burst_look(&hub->activity.burst, rule, now_ms, &refusals))
        return;
    activity_write_burst(&json, refusals, rule->windows_to_begin * rule->window_ms / 1000);
    if (!hub_activity_append(hub, "", "", &json))
        picket_count(&dropped, 1);
}

void hub_activity_sweep(struct picket_hub *hub, int64_t now_ms)
{
    look_for_burst(hub, now_ms);
    if (hub->activity.count == 0 || now_ms - hub->activity.looked_ms < LOOK_MS)
        return;
    hub->activity.looked_ms = now_ms;
    look_around(hub, now_ms, LOOK_MOST);
}

void hub_activity_flush(struct picket_hub *hub)
{
    struct activity_table *table = &hub->activity;
    for (size_t i = 0; table->buckets != NULL && i < ACTIVITY_BUCKETS; i++) {
        struct activity_record *record;
        LIST_FOREACH(record, &table->buckets[i], in_bucket)
        {
            if (record->entry == NULL)
                continue;
            if (record->entry->begin_ms != 0 && !append_entry(hub, record->entry))
                picket_count(&dropped, 1);
            empty(record->entry);
        }
    }
}

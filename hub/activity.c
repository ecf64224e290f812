#include "activity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "devices.h"
#include "internal.h"
#include "picket/base/counter.h"
#include "picket/base/time.h"

/* A fleet that comes back at once is told of step by step: the loop has others to serve. */
enum { LOOK_MS = 500, LOOK_MOST = 1000, JSON_BYTES = 8192 };

static struct picket_counter put = {.name = "hub_activity_events",
                                    .help = "events of the hub itself, put on the log",
                                    .is_work = true};
static struct picket_counter dropped = {
    .name = "hub_activity_dropped",
    .help = "what the hub saw of devices and could not tell: too many, or the log was full"};

/* How a connection came about, or was tried. Texts are OpenSSL's, and stay. */
struct attempt {
    char address[PICKET_ADDRESS_TEXT_BYTES]; /* "": there was none */
    const char *tls;
    const char *cipher;
    struct picket_thumbprint certificate; /* SHA-256; none: there was none */
};

struct activity_entry {
    LIST_ENTRY(activity_entry) in_bucket;
    char device[PICKET_DEVICE_ID_BYTES];
    int64_t due_ms;   /* monotonic */
    int64_t begin_ms; /* Unix time of the first thing in it; 0: it is empty */
    uint32_t connected;
    uint32_t moved;
    uint32_t held_back;
    uint32_t endings[ENDING_COUNT]; /* of connections, and CONNECTs refused */
    uint8_t credential;             /* enum credential_kind of the last that was accepted */
    struct attempt accepted;        /* the last of each */
    struct attempt refused;
};

void hub_activity_register_counters(void)
{
    picket_counter_register(&put);
    picket_counter_register(&dropped);
}

void hub_activity_open(struct activity_table *table)
{
    memset(table, 0, sizeof *table);
}

static void forget(struct activity_table *table, struct activity_entry *entry)
{
    LIST_REMOVE(entry, in_bucket);
    table->count--;
    free(entry);
}

void hub_activity_close(struct activity_table *table)
{
    for (size_t i = 0; table->buckets != NULL && i < ACTIVITY_BUCKETS; i++)
        while (!LIST_EMPTY(&table->buckets[i]))
            forget(table, LIST_FIRST(&table->buckets[i]));
    free(table->buckets);
    table->buckets = NULL;
}

/* ---- entries ---- */

static struct activity_bucket *bucket_of(const struct picket_hub *hub, const char *device)
{
    return &hub->activity.buckets[devices_hash(hub, device) % ACTIVITY_BUCKETS];
}

/* NULL: there is no room for it. */
static struct activity_entry *make_entry(struct picket_hub *hub, const char *device)
{
    struct activity_table *table = &hub->activity;
    struct activity_entry *entry =
        table->count < ACTIVITY_DEVICES_MAX ? calloc(1, sizeof *entry) : NULL;
    if (entry == NULL) {
        picket_count(&dropped, 1);
        return NULL;
    }
    snprintf(entry->device, sizeof entry->device, "%s", device);
    entry->due_ms = picket_monotonic_ms() + ACTIVITY_FIRST_MS;
    LIST_INSERT_HEAD(bucket_of(hub, device), entry, in_bucket);
    table->count++;
    return entry;
}

static struct activity_entry *entry_of(const struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    struct activity_table *table = &hub->activity;
    if (table->buckets == NULL)
        table->buckets = calloc(ACTIVITY_BUCKETS, sizeof *table->buckets); /* zero: empty lists */
    if (table->buckets == NULL) {
        picket_count(&dropped, 1);
        return NULL;
    }
    struct activity_entry *entry;
    LIST_FOREACH(entry, bucket_of(hub, connection->device), in_bucket)
    {
        if (strcmp(entry->device, connection->device) == 0)
            break;
    }
    if (entry == NULL)
        entry = make_entry(hub, connection->device);
    if (entry != NULL && entry->begin_ms == 0)
        entry->begin_ms = picket_unix_ms();
    return entry;
}

/* ---- what happens ---- */

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
    struct activity_entry *entry = entry_of(connection);
    if (entry == NULL)
        return;
    entry->connected++;
    entry->credential = connection->credential.kind;
    describe(&entry->accepted, connection);
}

void hub_activity_moved(struct connection *connection)
{
    struct activity_entry *entry = entry_of(connection);
    if (entry != NULL)
        entry->moved++;
}

void hub_activity_held_back(struct connection *connection)
{
    struct activity_entry *entry = entry_of(connection);
    if (entry != NULL)
        entry->held_back++;
}

void hub_activity_refused(struct connection *connection, enum ending ending)
{
    struct activity_entry *entry = entry_of(connection);
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
    struct activity_entry *entry = ending != ENDING_NONE ? entry_of(connection) : NULL;
    if (entry != NULL)
        entry->endings[ending]++;
}

/* ---- as JSON ---- */

struct json {
    char text[JSON_BYTES]; /* all that is put fits: names, numbers and addresses are short */
    size_t used;
};

static void add(struct json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct json *json, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size =
        vsnprintf(json->text + json->used, sizeof json->text - json->used, format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < sizeof json->text - json->used)
        json->used += (size_t)size;
}

/* None of these texts is a peer's: nothing is to be escaped. */
static void add_attempt(struct json *json, const char *name, const struct attempt *attempt)
{
    char print[PICKET_THUMBPRINT_TEXT_BYTES];
    if (attempt->address[0] == '\0')
        return;
    add(json, ",\"%s\":{\"address\":\"%s\",\"tls\":\"%s\",\"cipher\":\"%s\"", name,
        attempt->address, attempt->tls, attempt->cipher);
    if (attempt->certificate.size_bytes > 0)
        add(json, ",\"certificate\":\"%s\"",
            picket_thumbprint_format(&attempt->certificate, print));
    add(json, "}");
}

static void add_endings(struct json *json, const struct activity_entry *entry)
{
    const char *comma = "";
    add(json, ",\"counts\":{");
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++) {
        if (entry->endings[i] == 0)
            continue;
        add(json, "%s\"%s\":%u", comma, ending_name((enum ending)i), entry->endings[i]);
        comma = ",";
    }
    add(json, "}");
}

static void write_json(struct json *json, const struct activity_entry *entry)
{
    static const char *const credentials[] = {
        [CREDENTIAL_KEY] = "sas", [CREDENTIAL_THUMBPRINT] = "thumbprint", [CREDENTIAL_CA] = "ca"};
    json->used = 0;
    add(json, "{\"about\":\"connections\",\"since_ms\":%lld,\"connected\":%u,\"moved\":%u",
        (long long)entry->begin_ms, entry->connected, entry->moved);
    if (entry->held_back > 0)
        add(json, ",\"held_back\":%u", entry->held_back);
    if (entry->connected > 0)
        add(json, ",\"authentication\":\"%s\"", credentials[entry->credential]);
    add_endings(json, entry);
    add_attempt(json, "last_accepted", &entry->accepted);
    add_attempt(json, "last_refused", &entry->refused);
    add(json, "}");
}

/* ---- onto the log ---- */

/* device: "" of the hub itself. */
static bool append(struct picket_hub *hub, const char *device, const struct json *json)
{
    const struct picket_log_message message = {.kind = PICKET_LOG_OF_HUB,
                                               .device = device,
                                               .module = "",
                                               .received_ms = picket_unix_ms(),
                                               .properties = json->text,
                                               .payload = (const uint8_t *)""};
    bool taken = picket_log_append(hub->log, &message, NULL) == PICKET_OK;
    if (taken)
        picket_count(&put, 1);
    return taken;
}

static bool append_entry(struct picket_hub *hub, const struct activity_entry *entry)
{
    struct json json;
    write_json(&json, entry);
    return append(hub, entry->device, &json);
}

static void empty(struct activity_entry *entry)
{
    entry->begin_ms = 0;
    entry->connected = entry->moved = entry->held_back = 0;
    memset(entry->endings, 0, sizeof entry->endings);
    entry->accepted.address[0] = entry->refused.address[0] = '\0';
}

/* How many times the log was asked: 0 or 1. */
static uint32_t look_at(struct picket_hub *hub, struct activity_entry *entry, int64_t now_ms)
{
    if (now_ms < entry->due_ms)
        return 0;
    if (entry->begin_ms == 0) {
        forget(&hub->activity, entry);
        return 0;
    }
    if (append_entry(hub, entry)) {
        empty(entry);
        entry->due_ms = now_ms + ACTIVITY_INTERVAL_MS;
    }
    return 1;
}

static uint32_t look_at_bucket(struct picket_hub *hub, struct activity_bucket *bucket,
                               int64_t now_ms)
{
    uint32_t asked = 0;
    struct activity_entry *entry = LIST_FIRST(bucket), *next;
    for (; entry != NULL; entry = next) {
        next = LIST_NEXT(entry, in_bucket);
        asked += look_at(hub, entry, now_ms);
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
    struct json json = {.used = 0};
    uint64_t refusals;
    if (!burst_look(&hub->activity.burst, now_ms, &refusals))
        return;
    add(&json, "{\"about\":\"burst\",\"refusals\":%llu,\"seconds\":%d}",
        (unsigned long long)refusals, BURST_WINDOWS_TO_BEGIN * BURST_WINDOW_MS / 1000);
    if (!append(hub, "", &json))
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
    look_around(hub, INT64_MAX - ACTIVITY_INTERVAL_MS, UINT32_MAX);
    for (size_t i = 0; hub->activity.buckets != NULL && i < ACTIVITY_BUCKETS; i++) {
        struct activity_entry *entry;
        LIST_FOREACH(entry, &hub->activity.buckets[i], in_bucket)
        {
            if (entry->begin_ms != 0)
                picket_count(&dropped, 1);
        }
    }
}

/* A hub as a process of its own, for tests and measurements: devices are told to it on standard
 * input, what its log receives is told on standard output.
 *
 *     hub_test_server --certificate FILE --key FILE [--host NAME] [--address A] [--any-device KEY]
 *                     [--quiet] [--log-messages N] [--log-bytes N] [--connections-max N]
 *                     [--handshakes-max N] [--message-bytes-max N] [--connect-timeout S]
 *                     [--activity-interval S]
 *                     [--certificate-warning S] [--store FOLDER] [--spool FILE] [--port N]
 *
 * With --spool every batch is appended to FILE and synced before it is committed.
 * With --store the hub is started as Picket starts it, and devices are put into that store.
 *
 *     in                        out
 *     device ID KEY [KEY]       done                    keys in base64
 *     x509 ID PRINT|- [PRINT]   done                    thumbprints; -: by a CA
 *     disable ID | remove ID    done
 *     authority NAME FILE       done                    DER, with --store; FILE -: removes it
 *     filter allow|deny [RULES] done                    the default; allow=PREFIX,deny=PREFIX…
 *     changed ID                done                    picket_hub_device_changed()
 *     desire ID MODULE-OR-- JSON   desired VERSION, done   as an owner's patch, with --store
 *     queue ID TEXT SECONDS         queued, done             a message, with --store
 *     waiting ID                    waiting TEXT:DELIVERIES ..., done
 *     invoke ID NAME SECONDS        done                  a method; what comes of it is not told
 *     hold | release            done                    the consumer stops or goes on committing
 *     counters                  counter NAME VALUE ... done
 *     statistics                statistics CONNECTIONS DEVICES AWAITING, done
 *     quit                      (ends)
 *
 *     port N                                            at the start
 *     activity DEVICE[/MODULE] JSON
 *     message POSITION DEVICE MODULE-OR-- BYTES SHA256 PROPERTIES
 */
#include <getopt.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity/registry.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/administration.h"
#include "picket/store/messages.h"
#include "picket/store/twins.h"

enum { DEVICES_MAX = 256 };

static struct {
    pthread_mutex_t lock;
    struct picket_device_identity devices[DEVICES_MAX];
    size_t count;
    struct picket_device_identity any; /* with a key: whoever is not listed */
    struct picket_store *store;        /* where they are put, with --store */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct {
    pthread_mutex_t lock;
    struct picket_log *log;
    bool held;
    bool quiet;
    FILE *spool;
    uint64_t last_read;
} consumer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&output_lock);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&output_lock);
    va_end(arguments);
}

/* ---- registry ---- */

static size_t decode_key(uint8_t *key, const char *base64)
{
    uint8_t decoded[128];
    size_t size = strlen(base64);
    if (size == 0 || size > 88 || size % 4 != 0)
        return 0;
    int bytes = EVP_DecodeBlock(decoded, (const unsigned char *)base64, (int)size);
    for (size_t i = size; bytes > 0 && i > 0 && base64[i - 1] == '='; i--)
        bytes--;
    if (bytes <= 0 || bytes > PICKET_KEY_BYTES_MAX)
        return 0;
    memcpy(key, decoded, (size_t)bytes);
    return (size_t)bytes;
}

static struct picket_device_identity *listed(const char *id)
{
    for (size_t i = 0; i < registry.count; i++)
        if (strcmp(registry.devices[i].id, id) == 0)
            return &registry.devices[i];
    return NULL;
}

static int find(void *context, const char *id, struct picket_device_identity *device,
                struct picket_error *error)
{
    (void)context;
    pthread_mutex_lock(&registry.lock);
    const struct picket_device_identity *found = listed(id);
    if (found == NULL && registry.any.primary_key_bytes > 0)
        found = &registry.any;
    if (found != NULL)
        *device = *found;
    pthread_mutex_unlock(&registry.lock);
    return found != NULL ? PICKET_OK : picket_fail(error, PICKET_NOT_FOUND, "%s: unknown", id);
}

static void put_in_store(const struct picket_device_identity *device)
{
    if (registry.store == NULL)
        return;
    if (picket_store_device_add(registry.store, device, NULL) == PICKET_EXISTS)
        picket_store_device_set_credentials(registry.store, device, NULL);
}

static void put_device(const char *id, const char *primary, const char *secondary)
{
    pthread_mutex_lock(&registry.lock);
    struct picket_device_identity *device = listed(id);
    if (device == NULL && registry.count < DEVICES_MAX)
        device = &registry.devices[registry.count++];
    if (device != NULL) {
        memset(device, 0, sizeof *device);
        snprintf(device->id, sizeof device->id, "%s", id);
        device->enabled = true;
        device->primary_key_bytes = decode_key(device->primary_key, primary);
        if (secondary != NULL)
            device->secondary_key_bytes = decode_key(device->secondary_key, secondary);
        put_in_store(device);
    }
    pthread_mutex_unlock(&registry.lock);
}

static void put_x509_device(const char *id, const char *primary, const char *secondary)
{
    struct picket_device_identity device = {.enabled = true,
                                            .authentication = PICKET_AUTHENTICATION_CA};
    snprintf(device.id, sizeof device.id, "%s", id);
    if (picket_thumbprint_parse(&device.primary_thumbprint, primary))
        device.authentication = PICKET_AUTHENTICATION_THUMBPRINT;
    if (secondary != NULL)
        picket_thumbprint_parse(&device.secondary_thumbprint, secondary);
    pthread_mutex_lock(&registry.lock);
    struct picket_device_identity *place = listed(id);
    if (place == NULL && registry.count < DEVICES_MAX)
        place = &registry.devices[registry.count++];
    if (place != NULL)
        *place = device;
    put_in_store(&device);
    pthread_mutex_unlock(&registry.lock);
}

static void change_authority(struct picket_hub *hub, const char *name, const char *path)
{
    static uint8_t der[PICKET_AUTHORITY_BYTES_MAX];
    struct picket_error error = {0};
    if (strcmp(path, "-") == 0) {
        picket_store_authority_remove(registry.store, name, &error);
    } else {
        FILE *file = fopen(path, "rb");
        struct picket_authority authority = {.name = name, .certificate = der};
        authority.certificate_bytes = file != NULL ? fread(der, 1, sizeof der, file) : 0;
        if (file != NULL)
            fclose(file);
        picket_store_authority_add(registry.store, &authority, &error);
    }
    if (error.status == PICKET_OK)
        picket_hub_admission_changed(hub, &error);
    if (error.status != PICKET_OK)
        tell("problem %s", error.text);
}

static void change_filter(struct picket_hub *hub, const char *by_default, char *rules)
{
    static struct picket_ip_filter filter;
    struct picket_error error = {0};
    filter.deny_by_default = strcmp(by_default, "deny") == 0;
    filter.count = 0;
    for (char *rest, *rule = strtok_r(rules, ",", &rest); rule; rule = strtok_r(NULL, ",", &rest)) {
        const char *prefix = strchr(rule, '=') + 1;
        filter.rules[filter.count].allow = rule[0] == 'a';
        picket_prefix_parse(&filter.rules[filter.count++].prefix, prefix, strlen(prefix));
    }
    if (picket_store_ip_filter_put(registry.store, &filter, &error) != PICKET_OK ||
        picket_hub_admission_changed(hub, &error) != PICKET_OK)
        tell("problem %s", error.text);
}

static void change_device(const char *id, bool remove)
{
    pthread_mutex_lock(&registry.lock);
    struct picket_device_identity *device = listed(id);
    if (registry.store != NULL && remove)
        picket_store_device_remove(registry.store, id, NULL);
    else if (registry.store != NULL)
        picket_store_device_enable(registry.store, id, false, NULL);
    if (device != NULL && remove)
        *device = registry.devices[--registry.count];
    else if (device != NULL)
        device->enabled = false;
    pthread_mutex_unlock(&registry.lock);
}

/* ---- consumer ---- */

static void show_message(const struct picket_log_message *message)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[2 * 32 + 1];
    if (message->kind == PICKET_LOG_OF_HUB) {
        tell("activity %s%s%s %s", message->device, message->module[0] != '\0' ? "/" : "",
             message->module, message->properties);
        return;
    }
    EVP_Digest(message->payload, message->payload_bytes, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    tell("message %llu %s %s %zu %s %s", (unsigned long long)message->position, message->device,
         message->module[0] != '\0' ? message->module : "-", message->payload_bytes, text,
         message->properties);
}

static void spool(const struct picket_log_message *messages, int count)
{
    for (int i = 0; i < count; i++)
        fwrite(messages[i].payload, 1, messages[i].payload_bytes, consumer.spool);
    if (fflush(consumer.spool) != 0 || fdatasync(fileno(consumer.spool)) != 0)
        abort();
}

static void *consume(void *context)
{
    (void)context;
    const struct picket_log_message *messages;
    int count;
    while ((count = picket_log_read(consumer.log, &messages, 1000, 1000)) >= 0) {
        for (int i = 0; i < count && !consumer.quiet; i++)
            show_message(&messages[i]);
        if (consumer.spool != NULL && count > 0)
            spool(messages, count);
        pthread_mutex_lock(&consumer.lock);
        if (count > 0)
            consumer.last_read = messages[count - 1].position;
        if (count > 0 && !consumer.held)
            picket_log_commit(consumer.log, consumer.last_read);
        pthread_mutex_unlock(&consumer.lock);
    }
    return NULL;
}

static void hold(bool held)
{
    pthread_mutex_lock(&consumer.lock);
    consumer.held = held;
    if (!held && consumer.last_read > 0)
        picket_log_commit(consumer.log, consumer.last_read);
    pthread_mutex_unlock(&consumer.lock);
}

/* ---- commands ---- */

static void show_counter(const struct picket_counter *counter, void *context)
{
    (void)context;
    tell("counter %s %llu", counter->name, (unsigned long long)atomic_load(&counter->value));
}

static void show_statistics(struct picket_hub *hub)
{
    struct picket_hub_statistics statistics;
    picket_hub_statistics(hub, &statistics);
    tell("statistics %llu %llu %llu", (unsigned long long)statistics.connections,
         (unsigned long long)statistics.devices_connected,
         (unsigned long long)statistics.awaiting_durable);
}

static void show_device(struct picket_hub *hub, const char *id)
{
    struct picket_hub_device_statistics statistics;
    picket_hub_device_statistics(hub, id, &statistics);
    tell("device %u %llu %lld", statistics.connections, (unsigned long long)statistics.held_back,
         (long long)statistics.held_off_ms);
}

static void desire(struct picket_hub *hub, const char *id, const char *module, const char *patch)
{
    struct picket_error error;
    int64_t version;
    const struct picket_twin_change change = {
        .device = id,
        .module = strcmp(module, "-") == 0 ? "" : module,
        .part = PICKET_TWIN_DESIRED,
        .patch = patch,
        .patch_bytes = strlen(patch),
        .now_ms = picket_unix_ms(),
    };
    if (picket_store_twin_patch(registry.store, &change, &version, &error) != PICKET_OK) {
        tell("failed %s", error.text);
        return;
    }
    picket_hub_twin_changed(hub, id, change.module, version, patch);
    tell("desired %lld", (long long)version);
}

static void queue(struct picket_hub *hub, const char *id, const char *text, const char *seconds)
{
    struct picket_error error;
    int64_t now_ms = picket_unix_ms(), message_id;
    const struct picket_message message = {
        .device = id,
        .bag = "%24.to=x&p=v%201",
        .payload = (const uint8_t *)text,
        .payload_bytes = strlen(text),
        .queued_ms = now_ms,
        .expires_ms = now_ms + atoi(seconds) * 1000,
    };
    if (picket_store_message_put(registry.store, &message, &message_id, &error) != PICKET_OK) {
        tell("failed %s", error.text);
        return;
    }
    picket_hub_messages_changed(hub, id, PICKET_HUB_MESSAGES_QUEUED, 1);
    tell("queued");
}

static void add_waiting(void *context, const struct picket_message *message)
{
    char *line = context;
    size_t used = strlen(line);
    snprintf(line + used, 60000 - used, " %.*s:%d",
             (int)(message->payload_bytes < 20 ? message->payload_bytes : 20),
             (const char *)message->payload, message->deliveries);
}

static void show_waiting(const char *id)
{
    static char line[60000];
    strcpy(line, "waiting");
    picket_store_messages(registry.store, id, picket_unix_ms(), add_waiting, line, NULL);
    tell("%s", line);
}

static void *await_result(void *context)
{
    struct picket_hub_method_result result = {0};
    struct picket_error error;
    picket_hub_call_wait(context, &result, &error);
    free(result.payload);
    return NULL;
}

static void invoke(struct picket_hub *hub, const char *id, const char *name, const char *seconds)
{
    struct picket_error error;
    struct picket_hub_call *call;
    pthread_t thread;
    const struct picket_hub_method method = {.device = id,
                                             .module = "",
                                             .name = name,
                                             .payload = "null",
                                             .payload_bytes = 4,
                                             .timeout_s = (uint32_t)atoi(seconds)};
    if (picket_hub_call_start(hub, &method, &call, &error) != PICKET_OK)
        tell("failed %s", error.text);
    else if (pthread_create(&thread, NULL, await_result, call) == 0)
        pthread_detach(thread);
}

static void obey(struct picket_hub *hub, const char *command, const char *first, char *second,
                 const char *third)
{
    char no_rules[] = "";
    if (strcmp(command, "device") == 0 && second != NULL)
        put_device(first, second, third);
    else if (strcmp(command, "x509") == 0 && second != NULL)
        put_x509_device(first, second, third);
    else if (strcmp(command, "authority") == 0 && second != NULL)
        change_authority(hub, first, second);
    else if (strcmp(command, "filter") == 0 && first != NULL)
        change_filter(hub, first, second != NULL ? second : no_rules);
    else if (strcmp(command, "disable") == 0 && first != NULL)
        change_device(first, false);
    else if (strcmp(command, "remove") == 0 && first != NULL)
        change_device(first, true);
    else if (strcmp(command, "changed") == 0 && first != NULL)
        picket_hub_device_changed(hub, first);
    else if (strcmp(command, "desire") == 0 && third != NULL && registry.store != NULL)
        desire(hub, first, second, third);
    else if (strcmp(command, "queue") == 0 && third != NULL && registry.store != NULL)
        queue(hub, first, second, third);
    else if (strcmp(command, "waiting") == 0 && first != NULL && registry.store != NULL)
        show_waiting(first);
    else if (strcmp(command, "invoke") == 0 && third != NULL)
        invoke(hub, first, second, third);
    else if (strcmp(command, "hold") == 0 || strcmp(command, "release") == 0)
        hold(command[0] == 'h');
    else if (strcmp(command, "counters") == 0)
        picket_counters_each(show_counter, NULL);
    else if (strcmp(command, "show") == 0 && first != NULL)
        show_device(hub, first);
    else if (strcmp(command, "statistics") == 0)
        show_statistics(hub);
    tell("done");
}

static void serve(struct picket_hub *hub)
{
    static char line[70000];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest = line;
        char *words[4];
        for (int i = 0; i < 4; i++)
            words[i] = strtok_r(i == 0 ? line : NULL, " \n", &rest);
        if (words[0] == NULL)
            continue;
        if (strcmp(words[0], "quit") == 0)
            return;
        obey(hub, words[0], words[1], words[2], words[3]);
    }
}

static void read_options(int argc, char **argv, struct picket_hub_config *config,
                         struct picket_log_limits *limits)
{
    static const struct option options[] = {{"certificate", 1, 0, 'c'},
                                            {"key", 1, 0, 'k'},
                                            {"host", 1, 0, 'h'},
                                            {"address", 1, 0, 'a'},
                                            {"any-device", 1, 0, 'd'},
                                            {"quiet", 0, 0, 'q'},
                                            {"log-messages", 1, 0, 'm'},
                                            {"log-bytes", 1, 0, 'b'},
                                            {"connections-max", 1, 0, 'C'},
                                            {"handshakes-max", 1, 0, 'H'},
                                            {"handshakes-per-address", 1, 0, 'P'},
                                            {"input-bytes-max", 1, 0, 'I'},
                                            {"output-bytes-max", 1, 0, 'O'},
                                            {"message-bytes-max", 1, 0, 'M'},
                                            {"connect-timeout", 1, 0, 'T'},
                                            {"device-packets-per-s", 1, 0, 1},
                                            {"device-bytes-per-s", 1, 0, 2},
                                            {"device-connections-max", 1, 0, 3},
                                            {"device-connects-per-minute", 1, 0, 4},
                                            {"address-connections-per-s", 1, 0, 5},
                                            {"address-refusals-per-minute", 1, 0, 6},
                                            {"activity-interval", 1, 0, 'A'},
                                            {"certificate-warning", 1, 0, 'W'},
                                            {"store", 1, 0, 's'},
                                            {"port", 1, 0, 'p'},
                                            {"spool", 1, 0, 'S'},
                                            {NULL, 0, 0, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint32_t number = optarg != NULL ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        switch (option) {
        case 'c':
            config->certificate_file = optarg;
            break;
        case 'k':
            config->key_file = optarg;
            break;
        case 'S':
            consumer.spool = fopen(optarg, "wb");
            break;
        case 'p':
            config->port = (uint16_t)number;
            break;
        case 's':
            config->store_folder = optarg;
            break;
        case 'h':
            config->host_name = optarg;
            break;
        case 'a':
            config->address = optarg;
            break;
        case 'd':
            registry.any.enabled = true;
            registry.any.primary_key_bytes = decode_key(registry.any.primary_key, optarg);
            break;
        case 'q':
            consumer.quiet = true;
            break;
        case 'm':
            limits->messages = number;
            break;
        case 'b':
            limits->bytes = number;
            break;
        case 'C':
            config->connections_max = number;
            break;
        case 'H':
            config->handshakes_max = number;
            break;
        case 'P':
            config->handshakes_per_address_max = number;
            break;
        case 'I':
            config->input_bytes_max = number;
            break;
        case 'O':
            config->output_bytes_max = number;
            break;
        case 'M':
            config->message_bytes_max = number;
            break;
        case 1:
            config->device_packets_per_s = number;
            break;
        case 2:
            config->device_bytes_per_s = number;
            break;
        case 3:
            config->device_connections_max = number;
            break;
        case 4:
            config->device_connects_per_minute = number;
            break;
        case 5:
            config->address_connections_per_s = number;
            break;
        case 6:
            config->address_refusals_per_minute = number;
            break;
        case 'W':
            config->certificate_warning_s = number;
            break;
        case 'A':
            config->activity_interval_s = number;
            break;
        case 'T':
            config->connect_timeout_s = number;
            break;
        default:
            exit(2);
        }
    }
}

static int start(struct picket_hub **hub, const struct picket_hub_config *config,
                 struct picket_error *error)
{
    struct hub_registry seam = {find, NULL, NULL, NULL};
    if (config->store_folder == NULL)
        return hub_start_with_registry(hub, config, &seam, NULL, consumer.log, error);
    int status = picket_store_open(&registry.store, config->store_folder, error);
    return status != PICKET_OK ? status : picket_hub_start(hub, config, consumer.log, error);
}

int main(int argc, char **argv)
{
    /* Certificates of tests are good for two days: not to be told of. */
    struct picket_hub_config config = {
        .address = "127.0.0.1", .host_name = "localhost", .certificate_warning_s = 1};
    struct picket_log_limits limits = {0, 0};
    struct picket_error error;
    struct picket_hub *hub;
    pthread_t thread;
    read_options(argc, argv, &config, &limits);
    if (picket_log_open_direct(&consumer.log, &limits, &error) != PICKET_OK ||
        start(&hub, &config, &error) != PICKET_OK) {
        fprintf(stderr, "hub_test_server: %s\n", error.text);
        return 1;
    }
    pthread_create(&thread, NULL, consume, NULL);
    tell("port %u", picket_hub_port(hub));
    serve(hub);
    picket_hub_stop(hub);
    picket_log_close(consumer.log);
    pthread_join(thread, NULL);
    picket_log_destroy(consumer.log);
    if (registry.store != NULL)
        picket_store_close(registry.store);
    if (consumer.spool != NULL)
        fclose(consumer.spool);
    return 0;
}

#include "options.h"

#include <getopt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "bench_mqtt_load: many MQTT 3.1.1 connections over TLS, so many messages in flight on each\n"
    "\n"
    "  --host HOST            default localhost        --port PORT      default 8883\n"
    "  --ca FILE              trusted certificate; without it none is checked\n"
    "  --tls 1.2|1.3          default: the highest that both can\n"
    "\n"
    "who connects\n"
    "  --devices FILE         connection strings, one a line: "
    "HostName=..;DeviceId=..;SharedAccessKey=..\n"
    "  --prefix P --key KEY   or devices P0, P1, ... with one key (base64), at --hub-name "
    "(default: HOST)\n"
    "  --user U --password P  or client ids P0, P1, ... with these (mosquitto)\n"
    "\n"
    "what they send\n"
    "  --connections K        default 100              --in-flight W    default 10, for each "
    "connection\n"
    "  --messages N           default 100000, together --bytes S        default 500\n"
    "  --qos 0|1              default 1                --topic T        default "
    "devices/{id}/messages/events/\n"
    "  --payload FILE         instead of S bytes       --stamp OFFSET   each message carries its "
    "number\n"
    "                                                                   there, 8 bytes\n"
    "  --stamp-time OFFSET    the 4-byte Unix time there grows by 1 with each message of a device\n"
    "  --rate R               messages a second, together; default: as fast as they are "
    "acknowledged\n"
    "  --handshakes H         at one time while connecting; default 50\n"
    "  --idle SECONDS         stay connected so long before the first message\n"
    "  --keep-alive SECONDS   default 240\n"
    "  --sources N            connect from 127.0.0.1 .. 127.0.0.N, each device always from the "
    "same\n"
    "  --json                 the result as one JSON object\n"
    "\n"
    "or who comes back\n"
    "  --reconnects R         devices a second connect, send one message, wait for its PUBACK and "
    "go;\n"
    "  --seconds S            so long; default 60. What the server does not take comes later\n"
    "  --resume               by the TLS session of the time before\n"
    "\n"
    "Connects everybody first, then measures from the first PUBLISH to the last PUBACK. Latency: "
    "from the\n"
    "PUBLISH being handed to TLS to its PUBACK. Exit 1 if a connection was refused or lost.\n";

static _Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench_mqtt_load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void *must(void *memory)
{
    if (memory == NULL)
        die("no memory");
    return memory;
}

static char *join(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *join(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return must(strdup(text));
}

static size_t decode_base64(uint8_t *out, size_t capacity, const char *text)
{
    size_t size = strlen(text);
    if (size % 4 != 0 || size / 4 * 3 > capacity)
        die("not a key in base64: %s", text);
    int bytes = EVP_DecodeBlock(out, (const unsigned char *)text, (int)size);
    if (bytes <= 0)
        die("not a key in base64: %s", text);
    return (size_t)bytes - (text[size - 1] == '=') - (size > 1 && text[size - 2] == '=');
}

static void percent_encode(char *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("+/=", *text) != NULL)
            out += sprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            *out++ = *text;
    }
    *out = '\0';
}

static char *make_token(const char *host, const char *device, const char *key_text)
{
    uint8_t key[128], signature[EVP_MAX_MD_SIZE];
    unsigned int size;
    char base64[64], encoded[160], signed_text[600];
    size_t key_bytes = decode_base64(key, sizeof key, key_text);
    long expiry = (long)time(NULL) + 86400;
    int length =
        snprintf(signed_text, sizeof signed_text, "%s%%2Fdevices%%2F%s\n%ld", host, device, expiry);
    if (length < 0 || (size_t)length >= sizeof signed_text)
        die("host name or device id is too long");
    HMAC(EVP_sha256(), key, (int)key_bytes, (const uint8_t *)signed_text, (size_t)length, signature,
         &size);
    EVP_EncodeBlock((unsigned char *)base64, signature, (int)size);
    percent_encode(encoded, base64);
    return join("SharedAccessSignature sr=%s%%2Fdevices%%2F%s&sig=%s&se=%ld", host, device, encoded,
                expiry);
}

static void make_device(struct load_device *device, const char *host, const char *id,
                        const char *key)
{
    device->id = must(strdup(id));
    device->user_name = join("%s/%s/?api-version=2021-04-12", host, id);
    device->password = make_token(host, id, key);
}

static void read_connection_string(struct load_device *device, char *line)
{
    const char *host = NULL, *id = NULL, *key = NULL;
    char *rest = NULL;
    for (char *field = strtok_r(line, ";\r\n", &rest); field;
         field = strtok_r(NULL, ";\r\n", &rest)) {
        if (strncmp(field, "HostName=", 9) == 0)
            host = field + 9;
        else if (strncmp(field, "DeviceId=", 9) == 0)
            id = field + 9;
        else if (strncmp(field, "SharedAccessKey=", 16) == 0)
            key = field + 16;
    }
    if (host == NULL || id == NULL || key == NULL)
        die("not a connection string");
    make_device(device, host, id, key);
}

static void read_devices(struct load_options *options, const char *path)
{
    char line[2048];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die("%s: cannot be read", path);
    for (uint32_t i = 0; i < options->connections; i++) {
        if (fgets(line, sizeof line, file) == NULL)
            die("%s: %u connection strings, %u connections", path, i, options->connections);
        read_connection_string(&options->devices[i], line);
    }
    fclose(file);
}

static void read_payload(struct load_options *options, const char *path)
{
    if (path != NULL) {
        FILE *file = fopen(path, "rb");
        if (file == NULL)
            die("%s: cannot be read", path);
        options->payload = must(malloc(1 << 20));
        options->bytes = fread(options->payload, 1, 1 << 20, file);
        fclose(file);
    } else {
        options->payload = must(malloc(options->bytes + 1));
        memset(options->payload, 'p', options->bytes);
    }
    if (options->stamp >= 0 && (size_t)options->stamp + 8 > options->bytes)
        die("--stamp %ld: the payload has %zu bytes", options->stamp, options->bytes);
    if (options->stamp_time >= 0 && (size_t)options->stamp_time + 4 > options->bytes)
        die("--stamp-time %ld: the payload has %zu bytes", options->stamp_time, options->bytes);
}

struct who {
    const char *devices, *prefix, *key, *hub_name, *user, *password;
};

static void name_devices(struct load_options *options, const struct who *who)
{
    char id[200];
    options->devices = must(calloc(options->connections, sizeof *options->devices));
    if (who->devices != NULL) {
        read_devices(options, who->devices);
        return;
    }
    for (uint32_t i = 0; i < options->connections; i++) {
        struct load_device *device = &options->devices[i];
        snprintf(id, sizeof id, "%s%u", who->prefix, i);
        if (who->key != NULL) {
            make_device(device, who->hub_name != NULL ? who->hub_name : options->host, id,
                        who->key);
            continue;
        }
        device->id = must(strdup(id));
        device->user_name = who->user != NULL ? must(strdup(who->user)) : NULL;
        device->password = who->password != NULL ? must(strdup(who->password)) : NULL;
    }
}

enum load_option {
    HOST,
    PORT,
    CA,
    TLS,
    DEVICES,
    PREFIX,
    KEY,
    HUB_NAME,
    USER,
    PASSWORD,
    CONNECTIONS,
    IN_FLIGHT,
    MESSAGES,
    BYTES,
    QOS,
    TOPIC,
    PAYLOAD,
    STAMP,
    STAMP_TIME,
    RATE,
    HANDSHAKES,
    IDLE,
    KEEP_ALIVE,
    SOURCES,
    RECONNECTS,
    SECONDS,
    RESUME,
    JSON,
    HELP
};

static const struct option long_options[] = {{"host", 1, 0, HOST},
                                             {"port", 1, 0, PORT},
                                             {"ca", 1, 0, CA},
                                             {"tls", 1, 0, TLS},
                                             {"devices", 1, 0, DEVICES},
                                             {"prefix", 1, 0, PREFIX},
                                             {"key", 1, 0, KEY},
                                             {"hub-name", 1, 0, HUB_NAME},
                                             {"user", 1, 0, USER},
                                             {"password", 1, 0, PASSWORD},
                                             {"connections", 1, 0, CONNECTIONS},
                                             {"in-flight", 1, 0, IN_FLIGHT},
                                             {"messages", 1, 0, MESSAGES},
                                             {"bytes", 1, 0, BYTES},
                                             {"qos", 1, 0, QOS},
                                             {"topic", 1, 0, TOPIC},
                                             {"payload", 1, 0, PAYLOAD},
                                             {"stamp", 1, 0, STAMP},
                                             {"stamp-time", 1, 0, STAMP_TIME},
                                             {"rate", 1, 0, RATE},
                                             {"handshakes", 1, 0, HANDSHAKES},
                                             {"idle", 1, 0, IDLE},
                                             {"keep-alive", 1, 0, KEEP_ALIVE},
                                             {"sources", 1, 0, SOURCES},
                                             {"reconnects", 1, 0, RECONNECTS},
                                             {"seconds", 1, 0, SECONDS},
                                             {"resume", 0, 0, RESUME},
                                             {"json", 0, 0, JSON},
                                             {"help", 0, 0, HELP},
                                             {NULL, 0, 0, 0}};

static bool take_text(struct load_options *options, struct who *who, const char **payload,
                      int option, const char *value)
{
    switch (option) {
    case HOST:
        options->host = value;
        return true;
    case CA:
        options->ca_file = value;
        return true;
    case TLS:
        options->tls_version = strcmp(value, "1.2") == 0 ? 0x0303 : 0x0304;
        return true;
    case DEVICES:
        who->devices = value;
        return true;
    case PREFIX:
        who->prefix = value;
        return true;
    case KEY:
        who->key = value;
        return true;
    case HUB_NAME:
        who->hub_name = value;
        return true;
    case USER:
        who->user = value;
        return true;
    case PASSWORD:
        who->password = value;
        return true;
    case TOPIC:
        options->topic = value;
        return true;
    case PAYLOAD:
        *payload = value;
        return true;
    case RESUME:
        options->resume = true;
        return true;
    case JSON:
        options->json = true;
        return true;
    default:
        return false;
    }
}

static void take_number(struct load_options *options, int option, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    if (*end != '\0' || number < 0 || number > 1e15)
        die("not a number: %s", value);
    switch (option) {
    case PORT:
        options->port = (uint16_t)number;
        break;
    case CONNECTIONS:
        options->connections = (uint32_t)number;
        break;
    case IN_FLIGHT:
        options->in_flight = (uint32_t)number;
        break;
    case MESSAGES:
        options->messages = (uint64_t)number;
        break;
    case BYTES:
        options->bytes = (size_t)number;
        break;
    case QOS:
        options->qos = (int)number;
        break;
    case STAMP:
        options->stamp = (long)number;
        break;
    case STAMP_TIME:
        options->stamp_time = (long)number;
        break;
    case RATE:
        options->rate = number;
        break;
    case HANDSHAKES:
        options->handshakes = (uint32_t)number;
        break;
    case IDLE:
        options->idle_s = (uint32_t)number;
        break;
    case SOURCES:
        options->sources = (uint32_t)number;
        break;
    case RECONNECTS:
        options->reconnects = number;
        break;
    case SECONDS:
        options->seconds = (uint32_t)number;
        break;
    case KEEP_ALIVE:
        options->keep_alive_s = (uint32_t)number;
        break;
    default:
        die("see --help");
    }
}

void load_options_read(struct load_options *options, int argc, char **argv)
{
    struct who who = {.prefix = "bench-"};
    const char *payload = NULL;
    int option;
    *options = (struct load_options){.host = "localhost",
                                     .port = 8883,
                                     .connections = 100,
                                     .in_flight = 10,
                                     .messages = 100000,
                                     .bytes = 500,
                                     .qos = 1,
                                     .topic = "devices/{id}/messages/events/",
                                     .stamp = -1,
                                     .stamp_time = -1,
                                     .handshakes = 50,
                                     .seconds = 60,
                                     .keep_alive_s = 240};
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == HELP) {
            fputs(help, stdout);
            exit(0);
        }
        if (option == '?')
            die("see --help");
        if (!take_text(options, &who, &payload, option, optarg))
            take_number(options, option, optarg);
    }
    if (options->connections == 0 || options->in_flight == 0 || options->in_flight > 1000 ||
        options->bytes > 1 << 20 || options->handshakes == 0 || options->qos > 1)
        die("out of range: see --help");
    if (options->reconnects > 0) {
        options->in_flight = 1;
        options->messages = UINT64_MAX;
    }
    read_payload(options, payload);
    name_devices(options, &who);
}

void load_options_free(struct load_options *options)
{
    for (uint32_t i = 0; i < options->connections; i++) {
        free(options->devices[i].id);
        free(options->devices[i].user_name);
        free(options->devices[i].password);
    }
    free(options->devices);
    free(options->payload);
}

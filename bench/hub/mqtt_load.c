/* Load for an MQTT broker or for Picket's hub: see --help (options.c). One thread, epoll. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "latency.h"
#include "options.h"

enum state { CLOSED, CONNECTING, HANDSHAKING, AWAITING_CONNACK, CONNECTED };

struct client {
    const struct load_device *device;
    SSL *ssl;
    SSL_SESSION *session; /* to be resumed; NULL: none */
    int fd;
    uint8_t state;
    bool wants_write;
    uint16_t next_id;
    uint32_t in_flight;
    uint32_t oldest;   /* in sent_us: PUBACKs come in the order of the messages */
    uint64_t *sent_us; /* a ring of options.in_flight */
    uint64_t began_us; /* of the connection */
    uint64_t last_us;  /* something was sent */
    uint8_t *out;      /* what TLS did not take yet */
    size_t out_size, out_done, out_capacity;
    uint8_t in[8]; /* begin of a packet; all we receive are 2 to 4 bytes long */
    size_t in_size;
};

static struct load_options options;
static struct client *clients;
static SSL_CTX *tls;
static int epoll_fd;
static struct sockaddr_storage server;
static socklen_t server_size;

static struct {
    uint32_t opening, opened, connected, failed;
    uint64_t started, acknowledged, out_of_order;
    uint64_t first_us, last_us;
    uint64_t reconnects, begun, resumed;
    char problem[200];
    struct latency connect, publish;
} totals;

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- connections ---- */

static void hang_up(struct client *client)
{
    client->state = CLOSED;
    SSL_free(client->ssl);
    close(client->fd);
    client->ssl = NULL;
    client->in_flight = 0;
    client->out_size = client->out_done = client->in_size = 0;
}

static void fail(struct client *client, const char *what)
{
    if (client->state == CLOSED)
        return;
    if (client->state != CONNECTED)
        totals.opening--;
    else
        totals.connected--;
    if (totals.failed++ == 0)
        snprintf(totals.problem, sizeof totals.problem, "%s: %s", client->device->id, what);
    hang_up(client);
}

static void watch(struct client *client, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = client};
    if (write == client->wants_write)
        return;
    client->wants_write = write;
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

/* As if the devices had addresses of their own: 127.0.0.1, 127.0.0.2, ... */
static bool choose_source(const struct client *client)
{
    int later = 1;
    if (options.sources == 0)
        return true;
    uint32_t number = (uint32_t)(client - clients) % options.sources;
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK + number)};
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later);
    return bind(client->fd, (struct sockaddr *)&source, sizeof source) == 0;
}

/* Tickets come when the server likes: with TLS 1.3 after the handshake. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct client *client = SSL_get_app_data(ssl);
    SSL_SESSION_free(client->session);
    client->session = session;
    return 1;
}

static bool start_connecting(struct client *client)
{
    int on = 1;
    client->fd = socket(server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return false;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!choose_source(client))
        return false;
    if (connect(client->fd, (struct sockaddr *)&server, server_size) != 0 && errno != EINPROGRESS)
        return false;
    client->ssl = SSL_new(tls);
    SSL_set_fd(client->ssl, client->fd);
    SSL_set_tlsext_host_name(client->ssl, (uintptr_t)options.host); /* the macro casts const away */
    SSL_set1_host(client->ssl, options.host);
    SSL_set_connect_state(client->ssl);
    SSL_set_app_data(client->ssl, client);
    if (client->session != NULL)
        SSL_set_session(client->ssl, client->session);
    client->state = CONNECTING;
    client->began_us = now_us();
    client->wants_write = true;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event) == 0;
}

static void open_more(void)
{
    while (totals.opened < options.connections && totals.opening < options.handshakes) {
        struct client *client = &clients[totals.opened++];
        totals.opening++;
        if (!start_connecting(client)) {
            fprintf(stderr, "bench_mqtt_load: connection %u: %s\n", totals.opened, strerror(errno));
            exit(1);
        }
    }
}

/* ---- sending ---- */

static uint8_t *room(struct client *client, size_t size)
{
    if (client->out_size + size > client->out_capacity) {
        client->out_capacity = client->out_size + size;
        client->out = realloc(client->out, client->out_capacity);
        if (client->out == NULL)
            abort();
    }
    uint8_t *at = client->out + client->out_size;
    client->out_size += size;
    return at;
}

static size_t put_length(uint8_t *out, size_t size)
{
    size_t count = 0;
    do {
        out[count++] = (uint8_t)((size & 0x7F) | (size > 0x7F ? 0x80 : 0));
        size >>= 7;
    } while (size > 0);
    return count;
}

static void put_header(struct client *client, uint8_t first, size_t remaining)
{
    uint8_t header[5] = {first};
    size_t size = 1 + put_length(header + 1, remaining);
    memcpy(room(client, size), header, size);
}

static void put_text(struct client *client, const char *text, size_t size)
{
    uint8_t *at = room(client, 2 + size);
    at[0] = (uint8_t)(size >> 8);
    at[1] = (uint8_t)size;
    memcpy(at + 2, text, size);
}

static void put_connect(struct client *client)
{
    const struct load_device *device = client->device;
    size_t id = strlen(device->id);
    size_t user = device->user_name != NULL ? strlen(device->user_name) : 0;
    size_t password = device->password != NULL ? strlen(device->password) : 0;
    uint8_t flags = 0x02 | (device->user_name ? 0x80 : 0) | (device->password ? 0x40 : 0);
    put_header(client, 0x10,
               10 + 2 + id + (device->user_name ? 2 + user : 0) +
                   (device->password ? 2 + password : 0));
    uint8_t *at = room(client, 10);
    memcpy(at, "\0\4MQTT\4", 7);
    at[7] = flags;
    at[8] = (uint8_t)(options.keep_alive_s >> 8);
    at[9] = (uint8_t)options.keep_alive_s;
    put_text(client, device->id, id);
    if (device->user_name != NULL)
        put_text(client, device->user_name, user);
    if (device->password != NULL)
        put_text(client, device->password, password);
}

static size_t make_topic(char *out, size_t capacity, const char *id)
{
    const char *place = strstr(options.topic, "{id}");
    int size = place == NULL ? snprintf(out, capacity, "%s", options.topic)
                             : snprintf(out, capacity, "%.*s%s%s", (int)(place - options.topic),
                                        options.topic, id, place + 4);
    return (size_t)size < capacity ? (size_t)size : capacity - 1;
}

/* As if each device sent one message a second. */
static void stamp_time(uint8_t *at)
{
    uint32_t time_s;
    memcpy(&time_s, at, sizeof time_s);
    time_s += (uint32_t)(totals.started / options.connections);
    memcpy(at, &time_s, sizeof time_s);
}

static void put_publish(struct client *client)
{
    char topic[2048];
    size_t topic_size = make_topic(topic, sizeof topic, client->device->id);
    size_t id_bytes = options.qos > 0 ? 2 : 0;
    put_header(client, (uint8_t)(0x30 | options.qos << 1),
               2 + topic_size + id_bytes + options.bytes);
    put_text(client, topic, topic_size);
    if (options.qos > 0) {
        client->next_id = client->next_id == UINT16_MAX ? 1 : (uint16_t)(client->next_id + 1);
        uint8_t *at = room(client, 2);
        at[0] = (uint8_t)(client->next_id >> 8);
        at[1] = (uint8_t)client->next_id;
    }
    uint8_t *payload = room(client, options.bytes);
    memcpy(payload, options.payload, options.bytes);
    if (options.stamp >= 0)
        memcpy(payload + options.stamp, &totals.started, sizeof totals.started);
    if (options.stamp_time >= 0)
        stamp_time(payload + options.stamp_time);
}

static void flush(struct client *client)
{
    while (client->out_done < client->out_size) {
        size_t written = 0;
        ERR_clear_error();
        int result = SSL_write_ex(client->ssl, client->out + client->out_done,
                                  client->out_size - client->out_done, &written);
        if (result == 1) {
            client->out_done += written;
            continue;
        }
        if (SSL_get_error(client->ssl, result) == SSL_ERROR_WANT_WRITE)
            watch(client, true);
        else
            fail(client, "lost while sending");
        return;
    }
    client->out_size = client->out_done = 0;
    watch(client, false);
}

static bool may_start(uint64_t now)
{
    if (totals.first_us == 0 || totals.started >= options.messages)
        return false;
    return options.rate <= 0 ||
           (double)totals.started <= (double)(now - totals.first_us) * options.rate / 1e6;
}

static void publish(struct client *client)
{
    uint64_t now = now_us();
    bool any = false;
    while (client->in_flight < options.in_flight && client->out_size < 65536 && may_start(now)) {
        put_publish(client);
        totals.started++;
        any = true;
        if (options.qos == 0) {
            totals.acknowledged++;
            totals.last_us = now;
        } else {
            uint32_t at = (client->oldest + client->in_flight++) % options.in_flight;
            client->sent_us[at] = now;
        }
        if (options.rate > 0)
            break; /* the next one is another's */
    }
    if (any) {
        client->last_us = now;
        flush(client);
    }
}

/* ---- receiving ---- */

static void take_puback(struct client *client, uint16_t id)
{
    uint64_t now = now_us();
    uint16_t expected = (uint16_t)(client->next_id - client->in_flight + 1);
    if (client->next_id < client->in_flight)
        expected--; /* there is no id 0 */
    if (client->in_flight == 0 || id != expected)
        totals.out_of_order++;
    if (client->in_flight == 0)
        return;
    latency_add(&totals.publish, now - client->sent_us[client->oldest]);
    client->oldest = (client->oldest + 1) % options.in_flight;
    client->in_flight--;
    totals.acknowledged++;
    totals.last_us = now;
}

static void take_packet(struct client *client, const uint8_t *packet)
{
    char what[40];
    if (packet[0] == 0x20 && client->state == AWAITING_CONNACK) {
        if (packet[3] != 0) {
            snprintf(what, sizeof what, "refused with code %u", packet[3]);
            fail(client, what);
            return;
        }
        client->state = CONNECTED;
        totals.opening--;
        totals.connected++;
        totals.resumed += SSL_session_reused(client->ssl) == 1;
        latency_add(&totals.connect, now_us() - client->began_us);
    } else if (packet[0] == 0x40) {
        take_puback(client, (uint16_t)(packet[2] << 8 | packet[3]));
    }
}

static void take_bytes(struct client *client, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && client->state != CLOSED; i++) {
        client->in[client->in_size++] = bytes[i];
        if (client->in_size < 2 || client->in_size < (size_t)client->in[1] + 2)
            continue;
        take_packet(client, client->in);
        client->in_size = 0;
    }
}

static void receive(struct client *client)
{
    uint8_t buffer[16384];
    while (client->state == AWAITING_CONNACK || client->state == CONNECTED) {
        size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(client->ssl, buffer, sizeof buffer, &got);
        if (result != 1) {
            int error = SSL_get_error(client->ssl, result);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
                fail(client, "closed by the server");
            return;
        }
        take_bytes(client, buffer, got);
        if (client->state == CLOSED || SSL_has_pending(client->ssl) == 0)
            return; /* epoll tells of more */
    }
}

static void shake_hands(struct client *client)
{
    ERR_clear_error();
    int result = SSL_do_handshake(client->ssl);
    if (result == 1) {
        client->state = AWAITING_CONNACK;
        put_connect(client);
        flush(client);
        return;
    }
    int error = SSL_get_error(client->ssl, result);
    if (error == SSL_ERROR_WANT_READ)
        watch(client, false);
    else if (error == SSL_ERROR_WANT_WRITE)
        watch(client, true);
    else
        fail(client, ERR_peek_error() != 0 ? ERR_reason_error_string(ERR_peek_error())
                                           : "TLS handshake failed");
}

/* CONNACK, one message, its PUBACK: that is a reconnect. The goodbye is not waited for. */
static void end_visit(struct client *client)
{
    memcpy(room(client, 2), "\xe0\0", 2);
    flush(client);
    if (client->state == CLOSED)
        return;
    totals.connected--;
    totals.reconnects++;
    totals.last_us = now_us();
    SSL_shutdown(client->ssl); /* without it the session could not be resumed */
    hang_up(client);
}

static bool has_published(const struct client *client)
{
    return client->state == CONNECTED && client->in_flight == 0 && client->last_us != 0;
}

static void on_event(struct client *client)
{
    if (client->state == CONNECTING)
        client->state = HANDSHAKING;
    if (client->state == HANDSHAKING) {
        shake_hands(client);
        return;
    }
    if (client->out_size > 0)
        flush(client);
    receive(client);
    if (options.reconnects > 0 && has_published(client))
        end_visit(client);
    else if (client->state == CONNECTED)
        publish(client);
}

/* ---- phases ---- */

static void turn(int timeout_ms)
{
    struct epoll_event events[512];
    int count = epoll_wait(epoll_fd, events, 512, timeout_ms);
    for (int i = 0; i < count; i++)
        if (((struct client *)events[i].data.ptr)->state != CLOSED)
            on_event(events[i].data.ptr);
}

static void connect_all(void)
{
    while (totals.opened < options.connections || totals.opening > 0) {
        open_more();
        turn(1000);
    }
}

static void ping_when_due(void)
{
    uint64_t now = now_us();
    for (uint32_t i = 0; i < options.connections; i++) {
        struct client *client = &clients[i];
        if (client->state != CONNECTED ||
            now - client->last_us < options.keep_alive_s * UINT64_C(800000))
            continue;
        memcpy(room(client, 2), "\xc0\0", 2);
        client->last_us = now;
        flush(client);
    }
}

static void idle(void)
{
    uint64_t end = now_us() + options.idle_s * UINT64_C(1000000);
    while (now_us() < end) {
        turn(500);
        if (options.keep_alive_s > 0)
            ping_when_due();
    }
}

static void send_all(void)
{
    uint32_t next = 0;
    uint64_t pinged_us = totals.first_us = totals.last_us = now_us();
    for (uint32_t i = 0; i < options.connections && options.rate <= 0; i++)
        if (clients[i].state == CONNECTED)
            publish(&clients[i]);
    while (totals.acknowledged < options.messages && totals.connected > 0) {
        while (options.rate > 0 && may_start(now_us())) {
            struct client *client = &clients[next++ % options.connections];
            if (client->state == CONNECTED)
                publish(client);
        }
        turn(options.rate > 0 ? 1 : 1000);
        if (options.keep_alive_s > 0 && now_us() - pinged_us > 1000000) {
            ping_when_due();
            pinged_us = now_us();
        }
    }
}

/* ---- reconnects ---- */

static void begin_visits(uint64_t now, uint32_t *next)
{
    uint64_t due = (uint64_t)((double)(now - totals.first_us) * options.reconnects / 1e6);
    uint64_t all = (uint64_t)(options.reconnects * options.seconds);
    for (; totals.begun < due && totals.begun < all && totals.opening < options.handshakes;
         ++*next) {
        struct client *client = &clients[*next % options.connections];
        if (client->state != CLOSED)
            return; /* it is still there: the server is behind */
        client->last_us = 0;
        totals.begun++;
        totals.opening++;
        if (!start_connecting(client))
            fail(client, strerror(errno));
    }
}

/* Devices come back again and again, so many a second as are asked for, or as the server takes. */
static void reconnect_all(void)
{
    uint32_t next = 0;
    uint64_t all = (uint64_t)(options.reconnects * options.seconds);
    totals.first_us = totals.last_us = now_us();
    uint64_t latest_us = totals.first_us + (uint64_t)options.seconds * 2000000;
    while (totals.reconnects + totals.failed < all && now_us() < latest_us) {
        begin_visits(now_us(), &next);
        turn(1);
    }
}

static void report_reconnects(void)
{
    double seconds = (double)(totals.last_us - totals.first_us) / 1e6;
    const char *form = options.json
                           ? "{\"reconnects\":%llu,\"seconds\":%.3f,\"reconnects_per_s\":%.0f,"
                             "\"resumed\":%llu,\"connect_p50_ms\":%.3f,\"connect_p99_ms\":%.3f,"
                             "\"connect_max_ms\":%.3f,\"failed\":%u}\n"
                           : "%llu reconnects in %.3f s: %.0f/s, %llu resumed\n"
                             "to CONNACK ms: p50 %.3f  p99 %.3f  max %.3f\n"
                             "failed %u\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    printf(form, (unsigned long long)totals.reconnects, seconds,
           seconds > 0 ? (double)totals.reconnects / seconds : 0,
           (unsigned long long)totals.resumed,
           (double)latency_percentile(&totals.connect, 50) / 1000,
           (double)latency_percentile(&totals.connect, 99) / 1000,
           (double)totals.connect.max_us / 1000, totals.failed);
#pragma GCC diagnostic pop
    if (totals.failed > 0)
        fprintf(stderr, "bench_mqtt_load: first failure: %s\n", totals.problem);
}

static void report(double connect_s)
{
    double seconds = (double)(totals.last_us - totals.first_us) / 1e6;
    double rate = seconds > 0 ? (double)totals.acknowledged / seconds : 0;
    double p50 = (double)latency_percentile(&totals.publish, 50) / 1000;
    double p95 = (double)latency_percentile(&totals.publish, 95) / 1000;
    double p99 = (double)latency_percentile(&totals.publish, 99) / 1000;
    double connects = connect_s > 0 ? options.connections / connect_s : 0;
    const char *form =
        options.json
            ? "{\"connections\":%u,\"in_flight\":%u,\"bytes\":%zu,\"connects_per_s\":%.0f,"
              "\"acknowledged\":%llu,\"seconds\":%.3f,\"messages_per_s\":%.0f,\"p50_ms\":%.3f,"
              "\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"out_of_order\":%llu,\"failed\":%u}"
              "\n"
            : "%u connections x %u in flight, %zu bytes; %.0f connects/s\n"
              "%llu acknowledged in %.3f s: %.0f messages/s\n"
              "latency ms: p50 %.3f  p95 %.3f  p99 %.3f  max %.3f\n"
              "out of order %llu, connections failed %u\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    printf(form, options.connections, options.in_flight, options.bytes, connects,
           (unsigned long long)totals.acknowledged, seconds, rate, p50, p95, p99,
           (double)totals.publish.max_us / 1000, (unsigned long long)totals.out_of_order,
           totals.failed);
#pragma GCC diagnostic pop
    if (totals.failed > 0)
        fprintf(stderr, "bench_mqtt_load: first failure: %s\n", totals.problem);
}

static void prepare_tls(void)
{
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(tls, options.resume ? SSL_SESS_CACHE_CLIENT |
                                                             SSL_SESS_CACHE_NO_INTERNAL_STORE
                                                       : SSL_SESS_CACHE_OFF);
    if (options.resume)
        SSL_CTX_sess_set_new_cb(tls, keep_session);
    SSL_CTX_set_read_ahead(tls, 1);
    if (options.tls_version != 0) {
        SSL_CTX_set_min_proto_version(tls, options.tls_version);
        SSL_CTX_set_max_proto_version(tls, options.tls_version);
    }
    if (options.ca_file == NULL)
        return;
    if (SSL_CTX_load_verify_locations(tls, options.ca_file, NULL) != 1) {
        fprintf(stderr, "bench_mqtt_load: %s: no certificate\n", options.ca_file);
        exit(2);
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
}

static void find_server(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    char port[8];
    snprintf(port, sizeof port, "%u", options.port);
    if (getaddrinfo(options.host, port, &hints, &list) != 0) {
        fprintf(stderr, "bench_mqtt_load: %s: no such host\n", options.host);
        exit(2);
    }
    memcpy(&server, list->ai_addr, list->ai_addrlen);
    server_size = list->ai_addrlen;
    freeaddrinfo(list);
}

static void free_all(void)
{
    for (uint32_t i = 0; i < options.connections; i++) {
        struct client *client = &clients[i];
        if (client->state != CLOSED) {
            SSL_free(client->ssl);
            close(client->fd);
        }
        SSL_SESSION_free(client->session);
        free(client->sent_us);
        free(client->out);
    }
    free(clients);
    SSL_CTX_free(tls);
    load_options_free(&options);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    load_options_read(&options, argc, argv);
    prepare_tls();
    find_server();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    clients = calloc(options.connections, sizeof *clients);
    for (uint32_t i = 0; i < options.connections; i++) {
        clients[i].device = &options.devices[i];
        clients[i].sent_us = calloc(options.in_flight, sizeof *clients[i].sent_us);
        clients[i].fd = -1;
    }
    if (options.reconnects > 0) {
        reconnect_all();
        report_reconnects();
        bool all_came = totals.failed == 0 && totals.reconnects == totals.begun;
        free_all();
        close(epoll_fd);
        return all_came ? 0 : 1;
    }
    uint64_t began = now_us();
    connect_all();
    double connect_s = (double)(now_us() - began) / 1e6;
    fprintf(stderr, "bench_mqtt_load: %u connected in %.2f s\n", totals.connected, connect_s);
    idle();
    if (options.messages > 0)
        send_all();
    report(connect_s);
    bool complete = totals.failed == 0 && totals.acknowledged == options.messages;
    free_all();
    close(epoll_fd);
    return complete ? 0 : 1;
}

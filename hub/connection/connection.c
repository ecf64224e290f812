#include "connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conduct/addresses.h"
#include "conduct/conduct.h"
#include "exchange/device_bound.h"
#include "input_budget.h"
#include "listener.h"
#include "picket/base/time.h"
#include "session/devices.h"
#include "session/session.h"
#include "session/wills.h"
#include "sources.h"
#include "stream.h"
#include "work.h"

/* ---- who it is ---- */

static void describe(const struct connection *connection, char *out, size_t size)
{
    char address[PICKET_ADDRESS_TEXT_BYTES];
    picket_address_format(&connection->address, address);
    const char *open = connection->address.family == 6 ? "[" : "";
    const char *shut = connection->address.family == 6 ? "]" : "";
    if (connection->device == NULL)
        snprintf(out, size, "client at %s%s%s:%u", open, address, shut, connection->port);
    else
        snprintf(out, size, "device %s%s%s at %s%s%s:%u", connection->device,
                 connection->module[0] != '\0' ? " module " : "", connection->module, open, address,
                 shut, connection->port);
}

static void report(const struct connection *connection, enum ending ending, const char *sentence)
{
    char who[2 * PICKET_DEVICE_ID_BYTES + PICKET_ADDRESS_TEXT_BYTES + 32];
    describe(connection, who, sizeof who);
    ending_report(ending, who, sentence);
}

/* ---- begin ---- */

static bool take_slot(struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    uint32_t index = hub->free_slot;
    if (index != UINT32_MAX)
        hub->free_slot = hub->slots[index].next_free;
    else if (hub->slots_used < hub->config.connections_max)
        index = hub->slots_used++;
    else
        return false;
    hub->slots[index].connection = connection;
    hub->slots[index].generation++;
    connection->slot = index;
    return true;
}

static void leave_slot(struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    struct slot *slot = &hub->slots[connection->slot];
    slot->connection = NULL;
    slot->generation++;
    slot->next_free = hub->free_slot;
    hub->free_slot = connection->slot;
}

/* A dead peer is noticed by TCP within some two minutes, whatever its keep-alive. */
static void prepare_socket(int fd)
{
    int on = 1, idle_s = 60, interval_s = 15, probes = 4, timeout_ms = 60000;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static void join_unauthenticated(struct connection *connection)
{
    connection->unauthenticated = true;
    connection->hub->unauthenticated_count++;
    TAILQ_INSERT_TAIL(&connection->hub->unauthenticated, connection, in_unauthenticated);
    sources_enter(connection);
}

static void leave_unauthenticated(struct connection *connection)
{
    if (!connection->unauthenticated)
        return;
    connection->unauthenticated = false;
    connection->hub->unauthenticated_count--;
    TAILQ_REMOVE(&connection->hub->unauthenticated, connection, in_unauthenticated);
    sources_leave(connection);
    listener_resume(connection->hub);
}

/* The list is in the order of last life, so that the silent ones are at its head. */
static void show_life(struct connection *connection)
{
    connection->heard_ms = picket_monotonic_ms();
    if (!connection->unauthenticated)
        return;
    TAILQ_REMOVE(&connection->hub->unauthenticated, connection, in_unauthenticated);
    TAILQ_INSERT_TAIL(&connection->hub->unauthenticated, connection, in_unauthenticated);
}

static void discard(struct connection *connection)
{
    SSL_free(connection->ssl);
    close(connection->fd);
    free(connection);
}

void connection_open(struct picket_hub *hub, int fd, const struct picket_address *address,
                     uint16_t port)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        ending_report(ENDING_NO_MEMORY, "a new client", "closed: no memory");
        close(fd);
        return;
    }
    connection->hub = hub;
    connection->fd = fd;
    connection->address = *address;
    connection->port = port;
    connection->since_ms = connection->heard_ms = picket_monotonic_ms();
    connection->ssl = SSL_new(hub->tls);
    if (connection->ssl == NULL || SSL_set_fd(connection->ssl, fd) != 1 || !take_slot(connection)) {
        report(connection, ENDING_NO_MEMORY, "closed: no memory");
        discard(connection);
        return;
    }
    if (uv_poll_init(&hub->loop, &connection->poll, fd) != 0) {
        report(connection, ENDING_NO_MEMORY, "closed: it cannot be polled");
        leave_slot(connection);
        discard(connection);
        return;
    }
    prepare_socket(fd);
    tls_watch(connection->ssl, &connection->patience);
    SSL_set_accept_state(connection->ssl);
    connection->poll.data = connection;
    join_unauthenticated(connection);
    atomic_fetch_add(&hub->connection_count, 1);
    connection_poll(connection);
}

void connection_authenticated(struct connection *connection)
{
    leave_unauthenticated(connection);
    connection->state = CONNECTION_ACCEPTED;
    connection->since_ms = picket_monotonic_ms();
}

/* ---- end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    close(connection->fd);
    free(connection);
}

static void turn_away(struct connection *connection)
{
    hub_activity_turned_away(connection->hub);
    addresses_refused(connection->hub, &connection->address);
}

/* The registry's failure is our own fault, and some have proved who they are. */
static bool speaks_against_address(enum ending ending)
{
    return ending != ENDING_REGISTRY_FAILED && ending != ENDING_HELD_OFF &&
           ending != ENDING_TOO_MANY_OF_DEVICE;
}

/* A will is for those who vanish; not for who says goodbye, nor for our own end. */
static bool leaves_will(enum ending ending)
{
    return ending != ENDING_BY_DEVICE && ending != ENDING_STOPPED;
}

void connection_let_go(struct connection *connection)
{
    SSL_free(connection->ssl);
    connection->ssl = NULL;
    uv_close((uv_handle_t *)&connection->poll, on_closed);
}

static void release(struct connection *connection)
{
    if (connection->state == CONNECTION_ACCEPTED)
        devices_leave(connection);
    conduct_leave(connection);
    leave_unauthenticated(connection);
    work_queue(connection, WORK_NONE);
    connection->state = CONNECTION_CLOSED;
    leave_slot(connection);
    bytes_free(&connection->kept);
    stream_forget_unsent(connection);
    input_budget_release(connection);
    free(connection->device);
    free(connection->will);
    free(connection->device_bound);
    connection->device_bound = NULL;
    atomic_fetch_sub(&connection->hub->connection_count, 1);
    if (!connection->shaking)
        connection_let_go(connection);
}

void connection_end(struct connection *connection, enum ending ending, const char *format, ...)
{
    if (!connection_is_open(connection))
        return;
    if (ending != ENDING_NONE) {
        char sentence[400];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(sentence, sizeof sentence, format, arguments);
        va_end(arguments);
        report(connection, ending, sentence);
    }
    if (connection->state == CONNECTION_ACCEPTED)
        hub_activity_ended(connection, ending);
    else if (ending == ENDING_HANDSHAKE)
        turn_away(connection);
    if (connection->state == CONNECTION_ACCEPTED && leaves_will(ending))
        wills_take(connection);
    /* Tells the peer that this is no truncation; nobody waits for its answer. */
    if (connection->state != CONNECTION_HANDSHAKING && connection->state != CONNECTION_LINGERING)
        SSL_shutdown(connection->ssl);
    release(connection);
    listener_resume(connection->hub);
}

void connection_refuse(struct connection *connection, enum ending ending,
                       enum mqtt_connack_code code, const char *sentence)
{
    uint8_t connack[MQTT_CONNACK_BYTES];
    report(connection, ending, sentence);
    if (speaks_against_address(ending))
        turn_away(connection);
    connection_send(connection, connack, mqtt_write_connack(connack, code, false));
    stream_flush(connection);
    if (!connection_is_open(connection))
        return;
    /* Closing with input unread would reset the connection, and the answer would be lost with it.
     */
    SSL_shutdown(connection->ssl);
    shutdown(connection->fd, SHUT_WR);
    stream_forget_unsent(connection);
    connection->state = CONNECTION_LINGERING;
    connection->since_ms = picket_monotonic_ms();
}

/* ---- life ---- */

void connection_send(struct connection *connection, const uint8_t *bytes, size_t size)
{
    if (!connection_is_open(connection))
        return;
    if (bytes_append(&connection->unsent, bytes, size))
        connection->hub->output_bytes += size;
    else
        connection_end(connection, ENDING_NO_MEMORY, "no memory for %zu bytes to send", size);
}

/* While output is stuck nothing is read, and what OpenSSL has read ahead makes no event when output
 * moves again: it is given a turn. */
void connection_flush(struct connection *connection)
{
    bool was_stuck = connection->unsent_ms != 0;
    stream_flush(connection);
    if (was_stuck && connection_is_open(connection) && connection->unsent_ms == 0 &&
        connection->queue == WORK_NONE)
        work_queue(connection, WORK_READY);
    connection_poll(connection);
}

static void take_turn_of_session(struct connection *connection)
{
    if (connection->window_full && connection->in_flight <= HUB_IN_FLIGHT_MAX / 2)
        connection->window_full = false;
    stream_flush(connection);
    if (connection_is_open(connection) && connection->unsent_ms == 0)
        stream_receive(connection);
    if (connection_is_open(connection))
        stream_flush(connection);
}

void connection_turn(struct connection *connection)
{
    if (connection->unauthenticated)
        show_life(connection);
    switch (connection->state) {
    case CONNECTION_HANDSHAKING:
        stream_shaken(connection);
        if (connection->state == CONNECTION_ANONYMOUS) /* its CONNECT may have come along */
            take_turn_of_session(connection);
        break;
    case CONNECTION_LINGERING:
        stream_discard(connection);
        break;
    case CONNECTION_CLOSED:
        return;
    default:
        take_turn_of_session(connection);
    }
    if (connection_is_open(connection))
        connection_poll(connection);
}

static const char *socket_problem(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error != 0 ? strerror(error) : "closed by the peer";
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    if (status < 0)
        connection_end(connection,
                       connection->state == CONNECTION_HANDSHAKING ? ENDING_HANDSHAKE : ENDING_LOST,
                       "connection lost: %s", socket_problem(connection->fd));
    else if (events == UV_DISCONNECT)
        connection_end(connection, ENDING_LOST,
                       "the peer closed the connection while its messages had to wait");
    else if (connection->state == CONNECTION_HANDSHAKING) {
        show_life(connection);
        handshakes_put(connection);
        connection_poll(connection);
    } else {
        struct picket_hub *hub = connection->hub;
        connection_turn(connection);
        work_between_turns(hub);
    }
}

static int wanted_events(const struct connection *connection)
{
    if (connection->shaking || connection->queue == WORK_READY)
        return 0; /* its turn comes anyway */
    if (connection->unsent_ms != 0)
        return UV_WRITABLE;
    if (connection->held_back)
        return 0; /* what it sent and its end alike are read when its rate allows */
    if (connection->queue == WORK_WAITING || connection->queue == WORK_MEMORY ||
        connection->window_full)
        return UV_DISCONNECT;
    return connection->read_wants_write ? UV_READABLE | UV_WRITABLE : UV_READABLE;
}

void connection_poll(struct connection *connection)
{
    if (!connection_is_open(connection))
        return;
    int events = wanted_events(connection);
    if (events == connection->polled)
        return;
    if (events == 0)
        uv_poll_stop(&connection->poll);
    else
        uv_poll_start(&connection->poll, events, on_event);
    connection->polled = events;
}

/* ---- deadlines ---- */

static void check_unauthenticated(struct connection *connection, int64_t now_ms)
{
    int64_t age_ms = now_ms - connection->since_ms;
    if (connection->state == CONNECTION_LINGERING) {
        if (age_ms >= HUB_LINGER_MS)
            connection_end(connection, ENDING_NONE, "closed");
        return;
    }
    int64_t limit_ms = (int64_t)connection->hub->config.connect_timeout_s * 1000;
    if (age_ms >= limit_ms)
        connection_end(connection, ENDING_NO_CONNECT, "%s within %lld s",
                       connection->state == CONNECTION_HANDSHAKING ? "no TLS handshake"
                                                                   : "no CONNECT",
                       (long long)(limit_ms / 1000));
}

/* Silence counts only while we listen. */
static bool is_listened_to(const struct connection *connection)
{
    return connection->queue == WORK_NONE && !connection->window_full && !connection->held_back &&
           connection->unsent_ms == 0;
}

static void check_packet(struct connection *connection, int64_t now_ms)
{
    int64_t taken_ms = now_ms - connection->packet_ms;
    if (connection->kept.size == 0)
        return;
    if (taken_ms > HUB_PACKET_MS)
        connection_end(connection, ENDING_STALLED, "a packet was not complete after %d s",
                       HUB_PACKET_MS / 1000);
    else if (taken_ms > HUB_PACKET_MS_WHEN_SHORT && connection->reserved > 0 &&
             input_budget_is_short(connection->hub))
        connection_end(connection, ENDING_SLOW,
                       "a packet of %u bytes was not complete after %d s, and others wait for "
                       "memory",
                       connection->reserved, HUB_PACKET_MS_WHEN_SHORT / 1000);
}

static void check_life(struct connection *connection, int64_t now_ms)
{
    if (!is_listened_to(connection)) {
        connection->heard_ms = connection->packet_ms = now_ms;
        return;
    }
    int64_t silent_ms = now_ms - connection->heard_ms;
    if (connection->keep_alive_s > 0 && silent_ms > connection->keep_alive_s * INT64_C(1500) &&
        !stream_has_input(connection))
        connection_end(connection, ENDING_KEEP_ALIVE, "silent for %lld s with a keep-alive of %u s",
                       (long long)(silent_ms / 1000), connection->keep_alive_s);
    else
        check_packet(connection, now_ms);
}

/* After it was held back. */
static void go_on(struct connection *connection, int64_t now_ms)
{
    if (!connection->held_back)
        return;
    conduct_refill(connection, now_ms);
    if (!conduct_admits(connection))
        return;
    connection->held_back = false;
    if (connection->queue == WORK_NONE)
        work_queue(connection, WORK_READY);
    connection_poll(connection);
}

void connection_check(struct connection *connection, int64_t now_ms, int64_t unix_s)
{
    if (connection->state != CONNECTION_ACCEPTED) {
        check_unauthenticated(connection, now_ms);
        return;
    }
    if (unix_s >= connection->expires_s) {
        connection_end(connection,
                       connection->credential.kind == CREDENTIAL_KEY
                           ? ENDING_TOKEN_EXPIRED_LATER
                           : ENDING_CERTIFICATE_EXPIRED_LATER,
                       "%s has expired", credential_name(&connection->credential));
        return;
    }
    if (connection->unsent_ms != 0 && now_ms - connection->unsent_ms > HUB_STALL_MS) {
        connection_end(connection, ENDING_STALLED, "took none of our answers for %d s",
                       HUB_STALL_MS / 1000);
        return;
    }
    device_bound_check(connection);
    go_on(connection, now_ms);
    hub_activity_check(connection, now_ms);
    check_life(connection, now_ms);
}

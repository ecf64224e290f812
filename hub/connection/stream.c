#include "stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conduct/conduct.h"
#include "connection.h"
#include "input_budget.h"
#include "picket/base/time.h"
#include "session/session.h"
#include "work.h"

/* What one turn reads and handles at most; one read yields at most one TLS record. A SUBSCRIBE of
 * as many filters as fit is work for hundreds of packets, and counts as such. */
enum { TURN_BYTES = 65536, TURN_READS = 64, TURN_WORK = 512, FILTERS_BYTES_A_WORK = 32 };

/* ---- buffers ---- */

static bool bytes_reserve(struct bytes *bytes, size_t capacity)
{
    if (capacity <= bytes->capacity)
        return true;
    if (capacity > UINT32_MAX)
        return false;
    uint8_t *data = realloc(bytes->data, capacity);
    if (data == NULL)
        return false;
    bytes->data = data;
    bytes->capacity = (uint32_t)capacity;
    return true;
}

bool bytes_append(struct bytes *bytes, const uint8_t *data, size_t size)
{
    size_t needed = bytes->size + size;
    if (size == 0)
        return true;
    if (needed > bytes->capacity && !bytes_reserve(bytes, needed < 64 ? 64 : needed + needed / 2))
        return false;
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += (uint32_t)size;
    return true;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){NULL, 0, 0};
}

/* ---- handshake ---- */

static const char *tls_problem(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    return reason != NULL ? reason : errno != 0 ? strerror(errno) : "closed by the peer";
}

void stream_shaken(struct connection *connection)
{
    int error = connection->handshake_error;
    connection->read_wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_NONE)
        connection->state = CONNECTION_ANONYMOUS;
    else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        connection_end(connection, ENDING_HANDSHAKE, "TLS handshake failed: %s",
                       connection->handshake_problem);
}

/* ---- input ---- */

/* > 0: so many bytes; 0: none for now, or the connection has ended. */
static size_t read_some(struct connection *connection, uint8_t *into, size_t size)
{
    size_t got = 0;
    ERR_clear_error();
    errno = 0;
    tls_begin_read(&connection->patience);
    int result = SSL_read_ex(connection->ssl, into, size, &got);
    if (result == 1) {
        connection->heard_ms = picket_monotonic_ms();
        connection->read_wants_write = false;
        return got;
    }
    int error = SSL_get_error(connection->ssl, result);
    connection->read_wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_ZERO_RETURN)
        connection_end(connection, ENDING_LOST, "the peer closed the connection");
    else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        connection_end(connection, ENDING_LOST, "connection lost: %s", tls_problem());
    else if (connection->patience.messages > TLS_MESSAGES_MAX)
        connection_end(connection, ENDING_TLS, "more than %d key updates or renegotiations",
                       TLS_MESSAGES_MAX);
    return 0;
}

static uint32_t packet_bytes_max(const struct connection *connection, uint8_t type)
{
    if (connection->state != CONNECTION_ACCEPTED || type != MQTT_PUBLISH)
        return HUB_CONNECT_BYTES_MAX;
    return hub_publish_bytes_max(&connection->hub->config);
}

/* Reads the header at the begin of bytes and judges it before anything is kept for its sake. True:
 * it is there and allowed. */
static bool open_packet(struct connection *connection, struct mqtt_header *header,
                        const uint8_t *bytes, size_t size)
{
    struct mqtt_fault fault;
    int result = mqtt_parse_header(header, bytes, size, &fault);
    if (result < 0) {
        connection_end(connection, ENDING_MALFORMED, "malformed packet: byte %zu: %s (0x%02x)",
                       fault.offset, fault.what, bytes[fault.offset]);
        return false;
    }
    if (result == 0)
        return false;
    if (connection->state == CONNECTION_ANONYMOUS && header->type != MQTT_CONNECT) {
        connection_end(connection, ENDING_MALFORMED, "%s before CONNECT",
                       mqtt_type_name(header->type));
        return false;
    }
    uint32_t max = packet_bytes_max(connection, header->type);
    if (header->remaining > max) {
        connection_end(connection, ENDING_TOO_LARGE, "%s of %u bytes exceeds %u",
                       mqtt_type_name(header->type), header->remaining, max);
        return false;
    }
    return true;
}

static size_t whole_size(const struct mqtt_header *header)
{
    return header->bytes + (size_t)header->remaining;
}

static int work_of(const struct mqtt_header *header)
{
    bool filters = header->type == MQTT_SUBSCRIBE || header->type == MQTT_UNSUBSCRIBE;
    return filters ? 1 + (int)header->remaining / FILTERS_BYTES_A_WORK : 1;
}

/* Hands whole packets to the session and returns how many bytes they were: fewer than size when the
 * last one is not complete, has to wait, or was the connection's last. */
static size_t take_packets(struct connection *connection, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;
    struct mqtt_header header;
    while (taken < size && connection->turn_work > 0 &&
           open_packet(connection, &header, bytes + taken, size - taken)) {
        if (size - taken < whole_size(&header))
            break;
        if (!conduct_admits(connection)) {
            conduct_hold_back(connection);
            break;
        }
        if (!session_take(connection, bytes + taken, &header))
            break;
        taken += whole_size(&header);
        connection->turn_work -= work_of(&header);
        conduct_charge(connection, whole_size(&header));
    }
    return taken;
}

static bool is_listening(const struct connection *connection)
{
    return connection->state == CONNECTION_ANONYMOUS || connection->state == CONNECTION_ACCEPTED;
}

static bool may_read(const struct connection *connection)
{
    return is_listening(connection) && connection->queue != WORK_WAITING &&
           connection->queue != WORK_MEMORY && !connection->window_full && !connection->held_back;
}

static void keep(struct connection *connection, const uint8_t *bytes, size_t size)
{
    input_budget_release(connection);
    connection->kept.size = 0;
    connection->packet_ms = picket_monotonic_ms();
    if (size == 0)
        bytes_free(&connection->kept);
    else if (!bytes_append(&connection->kept, bytes, size))
        connection_end(connection, ENDING_NO_MEMORY, "no memory for %zu bytes of input", size);
}

/* What was kept because it had to wait. */
static void take_kept(struct connection *connection)
{
    struct bytes kept = connection->kept;
    if (kept.size == 0)
        return;
    /* Out of reach while packets are handled: one of them may end the connection. */
    connection->kept = (struct bytes){NULL, 0, 0};
    size_t taken = take_packets(connection, kept.data, kept.size);
    if (taken == 0 && connection_is_open(connection)) {
        connection->kept = kept;
        return;
    }
    if (is_listening(connection))
        keep(connection, kept.data + taken, kept.size - taken);
    bytes_free(&kept);
}

/* The rest of a packet whose begin is kept: exactly that, into its place. The buffer grows with
 * what has really come, so that a header alone costs nothing. */
static size_t read_rest(struct connection *connection, size_t whole)
{
    struct bytes *kept = &connection->kept;
    if (!input_budget_reserve(connection, whole))
        return 0;
    size_t room = kept->size < 8192 ? 16384 : (size_t)kept->size * 2;
    if (!bytes_reserve(kept, room < whole ? room : whole)) {
        connection_end(connection, ENDING_NO_MEMORY, "no memory for a packet of %zu bytes", whole);
        return 0;
    }
    size_t space = kept->capacity < whole ? kept->capacity : whole;
    size_t got = read_some(connection, kept->data + kept->size, space - kept->size);
    if (got == 0)
        return 0;
    kept->size += (uint32_t)got;
    if (kept->size == whole)
        take_kept(connection);
    return got;
}

static size_t read_packets(struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    size_t before = connection->kept.size; /* less than a header */
    if (before > 0)
        memcpy(hub->scratch, connection->kept.data, before);
    size_t got = read_some(connection, hub->scratch + before, sizeof hub->scratch - before);
    if (got == 0)
        return 0;
    size_t size = before + got;
    size_t taken = take_packets(connection, hub->scratch, size);
    if (is_listening(connection))
        keep(connection, hub->scratch + taken, size - taken);
    return got;
}

static size_t read_once(struct connection *connection)
{
    struct mqtt_header header;
    struct mqtt_fault fault;
    size_t kept = connection->kept.size;
    if (mqtt_parse_header(&header, connection->kept.data, kept, &fault) != 1)
        return read_packets(connection);
    if (kept < whole_size(&header))
        return read_rest(connection, whole_size(&header));
    take_kept(connection);
    return kept;
}

/* Without asking the socket: when it has more, libuv says so, and asking in vain costs as much as
 * the read before. */
static bool is_more_at_hand(const struct connection *connection)
{
    return is_listening(connection) &&
           (SSL_has_pending(connection->ssl) == 1 || connection->kept.size > 0);
}

void stream_receive(struct connection *connection)
{
    size_t budget = TURN_BYTES;
    int reads = TURN_READS;
    connection->turn_work = TURN_WORK;
    conduct_refill(connection, picket_monotonic_ms());
    while (may_read(connection) && connection->unsent_ms == 0) {
        if (budget == 0 || reads-- == 0 || connection->turn_work <= 0) {
            work_queue(connection, WORK_READY);
            return;
        }
        size_t got = read_once(connection);
        if (got == 0 || !is_more_at_hand(connection))
            return;
        budget -= got < budget ? got : budget;
    }
}

void stream_discard(struct connection *connection)
{
    uint8_t *scratch = connection->hub->scratch;
    for (int reads = 0; reads < TURN_READS; reads++) {
        ssize_t got = recv(connection->fd, scratch, HUB_SCRATCH_BYTES, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            connection_end(connection, ENDING_NONE, "closed");
            return;
        }
    }
}

bool stream_has_input(struct connection *connection)
{
    char byte;
    return SSL_has_pending(connection->ssl) == 1 ||
           recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* ---- output ---- */

static void sent(struct connection *connection, size_t size)
{
    struct bytes *unsent = &connection->unsent;
    connection->hub->output_bytes -= size;
    if (size == unsent->size) {
        bytes_free(unsent);
        connection->unsent_ms = 0;
        return;
    }
    memmove(unsent->data, unsent->data + size, unsent->size - size);
    unsent->size -= (uint32_t)size;
}

void stream_forget_unsent(struct connection *connection)
{
    connection->hub->output_bytes -= connection->unsent.size;
    bytes_free(&connection->unsent);
    connection->unsent_ms = 0;
}

void stream_flush(struct connection *connection)
{
    struct bytes *unsent = &connection->unsent;
    while (unsent->size > 0) {
        size_t written = 0;
        ERR_clear_error();
        errno = 0;
        int result = SSL_write_ex(connection->ssl, unsent->data, unsent->size, &written);
        if (result == 1) {
            sent(connection, written);
            continue;
        }
        int error = SSL_get_error(connection->ssl, result);
        if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ)
            connection_end(connection, ENDING_LOST, "connection lost: %s", tls_problem());
        else if (connection->unsent_ms == 0)
            connection->unsent_ms = picket_monotonic_ms();
        return;
    }
}

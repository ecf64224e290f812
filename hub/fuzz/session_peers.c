/* The peers' ends of their connections: what the hub reads is what the target has given them, and
 * what it sends is looked at. */
#include <stdio.h>
#include <string.h>

#include "session_world.h"

/* ---- the peers ---- */

struct peer peers[PEERS];
uint64_t messages_sent_with_id, acknowledged;
uint64_t requests_sent_with_id;
uint64_t packets_from_hub;

static struct peer *peer_of(const SSL *ssl)
{
    for (int i = 0; i < PEERS; i++)
        if (peers[i].ssl == ssl)
            return &peers[i];
    return NULL;
}

struct connection *connection_of(const struct peer *peer)
{
    const struct slot *slot = &hub->slots[peer->slot];
    return peer->ssl != NULL && slot->generation == peer->generation ? slot->connection : NULL;
}

const char *const names[3] = {"d", "d/m", "e"};

/* Also while it is closed, but not once it has gone. */
const char *name_of(const struct peer *peer)
{
    const struct connection *connection = connection_of(peer);
    if (connection == NULL || connection->device == NULL)
        return names[0];
    return connection->device[0] == 'e' ? names[2] : names[connection->module[0] != '\0'];
}

/* ---- what the hub sends ---- */

static void take_puback(struct peer *peer, uint16_t id)
{
    acknowledged++;
    check(acknowledged <= messages_sent_with_id);
    check(acknowledged <= atomic_load(&waker.durable) + requests_sent_with_id);
    if (!peer->is_tracked)
        return;
    while (peer->ids_begin < peer->ids_end && peer->ids[peer->ids_begin] != id)
        peer->ids_begin++; /* a repetition, of which the first counts */
    check(peer->ids_begin < peer->ids_end);
    peer->ids_begin++;
}

static void take_publish(struct peer *peer, uint8_t first, const uint8_t *body, size_t size)
{
    static const char call[] = "$iothub/methods/POST/";
    check(size >= 2);
    size_t topic = (size_t)body[0] << 8 | body[1];
    check(topic > 0 && topic + 2 + (first & 6 ? 2u : 0u) <= size && (first & 6) != 6);
    const char *text = (const char *)body + 2;
    if (topic > sizeof call - 1 && memcmp(text, call, sizeof call - 1) == 0) {
        const char *rid = memmem(text, topic, "$rid=", 5);
        check(rid != NULL);
        snprintf(peer->rid, sizeof peer->rid, "%.*s", (int)(text + topic - rid - 5), rid + 5);
    } else if (memmem(text, topic, "/messages/devicebound/p=v", 25) == text + strlen("devices/d")) {
        check(text[8] == name_of(peer)[0]);
        if (first & 6)
            peer->device_bound_id = (uint16_t)(body[2 + topic] << 8 | body[3 + topic]);
    } else {
        check(memmem(text, topic, "$iothub/twin/", 13) == text);
    }
}

static void take_packet(struct peer *peer, uint8_t first, const uint8_t *body, size_t size)
{
    packets_from_hub++;
    switch (first >> 4) {
    case 2:
        check(first == 0x20 && size == 2 && body[0] <= 1 && body[1] <= 5);
        break;
    case 3:
        take_publish(peer, first, body, size);
        break;
    case 4:
        check(first == 0x40 && size == 2);
        take_puback(peer, (uint16_t)(body[0] << 8 | body[1]));
        break;
    case 9:
        check(first == 0x90 && size > 2);
        break;
    case 11:
        check(first == 0xB0 && size == 2);
        break;
    default:
        check(first == 0xD0 && size == 0);
    }
}

static void take_packets(struct peer *peer)
{
    size_t at = 0;
    for (;;) {
        size_t remaining = 0, head = 1;
        for (int shift = 0;; shift += 7) {
            if (at + head >= peer->output_size)
                goto rest;
            check(shift <= 21);
            uint8_t byte = peer->output[at + head++];
            remaining |= (size_t)(byte & 0x7F) << shift;
            if (byte < 0x80)
                break;
        }
        if (at + head + remaining > peer->output_size)
            break;
        take_packet(peer, peer->output[at], peer->output + at + head, remaining);
        at += head + remaining;
    }
rest:
    memmove(peer->output, peer->output + at, peer->output_size - at);
    peer->output_size -= at;
}

/* ---- OpenSSL, as the hub uses it on a connection ---- */

int SSL_read_ex(SSL *ssl, void *into, size_t size, size_t *got)
{
    struct peer *peer = peer_of(ssl);
    size_t left = peer->input_end - peer->input_begin;
    *got = left < size ? left : size;
    if (*got > peer->record)
        *got = peer->record;
    memcpy(into, peer->input + peer->input_begin, *got);
    peer->input_begin += *got;
    return *got > 0;
}

int SSL_write_ex(SSL *ssl, const void *data, size_t size, size_t *written)
{
    struct peer *peer = peer_of(ssl);
    size_t room = sizeof peer->output - peer->output_size;
    *written = 0;
    if (!peer->reads)
        return 0;
    *written = size < room ? size : room;
    memcpy(peer->output + peer->output_size, data, *written);
    peer->output_size += *written;
    take_packets(peer);
    return *written > 0;
}

/* Only asked after one of the two above went wrong. */
int SSL_get_error(const SSL *ssl, int result)
{
    const struct peer *peer = peer_of(ssl);
    (void)result;
    if (!peer->reads)
        return SSL_ERROR_WANT_WRITE;
    return peer->closed ? SSL_ERROR_ZERO_RETURN : SSL_ERROR_WANT_READ;
}

int SSL_has_pending(const SSL *ssl)
{
    const struct peer *peer = peer_of(ssl);
    return peer->input_end > peer->input_begin;
}

int SSL_shutdown(SSL *ssl)
{
    (void)ssl;
    return 1;
}

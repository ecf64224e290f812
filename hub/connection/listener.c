#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conduct/addresses.h"
#include "connection.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "sources.h"

enum { ACCEPTED_A_ROUND = 64, BACKLOG = 4096 };

static struct picket_counter accepted = {
    .name = "hub_connections_accepted", .help = "TCP connections accepted", .is_work = true};
static struct picket_counter refused_at_bound = {
    .name = "hub_connections_refused_at_bound",
    .help = "TCP connections closed at once: hub.limits.connections was reached"};
static struct picket_counter refused_for_address = {
    .name = "hub_connections_refused_for_address",
    .help = "TCP connections closed at once: too many from the same address before CONNECT"};
static struct picket_counter refused_too_fast = {
    .name = "hub_connections_refused_too_fast",
    .help = "TCP connections closed at once: more a second from one address than allowed"};
static struct picket_counter refused_held_off = {
    .name = "hub_connections_refused_held_off",
    .help =
        "TCP connections closed at once: their address is held off, too many from there failed"};
static struct picket_counter refused_by_filter = {
    .name = "hub_connections_refused_by_ip_filter",
    .help = "TCP connections closed at once: the IP filter denies their address"};
static struct picket_counter refused_for_descriptors = {
    .name = "hub_connections_refused_for_descriptors",
    .help = "TCP connections closed at once: the process had no file descriptors left"};

/* ---- open ---- */

static void set_port(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)(void *)&address)->sin6_port
                     : ((struct sockaddr_in *)(void *)&address)->sin_port);
}

static int listen_on(struct picket_hub *hub, const struct addrinfo *info)
{
    int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_port(info->ai_addr, hub->port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    /* The first decides on the port; the others take the same. */
    hub->port = bound_port(fd);
    hub->listener_fds[hub->listener_count++] = fd;
    return 0;
}

static int listen_on_all(struct picket_hub *hub, const struct addrinfo *list, const char *name,
                         struct picket_error *error)
{
    int problem = 0;
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        if (hub->listener_count == HUB_LISTENERS_MAX || listen_on(hub, info) == 0)
            continue;
        problem = errno;
        /* A machine without IPv6 still listens on IPv4. */
        if (problem != EAFNOSUPPORT && problem != EADDRNOTAVAIL)
            break;
    }
    if (hub->listener_count > 0 &&
        (problem == 0 || problem == EAFNOSUPPORT || problem == EADDRNOTAVAIL))
        return PICKET_OK;
    return picket_fail(error, PICKET_IO, "cannot listen on %s port %u: %s", name, hub->port,
                       strerror(problem));
}

int listener_open(struct picket_hub *hub, struct picket_error *error)
{
    const char *address = hub->config.address;
    const char *name = address != NULL && address[0] != '\0' ? address : NULL;
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    hub->port = hub->config.port;
    int result = getaddrinfo(name, "0", &hints, &list);
    if (result != 0)
        return picket_fail(error, PICKET_INVALID, "%s: no address to listen on: %s",
                           name != NULL ? name : "(any)", gai_strerror(result));
    int status = listen_on_all(hub, list, name != NULL ? name : "every address", error);
    freeaddrinfo(list);
    hub->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return status;
}

/* ---- accept ---- */

static void read_peer(const struct sockaddr_storage *peer, struct picket_address *address,
                      uint16_t *port)
{
    if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)peer;
        *address = picket_address_ipv6(six->sin6_addr.s6_addr);
        *port = ntohs(six->sin6_port);
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)peer;
        *address = picket_address_ipv4((const uint8_t *)&four->sin_addr);
        *port = ntohs(four->sin_port);
    }
}

static void pause_listening(struct picket_hub *hub)
{
    for (int i = 0; i < hub->listener_count && hub->listening; i++)
        uv_poll_stop(&hub->listeners[i]);
    hub->listening = false;
}

/* With no descriptor left even accept() fails, and the client would be reported again and again. */
static void turn_away_without_descriptors(struct picket_hub *hub, int listener)
{
    static struct picket_say_limit limit;
    picket_count(&refused_for_descriptors, 1);
    picket_say_limited(
        &limit, PICKET_ERROR, "hub",
        "a connection was refused: no file descriptors left (%u connections are open)",
        (unsigned)atomic_load(&hub->connection_count));
    if (hub->reserve_fd >= 0)
        close(hub->reserve_fd);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    hub->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (hub->reserve_fd < 0)
        pause_listening(hub); /* until the next sweep */
}

static void evict(struct connection *silent)
{
    connection_end(silent, ENDING_EVICTED, "silent for %d s before CONNECT: made room for another",
                   HUB_SILENCE_MS / 1000);
}

/* Who waits for our side of the handshake is not. */
static bool is_silent(const struct connection *connection)
{
    return !connection->shaking && picket_monotonic_ms() - connection->heard_ms >= HUB_SILENCE_MS;
}

static bool make_room(struct picket_hub *hub)
{
    if (hub->unauthenticated_count < hub->config.handshakes_max)
        return true;
    struct connection *silent = TAILQ_FIRST(&hub->unauthenticated);
    if (!is_silent(silent))
        return false;
    evict(silent);
    return true;
}

static void turn_away_source(struct picket_hub *hub, int fd, const struct picket_address *address)
{
    static struct picket_say_limit limit;
    char text[PICKET_ADDRESS_TEXT_BYTES];
    picket_count(&refused_for_address, 1);
    picket_address_format(address, text);
    picket_say_limited(&limit, PICKET_WARNING, "hub",
                       "client at %s: refused: %u connections from there have sent no CONNECT yet",
                       text, hub->config.handshakes_per_address_max);
    close(fd);
}

/* As make_room(), among those of one source: a silent one makes room for its neighbour. */
static bool make_room_for(struct picket_hub *hub, const struct picket_address *address)
{
    struct connection *oldest;
    if (sources_count(hub, address, &oldest) < hub->config.handshakes_per_address_max)
        return true;
    if (!is_silent(oldest))
        return false;
    evict(oldest);
    return true;
}

/* That it is held off was said when it began. */
static void turn_away_address(struct picket_hub *hub, int fd, const struct picket_address *address,
                              enum addresses_answer answer)
{
    static struct picket_say_limit limit;
    char text[PICKET_ADDRESS_TEXT_BYTES];
    picket_count(answer == ADDRESSES_TOO_FAST ? &refused_too_fast : &refused_held_off, 1);
    picket_address_format(address, text);
    if (answer == ADDRESSES_TOO_FAST)
        picket_say_limited(&limit, PICKET_WARNING, "hub",
                           "client at %s: refused: more than %u connections a second from there",
                           text, hub->config.address_connections_per_s);
    close(fd);
}

static void turn_away_filtered(struct picket_hub *hub, int fd, const struct picket_address *address)
{
    static struct picket_say_limit limit;
    char text[PICKET_ADDRESS_TEXT_BYTES], reason[IP_FILTER_REASON_BYTES];
    picket_count(&refused_by_filter, 1);
    picket_address_format(address, text);
    picket_say_limited(&limit, PICKET_WARNING, "hub", "client at %s: refused by the IP filter: %s",
                       text, ip_filter_reason(&hub->admission->filter, address, reason));
    close(fd);
}

static void admit(struct picket_hub *hub, int fd, const struct sockaddr_storage *peer)
{
    static struct picket_say_limit limit;
    struct picket_address address;
    uint16_t port;
    picket_count(&accepted, 1);
    read_peer(peer, &address, &port);
    if (!ip_filter_admits(&hub->admission->filter, &address)) {
        turn_away_filtered(hub, fd, &address);
        return;
    }
    if (atomic_load(&hub->connection_count) >= hub->config.connections_max) {
        picket_count(&refused_at_bound, 1);
        picket_say_limited(&limit, PICKET_WARNING, "hub",
                           "a connection was refused: the bound of %u connections is reached",
                           hub->config.connections_max);
        close(fd);
        return;
    }
    enum addresses_answer answer = addresses_admit(hub, &address);
    if (answer != ADDRESSES_ADMITTED)
        turn_away_address(hub, fd, &address, answer);
    else if (make_room_for(hub, &address))
        connection_open(hub, fd, &address, port);
    else
        turn_away_source(hub, fd, &address);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct picket_hub *hub = poll->data;
    int listener = hub->listener_fds[poll - hub->listeners];
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTED_A_ROUND; i++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        if (!make_room(hub)) {
            pause_listening(hub);
            return;
        }
        int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            admit(hub, fd, &peer);
        else if (errno == EMFILE || errno == ENFILE)
            turn_away_without_descriptors(hub, listener);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
        if (!hub->listening)
            return;
    }
}

void listener_resume(struct picket_hub *hub)
{
    if (hub->listening || hub->stopped)
        return;
    hub->listening = true;
    for (int i = 0; i < hub->listener_count; i++)
        uv_poll_start(&hub->listeners[i], UV_READABLE, on_connection);
}

int listener_start(struct picket_hub *hub, struct picket_error *error)
{
    for (int i = 0; i < hub->listener_count; i++) {
        int result = uv_poll_init(&hub->loop, &hub->listeners[i], hub->listener_fds[i]);
        if (result != 0)
            return picket_fail(error, PICKET_IO, "cannot listen: %s", uv_strerror(result));
        hub->listeners[i].data = hub;
    }
    picket_counter_register(&accepted);
    picket_counter_register(&refused_at_bound);
    picket_counter_register(&refused_for_address);
    picket_counter_register(&refused_too_fast);
    picket_counter_register(&refused_held_off);
    picket_counter_register(&refused_by_filter);
    picket_counter_register(&refused_for_descriptors);
    listener_resume(hub);
    return PICKET_OK;
}

void listener_close(struct picket_hub *hub)
{
    for (int i = 0; i < hub->listener_count; i++)
        close(hub->listener_fds[i]);
    hub->listener_count = 0;
    if (hub->reserve_fd >= 0)
        close(hub->reserve_fd);
    hub->reserve_fd = -1;
}

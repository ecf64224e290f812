#include "local_addresses.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int local_addresses_add(struct local_addresses *local, const char *text, struct picket_error *error)
{
    if (local->prefix_count == LOCAL_PREFIXES_MAX)
        return picket_fail(error, PICKET_FULL, "--local %s: more than %d prefixes", text,
                           LOCAL_PREFIXES_MAX);
    struct picket_prefix *prefix = &local->prefixes[local->prefix_count];
    if (!picket_prefix_parse(prefix, text, strlen(text)))
        return picket_fail(error, PICKET_INVALID,
                           "--local %s: not an address; expected one like 192.168.1.20, "
                           "192.168.1.0/24 or 2001:db8::/64",
                           text);
    local->prefix_count++;
    return PICKET_OK;
}

static bool to_address(const struct sockaddr *socket_address, struct picket_address *address)
{
    if (socket_address == NULL)
        return false;
    if (socket_address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, socket_address, sizeof ipv4);
        *address = picket_address_ipv4((const uint8_t *)&ipv4.sin_addr);
        return true;
    }
    if (socket_address->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, socket_address, sizeof ipv6);
        *address = picket_address_ipv6(ipv6.sin6_addr.s6_addr);
        return true;
    }
    return false;
}

static bool contains(const struct picket_address *list, size_t count,
                     const struct picket_address *address)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].family == address->family &&
            memcmp(list[i].bytes, address->bytes, sizeof address->bytes) == 0)
            return true;
    return false;
}

/* False if there is no room. */
static bool insert(struct picket_address *list, size_t *count, const struct picket_address *address)
{
    if (contains(list, *count, address))
        return true;
    if (*count == LOCAL_INTERFACE_ADDRESSES_MAX)
        return false;
    list[(*count)++] = *address;
    return true;
}

int local_addresses_read_interfaces(struct local_addresses *local, bool *changed,
                                    struct picket_error *error)
{
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0)
        return picket_fail(error, PICKET_IO, "the addresses of the interfaces cannot be read: %s",
                           strerror(errno));
    static struct picket_address before[LOCAL_INTERFACE_ADDRESSES_MAX];
    size_t before_count = local->own_count;
    memcpy(before, local->own, sizeof before);
    local->own_count = 0;
    local->broadcast_count = 0;
    local->omitted = 0;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        struct picket_address address;
        if (to_address(entry->ifa_addr, &address))
            local->omitted += !insert(local->own, &local->own_count, &address);
        if ((entry->ifa_flags & IFF_BROADCAST) != 0 && to_address(entry->ifa_broadaddr, &address) &&
            address.family == 4)
            local->omitted += !insert(local->broadcasts, &local->broadcast_count, &address);
    }
    freeifaddrs(list);
    if (changed != NULL) {
        *changed = before_count != local->own_count;
        for (size_t i = 0; i < local->own_count && !*changed; i++)
            *changed = !contains(before, before_count, &local->own[i]);
    }
    return PICKET_OK;
}

static bool is_local(const struct local_addresses *local, const struct picket_address *address)
{
    if (contains(local->own, local->own_count, address))
        return true;
    for (size_t i = 0; i < local->prefix_count; i++)
        if (picket_prefix_covers(&local->prefixes[i], address))
            return true;
    return false;
}

static bool is_group(const struct local_addresses *local, const struct picket_address *address)
{
    static const uint8_t limited_broadcast[4] = {255, 255, 255, 255};
    if (address->family == 6)
        return address->bytes[0] == 0xff;
    return (address->bytes[0] & 0xf0) == 0xe0 ||
           memcmp(address->bytes, limited_broadcast, 4) == 0 ||
           contains(local->broadcasts, local->broadcast_count, address);
}

static bool addresses_of(const struct ip_packet *packet, struct picket_address *source,
                         struct picket_address *destination)
{
    enum { IPV4_SOURCE = 12, IPV4_END = 20, IPV6_SOURCE = 8, IPV6_END = 40 };
    if (packet->captured_bytes < (packet->version == 4 ? IPV4_END : IPV6_END))
        return false;
    if (packet->version == 4) {
        *source = picket_address_ipv4(packet->bytes + IPV4_SOURCE);
        *destination = picket_address_ipv4(packet->bytes + IPV4_SOURCE + 4);
    } else {
        *source = picket_address_ipv6(packet->bytes + IPV6_SOURCE);
        *destination = picket_address_ipv6(packet->bytes + IPV6_SOURCE + 16);
    }
    return true;
}

enum traffic local_addresses_classify(const struct local_addresses *local,
                                      const struct ip_packet *packet)
{
    struct picket_address source, destination;
    if (!addresses_of(packet, &source, &destination))
        return TRAFFIC_UNKNOWN;
    if (is_local(local, &source))
        return TRAFFIC_OUT;
    /* Before "in": a prefix that holds its own broadcast address, or everything, names hosts. */
    if (is_group(local, &destination))
        return TRAFFIC_GROUP;
    return is_local(local, &destination) ? TRAFFIC_IN : TRAFFIC_FOREIGN;
}

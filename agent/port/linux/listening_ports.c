#include "listening_ports.h"

#include <stdio.h>
#include <string.h>

/* proc(5): TCP sockets that listen, UDP sockets that are connected to nobody. */
static const struct list {
    const char *name;
    uint8_t protocol;
    unsigned state;
    bool is_ipv6;
} lists[] = {
    {"tcp", PICKET_WIRE_TCP, 0x0A, false},
    {"tcp6", PICKET_WIRE_TCP, 0x0A, true},
    {"udp", PICKET_WIRE_UDP, 0x07, false},
    {"udp6", PICKET_WIRE_UDP, 0x07, true},
};

/* An address is words of eight digits, each as the machine reads the four bytes in network order.
 */
static bool read_address(const char *digits, unsigned words, uint8_t *address)
{
    for (unsigned i = 0; i < words; i++) {
        char part[9];
        uint32_t word;
        int end = 0;
        memcpy(part, digits + 8 * i, 8);
        part[8] = '\0';
        if (sscanf(part, "%8x%n", &word, &end) != 1 || end != 8)
            return false;
        memcpy(address + 4 * i, &word, 4);
    }
    return true;
}

/* "   0: 0100007F:1F90 00000000:0000 0A …" */
static bool read_line(const char *line, const struct list *list, struct picket_wire_open_port *port)
{
    char local[33], remote[33];
    unsigned local_port, remote_port, state;
    size_t digits = list->is_ipv6 ? 32 : 8;
    if (sscanf(line, " %*d: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x", local, &local_port, remote,
               &remote_port, &state) != 5 ||
        strlen(local) != digits || state != list->state)
        return false;
    memset(port, 0, sizeof *port);
    port->port = (uint16_t)local_port;
    port->protocol = list->protocol;
    port->is_ipv6 = list->is_ipv6;
    return read_address(local, (unsigned)digits / 8, port->address);
}

static bool same(const struct picket_wire_open_port *a, const struct picket_wire_open_port *b)
{
    return a->port == b->port && a->protocol == b->protocol && a->is_ipv6 == b->is_ipv6 &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* Several sockets may share a port (SO_REUSEPORT); it is one open port. */
static bool is_listed(const struct picket_wire_open_port *ports, uint32_t count,
                      const struct picket_wire_open_port *port)
{
    for (uint32_t i = 0; i < count; i++)
        if (same(&ports[i], port))
            return true;
    return false;
}

static uint32_t read_list(const char *root, const struct list *list,
                          struct picket_wire_open_port *ports, uint32_t count, uint32_t max)
{
    char path[512], line[512];
    snprintf(path, sizeof path, "%s/%s", root, list->name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return count;
    while (fgets(line, sizeof line, file) != NULL) {
        struct picket_wire_open_port port;
        if (!read_line(line, list, &port) || is_listed(ports, count < max ? count : max, &port))
            continue;
        if (count < max)
            ports[count] = port;
        count++;
    }
    fclose(file);
    return count;
}

uint32_t listening_ports_below(const char *root, struct picket_wire_open_port *ports, uint32_t max)
{
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        count = read_list(root, &lists[i], ports, count, max);
    return count;
}

uint32_t listening_ports(void *context, struct picket_wire_open_port *ports, uint32_t max)
{
    (void)context;
    return listening_ports_below("/proc/net", ports, max);
}

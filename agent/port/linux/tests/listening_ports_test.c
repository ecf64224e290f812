/* The kernel's lists of sockets, and a real socket of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listening_ports.h"

static char root[] = "/tmp/picket-ports-XXXXXX";
static struct picket_wire_open_port ports[PICKET_AGENT_LISTENING_PORTS];

static int setup(void **state)
{
    (void)state;
    strcpy(root + sizeof root - 7, "XXXXXX");
    return mkdtemp(root) == NULL;
}

static void put(const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int teardown(void **state)
{
    static const char *const names[] = {"tcp", "tcp6", "udp", "udp6"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        unlink(path);
    }
    return rmdir(root);
}

static void listening_tcp_and_unconnected_udp_sockets_are_open(void **state)
{
    (void)state;
    put("tcp", "  sl  local_address rem_address   st tx_queue\n"
               "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000\n"
               "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000\n"
               "   2: 00000000:A000 00000000:0035 01 00000000:00000000 00:00000000\n");
    put("udp6", "  sl  local_address\n"
                "  7: 00000000000000000000000000000000:14E9 "
                "00000000000000000000000000000000:0000 07 00000000:00000000\n"
                "  8: 00000000000000000000000000000000:14EA "
                "00000000000000000000000000000001:0035 01 00000000:00000000\n");
    assert_int_equal(listening_ports_below(root, ports, PICKET_AGENT_LISTENING_PORTS), 2);
    assert_int_equal(ports[0].port, 22);
    assert_int_equal(ports[0].protocol, PICKET_WIRE_TCP);
    assert_false(ports[0].is_ipv6);
    assert_int_equal(ports[1].port, 5353);
    assert_int_equal(ports[1].protocol, PICKET_WIRE_UDP);
    assert_true(ports[1].is_ipv6);
}

static void lines_that_are_none_are_passed_over(void **state)
{
    (void)state;
    put("tcp", "\n0:\n  0: 7F:0016 0:0 0A\n  1: 0100007F0:0016 00000000:0000 0A\nx\n"
               "  2: 0000000000000000000000000000000G:0016 00000000:0000 0A\n");
    assert_int_equal(listening_ports_below(root, ports, PICKET_AGENT_LISTENING_PORTS), 0);
}

static void what_does_not_fit_is_counted(void **state)
{
    (void)state;
    put("udp", "   0: 00000000:0001 00000000:0000 07\n   1: 00000000:0002 00000000:0000 07\n"
               "   2: 00000000:0003 00000000:0000 07\n");
    assert_int_equal(listening_ports_below(root, ports, 1), 3);
    assert_int_equal(ports[0].port, 1);
}

/* The oracle is the kernel: the address is the one that the socket was bound to. */
static void check_socket(int family, const char *address_text)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    uint8_t expected[16] = {0};
    socklen_t length = sizeof address;
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_ipv6 = family == AF_INET6;
    void *bytes = is_ipv6 ? (void *)&((struct sockaddr_in6 *)&address)->sin6_addr
                          : (void *)&((struct sockaddr_in *)&address)->sin_addr;
    assert_int_equal(inet_pton(family, address_text, bytes), 1);
    memcpy(expected, bytes, is_ipv6 ? 16 : 4);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        skip();
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &length);
    uint16_t port = ntohs(is_ipv6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                  : ((struct sockaddr_in *)&address)->sin_port);
    uint32_t count = listening_ports(NULL, ports, PICKET_AGENT_LISTENING_PORTS);
    bool found = false;
    for (uint32_t i = 0; i < count && i < PICKET_AGENT_LISTENING_PORTS; i++)
        found = found || (ports[i].port == port && ports[i].is_ipv6 == is_ipv6 &&
                          ports[i].protocol == PICKET_WIRE_TCP &&
                          memcmp(ports[i].address, expected, sizeof expected) == 0);
    assert_true(found || count > PICKET_AGENT_LISTENING_PORTS); /* of so many that not all fit */
    close(listener);
}

static void a_socket_of_this_process_is_listed_at_its_address(void **state)
{
    (void)state;
    check_socket(AF_INET, "127.0.0.1");
    check_socket(AF_INET6, "::1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(listening_tcp_and_unconnected_udp_sockets_are_open),
        TEST(lines_that_are_none_are_passed_over),
        TEST(what_does_not_fit_is_counted),
        TEST(a_socket_of_this_process_is_listed_at_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

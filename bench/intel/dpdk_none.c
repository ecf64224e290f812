#include <stdio.h>

#include "dpdk.h"

static void say(void)
{
    printf("(no DPDK when this was built: apt-get install libdpdk-dev, and configure again)\n");
}

void dpdk_measure_ipv4(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count)
{
    (void)lookups, (void)prefixes, (void)count;
    say();
}

void dpdk_measure_ipv6(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count)
{
    (void)lookups, (void)prefixes, (void)count;
    say();
}

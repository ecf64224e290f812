#include "network_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

int network_watch_open(void)
{
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (descriptor < 0)
        return -1;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                  .nl_groups =
                                      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    if (bind(descriptor, (const struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

/* What has changed does not matter: everything is read anew. ENOBUFS, too many changes to tell, is
 * a change like any. */
void network_watch_drain(int descriptor)
{
    char ignored[8192];
    while (recv(descriptor, ignored, sizeof ignored, MSG_TRUNC) >= 0 || errno == ENOBUFS ||
           errno == EINTR)
        continue;
}

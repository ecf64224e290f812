#include "live_capture.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link_layer.h"
#include "picket/base/diagnostics.h"

enum {
    SNAPSHOT_BYTES = 384, /* link layer, IP and extension headers, the transport header's start */
    DELIVERY_MS = 100,    /* the kernel gathers frames for so long, then hands them over together */
    BUFFER_BYTES = 8 * 1024 * 1024,
    FRAMES_AT_ONCE = 2048
};

struct interface {
    char name[IF_NAMESIZE];
    pcap_t *pcap;
    int link;
    unsigned index; /* of the kernel's, 0 for "any": a new interface of the old name has another */
    uint32_t dropped; /* as pcap_stats() last said, which wraps */
};

struct live_capture {
    const char *const *names;
    unsigned name_count;
    live_capture_sink sink;
    void *context;
    struct interface open[LIVE_INTERFACES_MAX];
    unsigned open_count;
    uint64_t dropped;
    bool started;
};

static bool is_open(const struct live_capture *capture, const char *name)
{
    for (unsigned i = 0; i < capture->open_count; i++)
        if (strcmp(capture->open[i].name, name) == 0)
            return true;
    return false;
}

static int explain_activation(pcap_t *pcap, const char *name, int code, struct picket_error *error)
{
    switch (code) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return picket_fail(error, PICKET_DENIED,
                           "interface %s: capturing is not permitted; it takes root, or the "
                           "capability CAP_NET_RAW (setcap cap_net_raw+ep on the program)",
                           name);
    case PCAP_ERROR_NO_SUCH_DEVICE:
    case PCAP_ERROR_IFACE_NOT_UP:
        return picket_fail(error, PICKET_NOT_FOUND, "interface %s: %s", name,
                           pcap_statustostr(code));
    default:
        return picket_fail(error, PICKET_IO, "interface %s: %s: %s", name, pcap_statustostr(code),
                           pcap_geterr(pcap));
    }
}

static int activate(pcap_t *pcap, const char *name, struct picket_error *error)
{
    char reason[PCAP_ERRBUF_SIZE];
    pcap_set_snaplen(pcap, SNAPSHOT_BYTES);
    pcap_set_promisc(pcap, 0);
    pcap_set_timeout(pcap, DELIVERY_MS);
    pcap_set_buffer_size(pcap, BUFFER_BYTES);
    int code = pcap_activate(pcap);
    if (code < 0)
        return explain_activation(pcap, name, code, error);
    if (pcap_setnonblock(pcap, 1, reason) != 0)
        return picket_fail(error, PICKET_IO, "interface %s: %s", name, reason);
    if (pcap_get_selectable_fd(pcap) < 0)
        return picket_fail(error, PICKET_IO, "interface %s: it cannot be waited for", name);
    if (!link_layer_is_known(link_layer_of_pcap(pcap_datalink(pcap))))
        return picket_fail(error, PICKET_INVALID,
                           "interface %s: its link layer, %s, is not decoded", name,
                           pcap_datalink_val_to_name(pcap_datalink(pcap)));
    return PICKET_OK;
}

static int open_interface(struct live_capture *capture, const char *name,
                          struct picket_error *error)
{
    char reason[PCAP_ERRBUF_SIZE];
    if (capture->open_count == LIVE_INTERFACES_MAX)
        return picket_fail(error, PICKET_FULL, "interface %s: more than %d interfaces", name,
                           LIVE_INTERFACES_MAX);
    if (strlen(name) >= IF_NAMESIZE)
        return picket_fail(error, PICKET_INVALID, "interface %s: the name is too long", name);
    pcap_t *pcap = pcap_create(name, reason);
    if (pcap == NULL)
        return picket_fail(error, PICKET_IO, "interface %s: %s", name, reason);
    int status = activate(pcap, name, error);
    if (status != PICKET_OK) {
        pcap_close(pcap);
        return status;
    }
    struct interface *interface = &capture->open[capture->open_count++];
    *interface = (struct interface){.pcap = pcap,
                                    .link = link_layer_of_pcap(pcap_datalink(pcap)),
                                    .index = if_nametoindex(name)};
    snprintf(interface->name, sizeof interface->name, "%s", name);
    picket_say(PICKET_NOTICE, "agent", "interface %s: captured", name);
    return PICKET_OK;
}

static void count_drops(struct live_capture *capture, struct interface *interface)
{
    struct pcap_stat stat;
    if (pcap_stats(interface->pcap, &stat) != 0)
        return;
    uint32_t more = stat.ps_drop - interface->dropped;
    interface->dropped = stat.ps_drop;
    capture->dropped += more;
    if (more > 0)
        picket_say(PICKET_WARNING, "agent",
                   "interface %s: the kernel dropped %u frames that were "
                   "not read in time: their flows are counted too low",
                   interface->name, more);
}

static void close_interface(struct live_capture *capture, unsigned index, const char *why)
{
    count_drops(capture, &capture->open[index]);
    if (why != NULL)
        picket_say(PICKET_WARNING, "agent", "interface %s: left: %s", capture->open[index].name,
                   why);
    pcap_close(capture->open[index].pcap);
    capture->open[index] = capture->open[--capture->open_count];
}

static bool is_member(const char *name)
{
    char path[64 + IF_NAMESIZE];
    snprintf(path, sizeof path, "/sys/class/net/%s/brport", name);
    return access(path, F_OK) == 0;
}

static bool is_wanted(const struct ifaddrs *entry)
{
    if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_UP) == 0 ||
        (entry->ifa_flags & (IFF_LOOPBACK | IFF_SLAVE)) != 0)
        return false;
    int family = entry->ifa_addr->sa_family;
    return (family == AF_INET || family == AF_INET6) && strchr(entry->ifa_name, ':') == NULL &&
           !is_member(entry->ifa_name);
}

/* Only what no later try will mend ends the program. */
static int open_by_default(struct live_capture *capture, struct picket_error *error)
{
    struct ifaddrs *list;
    int status = PICKET_OK;
    if (getifaddrs(&list) != 0)
        return picket_fail(error, PICKET_IO, "the interfaces cannot be listed");
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        if (!is_wanted(entry) || is_open(capture, entry->ifa_name))
            continue;
        struct picket_error failure;
        int opened = open_interface(capture, entry->ifa_name, &failure);
        if (opened == PICKET_DENIED) {
            status = picket_fail(error, opened, "%s", failure.text);
            break;
        }
        if (opened != PICKET_OK && !capture->started)
            picket_say(PICKET_WARNING, "agent", "%s", failure.text);
    }
    freeifaddrs(list);
    return status;
}

static int open_by_name(struct live_capture *capture, struct picket_error *error)
{
    for (unsigned i = 0; i < capture->name_count; i++) {
        struct picket_error failure;
        if (is_open(capture, capture->names[i]))
            continue;
        int status = open_interface(capture, capture->names[i], &failure);
        if (status != PICKET_OK && !capture->started)
            return picket_fail(error, status, "%s", failure.text);
    }
    return PICKET_OK;
}

/* libpcap does not always tell. */
static void leave_the_gone(struct live_capture *capture)
{
    for (unsigned i = 0; i < capture->open_count;)
        if (if_nametoindex(capture->open[i].name) != capture->open[i].index)
            close_interface(capture, i, "the interface is gone");
        else
            i++;
}

int live_capture_refresh(struct live_capture *capture, struct picket_error *error)
{
    leave_the_gone(capture);
    live_capture_dropped(capture);
    return capture->name_count > 0 ? open_by_name(capture, error) : open_by_default(capture, error);
}

int live_capture_open(struct live_capture **capture, const char *const *names, unsigned name_count,
                      live_capture_sink sink, void *context, struct picket_error *error)
{
    struct live_capture *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a capture");
    opened->names = names;
    opened->name_count = name_count;
    opened->sink = sink;
    opened->context = context;
    int status = live_capture_refresh(opened, error);
    if (status != PICKET_OK) {
        live_capture_close(opened);
        return status;
    }
    opened->started = true;
    if (opened->open_count == 0)
        picket_say(PICKET_WARNING, "agent",
                   "no interface to capture on: none but loopback is up and "
                   "has an address; waiting for one");
    *capture = opened;
    return PICKET_OK;
}

void live_capture_close(struct live_capture *capture)
{
    if (capture == NULL)
        return;
    while (capture->open_count > 0)
        close_interface(capture, capture->open_count - 1, NULL);
    free(capture);
}

unsigned live_capture_poll_fds(const struct live_capture *capture, struct pollfd *fds)
{
    for (unsigned i = 0; i < capture->open_count; i++)
        fds[i] =
            (struct pollfd){.fd = pcap_get_selectable_fd(capture->open[i].pcap), .events = POLLIN};
    return capture->open_count;
}

struct delivery {
    struct live_capture *capture;
    int link;
};

static void deliver(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct delivery *delivery;
    memcpy(&delivery, &context, sizeof delivery);
    delivery->capture->sink(delivery->capture->context, delivery->link, bytes, header->caplen,
                            header->len);
}

unsigned live_capture_read(struct live_capture *capture)
{
    unsigned frames = 0;
    for (unsigned i = 0; i < capture->open_count;) {
        struct interface *interface = &capture->open[i];
        struct delivery delivery = {capture, interface->link};
        int got = pcap_dispatch(interface->pcap, FRAMES_AT_ONCE, deliver, (u_char *)&delivery);
        if (got >= 0) {
            frames += (unsigned)got;
            i++;
            continue;
        }
        close_interface(capture, i, pcap_geterr(interface->pcap));
    }
    return frames;
}

uint64_t live_capture_dropped(struct live_capture *capture)
{
    for (unsigned i = 0; i < capture->open_count; i++)
        count_drops(capture, &capture->open[i]);
    return capture->dropped;
}

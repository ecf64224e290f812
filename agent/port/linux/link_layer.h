/* Finds the IP packet in a captured frame.
 *
 * Decoded: Ethernet II and 802.3 LLC/SNAP, any number of VLAN tags (0x8100, 0x88a8, 0x9100,
 * 0x9200), MPLS, PPPoE sessions, PPP, BSD loopback, Linux cooked captures of both versions, and
 * bare IP. Only the outermost IP header is looked for; what tunnels carry is the tunnel's payload.
 *
 * Source: https://www.tcpdump.org/linktypes.html; IEEE 802.3, 802.1Q; RFC 1042 (SNAP), 1661 and
 * 1662 (PPP), 2516 (PPPoE), 3032 (MPLS). Thread: pure functions.
 */
#ifndef PICKET_AGENT_LINUX_LINK_LAYER_H
#define PICKET_AGENT_LINUX_LINK_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers as they stand in capture files; link_layer_of_pcap() translates libpcap's own. */
enum link_layer {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276
};

enum link_verdict {
    LINK_IP,          /* *packet is filled */
    LINK_NOT_IP,      /* ARP, spanning tree... */
    LINK_TRUNCATED,   /* the capture ends before the IP header begins */
    LINK_CONTRADICTS, /* the IP version is not the one that the link layer announced */
    LINK_UNKNOWN      /* this link layer is not decoded */
};

struct ip_packet {
    const uint8_t *bytes; /* from the IP header on; at least one byte */
    size_t captured_bytes;
    uint32_t wire_bytes; /* from the IP header to the end of the frame, padding included */
    uint8_t version;     /* 4 or 6 */
    uint16_t vlan;       /* the innermost VLAN id, 0 for none */
};

/* frame: captured_bytes of a frame that was wire_bytes long (never taken as less than captured). */
enum link_verdict link_layer_find_ip(int link, const uint8_t *frame, size_t captured_bytes,
                                     uint32_t wire_bytes, struct ip_packet *packet);

bool link_layer_is_known(int link);

/* From a DLT_ value of libpcap to the number in files. */
int link_layer_of_pcap(int dlt);

#endif

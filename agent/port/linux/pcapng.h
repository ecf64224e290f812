/* Reads the frames of a pcapng file.
 *
 * Own code although libpcap reads pcapng: libpcap gives up at the first file whose interfaces have
 * different link layers, which is what Wireshark writes when it captures on several. Sections of
 * either byte order and their own interfaces, enhanced, simple and (obsolete) packet blocks; all
 * other blocks are passed over.
 *
 * Source: draft-ietf-opsawg-pcapng.
 * Thread: one at a time for a reader.
 */
#ifndef PICKET_AGENT_LINUX_PCAPNG_H
#define PICKET_AGENT_LINUX_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "picket/base/error.h"

/* One frame of a capture, whatever the file's format. */
struct captured_frame {
    int link;             /* enum link_layer, or a number that it does not have */
    const uint8_t *bytes; /* the reader's, until the next call */
    size_t captured_bytes;
    uint32_t wire_bytes;
    bool has_time;
    int64_t time_s; /* since 1970 */
};

/* The first four bytes of a pcapng file, in either byte order. */
enum { PCAPNG_MAGIC_BYTES = 4 };
bool pcapng_is(const uint8_t magic[PCAPNG_MAGIC_BYTES]);

struct pcapng;

/* Reads from file, from its beginning on; the caller closes it after pcapng_close(). NULL: no
 * memory. */
struct pcapng *pcapng_open(FILE *file);
void pcapng_close(struct pcapng *reader);

/* 1: *frame is filled. 0: the file ends, between two blocks. Negative (enum picket_status): the
 * file is cut or contradicts itself at the byte that *error names; nothing after it can be read. */
int pcapng_next(struct pcapng *reader, struct captured_frame *frame, struct picket_error *error);

#endif

/* Reads the frames of a capture file: pcap through libpcap (both byte orders, micro- and
 * nanoseconds), pcapng through pcapng.h.
 *
 * Thread: one at a time for a file.
 */
#ifndef PICKET_AGENT_LINUX_CAPTURE_FILE_H
#define PICKET_AGENT_LINUX_CAPTURE_FILE_H

#include "pcapng.h"

struct capture_file;

/* On failure the error names the file; *file is untouched. */
int capture_file_open(struct capture_file **file, const char *path, struct picket_error *error);
void capture_file_close(struct capture_file *file);

/* 1: *frame is filled, valid until the next call. 0: the file ends. Negative: it cannot be read on,
 * *error says where and why. */
int capture_file_next(struct capture_file *file, struct captured_frame *frame,
                      struct picket_error *error);

#endif

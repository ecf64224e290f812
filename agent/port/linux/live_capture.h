/* Live capture on the interfaces of this machine, through libpcap.
 *
 * By default on every interface that is up, has an address and is not loopback, and not on members
 * of bridges and bonds: each packet of this machine is then seen once. Interfaces that come are
 * taken, those that go are left, at live_capture_refresh(). Interfaces that are named are taken
 * whatever they are, must be there at the start, and are waited for when they go.
 *
 * Why not Linux' "any": it would show a packet again on each bridge, bond and VLAN that it passes.
 *
 * Thread: one at a time.
 */
#ifndef PICKET_AGENT_LINUX_LIVE_CAPTURE_H
#define PICKET_AGENT_LINUX_LIVE_CAPTURE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "picket/base/error.h"

enum { LIVE_INTERFACES_MAX = 64 };

struct live_capture;

/* A captured frame; bytes are valid during the call. */
typedef void (*live_capture_sink)(void *context, int link, const uint8_t *bytes,
                                  uint32_t captured_bytes, uint32_t wire_bytes);

/* names: name_count of them, or none for the default. They and the sink's context must outlive it.
 */
int live_capture_open(struct live_capture **capture, const char *const *names, unsigned name_count,
                      live_capture_sink sink, void *context, struct picket_error *error);
void live_capture_close(struct live_capture *capture);

/* Takes interfaces that have come, and sees what the kernel dropped. */
int live_capture_refresh(struct live_capture *capture, struct picket_error *error);

/* Fills fds, of LIVE_INTERFACES_MAX; returns their number. */
unsigned live_capture_poll_fds(const struct live_capture *capture, struct pollfd *fds);

/* Hands what was captured to the sink, a bounded number of frames of each interface. Returns the
 * number of frames. */
unsigned live_capture_read(struct live_capture *capture);

/* Frames that the kernel had to drop since it was opened, because they were not read in time. */
uint64_t live_capture_dropped(struct live_capture *capture);

#endif

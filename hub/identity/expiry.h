/* Certificates that all connections depend on: the hub's own with its chain, and the owner's CAs.
 * Looked at when the hub starts, and then daily: of each that has ended or ends within
 * certificate_warning_s the log is told, of no device. Thread: the hub's.
 */
#ifndef PICKET_HUB_EXPIRY_H
#define PICKET_HUB_EXPIRY_H

#include <stdint.h>

struct picket_hub;

enum { EXPIRY_INTERVAL_MS = 86400000, EXPIRY_RETRY_MS = 60000 };

/* In each sweep; it knows when it is time. */
void expiry_check(struct picket_hub *hub, int64_t now_ms);

#endif

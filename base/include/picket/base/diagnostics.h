/* What a running part tells its operator: one line on standard error,
 *
 *     2026-11-20T23:51:17.123Z warning hub: device pump-7: refused: SAS token expired 12 s ago
 *
 * or, with PICKET_LOG_FORMAT=json, one JSON object a line with time, level, part and message.
 * (The ordered log between hub and service is another thing: see log/.)
 *
 * Thread: any; a line is written whole.
 */
#ifndef PICKET_BASE_DIAGNOSTICS_H
#define PICKET_BASE_DIAGNOSTICS_H

#include <stdint.h>

enum picket_level { PICKET_ERROR, PICKET_WARNING, PICKET_NOTICE, PICKET_DEBUG };

/* Lines less important than the threshold are dropped; PICKET_NOTICE at first. */
void picket_diagnostics_threshold(enum picket_level threshold);

/* "error", "warning", "notice", "debug" → level; negative if the name is none of them. */
int picket_level_named(const char *name);

/* Part is the folder's name: "hub", "service"... Text from outside is made printable. */
void picket_say(enum picket_level level, const char *part, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Lets through ten lines of a kind per second and counts the rest; the next that passes says how
 * many were held back. One struct, static, per place that a peer can make talk. */
struct picket_say_limit {
    int64_t window_ms;
    uint32_t passed;
    uint64_t held_back;
};
void picket_say_limited(struct picket_say_limit *limit, enum picket_level level, const char *part,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

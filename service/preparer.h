/* The thread that prepares messages while those before them are committed.
 *
 *     log ──read──▶ preparer ──▶ │chunk│chunk│chunk│chunk│ ··· │ ──take──▶ who commits
 *                      ▲                                                       │
 *                      └────────────────── chunks ◀──release───────────────────┘
 *
 * Chunks go round. A chunk has up to CHUNK_MESSAGES messages and an arena for what they say; a
 * message whose events do not fit into an arena of its own is handed on with its events undecoded.
 * The last chunk is filled further until it is taken, so that there is room for many messages
 * however they come.
 * What is taken together makes a batch; so a batch is as large as what came in during the one
 * before. While one is being committed the preparer lets the log gather messages for a whole chunk;
 * when nothing is left to commit, who commits reads and prepares what there is itself.
 *
 * Thread: started, stopped, taken from and released to by one thread, which commits.
 */
#ifndef SERVICE_PREPARER_H
#define SERVICE_PREPARER_H

#include "picket/base/error.h"
#include "prepare.h"

enum {
    CHUNK_MESSAGES = 64,
    CHUNK_BYTES = 128 * 1024, /* of what is decoded */
    CHUNKS_MAX = 256          /* 32 MiB, and batches of up to 16,384 messages */
};

struct preparer;

/* batch_max: > 0, messages in a batch. The log is the preparer's to read; it and the detectors,
 * which may be none, must outlive it. */
int preparer_start(struct preparer **preparer, struct picket_log *log, int batch_max,
                   const struct picket_detector *detectors, size_t detector_count,
                   struct picket_error *error);
/* What is prepared and not committed is forgotten. NULL is allowed. */
void preparer_stop(struct preparer *preparer);

/* Waits until something is prepared, at most timeout_ms, then points *messages to as many as make a
 * batch, in the log's order, and returns their number: 0 on time-out, PICKET_CLOSED when the log
 * was closed and all has been taken. They are valid until they are released. */
int preparer_take(struct preparer *preparer, const struct prepared_message *const **messages,
                  int timeout_ms);
/* What was taken is committed. */
void preparer_release(struct preparer *preparer);

#endif

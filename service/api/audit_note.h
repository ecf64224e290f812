/* How far the audit log had come, noted beside the store: so that a log that was emptied, cut off
 * or exchanged while Picket did not look shows at its next start. A line of a file, `ID SEAL`,
 * written over in place. It is not synced: after the power was cut it may be an older one, or none,
 * and then less is known; never is it newer than the log.
 *
 * Thread: any; writers of a folder are one process.
 */
#ifndef SERVICE_AUDIT_NOTE_H
#define SERVICE_AUDIT_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/store/audit.h"

#define AUDIT_NOTE_NAME "audit-head"

struct audit_note {
    int64_t id; /* of the newest entry */
    uint8_t seal[PICKET_SEAL_BYTES];
};

/* False: there is none that can be read. */
bool audit_note_read(const char *folder, struct audit_note *note);
/* Not backwards, unless anew. PICKET_IO. */
int audit_note_write(const char *folder, const struct audit_note *note, bool anew,
                     struct picket_error *error);

#endif

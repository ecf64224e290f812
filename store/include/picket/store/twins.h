/* Twins: what a device's owner desires of it, and what it reports, as two JSON objects of which
 * each has a version. A part changes by merge patches (RFC 7396): members of the patch replace,
 * null takes away. Every patch makes the version one higher; both begin with 1, before any patch.
 *
 * Groups. Who has many small changes at once makes them in one transaction:
 *
 *     group_begin ─▶ twin_patch, … ─▶ group_commit
 *
 * Without a group each change is its own transaction. A change that is refused (PICKET_INVALID,
 * NOT_FOUND, EXISTS, BUSY) leaves nothing behind and the group as it was; after any other failure
 * the group takes nothing more until it is rolled back. Only PICKET_OK from group_commit means that
 * anything of it is there; a commit that fails has rolled back. A handle has a batch or a group,
 * not both.
 *
 * Source: RFC 7396; the bounds are those of Azure IoT Hub's public documentation.
 */
#ifndef PICKET_STORE_TWINS_H
#define PICKET_STORE_TWINS_H

#include "picket/store/store.h"

enum {
    PICKET_TWIN_BYTES_MAX = 32768,       /* of a part, as compact JSON */
    PICKET_TWIN_PATCH_BYTES_MAX = 65536, /* of a patch as it comes */
    PICKET_TWIN_DEPTH_MAX = 10,
    PICKET_TWIN_NAME_BYTES_MAX = 1024,
    PICKET_TWIN_TEXT_BYTES_MAX = 4096, /* of a string */
    PICKET_TWIN_MODULES_MAX = 50       /* of a device */
};

int picket_store_group_begin(struct picket_store *store, struct picket_error *error);
int picket_store_group_commit(struct picket_store *store, struct picket_error *error);
void picket_store_group_rollback(struct picket_store *store);

enum picket_twin_part { PICKET_TWIN_DESIRED, PICKET_TWIN_REPORTED };
const char *picket_twin_part_name(enum picket_twin_part part); /* "desired", "reported" */

struct picket_twin_document {
    const char *json; /* an object, compact */
    int64_t version;
    /* When what changed, in the document's shape: an object for an object, with "" for itself; for
     * everything else, and at "", [Unix milliseconds, version]. */
    const char *times;
};

struct picket_twin {
    struct picket_twin_document desired;
    struct picket_twin_document reported;
};

/* Visits the twin once; one that was never patched is empty. module: "" for the device itself.
 * PICKET_NOT_FOUND: the device is not registered; PICKET_IO: what is stored is damaged, or cannot
 * be read, and nothing is visited. */
typedef void (*picket_twin_visit)(void *context, const struct picket_twin *twin);
int picket_store_twin(struct picket_store *store, const char *device, const char *module,
                      picket_twin_visit visit, void *context, struct picket_error *error);

struct picket_twin_change {
    const char *device;
    const char *module;
    enum picket_twin_part part;
    const char *patch; /* JSON */
    size_t patch_bytes;
    int64_t if_version; /* > 0: only if the part has this version now */
    int64_t now_ms;     /* Unix time */
};

/* *version: what the part has then. PICKET_INVALID: the patch is no JSON object within the bounds,
 * or makes the part too large; PICKET_NOT_FOUND: the device is not registered; PICKET_EXISTS: the
 * part has another version than if_version; PICKET_BUSY: the device has too many modules;
 * PICKET_IO: what is stored of the part is damaged, or cannot be read. */
int picket_store_twin_patch(struct picket_store *store, const struct picket_twin_change *change,
                            int64_t *version, struct picket_error *error);

#endif

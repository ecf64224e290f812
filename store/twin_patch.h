/* A merge patch on one part of a twin (RFC 7396), with the times of its members kept beside it.
 * Thread: pure functions. */
#ifndef PICKET_STORE_TWIN_PATCH_H
#define PICKET_STORE_TWIN_PATCH_H

#include <jansson.h>

#include "picket/store/twins.h"

/* Both texts are the caller's to free. */
struct twin_patched {
    char *json;
    char *times;
};

/* The stored part of a device's twin as JSON objects, the caller's to release; NULL if they are not
 * wanted. PICKET_IO: it is damaged. */
int twin_document_load(const struct picket_twin_document *stored, enum picket_twin_part part,
                       const char *device, json_t **document, json_t **times,
                       struct picket_error *error);

/* part: for the sentence of *error. version: what the document has with the patch. PICKET_INVALID;
 * PICKET_IO: what was stored cannot be read; PICKET_NO_MEMORY. */
int twin_patch_apply(struct twin_patched *out, const struct picket_twin_document *before,
                     const struct picket_twin_change *change, int64_t version,
                     struct picket_error *error);

#endif

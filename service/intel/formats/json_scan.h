/* Walks through JSON text (RFC 8259) value by value without building it in memory: a document of
 * hundreds of MiB is read object by object, and of an object only the members that are asked for.
 *
 *     {"type":"bundle","objects":[{…},{…},…]}
 *                                 ╰─╯ one slice at a time ─▶ json_pick ─▶ a small json_t
 *
 * What is stepped over is checked for balance, quotes and depth only. Thread: one at a time.
 */
#ifndef INTEL_JSON_SCAN_H
#define INTEL_JSON_SCAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 256, JSON_PICK_BYTES_MAX = 4 * 1024 * 1024 };

/* One value in the text, without blanks around it. */
struct json_slice {
    const char *text;
    size_t bytes;
    uint32_t line; /* of its first byte */
};

struct json_scan {
    const char *at, *end;
    uint32_t line;
    const char *problem; /* why nothing more can be read, or NULL */
    bool inside;         /* an array or object, behind its first element */
};

void json_scan_begin(struct json_scan *scan, const char *text, size_t size_bytes, uint32_t line);
/* The next of values that follow one another, as in JSON lines. False at the end, or with a
 * problem. */
bool json_scan_value(struct json_scan *scan, struct json_slice *value);

/* The elements of an array, the members of an object (name without its quotes, as written). False
 * at its end, or with a problem. */
void json_scan_into(struct json_scan *scan, struct json_slice container);
bool json_scan_element(struct json_scan *scan, struct json_slice *element);
bool json_scan_member(struct json_scan *scan, struct json_slice *name, struct json_slice *value);

/* The object's member of that name; false if there is none, or it is no object. */
bool json_slice_member(struct json_slice object, const char *name, struct json_slice *value);
static inline bool json_slice_is(struct json_slice value, char opening)
{
    return value.bytes > 0 && value.text[0] == opening;
}
/* A string's text, as json_t; NULL if it is none. To be released. */
json_t *json_slice_load(struct json_slice value);

/* A new object of those of the object's members that are named; to be released. NULL with *reason:
 * not JSON, a member is there twice or larger than JSON_PICK_BYTES_MAX. */
json_t *json_pick(struct json_slice object, const char *const *names, size_t count,
                  const char **reason);

#endif

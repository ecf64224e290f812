/* Text from outside, made fit to be stored and shown: UTF-8 without control characters.
 *
 * Thread: pure functions.
 */
#ifndef SERVICE_TEXT_H
#define SERVICE_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* Copies text into out, of out_bytes > 0, as valid UTF-8: what is not UTF-8 and each control
 * character (NUL too) become '?', what does not fit is cut between characters. Returns out. */
char *text_clean(const char *text, size_t size_bytes, char *out, size_t out_bytes);

/* A JSON string of the text, cleaned if it must be; NULL when memory is short. */
json_t *text_json(const char *text, size_t size_bytes);

/* The text of an object's member; "" for what is missing or no text. Valid as long as the object.
 */
const char *text_member(const json_t *object, const char *name);

#endif

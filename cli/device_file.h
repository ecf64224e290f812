/* Files that list devices to be added, one a line, in one of three forms:
 *
 *     pump-7                                  ids alone
 *
 *     id,primary_key                          CSV: a heading with the API's names, `id` the first,
 *     pump-7,MDEyMzQ1Njc4OWFiY2RlZg==         then values; quoted by " where they hold , or "
 *
 *     {"id": "pump-7", …}                     lines of JSON, each as POST /v1/devices takes it
 *
 * Empty lines, and lines that begin with #, are passed over.
 */
#ifndef PICKET_CLI_DEVICE_FILE_H
#define PICKET_CLI_DEVICE_FILE_H

#include <jansson.h>

/* An array of objects as POST /v1/devices/import takes them, each with its `line`; the server
 * judges what they say. path "-": standard input. NULL after saying why. */
json_t *device_file_read(const char *path);

#endif

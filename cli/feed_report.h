/* How reading a feed, or a file onto a list, went.
 */
#ifndef PICKET_CLI_FEED_REPORT_H
#define PICKET_CLI_FEED_REPORT_H

#include <jansson.h>

/* The API's report: counts on standard output, lines that were not understood on standard error. */
void feed_report_print(const json_t *report);

#endif

/* What the pages on an alert share: `picket alert show` and `explain`. On standard output. */
#ifndef PICKET_CLI_ALERT_PAGE_H
#define PICKET_CLI_ALERT_PAGE_H

#include <jansson.h>

/* A line of a section: its label, and what it labels. */
void alert_page_line(const char *label, const char *value);

/* Severity and title, and an empty line. */
void alert_page_title(const json_t *alert);

/* A flow of the evidence: ends, and bytes in and out. */
void alert_page_flow(const json_t *flow);

/* When it was decided on last and by whom, the verdict and the words given; nothing of one that
 * nobody has decided on. */
void alert_page_decision(const json_t *alert);

/* The section on the severity: what each point was for. Nothing if there are no reasons. */
void alert_page_reasons(const char *severity, const json_t *reasons);

#endif

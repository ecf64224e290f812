/* What alerts are asked for: in a query, or in a body. */
#include <stdio.h>
#include <string.h>

#include "api_internal.h"

enum {
    OPEN = 1 << PICKET_ALERT_NEW | 1 << PICKET_ALERT_ACKNOWLEDGED,
    CLOSED = 1 << PICKET_ALERT_DISMISSED | 1 << PICKET_ALERT_RESOLVED,
    SUPPRESSED = 1 << PICKET_ALERT_SUPPRESSED
};

static int parse_severity(const char *text, int *severity, struct picket_error *error)
{
    for (int number = PICKET_SEVERITY_LOW; number <= PICKET_SEVERITY_HIGH; number++) {
        if (strcmp(picket_severity_name(number), text) != 0)
            continue;
        *severity = number;
        return PICKET_OK;
    }
    return picket_fail(error, PICKET_INVALID, "severity: \"%.40s\" is none of low, medium, high",
                       text);
}

/* 0: there is none of that name. */
static unsigned status_mask(const char *name)
{
    for (int number = PICKET_ALERT_NEW; number <= PICKET_ALERT_SUPPRESSED; number++)
        if (strcmp(picket_alert_status_name(number), name) == 0)
            return 1U << number;
    return strcmp(name, "open") == 0     ? OPEN
           : strcmp(name, "closed") == 0 ? CLOSED
           : strcmp(name, "all") == 0    ? OPEN | CLOSED | SUPPRESSED
                                         : 0;
}

/* "new,acknowledged" */
static int parse_statuses(const char *text, unsigned *statuses, struct picket_error *error)
{
    *statuses = 0;
    for (const char *at = text;; at++) {
        char name[16];
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0, at);
        unsigned mask = status_mask(name);
        if (mask == 0)
            return picket_fail(error, PICKET_INVALID,
                               "status: \"%.40s\" holds another than new, acknowledged, dismissed, "
                               "resolved, suppressed, open, closed, all",
                               text);
        *statuses |= mask;
        at += length;
        if (*at == '\0')
            return PICKET_OK;
    }
}

static void take_subject(struct alert_asked *asked, const char *text)
{
    struct picket_prefix prefix;
    bool is_prefix = picket_prefix_parse(&prefix, text, strlen(text));
    asked->query.subject = is_prefix ? picket_prefix_format(&prefix, asked->prefix) : text;
}

/* Texts may be NULL. */
static int take(struct alert_asked *asked, const char *subject, const char *severity,
                const char *statuses, struct picket_error *error)
{
    int status = PICKET_OK;
    if (subject)
        take_subject(asked, subject);
    if (severity)
        status = parse_severity(severity, &asked->query.severity, error);
    if (status == PICKET_OK && statuses)
        status = parse_statuses(statuses, &asked->query.statuses, error);
    return status;
}

int api_query_alerts(const struct api_request *request, struct alert_asked *asked,
                     struct picket_error *error)
{
    memset(asked, 0, sizeof *asked);
    asked->query.statuses = OPEN | CLOSED;
    asked->query.device = api_query_text(request, "device");
    asked->query.type = api_query_text(request, "type");
    int status =
        take(asked, api_query_text(request, "subject"), api_query_text(request, "severity"),
             api_query_text(request, "status"), error);
    return status == PICKET_OK ? api_query_time(request, "since", &asked->query.since_ms, error)
                               : status;
}

int api_parse_alerts_asked(const json_t *body, struct alert_asked *asked,
                           struct picket_error *error)
{
    const char *subject = NULL, *severity = NULL;
    memset(asked, 0, sizeof *asked);
    asked->query.statuses = OPEN;
    int status = api_member_text(body, "device", false, &asked->query.device, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "type", false, &asked->query.type, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "subject", false, &subject, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "severity", false, &severity, error);
    if (status == PICKET_OK)
        status = take(asked, subject, severity, NULL, error);
    if (status == PICKET_OK && !asked->query.device && !asked->query.type && !subject)
        status = picket_fail(error, PICKET_INVALID,
                             "which alerts? One of device, type, subject is needed");
    return status;
}

#include "alert_page.h"

#include <stdio.h>
#include <string.h>

#include "client.h"
#include "page.h"
#include "table.h"
#include "text.h"

enum { LABEL_COLUMN = 18 };

void alert_page_line(const char *label, const char *value)
{
    char indented[80];
    snprintf(indented, sizeof indented, "  %.70s", label);
    page_line(indented, LABEL_COLUMN, "%s", value);
}

void alert_page_title(const json_t *alert)
{
    const char *severity = member_text(alert, "severity");
    printf("%s%s%s  ", severity_color(severity), severity, severity_color_end(severity));
    page_text(strlen(severity) + 2, strlen(severity) + 2, member_text(alert, "title"));
    putchar('\n');
}

/* "198.51.100.7:443", "[2001:db8::7]:443" */
static const char *end_text(const json_t *flow, const char *address_name, const char *port_name,
                            char out[64])
{
    const char *address = member_text(flow, address_name);
    bool is_ipv6 = strchr(address, ':') != NULL;
    snprintf(out, 64, "%s%.46s%s:%lld", is_ipv6 ? "[" : "", address, is_ipv6 ? "]" : "",
             member_number(flow, port_name));
    return out;
}

/* "tcp 10.0.0.7:49152 with 198.51.100.7:443, 1.2 kB in, 300 B out" */
void alert_page_flow(const json_t *flow)
{
    char text[300], local[64], remote[64], in[32], out[32];
    snprintf(text, sizeof text, "%.10s %s with %s, %s in, %s out", member_shown(flow, "protocol"),
             end_text(flow, "local_address", "local_port", local),
             end_text(flow, "remote_address", "remote_port", remote),
             text_bytes(member_number(flow, "bytes_in"), in),
             text_bytes(member_number(flow, "bytes_out"), out));
    alert_page_line("flow", text);
}

/* "2026-11-20T23:51:17Z by ann" */
static void print_when_and_who(const char *label, const json_t *alert)
{
    char text[120], when[32], user[64];
    text_time(member_time(alert, "decided"), when);
    if (json_is_integer(json_object_get(alert, "decided_uid")))
        snprintf(text, sizeof text, "%s by %s", when,
                 text_user(member_number(alert, "decided_uid"), user));
    else
        snprintf(text, sizeof text, "%s", when);
    alert_page_line(label, text);
}

void alert_page_decision(const json_t *alert)
{
    char suppression[64];
    if (!member_time(alert, "decided"))
        return;
    bool is_kept_back = member_number(alert, "suppression") != 0 &&
                        strcmp(member_text(alert, "status"), "suppressed") == 0;
    print_when_and_who(is_kept_back ? "kept back" : "decided", alert);
    if (*member_text(alert, "verdict"))
        alert_page_line("verdict", member_text(alert, "verdict"));
    if (*member_text(alert, "reason"))
        alert_page_line("reason", member_text(alert, "reason"));
    if (member_number(alert, "suppression")) {
        snprintf(suppression, sizeof suppression, "#%lld (picket suppression list)",
                 member_number(alert, "suppression"));
        alert_page_line("suppression", suppression);
    }
}

/* "+3  confidence 90 of 100", "at most  low: a probe from outside" */
static void print_reason(const json_t *reason)
{
    char label[24] = "at most", text[300] = "";
    if (*member_text(reason, "at_most"))
        snprintf(text, sizeof text, "%.10s: ", member_text(reason, "at_most"));
    else
        snprintf(label, sizeof label, "%+lld", member_number(reason, "points"));
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%.200s", member_text(reason, "reason"));
    alert_page_line(label, text);
}

void alert_page_reasons(const char *severity, const json_t *reasons)
{
    size_t index;
    json_t *reason;
    if (json_array_size(reasons) == 0)
        return;
    printf("\nWhy %s\n", severity);
    json_array_foreach(reasons, index, reason)
    {
        print_reason(reason);
    }
}

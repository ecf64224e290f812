#include "feed_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "text.h"

void feed_report_print(const json_t *report)
{
    const json_t *feed = json_object_get(report, "feed");
    long long indicators = member_number(feed, "indicators"),
              skipped = member_number(feed, "skipped");
    char *name = text_printable_copy(member_text(feed, "name"));
    char *source = text_printable_copy(member_text(feed, "source"));
    printf(
        "%s: %lld indicator%s (%lld added, %lld removed, %lld changed, %lld unchanged) in %.1f s\n",
        name, indicators, indicators == 1 ? "" : "s", member_number(report, "added"),
        member_number(report, "removed"), member_number(report, "changed"),
        member_number(report, "kept") - member_number(report, "changed"),
        (double)member_number(report, "duration_ms") / 1000);
    long long passed_over = member_number(report, "passed_over");
    if (passed_over > 0)
        printf("%s: %lld of no use to Picket (no address, revoked, not for detection) passed "
               "over\n",
               name, passed_over);
    fflush(stdout);
    if (skipped > 0)
        fprintf(stderr, "%s: %lld not understood and skipped:\n", name, skipped);
    size_t index;
    json_t *problem;
    json_array_foreach(json_object_get(report, "problems"), index, problem)
    {
        char *reason = text_printable_copy(member_text(problem, "reason"));
        char *text = text_printable_copy(member_text(problem, "text"));
        char *file = text_printable_copy(member_text(problem, "file"));
        fprintf(stderr, "  %s%s%s:%lld: %s: %s\n", source, *file ? "/" : "", file,
                member_number(problem, "line"), reason, text);
        free(file);
        free(reason);
        free(text);
    }
    if (skipped > (long long)index)
        fprintf(stderr, "  ... and %lld more\n", skipped - (long long)index);
    free(name);
    free(source);
}

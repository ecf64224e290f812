/* What alerts cost: raised, folded, weighed and suppressed; listed, grouped and closed when there
 * are many.
 *
 *     picket_bench_alerts [ALERTS [DEVICES [FOLDER]]]
 *
 * ALERTS are spread over DEVICES; each indicator is one of about ten devices'. Half of them are
 * closed, a hundredth is of high severity. Findings come in batches of 1,000, each with evidence of
 * 600 bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "picket/base/time.h"
#include "picket/store/store.h"
#include "picket/store/suppressions.h"

enum { BATCH = 1000, SUBJECT_ALERTS = 10, EVIDENCE_BYTES = 600, SECOND_MS = 1000 };

static struct picket_error error;
static char evidence[EVIDENCE_BYTES + 1];
static int alert_count = 200000, device_count = 10000;
static int64_t first_ms;

static void must(int status)
{
    if (status == PICKET_OK)
        return;
    fprintf(stderr, "picket_bench_alerts: %s\n", error.text);
    exit(1);
}

static void weigh(void *context, const struct picket_standing *standing,
                  struct picket_finding *finding)
{
    (void)context;
    if (standing->devices >= SUBJECT_ALERTS && finding->severity < PICKET_SEVERITY_MEDIUM)
        finding->severity = PICKET_SEVERITY_MEDIUM;
}

static void put_finding(struct picket_store *store, int number, bool is_weighed)
{
    char device[24], subject[40];
    int indicator = number / SUBJECT_ALERTS;
    snprintf(device, sizeof device, "device-%d", number % device_count);
    snprintf(subject, sizeof subject, "%d.%d.%d.%d/32", 1 + indicator / 65536 % 200,
             indicator / 256 % 256, indicator % 256, 1);
    const struct picket_finding finding = {
        .type = "IoT_SuspiciousIpCommunication",
        .device = device,
        .subject = subject,
        .severity = number % 100 == 0 ? PICKET_SEVERITY_HIGH : PICKET_SEVERITY_MEDIUM,
        .seen_ms = first_ms + (int64_t)number * SECOND_MS,
        .title = "Communication with an address that a feed lists",
        .description = evidence,
        .remediation = evidence,
        .technique = "T1071",
        .evidence = evidence,
        .reasons = "[{\"points\":3,\"reason\":\"confidence 90 of 100\"}]",
        .weigh = is_weighed ? weigh : NULL};
    must(picket_store_raise(store, &finding, NULL, NULL, NULL, &error));
}

static void put_findings(struct picket_store *store, const char *what, int from, int count,
                         bool is_weighed)
{
    double start = bench_now_s();
    for (int done = 0; done < count; done += BATCH) {
        must(picket_store_begin(store, &error));
        for (int i = done; i < done + BATCH && i < count; i++)
            put_finding(store, from + i, is_weighed);
        must(picket_store_commit(store, &error));
    }
    printf("%-46s %8.0f a second\n", what, count / (bench_now_s() - start));
}

static void count_alert(void *context, const struct picket_alert *alert)
{
    (void)alert;
    ++*(int *)context;
}

static void count_group(void *context, const struct picket_alert_group *group)
{
    (void)group;
    ++*(int *)context;
}

static void list(struct picket_store *store, const char *what, struct picket_alert_query query)
{
    int count = 0;
    double start = bench_now_s();
    must(picket_store_alerts(store, &query, count_alert, &count, &error));
    printf("%-46s %8.1f ms for %d\n", what, (bench_now_s() - start) * 1000, count);
}

static void group(struct picket_store *store, const char *what, struct picket_alert_query query)
{
    int count = 0;
    double start = bench_now_s();
    must(picket_store_alert_groups(store, &query, count_group, &count, &error));
    printf("%-46s %8.1f ms for %d\n", what, (bench_now_s() - start) * 1000, count);
}

static void decide(struct picket_store *store, const char *what, struct picket_alert_query query)
{
    const struct picket_alert_decision decision = {
        .status = "dismissed", .verdict = "unknown", .reason = "", .decided_ms = 1};
    int64_t count;
    double start = bench_now_s();
    must(picket_store_alerts_decide(store, &query, &decision, &count, &error));
    printf("%-46s %8.1f ms for %lld\n", what, (bench_now_s() - start) * 1000, (long long)count);
}

static void list_many(struct picket_store *store)
{
    const unsigned open = 1U << PICKET_ALERT_NEW | 1U << PICKET_ALERT_ACKNOWLEDGED;
    const unsigned shown = open | 1U << PICKET_ALERT_DISMISSED | 1U << PICKET_ALERT_RESOLVED;
    int64_t last_ms = first_ms + (int64_t)alert_count * SECOND_MS;
    list(store, "the newest 100", (struct picket_alert_query){.statuses = shown});
    list(store, "of an indicator",
         (struct picket_alert_query){.subject = "1.0.7.1/32", .statuses = shown});
    list(store, "of a device",
         (struct picket_alert_query){.device = "device-7", .statuses = shown});
    list(store, "open", (struct picket_alert_query){.statuses = open});
    list(store, "of high severity, closed",
         (struct picket_alert_query){.severity = PICKET_SEVERITY_HIGH, .statuses = shown & ~open});
    list(store, "of a type that there is none of",
         (struct picket_alert_query){.type = "other", .statuses = shown});
    list(store, "of the last hour",
         (struct picket_alert_query){.since_ms = last_ms - 3600 * SECOND_MS, .statuses = shown});
    group(store, "by indicator, of the last day",
          (struct picket_alert_query){.since_ms = last_ms - 24 * 3600 * SECOND_MS,
                                      .statuses = shown});
    group(store, "by indicator, all", (struct picket_alert_query){.statuses = shown});
}

static void suppress(struct picket_store *store, int count)
{
    for (int i = 0; i < count; i++) {
        struct picket_suppression suppression = {.reason = "bench", .created_ms = picket_unix_ms()};
        suppression.until_ms = suppression.created_ms + 24 * 3600 * SECOND_MS;
        snprintf(suppression.device, sizeof suppression.device, "elsewhere-%d", i);
        must(picket_store_suppression_add(store, &suppression, NULL, &error));
    }
}

int main(int argc, char **argv)
{
    struct picket_store *store;
    char folder[64] = "/tmp/picket-bench-alerts-XXXXXX", command[200];
    alert_count = argc > 1 ? atoi(argv[1]) : alert_count;
    device_count = argc > 2 ? atoi(argv[2]) : device_count;
    const char *path = argc > 3 ? argv[3] : mkdtemp(folder);
    if (alert_count < BATCH || device_count < 1 || path == NULL) {
        fprintf(stderr, "usage: picket_bench_alerts [ALERTS [DEVICES [FOLDER]]]\n");
        return 2;
    }
    memset(evidence, 'e', EVIDENCE_BYTES);
    first_ms = picket_unix_ms() - (int64_t)alert_count * SECOND_MS;
    must(picket_store_open(&store, path, &error));
    int half = alert_count / 2;
    put_findings(store, "findings that are new", 0, half, true);
    decide(store, "closing all that are open", (struct picket_alert_query){0});
    put_findings(store, "findings that are new, among as many closed", half, alert_count - half,
                 true);
    put_findings(store, "findings that fold, weighed", half, BATCH * 20, true);
    put_findings(store, "findings that fold, not weighed", half, BATCH * 20, false);
    suppress(store, PICKET_SUPPRESSIONS_MAX - 1);
    put_findings(store, "findings that fold, 999 suppressions elsewhere", half, BATCH * 20, true);
    list_many(store);
    decide(store, "closing all of a device", (struct picket_alert_query){.device = "device-7"});
    picket_store_close(store);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return argc > 3 ? 0 : system(command);
}

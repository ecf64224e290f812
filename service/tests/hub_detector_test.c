/* What the hub says of devices becomes events of its own, and alerts by the names that people know.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"
#include "picket/base/time.h"

static struct harness harness;

static void append(const char *device, const char *json)
{
    const struct picket_log_message message = {.kind = PICKET_LOG_OF_HUB,
                                               .device = device,
                                               .module = "",
                                               .received_ms = picket_unix_ms(),
                                               .properties = json,
                                               .payload = (const uint8_t *)""};
    assert_int_equal(picket_log_append(harness.log, &message, &harness.appended), PICKET_OK);
}

/* "TYPE/DEVICE/SUBJECT/SEVERITY/COUNT " of each alert, in the order they were raised. */
static char alerts[4000], evidence[4000], description[2000];

static void note_alert(void *context, const struct picket_alert *alert)
{
    char line[600];
    (void)context;
    snprintf(line, sizeof line, "%s/%s/%s/%s/%lld ", alert->type, alert->device, alert->subject,
             picket_severity_name(alert->severity), (long long)alert->count);
    strncat(alerts, line, sizeof alerts - strlen(alerts) - 1);
    snprintf(evidence, sizeof evidence, "%s", alert->last_evidence);
    snprintf(description, sizeof description, "%s", alert->description);
    /* Each says what happened and what to do, in steps. */
    assert_int_equal(strncmp(alert->remediation, "1. ", 3), 0);
    assert_non_null(strstr(alert->remediation, " 2. "));
    assert_null(strchr(alert->remediation, '\n'));
    assert_true(strlen(alert->description) > 20);
}

static const char *all_alerts(void)
{
    const struct picket_alert_query query = {.oldest_first = true, .limit = 100};
    alerts[0] = '\0';
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(picket_store_alerts(harness.store, &query, note_alert, NULL, NULL), PICKET_OK);
    return alerts;
}

static int events_seen;

static void note_event(void *context, int64_t id, const struct picket_event_row *event,
                       const struct picket_flow *flows, size_t flow_count)
{
    (void)context;
    (void)flows;
    assert_true(id > 0);
    assert_int_equal(flow_count, 0);
    assert_int_equal(event->type, PICKET_EVENT_OF_HUB);
    events_seen++;
}

static int events_of(const char *device, bool of_hub)
{
    const struct picket_event_query query = {.device = device, .of_hub = of_hub, .limit = 100};
    events_seen = 0;
    assert_int_equal(picket_store_events(harness.store, &query, note_event, NULL, NULL), PICKET_OK);
    return events_seen;
}

#define REFUSED(counter)                                                                           \
    "{\"about\":\"activity\",\"connected\":0,\"moved\":0,\"counts\":{\"" counter                   \
    "\":3},\"last_refused\":{\"address\":\"203.0.113.9\",\"tls\":\"TLSv1.3\",\"cipher\":\"c\","    \
    "\"certificate\":\"ABCD\"}}"

static void each_kind_of_wrong_credential_has_its_type(void **state)
{
    static const struct {
        const char *json, *alert;
    } cases[] = {
        {REFUSED("hub_refused_thumbprint"), "IoT_Cert_Print_Mismatch/d//medium/1 "},
        {REFUSED("hub_refused_certificate_expired"), "IoT_Cert_Expired/d/ABCD/medium/1 "},
        {REFUSED("hub_refused_token_expired"), "IoT_Expired_SAS_Token/d//low/1 "},
        {REFUSED("hub_refused_signature"), "IoT_Invalid_SAS_Token/d//low/1 "},
        {REFUSED("hub_refused_held_off"), "Picket_DeviceConnectsTooOften/d//low/1 "},
    };
    char expected[4000] = "";
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        append("d", cases[i].json);
        strcat(expected, cases[i].alert);
    }
    assert_string_equal(all_alerts(), expected);
    assert_non_null(strstr(evidence, "203.0.113.9"));
    assert_non_null(strstr(description, "refused 3 times"));
    assert_non_null(strstr(description, "203.0.113.9"));
    append("d", REFUSED("hub_refused_signature") " ");
    assert_non_null(strstr(all_alerts(), "IoT_Invalid_SAS_Token/d//low/2 "));
    append("e", REFUSED("hub_refused_disabled"));
    append("e", "{\"about\":\"activity\",\"connected\":1,\"moved\":0,\"counts\":{}}");
    assert_null(strstr(all_alerts(), "/e/"));
}

static void strange_certificates_are_one_alert_however_many(void **state)
{
    char json[400];
    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(json, sizeof json,
                 "{\"about\":\"activity\",\"counts\":{\"hub_refused_thumbprint\":1},"
                 "\"last_refused\":{\"address\":\"203.0.113.9\",\"certificate\":\"%d\"}}",
                 i);
        append("d", json);
    }
    assert_string_equal(all_alerts(), "IoT_Cert_Print_Mismatch/d//medium/5 ");
    assert_non_null(strstr(evidence, "\"certificate\":\"4\""));
}

static void to_and_fro_between_addresses_is_one_credential_used_twice(void **state)
{
    (void)state;
    append("roams", "{\"about\":\"activity\",\"connected\":2,\"moved\":2,\"counts\":{}}");
    assert_string_equal(all_alerts(), "");
    append("cloned", "{\"about\":\"activity\",\"connected\":4,\"moved\":3,\"counts\":{},"
                     "\"last_accepted\":{\"address\":\"198.51.100.4\"}}");
    assert_string_equal(all_alerts(), "Picket_CredentialUsedFromTwoAddresses/cloned//medium/1 ");
    assert_non_null(strstr(description, "198.51.100.4"));
}

static void cas_that_come_and_go_are_told_done_or_refused(void **state)
{
    (void)state;
    append("", "{\"about\":\"act\",\"act\":\"ca.add\",\"thing\":\"plant\",\"status\":201,\"uid\":0,"
               "\"audit\":7}");
    append("", "{\"about\":\"act\",\"act\":\"ca.remove\",\"thing\":\"plant\",\"status\":200,"
               "\"uid\":0,\"audit\":9}");
    append("",
           "{\"about\":\"act\",\"act\":\"ca.add\",\"thing\":\"bad\",\"status\":400,\"uid\":1000,"
           "\"audit\":11}");
    append("", "{\"about\":\"act\",\"act\":\"ca.remove\",\"thing\":\"none\",\"status\":404,"
               "\"uid\":1000,\"audit\":13}");
    append("", "{\"about\":\"act\",\"act\":\"device.add\",\"thing\":\"d\",\"status\":201}");
    assert_string_equal(all_alerts(),
                        "IoT_CertificateSuccessfullyAddedToHub//plant/medium/1 "
                        "IoT_CertificateSuccessfullyDeletedFromHub//plant/medium/1 "
                        "Hub_CertificateFailedToBeAddedToHub//bad/medium/1 "
                        "IoT.Hub_CertificateFailedToBeDeletedFromHub//none/medium/1 ");
    assert_non_null(strstr(description, "Entry 13 of the audit log"));
}

static void a_burst_of_refusals_is_of_the_hub(void **state)
{
    (void)state;
    append("", "{\"about\":\"burst\",\"refusals\":170,\"seconds\":30}");
    assert_string_equal(all_alerts(), "Picket_BurstOfRefusals///medium/1 ");
    assert_non_null(strstr(description, "170 connections within 30 seconds"));
}

static void reaching_for_others_topics_is_told_with_the_last_of_them(void **state)
{
    (void)state;
    append("d", "{\"about\":\"activity\",\"unauthorized\":{\"subscribe\":9}}");
    assert_string_equal(all_alerts(), "");
    append("d", "{\"about\":\"unauthorized\",\"operations\":12,\"seconds\":180,"
                "\"last_unauthorized\":{\"operation\":\"wildcard\",\"topic\":\"devices/+/#\"}}");
    append("d", "{\"about\":\"unauthorized\",\"operations\":13,\"seconds\":180}");
    assert_string_equal(all_alerts(), "Picket_RepeatedUnauthorizedOperations/d//medium/2 ");
    assert_non_null(strstr(description, "12 times within 180 seconds"));
    assert_non_null(strstr(description, "wildcard, devices/+/#"));
}

#define CERTIFICATE(of, name, expired)                                                             \
    "{\"about\":\"certificate\",\"of\":\"" of "\",\"name\":\"" name                                \
    "\",\"until_ms\":1795348740000,\"expired\":" expired "}"

static void certificates_that_end_are_told_each_by_itself(void **state)
{
    (void)state;
    append("", CERTIFICATE("ca", "plant", "false"));
    assert_string_equal(all_alerts(), "Picket_HubCertificateExpiring//ca plant/medium/1 ");
    assert_string_equal(description,
                        "The certificate of the CA plant ends 2026-11-22T11:59:00Z: devices whose "
                        "certificates lead to it are refused from then on.");
    append("", CERTIFICATE("ca", "plant", "false"));
    append("", CERTIFICATE("hub", "localhost", "true"));
    append("", CERTIFICATE("ca", "plant", "true"));
    assert_string_equal(all_alerts(), "Picket_HubCertificateExpiring//ca plant/medium/2 "
                                      "Picket_HubCertificateExpired//hub/high/1 "
                                      "Picket_HubCertificateExpired//ca plant/high/1 ");
}

static void a_changed_audit_setting_is_told(void **state)
{
    (void)state;
    append("", "{\"about\":\"act\",\"act\":\"audit.change\",\"thing\":\"\",\"status\":200,"
               "\"uid\":0,\"audit\":4}");
    assert_string_equal(all_alerts(), "IoT_DiagnosticSettingAddedOrEditedOnHub///low/1 ");
}

static void an_audit_log_that_lost_entries_is_told(void **state)
{
    (void)state;
    append("",
           "{\"about\":\"act\",\"act\":\"audit.loss\",\"thing\":\"it is empty, and there was an "
           "entry 7\",\"status\":200,\"uid\":0,\"audit\":2}");
    assert_string_equal(all_alerts(), "IoT_DiagnosticSettingDeletedFromHub///medium/1 ");
    assert_non_null(strstr(description, "it is empty, and there was an entry 7."));
}

static void what_the_hub_says_is_kept_apart_from_what_devices_say(void **state)
{
    (void)state;
    append("d", REFUSED("hub_refused_signature"));
    append("", "{\"about\":\"act\",\"act\":\"ca.add\",\"thing\":\"plant\",\"status\":201}");
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(events_of("d", true), 1);
    assert_int_equal(events_of("d", false), 0);
    assert_int_equal(events_of(NULL, true), 1);
    assert_int_equal(events_of(NULL, false), 0);
}

static void what_it_says_may_be_of_any_form(void **state)
{
    static const char *const odd[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"about\":7}",
        "{\"about\":\"act\"}",
        "nonsense",
        "{\"about\":\"activity\",\"counts\":[],\"moved\":\"x\",\"last_refused\":3}"};
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        append("d", odd[i]);
    assert_string_equal(all_alerts(), "");
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_prestate_setup_teardown(name, harness_set_up, harness_tear_down, &harness)
    const struct CMUnitTest tests[] = {
        TEST(each_kind_of_wrong_credential_has_its_type),
        TEST(strange_certificates_are_one_alert_however_many),
        TEST(to_and_fro_between_addresses_is_one_credential_used_twice),
        TEST(cas_that_come_and_go_are_told_done_or_refused),
        TEST(a_burst_of_refusals_is_of_the_hub),
        TEST(reaching_for_others_topics_is_told_with_the_last_of_them),
        TEST(certificates_that_end_are_told_each_by_itself),
        TEST(a_changed_audit_setting_is_told),
        TEST(an_audit_log_that_lost_entries_is_told),
        TEST(what_the_hub_says_is_kept_apart_from_what_devices_say),
        TEST(what_it_says_may_be_of_any_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "hub_detector.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_events.h"
#include "picket/base/time.h"

enum { MOVES_MIN = 3 }; /* A, B, A, B: who only has a new address moves once */

/* ---- one finding ---- */

/* What a rule says of itself; %s of the description is filled by its event. */
struct rule {
    const char *type;
    int severity;
    const char *title;
    const char *technique;
    const char *remediation;
};

static json_t *copy_of(const json_t *content)
{
    return json_copy((json_t *)(uintptr_t)content);
}

static int yield_finding(const struct rule *rule, const struct picket_event *event,
                         const char *subject, const char *description, const json_t *content,
                         picket_yield yield, void *context)
{
    json_t *object = copy_of(content);
    json_object_set_new(object, "event_id", json_integer(event->event_id));
    char *evidence = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (evidence == NULL)
        return PICKET_NO_MEMORY;
    const struct picket_finding finding = {.type = rule->type,
                                           .device = event->device,
                                           .subject = subject,
                                           .severity = rule->severity,
                                           .seen_ms = event->seen_ms,
                                           .title = rule->title,
                                           .description = description,
                                           .remediation = rule->remediation,
                                           .technique = rule->technique,
                                           .evidence = evidence};
    int status = yield(context, &finding);
    free(evidence);
    return status;
}

/* ---- refusals ---- */

static const struct refusal_rule {
    const char *counter;
    const char *what;    /* was refused N times because … */
    bool of_certificate; /* an alert for each; only where it is known to be the owner's */
    struct rule rule;
} refusal_rules[] = {
    {"hub_refused_thumbprint",
     "it showed a certificate whose thumbprint is neither of the two registered",
     false,
     {"IoT_Cert_Print_Mismatch", PICKET_SEVERITY_MEDIUM,
      "A certificate with another thumbprint was shown", "T1078",
      "1. Find out whether the device was given a new certificate. If so, register it: picket "
      "device rotate-x509. 2. If not, somebody else calls himself by the device's name: look "
      "at the address, and block it if it is none of yours (picket ip-filter add deny). 3. "
      "Look whether the device itself still connects."}},
    {"hub_refused_certificate_expired",
     "its certificate, or one that it leads to, has expired",
     true,
     {"IoT_Cert_Expired", PICKET_SEVERITY_MEDIUM, "An expired certificate was shown", "",
      "1. Give the device a new certificate, and register its thumbprint (picket device "
      "rotate-x509) unless a CA vouches for it. 2. If the certificate is still good, this "
      "machine's clock is wrong. 3. See what else expires soon: picket ca list."}},
    {"hub_refused_held_off",
     "it had connected too often before: it is held off for a time",
     false,
     {"Picket_DeviceConnectsTooOften", PICKET_SEVERITY_LOW,
      "A device connects again and again, and is held off", "",
      "1. Look whether two devices were given the same credential, say by a copied image: they "
      "drive each other out. 2. If not, the device restarts or loses its network again and "
      "again: look at why its connections end (picket event list --hub). 3. If that is what it "
      "is meant to do, raise hub.limits.device_connects_per_minute."}},
    {"hub_refused_token_expired",
     "its SAS token, though signed with the device's key, had expired",
     false,
     {"IoT_Expired_SAS_Token", PICKET_SEVERITY_LOW, "An expired SAS token was shown", "T1550.001",
      "1. Look at the device's clock: a token made with a clock that is behind is late at "
      "birth. 2. If the clock is right, the device does not renew its token, or somebody uses "
      "one that he found: look at the address. 3. In doubt rotate the key: picket device "
      "rotate-key."}},
    {"hub_refused_signature",
     "its SAS token was signed with neither of the device's keys",
     false,
     {"IoT_Invalid_SAS_Token", PICKET_SEVERITY_LOW, "A SAS token with a wrong signature was shown",
      "T1110",
      "1. If the device's key was rotated, it still has the old one: give it the new "
      "connection string. 2. If not, somebody guesses or tries an old key: look at the "
      "address, and block it if it is none of yours (picket ip-filter add deny). 3. Look "
      "whether the device itself still connects."}},
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static long long number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static int look_for_refusal(const struct refusal_rule *refusal, const struct picket_event *event,
                            const json_t *content, picket_yield yield, void *context)
{
    char description[600];
    const json_t *last = json_object_get(content, "last_refused");
    long long times = number_of(json_object_get(content, "counts"), refusal->counter);
    const char *certificate = text_of(last, "certificate");
    if (times == 0)
        return PICKET_OK;
    snprintf(
        description, sizeof description,
        "Who called himself device %s was refused %lld time%s within a minute, because %s. The "
        "last refusal was of address %s%s%s.",
        event->device, times, times == 1 ? "" : "s", refusal->what, text_of(last, "address"),
        *certificate != '\0' ? ", with the certificate whose SHA-256 is " : "", certificate);
    return yield_finding(&refusal->rule, event, refusal->of_certificate ? certificate : "",
                         description, content, yield, context);
}

/* ---- one credential, several addresses ---- */

static const struct rule moves_rule = {
    "Picket_CredentialUsedFromTwoAddresses", PICKET_SEVERITY_MEDIUM,
    "A device's credential is used from two addresses at once", "T1078",
    "1. Look whether two devices were given the same credential, say by a copied image. 2. If "
    "not, the credential was stolen: rotate it (picket device rotate-key, rotate-x509), which "
    "ends both. 3. Look at what the device has reported since."};

static int look_for_moves(const struct picket_event *event, const json_t *content,
                          picket_yield yield, void *context)
{
    char description[500];
    long long moves = number_of(content, "moved");
    if (moves < MOVES_MIN)
        return PICKET_OK;
    snprintf(description, sizeof description,
             "Within a minute device %s took its own connection over from another address %lld "
             "times, to and fro, while that was alive: two who have its credential drive each "
             "other out. The last one came from %s.",
             event->device, moves, text_of(json_object_get(content, "last_accepted"), "address"));
    return yield_finding(&moves_rule, event, "", description, content, yield, context);
}

static int look_at_connections(const struct picket_event *event, const json_t *content,
                               picket_yield yield, void *context)
{
    int status = look_for_moves(event, content, yield, context);
    for (size_t i = 0; i < sizeof refusal_rules / sizeof refusal_rules[0] && status == PICKET_OK;
         i++)
        status = look_for_refusal(&refusal_rules[i], event, content, yield, context);
    return status;
}

/* ---- reaching for what is others' ---- */

static const struct rule trespass_rule = {
    "Picket_RepeatedUnauthorizedOperations", PICKET_SEVERITY_MEDIUM,
    "A device keeps reaching for what is not its own", "T1078",
    "1. Look at the topic: firmware that was moved here may use one that this hub does not "
    "have (picket event list --hub --device ID shows what and how often). 2. If it is another "
    "device's, or has wildcards, somebody who has this device's credential looks around: "
    "disable the device (picket device disable), and rotate its credential (picket device "
    "rotate-key, rotate-x509). 3. Look at what the device has reported since."};

static int look_at_trespasses(const struct picket_event *event, const json_t *content,
                              picket_yield yield, void *context)
{
    char description[600];
    const json_t *last = json_object_get(content, "last_unauthorized");
    snprintf(description, sizeof description,
             "Device %s published or subscribed to what is not its own %lld times within %lld "
             "seconds, and it went on over several windows. Nothing of it was let through. The "
             "last was: %s, %.200s. It is told again when it has ended and begins anew.",
             event->device, number_of(content, "operations"), number_of(content, "seconds"),
             text_of(last, "operation"), text_of(last, "topic"));
    return yield_finding(&trespass_rule, event, "", description, content, yield, context);
}

/* ---- certificates that end ---- */

static const char renew[] =
    "1. Of the hub's own: get a new certificate for the same name, of a CA that devices trust, "
    "put it where hub.certificate_file says, and restart Picket. 2. Of a CA: have a new one "
    "issue the devices' certificates, register it beside the old one (picket ca add), give "
    "devices the new certificates, and remove the old one when none is left (picket ca "
    "remove). 3. picket status shows which certificates end when, picket ca list all CAs.";

static const struct rule ends_rule = {"Picket_HubCertificateExpiring", PICKET_SEVERITY_MEDIUM,
                                      "A certificate that devices depend on ends soon", "", renew};
static const struct rule ended_rule = {"Picket_HubCertificateExpired", PICKET_SEVERITY_HIGH,
                                       "A certificate that devices depend on has expired", "",
                                       renew};

static int look_at_certificate(const struct picket_event *event, const json_t *content,
                               picket_yield yield, void *context)
{
    char description[500], subject[100], until[PICKET_TIME_TEXT_BYTES];
    bool expired = json_is_true(json_object_get(content, "expired"));
    bool is_ca = strcmp(text_of(content, "of"), "ca") == 0;
    const char *name = text_of(content, "name");
    picket_time_format(number_of(content, "until_ms"), until);
    snprintf(subject, sizeof subject, "%s%.70s", is_ca ? "ca " : "hub", is_ca ? name : "");
    if (is_ca)
        snprintf(description, sizeof description,
                 "The certificate of the CA %.70s %s %.19sZ: devices whose certificates lead to it "
                 "%s.",
                 name, expired ? "expired" : "ends", until,
                 expired ? "are refused" : "are refused from then on");
    else
        snprintf(
            description, sizeof description,
            "The hub's own certificate for %.70s, or one of its chain, %s %.19sZ: devices that "
            "look at it %s.",
            name, expired ? "expired" : "ends", until,
            expired ? "do not connect" : "do not connect from then on");
    return yield_finding(expired ? &ended_rule : &ends_rule, event, subject, description, content,
                         yield, context);
}

/* ---- many refusals ---- */

static const struct rule burst_rule = {
    "Picket_BurstOfRefusals", PICKET_SEVERITY_MEDIUM, "Many clients are being refused at the hub",
    "T1110",
    "1. Look who it is: picket status shows the refusals by their reason, Picket's messages "
    "their addresses. 2. If it is your own fleet, something has changed for all of it: a "
    "clock, a CA that expired, keys rotated. 3. If not, keep the addresses out: picket "
    "ip-filter add deny."};

static int look_at_burst(const struct picket_event *event, const json_t *content,
                         picket_yield yield, void *context)
{
    char description[300];
    snprintf(description, sizeof description,
             "The hub refused %lld connections within %lld seconds, and it went on over several "
             "windows. It is told again when it has ended and begins anew.",
             number_of(content, "refusals"), number_of(content, "seconds"));
    return yield_finding(&burst_rule, event, "", description, content, yield, context);
}

/* ---- administration ---- */

static const char looked_at[] =
    "1. Ask who did it: picket audit list names the user. 2. If nobody meant it, undo it (picket "
    "ca list, add, remove), and see who may open the API's socket.";

static const struct administration_rule {
    const char *act;
    bool done;
    struct rule rule;
} administration_rules[] = {
    {"ca.add",
     true,
     {"IoT_CertificateSuccessfullyAddedToHub", PICKET_SEVERITY_MEDIUM, "A CA was added to the hub",
      "T1098", looked_at}},
    {"ca.remove",
     true,
     {"IoT_CertificateSuccessfullyDeletedFromHub", PICKET_SEVERITY_MEDIUM,
      "A CA was removed from the hub", "T1531", looked_at}},
    {"ca.add",
     false,
     {"Hub_CertificateFailedToBeAddedToHub", PICKET_SEVERITY_MEDIUM,
      "Adding a CA to the hub was refused", "T1098", looked_at}},
    {"audit.change",
     true,
     {"IoT_DiagnosticSettingAddedOrEditedOnHub", PICKET_SEVERITY_LOW,
      "How long the audit log is kept was changed", "T1562.008",
      "1. Ask who changed store.audit in the configuration, and why: picket audit list --json "
      "shows the old and the new value. 2. Export the audit log to a place of your own: picket "
      "audit export."}},
    {"ca.remove",
     false,
     {"IoT.Hub_CertificateFailedToBeDeletedFromHub", PICKET_SEVERITY_MEDIUM,
      "Removing a CA from the hub was refused", "T1531", looked_at}},
};

/* thing: what was found. */
static const struct rule loss_rule = {
    "IoT_DiagnosticSettingDeletedFromHub", PICKET_SEVERITY_MEDIUM,
    "Entries of the audit log were taken away or changed", "T1070",
    "1. Compare with the last export, and with Picket's messages, which have each entry with "
    "the begin of its seal: what is missing? 2. If an older copy of the data folder was put "
    "back, that is why. 3. If not, somebody who may write the data folder covers his tracks: "
    "see who may, look for what he did (picket device list, ca list, ip-filter list), and "
    "rotate what he may have read. 4. Export the audit log to another machine from now on: "
    "picket audit export."};

static int look_at_loss(const struct picket_event *event, const json_t *content, picket_yield yield,
                        void *context)
{
    char description[600];
    snprintf(
        description, sizeof description,
        "When Picket started, the audit log was not as Picket had left it: %.200s. Picket itself "
        "takes away no entries but the oldest, when store.audit says so.",
        text_of(content, "thing"));
    return yield_finding(&loss_rule, event, "", description, content, yield, context);
}

static int look_at_act(const struct picket_event *event, const json_t *content, picket_yield yield,
                       void *context)
{
    char description[600];
    const char *act = text_of(content, "act"), *thing = text_of(content, "thing");
    bool done = number_of(content, "status") < 400;
    if (strcmp(act, "audit.loss") == 0)
        return look_at_loss(event, content, yield, context);
    for (size_t i = 0; i < sizeof administration_rules / sizeof administration_rules[0]; i++) {
        const struct administration_rule *rule = &administration_rules[i];
        if (strcmp(act, rule->act) != 0 || done != rule->done)
            continue;
        snprintf(description, sizeof description,
                 "%s: %.100s, by user id %lld. Entry %lld of the audit log has the details.",
                 rule->rule.title, *thing != '\0' ? thing : "the hub", number_of(content, "uid"),
                 number_of(content, "audit"));
        return yield_finding(&rule->rule, event, thing, description, content, yield, context);
    }
    return PICKET_OK;
}

/* ---- the detector ---- */

static int inspect(void *state, const struct picket_event *event, picket_yield yield, void *context)
{
    (void)state;
    if (event->type != PICKET_EVENT_OF_HUB || event->content == NULL)
        return PICKET_OK;
    json_t *content = json_loads(event->content, 0, NULL);
    const char *about = text_of(content, "about");
    int status = PICKET_OK;
    if (strcmp(about, "activity") == 0)
        status = look_at_connections(event, content, yield, context);
    else if (strcmp(about, "unauthorized") == 0)
        status = look_at_trespasses(event, content, yield, context);
    else if (strcmp(about, "certificate") == 0)
        status = look_at_certificate(event, content, yield, context);
    else if (strcmp(about, "burst") == 0)
        status = look_at_burst(event, content, yield, context);
    else if (strcmp(about, "act") == 0)
        status = look_at_act(event, content, yield, context);
    json_decref(content);
    return status;
}

struct picket_detector hub_detector(void)
{
    return hub_events_detector("hub", inspect);
}

#include "identity.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certificate.h"
#include "sas.h"
#include "user_name.h"

static bool refuse(struct refusal *refusal, enum ending ending, enum mqtt_connack_code code,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool refuse(struct refusal *refusal, enum ending ending, enum mqtt_connack_code code,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refusal->ending = ending;
    refusal->code = code;
    vsnprintf(refusal->sentence, sizeof refusal->sentence, format, arguments);
    va_end(arguments);
    return false;
}

static bool copy_id(char *out, struct slice id)
{
    if (id.size >= PICKET_DEVICE_ID_BYTES)
        return false;
    if (id.size > 0)
        memcpy(out, id.bytes, id.size);
    out[id.size] = '\0';
    return true;
}

/* DEVICE or DEVICE/MODULE. */
static bool read_client_id(struct identity *identity, struct slice client_id,
                           struct refusal *refusal)
{
    struct slice rest = client_id;
    struct slice device = slice_cut(&rest, '/');
    bool has_module = rest.bytes != NULL;
    if (device.size == 0 || (has_module && rest.size == 0) || !copy_id(identity->device, device) ||
        !copy_id(identity->module, rest)) {
        identity->device[0] = '\0';
        return refuse(refusal, ENDING_WRONG_CLIENT_ID, MQTT_WRONG_CLIENT_ID,
                      "refused: the client id of %zu bytes is not DEVICE or DEVICE/MODULE",
                      client_id.size);
    }
    return true;
}

static bool check_user_name(const struct identity *identity, const struct mqtt_connect *connect,
                            const char *host_name, struct refusal *refusal)
{
    struct user_name name;
    const char *wrong =
        connect->has_user_name ? user_name_parse(&name, connect->user_name) : "is missing";
    if (wrong != NULL)
        return refuse(refusal, ENDING_WRONG_USER_NAME, MQTT_NOT_AUTHORIZED, "refused: user name %s",
                      wrong);
    if (!slice_equals_ignoring_case(name.host, host_name))
        return refuse(refusal, ENDING_WRONG_HOST, MQTT_NOT_AUTHORIZED,
                      "refused: user name is for host \"%.*s\", this is \"%s\"",
                      (int)(name.host.size < 128 ? name.host.size : 128), name.host.bytes,
                      host_name);
    if (!slice_equals(name.device, identity->device) ||
        !slice_equals(name.module, identity->module))
        return refuse(refusal, ENDING_WRONG_USER_NAME, MQTT_NOT_AUTHORIZED,
                      "refused: user name and client id name different devices or modules");
    return true;
}

static bool find_device(struct picket_device_identity *device, const char *id,
                        const struct hub_registry *registry, struct refusal *refusal)
{
    struct picket_error error = {0};
    int status = registry->find(registry->context, id, device, &error);
    if (status == PICKET_NOT_FOUND || status == PICKET_INVALID)
        return refuse(refusal, ENDING_UNKNOWN_DEVICE, MQTT_NOT_AUTHORIZED,
                      "refused: no such device is registered");
    if (status != PICKET_OK)
        return refuse(refusal, ENDING_REGISTRY_FAILED, MQTT_UNAVAILABLE,
                      "turned away: the registry cannot be read: %s", error.text);
    refusal->device_is_known = true;
    if (!device->enabled)
        return refuse(refusal, ENDING_DISABLED_DEVICE, MQTT_NOT_AUTHORIZED,
                      "refused: the device is disabled");
    return true;
}

/* ---- by a SAS token ---- */

static bool has_password(const struct proof *proof)
{
    return proof->connect->has_password && proof->connect->password.size > 0;
}

/* What can be said of a token before the device is looked up. */
static bool read_token(struct sas_token *token, const struct identity *identity,
                       const struct proof *proof, const struct gate *gate, struct refusal *refusal)
{
    const char *wrong = sas_parse(token, proof->connect->password);
    if (wrong != NULL)
        return refuse(refusal, ENDING_WRONG_TOKEN, MQTT_NOT_AUTHORIZED, "refused: SAS token: %s",
                      wrong);
    if (token->policy.size > 0)
        return refuse(
            refusal, ENDING_WRONG_SCOPE, MQTT_NOT_AUTHORIZED,
            "refused: SAS token names a shared access policy (skn); a device's own key is "
            "expected");
    if (!sas_covers(token, gate->host_name, identity->device, identity->module))
        return refuse(refusal, ENDING_WRONG_SCOPE, MQTT_NOT_AUTHORIZED,
                      "refused: SAS token is for another resource than %s/devices/%s%s%s",
                      gate->host_name, identity->device,
                      identity->module[0] != '\0' ? "/modules/" : "", identity->module);
    return true;
}

static bool is_signed_with(const struct sas_token *token, const uint8_t *key, size_t key_bytes,
                           struct credential *credential)
{
    if (!sas_is_signed_with(token, key, key_bytes))
        return false;
    *credential = credential_of_key(key, key_bytes);
    return true;
}

/* Signature first, expiry last: "expired" is then said of genuine tokens only, and means that a
 * clock or a renewal is wrong, not that somebody guesses. */
static bool check_token(struct identity *identity, const struct sas_token *token,
                        const struct picket_device_identity *device, int64_t now_s,
                        struct refusal *refusal)
{
    struct credential *credential = &identity->credential;
    if (!is_signed_with(token, device->primary_key, device->primary_key_bytes, credential) &&
        !is_signed_with(token, device->secondary_key, device->secondary_key_bytes, credential))
        return refuse(refusal, ENDING_WRONG_SIGNATURE, MQTT_NOT_AUTHORIZED,
                      "refused: SAS signature matches neither of the device's keys");
    if (token->expires_s <= now_s)
        return refuse(refusal, ENDING_TOKEN_EXPIRED, MQTT_NOT_AUTHORIZED,
                      "refused: SAS token expired %lld s ago",
                      (long long)(now_s - token->expires_s));
    identity->expires_s = token->expires_s;
    return true;
}

/* ---- by a certificate ---- */

static bool is_in_period(struct identity *identity, X509 *certificate, int64_t now_s,
                         struct refusal *refusal)
{
    int64_t from_s, until_s;
    if (!certificate_period(certificate, &from_s, &until_s))
        return refuse(refusal, ENDING_WRONG_CERTIFICATE, MQTT_NOT_AUTHORIZED,
                      "refused: its certificate's period cannot be read");
    if (now_s < from_s)
        return refuse(refusal, ENDING_CERTIFICATE_EARLY, MQTT_NOT_AUTHORIZED,
                      "refused: its certificate becomes valid in %lld s",
                      (long long)(from_s - now_s));
    if (now_s >= until_s)
        return refuse(refusal, ENDING_CERTIFICATE_EXPIRED, MQTT_NOT_AUTHORIZED,
                      "refused: its certificate expired %lld s ago", (long long)(now_s - until_s));
    identity->expires_s = until_s;
    return true;
}

/* As with tokens: expired is said of the right one only. */
static bool check_thumbprint(struct identity *identity, X509 *certificate,
                             const struct picket_device_identity *device, int64_t now_s,
                             struct refusal *refusal)
{
    struct certificate_prints prints;
    char text[PICKET_THUMBPRINT_TEXT_BYTES];
    if (!certificate_prints(certificate, &prints))
        return refuse(refusal, ENDING_WRONG_CERTIFICATE, MQTT_NOT_AUTHORIZED,
                      "refused: its certificate cannot be hashed");
    const struct picket_thumbprint *print = &device->primary_thumbprint;
    if (!certificate_has_print(&prints, print))
        print = &device->secondary_thumbprint;
    if (!certificate_has_print(&prints, print))
        return refuse(refusal, ENDING_WRONG_THUMBPRINT, MQTT_NOT_AUTHORIZED,
                      "refused: its certificate's thumbprint is neither of the device's; its "
                      "SHA-256 is %s",
                      picket_thumbprint_format(&prints.sha256, text));
    identity->credential = credential_of_print(CREDENTIAL_THUMBPRINT, print);
    return is_in_period(identity, certificate, now_s, refusal);
}

static bool refuse_verdict(const struct certificate_verdict *verdict, struct refusal *refusal)
{
    static const enum ending endings[] = {[CERTIFICATE_UNKNOWN_CA] = ENDING_UNKNOWN_CA,
                                          [CERTIFICATE_EXPIRED] = ENDING_CERTIFICATE_EXPIRED,
                                          [CERTIFICATE_EARLY] = ENDING_CERTIFICATE_EARLY,
                                          [CERTIFICATE_UNFIT] = ENDING_WRONG_CERTIFICATE};
    if (verdict->problem == CERTIFICATE_UNKNOWN_CA)
        return refuse(refusal, ENDING_UNKNOWN_CA, MQTT_NOT_AUTHORIZED,
                      "refused: none of the registered CAs issued its certificate (%s)",
                      verdict->reason);
    return refuse(refusal, endings[verdict->problem], MQTT_NOT_AUTHORIZED, "refused: %s: %s",
                  verdict->depth == 0 ? "its certificate" : "a CA's certificate above its own",
                  verdict->reason);
}

/* DEVICE opens the device and its modules, DEVICE/MODULE that module. */
static bool is_named(const struct identity *identity, const char *common_name)
{
    size_t length = strlen(identity->device);
    if (strcmp(common_name, identity->device) == 0)
        return true;
    return identity->module[0] != '\0' && strncmp(common_name, identity->device, length) == 0 &&
           common_name[length] == '/' && strcmp(common_name + length + 1, identity->module) == 0;
}

/* The chain first: a name that nobody vouches for says nothing. */
static bool check_issuer(struct identity *identity, const struct proof *proof,
                         const struct gate *gate, struct refusal *refusal)
{
    struct certificate_verdict verdict;
    char common_name[CERTIFICATE_NAME_BYTES];
    certificate_verify(gate->admission->authorities, proof->certificate, proof->chain, gate->now_s,
                       &verdict);
    if (verdict.problem != CERTIFICATE_GOOD)
        return refuse_verdict(&verdict, refusal);
    if (!certificate_common_name(proof->certificate, common_name))
        return refuse(refusal, ENDING_WRONG_COMMON_NAME, MQTT_NOT_AUTHORIZED,
                      "refused: its certificate has not one common name, which is to be the "
                      "device's id");
    if (!is_named(identity, common_name))
        return refuse(refusal, ENDING_WRONG_COMMON_NAME, MQTT_NOT_AUTHORIZED,
                      "refused: its certificate is for \"%.140s\"", common_name);
    identity->credential = credential_of_print(CREDENTIAL_CA, &verdict.anchor);
    identity->expires_s = verdict.until_s;
    return true;
}

/* ---- by whichever the registry says ---- */

static bool check_sas_device(struct identity *identity, const struct proof *proof,
                             const struct picket_device_identity *device, const struct gate *gate,
                             struct refusal *refusal)
{
    struct sas_token token;
    if (!has_password(proof))
        return refuse(refusal, ENDING_NO_PASSWORD, MQTT_NOT_AUTHORIZED,
                      "refused: no password; this device authenticates with a SAS token, not with "
                      "a certificate");
    return read_token(&token, identity, proof, gate, refusal) &&
           check_token(identity, &token, device, gate->now_s, refusal);
}

static bool check_device(struct identity *identity, const struct proof *proof,
                         const struct picket_device_identity *device, const struct gate *gate,
                         struct refusal *refusal)
{
    if (device->authentication == PICKET_AUTHENTICATION_SAS)
        return check_sas_device(identity, proof, device, gate, refusal);
    if (proof->certificate == NULL)
        return refuse(refusal, ENDING_NO_CERTIFICATE, MQTT_NOT_AUTHORIZED,
                      "refused: no certificate; this device authenticates with one, not with a "
                      "SAS token");
    if (device->authentication == PICKET_AUTHENTICATION_THUMBPRINT)
        return check_thumbprint(identity, proof->certificate, device, gate->now_s, refusal);
    return check_issuer(identity, proof, gate, refusal);
}

bool identity_establish(struct identity *identity, const struct proof *proof,
                        const struct gate *gate, struct refusal *refusal)
{
    struct sas_token token;
    struct picket_device_identity device;
    memset(identity, 0, sizeof *identity);
    refusal->device_is_known = false;
    if (!read_client_id(identity, proof->connect->client_id, refusal) ||
        !check_user_name(identity, proof->connect, gate->host_name, refusal))
        return false;
    if (proof->certificate == NULL && !has_password(proof))
        return refuse(refusal, ENDING_NO_PASSWORD, MQTT_NOT_AUTHORIZED,
                      "refused: no password, which is to be a SAS token, and no certificate");
    /* Nobody reads the disk for a token that cannot be good. */
    if (proof->certificate == NULL && !read_token(&token, identity, proof, gate, refusal))
        return false;
    if (!find_device(&device, identity->device, gate->registry, refusal))
        return false;
    bool good = check_device(identity, proof, &device, gate, refusal);
    OPENSSL_cleanse(&device, sizeof device);
    return good;
}

#include "identity.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
    if (!device->enabled)
        return refuse(refusal, ENDING_DISABLED_DEVICE, MQTT_NOT_AUTHORIZED,
                      "refused: the device is disabled");
    return true;
}

static bool is_signed_by(const struct sas_token *token, const struct picket_device_identity *device)
{
    return sas_is_signed_with(token, device->primary_key, device->primary_key_bytes) ||
           sas_is_signed_with(token, device->secondary_key, device->secondary_key_bytes);
}

/* Registry first, signature second, expiry last: "expired" is then said of genuine tokens only, and
 * means that a clock or a renewal is wrong, not that somebody guesses. */
static bool check_token(struct identity *identity, const struct sas_token *token,
                        const char *host_name, const struct hub_registry *registry, int64_t now_s,
                        struct refusal *refusal)
{
    struct picket_device_identity device;
    if (token->policy.size > 0)
        return refuse(
            refusal, ENDING_WRONG_SCOPE, MQTT_NOT_AUTHORIZED,
            "refused: SAS token names a shared access policy (skn); a device's own key is "
            "expected");
    if (!sas_covers(token, host_name, identity->device, identity->module))
        return refuse(refusal, ENDING_WRONG_SCOPE, MQTT_NOT_AUTHORIZED,
                      "refused: SAS token is for another resource than %s/devices/%s%s%s",
                      host_name, identity->device, identity->module[0] != '\0' ? "/modules/" : "",
                      identity->module);
    if (!find_device(&device, identity->device, registry, refusal))
        return false;
    bool genuine = is_signed_by(token, &device);
    OPENSSL_cleanse(&device, sizeof device);
    if (!genuine)
        return refuse(refusal, ENDING_WRONG_SIGNATURE, MQTT_NOT_AUTHORIZED,
                      "refused: SAS signature matches neither of the device's keys");
    if (token->expires_s <= now_s)
        return refuse(refusal, ENDING_TOKEN_EXPIRED, MQTT_NOT_AUTHORIZED,
                      "refused: SAS token expired %lld s ago",
                      (long long)(now_s - token->expires_s));
    identity->expires_s = token->expires_s;
    return true;
}

bool identity_establish(struct identity *identity, const struct mqtt_connect *connect,
                        const char *host_name, const struct hub_registry *registry, int64_t now_s,
                        struct refusal *refusal)
{
    struct sas_token token;
    memset(identity, 0, sizeof *identity);
    if (!read_client_id(identity, connect->client_id, refusal) ||
        !check_user_name(identity, connect, host_name, refusal))
        return false;
    if (!connect->has_password || connect->password.size == 0)
        return refuse(refusal, ENDING_NO_PASSWORD, MQTT_NOT_AUTHORIZED,
                      "refused: no password; a SAS token is expected");
    const char *wrong = sas_parse(&token, connect->password);
    if (wrong != NULL)
        return refuse(refusal, ENDING_WRONG_TOKEN, MQTT_NOT_AUTHORIZED, "refused: SAS token: %s",
                      wrong);
    return check_token(identity, &token, host_name, registry, now_s, refusal);
}

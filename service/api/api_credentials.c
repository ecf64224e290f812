/* /v1/devices/{id}/rotate: new keys and thumbprints without a gap, one of the two at a time. */
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>

#include "api_internal.h"
#include "picket/base/diagnostics.h"

/* Read, changed and written back: by one request at a time. */
static pthread_mutex_t rotating = PTHREAD_MUTEX_INITIALIZER;

enum which { PRIMARY, SECONDARY, SWAP };

struct rotation {
    enum which which;
    const char *authentication; /* that the caller takes the device to have; NULL: any */
    bool has_thumbprint;        /* with size 0: it goes */
    struct picket_thumbprint thumbprint;
    uint8_t key[PICKET_KEY_BYTES_MAX];
    size_t key_bytes; /* 0: a new one is made */
};

/* ---- what is asked for ---- */

static int parse_which(const json_t *body, enum which *which, struct picket_error *error)
{
    const char *text = NULL;
    int status = api_member_text(body, "which", true, &text, error);
    if (status != PICKET_OK)
        return status;
    if (!api_listed("primary secondary swap", text))
        return picket_fail(error, PICKET_INVALID,
                           "which: \"%.60s\" is none of primary, secondary, swap", text);
    *which = text[0] == 'p' ? PRIMARY : text[1] == 'e' ? SECONDARY : SWAP;
    return PICKET_OK;
}

static int parse_rotation(const json_t *body, struct rotation *rotation, struct picket_error *error)
{
    memset(rotation, 0, sizeof *rotation);
    int status = parse_which(body, &rotation->which, error);
    if (status == PICKET_OK)
        status = api_member_key(body, "key", rotation->key, &rotation->key_bytes, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "authentication", false, &rotation->authentication, error);
    if (status == PICKET_OK && rotation->authentication != NULL &&
        !api_listed("sas thumbprint", rotation->authentication))
        status = picket_fail(error, PICKET_INVALID,
                             "authentication: \"%.60s\" is none of sas, thumbprint",
                             rotation->authentication);
    const json_t *thumbprint = json_object_get(body, "thumbprint");
    rotation->has_thumbprint = thumbprint != NULL;
    if (status == PICKET_OK && !json_is_null(thumbprint))
        status = api_member_thumbprint(body, "thumbprint", &rotation->thumbprint, error);
    if (status == PICKET_OK && rotation->which == SWAP &&
        (rotation->key_bytes > 0 || rotation->has_thumbprint))
        status = picket_fail(error, PICKET_INVALID, "swap takes neither key nor thumbprint");
    return status;
}

/* ---- doing it ---- */

static void swap_bytes(void *one, void *other, size_t size_bytes)
{
    uint8_t *a = one, *b = other;
    for (size_t i = 0; i < size_bytes; i++) {
        uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static void swap(struct picket_device_identity *device)
{
    swap_bytes(device->primary_key, device->secondary_key, sizeof device->primary_key);
    swap_bytes(&device->primary_key_bytes, &device->secondary_key_bytes,
               sizeof device->primary_key_bytes);
    swap_bytes(&device->primary_thumbprint, &device->secondary_thumbprint,
               sizeof device->primary_thumbprint);
}

static int replace_key(struct picket_device_identity *device, struct rotation *rotation,
                       struct picket_error *error)
{
    int status = api_make_key(rotation->key, &rotation->key_bytes, error);
    if (status != PICKET_OK)
        return status;
    bool primary = rotation->which == PRIMARY;
    memcpy(primary ? device->primary_key : device->secondary_key, rotation->key,
           sizeof rotation->key);
    *(primary ? &device->primary_key_bytes : &device->secondary_key_bytes) = rotation->key_bytes;
    return PICKET_OK;
}

static bool is_as_expected(const struct picket_device_identity *device,
                           const struct rotation *rotation)
{
    return rotation->authentication == NULL ||
           strcmp(rotation->authentication, picket_authentication_name(device->authentication)) ==
               0;
}

static int change(struct picket_device_identity *device, struct rotation *rotation,
                  struct picket_error *error)
{
    switch (device->authentication) {
    case PICKET_AUTHENTICATION_SAS:
        if (rotation->has_thumbprint || !is_as_expected(device, rotation))
            return picket_fail(error, PICKET_INVALID, "device %s: has keys, not thumbprints",
                               device->id);
        break;
    case PICKET_AUTHENTICATION_THUMBPRINT:
        if (rotation->key_bytes > 0 || !is_as_expected(device, rotation))
            return picket_fail(error, PICKET_INVALID, "device %s: has thumbprints, not keys",
                               device->id);
        if (rotation->which != SWAP && !rotation->has_thumbprint)
            return picket_fail(error, PICKET_INVALID,
                               "device %s: has thumbprints, not keys: \"thumbprint\" is expected",
                               device->id);
        break;
    default:
        return picket_fail(error, PICKET_INVALID,
                           "device %s: is known by its CA: it has neither keys nor thumbprints",
                           device->id);
    }
    if (rotation->which == SWAP)
        swap(device);
    else if (!rotation->has_thumbprint)
        return replace_key(device, rotation, error);
    else if (rotation->which == PRIMARY)
        device->primary_thumbprint = rotation->thumbprint;
    else
        device->secondary_thumbprint = rotation->thumbprint;
    return PICKET_OK;
}

static int rotate(struct picket_api *api, const char *id, struct rotation *rotation,
                  struct picket_device_identity *device, struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    pthread_mutex_lock(&rotating);
    int status = picket_store_device_get(store, id, device, error);
    if (status == PICKET_OK)
        status = change(device, rotation, error);
    if (status == PICKET_OK)
        status = picket_store_device_set_credentials(store, device, error);
    pthread_mutex_unlock(&rotating);
    api_store_return(api, store);
    return status;
}

/* ---- the answer ---- */

static const char *const names[] = {"primary", "secondary", "swap"};

/* The connection string has the key that is new: that is what now goes to the device. */
static json_t *rotated_json(const struct picket_api *api, const struct rotation *rotation,
                            struct picket_device_identity *device)
{
    json_t *object = json_pack("{s:o, s:s, s:s}", "id", api_json_text(device->id), "rotated",
                               names[rotation->which], "authentication",
                               picket_authentication_name(device->authentication));
    api_add_credentials(object, api, device);
    if (rotation->which == SECONDARY && device->authentication == PICKET_AUTHENTICATION_SAS) {
        json_t *with_secondary = json_object();
        swap(device);
        api_add_credentials(with_secondary, api, device);
        json_object_set(object, "connection_string",
                        json_object_get(with_secondary, "connection_string"));
        json_decref(with_secondary);
    }
    return object;
}

void api_credentials_rotate(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_device_identity device = {0};
    struct rotation rotation;
    if (parse_rotation(request->body, &rotation, &error) == PICKET_OK &&
        rotate(request->api, request->argument, &rotation, &device, &error) == PICKET_OK) {
        api_tell_hub(request->api, request->argument);
        picket_say(PICKET_NOTICE, "service", "device %s: credentials rotated: %s",
                   request->argument, names[rotation.which]);
        api_answer_json(answer, 200, rotated_json(request->api, &rotation, &device));
    } else {
        api_answer_error(answer, &error);
    }
    OPENSSL_cleanse(&device, sizeof device);
    OPENSSL_cleanse(&rotation, sizeof rotation);
}

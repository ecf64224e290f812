/* Client id, user name and password as an unauthenticated peer may send them: three fields,
 * separated by NUL. No input may pass: the registry's key is unknown to the fuzzer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "identity/sas.h"
#include "identity/user_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int find(void *context, const char *id, struct picket_device_identity *device,
                struct picket_error *error)
{
    (void)context;
    (void)id;
    (void)error;
    memset(device, 0, sizeof *device);
    device->enabled = true;
    memset(device->primary_key, 0x5A, PICKET_KEY_BYTES_MAX);
    device->primary_key_bytes = PICKET_KEY_BYTES_MAX;
    return PICKET_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct mqtt_connect connect = {.supported = true, .has_user_name = true, .has_password = true};
    connect.client_id = slice_cut(&rest, '\0');
    connect.user_name = slice_cut(&rest, '\0');
    connect.password = rest;
    struct hub_registry registry = {find, NULL, NULL, NULL};
    struct admission nobody = {0};
    struct identity identity;
    struct refusal refusal;
    const struct proof proof = {.connect = &connect};
    const struct gate gate = {.host_name = "hub.example",
                              .registry = &registry,
                              .admission = &nobody,
                              .now_s = 1700000000};
    if (identity_establish(&identity, &proof, &gate, &refusal))
        abort();
    /* The parsers by themselves too: above, an early refusal spares the later ones. */
    struct user_name name;
    struct sas_token token;
    user_name_parse(&name, connect.user_name);
    if (sas_parse(&token, connect.password) == NULL) {
        sas_covers(&token, "hub.example", "pump-7", "");
        sas_covers(&token, "hub.example", "pump-7", "vision");
    }
    return 0;
}

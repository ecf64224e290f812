/* What the port uses of the hub client, declared as there; contract.c holds both to it. */
#ifndef NX_AZURE_IOT_HUB_CLIENT_H
#define NX_AZURE_IOT_HUB_CLIENT_H

#include "nx_azure_iot.h"

#define NX_AZURE_IOT_HUB_CLIENT_STATUS_NOT_CONNECTED 0
#define NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED     2

typedef struct {
    uint8_t *ptr;
    int32_t size;
} az_span;

static inline uint8_t *az_span_ptr(az_span span)
{
    return span.ptr;
}

static inline int32_t az_span_size(az_span span)
{
    return span.size;
}

typedef struct {
    struct {
        az_span iot_hub_hostname;
        az_span device_id;
    } _internal;
} az_iot_hub_client;

typedef struct NX_AZURE_IOT_HUB_CLIENT_STRUCT {
    NX_AZURE_IOT *nx_azure_iot_ptr;
    UINT nx_azure_iot_hub_client_state;
    NX_AZURE_IOT_RESOURCE nx_azure_iot_hub_client_resource;
    az_iot_hub_client iot_hub_client_core;
} NX_AZURE_IOT_HUB_CLIENT;

UINT nx_azure_iot_hub_client_telemetry_message_create(NX_AZURE_IOT_HUB_CLIENT *hub_client_ptr,
                                                      NX_PACKET **packet_pptr, UINT wait_option);
UINT nx_azure_iot_hub_client_telemetry_message_delete(NX_PACKET *packet_ptr);
UINT nx_azure_iot_hub_client_device_twin_reported_properties_send(
    NX_AZURE_IOT_HUB_CLIENT *hub_client_ptr, const UCHAR *message_buffer, UINT message_length,
    UINT *request_id_ptr, UINT *response_status_ptr, ULONG *version_ptr, UINT wait_option);

#endif

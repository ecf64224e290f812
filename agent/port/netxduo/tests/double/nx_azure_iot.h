/* What the port uses of the Azure IoT middleware, of its cloud thread and of its MQTT client,
 * declared as there; contract.c holds both to it. */
#ifndef NX_AZURE_IOT_H
#define NX_AZURE_IOT_H

#include "nx_api.h"

#define NX_AZURE_IOT_SUCCESS           0x0
#define NX_AZURE_IOT_FAILURE           0x20000
#define NX_AZURE_IOT_INVALID_PARAMETER 0x20002
#define NX_AZURE_IOT_DISCONNECTED      0x2000C
#define NX_AZURE_IOT_RESOURCE_IOT_HUB  0x1
#define NX_AZURE_IOT_MQTT_QOS_1        1
#define NXD_MQTT_COMMUNICATION_FAILURE 0x10007

#define NX_CLOUD_COMMON_PERIODIC_EVENT 0x00000001u

typedef struct NX_CLOUD_MODULE_STRUCT {
    VOID(*nx_cloud_module_process)
    (VOID *module_context, ULONG common_events, ULONG module_own_events);
    VOID *nx_cloud_module_context;
} NX_CLOUD_MODULE;

typedef struct NX_CLOUD_STRUCT {
    TX_MUTEX nx_cloud_mutex;
    NX_CLOUD_MODULE *nx_cloud_modules_list_header;
} NX_CLOUD;

UINT nx_cloud_module_register(NX_CLOUD *cloud_ptr, NX_CLOUD_MODULE *module_ptr,
                              const CHAR *module_name, ULONG module_event,
                              VOID (*module_process)(VOID *module_context, ULONG common_events,
                                                     ULONG module_own_events),
                              VOID *module_context);
UINT nx_cloud_module_deregister(NX_CLOUD *cloud_ptr, NX_CLOUD_MODULE *module_ptr);

typedef struct NX_SECURE_TLS_SESSION_STRUCT {
    UCHAR nx_secure_tls_local_session_active;
} NX_SECURE_TLS_SESSION;

typedef struct NXD_MQTT_CLIENT_STRUCT {
    UINT nxd_mqtt_clean_session;
    NX_TCP_SOCKET nxd_mqtt_client_socket;
    struct NXD_MQTT_CLIENT_STRUCT *nxd_mqtt_client_next;
    NX_PACKET *DOUBLE_SHARED message_transmit_queue_head;
    VOID(*nxd_mqtt_ack_receive_notify)
    (struct NXD_MQTT_CLIENT_STRUCT *client_ptr, UINT type, USHORT packet_id,
     NX_PACKET *transmit_packet_ptr, VOID *context);
    NX_SECURE_TLS_SESSION nxd_mqtt_tls_session;
} NXD_MQTT_CLIENT;

typedef struct NX_AZURE_IOT_RESOURCE_STRUCT {
    UINT resource_type;
    VOID *resource_data_ptr;
    NXD_MQTT_CLIENT resource_mqtt;
    struct NX_AZURE_IOT_RESOURCE_STRUCT *resource_next;
} NX_AZURE_IOT_RESOURCE;

typedef struct NX_AZURE_IOT_STRUCT {
    NX_CLOUD nx_azure_iot_cloud;
    TX_MUTEX *nx_azure_iot_mutex_ptr;
    NX_AZURE_IOT_RESOURCE *nx_azure_iot_resource_list_header;
    UINT (*nx_azure_iot_unix_time_get)(ULONG *unix_time);
} NX_AZURE_IOT;

UINT nx_azure_iot_publish_mqtt_packet(NXD_MQTT_CLIENT *client_ptr, NX_PACKET *packet_ptr,
                                      UINT topic_len, UCHAR *packet_id, UINT qos, UINT wait_option);
#ifdef DOUBLE_NETXDUO_6_1_0
UINT nx_azure_iot_mqtt_packet_id_get(NXD_MQTT_CLIENT *client_ptr, UCHAR *packet_id,
                                     UINT wait_option);
#else
UINT nx_azure_iot_mqtt_packet_id_get(NXD_MQTT_CLIENT *client_ptr, UCHAR *packet_id);
#endif

#endif

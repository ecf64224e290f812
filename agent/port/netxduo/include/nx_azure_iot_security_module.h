/* The calls of the security module that NetX Duo had until 6.3.0, with the same names, so that
 * firmware compiles unchanged. From 6.4.0 on nx_azure_iot_create() no longer makes the first.
 *
 * Needs NX_ENABLE_IP_PACKET_FILTER. Thread: any, not an interrupt.
 */
#ifndef NX_AZURE_IOT_SECURITY_MODULE_H
#define NX_AZURE_IOT_SECURITY_MODULE_H

#include "nx_azure_iot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the micro-agent on the middleware's cloud thread. Its messages go out through every hub
 * client that is connected, once for each host and device. NX_AZURE_IOT_SUCCESS, also if it is
 * enabled already with this instance; NX_AZURE_IOT_INVALID_PARAMETER: no instance, or enabled with
 * another; NX_AZURE_IOT_FAILURE: the cloud thread does not take it. */
UINT nx_azure_iot_security_module_enable(NX_AZURE_IOT *nx_azure_iot_ptr);

/* Ends it, and leaves no trace. NULL stands for the instance it was enabled with.
 * NX_AZURE_IOT_SUCCESS, also if it is not enabled; NX_AZURE_IOT_INVALID_PARAMETER: enabled with
 * another instance; NX_AZURE_IOT_FAILURE: the cloud thread does not let go of it. */
UINT nx_azure_iot_security_module_disable(NX_AZURE_IOT *nx_azure_iot_ptr);

#ifdef __cplusplus
}
#endif

#endif

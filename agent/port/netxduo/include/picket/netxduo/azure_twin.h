/* Configures the agent by the device twin of the Azure IoT middleware. The application owns the twin: it
 * asks for the document, is told of changes, and hands both over.
 *
 *     nx_azure_iot_hub_client_device_twin_properties_receive(client, &packet, wait);       whole document
 *     nx_azure_iot_hub_client_device_twin_desired_properties_receive(client, &packet, wait);   a change
 *     picket_netxduo_desired_properties_apply(client, packet, wait);
 *
 * Names and values are those of picket/agent/properties.h; all others are left alone.
 */
#ifndef PICKET_NETXDUO_AZURE_TWIN_H
#define PICKET_NETXDUO_AZURE_TWIN_H

#include "nx_azure_iot_hub_client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Applies what the packet, a JSON document, says of the agent, after sending what is unsent; then answers
 * each property in the reported ones, as {"value":…,"ac":200,"av":version}, with ac 400 for a value that
 * cannot be. A property that is null goes back to what the agent was started with, and from the reported
 * ones. The packet stays the caller's.
 * NX_AZURE_IOT_SUCCESS; NX_NOT_ENABLED: the agent does not run; NX_AZURE_IOT_INVALID_PARAMETER: no JSON
 * object, and nothing was applied beyond where it ends; or how the first answer failed, everything being
 * applied then: what sending it returned, or NX_AZURE_IOT_FAILURE: the hub refused it.
 * Thread: the application's, which may wait for wait_option ticks for each answer's acknowledgement.
 * NX_AZURE_IOT_NO_PACKET: none came in that time, as always with NX_NO_WAIT, though the answer went out; from
 * 6.2 on the middleware returns that for an answer refused, too, after wait_option. */
UINT picket_netxduo_desired_properties_apply(NX_AZURE_IOT_HUB_CLIENT *client, NX_PACKET *packet,
                                             UINT wait_option);

#ifdef __cplusplus
}
#endif

#endif

/* A device with the Azure IoT middleware of NetX Duo: the agent is the second call. Its messages go
 * out through the hub clients that the device has anyway. */
#include "nx_azure_iot_security_module.h"
#include "picket/netxduo/netxduo.h"

UINT example_azure_iot(NX_AZURE_IOT *azure, NX_IP *ip, NX_PACKET_POOL *pool, NX_DNS *dns,
                       UINT (*unix_time_get)(ULONG *unix_time))
{
    static ULONG stack[2048 / sizeof(ULONG)];
    UINT status = nx_azure_iot_create(azure, (const UCHAR *)"Azure IoT", ip, pool, dns, stack,
                                      sizeof stack, 4, unix_time_get);
    if (status != NX_AZURE_IOT_SUCCESS)
        return status;
    picket_netxduo_identity_set("Contoso Pump 7, firmware 1.4.2"); /* may be left out */
    return nx_azure_iot_security_module_enable(azure);
}

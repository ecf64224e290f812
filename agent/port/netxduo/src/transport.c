/* The agent with a way out of the application's own. */
#include "device.h"

static bool connected(void *context)
{
    (void)context;
    return picket_device_transport->connected(picket_device_transport->context);
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    (void)context;
    return picket_device_transport->send(picket_device_transport->context, message);
}

static enum picket_send_result delivered(void *context)
{
    (void)context;
    return picket_device_transport->delivered(picket_device_transport->context);
}

static const struct picket_agent_config defaults = PICKET_DEVICE_CONFIG(connected, send, delivered);

VOID picket_netxduo_config_defaults(struct picket_agent_config *config)
{
    *config = defaults;
}

/* config: valid. */
static UINT start(const struct picket_agent_config *config,
                  const struct picket_netxduo_transport *transport,
                  UINT (*unix_time_get)(ULONG *unix_time))
{
    if (transport == NULL || transport->connected == NULL || transport->send == NULL)
        return NX_PTR_ERROR;
    return picket_device_start(config, transport, unix_time_get);
}

UINT picket_netxduo_start_with(const struct picket_agent_config *config,
                               const struct picket_netxduo_transport *transport,
                               UINT (*unix_time_get)(ULONG *unix_time))
{
    if (!picket_agent_config_valid(config))
        return NX_INVALID_PARAMETERS;
    return start(config, transport, unix_time_get);
}

/* What the options say is checked when they are compiled. */
UINT picket_netxduo_start(const struct picket_netxduo_transport *transport,
                          UINT (*unix_time_get)(ULONG *unix_time))
{
    return start(&defaults, transport, unix_time_get);
}

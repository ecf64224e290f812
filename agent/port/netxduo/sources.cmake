# All files of the agent for a device, in paths from the top of Picket. An IDE's project lists the same:
# these sources, these include folders, and as preprocessor symbols
# PICKET_AGENT_OPTIONS_FILE="picket/netxduo/options.h" and, so that the encoder is without what the agent is
# without, PICKET_WIRE_OPTIONS_FILE="picket/agent/wire_options.h".
set(PICKET_NETXDUO_SOURCES
    wire/encoder.c
    agent/src/agent.c
    agent/src/collect_heartbeat.c
    agent/src/collect_listening_ports.c
    agent/src/collect_network_activity.c
    agent/src/collect_system_information.c
    agent/src/configure.c
    agent/src/count.c
    agent/src/flow_table.c
    agent/src/poll.c
    agent/src/properties.c
    agent/src/report.c
    agent/src/schedule.c
    agent/port/netxduo/src/device.c
    agent/port/netxduo/src/features.c
    agent/port/netxduo/src/instances.c
    agent/port/netxduo/src/ports.c
    agent/port/netxduo/src/seed.c
    agent/port/netxduo/src/transport.c
    agent/port/netxduo/src/watch.c)

# With the Azure IoT middleware.
set(PICKET_NETXDUO_AZURE_SOURCES
    agent/port/netxduo/src/azure.c
    agent/port/netxduo/src/azure_twin.c)

set(PICKET_NETXDUO_FOLDERS
    wire/include
    agent/include
    agent/port/netxduo/include)

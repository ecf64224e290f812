#include "usage.h"

#define AGENT_OPTIONS                                                                              \
    "  --high S, --medium S, --low S   seconds between reports of a priority: network activity "   \
    "is\n"                                                                                         \
    "                        high (10), system information and heartbeat are low (60)\n"           \
    "  --first-delay MIN-MAX seconds before the first report, at random between the two (30-90)\n" \
    "  --ipv4-flows N        flows of a report, at most (2048); what exceeds them is reported "    \
    "as\n"                                                                                         \
    "  --ipv6-flows N        lost (1024)\n"                                                        \
    "  --multicast           count inbound multicast and broadcast, too\n"                         \
    "  --empty-events        report an interval without a flow, too\n"                             \
    "  --module-id ID        the agent's name in its messages (picket-agent)\n"

const char usage[] =
    "picket-agent counts this machine's traffic by flow and reports it to a Picket or Azure IoT "
    "hub.\n"
    "\n"
    "Usage:\n"
    "  picket-agent run --connection-string STRING [option...]      capture and report\n"
    "  picket-agent replay FILE --local ADDRESS... [option...]      the same, on a capture file\n"
    "  picket-agent run --help | replay --help | --version\n"
    "\n"
    "Exit code: 0 done, 1 failed, 2 the command line is wrong.\n";

const char usage_run[] =
    "picket-agent run: captures this machine's packets, counts them by flow, and reports the "
    "flows,\n"
    "the system and heartbeats to a hub, over MQTT and TLS like any device. Needs root or the\n"
    "capability CAP_NET_RAW. Ends on SIGINT or SIGTERM, after it has delivered what it has.\n"
    "\n"
    "  picket-agent run --connection-string STRING [option...]\n"
    "\n"
    "Where to report to\n"
    "  --connection-string 'HostName=...;DeviceId=...;SharedAccessKey=...'\n"
    "  --connection-string-file FILE   the same, from a file's first line\n"
    "  (neither)             the same, from the environment: PICKET_CONNECTION_STRING\n"
    "                        What stands on a command line is seen by every user of the machine.\n"
    "  --port N              of the hub (8883)\n"
    "  --ca FILE             certificates, PEM, that may vouch for the hub (those of the system)\n"
    "  --token-life S        life of the access token; it is renewed before (3600)\n"
    "\n"
    "What to count\n"
    "  --interface NAME      capture there; repeat it for several. By default: every interface\n"
    "                        that is up and has an address, but loopback\n"
    "  --local ADDRESS[/LENGTH]  is this device's, too; repeat it for several. The addresses of\n"
    "                        the interfaces are known\n"
    "\n"
    "How to report\n" AGENT_OPTIONS
    "  --verbose             say more: each message sent, each interface taken\n"
    "  --help                this text\n"
    "\n"
    "Exit code: 0 ended by a signal, 1 failed, 2 the command line is wrong.\n";

const char usage_replay[] =
    "picket-agent replay: hands the packets of a capture file (pcap or pcapng) to the agent in "
    "capture\n"
    "time. Flows go to standard output, statistics to standard error.\n"
    "\n"
    "  picket-agent replay FILE --local ADDRESS[/LENGTH]... [option...]\n"
    "\n"
    "  --local ADDRESS[/LENGTH]  is the device's; repeat it for several. A packet whose ends are\n"
    "                        both local counts as sent by its source: with 0.0.0.0/0 and ::/0\n"
    "                        flows are as seen, each direction its own\n"
    "  --flows csv           print all flows of the capture, with a table as large as it takes\n"
    "  --messages DIRECTORY  write each security message that the agent would send, with the\n"
    "                        intervals and tables below, to DIRECTORY/message-000001.bin and on\n"
    "  --json                statistics as one JSON object\n"
    "  --seed N              the same random numbers (event ids, first delay) at each replay\n"
    "\n"
    "For --messages, as for picket-agent run\n" AGENT_OPTIONS "  --help                this text\n"
    "\n"
    "Exit code: 0 done, 1 the file could not be read to its end (what could be is used) or a "
    "message\n"
    "not be written, 2 the command line is wrong.\n";

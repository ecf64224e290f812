#include "usage.h"

#define AGENT_OPTIONS                                                                              \
    "  --high S, --medium S, --low S\n"                                                            \
    "                     seconds between reports of a priority: network activity\n"               \
    "                     is high (10), all other collectors low (60)\n"                           \
    "  --first-delay MIN-MAX\n"                                                                    \
    "                     seconds before the first report, at random between the\n"                \
    "                     two (30-90)\n"                                                           \
    "  --ipv4-flows N     flows of a report, at most (2048); what exceeds them is\n"               \
    "  --ipv6-flows N     reported as lost (1024)\n"                                               \
    "  --multicast        count inbound multicast and broadcast, too\n"                            \
    "  --empty-events     report an interval without a flow, too\n"                                \
    "  --module-id ID     the agent's name in its messages (picket-agent)\n"

const char usage[] =
    "picket-agent counts this machine's traffic by flow and reports it to a Picket\n"
    "or Azure IoT hub.\n"
    "\n"
    "Usage:\n"
    "  picket-agent run --connection-string-file FILE [OPTION...]\n"
    "                     capture and report\n"
    "  picket-agent replay FILE --local ADDRESS... [OPTION...]\n"
    "                     the same, on a capture file\n"
    "  picket-agent run --help | replay --help | --version\n"
    "\n"
    "Exit code: 0 done, 1 failed, 2 the command line is wrong.\n";

const char usage_run[] =
    "Usage: picket-agent run --connection-string-file FILE [OPTION...]\n"
    "\n"
    "Captures this machine's packets, counts them by flow, and reports the flows,\n"
    "the system and heartbeats to a hub, over MQTT and TLS like any device. Needs\n"
    "root or the capability CAP_NET_RAW. Ends on SIGINT or SIGTERM, after it has\n"
    "delivered what it has.\n"
    "\n"
    "Where to report to\n"
    "  --connection-string-file FILE\n"
    "                     HostName=...;DeviceId=...;SharedAccessKey=... in its first\n"
    "                     line\n"
    "  --connection-string STRING\n"
    "                     the same; every user of the machine can see it there\n"
    "  (neither)          the same, from the environment: PICKET_CONNECTION_STRING\n"
    "  --port N           of the hub (8883)\n"
    "  --ca FILE          certificates, PEM, that may vouch for the hub (those of the\n"
    "                     system)\n"
    "  --token-life S     life of the access token; it is renewed before (3600)\n"
    "\n"
    "What to count\n"
    "  --interface NAME   capture there; repeat it for several. By default: every\n"
    "                     interface that is up and has an address, but loopback\n"
    "  --local ADDRESS[/LENGTH]\n"
    "                     is this device's, too; repeat it for several. The addresses\n"
    "                     of the interfaces are known\n"
    "\n"
    "How to report\n" AGENT_OPTIONS
    "  --verbose          say more: each message sent, each interface taken\n"
    "  --help             print this\n"
    "\n"
    "Exit code: 0 ended by a signal, 1 failed, 2 the command line is wrong.\n"
    "\n"
    "  picket-agent run --connection-string-file pump-7.txt --ca ca.crt\n"
    "  picket-agent run --connection-string-file pump-7.txt --interface eth1 \\\n"
    "      --local 10.20.0.0/16\n";

const char usage_replay[] =
    "Usage: picket-agent replay FILE --local ADDRESS[/LENGTH]... [OPTION...]\n"
    "\n"
    "Hands the packets of a capture file (pcap or pcapng) to the agent in capture\n"
    "time. Flows go to standard output, statistics to standard error.\n"
    "\n"
    "  --local ADDRESS[/LENGTH]\n"
    "                     is the device's; repeat it for several. A packet whose ends\n"
    "                     are both local counts as sent by its source: with 0.0.0.0/0\n"
    "                     and ::/0 flows are as seen, each direction its own\n"
    "  --flows csv        print all flows of the capture, with a table as large as it\n"
    "                     takes\n"
    "  --messages DIRECTORY\n"
    "                     write each security message that the agent would send, with\n"
    "                     the intervals and tables below, to\n"
    "                     DIRECTORY/message-000001.bin and on\n"
    "  --json             statistics as one JSON object\n"
    "  --seed N           the same random numbers (event ids, first delay) at each\n"
    "                     replay\n"
    "\n"
    "For --messages, as for picket-agent run\n" AGENT_OPTIONS
    "  --help             print this\n"
    "\n"
    "Exit code: 0 done, 1 the file could not be read to its end (what could be is\n"
    "used) or a message not be written, 2 the command line is wrong.\n"
    "\n"
    "  picket-agent replay pump.pcap --local 10.0.0.7 --flows csv\n"
    "  picket-agent replay pump.pcap --local 10.0.0.7 --messages out\n";

/* Tables that overflow, and seconds instead of minutes. */
#ifndef INTERLEAVING_OPTIONS_H
#define INTERLEAVING_OPTIONS_H

#define PICKET_AGENT_IPV4_FLOWS                  10
#define PICKET_AGENT_IPV6_FLOWS                  10
#define PICKET_AGENT_RESERVE_FLOWS               4
#define PICKET_AGENT_BUCKETS                     4
#define PICKET_AGENT_FIRST_DELAY_MIN_S           0
#define PICKET_AGENT_FIRST_DELAY_MAX_S           2
#define PICKET_AGENT_HIGH_INTERVAL_S             1
#define PICKET_AGENT_MEDIUM_INTERVAL_S           2
#define PICKET_AGENT_LOW_INTERVAL_S              3
#define PICKET_AGENT_SEND_RETRY_S                1
#define PICKET_AGENT_PENDING_TIME_S              2
#define PICKET_AGENT_DELIVERY_TIMEOUT_S          100000 /* what arrives later than that is said twice */
#define PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S 1

#endif

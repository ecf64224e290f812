/* Why a connection ended: one word, one counter and one rate limit for the log line each.
 * Thread: the counters' are any; the limits belong to the hub's thread. */
#ifndef PICKET_HUB_ENDING_H
#define PICKET_HUB_ENDING_H

enum ending {
    ENDING_NONE,
    ENDING_BY_DEVICE, /* DISCONNECT */
    ENDING_LOST,      /* the peer closed or the network failed */
    ENDING_KEEP_ALIVE,
    ENDING_TOKEN_EXPIRED_LATER, /* during the connection */
    ENDING_CERTIFICATE_EXPIRED_LATER,
    ENDING_TAKEN_OVER,
    ENDING_DEVICE_CHANGED,
    ENDING_FILTERED,
    ENDING_STOPPED,
    /* Faults of a device that is known. */
    ENDING_MALFORMED,
    ENDING_FOREIGN_TOPIC,
    ENDING_QOS_2,
    ENDING_TOO_LARGE,
    ENDING_STALLED,
    ENDING_SLOW,
    ENDING_TLS,
    ENDING_NO_MEMORY,
    /* Before a device is known. */
    ENDING_HANDSHAKE,
    ENDING_NO_CONNECT,
    ENDING_EVICTED,
    /* CONNECT refused. */
    ENDING_WRONG_PROTOCOL,
    ENDING_WRONG_CLIENT_ID,
    ENDING_WRONG_USER_NAME,
    ENDING_WRONG_HOST,
    ENDING_WRONG_WILL,
    ENDING_NO_PASSWORD,
    ENDING_WRONG_TOKEN,
    ENDING_WRONG_SCOPE,
    ENDING_TOKEN_EXPIRED,
    ENDING_WRONG_SIGNATURE,
    ENDING_NO_CERTIFICATE,
    ENDING_WRONG_CERTIFICATE,
    ENDING_WRONG_THUMBPRINT,
    ENDING_CERTIFICATE_EXPIRED,
    ENDING_CERTIFICATE_EARLY,
    ENDING_UNKNOWN_CA,
    ENDING_WRONG_COMMON_NAME,
    ENDING_UNKNOWN_DEVICE,
    ENDING_DISABLED_DEVICE,
    ENDING_REGISTRY_FAILED,
    ENDING_HELD_OFF,
    ENDING_TOO_MANY_OF_DEVICE,
    ENDING_COUNT
};

/* So that each shows as 0 from the start. */
void ending_register_counters(void);

/* Its counter's name. */
const char *ending_name(enum ending ending);

/* Counts it and says, limited per ending: "WHO: SENTENCE". */
void ending_report(enum ending ending, const char *who, const char *sentence);

#endif

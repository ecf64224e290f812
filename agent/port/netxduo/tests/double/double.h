/* A stack that a test turns by hand: NX_IP instances that exist, packets that pass them, hub
 * clients that take messages or do not. It does to a packet what the real stack does around its
 * hooks, and nothing else. */
#ifndef DOUBLE_H
#define DOUBLE_H

#include <stdbool.h>

#include "nx_azure_iot_hub_client.h"
#include "nx_ip.h"

enum { DOUBLE_MESSAGES_MAX = 16, DOUBLE_PACKET_BYTES_MAX = 16384 };

struct double_message {
    const NXD_MQTT_CLIENT *client;
    size_t topic_bytes;
    size_t size_bytes;                    /* of the payload */
    UCHAR bytes[DOUBLE_PACKET_BYTES_MAX]; /* topic, then payload */
};

struct double_token {
    UINT type; /* NX_AZURE_IOT_READER_TOKEN_… */
    const char *text;
};

extern struct double_state {
    ULONG ticks;
    UINT posture;           /* of interrupts; TX_INT_DISABLE: off */
    TX_THREAD *thread;      /* the one that runs */
    void (*sleeping)(void); /* runs within tx_thread_sleep() */
    int random;             /* what NX_RAND says, always */

    ULONG delivered; /* packets that reached the stack */
    ULONG *refuses;  /* the counter that the next inbound packet counts up; NULL: taken */
    ULONG sent;      /* outbound packets that no filter refused */

    bool no_packets;          /* the pool is empty */
    ULONG packets_left;       /* in the pool, as it says itself */
    unsigned appends_left;    /* then the pool is empty; 0: any number */
    UINT create_status;       /* what making a message returns */
    UINT packet_id_status;    /* what asking for an identifier returns */
    UINT publish_status;      /* what the next publishing returns */
    void (*publishing)(void); /* runs within it, before */
    bool hub_is_silent;       /* acknowledges nothing; otherwise each message at once */
    bool registering_fails;
    bool deregistering_fails;
    struct double_message messages[DOUBLE_MESSAGES_MAX];
    size_t message_count;
    size_t packets_held; /* allocated and not yet released */

    const struct double_token *tokens; /* of the next JSON document */
    size_t token_count;
    UINT reporting_status;   /* what sending reported properties returns */
    UINT reporting_response; /* what the hub answers to them; 0: 204 */
    char reported[1024];     /* every document sent, one after the other */
} double_state;

void double_reset(void);

/* NX_IP instances: as the stack creates and deletes them; all they held is cleared. */
void double_ip_create(NX_IP *ip, ULONG address, ULONG mask);
void double_ipv6_enable(NX_IP *ip);
void double_ip_delete(NX_IP *ip);

/* Begins something longer, which nx_packet_release() frees. */
NX_PACKET *double_packet_allocate(size_t size_bytes);

/* A packet arrives, or is sent: contiguous_bytes of it lie in the first buffer of its chain. */
void double_receive(NX_IP *ip, const void *bytes, size_t contiguous_bytes, size_t size_bytes);
bool double_send(NX_IP *ip, const void *bytes, size_t contiguous_bytes, size_t size_bytes);

/* Hub clients. */
void double_hub_client_add(NX_AZURE_IOT *azure, NX_AZURE_IOT_HUB_CLIENT *client, const char *host,
                           const char *device);
void double_periodic_event(NX_AZURE_IOT *azure);

/* What a client does with the messages that the hub has not acknowledged: the hub acknowledges
 * them; the connection ends; it connects, with a clean session or not; it is deleted, and later no
 * longer in the list. */
void double_hub_acknowledge(NX_AZURE_IOT_HUB_CLIENT *client);
void double_hub_empty_queue(NX_AZURE_IOT_HUB_CLIENT *client);
void double_hub_disconnect(NX_AZURE_IOT_HUB_CLIENT *client);
void double_hub_connect(NX_AZURE_IOT_HUB_CLIENT *client, UINT clean_session);
void double_hub_client_delete(NX_AZURE_IOT_HUB_CLIENT *client);
void double_hub_client_remove(NX_AZURE_IOT_HUB_CLIENT *client);

#endif

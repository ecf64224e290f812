#include "hub.h"

#include <string.h>

#include "account.h"

/* Of the double's messages, in the order in which they were sent. */
enum fate {
    ARRIVES, /* now */
    WAITS,
    WAITS_UNKNOWN, /* and the agent, started anew, does not know of it */
    LOST           /* which the agent will find out, and say it again */
};

static struct {
    enum fate fate;
    unsigned number;
} sent[DOUBLE_MESSAGES_MAX];
static unsigned last_number;                     /* of the last one sent */
static const NXD_MQTT_CLIENT *last_arrived_from; /* if the last one sent has arrived */

enum { ACKNOWLEDGED = 0x10000 }; /* as the port notes it, where a message's identifier was */

static const NXD_MQTT_CLIENT *mqtt_of(const NX_AZURE_IOT_HUB_CLIENT *client)
{
    return &client->nx_azure_iot_hub_client_resource.resource_mqtt;
}

void hub_reset(void)
{
    memset(sent, 0, sizeof sent);
    last_number = 0;
    last_arrived_from = NULL;
}

static void take_out(size_t i)
{
    size_t behind = --double_state.message_count - i;
    memmove(&double_state.messages[i], &double_state.messages[i + 1],
            behind * sizeof *double_state.messages);
    memmove(&sent[i], &sent[i + 1], behind * sizeof *sent);
}

static void read_whole(size_t i, void (*reader)(const uint8_t *bytes, size_t size_bytes))
{
    const struct double_message *message = &double_state.messages[i];
    reader(message->bytes + message->topic_bytes, message->size_bytes);
}

static void read_arrived(void)
{
    for (size_t i = double_state.message_count; i-- > 0;)
        if (sent[i].fate == ARRIVES) {
            if (sent[i].number == last_number)
                last_arrived_from = double_state.messages[i].client;
            read_whole(i, account_read);
            take_out(i);
        }
}

void hub_will_keep_waiting(bool waits)
{
    read_arrived();
    last_arrived_from = NULL;
    /* The agent sends another: what was lost it has put back. */
    for (size_t i = double_state.message_count; i-- > 0;)
        if (sent[i].fate == LOST)
            take_out(i);
    sent[double_state.message_count].fate = waits ? WAITS : ARRIVES;
    sent[double_state.message_count].number = ++last_number;
    double_state.hub_is_silent = waits;
}

void hub_acknowledge(NX_AZURE_IOT_HUB_CLIENT *client)
{
    for (size_t i = 0; i < double_state.message_count; i++)
        if (double_state.messages[i].client == mqtt_of(client) && sent[i].fate != LOST)
            sent[i].fate = ARRIVES;
    read_arrived();
    double_hub_acknowledge(client);
}

bool hub_may_lose(const NX_AZURE_IOT_HUB_CLIENT *client, bool told)
{
    read_arrived();
    if (told && (uintptr_t)mqtt_of(client)->nxd_mqtt_client_next == ACKNOWLEDGED)
        return true;
    return !account_is_on_way() || last_arrived_from != mqtt_of(client);
}

void hub_lose(const NX_AZURE_IOT_HUB_CLIENT *client)
{
    for (size_t i = double_state.message_count; i-- > 0;) {
        if (double_state.messages[i].client != mqtt_of(client))
            continue;
        if (sent[i].fate == WAITS)
            sent[i].fate = LOST;
        if (sent[i].fate == WAITS_UNKNOWN) {
            read_whole(i, account_forget_message);
            take_out(i);
        }
    }
}

/* The last one sent was on its way, if any was. */
void hub_forget(bool on_way)
{
    read_arrived();
    for (size_t i = double_state.message_count; i-- > 0;) {
        bool is_on_way = on_way && sent[i].number == last_number;
        if (sent[i].fate == WAITS && is_on_way)
            sent[i].fate = WAITS_UNKNOWN;
        else if (sent[i].fate == LOST && is_on_way)
            read_whole(i, account_forget_message);
        if (sent[i].fate == LOST)
            take_out(i);
    }
}

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

static enum fate fates[DOUBLE_MESSAGES_MAX];
static const NXD_MQTT_CLIENT *last_arrived_from; /* if the last one sent has arrived */

enum { ACKNOWLEDGED = 0x10000 }; /* as the port notes it, where a message's identifier was */

static const NXD_MQTT_CLIENT *mqtt_of(const NX_AZURE_IOT_HUB_CLIENT *client)
{
    return &client->nx_azure_iot_hub_client_resource.resource_mqtt;
}

void hub_reset(void)
{
    memset(fates, 0, sizeof fates);
    last_arrived_from = NULL;
}

static void take_out(size_t i)
{
    size_t behind = --double_state.message_count - i;
    memmove(&double_state.messages[i], &double_state.messages[i + 1],
            behind * sizeof *double_state.messages);
    memmove(&fates[i], &fates[i + 1], behind * sizeof *fates);
}

static void read_whole(size_t i, void (*reader)(const uint8_t *bytes, size_t size_bytes))
{
    const struct double_message *message = &double_state.messages[i];
    reader(message->bytes + message->topic_bytes, message->size_bytes);
}

static void read_arrived(void)
{
    for (size_t i = double_state.message_count; i-- > 0;)
        if (fates[i] == ARRIVES) {
            if (i + 1 == double_state.message_count)
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
        if (fates[i] == LOST)
            take_out(i);
    fates[double_state.message_count] = waits ? WAITS : ARRIVES;
    double_state.hub_is_silent = waits;
}

void hub_acknowledge(NX_AZURE_IOT_HUB_CLIENT *client)
{
    for (size_t i = 0; i < double_state.message_count; i++)
        if (double_state.messages[i].client == mqtt_of(client) && fates[i] != LOST)
            fates[i] = ARRIVES;
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
        if (fates[i] == WAITS)
            fates[i] = LOST;
        if (fates[i] == WAITS_UNKNOWN) {
            read_whole(i, account_forget_message);
            take_out(i);
        }
    }
}

/* The last one sent is the one that was on its way. */
void hub_forget(bool on_way)
{
    read_arrived();
    for (size_t i = double_state.message_count; i-- > 0;) {
        bool is_on_way = on_way && i + 1 == double_state.message_count;
        if (fates[i] == WAITS && is_on_way)
            fates[i] = WAITS_UNKNOWN;
        else if (fates[i] == LOST && is_on_way)
            read_whole(i, account_forget_message);
        if (fates[i] == LOST)
            take_out(i);
    }
}

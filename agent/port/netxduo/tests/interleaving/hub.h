/* What the hub has of the agent's messages. One that a client sent arrives when the hub
 * acknowledges it, at once or later; or never, if the client forgets it before. Thread: any of the
 * machine's, with the middleware's mutex; none is pre-empted in here. */
#ifndef HUB_H
#define HUB_H

#include "double.h"

void hub_reset(void);

/* The next message that a client sends waits to be acknowledged, or does not. */
void hub_will_keep_waiting(bool waits);

/* What waits at a client arrives, and the client is told. */
void hub_acknowledge(NX_AZURE_IOT_HUB_CLIENT *client);

/* Whether the client may forget what it has sent without anything being said twice, which may
 * happen otherwise: the agent must not be about to learn that it has arrived. `told`: what the
 * callback has told is not forgotten with it. */
bool hub_may_lose(const NX_AZURE_IOT_HUB_CLIENT *client, bool told);
void hub_lose(const NX_AZURE_IOT_HUB_CLIENT *client);

/* The agent starts anew or has ended, and a message was on its way, or none. */
void hub_forget(bool on_way);

#endif

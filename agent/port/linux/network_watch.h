/* Tells when an interface or an address of this machine comes or goes, so that neither has to be
 * asked for often.
 *
 * Source: rtnetlink(7). Thread: one at a time.
 */
#ifndef PICKET_AGENT_LINUX_NETWORK_WATCH_H
#define PICKET_AGENT_LINUX_NETWORK_WATCH_H

/* Returns a descriptor that is readable when something has changed, or -1: the kernel does not
 * tell, and one has to ask. close() it. */
int network_watch_open(void);

/* Makes it unreadable until the next change. */
void network_watch_drain(int descriptor);

#endif

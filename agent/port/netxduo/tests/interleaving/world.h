/* A device at work: NX_IP instances whose threads receive, an application that sends through them,
 * the cloud's thread, on which the agent polls, and those who change something meanwhile. */
#ifndef WORLD_H
#define WORLD_H

enum {
    WORLD_IPS_COME_AND_GO = 1,
    WORLD_AGENT_RESTARTS = 2,
    WORLD_FILTER_CHANGES = 4,
    WORLD_INTERRUPTS = 8, /* packets come in interrupts, too */
    WORLD_ALL = 15,
    WORLD_CALLS_FROM_WITHIN_THE_STACK = 16 /* which must not be */
};

/* One life of the device, in the machine, which has been reset; fails by machine_fail(). */
void world_run(unsigned changes);

#endif

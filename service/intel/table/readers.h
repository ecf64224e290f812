/* Who reads what one thread changes under them (RCU by liburcu, flavour "bulletproof": a reader
 * needs no registration, so any thread may read).
 *
 *     reader:  readers_enter ─▶ follows pointers and numbers ... ─▶ readers_leave     never waits
 *     writer:  publishes the new; readers_wait; what was there before is nobody's any more
 */
#ifndef INTEL_READERS_H
#define INTEL_READERS_H

/* May nest. Not to be held while waiting for a writer. */
void readers_enter(void);
void readers_leave(void);

/* Until all who entered before have left. */
void readers_wait(void);

#endif

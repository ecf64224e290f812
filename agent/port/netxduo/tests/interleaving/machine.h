/* A machine with one processor that runs ThreadX's threads: each is a thread of the host, one runs
 * at a time, and chance, begun with a seed, says where it is pre-empted. The same seed pre-empts at
 * the same places, whatever the host does.
 *
 *     machine_point()   in front of each access to memory of what is compiled for it, and in each
 *                       call of ThreadX: the running thread may lose the processor here
 *
 * As on a device, nobody else runs while interrupts are off, or while a thread that has raised its
 * pre-emption threshold to the highest neither waits nor sleeps. What else the host needs to hand
 * the processor on is hidden from ThreadSanitizer: it sees as order between threads only what
 * ThreadX gives, and so finds accesses that rely on luck.
 *
 * Locks are checked: who waits with interrupts off, puts what it does not hold, takes two of a
 * kind, or turns round the order in which others take them, fails; so does a machine in which
 * nobody can ever run again. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tx_api.h"

enum { MACHINE_THREADS_MAX = 12, MACHINE_LOCKS_MAX = 4 };

/* Faults of the machine's own, to show that the tests notice. */
enum {
    MACHINE_LOCK_DOES_NOTHING = 1,     /* interrupts stay on */
    MACHINE_THRESHOLD_DOES_NOTHING = 2 /* a raised threshold keeps nobody away */
};

/* How a run went; in memory that outlives it. */
struct machine_record {
    uint64_t points;
    uint64_t switches;
    uint64_t trace;           /* a hash of who ran after whom, and where */
    uint64_t hold_points_max; /* the longest time without interrupts */
    /* Kinds of locks in the order they were met, and after which of them each was taken. */
    const char *lock_name[MACHINE_LOCKS_MAX];
    unsigned lock_count;
    bool taken_after[MACHINE_LOCKS_MAX][MACHINE_LOCKS_MAX];
};

/* An empty machine. */
void machine_reset(uint64_t seed, unsigned faults, struct machine_record *record);

void machine_thread(const char *name, void (*entry)(void));

/* From now on, interrupts come by chance, on whichever thread runs, as long as they are on: nobody
 * is pre-empted in there, and another cannot come. */
void machine_interrupts(void (*handler)(void));

/* Runs all threads until the last has ended; then others may be added. */
void machine_run(void);

/* The running thread may be pre-empted; nothing outside of machine_run(). */
void machine_point(void);

/* A number below bound, at random; of the test's own chance, the same for the same seed. */
uint32_t machine_draw(uint32_t bound);

/* Ends the process: says what is wrong, and with which seed. */
_Noreturn void machine_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

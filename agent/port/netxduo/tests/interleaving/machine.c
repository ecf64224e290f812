#include "machine.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    HELD_MAX = 4,
    HIGHEST = 0,         /* of ThreadX's priorities */
    THRESHOLD = 7,       /* of a thread that has not raised it */
    POINTS_MAX = 2000000 /* of one run: beyond, it makes no progress */
};

enum readiness { READY, SLEEPING, WAITING, ENDED };

struct thread {
    TX_THREAD tx;
    pthread_t host;
    void (*entry)(void);
    int turn; /* what its thread of the host waits for */
    enum readiness readiness;
    ULONG wakes_at;
    const TX_MUTEX *wants;
    UINT threshold;
    uint32_t rank; /* who is ready and has the highest runs, where ranks decide */
    TX_MUTEX *held[HELD_MAX];
    unsigned held_count;
    char done; /* all that it has done until it lost the processor */
};

static struct {
    uint64_t seed;
    unsigned faults;
    uint64_t chance;      /* of the schedule */
    uint64_t test_chance; /* of the test */
    struct thread threads[MACHINE_THREADS_MAX];
    unsigned thread_count;
    struct thread *running;
    int all_ended; /* what machine_run() waits for */
    ULONG ticks;
    UINT posture;
    uint64_t hold_began;  /* the point at which interrupts went off */
    bool by_rank;         /* how the next one is chosen: by rank, or all alike */
    uint32_t gap_bits;    /* points between two pre-emptions: up to 2 to the power of it */
    uint32_t points_left; /* until the next pre-emption */
    uint32_t lowest_rank;
    uint32_t at_calls;         /* one in so many calls of ThreadX pre-empts; 0: none */
    char alone;                /* all that was done with the highest threshold */
    void (*handler)(void);     /* of interrupts, or NULL */
    uint32_t interrupt_points; /* until the next one */
    bool interrupted;          /* it is being handled */
    struct machine_record *record;
} machine;

static _Thread_local struct thread *self;

/* What ThreadSanitizer is told; without it, nothing. */
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

static void after(void *address)
{
    if (__tsan_acquire != NULL)
        __tsan_acquire(address);
}

static void before(void *address)
{
    if (__tsan_release != NULL)
        __tsan_release(address);
}

void machine_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "seed %llu, %s: ", (unsigned long long)machine.seed,
            self != NULL ? self->tx.tx_thread_name : "at the end");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    fflush(NULL);
    _exit(1);
}

/* ---- chance ---- */

/* splitmix64, G. L. Steele and others, 2014. */
static uint64_t draw_from(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t draw(uint32_t bound)
{
    return (uint32_t)(draw_from(&machine.chance) % bound);
}

uint32_t machine_draw(uint32_t bound)
{
    return (uint32_t)(draw_from(&machine.test_chance) % bound);
}

/* As often short as long, whatever is meant by it. */
static uint32_t draw_gap(void)
{
    return 1 + draw(1u << draw(machine.gap_bits + 1));
}

/* ---- handing the processor on ---- */

static void hand(int *turn)
{
    __atomic_store_n(turn, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_for(int *turn)
{
    while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == 0)
        syscall(SYS_futex, turn, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(turn, 0, __ATOMIC_RELAXED);
}

static void wake_sleepers(void)
{
    for (unsigned i = 0; i < machine.thread_count; i++) {
        struct thread *thread = &machine.threads[i];
        if (thread->readiness == SLEEPING && thread->wakes_at <= machine.ticks)
            thread->readiness = READY;
    }
}

/* Nobody is ready: time goes on to when somebody is. False: never. */
static bool idle(void)
{
    ULONG next = ULONG_MAX;
    for (unsigned i = 0; i < machine.thread_count; i++)
        if (machine.threads[i].readiness == SLEEPING && machine.threads[i].wakes_at < next)
            next = machine.threads[i].wakes_at;
    if (next == ULONG_MAX)
        return false;
    machine.ticks = next;
    wake_sleepers();
    return true;
}

static struct thread *choose(void)
{
    struct thread *ready[MACHINE_THREADS_MAX], *highest = NULL;
    uint32_t count = 0;
    for (unsigned i = 0; i < machine.thread_count; i++) {
        struct thread *thread = &machine.threads[i];
        if (thread->readiness != READY)
            continue;
        ready[count++] = thread;
        if (highest == NULL || thread->rank > highest->rank)
            highest = thread;
    }
    if (count == 0)
        return NULL;
    return machine.by_rank ? highest : ready[draw(count)];
}

static _Noreturn void fail_of_deadlock(void)
{
    char who[256] = "";
    for (unsigned i = 0; i < machine.thread_count; i++) {
        const struct thread *thread = &machine.threads[i];
        size_t used = strlen(who);
        if (thread->readiness == WAITING)
            snprintf(who + used, sizeof who - used, " %s for %s", thread->tx.tx_thread_name,
                     thread->wants->tx_mutex_name);
    }
    machine_fail("nobody can run any more; waiting:%s", who);
}

/* Gives the processor to the next one, if there is any. */
static struct thread *dispatch(void)
{
    if (draw(4) == 0) {
        machine.ticks += 1 + draw(TX_TIMER_TICKS_PER_SECOND / 4);
        wake_sleepers();
    }
    struct thread *next = choose();
    if (next == NULL && idle())
        next = choose();
    if (next != machine.running) {
        machine.record->switches++;
        uint64_t state = machine.record->trace + machine.record->points * MACHINE_THREADS_MAX;
        state += next != NULL ? (uint64_t)(next - machine.threads) : MACHINE_THREADS_MAX;
        machine.record->trace = draw_from(&state);
    }
    machine.running = next;
    return next;
}

/* The running thread has changed its readiness, or another shall have a chance. */
static void reschedule(void)
{
    before(&self->done);
    struct thread *next = dispatch();
    if (next == NULL)
        fail_of_deadlock();
    if (next != self) {
        hand(&next->turn);
        wait_for(&self->turn);
    }
    after(&machine.alone);
}

static bool cannot_be_preempted(void)
{
    return self == NULL || machine.posture == TX_INT_DISABLE || self->threshold == HIGHEST ||
           machine.interrupted;
}

static void preempt(void)
{
    if (machine.by_rank)
        self->rank = --machine.lowest_rank;
    reschedule();
}

static bool interrupt_comes(void)
{
    return machine.handler != NULL && !machine.interrupted && machine.posture != TX_INT_DISABLE &&
           --machine.interrupt_points == 0;
}

static void interrupt(void)
{
    machine.interrupt_points = 1 + draw(4096);
    machine.interrupted = true;
    machine.handler();
    machine.interrupted = false;
}

void machine_interrupts(void (*handler)(void))
{
    machine.handler = handler;
    machine.interrupt_points = 1;
}

void machine_point(void)
{
    if (self == NULL)
        return;
    if (interrupt_comes())
        interrupt();
    if (++machine.record->points > POINTS_MAX)
        machine_fail("no progress");
    if (cannot_be_preempted() || --machine.points_left > 0)
        return;
    machine.points_left = draw_gap();
    preempt();
}

/* A call of ThreadX is a point where much hangs on who comes next. */
static void call_point(void)
{
    machine_point();
    if (!cannot_be_preempted() && machine.at_calls > 0 && draw(machine.at_calls) == 0)
        preempt();
}

/* ---- threads ---- */

void machine_reset(uint64_t seed, unsigned faults, struct machine_record *record)
{
    cpu_set_t here;
    memset(&machine, 0, sizeof machine);
    memset(record, 0, sizeof *record);
    machine.seed = machine.chance = seed;
    machine.test_chance = ~seed;
    machine.faults = faults;
    machine.record = record;
    machine.lowest_rank = UINT32_MAX / 2;
    machine.by_rank = draw(2) == 0;
    machine.gap_bits = 4 + draw(11);
    machine.at_calls = draw(5);
    machine.points_left = draw_gap();
    machine.ticks = machine_draw(1000);
    /* On one processor, the next one need not be fetched from another. */
    CPU_ZERO(&here);
    CPU_SET((unsigned)sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here);
}

static void *run(void *context)
{
    struct thread *thread = context;
    wait_for(&thread->turn);
    self = thread;
    after(&machine.alone);
    thread->entry();
    if (thread->held_count > 0)
        machine_fail("ends with %s", thread->held[0]->tx_mutex_name);
    thread->readiness = ENDED;
    before(&thread->done);
    struct thread *next = dispatch();
    if (next != NULL) {
        hand(&next->turn);
        return NULL;
    }
    for (unsigned i = 0; i < machine.thread_count; i++)
        if (machine.threads[i].readiness != ENDED)
            fail_of_deadlock();
    hand(&machine.all_ended);
    return NULL;
}

void machine_thread(const char *name, void (*entry)(void))
{
    if (machine.thread_count == MACHINE_THREADS_MAX)
        machine_fail("too many threads");
    struct thread *thread = &machine.threads[machine.thread_count++];
    *thread = (struct thread){.tx = {(CHAR *)(uintptr_t)name},
                              .entry = entry,
                              .readiness = READY,
                              .threshold = THRESHOLD,
                              .rank = UINT32_MAX / 2 + draw(1u << 20)};
    if (pthread_create(&thread->host, NULL, run, thread) != 0)
        machine_fail("cannot create a thread");
}

void machine_run(void)
{
    hand(&dispatch()->turn);
    wait_for(&machine.all_ended);
    for (unsigned i = 0; i < machine.thread_count; i++)
        pthread_join(machine.threads[i].host, NULL);
    machine.thread_count = 0;
}

/* ---- order of locks ---- */

static unsigned kind_of(const TX_MUTEX *mutex)
{
    struct machine_record *record = machine.record;
    unsigned kind = 0;
    while (kind < record->lock_count && record->lock_name[kind] != mutex->tx_mutex_name)
        kind++;
    if (kind == MACHINE_LOCKS_MAX)
        machine_fail("too many kinds of locks");
    if (kind == record->lock_count)
        record->lock_name[record->lock_count++] = mutex->tx_mutex_name;
    return kind;
}

/* Whether somebody has taken `later` while holding `earlier`, directly or by others between. */
static bool is_taken_after(unsigned later, unsigned earlier, unsigned steps)
{
    if (machine.record->taken_after[later][earlier])
        return true;
    for (unsigned between = 0; between < machine.record->lock_count && steps > 0; between++)
        if (machine.record->taken_after[later][between] &&
            is_taken_after(between, earlier, steps - 1))
            return true;
    return false;
}

static void check_order(const TX_MUTEX *mutex)
{
    unsigned kind = kind_of(mutex);
    for (unsigned i = 0; i < self->held_count; i++) {
        unsigned held = kind_of(self->held[i]);
        if (held == kind)
            machine_fail("takes two of %s", mutex->tx_mutex_name);
        if (is_taken_after(held, kind, MACHINE_LOCKS_MAX))
            machine_fail("takes %s while holding %s: others turn it round", mutex->tx_mutex_name,
                         self->held[i]->tx_mutex_name);
        machine.record->taken_after[kind][held] = true;
    }
}

/* ---- what ThreadX gives ---- */

UINT tx_interrupt_control(UINT new_posture)
{
    if ((machine.faults & MACHINE_LOCK_DOES_NOTHING) != 0) {
        call_point();
        return 0;
    }
    if (machine.posture != TX_INT_DISABLE)
        call_point();
    UINT old = machine.posture;
    if (old != TX_INT_DISABLE && new_posture == TX_INT_DISABLE) {
        machine.posture = new_posture;
        machine.hold_began = machine.record->points;
        after(&machine.posture);
    } else if (old == TX_INT_DISABLE && new_posture != TX_INT_DISABLE) {
        uint64_t hold = machine.record->points - machine.hold_began;
        if (hold > machine.record->hold_points_max)
            machine.record->hold_points_max = hold;
        before(&machine.posture);
        machine.posture = new_posture;
        call_point();
    }
    return old;
}

ULONG tx_time_get(VOID)
{
    call_point();
    return machine.ticks;
}

TX_THREAD *tx_thread_identify(VOID)
{
    return self != NULL ? &self->tx : NULL;
}

UINT tx_thread_sleep(ULONG timer_ticks)
{
    if (machine.posture == TX_INT_DISABLE || machine.interrupted)
        machine_fail("sleeps with interrupts off, or in one");
    self->wakes_at = machine.ticks + timer_ticks;
    self->readiness = SLEEPING;
    reschedule();
    return TX_SUCCESS;
}

UINT tx_thread_preemption_change(TX_THREAD *thread_ptr, UINT new_threshold, UINT *old_threshold)
{
    (void)thread_ptr;
    *old_threshold = self->threshold;
    if ((machine.faults & MACHINE_THRESHOLD_DOES_NOTHING) != 0)
        return TX_SUCCESS;
    self->threshold = new_threshold;
    if (new_threshold == HIGHEST)
        for (unsigned i = 0; i < machine.thread_count; i++)
            after(&machine.threads[i].done);
    else
        before(&machine.alone);
    call_point();
    return TX_SUCCESS;
}

UINT tx_mutex_get(TX_MUTEX *mutex_ptr, ULONG wait_option)
{
    (void)wait_option;
    if (machine.posture == TX_INT_DISABLE || machine.interrupted)
        machine_fail("may wait for %s with interrupts off, or in one", mutex_ptr->tx_mutex_name);
    call_point();
    if (mutex_ptr->tx_mutex_owner != &self->tx) {
        check_order(mutex_ptr);
        while (mutex_ptr->tx_mutex_owner != NULL) {
            self->wants = mutex_ptr;
            self->readiness = WAITING;
            reschedule();
        }
        if (self->held_count == HELD_MAX)
            machine_fail("holds too many locks");
        self->held[self->held_count++] = mutex_ptr;
        mutex_ptr->tx_mutex_owner = &self->tx;
    }
    mutex_ptr->tx_mutex_ownership_count++;
    after(mutex_ptr);
    return TX_SUCCESS;
}

static void forget_held(const TX_MUTEX *mutex)
{
    unsigned i = 0;
    while (self->held[i] != mutex)
        i++;
    self->held_count--;
    for (; i < self->held_count; i++)
        self->held[i] = self->held[i + 1];
}

UINT tx_mutex_put(TX_MUTEX *mutex_ptr)
{
    if (mutex_ptr->tx_mutex_owner != &self->tx)
        machine_fail("puts %s, which it does not hold", mutex_ptr->tx_mutex_name);
    before(mutex_ptr);
    if (--mutex_ptr->tx_mutex_ownership_count > 0)
        return TX_SUCCESS;
    mutex_ptr->tx_mutex_owner = NULL;
    forget_held(mutex_ptr);
    for (unsigned i = 0; i < machine.thread_count; i++)
        if (machine.threads[i].readiness == WAITING && machine.threads[i].wants == mutex_ptr)
            machine.threads[i].readiness = READY;
    call_point();
    return TX_SUCCESS;
}

int double_rand(void);

int double_rand(void)
{
    return (int)machine_draw(INT_MAX);
}

/* The port under forced pre-emption: thousands of lives of a device, each by its own seed, in each
 * of which threads lose the processor at other places.
 *
 *     agent_netxduo_interleaving_test                        what ./test runs
 *     agent_netxduo_interleaving_test 100000 [FIRST_SEED]    so many seeds in each test
 *     agent_netxduo_interleaving_test 1 SEED                 a seed again, as it failed */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account.h"
#include "machine.h"
#include "picket/netxduo/netxduo.h"
#include "world.h"

#ifndef SEEDS
#define SEEDS 500
#endif

static unsigned long seeds = SEEDS, first_seed = 1;

/* What a run leaves behind. */
static struct result {
    struct machine_record record;
    struct account_totals totals;
} * result;

enum { EXPECTED = 1 << 16 }; /* beside the machine's faults: the fault is in what runs */

/* Of what is said in there, one line is enough: what failed, or the race that was found. */
static void repeat_reason(FILE *said)
{
    char line[512];
    bool found = false;
    while (fgets(line, sizeof line, said) != NULL) {
        if (!found && (strncmp(line, "seed ", 5) == 0 || strncmp(line, "SUMMARY: ", 9) == 0))
            found = printf("    noticed: %s", line) > 0;
    }
}

/* Runs a device's life in a process of its own, so that each begins from nothing. True: all went
 * well; what did not is on stderr, or where it is expected on stdout. */
static bool run(void (*life)(unsigned), unsigned argument, uint64_t seed, unsigned faults)
{
    int status, ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* cmocka's is for the tests' own thread. */
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        if (faults != 0)
            dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        machine_reset(seed, faults, &result->record);
        life(argument);
        result->totals = account_totals();
        exit(0);
    }
    close(ends[1]);
    FILE *said = fdopen(ends[0], "r");
    repeat_reason(said);
    fclose(said);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        printf("    %s: seed %llu: ended by signal %d\n", faults == 0 ? "failed" : "noticed",
               (unsigned long long)seed, WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- lives that go well ---- */

static void explore(unsigned changes)
{
    uint64_t points = 0, switches = 0, hold = 0, failed = 0;
    struct account_totals sum = {0, 0, 0, 0};
    for (unsigned long seed = first_seed; seed < first_seed + seeds; seed++) {
        if (!run(world_run, changes, seed, 0)) {
            fprintf(stderr, "seed %lu failed\n", seed);
            failed++;
        }
        points += result->record.points;
        switches += result->record.switches;
        if (result->record.hold_points_max > hold)
            hold = result->record.hold_points_max;
        sum.packets += result->totals.packets;
        sum.lost_packets += result->totals.lost_packets;
        sum.messages += result->totals.messages;
        sum.starts += result->totals.starts;
    }
    printf("    %lu seeds from %lu on: %llu points of pre-emption, %llu switches; %llu packets, "
           "%llu lost, %llu messages, %llu starts; at most %llu accesses without interrupts\n",
           seeds, first_seed, (unsigned long long)points, (unsigned long long)switches,
           (unsigned long long)sum.packets, (unsigned long long)sum.lost_packets,
           (unsigned long long)sum.messages, (unsigned long long)sum.starts,
           (unsigned long long)hold);
    assert_int_equal(failed, 0);
    assert_true(sum.packets > seeds && sum.messages > seeds);
}

static void every_packet_is_counted_once_or_told_as_lost(void **state)
{
    (void)state;
    explore(0);
}

static void so_it_is_while_nx_ips_come_and_go(void **state)
{
    (void)state;
    explore(WORLD_IPS_COME_AND_GO);
}

static void so_it_is_while_the_agent_is_enabled_and_disabled(void **state)
{
    (void)state;
    explore(WORLD_AGENT_RESTARTS);
}

static void so_it_is_while_the_application_changes_its_filter(void **state)
{
    (void)state;
    explore(WORLD_FILTER_CHANGES);
}

static void so_it_is_while_packets_come_in_interrupts(void **state)
{
    (void)state;
    explore(WORLD_INTERRUPTS);
}

static void so_it_is_while_all_of_that_happens(void **state)
{
    (void)state;
    explore(WORLD_ALL);
}

/* ---- the machine ---- */

static void a_seed_is_the_same_interleaving_again(void **state)
{
    (void)state;
    assert_true(run(world_run, WORLD_ALL, first_seed, 0));
    struct result first = *result;
    assert_true(run(world_run, WORLD_ALL, first_seed, 0));
    assert_memory_equal(&first, result, sizeof first);
    assert_true(run(world_run, WORLD_ALL, first_seed + 1, 0));
    assert_int_not_equal(first.record.trace, result->record.trace);
}

static void locks_are_taken_in_one_order(void **state)
{
    (void)state;
    static const char *const order[] = {"the application's", "nx_cloud_mutex", "nx_ip_protection"};
    struct machine_record *record = &result->record;
    unsigned kind[3] = {0};
    assert_true(run(world_run, WORLD_ALL, first_seed, 0));
    assert_int_equal(record->lock_count, 3);
    for (unsigned i = 0; i < 3; i++)
        while (strcmp(record->lock_name[kind[i]], order[i]) != 0)
            assert_true(++kind[i] < 3);
    assert_true(record->taken_after[kind[2]][kind[0]]);
    assert_true(record->taken_after[kind[2]][kind[1]]);
    assert_false(record->taken_after[kind[0]][kind[2]]);
    assert_false(record->taken_after[kind[1]][kind[2]]);
}

/* ---- what the tests must notice ---- */

static bool is_noticed(void (*life)(unsigned), unsigned argument, unsigned faults)
{
    for (unsigned long seed = 1; seed <= 500; seed++)
        if (!run(life, argument, seed, faults))
            return true;
    return false;
}

static void a_lock_that_does_nothing_is_noticed(void **state)
{
    (void)state;
    assert_true(is_noticed(world_run, 0, MACHINE_LOCK_DOES_NOTHING));
}

static void a_start_amid_a_packet_is_noticed(void **state)
{
    (void)state;
    assert_true(is_noticed(world_run, WORLD_AGENT_RESTARTS, MACHINE_THRESHOLD_DOES_NOTHING));
}

static void a_deadlock_is_noticed(void **state)
{
    (void)state;
    assert_true(is_noticed(world_run, WORLD_CALLS_FROM_WITHIN_THE_STACK, EXPECTED));
}

static TX_MUTEX a = {.tx_mutex_name = (CHAR *)(uintptr_t) "a"};
static TX_MUTEX b = {.tx_mutex_name = (CHAR *)(uintptr_t) "b"};

static void take_a_then_b(void)
{
    tx_mutex_get(&a, TX_WAIT_FOREVER);
    tx_mutex_get(&b, TX_WAIT_FOREVER);
    tx_mutex_put(&b);
    tx_mutex_put(&a);
}

static void take_b_then_a(void)
{
    tx_mutex_get(&b, TX_WAIT_FOREVER);
    tx_mutex_get(&a, TX_WAIT_FOREVER);
    tx_mutex_put(&a);
    tx_mutex_put(&b);
}

/* One after the other: they never meet. */
static void invert(unsigned argument)
{
    (void)argument;
    machine_thread("first", take_a_then_b);
    machine_run();
    machine_thread("second", take_b_then_a);
    machine_run();
}

static void an_inversion_of_locks_is_noticed_though_nobody_waits(void **state)
{
    (void)state;
    assert_false(run(invert, 0, 1, EXPECTED));
}

static void wait_without_interrupts(void)
{
    tx_interrupt_control(TX_INT_DISABLE);
    tx_mutex_get(&a, TX_WAIT_FOREVER);
}

static void put_what_is_not_held(void)
{
    tx_mutex_put(&a);
}

static void end_with_a_lock(void)
{
    tx_mutex_get(&a, TX_WAIT_FOREVER);
}

static void misuse(unsigned which)
{
    void (*const misuses[])(void) = {wait_without_interrupts, put_what_is_not_held,
                                     end_with_a_lock};
    machine_thread("misuse", misuses[which]);
    machine_run();
}

static void a_misused_lock_is_noticed(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 3; which++)
        assert_false(run(misuse, which, 1, EXPECTED));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packet_is_counted_once_or_told_as_lost),
        cmocka_unit_test(so_it_is_while_nx_ips_come_and_go),
        cmocka_unit_test(so_it_is_while_the_agent_is_enabled_and_disabled),
        cmocka_unit_test(so_it_is_while_the_application_changes_its_filter),
        cmocka_unit_test(so_it_is_while_packets_come_in_interrupts),
        cmocka_unit_test(so_it_is_while_all_of_that_happens),
        cmocka_unit_test(a_seed_is_the_same_interleaving_again),
        cmocka_unit_test(locks_are_taken_in_one_order),
        cmocka_unit_test(a_lock_that_does_nothing_is_noticed),
        cmocka_unit_test(a_start_amid_a_packet_is_noticed),
        cmocka_unit_test(a_deadlock_is_noticed),
        cmocka_unit_test(an_inversion_of_locks_is_noticed_though_nobody_waits),
        cmocka_unit_test(a_misused_lock_is_noticed),
    };
    if (argc > 1)
        seeds = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoul(argv[2], NULL, 10);
    result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (result == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

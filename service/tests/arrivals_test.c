/* What live matching notes and what a search finds, while indicators come and events go on; built
 * with ThreadSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "intel/hunting/arrivals.h"

/* Each event has one flow, to the indicator of its number modulo INDICATORS; so there are fewer
 * notes than there is room for. */
enum { INDICATORS = 16, EVENTS = 48000 };
_Static_assert((int)EVENTS < (int)ARRIVALS_NOTES_MAX, "every note is kept");

struct world {
    struct arrivals arrivals;
    pthread_mutex_t changing;
    atomic_bool listed[INDICATORS]; /* the table */
    int64_t first_seen_ms[INDICATORS];
    _Atomic int64_t done; /* the newest event that has been inspected whole */
    atomic_int searched;  /* indicators */
    int found_live[EVENTS + 1], found_later[EVENTS + 1];
};

static void wait_for_event(struct world *world, int64_t event)
{
    while (atomic_load(&world->done) < event)
        sched_yield();
}

static void *inspect(void *context)
{
    struct world *world = context;
    for (int64_t event = 1; event <= EVENTS; event++) {
        char subject[PICKET_PREFIX_TEXT_BYTES];
        int number = (int)(event % INDICATORS);
        arrivals_event(&world->arrivals, event);
        if (atomic_load(&world->listed[number])) {
            snprintf(subject, sizeof subject, "45.77.13.%d/32", number);
            arrivals_found(&world->arrivals, event, subject);
            world->found_live[event]++;
        }
        atomic_store(&world->done, event);
    }
    return NULL;
}

static void *list(void *context)
{
    struct world *world = context;
    for (int i = 0; i < INDICATORS; i++) {
        wait_for_event(world, (int64_t)i * EVENTS / INDICATORS);
        pthread_mutex_lock(&world->changing);
        world->first_seen_ms[i] = arrivals_now_ms(&world->arrivals);
        arrivals_begin(&world->arrivals);
        atomic_store(&world->listed[i], true);
        arrivals_end(&world->arrivals);
        pthread_mutex_unlock(&world->changing);
    }
    return NULL;
}

static void search(struct world *world, int number, int64_t end_event, struct arrivals_notes *notes)
{
    const uint8_t bytes[4] = {45, 77, 13, (uint8_t)number};
    const struct picket_address address = picket_address_ipv4(bytes);
    for (int64_t event = 1; event < end_event; event++)
        if (event % INDICATORS == number && !arrivals_notes_have(notes, event, &address))
            world->found_later[event]++;
    atomic_fetch_add(&world->searched, 1);
}

static void *hunt(void *context)
{
    struct world *world = context;
    int64_t mark_ms = world->arrivals.start_ms, to_ms, end_event;
    while (arrivals_wait(&world->arrivals, 0, 0)) {
        struct arrivals_notes notes = {.items = NULL};
        pthread_mutex_lock(&world->changing);
        arrivals_make_up(&world->arrivals, &to_ms, &end_event);
        bool comes[INDICATORS];
        for (int i = 0; i < INDICATORS; i++)
            comes[i] = world->first_seen_ms[i] > mark_ms && world->first_seen_ms[i] <= to_ms;
        pthread_mutex_unlock(&world->changing);
        wait_for_event(world, end_event - 1);
        arrivals_take_notes(&world->arrivals, end_event, &notes);
        for (int i = 0; i < INDICATORS; i++)
            if (comes[i])
                search(world, i, end_event, &notes);
        mark_ms = to_ms;
        arrivals_notes_free(&notes);
    }
    return NULL;
}

static void every_event_is_found_once_live_or_by_the_search(void **state)
{
    static struct world world;
    pthread_t threads[2], hunter;
    (void)state;
    arrivals_open(&world.arrivals);
    pthread_mutex_init(&world.changing, NULL);
    arrivals_start(&world.arrivals, 0, 0);
    assert_int_equal(pthread_create(&hunter, NULL, hunt, &world), 0);
    assert_int_equal(pthread_create(&threads[0], NULL, inspect, &world), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, list, &world), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    while (atomic_load(&world.searched) < INDICATORS)
        sched_yield();
    arrivals_stop(&world.arrivals);
    pthread_join(hunter, NULL);
    int later = 0;
    for (int event = 1; event <= EVENTS; event++) {
        assert_int_equal(world.found_live[event] + world.found_later[event], 1);
        later += world.found_later[event];
    }
    assert_in_range(later, 1, EVENTS);
    pthread_mutex_destroy(&world.changing);
    arrivals_close(&world.arrivals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_is_found_once_live_or_by_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

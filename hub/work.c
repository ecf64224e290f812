#include "work.h"

#include "connection/connection.h"
#include "connection/input_budget.h"
#include "exchange/exchange.h"
#include "session/acknowledgement.h"
#include "session/wills.h"

/* A round's bounds. A turn costs some tens of microseconds. */
enum { TURNS_A_ROUND = 64, RESUMED_A_ROUND = 32, TURNS_BETWEEN_ACKNOWLEDGEMENTS = 32 };

static void leave_queue(struct connection *connection)
{
    if (connection->queue != WORK_NONE)
        TAILQ_REMOVE(&connection->hub->queues[connection->queue], connection, in_queue);
    connection->queue = WORK_NONE;
}

void work_queue(struct connection *connection, enum work_queue queue)
{
    leave_queue(connection);
    if (queue == WORK_NONE)
        return;
    connection->queue = (uint8_t)queue;
    TAILQ_INSERT_TAIL(&connection->hub->queues[queue], connection, in_queue);
    work_schedule(connection->hub);
}

void work_queue_first(struct connection *connection, enum work_queue queue)
{
    leave_queue(connection);
    connection->queue = (uint8_t)queue;
    TAILQ_INSERT_HEAD(&connection->hub->queues[queue], connection, in_queue);
    work_schedule(connection->hub);
}

static void run_queue(struct picket_hub *hub, enum work_queue queue, int turns)
{
    /* Those that come back during the round wait for the next one. */
    struct connection *last = TAILQ_LAST(&hub->queues[queue], connection_queue);
    struct connection *connection;
    while (turns-- > 0 && (connection = TAILQ_FIRST(&hub->queues[queue])) != NULL) {
        bool was_last = connection == last;
        leave_queue(connection);
        connection_turn(connection);
        if (was_last)
            break;
    }
}

/* First come, first served: who finds the log full again goes back to the head; who got a message
 * in has had its turn. */
static void resume_waiting(struct picket_hub *hub)
{
    struct connection *connection;
    for (int turns = 0; turns < RESUMED_A_ROUND && hub->log_may_have_room; turns++) {
        connection = TAILQ_FIRST(&hub->queues[WORK_WAITING]);
        if (connection == NULL)
            return;
        leave_queue(connection);
        hub->resuming = connection;
        connection_turn(connection);
        hub->resuming = NULL;
    }
}

/* The same for memory. */
static void resume_large(struct picket_hub *hub)
{
    struct connection *connection;
    for (int turns = 0; turns < RESUMED_A_ROUND; turns++) {
        connection = input_budget_grant(hub);
        if (connection == NULL)
            return;
        leave_queue(connection);
        connection_turn(connection);
    }
}

static bool is_anything_left(struct picket_hub *hub)
{
    return !TAILQ_EMPTY(&hub->queues[WORK_READY]) || handshakes_are_due(hub) ||
           ((!TAILQ_EMPTY(&hub->queues[WORK_WAITING]) || !STAILQ_EMPTY(&hub->wills)) &&
            hub->log_may_have_room) ||
           input_budget_can_grant(hub) || acknowledgement_is_due(hub) ||
           exchange_is_due(&hub->exchange);
}

void work_round(struct picket_hub *hub)
{
    acknowledgement_run(hub);
    exchange_run(hub);
    wills_run(hub);
    resume_waiting(hub);
    resume_large(hub);
    run_queue(hub, WORK_READY, TURNS_A_ROUND);
    handshakes_run(hub);
    if (!is_anything_left(hub))
        uv_idle_stop(&hub->work);
}

void work_between_turns(struct picket_hub *hub)
{
    if (++hub->turns % TURNS_BETWEEN_ACKNOWLEDGEMENTS == 0)
        acknowledgement_run(hub);
}

static void on_idle(uv_idle_t *idle)
{
    work_round(idle->data);
}

void work_schedule(struct picket_hub *hub)
{
    if (!hub->stopped)
        uv_idle_start(&hub->work, on_idle);
}

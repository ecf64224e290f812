#include "acknowledgement.h"

#include <assert.h>
#include <stdlib.h>

#include "connection/connection.h"
#include "work.h"

enum { CAPACITY_AT_FIRST = 1024, ACKNOWLEDGED_A_ROUND = 2048 };

static struct in_flight *entry_of(const struct acknowledgements *acknowledgements,
                                  uint64_t sequence)
{
    return &acknowledgements->ring[sequence & (acknowledgements->capacity - 1)];
}

bool acknowledgement_open(struct acknowledgements *acknowledgements)
{
    acknowledgements->ring = malloc(CAPACITY_AT_FIRST * sizeof *acknowledgements->ring);
    acknowledgements->capacity = CAPACITY_AT_FIRST;
    acknowledgements->first = acknowledgements->end = 1;
    acknowledgements->last_position = 0;
    return acknowledgements->ring != NULL;
}

void acknowledgement_close(struct acknowledgements *acknowledgements)
{
    free(acknowledgements->ring);
}

bool acknowledgement_reserve(struct acknowledgements *acknowledgements)
{
    if (acknowledgements->end - acknowledgements->first < acknowledgements->capacity)
        return true;
    struct acknowledgements larger = *acknowledgements;
    larger.capacity *= 2;
    larger.ring = malloc(larger.capacity * sizeof *larger.ring);
    if (larger.ring == NULL)
        return false;
    for (uint64_t s = acknowledgements->first; s < acknowledgements->end; s++)
        *entry_of(&larger, s) = *entry_of(acknowledgements, s);
    free(acknowledgements->ring);
    *acknowledgements = larger;
    return true;
}

void acknowledgement_add(struct connection *connection, uint16_t packet_id, uint64_t position)
{
    struct picket_hub *hub = connection->hub;
    uint64_t sequence = hub->acknowledgements.end++;
    *entry_of(&hub->acknowledgements, sequence) = (struct in_flight){
        .position = position,
        .previous = connection->last_in_flight,
        .slot = connection->slot,
        .generation = hub->slots[connection->slot].generation,
        .packet_id = packet_id,
    };
    connection->last_in_flight = sequence;
    connection->in_flight++;
    hub->acknowledgements.last_position = position;
    atomic_fetch_add(&hub->awaiting_count, 1);
}

bool acknowledgement_is_awaited(const struct connection *connection, uint16_t packet_id)
{
    const struct acknowledgements *acknowledgements = &connection->hub->acknowledgements;
    uint64_t sequence = connection->last_in_flight;
    while (sequence >= acknowledgements->first) {
        const struct in_flight *entry = entry_of(acknowledgements, sequence);
        if (entry->packet_id == packet_id)
            return true;
        sequence = entry->previous;
    }
    return false;
}

static uint64_t durable_position(const struct picket_hub *hub)
{
    return atomic_load(&hub->waker->durable);
}

bool acknowledgement_is_due(const struct picket_hub *hub)
{
    const struct acknowledgements *acknowledgements = &hub->acknowledgements;
    return acknowledgements->first < acknowledgements->end &&
           entry_of(acknowledgements, acknowledgements->first)->position <= durable_position(hub);
}

static struct connection *acknowledge(struct picket_hub *hub, const struct in_flight *entry)
{
    const struct slot *slot = &hub->slots[entry->slot];
    struct connection *connection = slot->connection;
    if (connection == NULL || slot->generation != entry->generation)
        return NULL;
    uint8_t puback[MQTT_PUBACK_BYTES];
    connection->in_flight--;
    connection_send(connection, puback, mqtt_write_puback(puback, entry->packet_id));
    return connection_is_open(connection) ? connection : NULL;
}

/* The pair of slot and generation stays valid when a flush ends a connection; a pointer would not.
 */
static void flush(struct picket_hub *hub, const struct in_flight *touched)
{
    struct connection *connection = hub->slots[touched->slot].connection;
    if (connection == NULL || hub->slots[touched->slot].generation != touched->generation)
        return;
    connection_flush(connection);
    if (connection_is_open(connection) && connection->window_full &&
        connection->in_flight <= HUB_IN_FLIGHT_MAX / 2) {
        connection->window_full = false;
        work_queue(connection, WORK_READY);
    }
}

void acknowledgement_run(struct picket_hub *hub)
{
    static_assert(ACKNOWLEDGED_A_ROUND <= 4096, "touched[] is on the stack");
    struct in_flight touched[ACKNOWLEDGED_A_ROUND];
    struct acknowledgements *acknowledgements = &hub->acknowledgements;
    uint32_t count = 0, done = 0;
    while (done < ACKNOWLEDGED_A_ROUND && acknowledgement_is_due(hub)) {
        struct in_flight entry = *entry_of(acknowledgements, acknowledgements->first++);
        done++;
        struct connection *connection = acknowledge(hub, &entry);
        /* Its first bytes to send: it was not touched before. */
        if (connection != NULL && connection->unsent.size == MQTT_PUBACK_BYTES)
            touched[count++] = entry;
    }
    atomic_fetch_sub(&hub->awaiting_count, done);
    for (uint32_t i = 0; i < count; i++)
        flush(hub, &touched[i]);
}

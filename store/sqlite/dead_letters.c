/* Messages that could not be understood, with the reason. */
#include <string.h>

#include "store.h"

static int put_dead_letter(struct sqlite_store *store, const struct picket_dead_letter *letter,
                           struct picket_error *error)
{
    int64_t device;
    int status = device_number_of(store, letter->device, &device, error);
    if (status != PICKET_OK)
        return status;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEAD_LETTER_PUT,
                "insert into dead_letters (device, module, received_ms, reason, offset, "
                "properties, payload) values (?, ?, ?, ?, ?, ?, ?)",
                "writing a dead letter");
    query_int(&query, device);
    query_text(&query, letter->module);
    query_int(&query, letter->received_ms);
    query_text(&query, letter->reason);
    query_int(&query, letter->offset);
    query_text(&query, letter->properties);
    query_blob(&query, letter->payload, letter->payload_bytes);
    store->batch_totals.dead_letters++;
    store->batch_totals.dead_letter_bytes +=
        (int64_t)(letter->payload_bytes + strlen(letter->properties));
    return query_run(&query, error);
}

int sqlite_put_dead_letter(struct picket_store *base, const struct picket_dead_letter *letter,
                           struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = put_dead_letter(store, letter, error);
    return batch_note(store, status);
}

static void visit_letter(struct query *query, picket_dead_letter_visit visit, void *context)
{
    struct picket_dead_letter letter;
    letter.id = query_take_int(query);
    letter.device = query_take_text(query);
    letter.module = query_take_text(query);
    letter.received_ms = query_take_int(query);
    letter.reason = query_take_text(query);
    letter.offset = (uint32_t)query_take_int(query);
    letter.properties = query_take_text(query);
    letter.payload = query_take_blob(query, &letter.payload_bytes);
    visit(context, &letter);
}

int sqlite_dead_letters(struct picket_store *base, int limit, picket_dead_letter_visit visit,
                        void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_DEAD_LETTERS,
                "select l.id, d.id, l.module, l.received_ms, l.reason, l.offset, l.properties, "
                "l.payload from dead_letters l cross join devices d on d.number = l.device "
                "order by l.id desc limit ?",
                "reading dead letters");
    query_int(&query, limit);
    while (query_row(&query))
        visit_letter(&query, visit, context);
    return query_end(&query, error);
}

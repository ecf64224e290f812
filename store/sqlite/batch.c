/* The writer's batch: one transaction. */
#include "picket/base/counter.h"
#include "store.h"

static struct picket_counter batches_committed = {
    .name = "store_batches_committed", .help = "batches committed", .is_work = true};
static struct picket_counter batches_failed = {
    .name = "store_batches_failed",
    .help = "batches that could not be written and were rolled back"};

static struct picket_counter findings_suppressed = {.name = "store_findings_suppressed",
                                                    .help = "findings that a suppression kept back",
                                                    .is_work = true};

enum { TURN_TIMEOUT_MS = 5000 };

int batch_check(const struct sqlite_store *store, struct picket_error *error)
{
    if (!store->in_batch)
        return picket_fail(error, PICKET_INVALID, "%s: no batch has begun", store->folder);
    if (store->batch_status != PICKET_OK)
        return picket_fail(error, store->batch_status,
                           "%s: the batch has failed before and must be rolled back",
                           store->folder);
    return PICKET_OK;
}

int batch_note(struct sqlite_store *store, int status)
{
    if (status != PICKET_OK && store->batch_status == PICKET_OK)
        store->batch_status = status;
    return status;
}

/* The handle's turn and SQLite's write lock, or neither. */
static int begin_writing(struct sqlite_store *store, struct picket_error *error)
{
    if (store->in_batch)
        return picket_fail(error, PICKET_INVALID, "%s: a batch is open on this handle",
                           store->folder);
    if (store->store.grouped)
        return picket_fail(error, PICKET_INVALID, "%s: a group is open on this handle",
                           store->folder);
    if (!writers_take_turn(store->writers, TURN_TIMEOUT_MS))
        return picket_fail(error, PICKET_BUSY, "%s: another writer took longer than %d ms",
                           store->picket.path, TURN_TIMEOUT_MS);
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_BEGIN, "begin immediate", "beginning to write");
    int status = query_run(&query, error);
    if (status != PICKET_OK)
        writers_pass_turn(store->writers);
    return status;
}

static int commit_writing(struct sqlite_store *store, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_COMMIT, "commit", "committing");
    return query_run(&query, error);
}

/* SQLite has rolled back by itself after some errors; a rollback has nothing to fail at then. */
static void roll_back(struct sqlite_store *store)
{
    if (!sqlite3_get_autocommit(store->picket.handle))
        sqlite3_exec(store->picket.handle, "rollback", NULL, NULL, NULL);
}

int own_transaction_begin(struct sqlite_store *store, struct picket_error *error)
{
    return begin_writing(store, error);
}

int own_transaction_end(struct sqlite_store *store, int status, struct picket_error *error)
{
    if (status == PICKET_OK)
        status = commit_writing(store, error);
    if (status != PICKET_OK)
        roll_back(store);
    writers_pass_turn(store->writers);
    return status;
}

static int write_totals(struct sqlite_store *store, struct picket_error *error)
{
    const struct batch_totals totals = store->batch_totals;
    if (totals.events == 0 && totals.flows == 0 && totals.dead_letters == 0)
        return PICKET_OK;
    store->batch_totals = (struct batch_totals){0};
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TOTALS_ADD,
                "update totals set events = events + ?, flows = flows + ?, "
                "dead_letters = dead_letters + ?, dead_letter_bytes = dead_letter_bytes + ?",
                "writing the totals");
    query_int(&query, totals.events);
    query_int(&query, totals.flows);
    query_int(&query, totals.dead_letters);
    query_int(&query, totals.dead_letter_bytes);
    return query_run(&query, error);
}

int batch_flush(struct sqlite_store *store, struct picket_error *error)
{
    if (!store->in_batch)
        return PICKET_OK;
    int status = flows_flush(store, error);
    if (status == PICKET_OK)
        status = activity_flush(store, error);
    if (status == PICKET_OK)
        status = write_totals(store, error);
    return batch_note(store, status);
}

int snapshot_begin(struct sqlite_store *store, bool *framed, struct picket_error *error)
{
    *framed = sqlite3_get_autocommit(store->picket.handle) != 0;
    if (store->in_batch)
        return batch_flush(store, error);
    return *framed ? database_run(&store->picket, "begin", error, "beginning to read") : PICKET_OK;
}

void snapshot_end(struct sqlite_store *store, bool framed)
{
    if (framed)
        sqlite3_exec(store->picket.handle, "commit", NULL, NULL, NULL);
}

/* ---- the batch ---- */

int sqlite_begin(struct picket_store *base, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = database_expect_writes(&store->picket, error);
    if (status == PICKET_OK)
        status = begin_writing(store, error);
    if (status != PICKET_OK)
        return status;
    store->in_batch = true;
    store->batch_status = PICKET_OK;
    picket_counter_register(&batches_failed);
    store->batch_totals = (struct batch_totals){0};
    flows_forget(store);
    suppressions_forget(&store->suppressions);
    store->findings_suppressed = 0;
    status = batch_note(store, activity_refresh(store, error));
    if (status != PICKET_OK)
        sqlite_rollback(base);
    return status;
}

static void end_batch(struct sqlite_store *store)
{
    store->in_batch = false;
    writers_pass_turn(store->writers);
}

int sqlite_commit(struct picket_store *base, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = batch_flush(store, error);
    if (status == PICKET_OK)
        status = commit_writing(store, error);
    if (!store->in_batch)
        return status;
    if (status != PICKET_OK) {
        batch_note(store, status);
        sqlite_rollback(base);
        return status;
    }
    picket_count(&batches_committed, 1);
    picket_count(&findings_suppressed, (uint64_t)store->findings_suppressed);
    end_batch(store);
    return PICKET_OK;
}

void sqlite_rollback(struct picket_store *base)
{
    struct sqlite_store *store = sqlite_of(base);
    if (!store->in_batch)
        return;
    if (store->batch_status != PICKET_OK)
        picket_count(&batches_failed, 1);
    roll_back(store);
    /* What was given and learned within the batch never was. */
    flows_forget(store);
    activity_clear(&store->activity);
    store->newest_is_known = false;
    device_numbers_forget(&store->device_numbers);
    end_batch(store);
}

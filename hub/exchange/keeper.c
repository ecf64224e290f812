#include "keeper.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/time.h"
#include "picket/store/messages.h"
#include "picket/store/sessions.h"
#include "picket/store/twins.h"

struct keeping {
    struct picket_store *store;
    keeper_messages_lost lost;
    void *lost_context;
};

static struct picket_store *store_of(void *context)
{
    const struct keeping *keeping = context;
    return keeping->store;
}

static int begin(void *context, struct picket_error *error)
{
    return picket_store_group_begin(store_of(context), error);
}

static int commit(void *context, struct picket_error *error)
{
    return picket_store_group_commit(store_of(context), error);
}

static void rollback(void *context)
{
    picket_store_group_rollback(store_of(context));
}

static void close_store(void *context)
{
    picket_store_close(store_of(context));
    free(context);
}

/* {…} as {…,"$version":n}, without its closing brace; the documents are compact objects. */
static int length_without_brace(const char *object)
{
    return (int)strlen(object) - 1;
}

static const char *separator(const char *object)
{
    return strcmp(object, "{}") == 0 ? "" : ",";
}

static void write_twin(void *context, const struct picket_twin *twin)
{
    char **json = context;
    const struct picket_twin_document *desired = &twin->desired, *reported = &twin->reported;
    if (asprintf(json,
                 "{\"desired\":%.*s%s\"$version\":%" PRId64 "},"
                 "\"reported\":%.*s%s\"$version\":%" PRId64 "}}",
                 length_without_brace(desired->json), desired->json, separator(desired->json),
                 desired->version, length_without_brace(reported->json), reported->json,
                 separator(reported->json), reported->version) < 0)
        *json = NULL;
}

static int twin_get(void *context, const char *device, const char *module, char **json,
                    struct picket_error *error)
{
    *json = NULL;
    int status = picket_store_twin(store_of(context), device, module, write_twin, json, error);
    if (status == PICKET_OK && *json == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "device %s: no memory for its twin", device);
    return status;
}

static int twin_report(void *context, const char *device, const char *module, const char *patch,
                       size_t patch_bytes, int64_t *version, struct picket_error *error)
{
    const struct picket_twin_change change = {
        .device = device,
        .module = module,
        .part = PICKET_TWIN_REPORTED,
        .patch = patch,
        .patch_bytes = patch_bytes,
        .now_ms = picket_unix_ms(),
    };
    return picket_store_twin_patch(store_of(context), &change, version, error);
}

static int session_put(void *context, const char *device, const char *module,
                       uint32_t subscriptions, struct picket_error *error)
{
    return picket_store_session_put(store_of(context), device, module, subscriptions, error);
}

/* ---- messages to devices ---- */

struct visiting {
    keeper_message_visit visit;
    void *context;
};

static void pass_on(void *context, const struct picket_message *message)
{
    const struct visiting *visiting = context;
    visiting->visit(visiting->context, message->id, message->bag, message->payload,
                    message->payload_bytes);
}

static int messages_take(void *context, const char *device, int64_t after_id, int count_max,
                         size_t bytes_max, keeper_message_visit visit, void *visit_context,
                         bool *more, struct picket_error *error)
{
    struct visiting visiting = {visit, visit_context};
    const struct picket_message_claim claim = {.device = device,
                                               .after_id = after_id,
                                               .count_max = count_max,
                                               .bytes_max = bytes_max,
                                               .now_ms = picket_unix_ms()};
    return picket_store_messages_take(store_of(context), &claim, pass_on, &visiting, more, error);
}

static int message_done(void *context, const char *device, int64_t id, struct picket_error *error)
{
    return picket_store_message_done(store_of(context), device, id, error);
}

static int messages_expire(void *context, struct picket_error *error)
{
    int64_t count;
    return picket_store_messages_expire(store_of(context), picket_unix_ms(), &count, error);
}

static void tell_lost(void *context, const char *device, enum picket_message_loss loss,
                      int64_t count)
{
    const struct keeping *keeping = context;
    keeping->lost(keeping->lost_context, device, loss == PICKET_MESSAGES_EXPIRED, count);
}

static void on_messages_lost(void *context, keeper_messages_lost lost, void *lost_context)
{
    struct keeping *keeping = context;
    keeping->lost = lost;
    keeping->lost_context = lost_context;
    picket_store_on_messages_lost(keeping->store, tell_lost, keeping);
}

int keeper_open_store(struct hub_keeper *keeper, const char *store_folder,
                      struct picket_error *error)
{
    struct keeping *keeping = calloc(1, sizeof *keeping);
    if (keeping == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "hub: no memory");
    int status = picket_store_open(&keeping->store, store_folder, error);
    if (status != PICKET_OK)
        free(keeping);
    else
        *keeper = (struct hub_keeper){.begin = begin,
                                      .commit = commit,
                                      .rollback = rollback,
                                      .twin_get = twin_get,
                                      .twin_report = twin_report,
                                      .session_put = session_put,
                                      .messages_take = messages_take,
                                      .message_done = message_done,
                                      .messages_expire = messages_expire,
                                      .on_messages_lost = on_messages_lost,
                                      .close = close_store,
                                      .context = keeping};
    return status;
}

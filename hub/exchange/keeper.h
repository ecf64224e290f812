/* Who keeps what goes to and fro between devices and their owners. A seam: the store in service
 * (keeper.c), nobody in some tests.
 *
 * Called on the exchange's thread alone, which may wait for the disk. Several requests are one
 * group: what is between begin and commit is there when commit says PICKET_OK, or not at all.
 * Refusals (PICKET_INVALID, NOT_FOUND, EXISTS, BUSY) cost themselves only; after any other failure
 * the group is rolled back, and done again without who failed, unless the disk is full. Requests
 * that only read come without a group, too.
 */
#ifndef PICKET_HUB_KEEPER_H
#define PICKET_HUB_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"

/* bag: the properties as they stand in the topic. Valid during the call. */
typedef void (*keeper_message_visit)(void *context, int64_t id, const char *bag,
                                     const uint8_t *payload, size_t payload_bytes);

typedef void (*keeper_messages_lost)(void *context, const char *device, bool expired,
                                     int64_t count);

struct hub_keeper {
    int (*begin)(void *context, struct picket_error *error);
    int (*commit)(void *context, struct picket_error *error);
    void (*rollback)(void *context);

    /* *json: {"desired":{…,"$version":n},"reported":{…,"$version":n}}, for the caller to free. */
    int (*twin_get)(void *context, const char *device, const char *module, char **json,
                    struct picket_error *error);
    /* Applies a merge patch to what is reported; *version is what it has then. */
    int (*twin_report)(void *context, const char *device, const char *module, const char *patch,
                       size_t patch_bytes, int64_t *version, struct picket_error *error);

    /* Keeps what the device subscribes to; 0: nothing any more. */
    int (*session_put)(void *context, const char *device, const char *module,
                       uint32_t subscriptions, struct picket_error *error);

    /* Visits messages to the device behind that id, in order, and counts a delivery of each: at
     * most so many, about so many bytes. *more: there are further ones. */
    int (*messages_take)(void *context, const char *device, int64_t after_id, int count_max,
                         size_t bytes_max, keeper_message_visit visit, void *visit_context,
                         bool *more, struct picket_error *error);
    /* The device has acknowledged it. */
    int (*message_done)(void *context, const char *device, int64_t id, struct picket_error *error);
    /* From now on tells of messages that are removed though their device did not take them:
     * expired, or else sent too often; within the group, before it is committed. */
    void (*on_messages_lost)(void *context, keeper_messages_lost lost, void *lost_context);
    /* Removes some of what has expired. */
    int (*messages_expire)(void *context, struct picket_error *error);

    void (*close)(void *context); /* at the hub's end */
    void *context;
};

/* The store in that folder, opened anew. */
int keeper_open_store(struct hub_keeper *keeper, const char *store_folder,
                      struct picket_error *error);

#endif

/* /v1/dead-letters: messages that could not be read, with the reason, newest first. */
#include "api_internal.h"

/* Of one answer: a thousand of the largest messages would take the memory of the service. */
enum { PAYLOAD_BYTES_MAX = 16 * 1024 * 1024 };

struct dead_letter_list {
    json_t *array;
    bool with_payload;
    size_t payload_bytes; /* so far */
};

static json_t *payload_json(struct dead_letter_list *list, const struct picket_dead_letter *letter)
{
    if (letter->payload_bytes > PAYLOAD_BYTES_MAX - list->payload_bytes)
        return json_null();
    list->payload_bytes += letter->payload_bytes;
    return api_json_base64(letter->payload, letter->payload_bytes);
}

static void append_letter(void *context, const struct picket_dead_letter *letter)
{
    struct dead_letter_list *list = context;
    json_t *object = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:I}", "id", (json_int_t)letter->id, "device",
        api_json_text(letter->device), "module", api_json_known(letter->module), "received",
        api_json_time(letter->received_ms), "reason", api_json_text(letter->reason), "offset",
        (json_int_t)letter->offset, "properties", api_json_text(letter->properties),
        "payload_bytes", (json_int_t)letter->payload_bytes);
    if (list->with_payload)
        json_object_set_new(object, "payload", payload_json(list, letter));
    json_array_append_new(list->array, object);
}

void api_dead_letters_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct dead_letter_list list = {.with_payload = false};
    struct picket_store *store = NULL;
    int64_t limit = API_LIMIT_DEFAULT;
    if (api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, &error) != PICKET_OK ||
        api_query_flag(request, "payload", &list.with_payload, &error) != PICKET_OK ||
        !(store = api_store_borrow(request->api, &error))) {
        api_answer_error(answer, &error);
        return;
    }
    list.array = json_array();
    int status = picket_store_dead_letters(store, (int)limit, append_letter, &list, &error);
    api_store_return(request->api, store);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:O}", "dead_letters", list.array));
    else
        api_answer_error(answer, &error);
    json_decref(list.array);
}

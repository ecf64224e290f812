/* POSTs each item to a URL. 2xx confirms it; anything else is a failure and will be tried again,
 * not before the time that a Retry-After asks for. The headers X-Picket-Delivery and X-Picket-Alert
 * are the same at each attempt, so that a receiver can tell a repetition. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../http.h"
#include "output.h"

enum {
    ONE_BY_ONE = 64,
    CONNECT_TIMEOUT_MS = 5000,
    TOTAL_TIMEOUT_MS = 20000,
    RETRY_AFTER_MAX_S = 3600
};

struct webhook {
    const char *target;
    const atomic_int *stopping;
    CURL *curl; /* kept, so that its connection is */
    char reason[CURL_ERROR_SIZE];
};

static size_t ignore_answer(char *bytes, size_t one, size_t count, void *context)
{
    (void)bytes, (void)context;
    return one * count;
}

static int cancelled(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct webhook *webhook = context;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(webhook->stopping) != 0;
}

static void webhook_close(void *state)
{
    struct webhook *webhook = state;
    if (webhook->curl != NULL)
        curl_easy_cleanup(webhook->curl);
    free(webhook);
}

static int webhook_check(const struct picket_output_config *config, char *setting,
                         struct picket_error *error)
{
    if (strncmp(config->location, "https://", 8) == 0 ||
        strncmp(config->location, "http://", 7) == 0)
        return PICKET_OK;
    snprintf(setting, PICKET_OUTPUT_SETTING_BYTES, "location");
    return picket_fail(error, PICKET_INVALID, "\"%.60s\" starts with neither https:// nor http://",
                       config->location);
}

static int webhook_open(void **state, const struct picket_output_config *config,
                        const atomic_int *stopping, struct picket_error *error)
{
    struct webhook *webhook = calloc(1, sizeof *webhook);
    if (webhook == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for output %s", config->name);
    webhook->target = config->name;
    webhook->stopping = stopping;
    webhook->curl = http_handle(webhook->reason);
    if (webhook->curl == NULL) {
        webhook_close(webhook);
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for output %s", config->name);
    }
    CURL *curl = webhook->curl;
    curl_easy_setopt(curl, CURLOPT_URL, config->location);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_answer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, cancelled);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, webhook);
    *state = webhook;
    return PICKET_OK;
}

static struct curl_slist *headers_of(const struct webhook *webhook, const struct delivery *item)
{
    char line[160];
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    snprintf(line, sizeof line, "X-Picket-Delivery: %.100s-%" PRId64, webhook->target, item->id);
    headers = curl_slist_append(headers, line);
    if (item->alert_id > 0) {
        snprintf(line, sizeof line, "X-Picket-Alert: %" PRId64, item->alert_id);
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

/* The others say "not now", whatever the item is. */
static bool is_answer_to_item(long answer)
{
    return answer >= 300 && answer <= 500 && answer != 408 && answer != 425 && answer != 429;
}

static int64_t retry_after_ms(CURL *curl)
{
    curl_off_t wait_s = 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s);
    return (wait_s < 0 ? 0 : wait_s < RETRY_AFTER_MAX_S ? wait_s : RETRY_AFTER_MAX_S) * 1000;
}

static int post(struct webhook *webhook, const struct delivery *item, struct sending *sending,
                struct picket_error *error)
{
    long answer = 0;
    struct curl_slist *headers = headers_of(webhook, item);
    webhook->reason[0] = '\0';
    curl_easy_setopt(webhook->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(webhook->curl, CURLOPT_POSTFIELDS, item->body);
    curl_easy_setopt(webhook->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)item->body_bytes);
    CURLcode code = curl_easy_perform(webhook->curl);
    curl_easy_getinfo(webhook->curl, CURLINFO_RESPONSE_CODE, &answer);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return picket_fail(error, PICKET_IO, "%s",
                           webhook->reason[0] != '\0' ? webhook->reason : curl_easy_strerror(code));
    if (answer >= 200 && answer <= 299)
        return PICKET_OK;
    sending->answered = is_answer_to_item(answer);
    sending->retry_after_ms = retry_after_ms(webhook->curl);
    return picket_fail(error, PICKET_IO, "the receiver answered %ld", answer);
}

static int webhook_send(void *state, const struct delivery *items, size_t count,
                        struct sending *sending, struct picket_error *error)
{
    struct webhook *webhook = state;
    int status = PICKET_OK;
    for (; sending->sent < count && status == PICKET_OK; sending->sent += status == PICKET_OK)
        status = atomic_load(webhook->stopping) == 0
                     ? post(webhook, &items[sending->sent], sending, error)
                     : picket_fail(error, PICKET_CLOSED, "stopping");
    return status;
}

const struct sender webhook_sender = {.together = ONE_BY_ONE,
                                      .check = webhook_check,
                                      .open = webhook_open,
                                      .send = webhook_send,
                                      .close = webhook_close};

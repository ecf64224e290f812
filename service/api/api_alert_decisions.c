/* What people make of alerts: of one, or of all open ones that are asked for. */
#include <string.h>

#include "api_internal.h"
#include "picket/base/time.h"

enum { REASON_BYTES_MAX = 1000 };

/* Closing takes a verdict, and only closing does. */
static int check_verdict(const struct picket_alert_decision *decision, struct picket_error *error)
{
    static const char verdicts[] = "true-positive benign-positive false-positive unknown";
    bool closes = !api_listed("acknowledged new", decision->status);
    if (closes && !api_listed(verdicts, decision->verdict))
        return picket_fail(error, PICKET_INVALID,
                           "verdict: \"%.40s\" is none of true-positive, benign-positive, "
                           "false-positive, unknown",
                           decision->verdict);
    if (!closes && decision->verdict[0])
        return picket_fail(error, PICKET_INVALID, "verdict: goes with dismissed or resolved");
    return PICKET_OK;
}

int api_parse_decision(const json_t *body, struct picket_alert_decision *decision,
                       struct picket_error *error)
{
    *decision = (struct picket_alert_decision){.verdict = "", .reason = ""};
    int status = api_member_text(body, "status", true, &decision->status, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "verdict", false, &decision->verdict, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "reason", false, &decision->reason, error);
    if (status == PICKET_OK)
        status = api_member_flag(body, "change", &decision->change, error);
    if (status == PICKET_OK && strlen(decision->reason) > REASON_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "reason: longer than %d bytes", REASON_BYTES_MAX);
    return status == PICKET_OK ? check_verdict(decision, error) : status;
}

static int decide(struct picket_api *api, const struct picket_alert_decision *decision,
                  struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_alert_decide(store, decision, error);
    api_store_return(api, store);
    return status;
}

void api_alerts_decide(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_alert_decision decision;
    int64_t id;
    if (!api_path_id(request, "alert", &id, answer))
        return;
    int status = api_parse_decision(request->body, &decision, &error);
    decision.id = id;
    decision.decided_ms = picket_unix_ms();
    decision.uid = request->uid;
    if (status != PICKET_OK || decide(request->api, &decision, &error) != PICKET_OK)
        api_answer_error(answer, &error);
    else
        api_answer_alert(request, id, answer);
}

static int decide_many(struct picket_api *api, const struct alert_asked *asked,
                       const struct picket_alert_decision *decision, int64_t *count,
                       struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_alerts_decide(store, &asked->query, decision, count, error);
    api_store_return(api, store);
    return status;
}

void api_alerts_decide_many(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct alert_asked asked;
    struct picket_alert_decision decision;
    int64_t count = 0;
    int status = api_parse_alerts_asked(request->body, &asked, &error);
    if (status == PICKET_OK)
        status = api_parse_decision(request->body, &decision, &error);
    if (status == PICKET_OK) {
        decision.decided_ms = picket_unix_ms();
        decision.uid = request->uid;
        status = decide_many(request->api, &asked, &decision, &count, &error);
    }
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:I}", "decided", (json_int_t)count));
    else
        api_answer_error(answer, &error);
}

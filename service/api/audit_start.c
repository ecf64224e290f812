/* Picket's own entries in the audit log: its start, another time to keep the log, and what was done
 * to the log while nobody looked. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "audit_note.h"
#include "picket/base/diagnostics.h"

/* ---- the start ---- */

static int append_own(struct picket_api *api, struct picket_store *store, const char *act,
                      const char *thing, json_t *detail, struct picket_error *error)
{
    struct picket_audit_entry entry = {
        .uid = getuid(), .pid = getpid(), .status = 200, .act = act, .thing = thing};
    return audit_append(api, store, &entry, detail, error);
}

struct last_start {
    bool found;
    int64_t audit_age_s;
    int64_t oldest_id; /* of those looked at */
};

static void look_for_start(void *context, const struct picket_audit_entry *entry)
{
    struct last_start *last = context;
    last->oldest_id = entry->id;
    if (last->found || strcmp(entry->act, "picket.start") != 0)
        return;
    json_t *detail = json_loads(entry->detail, 0, NULL);
    last->found = true;
    last->audit_age_s = json_integer_value(json_object_get(detail, "audit_age_s"));
    json_decref(detail);
}

/* Looks back from the newest; a start is seldom far. */
static void find_last_start(struct picket_store *store, struct last_start *last)
{
    enum { PAGES_MAX = 20, PAGE = 1000 };
    for (int i = 0; i < PAGES_MAX && !last->found && last->oldest_id != 1; i++) {
        const struct picket_audit_query page = {.before_id = last->oldest_id, .limit = PAGE};
        int64_t before = last->oldest_id;
        if (picket_store_audit(store, &page, look_for_start, last, NULL) != PICKET_OK ||
            last->oldest_id == before)
            return;
    }
}

static int append_start(struct picket_api *api, struct picket_store *store,
                        struct picket_error *error)
{
    struct last_start last = {0};
    int64_t age_s = api_config(api)->audit_age_s;
    find_last_start(store, &last);
    int status = append_own(
        api, store, "picket.start", "",
        json_pack("{s:s, s:I}", "version", PICKET_VERSION, "audit_age_s", (json_int_t)age_s),
        error);
    if (status == PICKET_OK && last.found && last.audit_age_s != age_s)
        status = append_own(api, store, "audit.change", "",
                            json_pack("{s:{s:I}, s:{s:I}}", "before", "audit_age_s",
                                      (json_int_t)last.audit_age_s, "after", "audit_age_s",
                                      (json_int_t)age_s),
                            error);
    return status;
}

/* ---- was it left alone? ---- */

enum { CHECKED_MAX = 100000 };

static void copy_entry(void *context, const struct picket_audit_entry *entry)
{
    struct audit_note *found = context;
    found->id = entry->id;
    memcpy(found->seal, entry->seal, sizeof found->seal);
}

/* The newest before that one; id 0: there is none. */
static int find_entry(struct picket_store *store, int64_t before_id, struct audit_note *found,
                      struct picket_error *error)
{
    const struct picket_audit_query query = {.before_id = before_id, .limit = 1};
    *found = (struct audit_note){.id = 0};
    return picket_store_audit(store, &query, copy_entry, found, error);
}

static void add_problem(char problem[AUDIT_PROBLEM_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_problem(char problem[AUDIT_PROBLEM_BYTES], const char *format, ...)
{
    size_t used = strlen(problem);
    va_list arguments;
    used +=
        (size_t)snprintf(problem + used, AUDIT_PROBLEM_BYTES - used, "%s", used ? ", and " : "");
    va_start(arguments, format);
    vsnprintf(problem + used, AUDIT_PROBLEM_BYTES - used, format, arguments);
    va_end(arguments);
}

static int check_chain(struct picket_store *store, const struct audit_note *last, char *problem,
                       struct picket_error *error)
{
    struct picket_audit_check check;
    int64_t after_id = last->id > CHECKED_MAX ? last->id - CHECKED_MAX : 0;
    int status = picket_store_audit_check_after(store, after_id, &check, error);
    if (status == PICKET_OK && check.broken_id > 0)
        add_problem(problem, "entry %lld does not follow from the one before it",
                    (long long)check.broken_id);
    return status;
}

static int compare_with_note(struct picket_store *store, const struct audit_note *note,
                             const struct audit_note *last, char *problem,
                             struct picket_error *error)
{
    struct audit_note same;
    int status = find_entry(store, note->id + 1, &same, error);
    if (status != PICKET_OK)
        return status;
    if (last->id == 0)
        add_problem(problem, "it is empty, and there was an entry %lld", (long long)note->id);
    else if (last->id < note->id)
        add_problem(problem, "it ends with entry %lld, and there was an entry %lld",
                    (long long)last->id, (long long)note->id);
    else if (same.id == note->id && memcmp(same.seal, note->seal, sizeof same.seal) != 0)
        add_problem(problem, "entry %lld is not the one that was there", (long long)note->id);
    return PICKET_OK;
}

int audit_find_loss(struct picket_store *store, const char *folder,
                    char problem[AUDIT_PROBLEM_BYTES], struct picket_error *error)
{
    struct audit_note note, last;
    bool is_noted = audit_note_read(folder, &note); /* before the log, which may be appended to */
    problem[0] = '\0';
    int status = find_entry(store, 0, &last, error);
    if (status == PICKET_OK && last.id > 0)
        status = check_chain(store, &last, problem, error);
    return status == PICKET_OK && is_noted ? compare_with_note(store, &note, &last, problem, error)
                                           : status;
}

struct search {
    const char *problem;
    bool found;
    int64_t oldest_id;
};

static void look_for_loss(void *context, const struct picket_audit_entry *entry)
{
    struct search *search = context;
    search->oldest_id = entry->id;
    search->found |= strcmp(entry->act, "audit.loss") == 0 &&
                     strncmp(entry->thing, search->problem, strlen(search->problem)) == 0;
}

/* Was it told at an earlier start, maybe with more? What is broken stays so. */
static bool is_told(struct picket_store *store, const char *problem)
{
    enum { PAGE = 1000 };
    struct search search = {.problem = problem};
    for (int i = 0; i < CHECKED_MAX / PAGE && !search.found && search.oldest_id != 1; i++) {
        const struct picket_audit_query page = {.before_id = search.oldest_id, .limit = PAGE};
        int64_t before = search.oldest_id;
        if (picket_store_audit(store, &page, look_for_loss, &search, NULL) != PICKET_OK ||
            search.oldest_id == before)
            break;
    }
    return search.found;
}

/* Tells of it once, and takes the log for what it is from now on. */
static int append_loss(struct picket_api *api, struct picket_store *store, const char *problem,
                       struct picket_error *error)
{
    struct audit_note last;
    if (problem[0] == '\0' || is_told(store, problem))
        return PICKET_OK;
    picket_say(PICKET_ERROR, "service", "the audit log was changed outside of Picket: %s", problem);
    int status = append_own(api, store, "audit.loss", problem, json_object(), error);
    if (status == PICKET_OK)
        status = find_entry(store, 0, &last, error);
    if (status == PICKET_OK)
        status = audit_note_write(api_config(api)->store_folder, &last, true, error);
    return status;
}

static int write_start(struct picket_api *api, struct picket_store *store,
                       struct picket_error *error)
{
    char problem[AUDIT_PROBLEM_BYTES];
    int status = audit_find_loss(store, api_config(api)->store_folder, problem, error);
    if (status == PICKET_OK)
        status = append_start(api, store, error);
    return status == PICKET_OK ? append_loss(api, store, problem, error) : status;
}

void audit_start(struct picket_api *api)
{
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(api, &error);
    if (store) {
        write_start(api, store, &error);
        api_store_return(api, store);
    }
    if (error.status != PICKET_OK)
        picket_say(PICKET_ERROR, "service", "this start is not in the audit log: %s", error.text);
}

/* The audit log for every engine: seals, and whether they hold. */
#include "picket/store/audit.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

enum { DEFAULT_LIMIT = 100, CHECK_PAGE = 1000 };

/* ---- seals ---- */

static void add_text(EVP_MD_CTX *hash, const char *text)
{
    char length[24];
    size_t size = strlen(text);
    int digits = snprintf(length, sizeof length, "%zu:", size);
    EVP_DigestUpdate(hash, length, (size_t)digits);
    EVP_DigestUpdate(hash, text, size);
    EVP_DigestUpdate(hash, ",", 1);
}

static void add_number(EVP_MD_CTX *hash, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    add_text(hash, text);
}

static void add_seal(EVP_MD_CTX *hash, const uint8_t seal[PICKET_SEAL_BYTES])
{
    char text[2 * PICKET_SEAL_BYTES + 1];
    for (size_t i = 0; i < PICKET_SEAL_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", seal[i]);
    add_text(hash, text);
}

void picket_audit_seal(const struct picket_audit_entry *entry,
                       const uint8_t previous[PICKET_SEAL_BYTES], uint8_t seal[PICKET_SEAL_BYTES])
{
    unsigned int size = 0;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    memset(seal, 0, PICKET_SEAL_BYTES);
    if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(hash);
        return; /* no memory: a seal of zeros, which does not hold, and shows */
    }
    add_seal(hash, previous);
    add_number(hash, entry->id);
    add_number(hash, entry->time_ms);
    add_number(hash, entry->uid);
    add_number(hash, entry->pid);
    add_number(hash, entry->of);
    add_number(hash, entry->status);
    add_text(hash, entry->act);
    add_text(hash, entry->thing);
    add_text(hash, entry->detail);
    EVP_DigestFinal_ex(hash, seal, &size);
    EVP_MD_CTX_free(hash);
}

/* ---- the log ---- */

int picket_store_audit_append(struct picket_store *store, struct picket_audit_entry *entry,
                              int64_t age_s, struct picket_error *error)
{
    if (strlen(entry->detail) > PICKET_AUDIT_DETAIL_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "audit log: %s: its detail exceeds %d bytes",
                           entry->act, PICKET_AUDIT_DETAIL_BYTES_MAX);
    return store->engine->audit_append(store, entry, age_s, error);
}

int picket_store_audit(struct picket_store *store, const struct picket_audit_query *query,
                       picket_audit_visit visit, void *context, struct picket_error *error)
{
    struct picket_audit_query limited = *query;
    if (limited.limit <= 0)
        limited.limit = DEFAULT_LIMIT;
    return store->engine->audit(store, &limited, visit, context, error);
}

/* The first that is left may follow one that has aged: its own word is taken for that. */
static void check_entry(void *context, const struct picket_audit_entry *entry)
{
    struct picket_audit_check *check = context;
    uint8_t seal[PICKET_SEAL_BYTES];
    bool is_first = check->count++ == 0;
    bool follows = is_first || (entry->id == check->last_id + 1 &&
                                memcmp(entry->previous, check->head, PICKET_SEAL_BYTES) == 0);
    picket_audit_seal(entry, entry->previous, seal);
    if (check->broken_id == 0 && !(follows && memcmp(seal, entry->seal, PICKET_SEAL_BYTES) == 0))
        check->broken_id = entry->id;
    if (is_first)
        check->first_id = entry->id;
    check->last_id = entry->id;
    memcpy(check->head, entry->seal, PICKET_SEAL_BYTES);
}

int picket_store_audit_check(struct picket_store *store, struct picket_audit_check *check,
                             struct picket_error *error)
{
    return picket_store_audit_check_after(store, 0, check, error);
}

int picket_store_audit_check_after(struct picket_store *store, int64_t after_id,
                                   struct picket_audit_check *check, struct picket_error *error)
{
    int status;
    int64_t before;
    memset(check, 0, sizeof *check);
    do {
        const struct picket_audit_query page = {.after_id =
                                                    check->count > 0 ? check->last_id : after_id,
                                                .oldest_first = true,
                                                .limit = CHECK_PAGE};
        before = check->count;
        status = picket_store_audit(store, &page, check_entry, check, error);
    } while (status == PICKET_OK && check->count == before + CHECK_PAGE);
    return status;
}

/* What every test of this part includes: check.h, and a store in a folder of its own. */
#ifndef PICKET_STORE_TESTS_SUPPORT_H
#define PICKET_STORE_TESTS_SUPPORT_H

#include "check.h"
#include "picket/store/store.h"

/* 0 <= number < below */
int random_below(uint64_t *state, int below);

/* A folder that does not exist yet; forget_folder() removes what is in it. */
extern char folder[64];
void new_folder(void);
void forget_folder(void);

/* Setup and teardown of a test: the folder, and *state a struct picket_store *. */
int with_store(void **state);
int without_store(void **state);

/* The error of the call at hand; MUST(call) fails the test with its text unless it returns
 * PICKET_OK. */
extern struct picket_error error;
void must(int status);
#define MUST(call) must(call)

/* Runs SQL on a file of the folder behind the store's back. */
void run_sql(const char *file, const char *sql);
int64_t ask_sql(const char *file, const char *sql);

/* The folder with a picket.db as the first steps of the schema left it. */
void make_old_store(int version);

struct picket_event_row event_of(const char *device, int64_t time_s, uint64_t key);
struct picket_flow flow_of(uint64_t number);
/* Not by memcmp(): between the members there may be anything. */
bool flows_are_equal(const struct picket_flow *a, const struct picket_flow *b);
struct picket_finding finding_of(const char *device, const char *subject, int64_t seen_ms);
struct picket_device_identity identity_of(const char *id);

struct picket_store_totals totals_of(struct picket_store *store);

#endif

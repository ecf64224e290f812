/* How many messages have been prepared: linked with --wrap=prepare_message. */
#ifndef TESTS_PREPARED_COUNT_H
#define TESTS_PREPARED_COUNT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "preparer.h"

extern atomic_int prepared_count;

/* prepare_message() itself, not counted. */
bool __real_prepare_message(struct arena *arena, const struct picket_log_message *message,
                            struct prepared_message *prepared);

/* At least *(const int *)count, for harness_wait(). */
bool has_prepared(void *count);

#endif

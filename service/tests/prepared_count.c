#include "prepared_count.h"

atomic_int prepared_count;

bool __wrap_prepare_message(struct arena *arena, const struct picket_log_message *message,
                            struct prepared_message *prepared);

bool __wrap_prepare_message(struct arena *arena, const struct picket_log_message *message,
                            struct prepared_message *prepared)
{
    bool fits = __real_prepare_message(arena, message, prepared);
    atomic_fetch_add(&prepared_count, 1);
    return fits;
}

bool has_prepared(void *count)
{
    return atomic_load(&prepared_count) >= *(const int *)count;
}

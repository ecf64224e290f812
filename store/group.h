/* What each small change begins and ends with: its own transaction, or a part of the group's. */
#ifndef PICKET_STORE_GROUP_H
#define PICKET_STORE_GROUP_H

#include "engine.h"

int group_enter(struct picket_store *store, struct picket_error *error);
/* After group_enter() only; returns the status, or that of the commit. */
int group_leave(struct picket_store *store, int status, struct picket_error *error);

#endif

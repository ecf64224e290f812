/* Which messages a route takes.
 *
 * Thread: pure functions.
 */
#ifndef SERVICE_ROUTE_H
#define SERVICE_ROUTE_H

#include <stdbool.h>

#include "picket/log/log.h"
#include "picket/service/output.h"

/* One of the patterns has to fit who sent it, and all of the properties have to be among its own.
 */
bool route_takes(const struct picket_route_filter *filter,
                 const struct picket_log_message *message);

#endif

/* What devices will think of the hub's certificate. A certificate for another name, or one that has
 * ended, makes no error here: devices just do not connect. So it is said at the start, and by
 * --check-config.
 */
#ifndef PICKET_CLI_CERTIFICATE_H
#define PICKET_CLI_CERTIFICATE_H

#include "picket/hub/hub.h"

typedef void (*certificate_problem)(void *context, const char *text);

/* Calls problem for each that is found, and returns their number. Files are PEM; of the
 * certificate's, the first is looked at. */
int certificate_check(const struct picket_hub_config *hub, certificate_problem problem,
                      void *context);

#endif

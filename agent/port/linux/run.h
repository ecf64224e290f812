/* picket-agent run: captures, counts and reports until a signal ends it. */
#ifndef PICKET_AGENT_LINUX_RUN_H
#define PICKET_AGENT_LINUX_RUN_H

#include "settings.h"

/* Returns the exit code: 0 ended by a signal, 1 failed, EXIT_USAGE no or a wrong connection string.
 */
int run(struct run_settings *settings);

#endif

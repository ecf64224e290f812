/* picket-agent replay: a capture file through the agent's core, in capture time. */
#ifndef PICKET_AGENT_LINUX_REPLAY_H
#define PICKET_AGENT_LINUX_REPLAY_H

#include "settings.h"

/* Flows go to standard output, statistics and errors to standard error. Returns the exit code: 0,
 * or 1 if the file could not be read (to its end) or a message not be written. */
int replay(const struct replay_settings *settings);

#endif

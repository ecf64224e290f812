/* The help texts. */
#ifndef PICKET_AGENT_LINUX_USAGE_H
#define PICKET_AGENT_LINUX_USAGE_H

extern const char usage[];
extern const char usage_run[];
extern const char usage_replay[];

#endif

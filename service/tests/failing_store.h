/* A store that fails as a test says: linked with --wrap=picket_store_commit and
 * --wrap=picket_store_put_event, it stands in front of the real one. The events of a device called
 * "refused" are invalid to it. */
#ifndef TESTS_FAILING_STORE_H
#define TESTS_FAILING_STORE_H

#include <stdatomic.h>

extern atomic_int failures_left; /* so many commits will fail: the disk is full */
extern atomic_int failures_seen; /* so many did */

#endif

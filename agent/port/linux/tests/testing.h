/* What every cmocka program includes, in the order that cmocka wants. */
#ifndef PICKET_AGENT_LINUX_TESTS_TESTING_H
#define PICKET_AGENT_LINUX_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif

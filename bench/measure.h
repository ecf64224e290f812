/* What the benchmarks measure with. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "picket/base/error.h"

/* Ends the program, saying why, unless status is PICKET_OK. */
void bench_must(int status, const struct picket_error *error);

double bench_now_s(void);       /* monotonic */
double bench_cpu_s(void);       /* that this thread has had */
double bench_resident_mb(void); /* of this process; 0: not known */

#endif

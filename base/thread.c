#include "picket/base/thread.h"

#include <stdio.h>

int picket_thread_start(pthread_t *thread, const char *name, void *(*run)(void *context),
                        void *context)
{
    char shown[16];
    int failed = pthread_create(thread, NULL, run, context);
    if (failed == 0) {
        snprintf(shown, sizeof shown, "%s", name);
        pthread_setname_np(*thread, shown);
    }
    return failed;
}

#include "picket/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int picket_fail(struct picket_error *error, int status, const char *format, ...)
{
    if (error == NULL)
        return status;
    /* The text may quote what the error already says, so it is built aside. */
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(error->text, text, sizeof text);
    error->status = status;
    return status;
}

void picket_fail_in(struct picket_error *error, const char *where_format, ...)
{
    if (error == NULL)
        return;
    char where[sizeof error->text];
    va_list arguments;
    va_start(arguments, where_format);
    vsnprintf(where, sizeof where, where_format, arguments);
    va_end(arguments);

    /* The sentence moves up to make room for where it happened; what does not fit is cut. */
    size_t size = sizeof error->text, used = strlen(where);
    used += used + 2 < size ? (size_t)sprintf(where + used, ": ") : 0;
    size_t kept = strnlen(error->text, size - 1 - used);
    memmove(error->text + used, error->text, kept);
    memcpy(error->text, where, used);
    error->text[used + kept] = '\0';
}

/* The errors' names, and what a person reads. */
#include "rig/port.h"
#include <stdarg.h>
#include <stdio.h>

static const char *const names[] = {
    "ok",   "open",     "busy",        "silent", "answer", "refused",
    "gone", "readback", "unsupported", "failed", "memory",
};
_Static_assert(sizeof names / sizeof *names == RIG_ERRORS, "a name for each error");

const char *rig_error_name(int error)
{
    return error <= 0 && error > -RIG_ERRORS ? names[-error] : NULL;
}

int rig_port_say(int error, char *message, size_t len, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, len, format, args);
    va_end(args);
    return error;
}

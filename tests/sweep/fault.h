/* Which fault a plugin of this folder has: chosen by the test that loads it. */
#ifndef TESTS_SWEEP_FAULT_H
#define TESTS_SWEEP_FAULT_H

#include <stdlib.h>
#include <string.h>

/* Read when the plugin is loaded, not later: the host remembers static variables as they are after
 * loading, so this one stays through every reset. */
static char fault[32];

__attribute__((constructor)) static void choose_fault(void)
{
    const char *name = getenv("SWEEP_FAULT");
    memset(fault, 0, sizeof fault);
    if (name)
        strncpy(fault, name, sizeof fault - 1);
}

static int has_fault(const char *name)
{
    return !strcmp(fault, name);
}

#endif

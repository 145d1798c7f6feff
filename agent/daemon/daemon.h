/* The daemon's life: from a boot to its end. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "settings.h"

/* The program's exit codes. */
enum agent_exit {
    AGENT_EXIT_OK = 0,      /* SIGTERM or SIGINT, or a command that was done */
    AGENT_EXIT_ERROR = 1,   /* usage, configuration or environment: nothing was started */
    AGENT_EXIT_NO_BOOT = 3, /* no slot holds an image that may run */
    AGENT_EXIT_REBOOT = 4   /* exit_to_reboot: the supervisor restarts the machine */
};

/* Runs until the end. argv is executed again at a reboot. */
int agent_daemon_run(const struct agent_settings *settings, const struct agent_log *log,
                     char **argv);

#endif

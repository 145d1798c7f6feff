/*
 * What an application on the board supplies to be kept up to date: fw_run drives the agent, the OTA
 * line, the watchdog and the log, and calls the application in between. One thread, no interrupt of
 * the application's own. Everything is static; NULL is misuse.
 */
#ifndef FW_APP_H
#define FW_APP_H

#include "agent/text.h"
#include "boot/flash.h"
#include <stdbool.h>
#include <stdint.h>

/* The board that it runs on. */
struct fw_site {
    const char *device_id, *hw_revision, *version;
    const struct boot_flash *flash;
    uint32_t data_addr, data_bytes; /* the application's part of the data partition: read only */
};

/* Where in its life the firmware is. */
struct fw_life {
    uint32_t up_ms;         /* since the start */
    bool trial;             /* not confirmed yet */
    uint32_t settled_ms;    /* since the confirmation, or since the start when it was no trial */
    uint32_t fault_free_ms; /* the trial's fault-free time, by the factory */
};

/* All are called from fw_run's loop, and have to come back within milliseconds. */
struct fw_app {
    int64_t built_ms; /* UTC of the release: no clock of this board is earlier without a line */
    /* Before anything else, also before the agent. */
    void (*start)(const struct fw_site *site);
    bool (*drivers)(void);   /* every required driver was initialised */
    bool (*configure)(void); /* the application's configuration was loaded */
    /* What is due; milliseconds until it wants to be called again. */
    uint32_t (*run)(const struct fw_life *life);
    /* Members of the telemetry's object, each with a comma before it. */
    void (*measure)(struct agent_text *json);
    uint32_t (*energy_mw)(uint32_t cpu_permille);
    /* A line for whoever reads the console, without its end; now and then. */
    void (*tell)(struct agent_text *line);
    bool wants_mqtt, sends_telemetry;
};

_Noreturn void fw_run(const struct fw_app *app);

#endif

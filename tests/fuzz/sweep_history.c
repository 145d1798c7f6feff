/* Any text as the history of a token: run on Brickyard's own device, or refused with a reason. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char tiny[] =
    "scenario: tiny\n"
    "fleet: [{group: pumps, count: 1, firmware: 1.9.0}]\n"
    "flash: {bootloader: 512, boot_config: 2x512, slot: 1536, data: 3KiB, journal: 2KiB, "
    "sector: 512, page: 16}\n"
    "firmware:\n"
    "  1.9.0: {size: 600, security_counter: 1}\n"
    "  1.10.0: {size: 616, security_counter: 2}\n"
    "campaign: {to: 1.10.0, force: true, observe: 0h, phases: [{name: all, share: 100%, hold: "
    "1h}]}\n";

static struct scn *scenario;
static struct sweep_plugin device;
static struct sweep_world world;
static struct sweep_worker worker;

static void end(void)
{
    sweep_worker_free(&worker);
    sweep_world_free(&world);
    sweep_plugin_free(&device);
    scn_free(scenario);
}

/* Once for all texts: a history begins with what the factory leaves. */
static void begin(void)
{
    struct scn_messages messages;
    struct sim_sweep_options options = {.cuts = 1, .jobs = 1};
    char message[256];
    if (scenario)
        return;
    if (scn_parse(&scenario, "tiny", tiny, sizeof tiny - 1, NULL, &messages) ||
        sweep_plugin_load(&device, NULL, message, sizeof message))
        abort();
    options.scn = scenario;
    if (sweep_world_build(&world, &options, device.dut, message, sizeof message) ||
        sweep_worker_init(&worker, &world, NULL, message, sizeof message))
        abort();
    atexit(end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char history[sizeof((struct sim_sweep_token *)0)->history], message[1024] = "";
    struct sweep_history_run run;
    if (size >= sizeof history)
        return 0;
    memcpy(history, data, size);
    history[size] = 0;
    begin();
    if (sweep_history_run(&worker, history, &run, message, sizeof message)) {
        if (!*message)
            abort();
    } else if (run.broken && !*run.failure.what) {
        abort();
    }
    return 0;
}

/* See boards.h. */
#include "boards.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *boards_file(const char *name)
{
    static char path[1024];
    char brickyard[512];
    snprintf(brickyard, sizeof brickyard, "%s", getenv("BRICKYARD_BIN"));
    *strrchr(brickyard, '/') = '\0';
    snprintf(path, sizeof path, "%s/board/%s", brickyard, name);
    return path;
}

/* What a sound trial has to keep is long, so that a busy machine breaks none; what is waited for in
 * full is short. */
static const char *times(const char *image)
{
    if (strstr(image, "-hang") || strstr(image, "-no-mqtt"))
        return "mqtt_within: 3s, watchdog: 5s";
    if (strstr(image, "-no-telemetry")) /* which has that long too, once it is connected */
        return "mqtt_within: 8s, watchdog: 40s";
    return "mqtt_within: 30s, watchdog: 40s";
}

void boards_small(unsigned count, const char *image, const char *behaviour, const char *faults)
{
    char text[8192], old[1024], name[128];
    snprintf(old, sizeof old, "%s", boards_file("pump-2.3.1.bin"));
    snprintf(name, sizeof name, "%s.bin", image);
    snprintf(text, sizeof text,
             "scenario: small\nsummary: boards\nseed: 5\nstart: 2026-11-01T10:00:00Z\n"
             "fleet:\n  - {group: pumps, count: %u, firmware: 2.3.1, hw_revision: Rev-C, "
             "telemetry_every: 1s}\n"
             "device: {%s, fault_free: 1s, retry_first: 1s, retry_max: 2s}\n"
             "flash: {bootloader: 64KiB, boot_config: 2x4KiB, slot: 384KiB, data: 184KiB, "
             "sector: 4KiB, page: 256, journal: 64KiB}\n"
             "firmware:\n  2.3.1: {file: %s}\n  2.4.0: {file: %s%s}\n"
             "campaign:\n  to: 2.4.0\n  force: true\n  time_scale: 240\n  observe: 1m\n"
             "  silent_after: 6h\n  presumed_brick_after: 5h\n"
             "  phases:\n    - {name: all, share: 100%%, hold: 1m, gates: []}\n%s%s",
             count, times(image), old, boards_file(name), behaviour, *faults ? "faults:\n" : "",
             faults);
    program_write("small.yaml", text);
}

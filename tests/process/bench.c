/* See bench.h. */
#include "bench.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[128], brickyard[512], agent[512];

void bench_enter(void)
{
    program_enter();
    cr_assert_not_null(getcwd(folder, sizeof folder));
    snprintf(brickyard, sizeof brickyard, "%s", getenv("BRICKYARD_BIN"));
    snprintf(agent, sizeof agent, "%s", brickyard);
    strcpy(strrchr(agent, '/') + 1, "ota-agent");
    setenv("TMPDIR", folder, 1);
}

void bench_leave(void)
{
    setenv("BRICKYARD_BIN", brickyard, 1);
    program_leave();
}

const char *bench_real_agent(void)
{
    return agent;
}

void bench_small(const char *behaviour, const char *faults)
{
    char text[4096];
    snprintf(text, sizeof text,
             "scenario: small\nsummary: three daemons\nseed: 5\nstart: 2026-11-01T10:00:00Z\n"
             "fleet:\n  - {group: pumps, count: 3, firmware: 1.0.0, telemetry_every: 1s}\n"
             "device: {mqtt_within: 30s, fault_free: 1s, watchdog: 40s, retry_first: 1s, "
             "retry_max: 2s}\n"
             "flash: {slot: 64KiB, data: 128KiB}\n"
             "firmware:\n  1.0.0: {size: 16KiB}\n  1.1.0: {size: 16KiB%s}\n"
             "campaign:\n  to: 1.1.0\n  force: true\n  time_scale: 60\n  observe: 1m\n"
             "  silent_after: 75m\n  presumed_brick_after: 60m\n"
             "  phases:\n    - {name: all, share: 100%%, hold: 1m, gates: []}\n%s%s",
             behaviour, *faults ? "faults:\n" : "", faults);
    program_write("small.yaml", text);
}

json_t *bench_result(void)
{
    json_error_t error;
    json_t *result = json_load_file("result.json", 0, &error);
    cr_assert_not_null(result, "result.json: %s; %s", error.text, program_err());
    return result;
}

long bench_number(const json_t *result, const char *section, const char *key)
{
    const json_t *from = section ? json_object_get(result, section) : result;
    const json_t *value = json_object_get(from, key);
    cr_assert(json_is_integer(value), "%s", key);
    return (long)json_integer_value(value);
}

const char *bench_fact(const json_t *result, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(result, "facts"), name));
    cr_assert_not_null(text, "fact %s", name);
    return text;
}

static bool names_folder(const char *pid)
{
    char path[64], line[1024] = "";
    snprintf(path, sizeof path, "/proc/%.20s/cmdline", pid);
    FILE *in = fopen(path, "r");
    if (!in)
        return false;
    size_t len = fread(line, 1, sizeof line - 1, in);
    fclose(in);
    return memmem(line, len, folder, strlen(folder)) != NULL;
}

unsigned bench_processes(void)
{
    unsigned found = 0;
    DIR *dir = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(dir));)
        found += entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && names_folder(entry->d_name);
    closedir(dir);
    return found;
}

static void copy_brickyard(void)
{
    char to[256], command[1024];
    snprintf(to, sizeof to, "%s/brickyard", folder);
    snprintf(command, sizeof command, "cp '%s' '%s'", brickyard, to);
    cr_assert_eq(system(command), 0);
    setenv("BRICKYARD_BIN", to, 1);
}

void bench_no_agent(void)
{
    copy_brickyard();
}

void bench_fake_agent(const char *script)
{
    copy_brickyard();
    program_write("ota-agent", script);
    cr_assert_eq(chmod("ota-agent", 0755), 0);
}

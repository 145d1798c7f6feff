#include "worlds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *world_program(void)
{
    const char *program = getenv("BRICKYARD_BIN");
    cr_assert_not_null(program, "BRICKYARD_BIN is set by CTest");
    return program;
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out, "%s", path);
    fputs(text, out);
    fclose(out);
}

static void read_end(const char *path, char *out, size_t len)
{
    FILE *in = fopen(path, "r");
    *out = '\0';
    if (!in)
        return;
    fseek(in, 0, SEEK_END);
    long size = ftell(in), from = size > (long)len - 1 ? size - (long)len + 1 : 0;
    fseek(in, from, SEEK_SET);
    out[fread(out, 1, len - 1, in)] = '\0';
    fclose(in);
}

void world_run(struct world_run *out, const char *scenario, const char *world, const char *more)
{
    char command[1024], path[96];
    memset(out, 0, sizeof *out);
    snprintf(out->folder, sizeof out->folder, "/tmp/brickyard-worlds-XXXXXX");
    cr_assert_not_null(mkdtemp(out->folder));
    snprintf(path, sizeof path, "%s/s.yaml", out->folder);
    write_text(path, scenario);
    snprintf(out->db, sizeof out->db, "%s/run.db", out->folder);
    /* The bound is for a program that hangs: nothing is decided by it. */
    snprintf(command, sizeof command,
             "cd %s && timeout 500 %s run s.yaml --world %s --json run.json --db run.db -q %s "
             ">out 2>err",
             out->folder, world_program(), world, more);
    int status = system(command);
    out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    snprintf(path, sizeof path, "%s/run.json", out->folder);
    out->json = json_load_file(path, 0, NULL);
    snprintf(path, sizeof path, "%s/err", out->folder);
    read_end(path, out->said, sizeof out->said);
}

void world_run_free(struct world_run *run)
{
    char command[128];
    json_decref(run->json);
    snprintf(command, sizeof command, "rm -rf %s", run->folder);
    cr_expect_eq(system(command), 0);
}

long long world_number(const struct world_run *run, const char *path)
{
    char copy[128], *rest = copy;
    const json_t *at = run->json;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key; (key = strsep(&rest, "/"));)
        at = json_object_get(at, key);
    cr_assert(json_is_integer(at), "%s: %s", path, run->said);
    return json_integer_value(at);
}

long long world_fact(const struct world_run *run, const char *name)
{
    const json_t *fact = json_object_get(json_object_get(run->json, "facts"), name);
    return json_is_string(fact) ? atoll(json_string_value(fact)) : -1;
}

char *world_scenario(unsigned count, const char *behaviour, const char *faults)
{
    char *text = NULL;
    cr_assert_gt(
        asprintf(&text,
                 "scenario: worlds\n"
                 "start: 2026-03-19T10:00:00Z\n"
                 "fleet:\n"
                 "  - {group: pumps, count: %u, firmware: 2.3.1, telemetry_every: 30s}\n"
                 "device: {mqtt_within: 30s, fault_free: 1s, watchdog: 35s, retry_first: 1s,\n"
                 "         retry_max: 2s}\n"
                 "flash: {slot: 256KiB, data: 128KiB}\n"
                 "firmware:\n"
                 "  2.3.1: {size: 64KiB}\n"
                 "  2.4.0:\n"
                 "    size: 66KiB\n"
                 "%s"
                 "campaign:\n"
                 "  to: 2.4.0\n"
                 "  force: true\n"
                 "  observe: 0s\n"
                 "  phases:\n"
                 "    - name: everybody\n"
                 "      share: 100%%\n"
                 "      hold: 1s\n"
                 "      gates: [{metric: success, stop_if: \"< 40%%\", of: reported}]\n"
                 "%s%s",
                 count, behaviour, *faults ? "faults:\n" : "", faults),
        0);
    return text;
}

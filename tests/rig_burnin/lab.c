#include "lab.h"
#include "daemon_kit/control.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 32, END_MS = 240000 };

static char folder[64];
static struct rig_child emulator;

const char *lab_path(const char *name)
{
    static char path[8][PATH_MAX];
    static unsigned next;
    char *out = path[next++ % 8];
    snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return out;
}

/* Beside the build's brickyard. */
static const char *built(const char *name)
{
    static char path[2][PATH_MAX];
    static unsigned next;
    char *out = path[next++ % 2];
    const char *brickyard = getenv("BRICKYARD_BIN");
    cr_assert(brickyard, "BRICKYARD_BIN is set by CTest");
    snprintf(out, PATH_MAX, "%.*s/%s", (int)(strrchr(brickyard, '/') - brickyard), brickyard, name);
    return out;
}

static void write_file(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void write_file(const char *name, const char *format, ...)
{
    FILE *file = fopen(lab_path(name), "w");
    va_list values;
    cr_assert(file, "%s", name);
    va_start(values, format);
    vfprintf(file, format, values);
    va_end(values);
    cr_assert_eq(fclose(file), 0);
}

void lab_bench(const char *name, int first, int second)
{
    const int channel[] = {first, second};
    static char boards[2048];
    size_t len = 0;
    for (int i = 1; i <= 2; i++)
        len += (size_t)snprintf(
            boards + len, sizeof boards - len,
            "  - name: board-0%d\n    console: {serial: board-0%d.console, baud: 115200}\n"
            "    line: {serial: board-0%d.line, baud: 115200}\n"
            "    power: {controller: bank-1, channel: %d, off_at_least: 300ms}\n"
            "    flash: [cp, \"{image}\", board-0%d.nor]\n    flash_file: board-0%d.nor\n",
            i, i, i, channel[i - 1], i, i);
    write_file(name,
               "bench: lab\nstate: state\ncontrollers:\n"
               "  bank-1: {driver: lcus, device: relay-1, rated_cycles: 0}\nboards:\n%s",
               boards);
}

static const char flash_and_device[] =
    "device: {mqtt_within: 60s, fault_free: 1s, watchdog: 120s, trial_boots: 8, retry_first: 1s, "
    "retry_max: 2s}\nflash: {bootloader: 64KiB, boot_config: 2x4KiB, slot: 384KiB, data: 184KiB, "
    "sector: 4KiB, page: 256, journal: 64KiB}\n";

/* A cycle that is over in a few seconds: 1 h of its time are 5 s. An answer may take 10 s of the
 * host's, because a busy one stands still for more than half a second. */
static void write_cycle(const char *name, const char *image, const char *more, const char *expect)
{
    char file[64];
    snprintf(file, sizeof file, "%s.yaml", name);
    write_file(
        file,
        "scenario: %s\nsummary: a cycle\nseed: 10\nstart: 2026-11-01T10:00:00Z\nfleet:\n"
        "  - {group: lab, lab: true, count: 2, device_type: pump_monitor_v2, firmware: 2.3.1, "
        "hw_revision: {Rev-B: 100%%}, telemetry_every: 1s}\n%sfirmware:\n  2.3.1: {file: %s}\n"
        "  2.4.0: {file: %s%s}\ncampaign:\n  to: 2.4.0\n  force: true\n  time_scale: 720\n"
        "  observe: 0s\n  silent_after: 96h\n  presumed_brick_after: 48h\n  phases:\n"
        "    - name: phase-0 lab\n      lab: true\n      hold: 30m\n      gates:\n"
        "        - {metric: success, stop_if: \"< 100%%\", of: reported}\n"
        "        - {metric: crash, stop_if: \"> 0%%\"}\n"
        "        - {metric: telemetry_gap, stop_if: \"> 50%%\"}\n"
        "        - {metric: command_ms, stop_if: \">= 10s\"}\n"
        "        - {metric: brick, stop_if: \"> 0%%\"}\n"
        "faults:\n  - {kind: power_loss, during: downloading, where: {group: lab}, times: 1, "
        "off_for: 2m}\nexpect: {%s}\n",
        name, flash_and_device, built("board/pump-2.3.1.bin"), image, more, expect);
}

void lab_campaign(const char *name, const char *image, const char *device_type,
                  const char *telemetry_limit)
{
    char file[64];
    snprintf(file, sizeof file, "%s.yaml", name);
    write_file(
        file,
        "scenario: %s\nsummary: a campaign\nseed: 3\nstart: 2026-11-01T10:00:00Z\nfleet:\n"
        "  - {group: lab, lab: true, count: 2, device_type: %s, firmware: 2.3.1}\n"
        "  - {group: pumps, count: 20, device_type: %s, firmware: 2.3.1}\n%sfirmware:\n"
        "  2.3.1: {file: %s}\n  2.4.0: {file: %s}\ncampaign:\n  to: 2.4.0\n  observe: 0s\n"
        "  phases:\n    - name: phase-0 lab\n      lab: true\n      hold: 24h\n      gates:\n"
        "        - {metric: crash, stop_if: \"> 0%%\"}\n"
        "        - {metric: telemetry_gap, stop_if: \"%s\"}\n"
        "        - {metric: command_ms, stop_if: \">= 10s\"}\n"
        "    - {name: all, share: 100%%, hold: 2h, gates: [{metric: success, stop_if: \"< "
        "95%%\"}]}\n"
        "expect: {verdict: pass, confirmed: 20}\n",
        name, device_type, device_type, flash_and_device, built("board/pump-2.3.1.bin"),
        built(image), telemetry_limit);
}

void lab_enter(void)
{
    char message[256];
    strcpy(folder, "/tmp/rig-burnin-lab-XXXXXX");
    cr_assert(mkdtemp(folder));
    const char *argv[] = {
        built("bin/brickyard-emulator"), "--folder", folder, "--boards", "2", NULL};
    const struct rig_child_start start = {.argv = argv, .said = STDERR_FILENO};
    cr_assert(!rig_child_start(&emulator, &start, message, sizeof message), "%s", message);
    struct pollfd ends = {.fd = emulator.pidfd, .events = POLLIN};
    for (int i = 0; access(lab_path("ready"), F_OK); i++) {
        cr_assert_eq(poll(&ends, 1, 5), 0, "the emulator ended");
        cr_assert_lt(i, 24000, "the emulator is not ready");
    }
    lab_bench("bench.yaml", 1, 2);
    write_cycle("update", built("board/pump-2.4.0.bin"), "", "verdict: pass, confirmed: 2");
    write_cycle("bad", built("board/pump-2.4.0-no-drivers.bin"),
                ", behaviour: {health: {drivers: 100%}}", "verdict: pass, confirmed: 2");
}

static void clear(const char *path)
{
    struct dirent *entry;
    DIR *dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        char below[PATH_MAX];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (unlink(below))
            clear(below);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

void lab_leave(void)
{
    kill(emulator.pid, SIGTERM);
    rig_child_wait(&emulator, 60000);
    clear(folder);
}

void lab_order(const char *line)
{
    static char answer[AGENT_KIT_ANSWER_MAX];
    cr_assert_eq(agent_kit_control_ask(answer, lab_path("control"), line, 10), 0, "%s: %s", line,
                 strerror(errno));
    cr_assert_str_eq(answer, "ok", "%s: %s", line, answer);
}

/* "power_ons":[2,3]: of each board. */
static int64_t power_ons(void)
{
    static char answer[AGENT_KIT_ANSWER_MAX];
    int64_t sum = 0;
    cr_assert_eq(agent_kit_control_ask(answer, lab_path("control"), "facts", 10), 0);
    char *at = strstr(answer, "\"power_ons\"");
    cr_assert(at, "%s", answer);
    for (at = strchr(at, '['); at && *at != ']' && *at;)
        sum += strtoll(at + 1, &at, 10);
    return sum;
}

void lab_wait_on(int64_t times)
{
    for (int i = 0; power_ons() < times; i++) {
        cr_assert_lt(i, 9000, "it was switched on %lld times", (long long)power_ons());
        poll(NULL, 0, 20);
    }
}

void lab_start(struct rig_child *child, const char *words)
{
    static char copy[1024];
    const char *argv[WORDS_MAX + 1] = {getenv("BRICKYARD_BIN")};
    char message[256], *save = NULL;
    size_t n = 1;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok_r(copy, " ", &save); word && n < WORDS_MAX;
         word = strtok_r(NULL, " ", &save))
        argv[n++] = *word == '@' ? lab_path(word + 1) : word;
    int said = open(lab_path("said"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const struct rig_child_start start = {.argv = argv, .said = said, .folder = folder};
    cr_assert(!rig_child_start(child, &start, message, sizeof message), "%s", message);
    close(said);
}

int lab_end(struct rig_child *child)
{
    int status = rig_child_wait(child, END_MS);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int lab_run(const char *words)
{
    struct rig_child child;
    lab_start(&child, words);
    return lab_end(&child);
}

void lab_said(const char *text)
{
    static char said[1 << 16];
    FILE *file = fopen(lab_path("said"), "r");
    cr_assert(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    cr_expect(strstr(said, text), "'%s' is not in what it said:\n%s", text, said);
}

int64_t lab_ask(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    int64_t number = -1;
    if (sqlite3_open_v2(lab_path("b.db"), &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        !sqlite3_busy_timeout(db, 2000) &&
        sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW)
        number = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return number;
}

void lab_wait(const char *sql, int64_t want)
{
    for (int i = 0; lab_ask(sql) != want; i++) {
        cr_assert_lt(i, 9600, "%s: it is %lld, not %lld", sql, (long long)lab_ask(sql),
                     (long long)want);
        poll(NULL, 0, 25);
    }
}

/* Whole campaigns on QEMU boards. */
#include "../soak/soak.h"
#include "board/map.h"
#include "boards.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(rig_world_run, .init = bench_enter, .fini = bench_leave);

static int64_t fired(const json_t *result)
{
    int64_t sum = 0;
    size_t i;
    const json_t *fault;
    json_array_foreach(json_object_get(result, "faults"), i, fault) sum +=
        json_integer_value(json_object_get(fault, "fired"));
    return sum;
}

/* On so many devices each. */
static void every_fault_took_effect(const json_t *result, int64_t devices)
{
    size_t i;
    const json_t *fault;
    json_array_foreach(json_object_get(result, "faults"), i, fault)
    {
        const char *const key[] = {"scheduled", "armed", "fired"};
        for (int k = 0; k < 3; k++)
            cr_assert_eq(json_integer_value(json_object_get(fault, key[k])), devices,
                         "fault %zu was %s %lld times", i + 1, key[k],
                         (long long)json_integer_value(json_object_get(fault, key[k])));
    }
}

Test(rig_world_run, the_smoke_scenario_updates_every_board_and_cuts_each)
{
    char old[1024], fresh[1024];
    snprintf(old, sizeof old, "%s", boards_file("pump-2.3.1.bin"));
    snprintf(fresh, sizeof fresh, "%s", boards_file("pump-2.4.0.bin"));
    int code = program("run %s/scenarios/board-smoke.yaml --world board --quiet --json result.json "
                       "--set firmware.2.3.1.file=%s --set firmware.2.4.0.file=%s",
                       getenv("BRICKYARD_SOURCE"), old, fresh);
    json_t *result = bench_result();
    cr_assert_eq(code, 0, "%s", program_err());
    cr_assert_eq(bench_number(result, "updates", "confirmed"), 3);
    cr_assert_eq(bench_number(result, "updates", "bricked"), 0);
    cr_assert_eq(bench_number(result, "belief", "wrong_at_end"), 0);
    /* An update writes, erases and boots: all three cuts of each board are due before it is over.
     */
    int64_t cuts = bench_number(result, NULL, "power_cuts");
    every_fault_took_effect(result, 3);
    cr_assert_eq(cuts, 9);
    cr_assert_eq(fired(result), cuts);
    cr_assert_eq(strtol(bench_fact(result, "power cuts"), NULL, 10), cuts);
    cr_assert_str_eq(bench_fact(result, "ends by itself"), "0");
    cr_assert_eq(strtol(bench_fact(result, "boards"), NULL, 10), 3);
    cr_assert_gt(strtol(bench_fact(result, "flash operations"), NULL, 10), 1000);
    cr_assert_not_null(strstr(bench_fact(result, "device.fault_free"), "shortened"));
    cr_assert_not_null(strstr(bench_fact(result, "images"), "2.4.0: "));
    json_decref(result);
    cr_assert_eq(bench_processes(), 0);
    cr_assert_eq(program_entries(), 1, "result.json, and no folder");
}

static void only_in_the_soak(void)
{
    if (!soak(0, 1))
        cr_skip_test("long; see tests/soak");
}

/* ---- Each bad image goes for its own reason ---- */
/* tests/board_fw has them all on one board; what another world adds, two of them show. */

static bool has_alert(const json_t *result, const char *reason)
{
    size_t i;
    const json_t *alert;
    json_array_foreach(json_object_get(result, "alerts"), i, alert)
    {
        const char *cause = json_string_value(json_object_get(alert, "cause"));
        if (cause && strstr(cause, reason))
            return true;
    }
    return false;
}

static void rolls_back(const char *variant, const char *behaviour, const char *reason)
{
    char image[64], declared[96];
    snprintf(image, sizeof image, "pump-2.4.0-%s", variant);
    snprintf(declared, sizeof declared, ", behaviour: {%s}", behaviour);
    boards_small(1, image, declared, "");
    int code = program("run small.yaml --world board --quiet --json result.json");
    json_t *result = bench_result();
    char *alerts = json_dumps(json_object_get(result, "alerts"), JSON_COMPACT);
    cr_assert_eq(code, 0, "%s: %d: %s", variant, code, program_err());
    cr_assert_eq(bench_number(result, "updates", "rolled_back"), 1, "%s", variant);
    cr_assert_eq(bench_number(result, "belief", "wrong_at_end"), 0, "%s", variant);
    cr_assert(has_alert(result, reason), "%s: %s wanted: %s", variant, reason, alerts);
    free(alerts);
    json_decref(result);
    cr_assert_eq(bench_processes(), 0);
}

Test(rig_world_run, an_image_that_hangs_is_taken_back_by_the_watchdog)
{
    rolls_back("hang", "hangs: 100%", "watchdog");
}

Test(rig_world_run, an_image_that_crashes_in_its_trial_is_taken_back, RELEASE_ONLY)
{
    only_in_the_soak();
    rolls_back("hard-fault", "health: {hard_fault: 100%}", "hard_fault");
}

/* QEMU aborts there, and a real board waits for its watchdog. */
Test(rig_world_run, an_image_that_locks_its_processor_up_is_taken_back_by_the_watchdog)
{
    rolls_back("lock-up", "health: {hard_fault: 100%}", "watchdog");
    json_t *result = bench_result();
    cr_assert_eq(strtol(bench_fact(result, "lock-ups"), NULL, 10), 1);
    cr_assert_str_eq(bench_fact(result, "ends by itself"), "0");
    json_decref(result);
}

Test(rig_world_run, an_image_that_finds_no_drivers_is_taken_back, RELEASE_ONLY)
{
    only_in_the_soak();
    rolls_back("no-drivers", "health: {drivers: 100%}", "drivers");
}

Test(rig_world_run, an_image_that_reads_no_configuration_is_taken_back, RELEASE_ONLY)
{
    only_in_the_soak();
    rolls_back("no-config", "health: {config: 100%}", "config");
}

Test(rig_world_run, an_image_that_sends_no_telemetry_is_taken_back, RELEASE_ONLY)
{
    only_in_the_soak();
    rolls_back("no-telemetry", "health: {telemetry: 100%}", "telemetry");
}

Test(rig_world_run, an_image_that_never_connects_is_taken_back)
{
    rolls_back("no-mqtt", "health: {mqtt: 100%}", "mqtt");
}

/* ---- The network ---- */

Test(rig_world_run, a_spoiled_download_and_a_dropped_link_do_no_harm)
{
    boards_small(2, "pump-2.4.0", "",
                 "  - {kind: corrupt_download, how: bit_flip, where: {device: pumps-00001}}\n"
                 "  - {kind: network_drop, during: downloading, for: 4m, "
                 "where: {device: pumps-00002}}\n");
    int code = program("run small.yaml --world board --quiet --json result.json");
    json_t *result = bench_result();
    cr_assert_eq(code, 0, "%d: %s", code, program_err());
    cr_assert_eq(bench_number(result, "updates", "confirmed"), 1);
    cr_assert_eq(bench_number(result, "updates", "verify_failed"), 1);
    cr_assert_eq(strtol(bench_fact(result, "proxied devices"), NULL, 10), 2);
    json_decref(result);
}

/* ---- What a board is carried by, and what nothing carries any more ---- */

/* The flash file of the run's first board, as a pattern for glob. */
static const char first_flash[] = "brickyard-servers-*/devices/pumps-00001/flash";
/* In slot B: what an update of a board from the factory programs first. */
static const off_t STAGED_AT = BOARD_SLOT_B_ADDR;

/* For a process beside the run: until its first board has got so far. False: never. */
static bool await_download(char *flash, size_t len)
{
    for (int i = 0; i < 24000; i++) {
        glob_t found;
        uint32_t word = UINT32_MAX;
        if (!glob(first_flash, 0, NULL, &found)) {
            snprintf(flash, len, "%s", found.gl_pathv[0]);
            int fd = open(flash, O_RDONLY | O_CLOEXEC);
            if (fd < 0 || pread(fd, &word, sizeof word, STAGED_AT) != sizeof word)
                word = UINT32_MAX;
            close(fd);
            globfree(&found);
        }
        if (word != UINT32_MAX)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

/* The command line of a process, its arguments parted by blanks; "": there is none. */
static void command_of(const char *pid, char *out, size_t len)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(out, 1, len - 1, file) : 0;
    if (file)
        fclose(file);
    for (size_t i = 0; i < got; i++)
        out[i] = out[i] ? out[i] : ' ';
    out[got] = '\0';
}

static bool signal_qemu(const char *flash, int number)
{
    char command[4096];
    bool sent = false;
    DIR *dir = opendir("/proc");
    for (struct dirent *entry; !sent && (entry = readdir(dir));) {
        command_of(entry->d_name, command, sizeof command);
        sent = !strncmp(command, "qemu-system-arm ", 16) && strstr(command, flash) &&
               !kill(atoi(entry->d_name), number);
    }
    closedir(dir);
    return sent;
}

static bool erase_factory_block(const char *flash)
{
    uint8_t sector[BOARD_NOR_SECTOR];
    memset(sector, 0xFF, sizeof sector);
    int fd = open(flash, O_WRONLY | O_CLOEXEC);
    bool done = pwrite(fd, sector, sizeof sector, BOARD_FACTORY_ADDR) == (ssize_t)sizeof sector;
    close(fd);
    return done;
}

/* small.yaml with one board; in the middle of its download something happens to it: signal number,
 * or 0: its factory block is erased. Its exit code; what it said is in program_out, program_err. */
static int struck(const char *faults, const char *options, int number)
{
    int status;
    boards_small(1, "pump-2.4.0", "", faults);
    pid_t pid = fork();
    if (!pid) {
        char flash[256];
        bool done = await_download(flash, sizeof flash) &&
                    (number ? signal_qemu(flash, number) : erase_factory_block(flash));
        _exit(!done);
    }
    int code = program("run small.yaml --world board --json result.json %s", options);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "it was not struck: %s", program_err());
    cr_assert_eq(bench_processes(), 0);
    return code;
}

static void is_infrastructure(int number, const char *what)
{
    int code = struck("", "--quiet", number);
    cr_assert_eq(code, 8, "exit code %d: %s", code, program_err());
    cr_assert(strstr(program_err(), "pumps-00001: its QEMU (pid "), "%s", program_err());
    cr_assert(strstr(program_err(), what), "%s wanted: %s", what, program_err());
    cr_assert(strstr(program_err(), " UTC"), "%s", program_err());
    cr_assert_null(strstr(program_err(), "no_brick"), "%s", program_err());
}

Test(rig_world_run, a_board_whose_qemu_is_killed_is_infrastructure)
{
    is_infrastructure(SIGKILL, "killed by signal 9");
}

/* That a stop is seen, and what follows from it, rig_board and rig_world_body show in less time. */
Test(rig_world_run, a_board_whose_qemu_is_stopped_is_infrastructure, RELEASE_ONLY)
{
    only_in_the_soak();
    is_infrastructure(SIGSTOP, "stopped from outside");
}

/* The bootloader is in the ROM; what it needs of its region is the factory block. tests/stepped has
 * the cases. */
Test(rig_world_run, a_board_whose_factory_block_is_destroyed_is_a_brick, RELEASE_ONLY)
{
    only_in_the_soak();
    int code = struck("  - {kind: power_loss, during: boot, times: 3, off_for: 4m}\n",
                      "--set campaign.presumed_brick_after=30m --set campaign.silent_after=1h", 0);
    json_t *result = bench_result();
    cr_assert_eq(code, 3, "exit code %d: %s", code, program_err());
    cr_assert_eq(bench_number(result, "bricks", "no_boot"), 1);
    cr_assert_eq(bench_number(result, "bricks", "unreachable"), 0);
    cr_assert(strstr(program_out(), "bootloader region is not what the factory wrote"), "%s",
              program_out());
    json_decref(result);
}

/* ---- The end ---- */

static bool await_processes(unsigned least, unsigned most)
{
    for (int i = 0; i < 1200; i++) {
        unsigned now = bench_processes();
        if (now >= least && now <= most)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

Test(rig_world_run, sigint_leaves_nothing)
{
    int status;
    boards_small(2, "pump-2.4.0", "", "");
    pid_t pid = program_start("run small.yaml --world board --quiet");
    cr_assert(await_processes(3, 1000), "the boards never came"); /* and mosquitto */
    kill(pid, SIGINT);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 8, "status %d", status);
    cr_assert_eq(bench_processes(), 0);
    cr_assert_eq(program_entries(), 1, "the scenario, and no folder");
}

Test(rig_world_run, sigkill_leaves_no_process)
{
    boards_small(2, "pump-2.4.0", "", "");
    pid_t pid = program_start("run small.yaml --world board --quiet");
    cr_assert(await_processes(3, 1000), "the boards never came");
    cr_assert(program_kill(pid));
    cr_assert(await_processes(0, 0), "%u are left", bench_processes());
    cr_assert_eq(system("rm -rf brickyard-servers-*"), 0); /* as documented */
}

/* Starting, failing and ending: what is left of it. */
#include "world.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char message[1024], tmp[64];
static struct sim_servers servers;

/* A TMPDIR of this test's own, so that what is left in it is what the servers left. */
static void start(void)
{
    snprintf(tmp, sizeof tmp, "/tmp/brickyard-life-XXXXXX");
    cr_assert(mkdtemp(tmp));
    setenv("TMPDIR", tmp, 1);
}

static void stop(void)
{
    run("rm -rf %s", tmp);
}

TestSuite(servers, .init = start, .fini = stop, .timeout = 300);

static void nothing_is_left(void)
{
    cr_assert_str_eq(run("ls -A %s", tmp).text, "");
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}

Test(servers, stop_leaves_no_process_and_no_folder)
{
    struct sim_servers_config config = world_config();
    world_start(&servers, &config);
    pid_t broker = servers.broker.process.pid, store = servers.store.process.pid;
    cr_assert(sim_broker_runs(&servers.broker) && sim_store_runs(&servers.store));
    sim_servers_stop(&servers);
    cr_assert(kill(broker, 0) != 0 && kill(store, 0) != 0);
    nothing_is_left();
    sim_servers_stop(&servers);
}

Test(servers, stop_ends_every_worker)
{
    int first = 0, second = 0;
    struct sim_servers_config config = world_config();
    config.store.workers = 2;
    world_start(&servers, &config);
    int master = (int)servers.store.process.pid;
    while (sscanf(run("cat /proc/%d/task/%d/children", master, master).text, "%d %d", &first,
                  &second) != 2)
        cr_assert(sim_store_runs(&servers.store));
    sim_servers_stop(&servers);
    cr_assert(kill(master, 0) != 0 && kill(first, 0) != 0 && kill(second, 0) != 0);
    nothing_is_left();
}

Test(servers, kept_folder_stays)
{
    char folder[96];
    snprintf(folder, sizeof folder, "%s/mine", tmp);
    struct sim_servers_config config = world_config();
    config.folder = folder;
    config.keep = true;
    world_start(&servers, &config);
    sim_servers_stop(&servers);
    cr_assert_str_eq(run("ls %s", folder).text, "broker\npki\nstore\n");
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message), SIM_SERVERS_ECONFIG,
                 "it is not empty");
    cr_assert_str_eq(run("ls %s", folder).text, "broker\npki\nstore\n");
}

Test(servers, missing_program_is_told_and_leaves_nothing)
{
    struct sim_servers_config config = world_config();
    config.broker.program = "mosquitto-is-not-here";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                 SIM_SERVERS_EPROGRAM);
    cr_assert_str_eq(message, "mosquitto-is-not-here: not found; install the package mosquitto");
    nothing_is_left();
    config = world_config();
    config.store.program = "/nowhere/nginx";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                 SIM_SERVERS_EPROGRAM);
    cr_assert_str_eq(message, "/nowhere/nginx: not found; install the package nginx-light");
    nothing_is_left();
}

Test(servers, daemons_folders_are_searched_without_path)
{
    setenv("PATH", "/nonexistent", 1);
    struct sim_servers_config config = world_config();
    int error = sim_servers_start(&servers, &config, message, sizeof message);
    setenv("PATH", "/usr/bin:/bin", 1);
    cr_assert_eq(error, 0, "%s", message);
    sim_servers_stop(&servers);
    nothing_is_left();
}

Test(servers, early_exit_is_told_with_the_end_of_the_log)
{
    struct sim_servers_config config = world_config();
    config.broker.program = "false";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                 SIM_SERVERS_EEXITED);
    cr_assert(strstr(message, "mosquitto ended by itself; ") && strstr(message, "log is empty"),
              "%s", message);
    config = world_config();
    config.store.program = "ls";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                 SIM_SERVERS_EEXITED);
    cr_assert(strstr(message, "nginx ended by itself; ") && strstr(message, "ls: invalid option"),
              "%s", message);
    nothing_is_left();
}

Test(servers, arguments_are_checked_before_anything_runs)
{
    struct sim_servers_config config = world_config();
    config.store.secret = "a;b";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    config = world_config();
    config.broker.service_secret = "";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    config = world_config();
    config.folder = "/tmp/with space";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    config = world_config();
    config.folder = "/nonexistent/deeper";
    cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message), SIM_SERVERS_EIO);
    nothing_is_left();
}

static void one_bad_account(void *context, struct sim_account *out, uint32_t index)
{
    snprintf(out->device_id, sizeof out->device_id, "%s",
             index == 2 ? (const char *)context : "good");
    snprintf(out->secret, sizeof out->secret, "s");
}

Test(servers, device_of_a_dangerous_name_is_refused)
{
    static char *const bad[] = {"", "a:b", "a/b", "+", "#", "service", "observer", "a\nb", "."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sim_servers_config config = world_config();
        config.broker.account = one_bad_account;
        config.broker.context = bad[i];
        cr_assert_eq(sim_servers_start(&servers, &config, message, sizeof message),
                     SIM_SERVERS_ECONFIG, "%s", bad[i]);
        cr_assert_eq(strncmp(message, "account 2: ", 11), 0, "%s", message);
    }
    nothing_is_left();
}

static void kill_a_process_with_servers(uint32_t workers)
{
    int out[2], started = 0, ended = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans become ours, so that their end can be waited for */
    cr_assert_eq(pipe(out), 0);
    pid_t parent = fork();
    if (parent == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* of a test that failed nothing should be left either */
        struct sim_servers_config config = world_config();
        config.store.workers = workers;
        started = sim_servers_start(&servers, &config, message, sizeof message) == 0;
        _exit(write(out[1], &started, sizeof started) < 0 || pause() < 0);
    }
    cr_assert_eq(read(out[0], &started, sizeof started), (ssize_t)sizeof started);
    cr_assert(started);
    kill(parent, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ended++;
    cr_assert_eq(errno, ECHILD);
    cr_assert_geq(ended, 3, "the process, mosquitto, nginx");
    close(out[0]);
    close(out[1]);
}

/* Many times, as servers which have just started are the ones that could miss it. */
Test(servers, killed_process_leaves_no_server)
{
    for (int round = 0; round < 10; round++)
        kill_a_process_with_servers(1);
}

Test(servers, killed_process_leaves_no_server_of_many_workers)
{
    for (int round = 0; round < 10; round++)
        kill_a_process_with_servers(3);
}

/* Its workers outlive it, and would keep the port. */
Test(servers, master_that_died_is_noticed_and_its_workers_ended)
{
    struct sim_servers_config config = world_config();
    config.store.workers = 2;
    world_start(&servers, &config);
    kill(servers.store.process.pid, SIGKILL);
    while (sim_store_runs(&servers.store))
        continue;
    cr_assert_eq(servers.store.process.pid, 0);
    cr_assert_eq(sim_store_start_again(&servers.store, message, sizeof message), 0, "%s", message);
    sim_servers_stop(&servers);
    nothing_is_left();
}

Test(servers, child_inherits_nothing_and_may_open_all_it_can)
{
    struct rlimit limit;
    int descriptor = dup(1); /* not close-on-exec */
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct sim_servers_config config = world_config();
    world_start(&servers, &config);
    int pid = (int)servers.broker.process.pid;
    unsigned long soft = 0, hard = 0;
    cr_assert_eq(sscanf(run("grep 'Max open files' /proc/%d/limits", pid).text,
                        "Max open files %lu %lu", &soft, &hard),
                 2);
    cr_assert_eq(soft, hard);
    cr_assert_neq(
        run("readlink /proc/%d/fd/%d | grep -F \"$(readlink /proc/self/fd/1)\"", pid, descriptor)
            .exit_code,
        0);
    cr_assert_str_eq(run("ls -l /proc/%d/fd | grep -c pipe:", pid).text, "0\n");
    close(descriptor);
    sim_servers_stop(&servers);
}

Test(servers, normal_user_may_start_them)
{
    if (getuid() != 0)
        cr_skip_test("every other test shows it");
    enum { NOBODY = 65534 };
    cr_assert_eq(chown(tmp, NOBODY, NOBODY), 0);
    cr_assert(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* /proc/self is ours again */
    struct sim_servers_config config = world_config();
    world_start(&servers, &config);
    publish(as_user(&servers, "dev-00001", NULL), "telemetry/dev-00001", "x");
    char url[SIM_URL_MAX];
    cr_assert_eq(sim_store_put(&servers.store, "f", "file", 4, message, sizeof message), 0);
    sim_store_url(&servers.store, url, SIM_CERT_GOOD, "f", (int64_t)time(NULL) + 600);
    cr_assert_str_eq(fetch(&servers, url, "").text, "file");
    sim_servers_stop(&servers);
    nothing_is_left();
}

Test(servers, runs_beside_another_of_its_kind)
{
    static struct sim_servers other;
    struct sim_servers_config config = world_config();
    world_start(&servers, &config);
    world_start(&other, &config);
    publish(as_user(&servers, "dev-00001", NULL), "telemetry/dev-00001", "x");
    sim_servers_stop(&servers);
    publish(as_user(&other, "dev-00001", NULL), "telemetry/dev-00001", "x");
    sim_servers_stop(&other);
    nothing_is_left();
}

Test(servers, fleet_of_5000_accounts)
{
    struct timespec from, to;
    struct sim_servers_config config = world_config();
    config.broker.account_count = 5000;
    clock_gettime(CLOCK_MONOTONIC, &from);
    world_start(&servers, &config);
    clock_gettime(CLOCK_MONOTONIC, &to);
    fprintf(stderr, "start with 5,000 accounts: %ld ms\n",
            (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
    cr_assert_str_eq(run("wc -l < %s/broker/passwords", servers.folder).text, "5002\n");
    publish(as_user(&servers, "dev-04999", NULL), "telemetry/dev-04999", "x");
    sim_servers_stop(&servers);
}

Test(servers, every_error_has_a_name)
{
    for (int error = SIM_SERVERS_ETIME; error <= SIM_SERVERS_OK; error++)
        cr_assert(!strchr(sim_servers_error_name(error), '?'));
    cr_assert_str_eq(sim_servers_error_name(SIM_SERVERS_EPORT), "SIM_SERVERS_EPORT");
    cr_assert_str_eq(sim_servers_error_name(1), "SIM_SERVERS_?");
    cr_assert_str_eq(sim_servers_error_name(SIM_SERVERS_ETIME - 1), "SIM_SERVERS_?");
}

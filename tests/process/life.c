/* Nothing is left behind, however a run ends. */
#include "bench.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(process_life, .init = bench_enter, .fini = bench_leave);

/* Until so many processes of the run are there: servers and daemons. */
static bool await_processes(unsigned least, unsigned most)
{
    for (int i = 0; i < 2400; i++) {
        unsigned now = bench_processes();
        if (now >= least && now <= most)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

static void ends_clean_by(int signal)
{
    int status;
    bench_small("", "");
    pid_t pid = program_start("run small.yaml --world process --quiet");
    cr_assert(await_processes(3, 1000), "the daemons never came");
    kill(pid, signal);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 8, "status %d", status);
    cr_assert_eq(bench_processes(), 0);
    cr_assert_eq(program_entries(), 1, "the scenario, and no folder");
}

Test(process_life, sigint_leaves_nothing)
{
    ends_clean_by(SIGINT);
}

Test(process_life, sigterm_leaves_nothing)
{
    ends_clean_by(SIGTERM);
}

Test(process_life, sigkill_leaves_no_process)
{
    bench_small("", "");
    pid_t pid = program_start("run small.yaml --world process --quiet");
    cr_assert(await_processes(3, 1000), "the daemons never came");
    cr_assert(program_kill(pid));
    cr_assert(await_processes(0, 0), "%u are left", bench_processes());
    cr_assert_eq(system("rm -rf brickyard-servers-*"), 0); /* as documented */
}

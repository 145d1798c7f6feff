/* One board, one run; whoever ends, however, holds nothing any more. */
#include "kit.h"
#include "rig/benchfile.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct rig_bench *bench;

static void open_bench(void)
{
    static const char text[] = "bench: b\nboards: [{name: a}, {name: b}]\n";
    char message[512];
    kit_open();
    cr_assert(!rig_bench_parse(&bench, kit_path("desk.yaml"), text, strlen(text), message,
                               sizeof message),
              "%s", message);
}

static void close_bench(void)
{
    rig_bench_free(bench);
    kit_close();
}

TestSuite(bench_lock, .init = open_bench, .fini = close_bench);

static int take(struct rig_lock **lock, int board, char message[512])
{
    return rig_lock_take(lock, bench, &bench->board[board], "a test", message, 512);
}

/* A process that holds board 0 until it is killed. */
static pid_t start_holder(void)
{
    int ready[2];
    char byte, message[512];
    cr_assert_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (!pid) {
        struct rig_lock *lock;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        byte = take(&lock, 0, message) ? 'n' : 'y';
        if (write(ready[1], &byte, 1) == 1)
            pause();
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(byte, 'y');
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* `text` names the owner, and an age that is not above the time since `begin`, in whole seconds. */
static void expect_owner(const char *text, pid_t pid, time_t begin)
{
    char want[64];
    int age = -1, end = 0;
    snprintf(want, sizeof want, "(pid %d, a test) since ", pid);
    const char *at = strstr(text, want);
    cr_assert(at, "%s", text);
    cr_assert(sscanf(at + strlen(want), "%d s%n", &age, &end) == 1 && end, "%s", text);
    cr_assert(age >= 0 && age <= time(NULL) - begin, "%s", text);
}

Test(bench_lock, the_second_is_told_who_has_it)
{
    struct rig_lock *lock = NULL;
    char message[512], owner[256];
    time_t begin = time(NULL);
    pid_t pid = start_holder();
    cr_assert_eq(take(&lock, 0, message), RIG_EBUSY);
    cr_assert_null(lock);
    cr_assert_eq(strstr(message, "a is in use by "), message, "%s", message);
    expect_owner(message, pid, begin);
    rig_lock_owner(bench, &bench->board[0], owner, sizeof owner);
    expect_owner(owner, pid, begin);
    cr_assert_eq(take(&lock, 1, message), RIG_OK, "another board is free");
    rig_lock_release(lock);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

Test(bench_lock, a_killed_owner_holds_nothing)
{
    struct rig_lock *lock = NULL;
    char message[512], owner[256] = "x";
    pid_t pid = start_holder();
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    rig_lock_owner(bench, &bench->board[0], owner, sizeof owner);
    cr_assert_str_eq(owner, "");
    cr_assert_eq(take(&lock, 0, message), RIG_OK, "%s", message);
    rig_lock_release(lock);
}

Test(bench_lock, also_within_a_process_and_until_it_is_released)
{
    struct rig_lock *first = NULL, *second = NULL;
    char message[512], owner[256];
    cr_assert_eq(take(&first, 0, message), RIG_OK);
    cr_assert_eq(take(&second, 0, message), RIG_EBUSY);
    rig_lock_release(first);
    rig_lock_owner(bench, &bench->board[0], owner, sizeof owner);
    cr_assert_str_eq(owner, "");
    cr_assert_eq(take(&second, 0, message), RIG_OK);
    rig_lock_release(second);
}

Test(bench_lock, asking_who_has_it_takes_nothing_and_makes_nothing)
{
    char owner[256];
    rig_lock_owner(bench, &bench->board[0], owner, sizeof owner);
    cr_assert_str_eq(owner, "");
    cr_assert(!kit_is_there("desk.state"));
}

/* A link in its place is not followed; another user's folder is as shut. */
Test(bench_lock, what_can_not_be_looked_at_is_not_told_free)
{
    char owner[300], message[512];
    cr_assert_eq(rig_bench_make_state(bench, message, sizeof message), 0);
    char path[200];
    snprintf(path, sizeof path, "%s/a.lock", bench->state);
    cr_assert_eq(symlink("elsewhere", path), 0);
    rig_lock_owner(bench, &bench->board[0], owner, sizeof owner);
    cr_assert(!strncmp(owner, "somebody, or nobody: ", 21), "%s", owner);
    rig_lock_owner(bench, &bench->board[1], owner, sizeof owner);
    cr_assert_str_eq(owner, "");
}

Test(bench_lock, rubbish_in_its_file_harms_nobody)
{
    struct rig_lock *lock = NULL, *second = NULL;
    char message[512];
    cr_assert_eq(take(&lock, 0, message), RIG_OK);
    kit_write("desk.state/a.lock", "1 2 \033[31m what\007\n");
    cr_assert_eq(take(&second, 0, message), RIG_EBUSY);
    for (const char *c = message; *c; c++)
        cr_assert((unsigned char)*c >= ' ' && *c != 0x7f);
    kit_write("desk.state/a.lock", "");
    cr_assert_eq(take(&second, 0, message), RIG_EBUSY);
    cr_assert(strstr(message, "somebody"), "%s", message);
    rig_lock_release(lock);
}

Test(bench_lock, a_state_folder_that_cannot_be_is_told)
{
    struct rig_lock *lock = NULL;
    char message[512];
    kit_write("desk.state", "a file");
    cr_assert_eq(take(&lock, 0, message), RIG_EOPEN);
    cr_assert(strstr(message, "desk.state: Not a directory") && strstr(message, "`state:`"), "%s",
              message);
    struct stat status;
    unlink(kit_path("desk.state"));
    cr_assert_eq(take(&lock, 0, message), RIG_OK);
    cr_assert_eq(stat(kit_path("desk.state"), &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0700);
    rig_lock_release(lock);
}

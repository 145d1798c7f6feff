/* `brickyard replay TOKEN --world board`, as a person or a script runs it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char said[65536];

/* The exit code; `said` has both outputs. */
static int run(const char *program, const char *arguments)
{
    char command[2048];
    snprintf(command, sizeof command, "cd '%s' && '%s' replay %s 2>&1", getenv("BRICKYARD_SOURCE"),
             program, arguments);
    FILE *out = popen(command, "r");
    cr_assert(out);
    size_t len = fread(said, 1, sizeof said - 1, out);
    said[len] = '\0';
    int status = pclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The content's hash, as the command names it when it is another. */
static void token(char *out, size_t len, const char *scenario, const char *more)
{
    char wrong[512], hash[64] = "";
    snprintf(wrong, sizeof wrong, "sw1,hash=0,scenario=scenarios/%s.yaml,dut=,history=0.update",
             scenario);
    cr_assert_eq(run(getenv("BRICKYARD_BIN"), wrong), 1, "%s", said);
    const char *at = strstr(said, "(hash ");
    cr_assert(at && sscanf(at, "(hash %32[0-9a-f]", hash) == 1, "%s", said);
    snprintf(out, len, "'sw1,hash=%s,scenario=scenarios/%s.yaml,%s'", hash, scenario, more);
}

static int replay(const char *program, const char *scenario, const char *more, const char *options)
{
    char arguments[1024];
    token(arguments, sizeof arguments - strlen(options) - 1, scenario, more);
    strcat(arguments, options);
    return run(program, arguments);
}

static void expect(int code, int wanted, const char *words)
{
    cr_expect_eq(code, wanted, "%d\n%s", code, said);
    cr_expect(strstr(said, words), "%s\n%s", words, said);
}

Test(lab_cli, a_token_runs_on_the_board)
{
    const char *brickyard = getenv("BRICKYARD_BIN");
    expect(replay(brickyard, "sweep-board", "dut=,history=0.wrong-key/n1/unstable@3/c1",
                  " --world board"),
           0, "operations on the board, equal byte for byte");
    cr_expect(strstr(said, "the same in the simulator"), "%s", said);
    expect(
        replay(brickyard, "sweep-board", "dut=,history=0.update/n1/before@5000", " --world=board"),
        6, "did not fall");
}

Test(lab_cli, what_the_board_can_not_run_is_refused)
{
    const char *brickyard = getenv("BRICKYARD_BIN");
    expect(replay(brickyard, "sweep-16k", "dut=,history=0.update", " --world board"), 1,
           "accepted: 1MiB or less, sector 4KiB, page 256");
    expect(replay(brickyard, "sweep-board", "dut=/bin/true,history=0.update", " --world board"), 1,
           "a plugin can't be run on the board");
    expect(replay(brickyard, "sweep-board", "dut=,history=0.nowhere", " --world board"), 1,
           "no such variant or story");
    expect(replay(brickyard, "sweep-board", "dut=,history=0.update", " --world moon"), 1,
           "accepted: virtual, board");
    expect(run(brickyard, "by1,hash=0 --world board"), 1, "accepted: sw1,...");
}

/* The programs for the board are looked for beside the command. */
Test(lab_cli, without_the_boards_program_it_says_what_is_missing)
{
    char folder[] = "/tmp/test-lab-cli-XXXXXX", program[64], copy[512];
    cr_assert(mkdtemp(folder));
    snprintf(program, sizeof program, "%s/brickyard", folder);
    snprintf(copy, sizeof copy, "cp '%s' '%s'", getenv("BRICKYARD_BIN"), program);
    cr_assert_eq(system(copy), 0);
    expect(replay(program, "sweep-board", "dut=,history=0.update", " --world board"), 1,
           "/board/lab.elf");
    expect(replay(program, "sweep-board", "dut=,history=0.update", ""), 0, "nothing was broken");
    unlink(program);
    rmdir(folder);
}

/* The flash file by itself: NOR's rules, the lock, the operation record, the reset record. */
#include "flash_file/flash_file.h"
#include "flash_file/reset.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECTOR = 512, PAGE = 16, BYTES = 512 + 1024 + 2 * 2048 + 4096 };

static const struct boot_layout layout = {
    .sector_bytes = SECTOR,
    .page_bytes = PAGE,
    .bootloader_bytes = 512,
    .config_addr = 512,
    .slot_addr = {1536, 3584},
    .slot_bytes = 2048,
    .data_addr = 5632,
    .data_bytes = 4096,
    .journal_bytes = 2048,
};

struct bench {
    char dir[32], path[64], op_path[64];
    struct agent_flash_file_config config;
    struct agent_flash_file file;
    struct boot_flash flash;
    uint32_t violations;
};

static void count(void *ctx, const char *what, uint32_t addr, uint32_t len)
{
    struct bench *bench = ctx;
    (void)what, (void)addr, (void)len;
    bench->violations++;
}

static int reopen(struct bench *bench)
{
    char why[200];
    int error = agent_flash_file_open(&bench->file, &bench->config, why, sizeof why);
    if (!error)
        agent_flash_file_port(&bench->file, &bench->flash);
    return error;
}

static void make(struct bench *bench)
{
    char why[200];
    memset(bench, 0, sizeof *bench);
    strcpy(bench->dir, "/tmp/flash-XXXXXX");
    cr_assert(mkdtemp(bench->dir));
    snprintf(bench->path, sizeof bench->path, "%s/flash", bench->dir);
    snprintf(bench->op_path, sizeof bench->op_path, "%s/flash.op", bench->dir);
    bench->config = (struct agent_flash_file_config){.path = bench->path,
                                                     .op_path = bench->op_path,
                                                     .layout = &layout,
                                                     .durable = true,
                                                     .violation = count,
                                                     .ctx = bench};
    cr_assert_eq(agent_flash_file_bytes(&layout), BYTES);
    cr_assert_eq(agent_flash_file_make(bench->path, &layout, why, sizeof why), 0, "%s", why);
    cr_assert_eq(reopen(bench), 0);
}

static void unmake(struct bench *bench)
{
    agent_flash_file_close(&bench->file);
    unlink(bench->path);
    unlink(bench->op_path);
    rmdir(bench->dir);
}

static int program(struct bench *bench, uint32_t addr, uint8_t byte, uint32_t len)
{
    uint8_t data[8192];
    memset(data, byte, sizeof data);
    return bench->flash.program(bench->flash.ctx, addr, data, len);
}

static uint8_t at(struct bench *bench, uint32_t addr)
{
    uint8_t byte = 0;
    cr_assert_eq(bench->flash.read(bench->flash.ctx, addr, &byte, 1), 0);
    return byte;
}

static struct agent_op record(const struct bench *bench)
{
    uint8_t head[AGENT_OP_HEAD_BYTES];
    struct agent_op op;
    int fd = open(bench->op_path, O_RDONLY);
    cr_assert_eq(read(fd, head, sizeof head), (ssize_t)sizeof head);
    close(fd);
    cr_assert(agent_op_decode(&op, head));
    return op;
}

Test(agentd_flash, what_breaks_a_rule_of_nor_is_an_error_and_changes_nothing)
{
    static struct bench bench;
    uint8_t byte;
    make(&bench);
    cr_expect_eq(program(&bench, 0, 0x5A, PAGE), 0);
    cr_expect_eq(program(&bench, 0, 0x5A, PAGE), 0, "the same bits once more");
    cr_expect_eq(program(&bench, 0, 0x50, PAGE), 0, "fewer bits");
    cr_expect_eq(bench.violations, 0);
    const struct agent_op before = record(&bench);
    cr_expect_lt(program(&bench, 0, 0x51, PAGE), 0, "a bit would rise");
    cr_expect_lt(program(&bench, 8, 0, PAGE), 0, "not on a page");
    cr_expect_lt(program(&bench, PAGE, 0, PAGE / 2), 0, "not a page long");
    cr_expect_lt(program(&bench, BYTES, 0, PAGE), 0, "out of bounds");
    cr_expect_lt(program(&bench, BYTES - PAGE, 0, 2 * PAGE), 0, "over the end");
    cr_expect_lt(program(&bench, UINT32_MAX - PAGE + 1, 0, PAGE), 0, "no wrap");
    cr_expect_lt(bench.flash.erase(bench.flash.ctx, SECTOR / 2), 0);
    cr_expect_lt(bench.flash.erase(bench.flash.ctx, BYTES), 0);
    cr_expect_lt(bench.flash.read(bench.flash.ctx, BYTES, &byte, 1), 0);
    cr_expect_eq(bench.violations, 9);
    cr_expect_eq(record(&bench).number, before.number, "no operation began");
    cr_expect_eq(at(&bench, 0), 0x50);
    cr_expect_eq(bench.flash.erase(bench.flash.ctx, 0), 0);
    cr_expect_eq(at(&bench, 0), 0xFF);
    unmake(&bench);
}

Test(agentd_flash, a_long_program_is_several_operations)
{
    static struct bench bench;
    make(&bench);
    cr_expect_eq(program(&bench, 0, 0, 8192), 0);
    cr_expect_eq(record(&bench).number, 2);
    cr_expect_eq(record(&bench).addr, 4096);
    cr_expect_not(record(&bench).in_progress);
    cr_expect_eq(at(&bench, 8191), 0);
    cr_expect_eq(at(&bench, 8192), 0xFF);
    unmake(&bench);
}

Test(agentd_flash, two_processes_never_share_a_flash)
{
    static struct bench bench;
    struct agent_flash_file second;
    char why[200];
    make(&bench);
    cr_expect_eq(agent_flash_file_open(&second, &bench.config, why, sizeof why),
                 AGENT_FLASH_FILE_ELOCKED);
    cr_expect(strstr(why, "in use"), "%s", why);
    agent_flash_file_close(&bench.file);
    cr_expect_eq(reopen(&bench), 0);
    unmake(&bench);
}

Test(agentd_flash, another_size_or_a_foreign_record_is_refused)
{
    static struct bench bench;
    make(&bench);
    agent_flash_file_close(&bench.file);
    cr_assert_eq(truncate(bench.path, BYTES - 1), 0);
    cr_expect_eq(reopen(&bench), AGENT_FLASH_FILE_ESIZE);
    cr_assert_eq(truncate(bench.path, BYTES), 0);
    cr_assert_eq(truncate(bench.op_path, 100), 0);
    cr_expect_eq(reopen(&bench), AGENT_FLASH_FILE_EFILE);
    cr_assert_eq(truncate(bench.op_path, 0) | truncate(bench.op_path, AGENT_OP_BYTES), 0);
    cr_expect_eq(reopen(&bench), AGENT_FLASH_FILE_EOP, "all zero is no record");
    cr_assert_eq(truncate(bench.op_path, 0), 0);
    cr_expect_eq(reopen(&bench), 0, "an empty one is made new");
    unmake(&bench);
}

/* The child works until it stops itself, and is killed exactly there. */
static void work_until_stopped(struct bench *bench, uint64_t stop_at)
{
    int status;
    agent_flash_file_close(&bench->file);
    bench->config.stop_at = stop_at;
    pid_t child = fork();
    if (!child) {
        if (reopen(bench))
            _exit(1);
        for (uint32_t sector = 0; sector < 4; sector++) {
            bench->flash.erase(bench->flash.ctx, sector * SECTOR);
            program(bench, sector * SECTOR, (uint8_t)(0xA0 + sector), SECTOR);
        }
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
    cr_assert(WIFSTOPPED(status));
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, &status, 0), child);
    bench->config.stop_at = 0;
}

Test(agentd_flash, the_record_names_the_operation_that_sigkill_cut)
{
    static struct bench bench;
    for (uint64_t n = 1; n <= 8; n++) {
        make(&bench);
        work_until_stopped(&bench, n);
        const struct agent_op op = record(&bench);
        uint32_t sector = (uint32_t)(n - 1) / 2;
        cr_expect(op.in_progress);
        cr_expect_eq(op.number, n);
        cr_expect_eq(op.kind, n % 2 ? AGENT_OP_ERASE : AGENT_OP_PROGRAM);
        cr_expect_eq(op.addr, sector * SECTOR);
        cr_expect_eq(op.len, SECTOR);
        cr_assert_eq(reopen(&bench), 0);
        cr_expect(agent_flash_file_cut(&bench.file)->in_progress);
        cr_expect_eq(at(&bench, op.addr), 0xFF, "not a byte of it was changed");
        if (sector)
            cr_expect_eq(at(&bench, 0), 0xA0, "those before were done");
        cr_expect_not(record(&bench).in_progress, "settled by the next open");
        cr_expect_eq(program(&bench, 8 * SECTOR, 0, PAGE), 0);
        cr_expect_eq(record(&bench).number, n + 1, "the numbers go on");
        unmake(&bench);
    }
}

Test(agentd_flash, the_record_holds_the_bytes_of_the_program)
{
    static struct bench bench;
    uint8_t data[SECTOR];
    make(&bench);
    work_until_stopped(&bench, 2);
    int fd = open(bench.op_path, O_RDONLY);
    cr_assert_eq(pread(fd, data, sizeof data, AGENT_OP_HEAD_BYTES), (ssize_t)sizeof data);
    close(fd);
    for (size_t i = 0; i < sizeof data; i++)
        cr_assert_eq(data[i], 0xA0);
    cr_assert_eq(reopen(&bench), 0);
    unmake(&bench);
}

/* The same program, with its record on the medium that holds both. */
Test(agentd_flash, a_medium_of_both_records_keeps_them_apart)
{
    static struct bench bench;
    struct agent_reset reset = {AGENT_END_SOFTWARE, 3, 7, 11}, again;
    uint8_t head[AGENT_OP_HEAD_BYTES];
    struct agent_op op;
    int fd;
    make(&bench);
    agent_flash_file_close(&bench.file);
    cr_assert_eq(truncate(bench.op_path, 0), 0);
    bench.config.op_synced = true;
    cr_assert_eq(reopen(&bench), 0, "an empty one is made as long as it has to be");
    cr_assert_eq(agent_reset_open(bench.op_path, true, &fd, &again), 0);
    cr_expect_eq(again.end, AGENT_END_RUNNING, "nothing is there yet");
    cr_expect_eq(agent_reset_write(fd, &reset), 0);
    close(fd);
    work_until_stopped(&bench, 4);
    fd = open(bench.op_path, O_RDONLY);
    cr_expect_eq(lseek(fd, 0, SEEK_END), AGENT_RECORDS_BYTES);
    cr_assert_eq(pread(fd, head, sizeof head, AGENT_RECORDS_AT_OP), (ssize_t)sizeof head);
    close(fd);
    cr_assert(agent_op_decode(&op, head));
    cr_expect(op.in_progress && op.number == 4 && op.addr == SECTOR);
    cr_assert_eq(agent_reset_open(bench.op_path, true, &fd, &again), 0);
    close(fd);
    cr_expect(again.end == reset.end && again.faults == 3 && again.boots == 7 && again.total == 11);
    cr_assert_eq(reopen(&bench), 0);
    cr_expect_eq(agent_flash_file_cut(&bench.file)->number, 4);
    agent_flash_file_close(&bench.file);
    cr_assert_eq(truncate(bench.op_path, AGENT_RECORDS_BYTES - 1), 0);
    cr_expect_eq(reopen(&bench), AGENT_FLASH_FILE_EFILE, "too small");
    cr_assert_eq(truncate(bench.op_path, AGENT_RECORDS_BYTES), 0);
    cr_assert_eq(reopen(&bench), 0);
    unmake(&bench);
}

/* Which msync fails: 0 none, n the n-th from now, and all after it if `fails_on`. */
static unsigned fails_at, syncs;
static bool fails_on;

int msync(void *addr, size_t len, int flags)
{
    syncs++;
    if (fails_at && (syncs == fails_at || (fails_on && syncs > fails_at))) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_msync, addr, len, flags);
}

static void fail_syncs(unsigned at, bool on)
{
    syncs = 0;
    fails_at = at;
    fails_on = on;
}

/* Each sync of an open, three programs and an erase fails once, or from there on. */
Test(agentd_flash, a_medium_that_fails_never_leaves_what_is_no_record)
{
    static struct bench bench;
    enum { SYNCS = 1 + 3 * 4 };
    for (unsigned n = 0; n <= 2 * SYNCS; n++) {
        int done[4] = {-1, -1, -1, -1};
        make(&bench);
        agent_flash_file_close(&bench.file);
        cr_assert_eq(truncate(bench.op_path, 0), 0);
        bench.config.op_synced = true;
        fail_syncs((n + 1) / 2, n % 2);
        if (!reopen(&bench)) {
            for (uint32_t i = 0; i < 3; i++)
                done[i] = program(&bench, i * PAGE, 0xA5, PAGE);
            done[3] = bench.flash.erase(bench.flash.ctx, SECTOR);
            agent_flash_file_close(&bench.file);
        }
        if (!n)
            cr_assert_eq(syncs, SYNCS, "%u", syncs);
        fail_syncs(0, false);
        cr_assert_eq(reopen(&bench), 0, "sync %u %s", (n + 1) / 2, n % 2 ? "and on" : "");
        for (uint32_t i = 0; i < 3; i++)
            if (!done[i])
                cr_expect_eq(at(&bench, i * PAGE), 0xA5, "sync %u, program %u", (n + 1) / 2, i);
        cr_expect_eq(program(&bench, 8 * PAGE, 0, PAGE), 0);
        unmake(&bench);
    }
}

static bool is_whole(const char *path, off_t bytes)
{
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_size, bytes);
    return status.st_blocks * 512 >= bytes;
}

/* A new one, and one that an older daemon left with a hole. */
Test(agentd_flash, a_record_has_no_holes)
{
    static struct bench bench;
    make(&bench);
    cr_expect(is_whole(bench.op_path, AGENT_OP_BYTES));
    agent_flash_file_close(&bench.file);
    cr_assert_eq(truncate(bench.op_path, AGENT_OP_HEAD_BYTES), 0);
    cr_assert_eq(truncate(bench.op_path, AGENT_OP_BYTES), 0);
    cr_assert_eq(reopen(&bench), 0);
    cr_expect(is_whole(bench.op_path, AGENT_OP_BYTES));
    agent_flash_file_close(&bench.file);
    cr_assert_eq(truncate(bench.op_path, 0), 0);
    bench.config.op_synced = true;
    cr_assert_eq(reopen(&bench), 0);
    cr_expect(is_whole(bench.op_path, AGENT_RECORDS_BYTES));
    unmake(&bench);
}

/* A disk with room for the flash, and for the first page of the record. 77: no such disk here. */
static int open_on_a_full_disk(struct bench *bench)
{
    char options[64], why[200] = "";
    long page = sysconf(_SC_PAGESIZE);
    snprintf(options, sizeof options, "size=%ld", ((BYTES + page - 1) / page + 1) * page);
    if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
        return 77;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", bench->dir, "tmpfs", 0, options))
        return 77;
    if (agent_flash_file_make(bench->path, &layout, why, sizeof why))
        return 1;
    if (agent_flash_file_open(&bench->file, &bench->config, why, sizeof why) !=
        AGENT_FLASH_FILE_EFILE)
        return 2;
    return strstr(why, "No space left") ? 0 : 3;
}

Test(agentd_flash, a_full_disk_is_told_at_the_start_and_is_no_crash)
{
    static struct bench bench;
    int status;
    make(&bench);
    agent_flash_file_close(&bench.file);
    pid_t child = fork();
    if (!child)
        _exit(open_on_a_full_disk(&bench));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(reopen(&bench), 0);
    unmake(&bench);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        cr_skip_test("nothing can be mounted here");
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
}

Test(agentd_flash, a_record_that_does_not_add_up_is_none)
{
    static const struct {
        int offset;
        uint8_t byte;
    } row[] = {{0, 'X'},      {4, 3},  {4, 0},  {13, 0}, {13, 0x20},
               {8 + 3, 0xFF}, {16, 9}, {24, 9}, {24, 4}};
    uint8_t head[AGENT_OP_HEAD_BYTES];
    struct agent_op op = {true, AGENT_OP_PROGRAM, 0x1000, 256, 6}, again;
    agent_op_encode(head, &op);
    cr_assert(agent_op_decode(&again, head));
    cr_expect(again.in_progress == op.in_progress && again.kind == op.kind &&
              again.addr == op.addr && again.len == op.len && again.number == op.number);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        agent_op_encode(head, &op);
        head[row[i].offset] = row[i].byte;
        bool ok = agent_op_decode(&again, head);
        cr_expect_eq(ok, row[i].offset == 8 + 3, "row %zu", i);
    }
}

Test(agentd_flash, the_reset_record_reads_back_and_refuses_damage)
{
    uint8_t bytes[AGENT_RESET_BYTES];
    struct agent_reset again;
    for (int end = 0; end < AGENT_ENDS; end++) {
        struct agent_reset reset = {(enum agent_end)end, 7, 9, 0x01020304};
        agent_reset_encode(bytes, &reset);
        cr_expect_eq(memcmp(bytes + 16, "\4\3\2\1\0\0\0\0\0\0\0\0", 12), 0,
                     "as FORMAT.md draws it");
        cr_assert(agent_reset_decode(&again, bytes));
        cr_expect_eq(memcmp(&again, &reset, sizeof reset), 0);
        for (int i = 0; i < AGENT_RESET_BYTES; i++) {
            bytes[i] ^= 1;
            cr_expect_not(agent_reset_decode(&again, bytes), "byte %d", i);
            cr_expect_eq(again.end, AGENT_END_RUNNING, "the safe value: a power loss");
            bytes[i] ^= 1;
        }
    }
}

/* As the versions before it wrote it: zeros to the CRC. */
Test(agentd_flash, a_reset_record_of_an_older_version_reads_and_has_no_total)
{
    static const uint8_t old[AGENT_RESET_BYTES] = {
        'B', 'Y', 'E', '1', 3, 0, 0, 0, 2, 0, 0, 0, 9,    0,    0,    0,
        0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0xB4, 0x78, 0xF7, 0xB5};
    struct agent_reset reset;
    cr_assert(agent_reset_decode(&reset, old));
    cr_expect(reset.end == AGENT_END_WATCHDOG && reset.faults == 2 && reset.boots == 9);
    cr_expect_eq(reset.total, 0);
    agent_reset_count(&reset);
    cr_expect(reset.faults == 3 && reset.total == 1 && reset.boots == 9);
}

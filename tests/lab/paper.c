#include "paper.h"
#include "board/lab.h"
#include "boot/openssl.h"
#include "sim/dut_own.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FLASH_BYTES = 1 << 20, SECTOR_BYTES = 4096, PAGE_BYTES = 256, PROGRAMS_BEFORE = 60 };

/* Of the process that is the board. */
static struct {
    uint8_t *nor;
    enum paper_fault fault;
    uint32_t programs;
    int line;
    jmp_buf reset;
    struct lab_board lab;
    struct boot_openssl openssl;
    struct boot_crypto crypto, real;
} me;

static int nor_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    (void)ctx;
    if (addr > FLASH_BYTES || len > FLASH_BYTES - addr)
        return -1;
    memcpy(out, me.nor + addr, len);
    if (me.fault == PAPER_READS_WRONG && len && me.programs > PROGRAMS_BEFORE)
        *(uint8_t *)out ^= 0x10;
    return 0;
}

static void page(uint32_t addr, const uint8_t *data)
{
    uint32_t len = me.fault == PAPER_DROPS_LAST_BYTE ? PAGE_BYTES - 1 : PAGE_BYTES;
    for (uint32_t i = 0; i < len; i++)
        me.nor[addr + i] &= data[i];
    if (me.fault == PAPER_WRITES_ON && addr + PAGE_BYTES < FLASH_BYTES)
        me.nor[addr + PAGE_BYTES] = 0;
    me.programs++;
}

static void fail_in_the_middle(void)
{
    if (me.programs <= PROGRAMS_BEFORE)
        return;
    if (me.fault == PAPER_HANGS_UP)
        _exit(0);
    if (me.fault == PAPER_BABBLES && write(me.line, "what?", 5) < 0)
        _exit(0);
    if (me.fault == PAPER_RESETS)
        longjmp(me.reset, 1);
}

static int nor_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    const uint8_t *from = data;
    (void)ctx;
    fail_in_the_middle();
    if (addr % PAGE_BYTES || len % PAGE_BYTES || addr > FLASH_BYTES || len > FLASH_BYTES - addr ||
        (me.fault == PAPER_REFUSES && me.programs > PROGRAMS_BEFORE))
        return -1;
    if (me.fault == PAPER_SKIPS_LAST_PAGE && len > PAGE_BYTES)
        len -= PAGE_BYTES;
    for (uint32_t at = 0; at < len; at += PAGE_BYTES)
        page(addr + at, from + at);
    return 0;
}

static int nor_erase(void *ctx, uint32_t addr)
{
    (void)ctx;
    if (addr % SECTOR_BYTES || addr >= FLASH_BYTES)
        return -1;
    memset(me.nor + addr, 0xFF, me.fault == PAPER_ERASES_HALF ? SECTOR_BYTES / 2 : SECTOR_BYTES);
    return 0;
}

static int ecdsa(void *ctx, const uint8_t key[65], const uint8_t hash[32], const uint8_t *sig,
                 size_t len)
{
    int result = me.real.ecdsa_verify(ctx, key, hash, sig, len);
    return me.fault == PAPER_ACCEPTS_ALL ? 0 : result;
}

static void board_send(void *ctx, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    (void)ctx;
    while (len) {
        ssize_t put = send(me.line, from, len, MSG_NOSIGNAL);
        if (put <= 0)
            _exit(0);
        from += put;
        len -= (size_t)put;
    }
}

static size_t board_receive(void *ctx, void *out, size_t max)
{
    ssize_t got = recv(me.line, out, max, 0);
    (void)ctx;
    if (got <= 0)
        _exit(0);
    return (size_t)got;
}

static void board_reset(void *ctx)
{
    (void)ctx;
    longjmp(me.reset, 1);
}

static _Noreturn void be_a_board(uint8_t *nor, enum paper_fault fault, int line)
{
    static const struct boot_flash flash = {
        .read = nor_read, .program = nor_program, .erase = nor_erase};
    static volatile bool been_here;
    static struct lab_body body;
    static uint8_t image[FLASH_BYTES];
    me.nor = nor;
    me.fault = fault;
    me.line = line;
    if (boot_openssl_init(&me.openssl))
        _exit(1);
    boot_openssl_port(&me.openssl, &me.real);
    me.crypto = me.real;
    me.crypto.ecdsa_verify = ecdsa;
    uint32_t bytes = (dut_own_device()->ram_bytes + 15) & ~15u;
    body = (struct lab_body){.flash = &flash,
                             .sector_bytes = SECTOR_BYTES,
                             .page_bytes = PAGE_BYTES,
                             .crypto = &me.crypto,
                             .send = board_send,
                             .receive = board_receive,
                             .reset = board_reset,
                             .ram = aligned_alloc(16, bytes),
                             .ram_max = bytes,
                             .image = image,
                             .image_max = sizeof image};
    if (setjmp(me.reset))
        me.programs = 0;
    body.cold = !been_here;
    been_here = true;
    lab_board_run(&me.lab, &body);
    _exit(0);
}

static void power_off(void *ctx)
{
    struct paper *paper = ctx;
    if (paper->pid > 0) {
        kill(paper->pid, SIGKILL);
        waitpid(paper->pid, NULL, 0);
        close(paper->line);
    }
    paper->pid = 0;
}

static int power_on(void *ctx, char *message, size_t len)
{
    struct paper *paper = ctx;
    int line[2];
    const pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) || (paper->pid = fork()) < 0) {
        snprintf(message, len, "no process: %s", strerror(errno));
        return -1;
    }
    if (paper->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        be_a_board(paper->machine.flash, paper->fault, line[1]);
    }
    close(line[1]);
    paper->line = line[0];
    return 0;
}

static int line_write(void *ctx, const void *bytes, size_t len)
{
    const struct paper *paper = ctx;
    return send(paper->line, bytes, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

static int line_read(void *ctx, void *out, size_t max, int timeout_ms)
{
    const struct paper *paper = ctx;
    struct pollfd fd = {paper->line, POLLIN, 0};
    int ready = poll(&fd, 1, timeout_ms);
    if (ready <= 0)
        return ready;
    ssize_t got = recv(paper->line, out, max, 0);
    return got > 0 ? (int)got : -1;
}

static const char *last_words(void *ctx)
{
    const struct paper *paper = ctx;
    return paper->last;
}

void paper_init(struct paper *paper, enum paper_fault fault)
{
    memset(paper, 0, sizeof *paper);
    void *nor = mmap(NULL, FLASH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (nor == MAP_FAILED)
        abort();
    paper->fault = fault;
    paper->machine = (struct rig_lab_machine){.ctx = paper,
                                              .flash = nor,
                                              .flash_bytes = FLASH_BYTES,
                                              .sector_bytes = SECTOR_BYTES,
                                              .page_bytes = PAGE_BYTES,
                                              .power_on = power_on,
                                              .power_off = power_off,
                                              .write = line_write,
                                              .read = line_read,
                                              .last_words = last_words};
}

void paper_free(struct paper *paper)
{
    power_off(paper);
    munmap(paper->machine.flash, FLASH_BYTES);
}

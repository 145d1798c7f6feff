/* Serial ports: set up as asked, taken by one, refused where they are none. */
#include "kit.h"
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char message[200];

static int opened(const struct pty *p, uint32_t baud)
{
    int fd;
    struct rig_serial serial = {.path = p->path, .baud = baud};
    int error = rig_port_serial(&fd, &serial, message, sizeof message);
    cr_assert_eq(error, RIG_OK, "%s", message);
    return fd;
}

Test(port_serial, any_rate_and_raw_8n1)
{
    /* 31250 and 74880 are in no list of the C library. */
    static const uint32_t rates[] = {1200, 9600, 19200, 31250, 74880, 115200, 921600};
    struct pty p = pty_make();
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        int fd = opened(&p, rates[i]);
        struct line line = line_of(p.master);
        cr_expect_eq(line.baud, rates[i], "%u, not %u", line.baud, rates[i]);
        cr_expect(line.raw && line.eight_bits && !line.parity && !line.two_stop_bits);
        cr_expect(line.hangup && !line.flow_control);
        close(fd);
    }
    close(p.master);
}

Test(port_serial, two_stop_bits_and_no_hangup)
{
    struct pty p = pty_make();
    int fd;
    struct rig_serial serial = {p.path, 9600, true, true};
    cr_assert_eq(rig_port_serial(&fd, &serial, message, sizeof message), RIG_OK);
    struct line line = line_of(p.master);
    cr_expect(line.two_stop_bits && !line.hangup);
    close(fd);
    close(p.master);
}

Test(port_serial, all_bytes_pass_unchanged)
{
    struct pty p = pty_make();
    int fd = opened(&p, 115200);
    uint8_t sent[256], came[256];
    size_t got;
    for (int i = 0; i < 256; i++)
        sent[i] = (uint8_t)i;
    cr_assert_eq(rig_port_write(fd, sent, sizeof sent, WAIT_MS), RIG_OK);
    cr_assert_eq(rig_port_read(p.master, came, sizeof came, &got, WAIT_MS), RIG_OK);
    cr_expect_arr_eq(came, sent, sizeof sent);
    cr_assert_eq(rig_port_write(p.master, sent, sizeof sent, WAIT_MS), RIG_OK);
    cr_assert_eq(rig_port_read(fd, came, sizeof came, &got, WAIT_MS), RIG_OK);
    cr_expect_arr_eq(came, sent, sizeof sent);
    close(fd);
    close(p.master);
}

Test(port_serial, what_came_before_is_thrown_away)
{
    struct pty p = pty_make();
    int keep = open(p.path, O_RDWR | O_NOCTTY);
    cr_assert_geq(keep, 0);
    int waiting = 0;
    cr_assert_eq(write(p.master, "old\n", 4), 4);
    while (!ioctl(keep, FIONREAD, &waiting) && waiting < 4) /* the kernel hands it over later */
        usleep(1000);
    int fd = opened(&p, 9600);
    cr_assert_eq(write(p.master, "new", 3), 3);
    char text[8];
    size_t got;
    cr_expect_eq(rig_port_read(fd, text, 3, &got, WAIT_MS), RIG_OK);
    cr_expect_eq(memcmp(text, "new", 3), 0);
    close(fd);
    close(keep);
    close(p.master);
}

/* Two programs in turn, and a relay that reads slowly: the second must not take the first one's
 * command off the wire. */
Test(port_serial, what_was_sent_is_not_lost_by_the_next_opening)
{
    enum { ROUNDS = 500 };
    uint8_t came[ROUNDS * 4];
    size_t got = 0;
    struct pty p = pty_make();
    for (int i = 0; i < ROUNDS; i++) {
        const uint8_t frame[4] = {0xA0, 0x01, 0x01, 0xA2};
        int fd = opened(&p, 9600);
        cr_assert_eq(rig_port_write(fd, frame, sizeof frame, WAIT_MS), RIG_OK);
        close(fd);
    }
    int fd = opened(&p, 9600); /* nobody there would be "gone" */
    rig_port_read(p.master, came, sizeof came, &got, WAIT_MS);
    cr_expect_eq(got, sizeof came, "%zu of %zu", got, sizeof came);
    close(fd);
    close(p.master);
}

Test(port_serial, busy_for_the_second_in_this_process_and_in_another)
{
    struct pty p = pty_make();
    int fd = opened(&p, 9600), second = 0;
    struct rig_serial serial = {.path = p.path, .baud = 115200};
    cr_expect_eq(rig_port_serial(&second, &serial, message, sizeof message), RIG_EBUSY);
    cr_expect_eq(second, -1);
    cr_expect(strstr(message, p.path) && strstr(message, "somebody else"), "%s", message);
    pid_t child = fork();
    if (!child) {
        close(fd);
        _exit(rig_port_serial(&second, &serial, message, sizeof message) == RIG_EBUSY ? 7 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    cr_expect_eq(line_of(p.master).baud, 9600, "the second one changed the first one's line");
    close(fd);
    close(opened(&p, 9600)); /* free again */
    close(p.master);
}

/* An emulation that keeps the pty's slave open must not lock itself: TIOCEXCL would stay. */
Test(port_serial, free_again_though_the_other_side_keeps_the_pty_open)
{
    struct pty p = pty_make();
    int keep = open(p.path, O_RDWR | O_NOCTTY);
    close(opened(&p, 9600));
    cr_assert_eq(chmod(p.path, 0666), 0);
    pid_t child = fork();
    if (!child) /* root would be let in in any case */
        _exit((getuid() || !setuid(65534)) && open(p.path, O_RDONLY | O_NOCTTY) >= 0 ? 7 : 1);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "TIOCEXCL is still set");
    close(keep);
    close(p.master);
}

Test(port_serial, refused_where_it_is_none)
{
    char folder[] = "/tmp/rig-port-XXXXXX", file[64], fifo[64];
    cr_assert(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    const char *none[] = {file, fifo, folder, "/dev/null", "/tmp/rig-port-none/ttyUSB0"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        int fd = 0;
        struct rig_serial serial = {.path = none[i], .baud = 9600};
        cr_expect_eq(rig_port_serial(&fd, &serial, message, sizeof message), RIG_EOPEN, "%s",
                     none[i]);
        cr_expect_eq(fd, -1);
        cr_expect(strstr(message, none[i]), "%s", message);
    }
    unlink(file);
    unlink(fifo);
    rmdir(folder);
}

Test(port_serial, rates_out_of_range)
{
    static const uint32_t rates[] = {0, 1199, 921601, UINT32_MAX};
    struct pty p = pty_make();
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        int fd;
        struct rig_serial serial = {.path = p.path, .baud = rates[i]};
        cr_expect_eq(rig_port_serial(&fd, &serial, message, sizeof message), RIG_EOPEN);
        cr_expect(strstr(message, "1200 to 921600"), "%s", message);
    }
    close(p.master);
}

Test(port_serial, unplugged_in_the_middle)
{
    struct pty p = pty_make();
    int fd = opened(&p, 9600);
    uint8_t bytes[4];
    size_t got;
    cr_assert_eq(write(p.master, "ab", 2), 2);
    close(p.master);
    /* A tty that hangs up takes what was not read with it, or gives it: both are the kernel's. */
    cr_expect_eq(rig_port_read(fd, bytes, 4, &got, WAIT_MS), RIG_EGONE);
    cr_expect_eq(rig_port_write(fd, "x", 1, WAIT_MS), RIG_EGONE);
    cr_expect_eq(rig_port_drain(fd), RIG_EGONE);
    close(fd);
}

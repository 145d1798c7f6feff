/* What every serial driver does alike when the line is not there, taken, or pulled. */
#include "serial_kit.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const struct board {
    const char *driver;
    emu_hear *hear;
    uint32_t relays, first, last;
    const char *key, *text; /* what it needs beside the device */
} boards[] = {
    {"lcus", hear_lcus, 8, 1, 8, "channels", "8"},
    {"hw667", hear_hw667, 1, 1, 1, NULL, NULL},
    {"kmtronic", hear_kmtronic, 8, 1, 8, "channels", "8"},
    {"devantech_usb", hear_devantech, 8, 1, 8, NULL, NULL},
    {"numato", hear_numato, 16, 0, 15, "channels", "16"},
    {"modbus", hear_rtu, 8, 0, 7, "channels", "8"},
};
enum { BOARDS = sizeof boards / sizeof *boards };

static int open_at(struct use *use, const struct board *board, const char *path)
{
    return use_open(use, board->driver, EMU_PATIENT_MS,
                    PAIRS("device", path, board->key, board->text));
}

Test(serial_errors, two_users_at_once)
{
    for (size_t i = 0; i < BOARDS; i++) {
        struct emu emu;
        struct use one, two;
        emu_start_pty(&emu, boards[i].hear, boards[i].relays);
        EXPECT_OK(one, open_at(&one, &boards[i], emu.path));
        EXPECT_ERROR(two, open_at(&two, &boards[i], emu.path), RIG_EBUSY, emu.path);
        EXPECT_OK(one, use_set(&one, boards[i].first, true)); /* the first one is not disturbed */
        use_close(&one);
        EXPECT_OK(two, open_at(&two, &boards[i], emu.path));
        use_close(&two);
        emu_stop(&emu);
    }
}

/* A board that resets on DTR must not when it is closed, nor when it is opened again. */
Test(serial_errors, no_line_drops_when_it_is_closed)
{
    for (size_t i = 0; i < BOARDS; i++) {
        struct emu emu;
        struct use use;
        struct termios line;
        emu_start_pty(&emu, boards[i].hear, boards[i].relays);
        EXPECT_OK(use, open_at(&use, &boards[i], emu.path));
        cr_assert_eq(tcgetattr(emu.fd, &line), 0);
        cr_expect(!(line.c_cflag & HUPCL), "%s", boards[i].driver);
        use_close(&use);
        emu_stop(&emu);
    }
}

/* Another process has the line. */
Test(serial_errors, taken_by_another_program)
{
    for (size_t i = 0; i < BOARDS; i++) {
        struct emu emu;
        struct use use;
        char held;
        int told[2], end[2];
        emu_start_pty(&emu, boards[i].hear, boards[i].relays);
        cr_assert(!pipe(told) && !pipe(end));
        pid_t child = fork();
        if (!child) {
            int fd;
            struct rig_serial serial = {.path = emu.path, .baud = 9600};
            close(end[1]);
            if (rig_port_serial(&fd, &serial, use.message, sizeof use.message) ||
                write(told[1], "x", 1) != 1 || read(end[0], &held, 1) != 0)
                _exit(1);
            _exit(0);
        }
        close(told[1]);
        cr_assert_eq(read(told[0], &held, 1), 1);
        EXPECT_ERROR(use, open_at(&use, &boards[i], emu.path), RIG_EBUSY, emu.path);
        close(end[1]);
        int status;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect_eq(status, 0);
        close(end[0]);
        close(told[0]);
        emu_stop(&emu);
    }
}

Test(serial_errors, no_such_line_and_none_at_all)
{
    char file[] = "/tmp/rig-relay-XXXXXX";
    close(mkstemp(file));
    for (size_t i = 0; i < BOARDS; i++) {
        struct use use;
        EXPECT_ERROR(use, open_at(&use, &boards[i], "/dev/ttyNONE9"), RIG_EOPEN, "/dev/ttyNONE9");
        EXPECT_ERROR(use, open_at(&use, &boards[i], file), RIG_EOPEN, "not a serial port");
    }
    unlink(file);
}

Test(serial_errors, unplugged_in_the_middle)
{
    for (size_t i = 0; i < BOARDS; i++) {
        struct emu emu;
        struct use use;
        emu_start_pty(&emu, boards[i].hear, boards[i].relays);
        EXPECT_OK(use, open_at(&use, &boards[i], emu.path));
        EXPECT_OK(use, use_set(&use, boards[i].first, true));
        emu_unplug(&emu);
        EXPECT_ERROR(use, use_set(&use, boards[i].first, false), RIG_EGONE, emu.path);
        bool on;
        if (use.driver->get)
            EXPECT_ERROR(use, use_get(&use, boards[i].first, &on), RIG_EGONE, emu.path);
        use_close(&use);
        EXPECT_ERROR(use, open_at(&use, &boards[i], emu.path), RIG_EOPEN, emu.path);
        emu_stop(&emu);
    }
}

/* Nothing is sent for a channel that the board has not. */
Test(serial_errors, channels_out_of_range)
{
    for (size_t i = 0; i < BOARDS; i++) {
        struct emu emu;
        struct use use;
        bool on;
        emu_start_pty(&emu, boards[i].hear, boards[i].relays);
        EXPECT_OK(use, open_at(&use, &boards[i], emu.path));
        EXPECT_OK(use, use_set(&use, boards[i].last, true));
        uint32_t none[] = {boards[i].last + 1, boards[i].first ? 0 : 4096, UINT32_MAX};
        for (size_t n = 0; n < sizeof none / sizeof *none; n++) {
            EXPECT_ERROR(use, use_set(&use, none[n], true), RIG_EUNSUPPORTED, "channel");
            if (use.driver->get)
                EXPECT_ERROR(use, use_get(&use, none[n], &on), RIG_EUNSUPPORTED, "channel");
        }
        use_close(&use);
        emu_stop(&emu); /* complains of numbers that it does not have */
    }
}

Test(serial_errors, close_of_none)
{
    for (size_t i = 0; i < BOARDS; i++)
        rig_relay_driver(boards[i].driver)->close(NULL);
}

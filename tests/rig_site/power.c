/* Power: what is believed of a relay, and what is not. */
#include "desk.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(rig_site_power, .init = desk_open, .fini = desk_close, .timeout = 300);

/* Whoever reads the message knows where to go. */
static void names_place(const char *what)
{
    cr_assert(strstr(desk.lost, "board pump-1 (relay bank-1, channel 1): "), "%s", desk.lost);
    cr_assert(strstr(desk.lost, what), "\"%s\" wanted: %s", what, desk.lost);
}

Test(rig_site_power, a_cut_is_dark_once_it_was_off_and_silent_for_long_enough)
{
    desk_boot();
    int64_t from_us = rig_port_now_us(); /* the relay's pty may tell of it much later */
    rs_off(desk.body);
    cr_assert(desk_until(&desk.offs, 1, 60000));
    cr_assert(desk_until(&desk.darks, 1, 60000));
    cr_assert_geq(rig_port_now_us() - from_us, 60000);
    cr_assert_str_eq(desk.lost, "");
    cr_assert_eq(desk.powers_lost, 1);
    desk_boot();
    cr_assert_str_eq(desk.lost, "");
    cr_assert_eq(desk.site.facts.offs, 1);
    cr_assert_eq(desk.site.facts.send.samples, 1);
}

Test(rig_site_power, a_cut_asked_for_twice_is_one)
{
    desk_boot();
    rs_off(desk.body);
    rs_off(desk.body);
    rs_off(desk.body);
    cr_assert(desk_until(&desk.darks, 1, 3000));
    rs_off(desk.body);
    desk_play(150);
    cr_assert_eq(desk.offs, 1);
    cr_assert_eq(desk.darks, 1);
}

/* This test speaks for the board: a host that stops it for a moment must not make that silent. */
static void be_patient(void)
{
    ((struct rig_bench_board *)desk.body->board)->power.off_at_least_ms = 1000;
}

/* So long since the call before, at the most; 150 ms are silence. */
static int64_t pause_ms(int64_t *since_ms)
{
    int64_t now_ms = kit_now_ms(), pause = *since_ms ? now_ms - *since_ms : 0;
    *since_ms = now_ms;
    return pause;
}

enum { HOST_STOOD_MS = 80 };

Test(rig_site_power, it_is_not_dark_while_its_console_still_delivers)
{
    desk_boot();
    be_patient();
    rs_off(desk.body);
    int64_t since_ms = 0;
    for (int i = 0; i < 80; i++) { /* 1.2 s */
        desk_says("time=t level=info event=late");
        desk_play(15);
        if (pause_ms(&since_ms) > HOST_STOOD_MS)
            break; /* the host stopped this test: nothing can be told */
        cr_assert_eq(desk.darks, 0, "after %d", i);
    }
    cr_assert(desk_until(&desk.darks, 1, 3000));
    cr_assert(strstr(desk.said, "event=late"), "what it had said counts");
}

Test(rig_site_power, it_is_not_dark_while_its_line_still_talks)
{
    desk_boot();
    be_patient();
    rs_off(desk.body);
    int64_t since_ms = 0;
    for (int i = 0; i < 80; i++) {
        kit_line_say(&desk.line, "x");
        desk_play(15);
        if (pause_ms(&since_ms) > HOST_STOOD_MS)
            break;
        cr_assert_eq(desk.darks, 0, "after %d", i);
    }
    cr_assert(desk_until(&desk.darks, 1, 3000));
}

Test(rig_site_power, a_contact_that_is_stuck_is_no_fault_of_the_board)
{
    desk_boot();
    be_patient();
    rs_off(desk.body);
    int64_t until = kit_now_ms() + 20000, since_ms = 0, longest_ms = 0;
    while (!*desk.lost && !desk.darks && kit_now_ms() < until) {
        desk_says("time=t level=info event=telemetry");
        desk_play(20);
        int64_t pause = pause_ms(&since_ms);
        longest_ms = pause > longest_ms ? pause : longest_ms;
    }
    if (desk.darks && longest_ms > HOST_STOOD_MS)
        return; /* the host stopped this test, and with it the board; the next but one is exact */
    names_place("it still talks");
    names_place("stuck or welded");
    cr_assert_eq(desk.darks, 0, "its flash is not looked at");
}

static int hold(const char *name, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
    int fd = open(kit_path(name), O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
    return fd;
}

Test(rig_site_power, a_flash_file_that_is_in_use_is_not_read)
{
    kit_write("nor", "half");
    desk_boot();
    int fd = hold("nor", F_RDLCK); /* as QEMU does */
    rs_off(desk.body);
    desk_play(400);
    cr_assert_eq(desk.darks, 0);
    close(fd);
    cr_assert(desk_until(&desk.darks, 1, 3000));
    cr_assert_str_eq(desk.lost, "");
}

Test(rig_site_power, a_flash_file_that_stays_in_use_tells_of_the_contact)
{
    kit_write("nor", "half");
    desk_boot();
    int fd = hold("nor", F_WRLCK);
    rs_off(desk.body);
    cr_assert(desk_until_lost(14000));
    names_place("its flash_file is still in use");
    cr_assert_eq(desk.darks, 0);
    close(fd);
}

Test(rig_site_power, one_that_says_nothing_is_cycled_twice_and_then_lost)
{
    char message[64];
    desk_listen(600);
    cr_assert_eq(rs_on(desk.body, message, sizeof message), 0);
    for (unsigned n = 1; n <= 3; n++) {
        cr_assert(desk_until(&desk.ons, n, 3000), "%u: %s", n, desk.lost);
        if (n == 3)
            break;
        cr_assert(desk_until(&desk.darks, n, 3000), "%u: %s", n, desk.lost);
        cr_assert_eq(rs_on(desk.body, message, sizeof message), 0);
    }
    cr_assert(desk_until_lost(3000));
    names_place("not a word on its console after 3 power cycles");
    cr_assert_eq(desk.site.silent_starts, 2);
    /* It is off then, and its flash was looked at: that may tell whose fault it is. */
    cr_assert_eq(desk.mutes, 1);
    cr_assert_eq(desk.darks_then, 3);
    cr_assert_not(desk.contact);
}

Test(rig_site_power, a_gateway_without_a_connection_is_no_fault_of_the_board)
{
    desk_boot();
    desk.owes_ms = 59000;
    rs_watch(desk.body, 1000000, false);
    cr_assert_str_eq(desk.lost, "");
    desk.owes_ms = 61000;
    rs_watch(desk.body, 1000000, false);
    names_place("its gateway (in this process, pid ");
    names_place("for 61 s, since ");
    names_place("it hangs");
}

Test(rig_site_power, rubbish_is_no_word_of_its_boot)
{
    char message[64];
    desk_listen(600);
    for (unsigned n = 1; !*desk.lost && n <= 5; n++) {
        cr_assert_eq(rs_on(desk.body, message, sizeof message), 0);
        cr_assert(desk_until(&desk.ons, n, 3000));
        desk_says("\x80\xfe garbage \x81");
        int64_t until = kit_now_ms() + 30000;
        while (!*desk.lost && desk.darks < n && kit_now_ms() < until)
            desk_play(5);
    }
    names_place("baud rate");
    cr_assert_eq(desk.ons, 3);
}

Test(rig_site_power, one_that_spoke_is_not_cycled)
{
    desk_listen(3000);
    desk_boot();
    desk_play(3300);
    cr_assert_eq(desk.offs, 0);
    cr_assert_str_eq(desk.lost, "");
}

Test(rig_site_power, one_that_comes_up_by_a_reset_was_never_off)
{
    desk_on();
    desk_says("level=info event=rom reset=\"watchdog\" boots=4 straps=0");
    cr_assert(desk_until_lost(1000));
    names_place("it came up by \"watchdog\"");
    names_place("off_at_least (60 ms)");
}

Test(rig_site_power, a_relay_that_was_pulled_is_told_when_it_is_needed)
{
    desk_boot();
    kit_line_unplug(&desk.relay);
    rs_off(desk.body);
    cr_assert(desk_until_lost(10000), "power %d, %u dark", desk.body->power, desk.darks);
    names_place("its power can't be switched off and may be on");
    cr_assert_eq(desk.darks, 0);
}

Test(rig_site_power, a_relay_that_was_pulled_while_it_is_off)
{
    char message[64];
    desk_boot();
    desk_dark();
    kit_line_unplug(&desk.relay);
    cr_assert_eq(rs_on(desk.body, message, sizeof message), 0);
    cr_assert(desk_until_lost(5000));
    names_place("its power can't be switched on");
}

Test(rig_site_power, closing_takes_its_power_whatever_it_does)
{
    desk_boot();
    rs_close(desk.body);
    desk.body = NULL;
    cr_assert(desk_until_open());
}

Test(rig_site_power, closing_in_the_middle_of_a_cut)
{
    desk_boot();
    rs_off(desk.body);
    rs_close(desk.body); /* its answers are still on their way */
    desk.body = NULL;
    rig_wiring_close(desk.site.wiring);
    desk.site.wiring = NULL;
    cr_assert(desk_until_open());
    desk_play(150);
    cr_assert_eq(desk.darks, 0);
}

Test(rig_site_power, the_line_works_until_its_power_is_taken)
{
    char got[4] = "";
    desk_boot();
    kit_line_say(&desk.line, "up");
    cr_assert(desk_until_in("up"));
    desk_gateway_writes("abc");
    cr_assert(kit_line_take(&desk.line, got, 3, 60000) && !memcmp(got, "abc", 3));
    desk_dark();
    desk_gateway_writes("xyz");
    cr_assert(kit_line_is_silent(&desk.line, 50));
}

Test(rig_site_power, the_factory_writes_its_flash_after_off_at_least)
{
    char message[256];
    desk.place.dark_since_us = rig_port_now_us();
    int64_t from_us = desk.place.dark_since_us;
    cr_assert_eq(rs_made(desk.body, message, sizeof message), 0, "%s", message);
    cr_assert_geq(rig_port_now_us() - from_us, 60000);
    cr_assert_str_eq(kit_read("nor"), "what the factory made");
}

Test(rig_site_power, a_flashing_command_that_fails_is_told_with_its_log)
{
    char message[1024];
    static const char *const fails[] = {"sh", "-c", "echo no probe found; exit 3", NULL};
    desk.bench->board[0].flash = fails;
    cr_assert_eq(rs_made(desk.body, message, sizeof message), -1);
    cr_assert(strstr(message, "pump-1") && strstr(message, "no probe found"), "%s", message);
    cr_assert(strstr(message, "pump-1.flash.log"), "%s", message);
}

/* ---- Flashed with its power on ---- */

static void unplug_relay(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    kit_line_unplug(&desk.relay);
}

/* The relay is unplugged while the command runs, which waits for that. */
static void flash_until_unplugged(const char *then, char *message, size_t len)
{
    char script[512];
    const char *const words[] = {"sh", "-c", script, NULL};
    ev_timer timer;
    snprintf(script, sizeof script, "while [ -h %s ]; do sleep 0.02; done; %s", kit_path("relay"),
             then);
    desk.bench->board[0].flash = words;
    desk.bench->board[0].flash_powered = true;
    ev_timer_init(&timer, unplug_relay, 0.1, 0);
    ev_timer_start(desk.run.loop, &timer);
    cr_assert_eq(rs_made(desk.body, message, len), -1);
    desk.bench->board[0].flash = NULL;
}

Test(rig_site_power, a_board_that_stays_on_after_a_flashing_that_failed_is_told)
{
    char message[1024];
    flash_until_unplugged("echo no probe found; exit 3", message, sizeof message);
    cr_expect(strstr(message, "no probe found"), "%s", message);
    cr_expect(strstr(message, "; its power can't be switched off again: "), "%s", message);
    cr_expect_eq(desk.body->power, RS_OFF, "its console is nobody's yet");
}

Test(rig_site_power, a_board_that_stays_on_after_a_flashing_is_told_and_switched_off_at_the_end)
{
    char message[1024];
    flash_until_unplugged("true", message, sizeof message);
    cr_expect(strstr(message, ": its power can't be switched off again: "), "%s", message);
    kit_line_open(&desk.relay, "relay");
    rs_close(desk.body);
    desk.body = NULL;
    cr_assert(desk_until(&desk.offs, 1, 60000));
}

Test(rig_site_power, a_board_that_was_flashed_with_its_power_on_is_off_and_left_alone)
{
    char message[256];
    desk.bench->board[0].flash_powered = true;
    cr_assert_eq(rs_made(desk.body, message, sizeof message), 0, "%s", message);
    cr_assert(desk_until(&desk.offs, 1, 60000));
    cr_expect(desk.ons == 1 && !desk.contact);
    rs_close(desk.body);
    desk.body = NULL;
    desk_play(20);
    cr_expect_eq(desk.offs, 1);
}

Test(rig_site_power, a_flash_file_of_another_size_is_no_flash)
{
    uint8_t bytes[64];
    kit_write("nor", "too short");
    cr_assert_not(rs_flash(desk.body, bytes, sizeof bytes));
    names_place("another size than the flash");
    desk.lost[0] = '\0';
    kit_write("nor", "too short");
    cr_assert_not(rs_flash(desk.body, bytes, 4));
    names_place("another size than the flash");
    cr_assert(rs_flash(desk.body, bytes, 9));
}

Test(rig_site_power, an_interrupt_ends_the_flashing_command)
{
    char message[256];
    static const char *const waits[] = {"sleep", "290", NULL};
    desk.bench->board[0].flash = waits;
    int64_t from = kit_now_ms();
    pid_t pid = fork();
    if (!pid) {
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        kill(getppid(), SIGINT);
        _exit(0);
    }
    cr_assert_eq(rs_made(desk.body, message, sizeof message), 0, "the ground tells of it");
    cr_assert_lt(kit_now_ms() - from, 200000);
    cr_assert(desk.site.interrupted);
}

/* The ground waits so long for the last of them, and says then itself that it is not off. */
Test(rig_site_power, a_board_is_dark_or_lost_by_the_time_that_its_ground_is_told)
{
    struct rig_bench_board slow = *desk.body->board;
    struct rs_place places[] = {desk.place, {.board = &slow}};
    struct rig_site site = {.place = places, .places = 2};
    cr_expect_eq(rs_dark_within_ms(&site), 60 + 10000);
    slow.power.off_at_least_ms = 600000;
    cr_expect_eq(rs_dark_within_ms(&site), 600000 + 10000);
}

/* Console and OTA line under load. */
#include "board_internal.h"
#include "kit.h"
#include "lines.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

static struct kit kit;

/* Flow control: much more than the socket holds, through a UART of a few bytes, back unharmed.
 * Each byte back is a system call of QEMU's: a whole megabyte only with RIG_BOARD_LONG=1. */
Test(rig_board_wires, the_ota_line_echoes_all_that_is_sent)
{
    const uint64_t ALL = getenv("RIG_BOARD_LONG") ? 1024 * 1024 : 256 * 1024 + 17;
    uint8_t *bytes = malloc(ALL);
    for (uint64_t i = 0; i < ALL; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    kit_open(&kit, 0, KIT_ECHO);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    double begun = kit_now_ms();
    rig_board_link_write(kit.board, bytes, ALL);
    cr_assert_gt(rig_board_link_pending(kit.board), 0, "the socket is smaller than that");
    for (int i = 0; i < 9000 && kit.echoed < ALL; i++)
        kit_run_ms(&kit, 10);
    cr_log_info("%llu bytes there and back in %.0f ms", (unsigned long long)ALL,
                kit_now_ms() - begun);
    cr_assert_eq(kit.echoed, ALL);
    cr_assert_eq(kit.echo_wrong, 0);
    cr_assert_eq(rig_board_link_pending(kit.board), 0);
    kit_close(&kit);
    free(bytes);
}

/* Whoever takes its bytes has no room: they wait, and none is lost. */
Test(rig_board_wires, a_held_line_waits)
{
    uint8_t bytes[3000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    kit_open(&kit, 0, KIT_ECHO);
    rig_board_link_hold(kit.board, true); /* off: nothing is held */
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    rig_board_link_hold(kit.board, true);
    rig_board_link_write(kit.board, bytes, sizeof bytes);
    kit_run_ms(&kit, 300);
    cr_assert_eq(kit.echoed, 0);
    rig_board_link_hold(kit.board, false);
    for (int i = 0; i < 6000 && kit.echoed < sizeof bytes; i++)
        kit_run_ms(&kit, 10);
    cr_assert_eq(kit.echoed, sizeof bytes);
    cr_assert_eq(kit.echo_wrong, 0);
    kit_close(&kit);
}

/* A board that does not read: what is too much is lost and counted, no more. */
Test(rig_board_wires, a_deaf_board_costs_a_bounded_buffer)
{
    enum { CHUNK = 256 * 1024, CHUNKS = 12 };
    struct rig_board_facts facts;
    uint8_t *bytes = calloc(1, CHUNK);
    kit_open(&kit, 0, KIT_IDLE);
    rig_board_link_write(kit.board, bytes, CHUNK); /* it is off: nobody hears */
    cr_assert_eq(rig_board_link_pending(kit.board), 0);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    for (int i = 0; i < CHUNKS; i++)
        rig_board_link_write(kit.board, bytes, CHUNK);
    rig_board_facts(kit.board, &facts);
    cr_assert_leq(rig_board_link_pending(kit.board), 1024 * 1024);
    cr_assert_gt(facts.link_dropped, 0);
    kit_off(&kit);
    cr_assert_eq(rig_board_link_pending(kit.board), 0);
    kit_close(&kit);
    free(bytes);
}

Test(rig_board_wires, a_flood_of_rubbish_on_the_console_does_no_harm)
{
    struct rig_board_facts facts;
    kit_open(&kit, 0, KIT_FLOOD);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    for (int i = 0; i < 6000 && kit.lines < 200; i++)
        kit_run_ms(&kit, 10);
    kit_off(&kit);
    rig_board_facts(kit.board, &facts);
    cr_assert_geq(kit.lines, 200);
    cr_assert_gt(facts.console_shortened, 0);
    cr_assert_eq(facts.unclean, 0);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    kit_close(&kit);
}

/* A host that stops the rig for a moment must not cost a line: our firmware drops what the UART
 * does not take within 20 ms, and from its lines the rig knows where to cut. */
Test(rig_board_wires, what_nobody_reads_for_a_while_waits)
{
    enum { WAITS = 16384 };
    int waits = 0;
    kit_open(&kit, 0, KIT_FLOOD);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    for (int i = 0; i < 3000 && waits < WAITS; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        cr_assert_eq(ioctl(kit.board->console.fd, FIONREAD, &waits), 0);
    }
    cr_assert_geq(waits, WAITS);
    kit_close(&kit);
}

Test(rig_board_wires, lines_are_bounded_and_clean)
{
    struct rig_lines lines;
    char out[RIG_LINE_MAX], big[3000];
    cr_assert_eq(rig_lines_init(&lines), 0);
    memset(big, 'x', sizeof big);
    rig_lines_put(&lines, "one\r\ntw", 7);
    cr_assert(rig_lines_next(&lines, out));
    cr_assert_str_eq(out, "one");
    cr_assert_not(rig_lines_next(&lines, out));
    rig_lines_put(&lines, "o\0\x1b[\n\n", 6);
    cr_assert(rig_lines_next(&lines, out));
    cr_assert_str_eq(out, "two??[");
    cr_assert(rig_lines_next(&lines, out));
    cr_assert_str_eq(out, "");
    cr_assert_not(rig_lines_next(&lines, out));
    rig_lines_put(&lines, big, sizeof big);
    cr_assert_not(rig_lines_next(&lines, out));
    rig_lines_put(&lines, "tail\nnext\n", 10);
    cr_assert(rig_lines_next(&lines, out));
    cr_assert_eq(strlen(out), RIG_LINE_MAX - 1);
    cr_assert_eq(lines.shortened, 1);
    cr_assert(rig_lines_next(&lines, out));
    cr_assert_str_eq(out, "next");
    rig_lines_free(&lines);
}

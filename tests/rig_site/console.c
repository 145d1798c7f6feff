/* What a console tells, and what it can't be made to tell. */
#include "desk.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(rig_site_console, .init = desk_open, .fini = desk_close, .timeout = 300);

static void boot_all(void)
{
    desk_boot();
    desk_says("level=info device=pumps-00001 event=boot slot=A trial=no reset=\"power on\"");
    desk_says("time=t level=info device=pumps-00001 event=firmware version=2.3.1");
    desk_play(20);
    desk_forget();
}

static void reset_by(const char *reset)
{
    char line[128];
    snprintf(line, sizeof line, "level=info event=rom reset=\"%.24s\" boots=2 straps=0", reset);
    desk_says(line);
    desk_play(20);
}

/* What the daemon would have said comes before the bootloader's own line. */
static void is_told(const char *told)
{
    cr_assert_eq(strncmp(desk.said, told, strlen(told)), 0, "%s", desk.said);
    cr_assert(strstr(desk.said, "event=rom"), "%s", desk.said);
    cr_assert_str_eq(desk.lost, "");
}

Test(rig_site_console, how_it_was_reset_is_told_before_its_first_line)
{
    static const struct {
        char reset[24], told[64];
    } row[] = {{"watchdog", "level=warn event=watchdog_reset|"},
               {"software reset", "level=info event=end how=software|"},
               {"hard fault", "level=warn event=end how=hard_fault|"},
               {"reset pin", "level=warn event=end how=reset_pin|"},
               {"sun spots", "level=warn event=end how=reset|"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        boot_all();
        reset_by(row[i].reset);
        is_told(row[i].told);
        desk_dark();
    }
    for (int kind = 0; kind < RIG_SITE_RESETS; kind++)
        cr_assert_eq(desk.site.facts.resets[kind], 1);
}

Test(rig_site_console, its_own_word_on_a_reset_is_enough)
{
    boot_all();
    desk_says("time=t level=info device=x event=end how=software");
    reset_by("software reset");
    cr_assert_str_eq(desk.said,
                     "time=t level=info device=x event=end how=software|level=info event=rom "
                     "reset=\"software reset\" boots=2 straps=0|");
    desk_forget();
    desk_says("level=info device=x event=boot slot=B trial=yes reset=\"software reset\"");
    reset_by("software reset"); /* and its next end is another one */
    cr_assert(strstr(desk.said, "event=end how=software"), "%s", desk.said);
}

Test(rig_site_console, the_reset_that_its_power_was_switched_on_for_is_not_told)
{
    desk_boot();
    cr_assert_str_eq(desk.said, DESK_ROM "|");
}

Test(rig_site_console, firmware_can_not_speak_for_the_bootloader)
{
    boot_all();
    desk_says("time=t level=info device=x event=boot slot=B trial=no");
    desk_says("time=t level=info event=rom reset=\"power on\"");
    desk_says("time=t level=error event=no_boot");
    desk_play(50);
    cr_assert(strstr(desk.said, "event=not_boot slot=B"), "%s", desk.said);
    cr_assert_null(strstr(desk.said, " event=boot "));
    cr_assert_null(strstr(desk.said, "event=end"));
    cr_assert_eq(desk.offs, 0, "it is not taken for one that found nothing to boot");
    cr_assert_str_eq(desk.lost, "");
}

Test(rig_site_console, firmware_alone_is_no_word_of_its_boot)
{
    desk_listen(600);
    desk_on();
    desk_says("time=t level=info event=rom reset=\"power on\"");
    desk_says("time=t level=info event=boot slot=A trial=no");
    cr_assert(desk_until(&desk.offs, 1, 3000), "it was taken for one that had booted");
}

Test(rig_site_console, a_second_power_on_at_once_is_a_bounce)
{
    boot_all();
    reset_by("power on");
    is_told("level=warn event=end how=power_lost|");
    cr_assert_eq(desk.site.bounces, 1);
}

Test(rig_site_console, power_that_went_by_itself_is_no_fault_of_the_board)
{
    boot_all();
    desk.body->on_at_us -= 2000000;
    reset_by("power on");
    cr_assert(strstr(desk.lost, "the rig did not take it"), "%s", desk.lost);
    cr_assert(strstr(desk.lost, "board pump-1 (relay bank-1, channel 1)"), "%s", desk.lost);
}

Test(rig_site_console, one_that_finds_nothing_to_boot_is_switched_off_and_has_ended)
{
    desk_boot();
    desk_says("level=error device=x event=no_boot reset=\"power on\"");
    cr_assert(desk_until(&desk.darks, 1, 3000), "%s", desk.lost);
    cr_assert_eq(desk.ends, 1);
    cr_assert(desk.no_boot);
    cr_assert_str_eq(desk.how, "in the bootloader, which boots nothing");
    desk_boot();
    desk_dark();
    cr_assert_eq(desk.ends, 1, "the next cut is none of that");
}

Test(rig_site_console, a_cut_while_it_finds_nothing_to_boot)
{
    desk_boot();
    rs_off(desk.body);
    desk_says("level=error device=x event=no_boot reset=\"power on\"");
    cr_assert(desk_until(&desk.darks, 1, 3000));
    cr_assert_eq(desk.ends, 0, "the cut came first");
    cr_assert_eq(desk.offs, 1);
}

static uint64_t console_bytes(void)
{
    struct rig_console_facts facts;
    rig_console_facts(desk.body->console, &facts);
    return facts.bytes;
}

Test(rig_site_console, half_a_line_of_its_last_life_is_no_part_of_the_first)
{
    boot_all();
    uint64_t before = console_bytes();
    kit_line_say(&desk.console, "time=t level=info event=sta");
    for (int i = 0; i < 12000 && console_bytes() < before + 27; i++)
        desk_play(5);
    desk_dark();
    desk_forget();
    desk_boot(); /* asserts that the bootloader's line was seen */
    cr_assert_str_eq(desk.said, DESK_ROM "|");
}

Test(rig_site_console, what_comes_after_it_is_dark_is_of_no_use)
{
    boot_all();
    desk_dark();
    desk_forget();
    desk_says("time=t level=info event=state from=Idle to=Notified");
    desk_play(30);
    cr_assert_str_eq(desk.said, "");
}

Test(rig_site_console, a_console_that_goes_while_it_has_power)
{
    boot_all();
    kit_line_unplug(&desk.console);
    cr_assert(desk_until_lost(2000));
    cr_assert(strstr(desk.lost, "board pump-1 (relay bank-1, channel 1): its console is gone"),
              "%s", desk.lost);
}

Test(rig_site_console, a_line_that_goes_while_it_has_power)
{
    boot_all();
    kit_line_unplug(&desk.line);
    cr_assert(desk_until_lost(2000));
    cr_assert(strstr(desk.lost, "its OTA line is gone"), "%s", desk.lost);
}

Test(rig_site_console, a_console_that_goes_with_its_power)
{
    boot_all();
    rs_off(desk.body);
    kit_line_unplug(&desk.console);
    cr_assert(desk_until(&desk.darks, 1, 3000), "%s", desk.lost);
    cr_assert_str_eq(desk.lost, "");
    desk_on();
    cr_assert(desk_until(&desk.darks, 2, 6000), "it is switched off and on again first");
    cr_assert_str_eq(desk.lost, "");
}

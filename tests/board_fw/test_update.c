/* Updates: the good one, and each that has something wrong. The oracle is what the board publishes
 * and what the flash file holds. */
#include "bench.h"
#include "board/map.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;
static struct bench_image image;

TestSuite(board_fw_update, .timeout = 300);

/* mqtt_within_ms, watchdog_s: short for what is waited for in full; 0: long. */
static void begin_short(const char *name, uint32_t mqtt_within_ms, uint16_t watchdog_s)
{
    bench_open(&bench);
    if (mqtt_within_ms)
        bench.factory.mqtt_within_ms = mqtt_within_ms;
    if (watchdog_s)
        bench.factory.watchdog_s = watchdog_s;
    bench_factory_write(&bench);
    bench_image(&bench, &image, name);
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=mqtt_up"));
}

static void begin(const char *name)
{
    begin_short(name, 0, 0);
}

static void end(void)
{
    bench_image_free(&image);
    bench_close(&bench);
}

/* The most that any telemetry told. */
static long memory_kb_most(void)
{
    static const char key[] = "\"memory_kb\":";
    long most = 0;
    for (const char *at = bench.heard; (at = strstr(at, key)); at += sizeof key) {
        long kb = strtol(at + sizeof key - 1, NULL, 10);
        most = kb > most ? kb : most;
    }
    return most;
}

Test(board_fw_update, good_one_is_confirmed)
{
    bench_open(&bench);
    bench.factory.telemetry_every_ms = 200;
    bench_factory_write(&bench);
    bench_image(&bench, &image, "pump-2.4.0");
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=mqtt_up"));
    double from_s = bench_seconds();
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"status\":\"rebooting\""));
    double staged_s = bench_seconds();
    cr_assert(
        bench_hears(&bench, "\"status\":\"confirmed\",\"reason\":\"\",\"version\":\"2.4.0\""));
    cr_log_info("notified to staged and verified %.2f s, to confirmed %.2f s", staged_s - from_s,
                bench_seconds() - from_s);
    cr_assert(bench_says(&bench, " event=confirmed version=2.4.0 slot=B"));
    cr_assert_eq(bench.gets, 1);
    bench_off(&bench);
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=firmware version=2.4.0"));
    cr_assert(bench_hears(&bench, "\"bearing_um_s\":"));
    cr_assert_eq(bench.watchdogs, 0);
    cr_log_info("RAM used at most, stack included: %ld of %d KB", memory_kb_most(),
                BOARD_APP_RAM_BYTES / 1024);
    cr_assert(memory_kb_most() > 50 && memory_kb_most() < BOARD_APP_RAM_BYTES / 2048);
    end();
}

/* What is wrong with it, and what the old firmware says of it afterwards. */
static const struct bad {
    char variant[16], reason[24];
    bool confirmed; /* it passes its trial first */
    uint32_t mqtt_within_ms;
    uint16_t watchdog_s; /* as in begin_short */
} bad[] = {
    {"hang", "watchdog", false, 4000, 6},
    {"hard-fault", "health_hard_fault", false, 0, 0},
    {"no-mqtt", "health_mqtt", false, 4000, 0},
    {"no-drivers", "health_drivers", false, 0, 0},
    {"no-config", "health_config", false, 0, 0},
    {"no-telemetry", "health_telemetry", false, 8000, 0},
    {"crash-late", "faulty_boots", true, 0, 0},
};

static void rolls_back(const struct bad *row)
{
    char name[48], wanted[96];
    snprintf(name, sizeof name, "pump-2.4.0-%s", row->variant);
    snprintf(wanted, sizeof wanted,
             "\"status\":\"rolled_back\",\"reason\":\"%s\",\"version\":\"2.3.1\"", row->reason);
    begin_short(name, row->mqtt_within_ms, row->watchdog_s);
    bench_notify(&bench, &image);
    if (row->confirmed)
        cr_assert(bench_hears(&bench, "\"status\":\"confirmed\""));
    cr_assert(bench_hears(&bench, wanted), "%s", row->variant);
    cr_assert(row->confirmed || !strstr(bench.heard, "\"status\":\"confirmed\""));
    /* It stays there: the same firmware is not installed again unless forced. */
    bench.calm = true;
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"status\":\"refused\",\"reason\":\"rolled_back_before\""));
    cr_assert_eq(bench.watchdogs, !strcmp(row->variant, "hang"));
    end();
}

Test(board_fw_update, hang_is_ended_by_the_watchdog)
{
    rolls_back(&bad[0]);
}

Test(board_fw_update, hard_fault_in_the_trial_reverts)
{
    rolls_back(&bad[1]);
}

Test(board_fw_update, each_failed_check_reverts_for_its_own_reason)
{
    for (size_t i = 2; i < 6; i++)
        rolls_back(&bad[i]);
}

Test(board_fw_update, crashes_after_the_confirmation_lead_back)
{
    rolls_back(&bad[6]);
}

Test(board_fw_update, resets_are_told_in_telemetry)
{
    begin("pump-2.4.0-hard-fault");
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"resets\":1,"));
    cr_assert(bench_hears(&bench, "\"status\":\"rolled_back\""));
    end();
}

static unsigned told(const char *text)
{
    unsigned times = 0;
    for (const char *at = bench.heard; (at = strstr(at, text)); at++)
        times++;
    return times;
}

/* A link whose answers come later than the next telemetry. */
static void begin_late(const char *name)
{
    bench_open(&bench);
    bench.factory.telemetry_every_ms = 500;
    bench_factory_write(&bench);
    bench.rude.acks_late = 2;
    bench_image(&bench, &image, name);
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=mqtt_up"));
    bench_notify(&bench, &image);
}

Test(board_fw_update, late_acknowledgements_fail_no_trial)
{
    begin_late("pump-2.4.0");
    cr_assert(bench_hears(&bench, "\"status\":\"confirmed\""));
    end();
}

/* By one message, not by all that are under way. */
Test(board_fw_update, a_fault_is_told_once_over_late_acknowledgements)
{
    begin_late("pump-2.4.0-hard-fault");
    cr_assert(bench_hears(&bench, "\"status\":\"rolled_back\""));
    for (int i = 0; i < 4; i++) /* before it was acknowledged, and after */
        cr_assert(bench_hears(&bench, "\"resets_total\":1,\"resets\":0,"));
    cr_assert_eq(told("\"resets\":1,"), 1);
    cr_assert_eq(told("\"resets_total\":1,\"resets\":1,"), 1);
    end();
}

Test(board_fw_update, shorted_sensor_bus_fails_the_trial)
{
    begin("pump-2.4.0");
    cr_assert_eq(rig_board_strap(bench.board, 2, true), 0);
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"status\":\"rolled_back\",\"reason\":\"health_drivers\""));
    cr_assert_eq(rig_board_strap(bench.board, 2, false), 0);
    end();
}

Test(board_fw_update, damaged_configuration_fails_the_trial_and_is_not_written)
{
    bench_open(&bench);
    uint8_t *flash = bench_flash_read(&bench), *after;
    uint8_t *app = flash + BOARD_DATA_ADDR + BOARD_JOURNAL_BYTES;
    memcpy(app, "BYPC and then nothing of what belongs there", 44);
    bench_flash_write(&bench, flash);
    bench_image(&bench, &image, "pump-2.4.0");
    bench_on(&bench);
    cr_assert(bench_says(&bench, "configuration: not readable"));
    cr_assert(bench_says(&bench, " event=mqtt_up"), "a confirmed image goes on by its defaults");
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"status\":\"rolled_back\",\"reason\":\"health_config\""));
    bench_off(&bench);
    after = bench_flash_read(&bench);
    uint32_t app_bytes = BOARD_DATA_BYTES - BOARD_JOURNAL_BYTES;
    cr_assert_eq(memcmp(app, after + BOARD_DATA_ADDR + BOARD_JOURNAL_BYTES, app_bytes), 0);
    cr_assert_eq(memcmp(flash, after, BOARD_BOOTLOADER_BYTES), 0, "the bootloader's region");
    free(flash);
    free(after);
    end();
}

/* ---- Signatures ---- */

Test(board_fw_update, wrong_signature_is_refused_by_the_agent)
{
    begin("pump-2.4.0");
    cr_assert_eq(sim_fw_sign(&bench.other, image.bytes, image.len, image.sig, &image.sig_len), 0);
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"status\":\"verify_failed\",\"reason\":\"signature\""));
    bench_off(&bench);
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=boot slot=A trial=no"));
    cr_assert_null(strstr(bench.said, "slot=B"));
    end();
}

/* Around the agent: the image is in the slot, and the boot config asks for it. */
static void forge(void)
{
    uint8_t *flash = bench_flash_read(&bench);
    bench_slot(flash, BOOT_SLOT_B, &image, 0);
    bench_boot_config(flash, BOOT_SLOT_B);
    bench_flash_write(&bench, flash);
    free(flash);
}

Test(board_fw_update, forged_slot_and_config_are_refused_by_the_bootloader)
{
    bench_open(&bench);
    bench_image(&bench, &image, "pump-2.4.0");
    cr_assert_eq(sim_fw_sign(&bench.other, image.bytes, image.len, image.sig, &image.sig_len), 0);
    forge();
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=boot slot=A trial=no"));
    cr_assert(bench_says(&bench, " event=firmware version=2.3.1"));
    bench_off(&bench);
    /* The same, with the right signature and one bit of code changed. */
    cr_assert_eq(sim_fw_sign(&bench.key, image.bytes, image.len, image.sig, &image.sig_len), 0);
    image.bytes[image.len / 2] ^= 1;
    forge();
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=boot slot=A trial=no"));
    cr_assert_null(strstr(bench.said, "version=2.4.0"));
    end();
}

/* The control of the test above: what was asked for there does run when it is right. */
Test(board_fw_update, right_slot_and_config_run_as_a_trial)
{
    bench_open(&bench);
    bench_image(&bench, &image, "pump-2.4.0");
    forge();
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=boot slot=B trial=yes"));
    cr_assert(bench_says(&bench, " event=confirmed version=2.4.0"));
    end();
}

/* ---- No line ---- */

Test(board_fw_update, trial_without_a_line_rolls_back_by_itself)
{
    begin_short("pump-2.4.0", 4000, 0);
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"status\":\"rebooting\""));
    bench.rude.absent = true;
    cr_assert(bench_says(&bench, " event=boot slot=B trial=yes"));
    cr_assert(bench_says(&bench, " event=end how=software"));
    cr_assert(bench_says(&bench, " event=boot slot=A trial=no"));
    cr_assert_eq(bench.watchdogs, 0);
    bench.rude.absent = false;
    cr_assert(bench_hears(&bench, "\"status\":\"rolled_back\",\"reason\":\"health_mqtt\""));
    end();
}

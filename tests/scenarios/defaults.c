#include "files.h"

/* The example of CONTRACT.md: what it says must be what comes out. */
static struct scn *load_reference(void)
{
    char path[1024];
    struct scn_messages messages = {0};
    struct scn *scn;
    source_path(path, sizeof path, "scenarios/campaign-5000.yaml");
    cr_assert_eq(scn_load(&scn, path, NULL, &messages), SCN_OK);
    cr_expect_eq(messages.count, 0);
    cr_expect_str_eq(scn->path, path);
    return scn;
}

static bool ratio_is(struct scn_ratio ratio, int64_t num, int64_t den)
{
    return ratio.num == num && ratio.den == den;
}

Test(scn_read, the_reference_fleet_is_as_written)
{
    struct scn *scn = load_reference();
    const struct scn_group *lab = &scn->group[0], *pumps = &scn->group[1];
    cr_expect_str_eq(scn->name, "campaign-5000");
    cr_expect_eq(scn->seed, 1);
    cr_expect_eq(scn->start_us, INT64_C(1773914400000000));
    cr_assert_eq(scn->groups, 2);
    cr_expect(lab->lab && lab->count == 10 && lab->sites == 1);
    cr_expect(!pumps->lab && pumps->count == 5000 && pumps->sites == 25);
    cr_expect_str_eq(pumps->device_type, "pump_monitor_v2");
    cr_expect_str_eq(pumps->firmware, "2.3.1");
    cr_expect_eq(pumps->zones, 4);
    cr_expect_str_eq(pumps->zone[2], "America/Chicago");
    cr_assert_eq(pumps->hw_revision.count, 2);
    cr_expect_str_eq(pumps->hw_revision.share[1].name, "Rev-C");
    cr_expect(ratio_is(pumps->hw_revision.share[1].share, 40, 100));
    cr_expect_eq(pumps->criticality.count, 3);
    cr_expect_str_eq(pumps->link.share[1].name, "lte-m");
    cr_expect_str_eq(pumps->ota_window, "daily 01:00-05:00 local");
    cr_expect(ratio_is(pumps->active_process, 3, 100));
    cr_expect_eq(pumps->telemetry_every_us, 300000000);
    scn_free(scn);
}

Test(scn_read, the_reference_firmware_and_campaign_are_as_written)
{
    struct scn *scn = load_reference();
    const struct scn_firmware *firmware = scn_firmware_find(scn, "2.4.0");
    cr_assert(firmware);
    cr_expect_eq(firmware->size_bytes, 524 * 1024);
    cr_expect_str_eq(firmware->device_type, "pump_monitor_v2");
    cr_expect(ratio_is(firmware->behaviour.crash_per_day, 1, 1000));
    cr_expect(ratio_is(firmware->behaviour.telemetry_gap, 5, 1000));
    cr_expect(ratio_is(firmware->behaviour.energy, 1, 100));
    cr_expect_eq(firmware->behaviour.command_ms, 80);
    cr_expect_null(scn_firmware_find(scn, "2.4"));
    cr_expect_str_eq(scn->campaign.to, "2.4.0");
    cr_expect_str_eq(scn->campaign.rollback_version, "2.3.1");
    cr_expect(scn->campaign.standard_phases && scn->campaign.phases == 5);
    cr_expect(scn->expect.given && scn->expect.verdict == SCN_VERDICT_PASS);
    cr_expect(scn->expect.bricked.given && !scn->expect.bricked.max && !scn->expect.bricked.min);
    cr_expect_not(scn->expect.confirmed.given);
    scn_free(scn);
}

Test(scn_read, the_reference_faults_are_as_written)
{
    struct scn *scn = load_reference();
    const struct scn_fault *first = &scn->fault[0], *site = first;
    cr_assert_gt(scn->faults, 20);
    while (site < scn->fault + scn->faults - 1 && !*site->where.site)
        site++;
    cr_expect(first->kind == SCN_FAULT_POWER_LOSS && first->during == SCN_DURING_ANY);
    cr_expect(first->torn == SCN_TORN_ANY && !first->has_at && first->times == 1);
    cr_expect_eq(first->off_for_us, 30000000);
    cr_expect(first->line == 59 && first->column == 5, "%d:%d", first->line, first->column);
    cr_expect(site->kind == SCN_FAULT_NETWORK_DROP && site->has_at);
    cr_expect_str_eq(site->where.site, "site-07");
    cr_expect_eq(site->at_us, 50 * INT64_C(3600000000));
    cr_expect_eq(site->for_us, 3 * INT64_C(3600000000));
    cr_expect(ratio_is(site->devices, 100, 100));
    scn_free(scn);
}

Test(scn_read, what_is_left_out_has_the_contracts_defaults)
{
    struct scn *scn = parse_good(SMALL, NULL);
    const struct scn_group *group = &scn->group[0];
    cr_expect(scn->seed == 1 && scn->start_us == INT64_C(1773914400000000));
    cr_expect_str_eq(group->hw_revision.share[0].name, "Rev-A");
    cr_expect_str_eq(group->link.share[0].name, "ethernet");
    cr_expect_str_eq(group->criticality.share[0].name, "low");
    cr_expect(ratio_is(group->link.share[0].share, 1, 1));
    cr_expect(group->sites == 1 && group->zones == 1 && !group->ota_window[0]);
    cr_expect_str_eq(group->zone[0], "UTC");
    cr_expect_eq(group->telemetry_every_us, 300000000);
    cr_expect(scn->device.mqtt_within_us == 30000000 && scn->device.fault_free_us == 60000000);
    cr_expect(scn->device.watchdog_us == 120000000 && scn->device.trial_boots == 3);
    cr_expect(scn->firmware[0].security_counter == 1);
    cr_expect_str_eq(scn->firmware[0].min_hw_revision, "Rev-A");
    cr_expect(scn->firmware[0].signing == SCN_SIGN_GOOD && !scn->firmware[0].file[0]);
    cr_expect(scn->campaign.delta == SCN_DELTA_AUTO && !scn->campaign.force);
    cr_expect(!scn->campaign.approval && scn->campaign.on_trigger == SCN_TRIGGER_PAUSE);
    cr_expect_eq(scn->campaign.observe_us, 7 * INT64_C(86400000000));
    cr_expect_eq(scn->campaign.silent_after_us, 48 * INT64_C(3600000000));
    cr_expect_eq(scn->campaign.presumed_brick_us, 12 * INT64_C(3600000000));
    cr_expect(scn->campaign.time_scale == 1 && scn->campaign.phases == 4);
    cr_expect(!scn->faults && !scn->expect.given && scn->expect.verdict == SCN_VERDICT_ANY);
    scn_free(scn);
}

Test(scn_read, the_flash_follows_its_sector)
{
    static const struct {
        const char *in;
        uint32_t sector, config, journal;
    } rows[] = {
        {"{}", 4096, 4096, 65536},
        {"{sector: 8KiB}", 8192, 8192, 65536},
        {"{data: 32KiB}", 4096, 4096, 32768},
        {"{data: 28KiB}", 4096, 4096, 24576},
        {"{data: 16KiB, journal: 16KiB}", 4096, 4096, 16384},
        {"{sector: 1KiB, page: 16, slot: 256KiB, data: 4KiB}", 1024, 1024, 4096},
        {"{sector: 32KiB, data: 256KiB}", 32768, 32768, 131072},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, SMALL "flash: %s\n", rows[i].in);
        struct scn *scn = parse_good(text, NULL);
        cr_expect_eq(scn->flash.sector_bytes, rows[i].sector, "%s", rows[i].in);
        cr_expect_eq(scn->flash.config_sector_bytes, rows[i].config, "%s", rows[i].in);
        cr_expect_eq(scn->flash.config_sectors, 2);
        cr_expect_eq(scn->flash.journal_bytes, rows[i].journal, "%s", rows[i].in);
        scn_free(scn);
    }
}

Test(scn_read, a_lab_has_ten_devices_unless_it_says_otherwise)
{
    struct scn *scn =
        parse_good(SMALL_HEAD SMALL_FLEET
                   "  - {group: lab, lab: true, firmware: 1.0.0}\n" SMALL_FIRMWARE SMALL_CAMPAIGN,
                   NULL);
    cr_expect(scn->group[1].lab && scn->group[1].count == 10);
    cr_expect(scn->campaign.phases == 5 && scn->campaign.phase[0].size == SCN_SIZE_LAB);
    scn_free(scn);
}

Test(scn_read, a_torn_erase_has_names_of_its_own)
{
    struct scn *scn = parse_good(SMALL "faults:\n"
                                       "  - {kind: power_loss, during: flash_erase, torn: first}\n"
                                       "  - {kind: power_loss, during: flash_erase, torn: last}\n",
                                 NULL);
    cr_expect_eq(scn->fault[0].torn, SCN_TORN_PREFIX);
    cr_expect_eq(scn->fault[1].torn, SCN_TORN_SUFFIX);
    scn_free(scn);
}

Test(scn_read, a_file_needs_no_size)
{
    struct scn *scn =
        parse_good(SMALL_HEAD SMALL_FLEET
                   "firmware:\n  1.0.0: {size: 64KiB}\n"
                   "  1.1.0: {file: images/new.bin, signing: wrong_key}\n" SMALL_CAMPAIGN,
                   NULL);
    cr_expect_str_eq(scn->firmware[1].file, "images/new.bin");
    cr_expect(scn->firmware[1].size_bytes == 0 && scn->firmware[1].signing == SCN_SIGN_WRONG_KEY);
    scn_free(scn);
}

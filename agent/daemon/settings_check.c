/* Defaults before, and after the text what several keys have to agree upon. */
#include "settings_internal.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 65536 };

static void put_defaults(struct settings_reader *r)
{
    for (uint32_t i = 0; i < settings_rows; i++) {
        const struct setting *row = &settings_table[i];
        if (row->form == SETTING_SECTION || row->form == SETTING_LIST || !row->initial ||
            row->stride)
            continue;
        const char *wrong = settings_put(r, row, 0, row->initial);
        assert(!wrong);
        (void)wrong;
    }
}

static int check_required(struct settings_reader *r)
{
    for (uint32_t i = 0; i < settings_rows; i++) {
        const struct setting *row = &settings_table[i];
        bool value = row->form != SETTING_SECTION && row->form != SETTING_LIST;
        if (value && !row->initial && !row->stride && !r->place[i].line)
            return settings_fail(r, 0, 0, "%s: is missing; accepted: %s", row->path, row->accepts);
    }
    if (!r->entries[settings_find("keys") - settings_table])
        return settings_fail(r, 0, 0, "keys: is missing; accepted: %s",
                             settings_find("keys")->accepts);
    return 0;
}

static int check_region(struct settings_reader *r, const char *path, uint32_t bytes, uint32_t least)
{
    uint32_t sector = r->out->flash.layout.sector_bytes;
    if (bytes % sector == 0 && bytes / sector >= least)
        return 0;
    return settings_fail_key(r, path,
                             "%u bytes; accepted: a multiple of the sector (%u), %u or more", bytes,
                             sector, least);
}

static bool power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

static int check_units(struct settings_reader *r)
{
    const struct boot_layout *layout = &r->out->flash.layout;
    if (!power_of_two(layout->sector_bytes))
        return settings_fail_key(r, "flash.sector", "%u bytes; accepted: a power of two",
                                 layout->sector_bytes);
    if (!power_of_two(layout->page_bytes) || layout->page_bytes * 4 > layout->sector_bytes)
        return settings_fail_key(r, "flash.page",
                                 "%u bytes; accepted: a power of two, a quarter of the sector (%u) "
                                 "at most",
                                 layout->page_bytes, layout->sector_bytes);
    if (layout->config_addr != layout->sector_bytes)
        return settings_fail_key(r, "flash.boot_config",
                                 "sectors of %u bytes; accepted: 2x the erase sector, %u bytes",
                                 layout->config_addr, layout->sector_bytes);
    return 0;
}

/* As for a scenario: 64KiB unless it is given, or what a small data partition allows. */
static void fit_journal(struct settings_reader *r)
{
    struct boot_layout *layout = &r->out->flash.layout;
    const struct setting *row = settings_find("flash.journal");
    uint32_t pair = 2 * layout->sector_bytes;
    if (r->place[row - settings_table].line)
        return;
    if (layout->journal_bytes > layout->data_bytes)
        layout->journal_bytes = layout->data_bytes;
    layout->journal_bytes = layout->journal_bytes / pair * pair;
    if (layout->journal_bytes < 2 * pair)
        layout->journal_bytes = 2 * pair;
}

static void place_regions(struct boot_layout *layout)
{
    layout->config_addr = layout->bootloader_bytes;
    layout->slot_addr[BOOT_SLOT_A] = layout->config_addr + 2 * layout->sector_bytes;
    layout->slot_addr[BOOT_SLOT_B] = layout->slot_addr[BOOT_SLOT_A] + layout->slot_bytes;
    layout->data_addr = layout->slot_addr[BOOT_SLOT_B] + layout->slot_bytes;
}

static int check_flash(struct settings_reader *r)
{
    struct boot_layout *layout = &r->out->flash.layout;
    if (check_units(r))
        return -1;
    fit_journal(r);
    if (check_region(r, "flash.bootloader", layout->bootloader_bytes, 1) ||
        check_region(r, "flash.slot", layout->slot_bytes, 3) ||
        check_region(r, "flash.data", layout->data_bytes, 4) ||
        check_region(r, "flash.journal", layout->journal_bytes, 4))
        return -1;
    place_regions(layout);
    if (layout->journal_bytes / layout->sector_bytes % 2 ||
        layout->journal_bytes > layout->data_bytes)
        return settings_fail_key(r, "flash.journal",
                                 "%u bytes; accepted: an even number of sectors, no more than data",
                                 layout->journal_bytes);
    if (boot_layout_check(layout))
        return settings_fail_key(r, "flash", "breaks the rules of bootloader/FORMAT.md");
    return 0;
}

/* A key of each entry, and each certificate once. */
static int check_keys(struct settings_reader *r)
{
    struct agent_settings *s = r->out;
    s->keys = r->entries[settings_find("keys") - settings_table];
    for (uint32_t i = 0; i < s->keys; i++) {
        if (!s->key[i].cert_id[0] || !s->key_file[i][0])
            return settings_fail_key(r, "keys", "entry %u: both cert_id and public_key are needed",
                                     i + 1);
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(s->key[i].cert_id, s->key[k].cert_id))
                return settings_fail_key(
                    r, "keys", "%s is there twice; accepted: each cert_id once", s->key[i].cert_id);
        const char *wrong = agent_pem_public(s->key[i].public_key, s->key_file[i]);
        if (wrong)
            return settings_fail_key(r, "keys[].public_key", "%.200s %s; accepted: %s",
                                     s->key_file[i], wrong,
                                     settings_find("keys[].public_key")->accepts);
    }
    return 0;
}

static int check_pair(struct settings_reader *r, const char *path, const char *a, const char *b,
                      const char *accepts)
{
    return !*a == !*b ? 0 : settings_fail_key(r, path, "stands alone; accepted: %s", accepts);
}

static int read_secret(struct settings_reader *r)
{
    struct agent_settings *s = r->out;
    size_t len = 0;
    if (!s->mqtt.secret_file[0])
        return 0;
    if (s->mqtt.secret[0])
        return settings_fail_key(r, "mqtt.secret_file", "and mqtt.secret; accepted: one of them");
    char *text = agent_kit_read_file(s->mqtt.secret_file, sizeof s->mqtt.secret - 1, &len);
    if (!text)
        return settings_fail_key(r, "mqtt.secret_file",
                                 "%.200s: %s; accepted: a readable file of "
                                 "at most 255 bytes",
                                 s->mqtt.secret_file, strerror(errno));
    text[strcspn(text, "\r\n")] = '\0';
    memcpy(s->mqtt.secret, text, strlen(text) + 1);
    free(text);
    return 0;
}

/* A trial is never kicked, so that its checks have to end before the watchdog bites. */
static int check_times(struct settings_reader *r)
{
    const struct agent_settings *s = r->out;
    if (s->watchdog_ms % 1000 || s->watchdog_ms <= s->fault_free_ms ||
        s->watchdog_ms <= s->mqtt_within_ms)
        return settings_fail_key(r, "watchdog",
                                 "ends every trial, because it is not kicked in one; accepted: "
                                 "whole seconds, longer than health.fault_free and "
                                 "health.mqtt_within");
    if (s->retry_max_ms < s->retry_first_ms)
        return settings_fail_key(r, "retry.max", "is less than retry.first");
    if (s->reconnect_max_ms < s->reconnect_first_ms)
        return settings_fail_key(r, "mqtt.reconnect.max", "is less than mqtt.reconnect.first");
    return 0;
}

int settings_check(struct settings_reader *r)
{
    struct agent_settings *s = r->out;
    if (check_required(r) || check_flash(r) || check_keys(r) || check_times(r) || read_secret(r))
        return -1;
    if (!s->http.ca[0])
        memcpy(s->http.ca, s->mqtt.ca, sizeof s->http.ca);
    if (!s->mqtt.server_name[0])
        memcpy(s->mqtt.server_name, s->mqtt.host, sizeof s->mqtt.server_name);
    if (check_pair(r, "mqtt.certificate", s->mqtt.certificate, s->mqtt.key,
                   "both mqtt.certificate and mqtt.key"))
        return -1;
    return check_pair(r, "http.certificate", s->http.certificate, s->http.key,
                      "both http.certificate and http.key");
}

int agent_settings_read(struct agent_settings *out, const char *path,
                        char message[AGENT_MESSAGE_MAX])
{
    struct settings_reader r = {.source = {path, message, AGENT_MESSAGE_MAX}, .out = out};
    size_t len = 0;
    memset(out, 0, sizeof *out);
    char *text = agent_kit_read_file(path, FILE_BYTES_MAX, &len);
    if (!text)
        return settings_fail(&r, 0, 0, "can't be read: %s; accepted: a YAML file, at most 64KiB",
                             strerror(errno));
    put_defaults(&r);
    int error = settings_parse(&r, text, len);
    free(text);
    return error ? error : settings_check(&r);
}

bool agent_settings_behaves(const struct agent_settings *settings, enum agent_behaviour behaviour,
                            const char *version)
{
    for (uint32_t i = 0; i < AGENT_BEHAVIOUR_VERSIONS; i++)
        if (*version && !strcmp(settings->behaviour[behaviour][i], version))
            return true;
    return false;
}

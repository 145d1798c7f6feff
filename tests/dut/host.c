#include "host.h"
#include "boot/error.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAM_FILL = 0xA5, SESSIONS_MAX = 40 };
static const int64_t noon_ms = 1774008000000; /* Friday 2026-03-20 12:00 UTC */

static void hash_begin(void *ctx)
{
    struct host *host = ctx;
    host->crypto.sha256_begin(host->crypto.ctx);
}

static void hash_update(void *ctx, const void *data, size_t len)
{
    struct host *host = ctx;
    host->crypto.sha256_update(host->crypto.ctx, data, len);
}

static void hash_final(void *ctx, uint8_t out[32])
{
    struct host *host = ctx;
    host->crypto.sha256_final(host->crypto.ctx, out);
}

static int verify(void *ctx, const uint8_t public_key[65], const uint8_t hash[32],
                  const uint8_t *sig, size_t sig_len)
{
    struct host *host = ctx;
    return host->crypto.ecdsa_verify(host->crypto.ctx, public_key, hash, sig, sig_len);
}

static int64_t now_ms(void *ctx)
{
    return ((struct host *)ctx)->now_ms;
}

static void sleep_until(void *ctx, int64_t until_ms)
{
    struct host *host = ctx;
    cr_assert_gt(until_ms, host->now_ms, "sleeps into the past");
    if (until_ms < host->bites_ms) {
        host->now_ms = until_ms;
        return;
    }
    host->now_ms = host->bites_ms;
    longjmp(host->reset, HOST_WATCHDOG);
}

/* A mark in the trailer of the slot that runs, whatever it says. */
static bool is_marked(const struct host *host)
{
    const struct dut_layout *at = &host->unit.layout;
    const uint8_t *trailer = host->flash + host->boot.image_addr + at->slot_bytes - HOST_SECTOR;
    for (uint32_t i = 0; i < HOST_SECTOR; i += at->page_bytes)
        if (!memcmp(trailer + i, "BYM1", 4))
            return true;
    return false;
}

static void kick(void *ctx, uint32_t seconds)
{
    struct host *host = ctx;
    cr_assert(is_marked(host) || host->bad_sector != UINT32_MAX,
              "the watchdog is kicked by an image that is not confirmed");
    if (seconds)
        host->watchdog_s = seconds;
    if (host->watchdog_s)
        host->bites_ms = host->now_ms + (int64_t)host->watchdog_s * 1000;
}

static bool offer(void *ctx, struct dut_offer *out)
{
    struct host *host = ctx;
    host->offers++;
    if (host->rollback) {
        static const char order[] = "{\"command_id\":\"c-1\",\"command\":\"rollback\"}";
        *out = (struct dut_offer){
            .kind = DUT_OFFER_ROLLBACK, .message = order, .message_len = sizeof order - 1};
        return true;
    }
    if (!host->offered)
        return false;
    *out = (struct dut_offer){.kind = DUT_OFFER_UPDATE,
                              .message = host->offered->notification,
                              .message_len = (uint32_t)strlen(host->offered->notification),
                              .image = host->offered->dut};
    out->image.bytes = NULL;
    return true;
}

static int32_t fetch(void *ctx, uint32_t offset, void *out, uint32_t len)
{
    struct host *host = ctx;
    if (!host->offered)
        return -1;
    uint32_t left = offset < host->offered->dut.len ? host->offered->dut.len - offset : 0;
    len = len < left ? len : left;
    memcpy(out, host->offered->dut.bytes + offset, len);
    return (int32_t)len;
}

static bool check(void *ctx, enum dut_check what)
{
    struct host *host = ctx;
    bool holds = !host->fails[what] || strcmp(host->running, host->bad_version) != 0;
    if (!holds && what == DUT_CHECK_NO_FAULT)
        longjmp(host->reset, HOST_FAULT);
    return holds;
}

static void note(void *ctx, const char *text)
{
    const struct host *host = ctx;
    if (host->told)
        fprintf(stderr, "%10.3f  %s\n", (double)(host->now_ms - noon_ms) / 1000, text);
}

static void report(void *ctx, const struct dut_report *told)
{
    struct host *host = ctx;
    cr_assert_lt(host->reports, HOST_LOG);
    struct host_report *out = &host->report[host->reports++];
    out->status = told->status;
    snprintf(out->firmware_id, sizeof out->firmware_id, "%s", told->firmware_id);
    snprintf(out->version, sizeof out->version, "%s", told->version);
    snprintf(out->text, sizeof out->text, "%s", told->text);
    note(ctx, out->text);
    host_trace(host, out->text, strlen(out->text));
    host_trace(host, out->firmware_id, strlen(out->firmware_id));
    if (told->status == DUT_SAYS_PROGRESS)
        return;
    host->rollback = false;
    if (host->offered && !strcmp(host->offered->firmware_id, told->firmware_id))
        host->offered = NULL;
}

static void make_layout(struct dut_layout *out, uint32_t page_bytes)
{
    const uint32_t slot = HOST_SLOT_SECTORS * HOST_SECTOR;
    *out = (struct dut_layout){.sector_bytes = HOST_SECTOR,
                               .page_bytes = page_bytes,
                               .bootloader_bytes = HOST_SECTOR,
                               .config_addr = HOST_SECTOR,
                               .config_bytes = 2 * HOST_SECTOR,
                               .slot_bytes = slot,
                               .data_bytes = (HOST_JOURNAL_SECTORS + 2) * HOST_SECTOR,
                               .journal_bytes = HOST_JOURNAL_SECTORS * HOST_SECTOR};
    out->slot_addr[0] = out->config_addr + out->config_bytes;
    out->slot_addr[1] = out->slot_addr[0] + slot;
    out->data_addr = out->slot_addr[1] + slot;
    out->flash_bytes = out->data_addr + out->data_bytes;
}

static void make_keys(struct host *host)
{
    static const char *const id[HOST_KEYS] = {"prod-2026", "next-2027", "prod-2026"};
    for (uint32_t i = 0; i < HOST_KEYS; i++) {
        cr_assert_eq(sim_fw_key_derive(&host->secret[i], 7, i, id[i]), SIM_FW_OK);
        memcpy(host->key[i].id, host->secret[i].cert_id, sizeof host->key[i].id);
        memcpy(host->key[i].public_key, host->secret[i].public_key, sizeof host->key[i].public_key);
    }
}

void host_init(struct host *host, uint32_t variant, uint32_t page_bytes)
{
    memset(host, 0, sizeof *host);
    host->dut = dut_own_device();
    host->ram = malloc(host->dut->ram_bytes);
    make_layout(&host->unit.layout, page_bytes);
    make_keys(host);
    host->unit.key = host->key;
    host->unit.keys = HOST_KEY_STRANGER;
    host->unit.device_type = "pump_monitor_v2";
    host->unit.hw_revision = "Rev-C";
    host->unit.trial_boots = 3;
    host->unit.watchdog_s = 120;
    host->unit.mqtt_within_ms = 30000;
    host->unit.fault_free_ms = 60000;
    host->unit.variant = variant;
    host->port = (struct dut_port){
        .ctx = host,
        .unit = &host->unit,
        .sha256_begin = hash_begin,
        .sha256_update = hash_update,
        .sha256_final = hash_final,
        .ecdsa_verify = verify,
        .now_ms = now_ms,
        .sleep_until = sleep_until,
        .kick = kick,
        .offer = offer,
        .fetch = fetch,
        .check = check,
        .report = report,
        .note = note,
    };
    host_flash_port(&host->port);
    cr_assert(host->ram && host->unit.layout.flash_bytes <= sizeof host->flash);
    memset(host->flash, 0xff, sizeof host->flash);
    cr_assert_eq(boot_openssl_init(&host->openssl), 0);
    boot_openssl_port(&host->openssl, &host->crypto);
    host->now_ms = noon_ms;
    host->bites_ms = INT64_MAX;
    host->cut_at = host->bad_sector = UINT32_MAX;
    host->told = getenv("HOST_STORY") != NULL;
    cr_assert_eq(host->dut->abi, DUT_ABI);
    const char *wrong = host->dut->refuses(&host->unit);
    cr_assert_null(wrong, "%s", wrong);
}

void host_free(struct host *host)
{
    boot_openssl_free(&host->openssl);
    free(host->ram);
}

void host_image(struct host *host, struct host_image *out, const char *version, uint32_t bytes,
                int key)
{
    struct boot_image header = {.security_counter = 1};
    struct dut_image *dut = &out->dut;
    uint8_t *image;
    char *manifest;
    size_t sig_len;
    memset(out, 0, sizeof *out);
    snprintf(header.version, sizeof header.version, "%s", version);
    snprintf(header.device_type, sizeof header.device_type, "pump_monitor_v2");
    snprintf(header.min_hw_revision, sizeof header.min_hw_revision, "Rev-B");
    snprintf(out->firmware_id, sizeof out->firmware_id, "fw-%s", version);
    snprintf(out->cert_id, sizeof out->cert_id, "%s", host->secret[key].cert_id);
    cr_assert_eq(sim_fw_make(&image, 1, &header, bytes), SIM_FW_OK);
    cr_assert_eq(sim_fw_sign(&host->secret[key], image, bytes, dut->signature, &sig_len),
                 SIM_FW_OK);
    const struct sim_fw_manifest from = {.firmware_id = out->firmware_id,
                                         .binary_url = "https://artifacts.invalid/firmware.bin",
                                         .signing_cert_id = out->cert_id,
                                         .release_notes_url = "https://artifacts.invalid/notes",
                                         .rollback_version = "",
                                         .published_at = "2026-01-01T00:00:00Z",
                                         .image = image,
                                         .image_bytes = bytes,
                                         .sig = dut->signature,
                                         .sig_len = sig_len};
    cr_assert_eq(sim_fw_manifest(&manifest, &from), SIM_FW_OK);
    cr_assert_geq(asprintf(&out->notification,
                           "{\"campaign_id\":\"camp-%s\",\"manifest\":%s,\"force\":false,"
                           "\"deadline\":\"2027-01-01T00:00:00Z\"}",
                           version, manifest),
                  0);
    free(manifest);
    dut->version = version;
    dut->firmware_id = out->firmware_id;
    dut->cert_id = out->cert_id;
    dut->bytes = image;
    dut->len = bytes;
    dut->signature_len = (uint32_t)sig_len;
    dut->security_counter = 1;
    dut->device_type = "pump_monitor_v2";
    dut->min_hw_revision = "Rev-B";
}

void host_image_free(struct host_image *image)
{
    free((void *)image->dut.bytes);
    free(image->notification);
}

void host_factory(struct host *host, const struct host_image *image)
{
    memset(host->ram, RAM_FILL, host->dut->ram_bytes);
    cr_assert_eq(host->dut->factory(host->ram, &host->port, &image->dut), 0);
}

static void read_running(struct host *host)
{
    struct boot_image header;
    cr_assert_eq(boot_image_decode(&header, host->flash + host->boot.image_addr), BOOT_OK);
    snprintf(host->running, sizeof host->running, "%s", header.version);
}

static void booted(struct host *host)
{
    host_trace(host, &host->boot.slot, sizeof host->boot.slot);
    host_trace(host, host->boot.why, strlen(host->boot.why));
    host->boots++;
    if (!host->boot.boots)
        return;
    read_running(host);
    if (host->told)
        fprintf(stderr, "boot: slot %u, %s: %s\n", host->boot.slot, host->running, host->boot.why);
    host->watchdog_s = host->boot.watchdog_s;
    if (host->watchdog_s)
        host->bites_ms = host->now_ms + (int64_t)host->watchdog_s * 1000;
}

enum host_end host_session(struct host *host, enum dut_reset reset)
{
    memset(&host->boot, 0, sizeof host->boot);
    memset(host->ram, RAM_FILL, host->dut->ram_bytes);
    host->bites_ms = INT64_MAX;
    int taken = setjmp(host->reset);
    if (taken)
        return (enum host_end)taken;
    host->dut->boot(host->ram, &host->port, reset, &host->boot);
    booted(host);
    if (!host->boot.boots)
        return HOST_DEAD;
    memset(host->ram, RAM_FILL, host->dut->ram_bytes);
    enum dut_run end = host->dut->run(host->ram, &host->port, reset, &host->boot);
    return end == DUT_RUN_IDLE ? HOST_IDLE : HOST_RESET;
}

static enum dut_reset reset_after(enum host_end end)
{
    return end == HOST_WATCHDOG ? DUT_RESET_WATCHDOG
           : end == HOST_FAULT  ? DUT_RESET_HARD_FAULT
                                : DUT_RESET_SOFTWARE;
}

enum host_end host_run(struct host *host)
{
    enum dut_reset reset = DUT_RESET_POWER_ON;
    enum host_end end = HOST_BUSY;
    for (int i = 0; i < SESSIONS_MAX; i++) {
        end = host_session(host, reset);
        if (end == HOST_IDLE || end == HOST_CUT || end == HOST_DEAD)
            break;
        reset = reset_after(end);
        end = HOST_BUSY;
    }
    if (host->bad_sector == UINT32_MAX) {
        cr_assert_neq(end, HOST_DEAD, "no image boots: %s", host->boot.why);
        cr_assert_neq(end, HOST_BUSY, "the device does not come to rest");
    }
    return end;
}

void host_update(struct host *host, const struct host_image *image)
{
    host->offered = image;
    host_run(host);
}

void host_rollback(struct host *host)
{
    host->rollback = true;
    host_run(host);
}

const char *host_outcome(const struct host *host, uint32_t from)
{
    const char *text = "";
    for (uint32_t i = from; i < host->reports; i++)
        if (host->report[i].status != DUT_SAYS_PROGRESS)
            text = host->report[i].text;
    return text;
}

uint32_t host_canonical(struct host *host, uint8_t *out, uint32_t max)
{
    struct dut_port view = {.ctx = host, .unit = &host->unit, .read = host->port.read};
    uint32_t writes = host->writes;
    memset(host->ram, RAM_FILL, host->dut->ram_bytes);
    uint32_t bytes = 0;
    for (uint32_t part = 0; part < 3; part++) {
        uint32_t len = host->dut->canonical(host->ram, &view, part, out + bytes, max - bytes);
        if (len == 0)
            return 0;
        bytes += len;
    }
    cr_assert_eq(host->writes, writes, "the canonical form writes");
    return bytes;
}

uint32_t host_scratch(struct host *host, struct dut_range *out, uint32_t max)
{
    struct dut_port view = {.ctx = host, .unit = &host->unit, .read = host->port.read};
    memset(host->ram, RAM_FILL, host->dut->ram_bytes);
    return host->dut->scratch(host->ram, &view, out, max);
}

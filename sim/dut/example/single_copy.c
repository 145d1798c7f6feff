/*
 * The example device under test: a plain single-copy bootloader with its updater, as many products
 * ship it. Copy this file to wrap a bootloader of your own; sim/dut/README.md says what to change.
 *
 *     bootloader | command | spare | slot A: runs | slot B: download | data
 *
 * The updater downloads the image into slot B and programs a command record: "copy so many bytes".
 * The bootloader finds the record, checks the download, clears the record so that a download which
 * does not copy is not tried for ever, erases slot A, programs it, and jumps to slot A.
 *
 * It bricks, and the sweep says so with one cut: see "HERE" in boot_copy. It has no signature, no
 * trial and no way back, so `traits` names none of those, and nobody asks for them.
 */
#include "sim/dut.h"
#include <string.h>

/* Brickyard's image header (bootloader/FORMAT.md); a device with a format of its own sets pack. */
enum { HEADER_BYTES = 128, AT_IMAGE_BYTES = 8, AT_VERSION = 16, VERSION_MAX = 32, AT_CRC = 124 };

/* The command: magic, bytes to copy, their CRC, CRC of these 12 bytes; then FF to the page's end.
 */
enum { COMMAND_BYTES = 16, COMMAND_MAGIC = 0x59504F43 /* "COPY" */ };

enum { PAGE_MAX = 4096 };

/* All that lives in RAM. The host fills it with A5 before boot and before run. */
struct ram {
    uint8_t page[PAGE_MAX];
};

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* CRC-32 of IEEE 802.3; starts with 0. */
static uint32_t crc32(uint32_t crc, const uint8_t *bytes, uint32_t len)
{
    crc = ~crc;
    for (uint32_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320 & (0u - (crc & 1)));
    }
    return ~crc;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* ---- What bootloader and updater share: a slot ---- */

/* Magic, size and the header's CRC look right. Says nothing about the payload behind the header. */
static bool slot_header(const struct dut_port *port, uint32_t slot, uint8_t header[HEADER_BYTES])
{
    const struct dut_layout *layout = &port->unit->layout;
    if (port->read(port->ctx, layout->slot_addr[slot], header, HEADER_BYTES))
        return false;
    return memcmp(header, "BYI1", 4) == 0 && get32(header + AT_CRC) == crc32(0, header, AT_CRC) &&
           get32(header + AT_IMAGE_BYTES) <= layout->slot_bytes;
}

static int slot_erase(const struct dut_port *port, uint32_t slot, uint32_t bytes)
{
    const struct dut_layout *layout = &port->unit->layout;
    for (uint32_t at = 0; at < bytes; at += layout->sector_bytes)
        if (port->erase(port->ctx, layout->slot_addr[slot] + at))
            return -1;
    return 0;
}

/* One page, filled up with FF. */
static int slot_program(struct ram *ram, const struct dut_port *port, uint32_t slot, uint32_t at,
                        uint32_t len)
{
    const struct dut_layout *layout = &port->unit->layout;
    memset(ram->page + len, 0xFF, layout->page_bytes - len);
    return port->program(port->ctx, layout->slot_addr[slot] + at, ram->page, layout->page_bytes);
}

static int slot_crc(struct ram *ram, const struct dut_port *port, uint32_t slot, uint32_t bytes,
                    uint32_t *crc)
{
    *crc = 0;
    for (uint32_t at = 0, len; at < bytes; at += len) {
        len = smaller(bytes - at, PAGE_MAX);
        if (port->read(port->ctx, port->unit->layout.slot_addr[slot] + at, ram->page, len))
            return -1;
        *crc = crc32(*crc, ram->page, len);
    }
    return 0;
}

/* ---- The bootloader ---- */

static int boot_copy(struct ram *ram, const struct dut_port *port, uint32_t bytes)
{
    const struct dut_layout *layout = &port->unit->layout;
    /* HERE it bricks. The command goes before the copy has finished: power that fails between this
     * erase and the last program leaves slot A half-written and nothing that asks for the rest,
     * although slot B still holds it. Cleared after a copy that was read back, it would start anew
     * at each boot until it is done; tests/canaries/devices/copy.c does that. */
    if (port->erase(port->ctx, layout->config_addr) || slot_erase(port, 0, bytes))
        return -1;
    for (uint32_t at = 0; at < bytes; at += layout->page_bytes) {
        uint32_t len = smaller(bytes - at, layout->page_bytes);
        if (port->read(port->ctx, layout->slot_addr[1] + at, ram->page, len) ||
            slot_program(ram, port, 0, at, len))
            return -1;
    }
    return 0;
}

/* The bytes that a sound command over a sound download asks for; 0: none. */
static uint32_t boot_command(struct ram *ram, const struct dut_port *port)
{
    uint8_t command[COMMAND_BYTES];
    if (port->read(port->ctx, port->unit->layout.config_addr, command, sizeof command) ||
        get32(command) != COMMAND_MAGIC || get32(command + 12) != crc32(0, command, 12))
        return 0;
    uint32_t bytes = get32(command + 4), crc;
    if (bytes > port->unit->layout.slot_bytes || slot_crc(ram, port, 1, bytes, &crc) ||
        crc != get32(command + 8))
        return 0;
    return bytes;
}

static void boot(void *memory, const struct dut_port *port, enum dut_reset reset,
                 struct dut_boot *out)
{
    struct ram *ram = memory;
    uint8_t header[HEADER_BYTES];
    (void)reset; /* a watchdog reset is a reset like any other here */
    memset(out, 0, sizeof *out);
    uint32_t bytes = boot_command(ram, port);
    if (bytes)
        port->note(port->ctx, "command found, copying slot B over slot A");
    if (bytes && boot_copy(ram, port, bytes)) {
        strcpy(out->why, "the copy failed");
        return;
    }
    /* Only the header is looked at, so a half-written payload is jumped to as well. */
    out->boots = slot_header(port, 0, header);
    out->image_addr = port->unit->layout.slot_addr[0];
    out->watchdog_s = port->unit->watchdog_s;
    strcpy(out->why, out->boots ? "slot A has a header" : "slot A has no header");
}

/* ---- The updater, in the application ---- */

static enum dut_status download(struct ram *ram, const struct dut_port *port,
                                const struct dut_image *image, uint32_t *crc)
{
    uint32_t page = port->unit->layout.page_bytes;
    if (image->len > port->unit->layout.slot_bytes)
        return DUT_SAYS_REFUSED;
    if (slot_erase(port, 1, image->len))
        return DUT_SAYS_DOWNLOAD_FAILED;
    *crc = 0;
    for (uint32_t at = 0; at < image->len; at += page) {
        uint32_t want = smaller(image->len - at, page), got = 0;
        while (got < want) {
            int32_t more = port->fetch(port->ctx, at + got, ram->page + got, want - got);
            if (more <= 0)
                return DUT_SAYS_DOWNLOAD_FAILED;
            got += (uint32_t)more;
        }
        *crc = crc32(*crc, ram->page, want);
        if (slot_program(ram, port, 1, at, want))
            return DUT_SAYS_DOWNLOAD_FAILED;
        port->kick(port->ctx, 0);
    }
    return DUT_SAYS_PROGRESS;
}

static int command_write(struct ram *ram, const struct dut_port *port, uint32_t bytes, uint32_t crc)
{
    const struct dut_layout *layout = &port->unit->layout;
    memset(ram->page, 0xFF, layout->page_bytes);
    put32(ram->page, COMMAND_MAGIC);
    put32(ram->page + 4, bytes);
    put32(ram->page + 8, crc);
    put32(ram->page + 12, crc32(0, ram->page, 12));
    if (port->erase(port->ctx, layout->config_addr))
        return -1;
    return port->program(port->ctx, layout->config_addr, ram->page, layout->page_bytes);
}

static void say(const struct dut_port *port, const struct dut_offer *offer, enum dut_status status,
                const char *version, const char *text)
{
    struct dut_report report = {.status = status,
                                .firmware_id = offer->image.firmware_id,
                                .version = version,
                                .text = text};
    port->report(port->ctx, &report);
}

/* A report "confirmed" is a promise that the firmware works: the five checks come first. */
static bool is_healthy(const struct dut_port *port)
{
    const struct dut_unit *unit = port->unit;
    int64_t start = port->now_ms(port->ctx);
    for (int check = 0; check < DUT_CHECKS; check++) {
        if (check == DUT_CHECK_NO_FAULT) {
            port->kick(port->ctx, unit->fault_free_ms / 1000 + unit->watchdog_s);
            port->sleep_until(port->ctx, start + unit->fault_free_ms);
        }
        if (!port->check(port->ctx, (enum dut_check)check))
            return false;
    }
    return true;
}

static enum dut_run run(void *memory, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *booted)
{
    struct ram *ram = memory;
    uint8_t header[HEADER_BYTES];
    struct dut_offer offer;
    uint32_t crc;
    (void)reset, (void)booted;
    if (!port->offer(port->ctx, &offer) || offer.kind != DUT_OFFER_UPDATE ||
        !slot_header(port, 0, header))
        return DUT_RUN_IDLE;
    const char *version = (const char *)header + AT_VERSION;
    if (strncmp(version, offer.image.version, VERSION_MAX) == 0) {
        if (is_healthy(port))
            say(port, &offer, DUT_SAYS_CONFIRMED, version, "updated");
        return DUT_RUN_IDLE;
    }
    enum dut_status status = download(ram, port, &offer.image, &crc);
    if (status == DUT_SAYS_PROGRESS && command_write(ram, port, offer.image.len, crc) == 0)
        return DUT_RUN_RESET;
    say(port, &offer, status, version, "the download failed");
    return DUT_RUN_IDLE;
}

/* ---- The plugin ---- */

static int factory(void *memory, const struct dut_port *port, const struct dut_image *image)
{
    struct ram *ram = memory;
    uint32_t page = port->unit->layout.page_bytes;
    for (uint32_t at = 0; at < image->len; at += page) {
        uint32_t len = smaller(image->len - at, page);
        memcpy(ram->page, image->bytes + at, len);
        if (slot_program(ram, port, 0, at, len))
            return -1;
    }
    return 0;
}

static const struct dut single_copy = {
    .abi = DUT_ABI,
    .name = "single-copy",
    .about = "one copy that runs, overwritten from a download area; no signature, no way back",
    .traits = 0,
    .ram_bytes = sizeof(struct ram),
    .variants = 1,
    .factory = factory,
    .boot = boot,
    .run = run,
};

const struct dut *dut_device(void)
{
    return &single_copy;
}

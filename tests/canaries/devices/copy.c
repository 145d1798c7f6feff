/*
 * A sound overwrite bootloader and its updater. Slot A runs; slot B is where the updater puts the
 * next image. There is no way back: an image that was copied runs for good.
 *
 *     updater:     B <- image and proof, verified    record <- COPY        reset
 *     bootloader:  COPY: verify B, A <- B from last sector to first, verify A, record <- NONE,
 *                  jump to A
 *
 * cut in              next boot                                               why it is enough
 * the download        NONE: boots A                                           A was not touched
 * record <- COPY      COPY or NONE, settled by record_load                    B is whole, A too
 * A <- B              COPY: all of it anew                                    B was not touched
 * record <- NONE      COPY or NONE, settled                                   A and B are whole
 *
 * The copy is never resumed in its middle and a sector is never taken for copied because it reads
 * right: what a cut left may read right by luck. COPY ends only in the power session that erased,
 * programmed and verified all of A. While the record says COPY, the updater leaves B alone.
 */
#include "records.h"
#include "slot.h"

#include <string.h>

enum command { NONE = 0, COPY = 1 };

/* The record: what the bootloader is to do. */
struct order {
    enum command command;
    uint32_t image_bytes; /* for COPY */
};

static void order_decode(struct order *out, const struct record *record)
{
    out->command = record->found && record->data[0] == COPY ? COPY : NONE;
    out->image_bytes = kit_get32(record->data + 4);
}

static int order_write(struct kit *kit, struct record *record, const struct order *order)
{
    uint8_t data[RECORD_DATA_BYTES] = {(uint8_t)order->command};
    kit_put32(data + 4, order->image_bytes);
    return record_write(kit, record, data);
}

/* ---- The bootloader ---- */

static int copy_image(struct kit *kit, uint32_t image_bytes)
{
    uint32_t sectors = slot_sectors(kit, image_bytes);
    struct slot_image image;
    for (uint32_t i = sectors; i-- > 0;)
        if (kit_copy_sector(kit, slot_sector(kit, SLOT_A, i, sectors),
                            slot_sector(kit, SLOT_B, i, sectors)))
            return -1;
    return slot_verify(kit, SLOT_A, &image) ? 0 : -1;
}

static int obey(struct kit *kit)
{
    struct record record;
    struct order order;
    struct slot_image image;
    if (record_load(kit, &record))
        return -1;
    order_decode(&order, &record);
    if (order.command == NONE)
        return 0;
    if (slot_verify(kit, SLOT_B, &image)) {
        kit->port->note(kit->port->ctx, "copies slot B over slot A");
        if (copy_image(kit, order.image_bytes))
            return -1;
    }
    return order_write(kit, &record, &(struct order){.command = NONE});
}

static void boot(void *ram, const struct dut_port *port, enum dut_reset reset, struct dut_boot *out)
{
    struct kit *kit = kit_init(ram, port);
    struct slot_image image;
    (void)reset; /* nothing is on trial: a fault has nothing to go back to */
    memset(out, 0, sizeof *out);
    for (int i = 0; i < KIT_ATTEMPTS && obey(kit); i++)
        port->note(port->ctx, "the flash failed: starts again");
    out->boots = slot_verify(kit, SLOT_A, &image);
    out->image_addr = kit->layout->slot_addr[SLOT_A];
    out->slot = SLOT_A;
    out->watchdog_s = port->unit->watchdog_s;
    strcpy(out->why, out->boots ? "slot A verifies" : "slot A does not verify");
}

/* ---- The updater ---- */

static enum dut_run update(struct kit *kit, struct record *record, const struct dut_offer *offer,
                           const struct slot_image *runs)
{
    const char *refusal = offer_refusal(kit, &offer->image, runs);
    if (refusal) {
        offer_tell(kit, DUT_SAYS_REFUSED, offer, runs, refusal);
        return DUT_RUN_IDLE;
    }
    enum dut_status status = offer_download(kit, SLOT_B, &offer->image);
    if (status != DUT_SAYS_PROGRESS) {
        offer_tell(kit, status, offer, runs,
                   status == DUT_SAYS_VERIFY_FAILED ? "does not verify" : "download failed");
        return DUT_RUN_IDLE;
    }
    order_write(kit, record, &(struct order){.command = COPY, .image_bytes = offer->image.len});
    return DUT_RUN_RESET; /* whether it was written or not: the offer comes again */
}

static enum dut_run run(void *ram, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *booted)
{
    struct kit *kit = kit_init(ram, port);
    struct record record;
    struct order order;
    struct slot_image runs;
    struct dut_offer offer;
    (void)reset, (void)booted;
    if (record_load(kit, &record) || !slot_read(kit, SLOT_A, &runs))
        return DUT_RUN_RESET;
    order_decode(&order, &record);
    if (order.command != NONE)
        return DUT_RUN_RESET; /* the bootloader could not end it: slot B is still needed */
    if (!port->offer(port->ctx, &offer))
        return DUT_RUN_IDLE;
    if (offer.kind != DUT_OFFER_UPDATE) {
        offer_tell(kit, DUT_SAYS_REFUSED, &offer, &runs, "refused: there is no way back");
        return DUT_RUN_IDLE;
    }
    if (memcmp(offer.image.sha256, runs.sha256, sizeof runs.sha256) != 0)
        return update(kit, &record, &offer, &runs);
    if (offer_is_healthy(kit))
        offer_tell(kit, DUT_SAYS_CONFIRMED, &offer, &runs, "confirmed");
    return DUT_RUN_IDLE;
}

/* ---- The plugin ---- */

static const char *refuses(const struct dut_unit *unit)
{
    return unit->layout.page_bytes > KIT_PAGE_MAX ? "pages of at most 4096 bytes" : NULL;
}

static int factory(void *ram, const struct dut_port *port, const struct dut_image *image)
{
    struct kit *kit = kit_init(ram, port);
    struct record record = {.found = false};
    if (slot_install(kit, SLOT_A, image))
        return -1;
    return order_write(kit, &record, &(struct order){.command = NONE});
}

/* Without a command, slot B belongs to the next download, which erases it. */
static uint32_t scratch(void *ram, const struct dut_port *view, struct dut_range *out, uint32_t max)
{
    struct kit *kit = kit_init(ram, view);
    struct record record;
    struct order order;
    if (max < 1 || !record_peek(kit, &record))
        return 0;
    order_decode(&order, &record);
    if (order.command != NONE)
        return 0;
    out[0] = (struct dut_range){kit->layout->slot_addr[SLOT_B], kit->layout->slot_bytes, 0};
    return 1;
}

static const struct dut copy = {
    .abi = DUT_ABI,
    .name = "copy",
    .about = "sound: overwrites its only slot from a download area, with a record in two sectors",
    .traits = DUT_SIGNED | DUT_IDENTITY | DUT_NO_DOWNGRADE | DUT_REPORTS,
    .ram_bytes = sizeof(struct kit),
    .variants = 1,
    .refuses = refuses,
    .factory = factory,
    .boot = boot,
    .run = run,
    .ranges = record_ranges,
    .canonical = record_canonical,
    .scratch = scratch,
};

const struct dut *dut_device(void)
{
    return &copy;
}

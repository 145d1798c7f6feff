/*
 * A sound swap bootloader with revert, and its updater: MCUboot's test, confirm and revert. Slot A
 * runs, slot B holds the other image; the two are swapped through a scratch.
 *
 *     record:  IDLE   the image in A is permanent     TEST   what is in B is to be tried
 *              SWAP   so many steps are done          TRIAL  A is on trial, so many boots are left
 *     journal: scratch ... | status sector: says that a swap goes on
 *
 *     updater:     B <- image, verified; TEST; reset
 *     bootloader:  SWAP(0), status, SWAP(1) ... SWAP(n), no status, TRIAL(m), TRIAL(m-1), jump
 *     image in A:  healthy: IDLE;  else TRIAL(0), reset: SWAP(0), the same way back, IDLE
 *
 * A swap moves chunk by chunk, of as many sectors as the scratch: scratch <- A, A <- B,
 * B <- scratch. The argument for any cut:
 *
 *  1. A step is done from its first sector on and compared, in one power session; what a cut left
 *     is never taken for done because it reads right.
 *  2. Step n+1 destroys the source of step n, and doing step n again destroys what it had done.
 *     Which of the two is next is the record's to say; record_load has settled it, so that it does
 *     not say something else after the next cut. That is why no log of marks is kept: a mark that
 *     read as blank, its step half done again, and then reads as set, is a brick.
 *  3. The same holds between the states: both sides of each are fine where it may read either way.
 *  4. The status sector is written and erased while the record says SWAP: however it reads after a
 *     cut, the swap goes on.
 *
 * A trial is counted before the jump; a watchdog reset or a hard fault ends it at once.
 */
#include "records.h"
#include "slot.h"

#include <string.h>

enum state { IDLE, TEST, SWAP, TRIAL };
enum { STEPS_PER_CHUNK = 3 };
static const uint8_t swap_note[16] = "a swap goes on";

/* The record, decoded. */
struct status {
    enum state state;
    bool back;          /* SWAP: the trial has failed */
    uint8_t left;       /* TRIAL: boots */
    uint32_t sectors;   /* SWAP, TRIAL: of each slot, that are swapped */
    uint32_t steps;     /* SWAP: done */
    uint8_t failed[32]; /* SHA-256 of the image that was rolled back last, or zeros */
    struct record record;
};

static void status_decode(struct status *out)
{
    const uint8_t *data = out->record.data;
    out->state = data[0] <= TRIAL ? (enum state)data[0] : IDLE;
    out->back = data[1] != 0;
    out->left = data[2];
    out->sectors = kit_get32(data + 4);
    out->steps = kit_get32(data + 8);
    memcpy(out->failed, data + 12, sizeof out->failed);
}

static int status_load(struct kit *kit, struct status *out)
{
    memset(out, 0, sizeof *out);
    if (record_load(kit, &out->record))
        return -1;
    status_decode(out);
    return 0;
}

static int status_write(struct kit *kit, struct status *status, enum state state)
{
    uint8_t data[RECORD_DATA_BYTES] = {(uint8_t)state, status->back, status->left};
    kit_put32(data + 4, status->sectors);
    kit_put32(data + 8, status->steps);
    memcpy(data + 12, status->failed, sizeof status->failed);
    status->state = state;
    return record_write(kit, &status->record, data);
}

/* ---- The swap ---- */

/* Sectors of the scratch, and so of a chunk; the journal's last one is the status sector. */
static uint32_t scratch_sectors(const struct kit *kit)
{
    return kit->layout->journal_bytes / kit->layout->sector_bytes - 1;
}

static uint32_t status_addr(const struct kit *kit)
{
    return kit->layout->data_addr + scratch_sectors(kit) * kit->layout->sector_bytes;
}

static bool swap_is_noted(const struct kit *kit)
{
    uint8_t note[sizeof swap_note];
    return kit_read(kit, status_addr(kit), note, sizeof note) == 0 &&
           memcmp(note, swap_note, sizeof note) == 0;
}

static uint32_t steps_of(const struct kit *kit, uint32_t sectors)
{
    uint32_t chunk = scratch_sectors(kit);
    return kit_round_up(sectors, chunk) / chunk * STEPS_PER_CHUNK;
}

/* Where a step takes sector i of the slots from, and where it puts it. */
struct move {
    uint32_t from, to;
};

static struct move move_of(const struct kit *kit, uint32_t step, uint32_t i, uint32_t sectors)
{
    uint32_t a = slot_sector(kit, SLOT_A, i, sectors), b = slot_sector(kit, SLOT_B, i, sectors);
    uint32_t scratch =
        kit->layout->data_addr + i % scratch_sectors(kit) * kit->layout->sector_bytes;
    const struct move move[STEPS_PER_CHUNK] = {{a, scratch}, {b, a}, {scratch, b}};
    return move[step % STEPS_PER_CHUNK];
}

static int swap_step(struct kit *kit, uint32_t step, uint32_t sectors)
{
    uint32_t chunk = scratch_sectors(kit), first = step / STEPS_PER_CHUNK * chunk;
    for (uint32_t i = first; i < first + chunk && i < sectors; i++) {
        struct move move = move_of(kit, step, i, sectors);
        if (kit_copy_sector(kit, move.to, move.from))
            return -1;
    }
    return 0;
}

/* From where the record says that it stopped, to the end. */
static int swap_go_on(struct kit *kit, struct status *status)
{
    if (status->steps == 0 && kit_program(kit, status_addr(kit), swap_note, sizeof swap_note))
        return -1;
    while (status->steps < steps_of(kit, status->sectors)) {
        if (swap_step(kit, status->steps, status->sectors))
            return -1;
        status->steps++;
        if (status_write(kit, status, SWAP))
            return -1;
    }
    return 0;
}

/* ---- The bootloader ---- */

static int swap_begin(struct kit *kit, struct status *status, bool back)
{
    kit->port->note(kit->port->ctx, back ? "the trial has ended, swaps back" : "swaps for a trial");
    status->back = back;
    status->steps = 0;
    return status_write(kit, status, SWAP);
}

static int swap_end(struct kit *kit, struct status *status)
{
    struct slot_image tried;
    if (swap_go_on(kit, status) || kit_erase(kit, status_addr(kit)))
        return -1;
    status->steps = 0;
    if (!status->back) {
        status->left = (uint8_t)kit->port->unit->trial_boots;
        return status_write(kit, status, TRIAL);
    }
    if (slot_read(kit, SLOT_B, &tried))
        memcpy(status->failed, tried.sha256, sizeof status->failed);
    return status_write(kit, status, IDLE);
}

/* TEST: the two slots are whole. */
static int test_begin(struct kit *kit, struct status *status)
{
    struct slot_image runs, next;
    if (!slot_read(kit, SLOT_A, &runs) || !slot_verify(kit, SLOT_B, &next))
        return status_write(kit, status, IDLE);
    status->sectors = slot_sectors(kit, runs.bytes > next.bytes ? runs.bytes : next.bytes);
    return swap_begin(kit, status, false);
}

static bool trial_has_ended(struct kit *kit, const struct status *status, enum dut_reset reset)
{
    struct slot_image tried;
    bool began = status->left < kit->port->unit->trial_boots;
    bool faulty = reset == DUT_RESET_WATCHDOG || reset == DUT_RESET_HARD_FAULT;
    return status->left == 0 || (began && faulty) || !slot_verify(kit, SLOT_A, &tried);
}

/* Whatever was begun is ended; then slot A is to be booted. */
static int obey(struct kit *kit, struct status *status, enum dut_reset reset)
{
    if (status_load(kit, status))
        return -1;
    if (status->state == TEST && test_begin(kit, status))
        return -1;
    if (status->state == TRIAL && trial_has_ended(kit, status, reset) &&
        swap_begin(kit, status, true))
        return -1;
    if ((status->state == SWAP || swap_is_noted(kit)) && swap_end(kit, status))
        return -1;
    if (status->state != TRIAL)
        return 0;
    status->left--;
    return status_write(kit, status, TRIAL);
}

static void boot(void *ram, const struct dut_port *port, enum dut_reset reset, struct dut_boot *out)
{
    struct kit *kit = kit_init(ram, port);
    struct status status;
    struct slot_image image;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < KIT_ATTEMPTS && obey(kit, &status, reset); i++)
        port->note(port->ctx, "the flash failed: starts again");
    out->boots = slot_verify(kit, SLOT_A, &image);
    out->image_addr = kit->layout->slot_addr[SLOT_A];
    out->slot = SLOT_A;
    out->trial = status.state == TRIAL;
    out->watchdog_s = port->unit->watchdog_s;
    strcpy(out->why, !out->boots ? "slot A does not verify" : out->trial ? "trial" : "permanent");
}

/* ---- The updater ---- */

/* The image that runs is on trial. Whether a record was written or not: the trial is counted. */
static enum dut_run judge_itself(struct kit *kit, struct status *status,
                                 const struct slot_image *runs)
{
    struct dut_offer offer;
    if (!offer_is_healthy(kit)) {
        status->left = 0;
        status_write(kit, status, TRIAL);
        return DUT_RUN_RESET;
    }
    if (status_write(kit, status, IDLE))
        return DUT_RUN_RESET;
    if (kit->port->offer(kit->port->ctx, &offer) &&
        memcmp(offer.image.sha256, runs->sha256, sizeof runs->sha256) == 0)
        offer_tell(kit, DUT_SAYS_CONFIRMED, &offer, runs, "confirmed");
    return DUT_RUN_IDLE;
}

static enum dut_run update(struct kit *kit, struct status *status, const struct dut_offer *offer,
                           const struct slot_image *runs)
{
    const char *refusal = offer_refusal(kit, &offer->image, runs);
    if (refusal) {
        offer_tell(kit, DUT_SAYS_REFUSED, offer, runs, refusal);
        return DUT_RUN_IDLE;
    }
    enum dut_status outcome = offer_download(kit, SLOT_B, &offer->image);
    if (outcome != DUT_SAYS_PROGRESS) {
        offer_tell(kit, outcome, offer, runs,
                   outcome == DUT_SAYS_VERIFY_FAILED ? "does not verify" : "download failed");
        return DUT_RUN_IDLE;
    }
    status_write(kit, status, TEST);
    return DUT_RUN_RESET; /* whether it was written or not: the offer comes again */
}

static enum dut_run answer(struct kit *kit, struct status *status, const struct slot_image *runs)
{
    struct dut_offer offer;
    if (!kit->port->offer(kit->port->ctx, &offer))
        return DUT_RUN_IDLE;
    if (offer.kind != DUT_OFFER_UPDATE) {
        offer_tell(kit, DUT_SAYS_REFUSED, &offer, runs, "refused: only a trial is taken back");
        return DUT_RUN_IDLE;
    }
    if (memcmp(offer.image.sha256, status->failed, sizeof status->failed) == 0) {
        offer_tell(kit, DUT_SAYS_ROLLED_BACK, &offer, runs, "rolled back after its trial");
        return DUT_RUN_IDLE;
    }
    if (memcmp(offer.image.sha256, runs->sha256, sizeof runs->sha256) != 0)
        return update(kit, status, &offer, runs);
    if (offer_is_healthy(kit))
        offer_tell(kit, DUT_SAYS_CONFIRMED, &offer, runs, "confirmed");
    return DUT_RUN_IDLE;
}

static enum dut_run run(void *ram, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *booted)
{
    struct kit *kit = kit_init(ram, port);
    struct status status;
    struct slot_image runs;
    (void)reset, (void)booted;
    if (status_load(kit, &status) || !slot_read(kit, SLOT_A, &runs))
        return DUT_RUN_RESET;
    if (status.state == TRIAL)
        return judge_itself(kit, &status, &runs);
    if (status.state != IDLE)
        return DUT_RUN_RESET; /* the bootloader could not end it: slot B is still needed */
    return answer(kit, &status, &runs);
}

/* ---- The plugin ---- */

static const char *refuses(const struct dut_unit *unit)
{
    if (unit->layout.page_bytes > KIT_PAGE_MAX)
        return "pages of at most 4096 bytes";
    return unit->layout.journal_bytes / unit->layout.sector_bytes >= 2
               ? NULL
               : "a journal of two sectors or more, for the scratch";
}

static int factory(void *ram, const struct dut_port *port, const struct dut_image *image)
{
    struct kit *kit = kit_init(ram, port);
    struct status status;
    memset(&status, 0, sizeof status);
    if (slot_install(kit, SLOT_A, image))
        return -1;
    return status_write(kit, &status, IDLE);
}

/* The step that is next in a swap erases what it writes; the scratch before each of a chunk's first
 * steps, and slot B before each download, are erased by who uses them. */
static uint32_t scratch(void *ram, const struct dut_port *view, struct dut_range *out, uint32_t max)
{
    struct kit *kit = kit_init(ram, view);
    const struct dut_layout *layout = kit->layout;
    uint32_t chunk = scratch_sectors(kit), count = 0;
    struct status status;
    memset(&status, 0, sizeof status);
    if (max < 2 || !record_peek(kit, &status.record))
        return 0;
    status_decode(&status);
    if (status.state == IDLE)
        out[count++] = (struct dut_range){layout->slot_addr[SLOT_B], layout->slot_bytes, 0};
    if (status.state != SWAP)
        out[count++] = (struct dut_range){layout->data_addr, chunk * layout->sector_bytes, 0};
    uint32_t i = status.steps / STEPS_PER_CHUNK * chunk, end = i + chunk;
    for (; status.state == SWAP && i < end && i < status.sectors && count < max; i++)
        out[count++] = (struct dut_range){move_of(kit, status.steps, i, status.sectors).to,
                                          layout->sector_bytes, 0};
    return count;
}

static const struct dut swap = {
    .abi = DUT_ABI,
    .name = "swap",
    .about = "sound: swaps two slots through scratch sectors, on trial, and back",
    .traits =
        DUT_SIGNED | DUT_IDENTITY | DUT_NO_DOWNGRADE | DUT_REPORTS | DUT_TRIES | DUT_REMEMBERS,
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
    return &swap;
}

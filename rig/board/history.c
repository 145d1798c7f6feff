/* The history of a flash: applied, written. */
#include "history_internal.h"
#include <stdlib.h>
#include <string.h>

static const struct sim_flash_timing no_time = {0};

int rig_history_open(struct rig_history **out, const uint8_t *flash, FILE *to)
{
    struct rig_history *history = calloc(1, sizeof *history);
    *out = history;
    if (!history)
        return -1;
    history->to = to;
    if (sim_flash_base_init(&history->base, RIG_HISTORY_BYTES, HISTORY_SECTOR, HISTORY_PAGE) ||
        sim_flash_init(&history->flash, &history->base, NULL, &no_time, &history->now_us, 0, 0) ||
        (to && fprintf(to, "%s\n", rig_history_title) < 0) ||
        (flash && rig_history_found(history, flash) < 0)) {
        rig_history_free(history);
        *out = NULL;
        return -1;
    }
    return 0;
}

void rig_history_free(struct rig_history *history)
{
    if (!history)
        return;
    sim_flash_free(&history->flash);
    sim_flash_base_free(&history->base);
    free(history);
}

/* ---- Text ---- */

static int print_hex(FILE *to, const uint8_t *bytes, uint32_t len)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * HISTORY_SECTOR];
    for (uint32_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return fwrite(text, 1, 2 * (size_t)len, to) == 2 * (size_t)len && fputc('\n', to) != EOF ? 0
                                                                                             : -1;
}

static int print_what(FILE *to, const struct rig_op *op)
{
    if (op->erase)
        return fprintf(to, "0x%08x %u\n", op->addr, op->len) < 0 ? -1 : 0;
    return fprintf(to, "0x%08x ", op->addr) < 0 ? -1 : print_hex(to, op->data, op->len);
}

static const char *kind(const struct rig_op *op)
{
    return op->erase ? "erase" : "program";
}

/* ---- Applied ---- */

bool rig_history_fits(const struct rig_op *op)
{
    if (!op->len || op->addr >= RIG_HISTORY_BYTES || op->len > RIG_HISTORY_BYTES - op->addr)
        return false;
    if (op->erase)
        return op->addr % HISTORY_SECTOR == 0 && op->len % HISTORY_SECTOR == 0;
    return op->data && op->addr % HISTORY_PAGE + op->len <= HISTORY_PAGE;
}

/* The simulator programs whole pages; FF changes nothing. */
static struct sim_flash_call page_call(const struct rig_op *op, uint8_t page[HISTORY_PAGE])
{
    uint32_t from = op->addr % HISTORY_PAGE;
    memset(page, 0xFF, HISTORY_PAGE);
    memcpy(page + from, op->data, op->len);
    return (struct sim_flash_call){.kind = SIM_FLASH_PROGRAM,
                                   .addr = op->addr - from,
                                   .len = HISTORY_PAGE,
                                   .units = 1,
                                   .data = page};
}

static void apply(struct rig_history *history, const struct rig_op *op,
                  const struct sim_flash_cut *cut)
{
    uint8_t page[HISTORY_PAGE];
    if (!op->erase) {
        struct sim_flash_call call = page_call(op, page);
        sim_flash_apply(&history->flash, &call, cut);
        return;
    }
    for (uint32_t at = 0; at < op->len; at += HISTORY_SECTOR)
        sim_flash_apply(
            &history->flash,
            &(struct sim_flash_call){
                .kind = SIM_FLASH_ERASE, .addr = op->addr + at, .len = HISTORY_SECTOR, .units = 1},
            cut);
}

int rig_history_op(struct rig_history *history, const struct rig_op *op)
{
    if (!rig_history_fits(op))
        return -1;
    apply(history, op, NULL);
    if (!history->to)
        return 0;
    if (fprintf(history->to, "%s %llu ", kind(op), (unsigned long long)op->number) < 0)
        return -1;
    return print_what(history->to, op);
}

/* One reading of what the cut left: each unstable bit as it was drawn. A file holds no doubt. */
static void settle(struct rig_history *history, uint32_t addr, struct sim_rng *reading)
{
    uint8_t bytes[HISTORY_SECTOR];
    const uint8_t *mask = sim_flash_sector_mask(&history->flash, addr / HISTORY_SECTOR);
    if (!mask)
        return;
    sim_flash_peek(&history->flash, addr, bytes, HISTORY_SECTOR, 1);
    for (uint32_t i = 0; i < HISTORY_SECTOR; i++)
        if (mask[i])
            bytes[i] &= (uint8_t) ~(mask[i] & sim_rng_u32(reading));
    sim_flash_load(&history->flash, addr, bytes, HISTORY_SECTOR);
}

enum scn_torn rig_history_form(uint64_t seed, uint32_t index)
{
    uint32_t drawn = sim_rng_at(seed, 0, SIM_RNG_FAULT_DETAIL, index);
    return (enum scn_torn)(SCN_TORN_NOTHING +
                           (int)(drawn % (SCN_TORN_UNSTABLE - SCN_TORN_NOTHING + 1)));
}

int rig_history_cut(struct rig_history *history, const struct rig_op *op,
                    const struct rig_tear *tear)
{
    if (!rig_history_fits(op) || !rig_history_tears(op, tear))
        return -1;
    struct sim_flash_cut cut = {.form = tear->form, .tear = tear->tear};
    struct sim_rng reading;
    sim_flash_reseed(&history->flash, tear->seed, 0, tear->index);
    sim_rng_init(&reading, tear->seed, 1, SIM_RNG_UNSTABLE, tear->index);
    apply(history, op, &cut);
    for (uint32_t at = op->addr - op->addr % HISTORY_SECTOR; at < op->addr + op->len;
         at += HISTORY_SECTOR)
        settle(history, at, &reading);
    if (!history->to)
        return 0;
    if (fprintf(history->to, "cut %llu %s %u %llu %u %s ", (unsigned long long)op->number,
                scn_torn_name((int)tear->form), tear->tear, (unsigned long long)tear->seed,
                tear->index, kind(op)) < 0)
        return -1;
    return print_what(history->to, op);
}

bool rig_history_tears(const struct rig_op *op, const struct rig_tear *tear)
{
    return tear->form > SCN_TORN_ANY && tear->form < SCN_TORNS &&
           tear->tear < (op->erase ? HISTORY_SECTOR : HISTORY_PAGE);
}

int rig_history_sector(struct rig_history *history, uint32_t addr, const uint8_t *bytes)
{
    uint8_t blank[HISTORY_SECTOR];
    memset(blank, 0xFF, sizeof blank);
    bool is_blank = !memcmp(blank, bytes, HISTORY_SECTOR);
    if (!sim_flash_load(&history->flash, addr, bytes, HISTORY_SECTOR))
        return 0;
    if (!history->to)
        return 1;
    if (is_blank)
        return fprintf(history->to, "blank 0x%08x\n", addr) < 0 ? -1 : 1;
    if (fprintf(history->to, "sector 0x%08x ", addr) < 0 ||
        print_hex(history->to, bytes, HISTORY_SECTOR))
        return -1;
    return 1;
}

int rig_history_found(struct rig_history *history, const uint8_t *flash)
{
    int differ = 0;
    for (uint32_t at = 0; at < RIG_HISTORY_BYTES; at += HISTORY_SECTOR) {
        int one = rig_history_sector(history, at, flash + at);
        if (one < 0)
            return -1;
        differ += one;
    }
    return differ;
}

void rig_history_flash(const struct rig_history *history, uint8_t *flash)
{
    sim_flash_peek(&history->flash, 0, flash, RIG_HISTORY_BYTES, 1);
}

/*
 * An order to the board, and what it asks until it is done. The sweep's port is called from here,
 * by no callback: it may take the control flow away (longjmp) at any call, and then the board is
 * left waiting for its answer.
 */
#include "boot/crypto.h"
#include "boot/image.h"
#include "lab.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where there is a session, it ends here. */
static void leave(struct rig_lab *lab, bool fails, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void leave(struct rig_lab *lab, bool fails, const char *format, ...)
{
    char what[LAB_WHAT];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const struct sim_stand_session *session = lab->session;
    lab->session = NULL; /* nobody asks for its end */
    lab->found |= !fails;
    if (session)
        (fails ? session->fails : session->differs)(session->sweep, what);
}

static void leave_by(struct rig_lab *lab, enum lab_turn turn)
{
    char what[LAB_WHAT];
    lab_describe(lab, turn, what, sizeof what);
    leave(lab, true, "%s", what);
}

static bool is_inside(const struct rig_lab *lab, uint32_t addr, uint32_t len)
{
    uint32_t bytes = lab->session ? lab->session->flash->base->bytes : 0;
    return addr <= bytes && len <= bytes - addr;
}

/* --- what the board may take, and what it gives --- */

static void on_take(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t offset = lab_get32(in), len = lab_get16(in);
    bool there = offset <= lab->buffered && len <= lab->buffered - offset && len <= LAB_PIECE;
    in->bad |= !there;
    lab_put(&lab->out, lab->buffer + (there ? offset : 0), there ? len : 0);
}

static void on_give(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t len = in->left;
    const uint8_t *bytes = lab_get(in, len);
    in->bad |= len > lab->machine->flash_bytes - lab->given;
    if (in->bad)
        return;
    memcpy(lab->basket + lab->given, bytes, len);
    lab->given += len;
}

/* --- flash --- */

/* What the board has read is what the simulator's flash holds; is it also what the sweep reads? */
static bool reads_alike(struct rig_lab *lab, uint32_t addr, uint32_t len, bool could, uint32_t crc)
{
    const struct sim_stand_session *session = lab->session;
    lab->counts.reads++;
    sim_flash_peek(session->flash, addr, lab->was, len, 1);
    if (!could || crc != boot_crc32(0, lab->was, len))
        leave(lab, false, "session %u: the board reads something else at 0x%x, %u bytes",
              session->number, addr, len);
    return !memcmp(lab->was, lab->buffer, len);
}

/* Notes of reads that were done, in their order: the simulator's time passes as for any read. */
static void on_reads(struct rig_lab *lab, struct lab_reader *in)
{
    while (in->left && !in->bad) {
        uint32_t addr = lab_get32(in), len = lab_get32(in), crc = lab_get32(in);
        if (in->bad || !is_inside(lab, addr, len)) {
            in->bad = true;
            return;
        }
        int result = lab->port->read(lab->port->ctx, addr, lab->buffer, len);
        if (!reads_alike(lab, addr, len, true, crc) || result)
            in->bad = true;
    }
}

/* The board's own NOR holds what the simulator's holds; what reads unstably reads as the sweep has
 * chosen, and is then in the buffer. */
static void on_read(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t addr = lab_get32(in), len = lab_get32(in);
    bool could = lab_get8(in) != 0;
    uint32_t crc = lab_get32(in);
    in->bad |= len > lab->machine->flash_bytes;
    if (in->bad)
        return;
    int result = lab->port->read(lab->port->ctx, addr, lab->buffer, len);
    lab->buffered = 0;
    if (!result && is_inside(lab, addr, len) && !reads_alike(lab, addr, len, could, crc))
        lab->buffered = len;
    lab_put32(&lab->out, (uint32_t)result);
    lab_put32(&lab->out, lab->buffered);
}

/* Whole sectors that a call may change. */
static struct lab_range sectors_of(const struct rig_lab *lab, uint32_t addr, uint32_t len)
{
    uint32_t size = lab->machine->sector_bytes;
    uint32_t from = addr / size * size, to = (addr + len + size - 1) / size * size;
    return (struct lab_range){from, to - from};
}

/* What the board has to do so that its flash holds what the simulator's holds now. lab->was: these
 * sectors before the call. data NULL: an erase. */
static enum lab_act act_of(struct rig_lab *lab, struct lab_range sectors, uint32_t addr,
                           const uint8_t *data, uint32_t len)
{
    sim_flash_peek(lab->session->flash, sectors.addr, lab->buffer, sectors.len, 1);
    if (!memcmp(lab->buffer, lab->was, sectors.len))
        return LAB_ACT_SKIP;
    for (uint32_t i = 0; i < len; i++) {
        uint8_t *byte = lab->was + (addr - sectors.addr) + i;
        *byte = data ? *byte & data[i] : 0xFF;
    }
    return memcmp(lab->buffer, lab->was, sectors.len) ? LAB_ACT_SET : LAB_ACT_DO;
}

static int carry_out(const struct dut_port *port, uint32_t addr, const uint8_t *data, uint32_t len)
{
    return data ? port->program(port->ctx, addr, data, len) : port->erase(port->ctx, addr);
}

/* An operation that changes nothing is done on the board all the same, so that its driver is heard;
 * but not where the sector is stuck or worn. */
static void operate(struct rig_lab *lab, uint32_t addr, const uint8_t *data, uint32_t len)
{
    const struct sim_flash *flash = lab->session->flash;
    struct lab_range sectors = {0, 0};
    enum lab_act act = LAB_ACT_SKIP;
    bool inside = len && is_inside(lab, addr, len);
    if (inside) {
        sectors = sectors_of(lab, addr, len);
        sim_flash_peek(flash, sectors.addr, lab->was, sectors.len, 1);
    }
    lab->touching = sectors;
    int result = carry_out(lab->port, addr, data, len);
    lab->touching = (struct lab_range){0, 0};
    if (inside)
        act = act_of(lab, sectors, addr, data, len);
    if (inside && act == LAB_ACT_SKIP && !result &&
        sim_flash_defect_at(flash, addr) == SIM_FLASH_SOUND)
        act = LAB_ACT_DO;
    lab->buffered = act == LAB_ACT_SET ? sectors.len : 0;
    lab->counts.operations += act == LAB_ACT_SKIP ? 0 : data ? len / lab->machine->page_bytes : 1;
    lab_put32(&lab->out, (uint32_t)result);
    lab_put8(&lab->out, act);
    lab_put32(&lab->out, sectors.addr);
    lab_put32(&lab->out, lab->buffered);
}

static void on_program(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t addr = lab_get32(in), len = lab_get32(in);
    on_give(lab, in);
    in->bad |= len > lab->machine->flash_bytes || lab->given > len;
    if (in->bad)
        return;
    memset(lab->basket + lab->given, 0xFF, len - lab->given);
    lab->given = 0;
    operate(lab, addr, lab->basket, len);
}

static void on_erase(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t addr = lab_get32(in);
    if (!in->bad)
        operate(lab, addr, NULL, lab->machine->sector_bytes);
}

/* --- crypto: done on the board, and here --- */

static void on_verify(struct rig_lab *lab, struct lab_reader *in)
{
    bool fits = lab_get8(in) != 0;
    uint8_t key[BOOT_PUBLIC_KEY_BYTES], hash[BOOT_SHA256_BYTES];
    lab_get_bytes(in, key, sizeof key);
    lab_get_bytes(in, hash, sizeof hash);
    uint32_t len = in->left;
    const uint8_t *sig = lab_get(in, len);
    if (in->bad)
        return;
    lab->counts.verifies++;
    if (fits != !lab->port->ecdsa_verify(lab->port->ctx, key, hash, sig, len))
        leave(lab, false, "session %u: the board %s a signature, this host does not",
              lab->session->number, fits ? "accepts" : "refuses");
}

/* --- time, the service, the firmware --- */

static void on_sleep(struct rig_lab *lab, struct lab_reader *in)
{
    int64_t until_ms = (int64_t)lab_get64(in);
    if (!in->bad)
        lab->port->sleep_until(lab->port->ctx, until_ms);
}

static void on_kick(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t seconds = lab_get32(in);
    if (!in->bad)
        lab->port->kick(lab->port->ctx, seconds);
}

static void on_offer(struct rig_lab *lab, struct lab_reader *in)
{
    struct dut_offer offer = {0};
    (void)in;
    bool any = lab->port->offer(lab->port->ctx, &offer);
    lab_put8(&lab->out, any);
    if (!any)
        return;
    lab->buffered = offer.message_len;
    memcpy(lab->buffer, offer.message, offer.message_len);
    lab_put8(&lab->out, offer.kind == DUT_OFFER_ROLLBACK);
    lab_put8(&lab->out, offer.force);
    lab_put32(&lab->out, offer.message_len);
    lab_put_image(&lab->out, &offer.image);
}

static void on_fetch(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t offset = lab_get32(in), len = lab_get32(in);
    in->bad |= len > lab->machine->flash_bytes;
    if (in->bad)
        return;
    int32_t got = lab->port->fetch(lab->port->ctx, offset, lab->buffer, len);
    lab->buffered = got > 0 ? (uint32_t)got : 0;
    lab_put32(&lab->out, (uint32_t)got);
}

static void on_check(struct rig_lab *lab, struct lab_reader *in)
{
    uint32_t check = lab_get8(in);
    in->bad |= check >= DUT_CHECKS;
    if (!in->bad)
        lab_put8(&lab->out, lab->port->check(lab->port->ctx, (enum dut_check)check));
}

static void on_report(struct rig_lab *lab, struct lab_reader *in)
{
    struct lab_report report;
    lab_get_report(in, &report);
    if (!in->bad)
        lab->port->report(lab->port->ctx, &report.report);
}

static void on_note(struct rig_lab *lab, struct lab_reader *in)
{
    char text[256];
    lab_get_text(in, text, sizeof text);
    if (!in->bad)
        lab->port->note(lab->port->ctx, text);
}

static void on_now(struct rig_lab *lab, struct lab_reader *in)
{
    (void)in;
    lab_put64(&lab->out, (uint64_t)lab->port->now_ms(lab->port->ctx));
}

/* Those that need a port are refused where there is none. False: the request is none. */
static bool answer(struct rig_lab *lab, const struct lab_frame *frame)
{
    static void (*const on[])(struct rig_lab *, struct lab_reader *) = {
        [LAB_TAKE] = on_take,       [LAB_GIVE] = on_give,   [LAB_READ] = on_read,
        [LAB_PROGRAM] = on_program, [LAB_ERASE] = on_erase, [LAB_VERIFY] = on_verify,
        [LAB_NOW] = on_now,         [LAB_SLEEP] = on_sleep, [LAB_KICK] = on_kick,
        [LAB_OFFER] = on_offer,     [LAB_FETCH] = on_fetch, [LAB_CHECK] = on_check,
        [LAB_REPORT] = on_report,   [LAB_NOTE] = on_note,
    };
    struct lab_reader in = lab_read_of(frame);
    if (frame->kind >= sizeof on / sizeof *on || !on[frame->kind] ||
        (!lab->session && frame->kind != LAB_TAKE))
        return false;
    lab_begin(&lab->out, LAB_ANSWER);
    on[frame->kind](lab, &in);
    return lab_read_all(&in);
}

static void on_alarm(struct rig_lab *lab, const struct lab_frame *frame)
{
    char text[64];
    struct lab_reader in = lab_read_of(frame);
    uint32_t addr = lab_get32(&in);
    lab_get_text(&in, text, sizeof text);
    leave(lab, false, "session %u: on the board: %s, 0x%x", lab->session ? lab->session->number : 0,
          text, addr);
}

static void on_surprise(struct rig_lab *lab, const struct lab_frame *frame)
{
    const char *last = lab->machine->last_words(lab->machine->ctx);
    if (frame->kind == LAB_ALARM)
        on_alarm(lab, frame);
    else if (frame->kind == LAB_HELLO)
        leave(lab, false, "session %u: the board was reset in it; its console: %.60s",
              lab->session ? lab->session->number : 0, last);
    else
        leave(lab, true, "the board says %02x, %u bytes, which is no request", frame->kind,
              frame->len);
}

/* The next frame that wants an answer, or is DONE; the notes before it are looked at. */
static enum lab_turn next_request(struct rig_lab *lab, struct lab_frame *out)
{
    enum lab_turn turn;
    while ((turn = lab_next(lab, out)) == LAB_CAME && out->kind == LAB_READS && lab->session) {
        struct lab_reader in = lab_read_of(out);
        on_reads(lab, &in);
        if (!lab_read_all(&in))
            return LAB_GARBAGE;
    }
    return turn;
}

struct lab_reader lab_order(struct rig_lab *lab, int32_t *result)
{
    const struct lab_reader none = {.bad = true};
    struct lab_frame frame;
    *result = -1;
    lab->given = 0;
    lab->at_rest = false;
    do {
        enum lab_turn turn = lab_send(lab);
        if (turn == LAB_CAME)
            turn = next_request(lab, &frame);
        if (turn != LAB_CAME) {
            leave_by(lab, turn);
            return none;
        }
        if (frame.kind != LAB_DONE && !answer(lab, &frame)) {
            on_surprise(lab, &frame);
            return none;
        }
    } while (frame.kind != LAB_DONE);
    struct lab_reader in = lab_read_of(&frame);
    *result = (int32_t)lab_get32(&in);
    lab->at_rest = true;
    return in;
}

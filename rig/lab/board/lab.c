/* Orders of the host, obeyed one after the other. */
#include "lab.h"
#include "sim/dut_own.h"
#include <string.h>

enum { NOTE_BYTES = 12, NOTES_MAX = LAB_PAYLOAD_MAX / NOTE_BYTES };

/* What else could be said on a line that is out of step? The host hears the HELLO. */
static void give_up(struct lab_board *lab)
{
    for (;;)
        lab->body->reset(lab->body->ctx);
}

static struct lab_frame next_frame(struct lab_board *lab)
{
    struct lab_frame frame = {0};
    for (;;) {
        if (lab->pending_at == lab->pending_len) {
            lab->pending_at = 0;
            lab->pending_len =
                lab->body->receive(lab->body->ctx, lab->pending, sizeof lab->pending);
            continue;
        }
        int got = lab_input_byte(&lab->input, lab->pending[lab->pending_at++], &frame);
        if (got < 0)
            give_up(lab);
        if (got > 0)
            return frame;
    }
}

static void send(struct lab_board *lab, struct lab_writer *out)
{
    uint32_t len = lab_end(out);
    if (!len)
        give_up(lab);
    lab->body->send(lab->body->ctx, out->bytes, len);
}

static void send_notes(struct lab_board *lab)
{
    if (lab->noted)
        send(lab, &lab->notes);
    lab->noted = 0;
}

void lab_board_note_read(struct lab_board *lab, uint32_t addr, uint32_t len, uint32_t crc)
{
    if (lab->noted == NOTES_MAX)
        send_notes(lab);
    if (!lab->noted++)
        lab_begin(&lab->notes, LAB_READS);
    lab_put32(&lab->notes, addr);
    lab_put32(&lab->notes, len);
    lab_put32(&lab->notes, crc);
}

struct lab_frame lab_board_turn(struct lab_board *lab)
{
    send_notes(lab);
    send(lab, &lab->out);
    struct lab_frame frame = next_frame(lab);
    if (frame.kind == LAB_RESET)
        give_up(lab);
    return frame;
}

struct lab_reader lab_board_ask(struct lab_board *lab)
{
    struct lab_frame frame = lab_board_turn(lab);
    if (frame.kind != LAB_ANSWER)
        give_up(lab);
    return lab_read_of(&frame);
}

void lab_board_alarm(struct lab_board *lab, const char *what, uint32_t addr)
{
    lab_begin(&lab->out, LAB_ALARM);
    lab_put32(&lab->out, addr);
    lab_put_text(&lab->out, what);
    (void)lab_board_turn(lab);
    give_up(lab);
}

void lab_board_take(struct lab_board *lab, uint32_t offset, void *out, uint32_t len)
{
    for (uint32_t done = 0, piece; done < len; done += piece) {
        piece = len - done < LAB_PIECE ? len - done : LAB_PIECE;
        lab_begin(&lab->out, LAB_TAKE);
        lab_put32(&lab->out, offset + done);
        lab_put16(&lab->out, piece);
        struct lab_reader in = lab_board_ask(lab);
        lab_get_bytes(&in, (uint8_t *)out + done, piece);
        if (!lab_read_all(&in))
            give_up(lab);
    }
}

/* RAM as after a reset: nothing that an earlier program left. */
static void forget(struct lab_board *lab)
{
    memset(lab->body->ram, 0xA5, dut_own_device()->ram_bytes);
}

/* Each of these leaves a DONE in the writer. */

static void done(struct lab_board *lab, int32_t result)
{
    lab_begin(&lab->out, LAB_DONE);
    lab_put32(&lab->out, (uint32_t)result);
}

static void do_unit(struct lab_board *lab, struct lab_reader *in)
{
    lab_get_unit(in, &lab->unit);
    if (!lab_read_all(in))
        lab_board_alarm(lab, "a unit that is none", 0);
    lab_board_port(lab);
    done(lab, 0);
}

static void do_factory(struct lab_board *lab, struct lab_reader *in)
{
    lab->steady = lab_get8(in) != 0;
    lab_get_image(in, &lab->image);
    if (!lab_read_all(in) || lab->image.image.len > lab->body->image_max)
        lab_board_alarm(lab, "an image that has no room", lab->image.image.len);
    lab_board_take(lab, 0, lab->body->image, lab->image.image.len);
    lab->image.image.bytes = lab->body->image;
    forget(lab);
    int error = dut_own_device()->factory(lab->body->ram, &lab->port, &lab->image.image);
    done(lab, error);
}

static void do_boot(struct lab_board *lab, struct lab_reader *in)
{
    struct dut_boot boot;
    memset(&boot, 0, sizeof boot);
    lab->steady = lab_get8(in) != 0;
    enum dut_reset reset = (enum dut_reset)lab_get8(in);
    forget(lab);
    dut_own_device()->boot(lab->body->ram, &lab->port, reset, &boot);
    done(lab, 0);
    lab_put_boot(&lab->out, &boot);
}

static void do_run(struct lab_board *lab, struct lab_reader *in)
{
    struct dut_boot boot;
    lab->steady = lab_get8(in) != 0;
    enum dut_reset reset = (enum dut_reset)lab_get8(in);
    lab_get_boot(in, &boot);
    forget(lab);
    enum dut_run how = dut_own_device()->run(lab->body->ram, &lab->port, reset, &boot);
    done(lab, (int32_t)how);
}

static void do_verify(struct lab_board *lab, struct lab_reader *in)
{
    const struct boot_crypto *crypto = lab->body->crypto;
    uint8_t key[BOOT_PUBLIC_KEY_BYTES], hash[BOOT_SHA256_BYTES];
    lab_get_bytes(in, key, sizeof key);
    lab_get_bytes(in, hash, sizeof hash);
    uint32_t len = in->left;
    const uint8_t *sig = lab_get(in, len);
    int result = in->bad ? -2 : crypto->ecdsa_verify(crypto->ctx, key, hash, sig, len);
    done(lab, result);
}

static void do_hash(struct lab_board *lab, struct lab_reader *in)
{
    const struct boot_crypto *crypto = lab->body->crypto;
    uint8_t piece[256], out[BOOT_SHA256_BYTES];
    uint32_t len = lab_get32(in), step = lab_get16(in);
    step = step < 1 || step > sizeof piece ? sizeof piece : step;
    crypto->sha256_begin(crypto->ctx);
    for (uint32_t at = 0; at < len; at += step) {
        uint32_t n = len - at < step ? len - at : step;
        lab_board_take(lab, at, piece, n);
        crypto->sha256_update(crypto->ctx, piece, n);
    }
    crypto->sha256_final(crypto->ctx, out);
    done(lab, 0);
    lab_put(&lab->out, out, sizeof out);
}

static void obey(struct lab_board *lab, const struct lab_frame *frame)
{
    struct lab_reader in = lab_read_of(frame);
    if (dut_own_device()->ram_bytes > lab->body->ram_max)
        lab_board_alarm(lab, "the device has no room in RAM", dut_own_device()->ram_bytes);
    bool lives =
        frame->kind == LAB_DO_FACTORY || frame->kind == LAB_DO_BOOT || frame->kind == LAB_DO_RUN;
    if (lives && !lab->port.unit)
        lab_board_alarm(lab, "an order before its unit", frame->kind);
    switch (frame->kind) {
    case LAB_DO_UNIT:
        do_unit(lab, &in);
        break;
    case LAB_DO_FACTORY:
        do_factory(lab, &in);
        break;
    case LAB_DO_BOOT:
        do_boot(lab, &in);
        break;
    case LAB_DO_RUN:
        do_run(lab, &in);
        break;
    case LAB_DO_VERIFY:
        do_verify(lab, &in);
        break;
    case LAB_DO_HASH:
        do_hash(lab, &in);
        break;
    default:
        lab_board_alarm(lab, "an order that is none", frame->kind);
    }
}

void lab_board_run(struct lab_board *lab, const struct lab_body *body)
{
    memset(lab, 0, sizeof *lab);
    lab->body = body;
    lab_input_start(&lab->input);
    lab_begin(&lab->out, LAB_HELLO);
    lab_put16(&lab->out, LAB_VERSION);
    lab_put8(&lab->out, body->cold);
    lab_put32(&lab->out, dut_own_device()->ram_bytes);
    for (;;) {
        struct lab_frame frame = lab_board_turn(lab);
        obey(lab, &frame);
    }
}

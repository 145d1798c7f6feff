/* Frames to and from the board, its power and its reset. */
#include "lab.h"
#include <stdio.h>
#include <string.h>

/* A board asks at least once in the time of the longest thing that it does by itself: a hash of a
 * whole slot, or a sector's erase. */
enum { SILENCE_MS = 30000, HELLO_MS = 20000 };

enum lab_turn lab_send(struct rig_lab *lab)
{
    const struct rig_lab_machine *machine = lab->machine;
    uint32_t len = lab_end(&lab->out);
    if (!len)
        return LAB_UNSENT;
    return machine->write(machine->ctx, lab->out.bytes, len) ? LAB_ENDED : LAB_CAME;
}

static enum lab_turn next(struct rig_lab *lab, struct lab_frame *out, int timeout_ms)
{
    const struct rig_lab_machine *machine = lab->machine;
    for (;;) {
        if (lab->received_at == lab->received_len) {
            int got = machine->read(machine->ctx, lab->received, sizeof lab->received, timeout_ms);
            if (got <= 0)
                return got ? LAB_ENDED : LAB_SILENT;
            lab->received_at = 0;
            lab->received_len = got;
        }
        int whole = lab_input_byte(&lab->input, lab->received[lab->received_at++], out);
        if (whole)
            return whole > 0 ? LAB_CAME : LAB_GARBAGE;
    }
}

enum lab_turn lab_next(struct rig_lab *lab, struct lab_frame *out)
{
    return next(lab, out, SILENCE_MS);
}

void lab_describe(const struct rig_lab *lab, enum lab_turn turn, char *out, size_t len)
{
    static const char *const words[] = {
        [LAB_CAME] = "the board said something that does not belong here",
        [LAB_SILENT] = "the board is silent",
        [LAB_ENDED] = "the board's process ended",
        [LAB_GARBAGE] = "the board's line carries no frames",
        [LAB_UNSENT] = "the board was to be told what fits no frame",
    };
    const char *last = lab->machine->last_words(lab->machine->ctx);
    snprintf(out, len, "%s%s%.60s", words[turn], *last ? "; its console: " : "", last);
}

static void forget_line(struct rig_lab *lab)
{
    lab_input_start(&lab->input);
    lab->received_at = lab->received_len = 0;
    lab->buffered = lab->given = 0;
    lab->touching = (struct lab_range){0, 0};
}

/* HELLO is the first that a board says after a reset. */
static int expect_hello(struct rig_lab *lab, char *what, size_t len)
{
    struct lab_frame frame;
    enum lab_turn turn = next(lab, &frame, HELLO_MS);
    if (turn != LAB_CAME || frame.kind != LAB_HELLO) {
        lab_describe(lab, turn, what, len);
        return -1;
    }
    struct lab_reader in = lab_read_of(&frame);
    uint16_t version = lab_get16(&in);
    (void)lab_get8(&in);
    (void)lab_get32(&in);
    if (!lab_read_all(&in) || version != LAB_VERSION) {
        snprintf(what, len, "the board's program is of another version of the lab: build it anew");
        return -1;
    }
    lab->at_rest = true;
    return 0;
}

int lab_power_on(struct rig_lab *lab, char *what, size_t len)
{
    const struct rig_lab_machine *machine = lab->machine;
    forget_line(lab);
    if (machine->power_on(machine->ctx, what, len))
        return -1;
    lab->on = true;
    lab->counts.power_ons++;
    return expect_hello(lab, what, len);
}

int lab_reset(struct rig_lab *lab, char *what, size_t len)
{
    forget_line(lab);
    lab_begin(&lab->out, LAB_RESET);
    enum lab_turn turn = lab_send(lab);
    lab->counts.resets++;
    if (turn == LAB_CAME)
        return expect_hello(lab, what, len);
    lab_describe(lab, turn, what, len);
    return -1;
}

void lab_power_off(struct rig_lab *lab)
{
    lab->machine->power_off(lab->machine->ctx);
    lab->on = lab->at_rest = false;
}

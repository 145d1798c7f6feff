/* Inside of the lab's host side. */
#ifndef LAB_HOST_H
#define LAB_HOST_H

#include "frame.h"
#include "rig/lab.h"
#include "wire.h"

enum { LAB_WHAT = 128 };

/* A part of the flash: of the call that the board asked for and has not heard the end of. */
struct lab_range {
    uint32_t addr, len;
};

struct rig_lab {
    const struct rig_lab_machine *machine;
    struct sim_stand stand;
    const struct sim_stand_session *session; /* NULL: none; crypto alone */
    const struct dut_port *port;
    struct rig_lab_counts counts;
    bool on;
    bool found;   /* something that differs, in the history that runs */
    bool at_rest; /* it waits for an order; else for an answer */
    struct lab_range touching;
    bool was_cut; /* the last session, in a flash operation */

    struct lab_input input;
    struct lab_writer out;
    uint8_t received[4096];
    int received_at, received_len;

    uint8_t *buffer; /* what the board may take; flash_bytes */
    uint32_t buffered;
    uint8_t *basket; /* what it has given; flash_bytes */
    uint32_t given;
    uint8_t *was; /* scratch, flash_bytes */
};

/* How a turn with the board ends. */
enum lab_turn { LAB_CAME, LAB_SILENT, LAB_ENDED, LAB_GARBAGE, LAB_UNSENT };

/* talk.c */
enum lab_turn lab_send(struct rig_lab *lab); /* what was written */
enum lab_turn lab_next(struct rig_lab *lab, struct lab_frame *out);
/* In words, with what the console said last. */
void lab_describe(const struct rig_lab *lab, enum lab_turn turn, char *out, size_t len);
/* From wherever it is to a board that waits for an order: reset by word, or switched on with what
 * its flash file holds. 0, or -1 with the reason. */
int lab_power_on(struct rig_lab *lab, char *what, size_t len);
int lab_reset(struct rig_lab *lab, char *what, size_t len);
void lab_power_off(struct rig_lab *lab);

/* serve.c: sends the order that was written, and answers what the board asks until it is done: the
 * payload behind DONE's result. Findings leave by the session. */
struct lab_reader lab_order(struct rig_lab *lab, int32_t *result);

/* flash.c */
/* Both as they would be read with every unstable bit as 1, which is what the board's file holds. */
void lab_flash_load(struct rig_lab *lab, const struct sim_flash *flash);
/* At once, but for a range. */
bool lab_flash_holds(const struct rig_lab *lab, const struct sim_flash *flash,
                     struct lab_range without);
/* Waits for the file, which the emulation writes late. False: what differs in words. */
bool lab_flash_equal(struct rig_lab *lab, const struct sim_flash *flash, struct lab_range without,
                     char *what, size_t len);

#endif

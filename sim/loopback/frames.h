/*
 * What the parent of a loopback world and its worker processes tell each other, over a stream
 * socket. Numbers are little-endian, times in microseconds, text without a closing 0.
 *
 *    0   4  bytes of the body, at most LB_BODY_MAX
 *    4   1  kind
 *    5   .. body
 *
 * The bodies; `..` is the rest of it, text or a payload:
 *
 *   parent to worker
 *    1 open      0  4 the device whose story is wanted, LB_NOBODY: none
 *    2 clock     0  8 the monotonic clock, 8  8 the world's at that moment; the first one starts it
 *    3 letter    0  4 device, 4 .. payload that the service is about to send to it
 *    4 spoilt    0  4 device: what was held back is sent now
 *    5 rest      nothing runs any more; all is told, and then `rested`
 *    6 inspect   0  4 device, 4  1 whole data partition too (1) or not
 *
 *   worker to parent
 *   16 ready     its devices are there, none runs yet
 *   17 failed    0 .. why it could not be made ready, or why it ends
 *   18 truth     0  4 device, 4  4 changes, 8  4 boots, 12 4 cuts, 16 4 crashes after a
 * confirmation, 20 4 most erases of a sector, 24 1 enum agent_state, 25 1 LB_POWERED | ..., 26 1
 * enum rep_brick, 27 8 away until, 35 8 lost, 43 8 changed, 51 8 programs, 59 8 erases, 67 ..
 * version 19 broken    0  4 device, 4  1 enum rep_promise, 5  8 how often, 13 .. what 20 how 0  4
 * device, 4  1 enum scn_how of its letter, 5  8 delay: the answer to `letter` 21 counts    0  4
 * devices that were there, 4  4 most connects at once, 8  8 connects made, 16 8 refused, 24 8 most
 * bytes of memory, 32 8 of them grown since `open`, 40 8 bytes hashed, 48 8 signatures verified 22
 * cuts      0  1 state, 1  1 region, 2  1 form, 3  8 how many: a cell of the cut table 23 fault 0
 * 4 its place in the world's table, 4  4 armed, 8  4 fired 24 rested    0  4 frames of kind fault
 * that were told before it 25 inspected 0  4 device; its truth was told before 26 story     0 ..
 * text of the traced device
 *
 * Both ends are the same program, and neither believes the other: what is out of range is refused
 * by whoever reads it. Nothing is allocated here, nothing kept. Any thread.
 */
#ifndef SIM_LOOPBACK_FRAMES_H
#define SIM_LOOPBACK_FRAMES_H

#include <stdint.h>

enum lb_frame_kind {
    LB_OPEN = 1,
    LB_CLOCK,
    LB_LETTER,
    LB_SPOILT,
    LB_REST,
    LB_INSPECT,
    LB_READY = 16,
    LB_FAILED,
    LB_TRUTH,
    LB_BROKEN,
    LB_HOW,
    LB_COUNTS,
    LB_CUTS,
    LB_FAULT,
    LB_RESTED,
    LB_INSPECTED,
    LB_STORY,
    LB_FRAME_KINDS
};
enum { LB_BODY_MAX = 65536, LB_FRAME_HEAD = 5, LB_LETTER_MAX = LB_BODY_MAX - 4 };
enum { LB_POWERED = 1, LB_CONNECTED = 2, LB_SETTLED = 4, LB_FLAGS_ALL = 7 };
#define LB_NOBODY UINT32_MAX

/* One frame; what its kind does not have is 0. */
struct lb_frame {
    uint8_t kind, state, flags, brick, promise, how, region, form, whole;
    uint32_t device, number; /* number: gathered, fault's place, or faults told */
    uint32_t changes, boots, cuts, crashes, wear_max, held_max, armed, fired;
    int64_t wall_us, world_us, away_until_us, lost_us, changed_us, delay_us;
    uint64_t programs, erases, count, connects, refused, rss_max, rss_grown, hashed, verified;
    const uint8_t *bytes; /* the rest; borrowed */
    uint32_t len;
};

/* What it takes on the stream. */
uint32_t lb_frame_bytes(const struct lb_frame *frame);
/* Writes so many bytes. The kind is one of the above, the rest fits LB_BODY_MAX. */
void lb_frame_put(uint8_t *out, const struct lb_frame *frame);
/* 1: a frame, which took *used of the `have` bytes and borrows from them; 0: more bytes are wanted;
 * -1: this is no frame. */
int lb_frame_get(struct lb_frame *out, uint32_t *used, const uint8_t *bytes, uint32_t have);

#endif

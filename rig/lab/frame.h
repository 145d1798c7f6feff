/*
 * Frames of the lab's line, and the bytes in their payloads; README.md draws them. Both ends, board
 * and host, are built from this. Freestanding C: no heap, no I/O. Writers and readers are bounded;
 * the first thing that does not fit or is not there makes `bad` true, and it stays so.
 */
#ifndef LAB_FRAME_H
#define LAB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LAB_VERSION = 1,
    LAB_MARK = 0xB5,
    LAB_FILLER = 0, /* any number of them between frames */
    LAB_HEAD = 4,   /* mark, kind, length */
    LAB_TAIL = 4,   /* CRC-32 */
    LAB_PIECE = 1024,
    LAB_PAYLOAD_MAX = 1280,
    LAB_FRAME_MAX = LAB_HEAD + LAB_PAYLOAD_MAX + LAB_TAIL
};

enum lab_kind {
    /* Board to host. */
    LAB_HELLO = 0x01, /* after each reset of the board */
    LAB_DONE,         /* what was ordered is done */
    LAB_ALARM,        /* the board's own driver failed */
    LAB_TAKE = 0x10,  /* bytes of the host's buffer */
    LAB_GIVE,         /* bytes into the host's basket */
    LAB_READ,
    LAB_PROGRAM,
    LAB_ERASE,
    LAB_VERIFY,
    LAB_NOW,
    LAB_SLEEP,
    LAB_KICK,
    LAB_OFFER,
    LAB_FETCH,
    LAB_CHECK,
    LAB_REPORT,
    LAB_NOTE,
    LAB_READS, /* notes of reads, not answered: only where nothing reads unstably */
    /* Host to board. */
    LAB_ANSWER = 0x80,
    LAB_RESET, /* instead of an answer, or of an order */
    LAB_DO_UNIT,
    LAB_DO_FACTORY,
    LAB_DO_BOOT,
    LAB_DO_RUN,
    LAB_DO_VERIFY, /* crypto alone: one verification */
    LAB_DO_HASH,   /* crypto alone: the hash of the host's buffer */
};

/* What the board does about a flash operation that the host has carried out on its side. */
enum lab_act {
    LAB_ACT_DO,   /* it, by its driver */
    LAB_ACT_SKIP, /* nothing: the host's flash did not change (a sector that is stuck or worn) */
    LAB_ACT_SET,  /* these sectors come to hold what the host's buffer holds (a brown-out) */
};

struct lab_frame {
    uint8_t kind;
    const uint8_t *payload;
    uint32_t len;
};

/* Collects a frame from a stream. */
struct lab_input {
    uint8_t bytes[LAB_FRAME_MAX];
    uint32_t have;
};
void lab_input_start(struct lab_input *input);
/* Takes one byte. 1: a whole frame in out, which is valid until the next byte; 0: not yet; -1: what
 * came is no frame, and the stream is lost until it starts anew. */
int lab_input_byte(struct lab_input *input, uint8_t byte, struct lab_frame *out);

struct lab_writer {
    uint8_t bytes[LAB_FRAME_MAX];
    uint32_t len; /* written, head included */
    bool bad;
};
void lab_begin(struct lab_writer *out, uint8_t kind);
void lab_put8(struct lab_writer *out, uint32_t value);
void lab_put16(struct lab_writer *out, uint32_t value);
void lab_put32(struct lab_writer *out, uint32_t value);
void lab_put64(struct lab_writer *out, uint64_t value);
void lab_put(struct lab_writer *out, const void *bytes, uint32_t len);
void lab_put_text(struct lab_writer *out, const char *text); /* u8 length, bytes; at most 255 */
/* Length and CRC. The frame is bytes[0 .. the number returned); 0: something did not fit. */
uint32_t lab_end(struct lab_writer *out);

struct lab_reader {
    const uint8_t *at;
    uint32_t left;
    bool bad;
};
struct lab_reader lab_read_of(const struct lab_frame *frame);
uint8_t lab_get8(struct lab_reader *in);
uint16_t lab_get16(struct lab_reader *in);
uint32_t lab_get32(struct lab_reader *in);
uint64_t lab_get64(struct lab_reader *in);
const uint8_t *lab_get(struct lab_reader *in, uint32_t len); /* NULL when they are not there */
void lab_get_bytes(struct lab_reader *in, void *out, uint32_t len); /* zeroed then */
/* Closed by a NUL; bad when it does not fit, or holds a NUL. */
void lab_get_text(struct lab_reader *in, char *out, uint32_t max);
/* Everything was read, and was there. */
bool lab_read_all(const struct lab_reader *in);

#endif

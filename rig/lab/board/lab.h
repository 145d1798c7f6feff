/*
 * The lab's program on a board: dut_own_device() (the real bootloader core and agent core) run by
 * order of the host, every call of its port done by the board and told to the host, or asked of it.
 * ../README.md draws the line. Freestanding C but for memory and string functions; one thread.
 */
#ifndef LAB_BOARD_H
#define LAB_BOARD_H

#include "../frame.h"
#include "../wire.h"
#include "boot/crypto.h"
#include "boot/flash.h"

enum { LAB_SECTOR_MAX = 4096, LAB_MESSAGE_MAX = 4096 };

/* The board's hardware. Owned by the caller, constant while the lab runs. */
struct lab_body {
    void *ctx;
    const struct boot_flash *flash; /* its own, by its real driver */
    uint32_t sector_bytes, page_bytes;
    const struct boot_crypto *crypto; /* its own */
    void (*send)(void *ctx, const void *bytes, size_t len);
    /* Waits until at least one byte has come; their number. */
    size_t (*receive)(void *ctx, void *out, size_t max);
    void (*reset)(void *ctx); /* of the whole board; does not return */
    bool cold;                /* the power was off */
    void *ram;                /* for the device, aligned to 16 */
    uint32_t ram_max;         /* dut_own_device()->ram_bytes or more, else no order is obeyed */
    uint8_t *image;           /* room for what the factory installs */
    uint32_t image_max;
};

/* The rest is the lab's own, also between its files. */
struct lab_board {
    const struct lab_body *body;
    struct lab_input input;
    struct lab_writer out;
    struct lab_unit unit;
    struct lab_image image;
    struct dut_port port;
    bool steady;             /* no place reads unstably in this session */
    struct lab_writer notes; /* of reads, not sent yet */
    uint32_t noted;
    char message[LAB_MESSAGE_MAX];
    uint8_t sector[LAB_SECTOR_MAX];
    uint8_t was[LAB_SECTOR_MAX];
    uint8_t pending[64]; /* received, not looked at yet */
    size_t pending_at, pending_len;
};

/* Says HELLO and obeys. Does not return. */
void lab_board_run(struct lab_board *lab, const struct lab_body *body);

/* lab.c: sends what was written, and waits for what comes; an order to reset is obeyed. */
struct lab_frame lab_board_turn(struct lab_board *lab);
/* Notes of reads go before what else is sent. */
void lab_board_note_read(struct lab_board *lab, uint32_t addr, uint32_t len, uint32_t crc);
/* A request: the answer's payload. */
struct lab_reader lab_board_ask(struct lab_board *lab);
/* Tells the host, who ends the history. Does not return. */
void lab_board_alarm(struct lab_board *lab, const char *what, uint32_t addr);
/* Bytes of the host's buffer. */
void lab_board_take(struct lab_board *lab, uint32_t offset, void *out, uint32_t len);

/* port.c */
void lab_board_port(struct lab_board *lab);

#endif

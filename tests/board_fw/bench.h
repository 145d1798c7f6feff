/*
 * A board with the pump monitor on it, and this end of its OTA line: a gateway of the test's own,
 * which serves files from memory and is as honest or as rude as the test wants. One libev loop;
 * waiting is for something that must come, with a deadline. QEMU dies with the test.
 */
#ifndef BOARD_FW_BENCH_H
#define BOARD_FW_BENCH_H

#include "board/factory.h"
#include "boot/flash.h"
#include "link/channel_state.h"
#include "link/message.h"
#include "rig/board.h"
#include "sim/firmware.h"

enum {
    BENCH_SAID_MAX = 1 << 19,
    BENCH_HEARD_MAX = 1 << 18,
    BENCH_WAIT_S = 120,
    BENCH_ACKS_MAX = 8
};

struct bench_image {
    uint8_t *bytes;
    uint32_t len;
    uint8_t sig[BOOT_SIGNATURE_MAX];
    size_t sig_len;
    char version[BOOT_VERSION_MAX];
};

/* What the test's gateway does wrong. */
struct bench_rude {
    bool absent;         /* nobody is at the line */
    bool no_mqtt;        /* never says that MQTT is up */
    bool stale;          /* before each DATA one of another transfer, of other bytes */
    uint32_t noise;      /* of 65,536 bytes, this many are changed, either way */
    uint32_t piece;      /* DATA messages of so many bytes; 0: 4,096 */
    uint32_t begin_anew; /* before so many DATA messages the gateway begins anew, once; 0: never */
    uint32_t acks_late;  /* a publish is acknowledged when so many more have come */
};

struct gateway;

struct bench {
    struct ev_loop *loop;
    ev_timer tick, limit;
    struct rig_board *board;
    char folder[64], flash_path[96], rom[512];
    struct sim_fw_key key, other;
    struct board_factory factory;

    struct gateway *through; /* a real one, in place of the test's own; NULL: not */
    struct link_channel channel;
    struct bench_rude rude;
    bool greeted;
    uint32_t lives, chance;
    const struct bench_image *served; /* what a GET gets */
    bool calm;                        /* notifications are not forced */
    bool told_stale;                  /* for this offset */
    bool sending, headed;
    uint32_t transfer, offset, datas, gets;
    uint32_t unanswered[BENCH_ACKS_MAX], unanswered_count; /* tokens, the oldest first */

    char said[BENCH_SAID_MAX]; /* the console, line by line */
    size_t said_len, seen;
    char heard[BENCH_HEARD_MAX]; /* what was published, "status {...}\n", "telemetry {...}\n" */
    size_t heard_len, heard_seen;
    int watchdogs, resets;
    const char *wanted; /* what bench_says or bench_hears waits for */
    bool by_console, late;
};

/* Keys, the factory's block, a flash with 2.3.1 in slot A, confirmed. What a sound trial has to
 * keep is long (MQTT within 30 s, watchdog 40 s), so that a busy machine breaks none; a test that
 * waits for one of them writes it shorter. */
void bench_open(struct bench *bench);
void bench_close(struct bench *bench);

/* build/board/NAME.bin, signed by the key that the board trusts. */
void bench_image(struct bench *bench, struct bench_image *out, const char *name);
/* The same with more behind it, so that it has this length, header included. */
void bench_image_grow(struct bench *bench, struct bench_image *image, uint32_t len);
void bench_image_free(struct bench_image *image);

/* The flash file while the board is off; 1 MiB. free() it. */
uint8_t *bench_flash_read(const struct bench *bench);
void bench_flash_write(const struct bench *bench, const uint8_t *flash);
void bench_factory_write(struct bench *bench); /* bench->factory again, into the flash file */
/* Puts an image into a slot with its trailer; mark: a confirmed mark of this number, 0: none. */
void bench_slot(uint8_t *flash, int slot, const struct bench_image *image, uint32_t mark);
/* Writes the boot config: active A; next: the slot to boot. */
void bench_boot_config(uint8_t *flash, int next);

void bench_on(struct bench *bench);
void bench_off(struct bench *bench);
/* True once the console said text, or text was published, behind what was waited for before. */
bool bench_says(struct bench *bench, const char *text);
bool bench_hears(struct bench *bench, const char *text);
/* Something was published: "status" or "telemetry" and its JSON. */
void bench_heard(struct bench *bench, const char *what, const void *json, size_t len);
void bench_pass(struct bench *bench, double seconds);

/* gateway.c */
void bench_gateway_start(struct bench *bench); /* a new session */
void bench_gateway_input(struct bench *bench, const void *bytes, size_t len);
void bench_gateway_work(struct bench *bench);
bool bench_gateway_send(struct bench *bench, const struct link_message *message);
/* malloc'ed: the notification's JSON. */
char *bench_notification(const struct bench *bench, const struct bench_image *image,
                         const char *url);
/* By the test's own gateway: the notification of an image, which it serves; a command. */
void bench_notify(struct bench *bench, const struct bench_image *image);
void bench_command(struct bench *bench, const char *json);

double bench_seconds(void);                    /* monotonic */
double bench_cpu_s(const struct bench *bench); /* of QEMU */

#endif

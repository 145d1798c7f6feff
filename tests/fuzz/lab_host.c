/*
 * Whatever a board says to the lab: the bytes, cut into frames with a right checksum (first byte
 * even) or raw, answer its orders of a session. Nothing but a finding or a failure may come of it.
 */
#include "lab.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES = 65536, SECTOR = 4096, PAGE = 256, HEAD = 3, TURNS = 400 };

static const uint8_t *from;
static size_t left;
static bool framed;
static uint32_t turns;
static jmp_buf end;

static _Noreturn void finish(void *sweep, const char *what)
{
    (void)sweep;
    if (!*what)
        abort();
    longjmp(end, 1);
}

static _Noreturn void lost(void *ctx)
{
    (void)ctx;
    longjmp(end, 1);
}

/* Kind, length, payload; or all that there is. */
static int line_read(void *ctx, void *out, size_t max, int timeout_ms)
{
    static struct lab_writer frame;
    (void)ctx, (void)timeout_ms;
    if (left < HEAD || turns++ > TURNS)
        return -1;
    size_t len = (size_t)(from[1] | from[2] << 8) % LAB_PAYLOAD_MAX;
    len = len < left - HEAD ? len : left - HEAD;
    if (framed) {
        lab_begin(&frame, from[0]);
        lab_put(&frame, from + HEAD, (uint32_t)len);
        len += HEAD;
    } else {
        len = left < max ? left : max;
        memcpy(out, from, len);
    }
    from += len;
    left -= len;
    if (!framed)
        return (int)len;
    uint32_t bytes = lab_end(&frame);
    memcpy(out, frame.bytes, bytes);
    return (int)bytes;
}

/* What the lab says is a frame. */
static int line_write(void *ctx, const void *bytes, size_t len)
{
    static struct lab_input input;
    struct lab_frame frame;
    int got = 0;
    (void)ctx;
    lab_input_start(&input);
    for (size_t i = 0; i < len && !got; i++)
        got = lab_input_byte(&input, ((const uint8_t *)bytes)[i], &frame);
    if (got != 1)
        abort();
    return 0;
}

static int power_on(void *ctx, char *message, size_t len)
{
    (void)ctx, (void)message, (void)len;
    return 0;
}

static void power_off(void *ctx)
{
    (void)ctx;
}

static const char *last_words(void *ctx)
{
    (void)ctx;
    return "";
}

static int64_t now_ms(void *ctx)
{
    (void)ctx;
    return 7;
}

static void sleep_until(void *ctx, int64_t until_ms)
{
    (void)ctx, (void)until_ms;
}

static void kick(void *ctx, uint32_t seconds)
{
    (void)ctx, (void)seconds;
}

static bool offer(void *ctx, struct dut_offer *out)
{
    (void)ctx;
    out->message = "{}";
    out->message_len = 2;
    return true;
}

static int32_t fetch(void *ctx, uint32_t offset, void *out, uint32_t len)
{
    (void)ctx;
    memset(out, (int)offset & 0xFF, len);
    return (int32_t)len;
}

static bool check(void *ctx, enum dut_check what)
{
    (void)ctx;
    return what >= DUT_CHECKS ? (abort(), false) : true;
}

static void report(void *ctx, const struct dut_report *said)
{
    (void)ctx;
    if (said->status >= DUT_STATUSES || strlen(said->firmware_id) >= LAB_TEXT_MAX ||
        strlen(said->text) >= LAB_TEXT_MAX)
        abort();
}

static void note(void *ctx, const char *text)
{
    (void)ctx;
    if (strlen(text) > 255)
        abort();
}

static int verify(void *ctx, const uint8_t key[65], const uint8_t hash[32], const uint8_t *sig,
                  size_t len)
{
    (void)ctx, (void)len;
    return key[0] ^ hash[0] ^ (len ? sig[len - 1] : 0);
}

static void violation(void *ctx, enum sim_flash_violation kind, uint32_t addr)
{
    (void)kind, (void)addr;
    lost(ctx);
}

static void session(struct rig_lab *lab, struct sim_flash *flash)
{
    const struct dut_unit unit = {
        .layout = {.flash_bytes = BYTES}, .device_type = "", .hw_revision = ""};
    const struct dut_port port = {.ctx = flash,
                                  .unit = &unit,
                                  .read = flash->port.read,
                                  .program = flash->port.program,
                                  .erase = flash->port.erase,
                                  .ecdsa_verify = verify,
                                  .now_ms = now_ms,
                                  .sleep_until = sleep_until,
                                  .kick = kick,
                                  .offer = offer,
                                  .fetch = fetch,
                                  .check = check,
                                  .report = report,
                                  .note = note};
    const struct sim_stand *stand = rig_lab_stand(lab);
    const struct sim_stand_session told = {
        .number = 1, .flash = flash, .differs = finish, .fails = finish};
    struct dut_boot boot = {0};
    char what[LAB_WHAT];
    stand->begin(stand->ctx, &told);
    if (setjmp(end) == 0) {
        stand->boot(stand->ctx, &port, DUT_RESET_POWER_ON, &boot);
        stand->end(stand->ctx, false, what, sizeof what);
        stand->begin(stand->ctx, &told);
        stand->run(stand->ctx, &port, DUT_RESET_POWER_ON, &boot);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t nor[BYTES];
    static const struct sim_flash_timing timing = {700, 45000, 330};
    const struct rig_lab_machine machine = {.flash = nor,
                                            .flash_bytes = BYTES,
                                            .sector_bytes = SECTOR,
                                            .page_bytes = PAGE,
                                            .power_on = power_on,
                                            .power_off = power_off,
                                            .read = line_read,
                                            .write = line_write,
                                            .last_words = last_words};
    struct sim_flash_base base;
    struct sim_flash flash;
    struct rig_lab *lab;
    int64_t now_us = 0;
    if (size < 1 || sim_flash_base_init(&base, BYTES, SECTOR, PAGE))
        return 0;
    from = data + 1;
    left = size - 1;
    framed = data[0] % 2 == 0;
    turns = 0;
    if (sim_flash_init(&flash, &base, NULL, &timing, &now_us, 1, 0) ||
        rig_lab_create(&lab, &machine))
        abort();
    flash.hooks.violation = violation;
    flash.hooks.power_lost = lost;
    session(lab, &flash);
    rig_lab_free(lab);
    sim_flash_free(&flash);
    sim_flash_base_free(&base);
    return 0;
}

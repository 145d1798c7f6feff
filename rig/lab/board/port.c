/*
 * The port of the device on the board. Flash and crypto are the board's own; the host carries each
 * operation out on its side first, because the power may go there, and says what came of it. Time,
 * the service and the firmware's behaviour are the host's.
 */
#include "boot/image.h"
#include "lab.h"
#include <string.h>

/* --- flash --- */

/* What was read goes to the host as a checksum: as a note, unless something in this session's flash
 * reads unstably. Then the host says as what. */
static int port_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct lab_board *lab = ctx;
    const struct boot_flash *flash = lab->body->flash;
    int own = flash->read(flash->ctx, addr, out, len);
    if (!own && lab->steady) {
        lab_board_note_read(lab, addr, len, boot_crc32(0, out, len));
        return 0;
    }
    lab_begin(&lab->out, LAB_READ);
    lab_put32(&lab->out, addr);
    lab_put32(&lab->out, len);
    lab_put8(&lab->out, own == 0);
    lab_put32(&lab->out, own ? 0 : boot_crc32(0, out, len));
    struct lab_reader in = lab_board_ask(lab);
    int32_t result = (int32_t)lab_get32(&in);
    if (lab_get32(&in) == len && !in.bad)
        lab_board_take(lab, 0, out, len);
    return result;
}

static bool only_clears(const uint8_t *was, const uint8_t *wanted, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if ((was[i] & wanted[i]) != wanted[i])
            return false;
    return true;
}

/* A sector comes to hold what lab->sector holds. */
static int set_sector(struct lab_board *lab, uint32_t addr)
{
    const struct lab_body *body = lab->body;
    const struct boot_flash *flash = body->flash;
    int error = flash->read(flash->ctx, addr, lab->was, body->sector_bytes);
    if (!error && !only_clears(lab->was, lab->sector, body->sector_bytes)) {
        error = flash->erase(flash->ctx, addr);
        memset(lab->was, 0xFF, sizeof lab->was);
    }
    for (uint32_t at = 0; at < body->sector_bytes && !error; at += body->page_bytes)
        if (memcmp(lab->was + at, lab->sector + at, body->page_bytes) != 0)
            error = flash->program(flash->ctx, addr + at, lab->sector + at, body->page_bytes);
    return error;
}

static int set_sectors(struct lab_board *lab, uint32_t addr, uint32_t len)
{
    uint32_t size = lab->body->sector_bytes;
    int error = 0;
    for (uint32_t at = 0; at < len && !error; at += size) {
        lab_board_take(lab, at, lab->sector, size);
        error = set_sector(lab, addr + at);
    }
    return error;
}

/* The request was written: what the host answers, done here too. data NULL: an erase. */
static int operate(struct lab_board *lab, uint32_t addr, const void *data, uint32_t len)
{
    const struct boot_flash *flash = lab->body->flash;
    struct lab_reader in = lab_board_ask(lab);
    int32_t result = (int32_t)lab_get32(&in);
    uint8_t act = lab_get8(&in);
    uint32_t at = lab_get32(&in), bytes = lab_get32(&in);
    int error = 0;
    if (act == LAB_ACT_DO)
        error = data ? flash->program(flash->ctx, addr, data, len) : flash->erase(flash->ctx, addr);
    else if (act == LAB_ACT_SET)
        error = set_sectors(lab, at, bytes);
    if (error)
        lab_board_alarm(lab, data ? "the driver refuses a program" : "the driver refuses an erase",
                        addr);
    return result;
}

/* What is FF at the end of a page need not be said, and the line is slow. */
static uint32_t without_blank_end(const uint8_t *data, uint32_t len)
{
    while (len && data[len - 1] == 0xFF)
        len--;
    return len;
}

static int port_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct lab_board *lab = ctx;
    const uint8_t *from = data;
    uint32_t given = 0;
    for (; len - given > LAB_PIECE; given += LAB_PIECE) {
        lab_begin(&lab->out, LAB_GIVE);
        lab_put(&lab->out, from + given, LAB_PIECE);
        (void)lab_board_ask(lab);
    }
    lab_begin(&lab->out, LAB_PROGRAM);
    lab_put32(&lab->out, addr);
    lab_put32(&lab->out, len);
    lab_put(&lab->out, from + given, without_blank_end(from + given, len - given));
    return operate(lab, addr, data, len);
}

static int port_erase(void *ctx, uint32_t addr)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_ERASE);
    lab_put32(&lab->out, addr);
    return operate(lab, addr, NULL, 0);
}

/* --- crypto --- */

static void port_sha_begin(void *ctx)
{
    const struct boot_crypto *crypto = ((struct lab_board *)ctx)->body->crypto;
    crypto->sha256_begin(crypto->ctx);
}

static void port_sha_update(void *ctx, const void *data, size_t len)
{
    const struct boot_crypto *crypto = ((struct lab_board *)ctx)->body->crypto;
    crypto->sha256_update(crypto->ctx, data, len);
}

static void port_sha_final(void *ctx, uint8_t out[BOOT_SHA256_BYTES])
{
    const struct boot_crypto *crypto = ((struct lab_board *)ctx)->body->crypto;
    crypto->sha256_final(crypto->ctx, out);
}

/* Told with its inputs: the host's own verification has to answer the same. */
static int port_ecdsa(void *ctx, const uint8_t key[BOOT_PUBLIC_KEY_BYTES],
                      const uint8_t hash[BOOT_SHA256_BYTES], const uint8_t *sig, size_t len)
{
    struct lab_board *lab = ctx;
    const struct boot_crypto *crypto = lab->body->crypto;
    int result = crypto->ecdsa_verify(crypto->ctx, key, hash, sig, len);
    lab_begin(&lab->out, LAB_VERIFY);
    lab_put8(&lab->out, result == 0);
    lab_put(&lab->out, key, BOOT_PUBLIC_KEY_BYTES);
    lab_put(&lab->out, hash, BOOT_SHA256_BYTES);
    lab_put(&lab->out, sig, (uint32_t)len);
    (void)lab_board_ask(lab);
    return result;
}

/* --- time --- */

static int64_t port_now(void *ctx)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_NOW);
    struct lab_reader in = lab_board_ask(lab);
    return (int64_t)lab_get64(&in);
}

static void port_sleep(void *ctx, int64_t until_ms)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_SLEEP);
    lab_put64(&lab->out, (uint64_t)until_ms);
    (void)lab_board_ask(lab);
}

static void port_kick(void *ctx, uint32_t seconds)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_KICK);
    lab_put32(&lab->out, seconds);
    (void)lab_board_ask(lab);
}

/* --- the service, and the firmware's behaviour --- */

static bool port_offer(void *ctx, struct dut_offer *out)
{
    struct lab_board *lab = ctx;
    memset(out, 0, sizeof *out);
    lab_begin(&lab->out, LAB_OFFER);
    struct lab_reader in = lab_board_ask(lab);
    if (!lab_get8(&in))
        return false;
    out->kind = lab_get8(&in) ? DUT_OFFER_ROLLBACK : DUT_OFFER_UPDATE;
    out->force = lab_get8(&in) != 0;
    uint32_t len = lab_get32(&in);
    lab_get_image(&in, &lab->image);
    if (!lab_read_all(&in) || len >= sizeof lab->message)
        lab_board_alarm(lab, "an offer that has no room", len);
    lab_board_take(lab, 0, lab->message, len);
    lab->message[len] = '\0';
    out->message = lab->message;
    out->message_len = len;
    out->image = lab->image.image;
    return true;
}

static int32_t port_fetch(void *ctx, uint32_t offset, void *out, uint32_t len)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_FETCH);
    lab_put32(&lab->out, offset);
    lab_put32(&lab->out, len);
    struct lab_reader in = lab_board_ask(lab);
    int32_t got = (int32_t)lab_get32(&in);
    if (got > 0)
        lab_board_take(lab, 0, out, (uint32_t)got < len ? (uint32_t)got : len);
    return got;
}

static bool port_check(void *ctx, enum dut_check check)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_CHECK);
    lab_put8(&lab->out, (uint32_t)check);
    struct lab_reader in = lab_board_ask(lab);
    return lab_get8(&in) != 0;
}

static void port_report(void *ctx, const struct dut_report *report)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_REPORT);
    lab_put_report(&lab->out, report);
    (void)lab_board_ask(lab);
}

static void port_note(void *ctx, const char *text)
{
    struct lab_board *lab = ctx;
    lab_begin(&lab->out, LAB_NOTE);
    lab_put_text(&lab->out, text);
    (void)lab_board_ask(lab);
}

void lab_board_port(struct lab_board *lab)
{
    lab->port = (struct dut_port){.ctx = lab,
                                  .unit = &lab->unit.unit,
                                  .read = port_read,
                                  .program = port_program,
                                  .erase = port_erase,
                                  .sha256_begin = port_sha_begin,
                                  .sha256_update = port_sha_update,
                                  .sha256_final = port_sha_final,
                                  .ecdsa_verify = port_ecdsa,
                                  .now_ms = port_now,
                                  .sleep_until = port_sleep,
                                  .kick = port_kick,
                                  .offer = port_offer,
                                  .fetch = port_fetch,
                                  .check = port_check,
                                  .report = port_report,
                                  .note = port_note};
}

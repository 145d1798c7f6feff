/* What the factory leaves, through the real format code (sim/fleet/world.c does the same). */
#include "own.h"
#include <string.h>

/* So near to the end that one update takes each of these numbers past it. */
#define WRAPPING 0xFFFFFFFEu

static int program_padded(const struct own_env *env, uint32_t addr, const void *bytes, uint32_t len)
{
    uint8_t page[4096];
    uint32_t padded = (len + env->layout.page_bytes - 1) & ~(env->layout.page_bytes - 1);
    if (padded > sizeof page)
        return BOOT_ERANGE;
    memset(page, 0xff, padded);
    memcpy(page, bytes, len);
    return env->flash.program(env->flash.ctx, addr, page, padded);
}

static int write_image(const struct own_env *env, const struct dut_image *image)
{
    uint32_t addr = env->layout.slot_addr[BOOT_SLOT_A];
    uint32_t tail = image->len % env->layout.page_bytes, whole = image->len - tail;
    int error = whole ? env->flash.program(env->flash.ctx, addr, image->bytes, whole) : 0;
    return error || !tail ? error : program_padded(env, addr + whole, image->bytes + whole, tail);
}

static int write_trailer(const struct own_env *env, const struct dut_image *image)
{
    struct boot_trailer trailer = {.image_bytes = image->len,
                                   .signature_bytes = (uint16_t)image->signature_len};
    if (image->signature_len > sizeof trailer.signature ||
        strlen(image->cert_id) >= sizeof trailer.cert_id)
        return BOOT_ERANGE;
    memcpy(trailer.cert_id, image->cert_id, strlen(image->cert_id));
    memcpy(trailer.signature, image->signature, image->signature_len);
    int error = boot_trailer_write(&env->flash, &env->layout, BOOT_SLOT_A, &trailer);
    return error ? error : boot_trailer_mark(&env->flash, &env->layout, BOOT_SLOT_A, 1);
}

/* bootloader/FORMAT.md: body, then two marks, as a write that ran to its end leaves them. */
static int write_config_wrapping(const struct own_env *env, struct boot_config *config)
{
    uint8_t body[BOOT_CONFIG_BODY_BYTES], mark[BOOT_CONFIG_MARK_BYTES] = "BYD1";
    uint32_t page = env->layout.page_bytes, addr = env->layout.config_addr;
    uint32_t marks = addr + ((uint32_t)sizeof body + page - 1) / page * page;
    config->sequence = WRAPPING;
    int error = boot_config_encode(body, config);
    own_put_u32(mark + 4, config->sequence);
    memcpy(mark + 8, body + sizeof body - 4, 4);
    own_put_u32(mark + 12, boot_crc32(0, mark, 12));
    if (!error)
        error = program_padded(env, addr, body, sizeof body);
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = program_padded(env, marks + i * page, mark, sizeof mark);
    return error;
}

/* agent/FORMAT.md: a snapshot of nothing but the next seq (item 7), and the header of bank 0. */
static int write_journal_wrapping(const struct own_env *env)
{
    uint8_t head[16] = "BYJ1",
            record[] = {'J', 'R', 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    uint32_t addr = env->layout.data_addr;
    own_put_u32(record + 4, WRAPPING);
    own_put_u32(record + sizeof record - 4, boot_crc32(0, record, sizeof record - 4));
    own_put_u32(head + 4, WRAPPING);
    own_put_u32(head + 12, boot_crc32(0, head, 12));
    int error = program_padded(env, addr + env->layout.page_bytes, record, sizeof record);
    return error ? error : program_padded(env, addr, head, sizeof head);
}

int own_factory(const struct own_env *env, const struct dut_port *port,
                const struct dut_image *image)
{
    struct boot_config config = {.rollback_on_fail = 1, .security_counter = 1};
    int error = write_image(env, image);
    if (!error)
        error = write_trailer(env, image);
    if (error)
        return error;
    if (port->unit->variant != OWN_WRAP)
        return boot_config_write(&env->flash, &env->layout, &config);
    error = write_config_wrapping(env, &config);
    return error ? error : write_journal_wrapping(env);
}

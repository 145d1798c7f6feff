#include "core.h"

/*
 * The image's way into the other slot, in blocks of a sector or of 4096 bytes, whichever is less. A
 * block that arrives whole is programmed from the caller's bytes; only what does not fill one is
 * copied. Each sector is erased right before its first program, so nothing older than this attempt
 * is believed.
 */

static uint32_t block_bytes(const struct agent *agent)
{
    uint32_t sector = agent->config->boot->layout->sector_bytes;
    return sector < sizeof agent->part ? sector : (uint32_t)sizeof agent->part;
}

static uint32_t image_bytes(const struct agent *agent)
{
    return agent->journal.update.manifest.binary_size_bytes;
}

bool agent_stage_complete(const struct agent *agent)
{
    return agent->received_bytes == image_bytes(agent);
}

void agent_stage_rewind(struct agent *agent)
{
    agent->received_bytes = agent->journal.durable_bytes;
    agent->buffered = 0;
}

/* Whole sectors only count: a resumed download erases the one that it begins with. */
static void note_progress(struct agent *agent, uint32_t before)
{
    uint32_t sector = agent->config->boot->layout->sector_bytes;
    uint32_t step = agent->config->progress_sectors * sector;
    uint32_t whole = agent->received_bytes / sector * sector;
    if (whole == before / sector * sector || whole - agent->journal.durable_bytes < step)
        return;
    agent_journal_progress(&agent->journal, whole);
    agent_journal_commit(&agent->journal);
    agent_journal_hold(&agent->journal);
}

/* data holds len image bytes, of which the program may take up to a page more (padding). */
static int program(struct agent *agent, const uint8_t *data, uint32_t len, uint32_t padded)
{
    const struct boot_env *env = agent->config->boot;
    uint32_t before = agent->received_bytes;
    uint32_t addr = env->layout->slot_addr[agent_other_slot(agent)] + before;
    if (before % env->layout->sector_bytes == 0 && env->flash->erase(env->flash->ctx, addr))
        return AGENT_EFLASH;
    if (env->flash->program(env->flash->ctx, addr, data, padded))
        return AGENT_EFLASH;
    agent->received_bytes += len;
    if (!agent_stage_complete(agent))
        note_progress(agent, before);
    return AGENT_OK;
}

static int program_part(struct agent *agent)
{
    uint32_t page = agent->config->boot->layout->page_bytes, len = agent->buffered;
    uint32_t padded = (len + page - 1) / page * page;
    memset(agent->part + len, 0xff, padded - len);
    agent->buffered = 0;
    return program(agent, agent->part, len, padded);
}

static int take(struct agent *agent, const uint8_t *bytes, uint32_t len, uint32_t *taken)
{
    uint32_t block = block_bytes(agent);
    if (!agent->buffered && len >= block) {
        *taken = block;
        return program(agent, bytes, block, block);
    }
    *taken = len < block - agent->buffered ? len : block - agent->buffered;
    memcpy(agent->part + agent->buffered, bytes, *taken);
    agent->buffered += *taken;
    bool last = agent->received_bytes + agent->buffered == image_bytes(agent);
    return agent->buffered == block || last ? program_part(agent) : AGENT_OK;
}

/* Bytes behind the manifest's size are never written, however many come. */
int agent_stage_write(struct agent *agent, const uint8_t *bytes, uint32_t len)
{
    uint32_t left = image_bytes(agent) - agent->received_bytes - agent->buffered;
    uint32_t taken;
    for (len = len < left ? len : left; len; len -= taken, bytes += taken)
        if (take(agent, bytes, len, &taken))
            return AGENT_EFLASH;
    return AGENT_OK;
}

/* A download that failed to verify is erased: the trailer first, then every sector that was
 * written. */
int agent_stage_erase(struct agent *agent)
{
    const struct boot_env *env = agent->config->boot;
    int slot = agent_other_slot(agent), result = AGENT_OK;
    uint32_t from = env->layout->slot_addr[slot];
    if (env->flash->erase(env->flash->ctx, boot_layout_trailer(env->layout, slot)))
        result = AGENT_EFLASH;
    for (uint32_t at = 0; at < image_bytes(agent); at += env->layout->sector_bytes)
        if (env->flash->erase(env->flash->ctx, from + at))
            result = AGENT_EFLASH;
    return result;
}

#include "core.h"

/* The download: waiting for the window, one HTTP transfer at a time, and retries with backoff. */

static const uint16_t http_ok = 200, http_partial = 206;

/* Before its time by an operator's order, or outside its window; the state's deadline says until
 * when. */
static bool must_wait(struct agent *agent)
{
    const struct agent_config *config = agent->config;
    int64_t next_ms = AGENT_NEVER;
    agent->deadline_ms = agent->journal.update.deadline_ms;
    if (agent->journal.not_before_ms > agent->now_ms)
        next_ms = agent->journal.not_before_ms;
    else if (agent->journal.update.force ||
             agent_window_open(&config->window, &config->zone, agent->now_ms, &next_ms))
        return false;
    if (next_ms < agent->deadline_ms)
        agent->deadline_ms = next_ms;
    return true;
}

bool agent_step_scheduled(struct agent *agent)
{
    if (agent_expired(agent)) {
        agent_abandon(agent, AGENT_WHY_DEADLINE);
        return true;
    }
    if (must_wait(agent) || !agent->mqtt_up)
        return false;
    agent_enter(agent, AGENT_DOWNLOADING);
    agent_tell(agent, AGENT_ST_DOWNLOADING, AGENT_WHY_NONE);
    agent_record(agent, AGENT_WHY_NONE);
    return true;
}

void agent_download_cancel(struct agent *agent)
{
    if (agent->http_open)
        agent_act(agent, &(struct agent_action){.kind = AGENT_ACT_HTTP_CANCEL});
    agent->http_open = false;
    agent->buffered = 0;
}

/*
 * The journal is settled before the first erase of a session: a torn record that reads as nothing
 * now, and as "all is durable" at the next boot, must not speak for a sector that is erased here.
 * The other slot's trailer goes before anything is written over its image. With durable bytes that
 * was done in the session which wrote them.
 */
static bool open_stage(struct agent *agent)
{
    int error = agent_journal_settle(&agent->journal);
    agent_journal_hold(&agent->journal);
    if (error)
        return false;
    if (agent->stage_open || agent->journal.durable_bytes)
        return true;
    agent->stage_open = !boot_stage_begin(agent->config->boot, agent->boot.slot);
    return agent->stage_open;
}

bool agent_step_downloading(struct agent *agent)
{
    if (agent->http_open || !agent->online)
        return false;
    if (!open_stage(agent)) {
        agent_download_failed(agent, AGENT_WHY_FLASH);
        return true;
    }
    agent_stage_rewind(agent);
    agent->http_open = true;
    agent->http_head = false;
    agent_act(agent, &(struct agent_action){.kind = AGENT_ACT_HTTP_GET,
                                            .offset = agent->received_bytes,
                                            .url = agent->journal.update.manifest.binary_url});
    return false;
}

/* The step doubles with each failure up to retry_max_ms; jitter takes off up to half of it. */
int64_t agent_backoff(struct agent *agent, uint32_t attempts)
{
    const struct agent_config *config = agent->config;
    uint64_t step = config->retry_first_ms;
    for (uint32_t i = 1; i < attempts && step < config->retry_max_ms; i++)
        step *= 2;
    if (step > config->retry_max_ms)
        step = config->retry_max_ms;
    uint64_t half = step / 2;
    return (int64_t)(step - half + config->random(config->ctx) % (half + 1));
}

/*
 * What this transfer brought is kept: its whole sectors go into the same record as the failure.
 * After a flash failure nothing is added, as the sector itself may be at fault.
 */
void agent_download_failed(struct agent *agent, enum agent_reason why)
{
    const struct agent_config *config = agent->config;
    struct agent_journal *journal = &agent->journal;
    uint32_t sector = config->boot->layout->sector_bytes;
    agent_download_cancel(agent);
    agent_enter(agent, AGENT_DOWNLOAD_FAILED);
    if (why != AGENT_WHY_FLASH && agent->received_bytes / sector * sector > journal->durable_bytes)
        agent_journal_progress(journal, agent->received_bytes / sector * sector);
    uint8_t attempts = journal->attempts < UINT8_MAX ? journal->attempts + 1 : UINT8_MAX;
    bool given_up = attempts >= config->retry_give_up;
    if (given_up || attempts == config->retry_alert)
        agent_tell(agent, AGENT_ST_DOWNLOAD_FAILED, why);
    agent_journal_step(journal, AGENT_DOWNLOAD_FAILED, (uint8_t)why, attempts);
    agent->deadline_ms = agent->now_ms + agent_backoff(agent, attempts);
    if (!given_up)
        return;
    agent_enter(agent, AGENT_IDLE);
    agent_record(agent, why);
}

bool agent_step_download_failed(struct agent *agent)
{
    if (agent_expired(agent)) {
        agent_abandon(agent, AGENT_WHY_DEADLINE);
        return true;
    }
    if (agent->now_ms < agent->deadline_ms)
        return false;
    agent_enter(agent, AGENT_DOWNLOADING);
    agent_record(agent, AGENT_WHY_NONE);
    return true;
}

/* A server may ignore the range and send the whole: what is there already is skipped. */
static void head(struct agent *agent, const struct agent_event *event)
{
    uint32_t size = agent->journal.update.manifest.binary_size_bytes;
    uint32_t from = event->http_status == http_partial ? event->offset : 0;
    bool usable = event->http_status == http_ok || event->http_status == http_partial;
    if (!usable || from > agent->received_bytes) {
        agent_download_failed(agent, AGENT_WHY_HTTP_STATUS);
    } else if (event->total_bytes && event->total_bytes != size) {
        agent_download_failed(agent, AGENT_WHY_SIZE);
    } else {
        agent->http_head = true;
        agent->skip_bytes = agent->received_bytes - from;
    }
}

static void data(struct agent *agent, const struct agent_event *event)
{
    const uint8_t *bytes = event->bytes;
    uint32_t len = event->len;
    if (!agent->http_head) {
        agent_download_failed(agent, AGENT_WHY_HTTP_STATUS);
        return;
    }
    uint32_t skip = agent->skip_bytes < len ? agent->skip_bytes : len;
    agent->skip_bytes -= skip;
    if (agent_stage_write(agent, bytes + skip, len - skip)) {
        agent_download_failed(agent, AGENT_WHY_FLASH);
        return;
    }
    if (agent_stage_complete(agent)) {
        agent_enter(agent, AGENT_VERIFYING);
        agent_journal_progress(&agent->journal, agent->received_bytes);
        agent_record(agent, AGENT_WHY_NONE);
        agent_journal_commit(&agent->journal);
        agent_journal_hold(&agent->journal);
    }
}

/*
 * A transfer ends by END or ERROR. One that goes on after the image is complete is an endless body
 * and is cancelled; events of a transfer that is not open are late and mean nothing.
 */
void agent_download_event(struct agent *agent, const struct agent_event *event)
{
    if (!agent->http_open)
        return;
    bool ended = event->kind == AGENT_EV_HTTP_END || event->kind == AGENT_EV_HTTP_ERROR;
    if (ended)
        agent->http_open = false;
    if (agent->state != AGENT_DOWNLOADING) {
        if (!ended && event->len)
            agent_download_cancel(agent);
    } else if (event->kind == AGENT_EV_HTTP_HEAD) {
        head(agent, event);
    } else if (event->kind == AGENT_EV_HTTP_DATA) {
        data(agent, event);
    } else {
        agent_download_failed(agent, event->kind == AGENT_EV_HTTP_END ? AGENT_WHY_SIZE
                                                                      : AGENT_WHY_NETWORK);
    }
}

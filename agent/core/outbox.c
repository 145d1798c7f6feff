#include "core.h"

/*
 * Statuses leave one at a time and in order, each again after a reconnection until the broker has
 * acknowledged it. The text is made when the action is handed out, from the record in the journal.
 */

void agent_tell_of(struct agent *agent, enum agent_status status, enum agent_reason why,
                   const char *campaign_id, const char *firmware_id)
{
    struct agent_status_record record;
    memset(&record, 0, sizeof record);
    record.at_ms = agent->now_ms;
    record.status = (uint8_t)status;
    record.reason = (uint8_t)why;
    record.slot = (int8_t)agent->boot.slot;
    agent_text_copy(record.version, BOOT_VERSION_MAX, agent->running_version);
    agent_text_copy(record.campaign_id, AGENT_ID_MAX, campaign_id);
    agent_text_copy(record.firmware_id, AGENT_ID_MAX, firmware_id);
    agent_journal_queue(&agent->journal, &record);
}

void agent_tell(struct agent *agent, enum agent_status status, enum agent_reason why)
{
    const struct agent_notification *update = &agent->journal.update;
    agent_tell_of(agent, status, why, update->campaign_id, update->manifest.firmware_id);
}

/*
 * Without a journal the seq of a status is a second of the clock. It is not told before that
 * second, so that whatever is told after the next boot is above it. A clock that was set back since
 * is not waited for.
 */
int64_t agent_outbox_at(const struct agent *agent)
{
    const struct agent_journal *journal = &agent->journal;
    if (!journal->broken || !agent->mqtt_up || agent->sending_seq || !journal->outbox_count)
        return AGENT_NEVER;
    int64_t at_ms = (int64_t)journal->outbox[0].seq * 1000;
    bool soon = at_ms - agent->now_ms <= (AGENT_OUTBOX_MAX + 1) * 1000;
    return at_ms > agent->now_ms && soon ? at_ms : AGENT_NEVER;
}

void agent_outbox_send(struct agent *agent)
{
    struct agent_journal *journal = &agent->journal;
    if (!agent->mqtt_up || agent->sending_seq || !journal->outbox_count)
        return;
    /* A status read from a torn record could be gone at the next boot, its seq then used again. */
    agent_journal_settle(journal);
    if (agent_outbox_at(agent) != AGENT_NEVER)
        return;
    agent->sending_seq = journal->outbox[0].seq;
    agent_act(agent,
              &(struct agent_action){.kind = AGENT_ACT_PUBLISH_STATUS, .id = agent->sending_seq});
}

void agent_outbox_published(struct agent *agent, uint32_t seq)
{
    if (!agent->sending_seq || seq != agent->sending_seq)
        return;
    agent->sending_seq = 0;
    agent_journal_acknowledge(&agent->journal, seq);
}

static void put_string(struct agent_text *text, const char *key, const char *value)
{
    agent_text_put(text, key);
    agent_text_escaped(text, value);
    agent_text_put(text, "\"");
}

uint32_t agent_status_json(char out[AGENT_PAYLOAD_MAX], const struct agent_status_record *record,
                           const char *device_id)
{
    struct agent_text text = {out, 0, AGENT_PAYLOAD_MAX};
    put_string(&text, "{\"device_id\":\"", device_id);
    put_string(&text, ",\"campaign_id\":\"", record->campaign_id);
    put_string(&text, ",\"firmware_id\":\"", record->firmware_id);
    agent_text_put(&text, ",\"seq\":");
    agent_text_number(&text, record->seq, 1);
    agent_text_put(&text, ",\"at\":\"");
    agent_text_time(&text, record->at_ms);
    put_string(&text, "\",\"status\":\"", agent_status_name(record->status));
    put_string(&text, ",\"reason\":\"", agent_reason_name(record->reason));
    put_string(&text, ",\"version\":\"", record->version);
    put_string(&text, ",\"slot\":\"", record->slot == BOOT_SLOT_B ? "B" : "A");
    agent_text_put(&text, "}");
    return text.len;
}

uint32_t agent_pong_json(char out[AGENT_PAYLOAD_MAX], const char *device_id, uint32_t seq,
                         int64_t at_ms, const char *command_id)
{
    struct agent_text text = {out, 0, AGENT_PAYLOAD_MAX};
    put_string(&text, "{\"device_id\":\"", device_id);
    agent_text_put(&text, ",\"seq\":");
    agent_text_number(&text, seq, 1);
    agent_text_put(&text, ",\"at\":\"");
    agent_text_time(&text, at_ms);
    put_string(&text, "\",\"pong\":\"", command_id);
    agent_text_put(&text, "}");
    return text.len;
}

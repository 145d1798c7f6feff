/*
 * Inside of the agent core: what its files share. Nothing here is for callers.
 * Each step function looks at the agent's state and the time, acts, and returns true when it moved
 * to another state (so that the next step is tried at once). Flash is written during these calls
 * only.
 */
#ifndef AGENT_CORE_H
#define AGENT_CORE_H

#include "agent/agent.h"
#include "agent/text.h"
#include <string.h>

#define AGENT_NEVER INT64_MAX

enum { AGENT_REBOOT_WAIT_MS = 5000, AGENT_CONFIRM_RETRY_MS = 1000 };

/* Misuse and impossible states stop the program, in release builds too. */
#define AGENT_ASSERT(claim)                                                                        \
    do {                                                                                           \
        if (!(claim))                                                                              \
            __builtin_trap();                                                                      \
    } while (0)

/* step.c: moves along a drawn edge, tells on_state, clears the state's deadline. */
void agent_enter(struct agent *agent, enum agent_state to);
/* Makes the state and the last failure part of the next journal record. */
void agent_record(struct agent *agent, enum agent_reason why);
/* Runs steps until the agent waits for something. */
void agent_advance(struct agent *agent);
void agent_act(struct agent *agent, const struct agent_action *action);
void agent_reboot(struct agent *agent);

/* outbox.c */
void agent_tell(struct agent *agent, enum agent_status status, enum agent_reason why);
void agent_tell_of(struct agent *agent, enum agent_status status, enum agent_reason why,
                   const char *campaign_id, const char *firmware_id);
void agent_outbox_send(struct agent *agent);
/* When the next status may leave, AGENT_NEVER: none waits for the clock. */
int64_t agent_outbox_at(const struct agent *agent);
void agent_outbox_published(struct agent *agent, uint32_t seq);
uint32_t agent_status_json(char out[AGENT_PAYLOAD_MAX], const struct agent_status_record *record,
                           const char *device_id);
uint32_t agent_pong_json(char out[AGENT_PAYLOAD_MAX], const char *device_id, uint32_t seq,
                         int64_t at_ms, const char *command_id);

/* An update is under way that can still be given up without a trace. */
static inline bool agent_staging(const struct agent *agent)
{
    return agent->state == AGENT_DOWNLOAD_SCHEDULED || agent->state == AGENT_DOWNLOADING ||
           agent->state == AGENT_DOWNLOAD_FAILED || agent->state == AGENT_WAITING_APPLY;
}

/* check.c */
enum { AGENT_CHECK_INSTALLED = -1 }; /* besides enum agent_reason: this version runs already */
int agent_check(struct agent *agent, const struct agent_notification *candidate);
void agent_notified(struct agent *agent, const char *json, uint32_t len);
bool agent_step_notified(struct agent *agent);
bool agent_step_checking(struct agent *agent);
bool agent_expired(struct agent *agent);
/* Notes the update as what runs here, with the campaign that brought it. */
void agent_remember_installed(struct agent *agent);
/* Ends the update under way without installing it; the state becomes Idle. */
void agent_abandon(struct agent *agent, enum agent_reason why);

/* download.c */
bool agent_step_scheduled(struct agent *agent);
bool agent_step_downloading(struct agent *agent);
bool agent_step_download_failed(struct agent *agent);
void agent_download_event(struct agent *agent, const struct agent_event *event);
void agent_download_cancel(struct agent *agent);
void agent_download_failed(struct agent *agent, enum agent_reason why);
int64_t agent_backoff(struct agent *agent, uint32_t attempts);

/* stage.c: bytes into the other slot. AGENT_OK or AGENT_EFLASH. */
int agent_stage_write(struct agent *agent, const uint8_t *bytes, uint32_t len);
void agent_stage_rewind(struct agent *agent);
bool agent_stage_complete(const struct agent *agent);
int agent_stage_erase(struct agent *agent);
static inline int agent_other_slot(const struct agent *agent)
{
    return agent->boot.slot == BOOT_SLOT_A ? BOOT_SLOT_B : BOOT_SLOT_A;
}

/* install.c */
bool agent_step_verifying(struct agent *agent);
bool agent_step_verified(struct agent *agent);
bool agent_step_verify_failed(struct agent *agent);
bool agent_step_waiting_apply(struct agent *agent);
bool agent_step_applying(struct agent *agent);
bool agent_step_rebooting(struct agent *agent);

/* health.c */
bool agent_step_health(struct agent *agent);
bool agent_step_confirmed(struct agent *agent);
void agent_health_seen(struct agent *agent, enum agent_health check, bool ok);
void agent_health_fail(struct agent *agent, enum agent_reason why);
void agent_clear_faults(struct agent *agent);
int64_t agent_clear_faults_at(const struct agent *agent);

/* resume.c */
bool agent_runs_update(const struct agent *agent);
void agent_resume(struct agent *agent, const struct boot_config *config);
bool agent_step_rolled_back(struct agent *agent);

/* orders.c: commands from ota/command. */
void agent_ordered(struct agent *agent, const char *json, uint32_t len);

#endif

#include "session.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { FAULTY_BOOTS = 5 };

static void on_violation(void *ctx, const char *what, uint32_t addr, uint32_t len)
{
    const struct agent_session *session = ctx;
    AGENT_LOG(session->log, AGENT_LOG_ERROR, "flash_violation", AGENT_TEXT("what", what),
              AGENT_NUMBER("addr", addr), AGENT_NUMBER("bytes", len));
}

static void describe(struct agent_session *session)
{
    const struct agent_settings *settings = session->settings;
    session->keys = (struct boot_keys){settings->key, settings->keys};
    session->env = (struct boot_env){
        .flash = &session->flash,
        .layout = &settings->flash.layout,
        .crypto = &session->crypto,
        .keys = &session->keys,
        .device_type = settings->device_type,
        .hw_revision = settings->hw_revision,
        .trial_boots = (uint8_t)settings->trial_boots,
        .faulty_boots = FAULTY_BOOTS,
        .watchdog_s = settings->watchdog_ms / 1000,
    };
}

static int open_crypto(struct agent_session *session, char *message)
{
    if (boot_openssl_init(&session->openssl)) {
        snprintf(message, AGENT_MESSAGE_MAX, "OpenSSL has no memory or no SHA-256");
        return -1;
    }
    boot_openssl_port(&session->openssl, &session->crypto);
    return 0;
}

int agent_session_open(struct agent_session *out, const struct agent_settings *settings,
                       const struct agent_log *log, const char *path, bool with_records,
                       char message[AGENT_MESSAGE_MAX])
{
    memset(out, 0, sizeof *out);
    out->settings = settings;
    out->log = log;
    out->reset_fd = -1;
    const char *records = settings->flash.records;
    bool own = *records;
    snprintf(out->op_path, sizeof out->op_path, "%s%s", own ? records : settings->flash.file,
             own ? "" : ".op");
    snprintf(out->reset_path, sizeof out->reset_path, "%s%s", own ? records : settings->flash.file,
             own ? "" : ".reset");
    out->file_config = (struct agent_flash_file_config){
        .path = path,
        .op_path = with_records ? out->op_path : NULL,
        .op_synced = own,
        .layout = &settings->flash.layout,
        .durable = with_records && settings->flash.durable,
        .stop_at = settings->flash.stop_at,
        .step = settings->flash.step,
        .violation = on_violation,
        .ctx = out,
    };
    if (open_crypto(out, message))
        return -1;
    if (agent_flash_file_open(&out->file, &out->file_config, message, AGENT_MESSAGE_MAX)) {
        boot_openssl_free(&out->openssl);
        return -1;
    }
    agent_flash_file_port(&out->file, &out->flash);
    describe(out);
    if (with_records && agent_reset_open(out->reset_path, own, &out->reset_fd, &out->reset)) {
        snprintf(message, AGENT_MESSAGE_MAX, "%s: can't be opened: %s", out->reset_path,
                 strerror(errno));
        agent_session_close(out);
        return -1;
    }
    return 0;
}

void agent_session_close(struct agent_session *session)
{
    if (session->reset_fd >= 0)
        close(session->reset_fd);
    session->reset_fd = -1;
    agent_flash_file_close(&session->file);
    boot_openssl_free(&session->openssl);
}

static void tell_cut(const struct agent_session *session)
{
    const struct agent_op *cut = agent_flash_file_cut(&session->file);
    if (cut->in_progress)
        AGENT_LOG(session->log, AGENT_LOG_WARN, "operation_cut",
                  AGENT_TEXT("kind", agent_op_kind_name((int)cut->kind)),
                  AGENT_NUMBER("addr", cut->addr), AGENT_NUMBER("bytes", cut->len),
                  AGENT_NUMBER("number", cut->number));
}

static void tell_outcome(const struct agent_session *session, const struct boot_outcome *outcome)
{
    AGENT_LOG(session->log, outcome->cause ? AGENT_LOG_WARN : AGENT_LOG_INFO, "boot",
              AGENT_TEXT("slot", outcome->slot == BOOT_SLOT_B ? "B" : "A"),
              AGENT_TEXT("trial", outcome->trial ? "yes" : "no"),
              AGENT_NUMBER("trial_left", outcome->trial_left),
              AGENT_TEXT("reset", boot_reset_name((int)session->boot.reset)),
              AGENT_TEXT("last_end", agent_end_name((int)session->reset.end)),
              AGENT_TEXT("cause", boot_cause_name((int)outcome->cause)),
              AGENT_TEXT("config", outcome->config_rebuilt ? "rebuilt" : "read"),
              AGENT_NUMBER("watchdog_s", outcome->watchdog_s),
              AGENT_NUMBER("boots", session->reset.boots),
              AGENT_NUMBER("operations", agent_flash_file_operations(&session->file)));
}

static int run_bootloader(struct agent_session *session)
{
    struct boot_outcome outcome;
    int error = boot_run(&session->env, session->boot.reset, &outcome);
    if (error || outcome.slot == BOOT_SLOT_NONE) {
        AGENT_LOG(session->log, AGENT_LOG_ERROR, "no_boot",
                  AGENT_TEXT("error", boot_error_name(error)),
                  AGENT_TEXT("slot_a", boot_verdict_name((int)outcome.verdict[BOOT_SLOT_A])),
                  AGENT_TEXT("slot_b", boot_verdict_name((int)outcome.verdict[BOOT_SLOT_B])));
        return -1;
    }
    session->boot.slot = outcome.slot;
    session->boot.trial = outcome.trial;
    session->boot.cause = outcome.cause;
    tell_outcome(session, &outcome);
    return 0;
}

int agent_session_boot(struct agent_session *session, bool by_watchdog)
{
    if (by_watchdog && session->reset.end == AGENT_END_RUNNING) {
        session->reset.end = AGENT_END_WATCHDOG;
        agent_reset_count(&session->reset);
    }
    struct agent_reset running = session->reset;
    session->boot.reset = agent_end_reset(session->reset.end);
    session->reset.boots++;
    running.end = AGENT_END_RUNNING;
    running.boots++;
    if (agent_reset_write(session->reset_fd, &running))
        AGENT_LOG(session->log, AGENT_LOG_ERROR, "reset_record",
                  AGENT_TEXT("error", "not written"));
    tell_cut(session);
    int error = run_bootloader(session);
    session->reset = running;
    return error;
}

void agent_session_told(struct agent_session *session, uint32_t faults)
{
    struct agent_reset *reset = &session->reset;
    reset->faults -= faults < reset->faults ? faults : reset->faults;
    if (agent_reset_write(session->reset_fd, reset))
        AGENT_LOG(session->log, AGENT_LOG_ERROR, "reset_record",
                  AGENT_TEXT("error", "not written"));
}

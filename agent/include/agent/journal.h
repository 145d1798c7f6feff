/*
 * The agent's journal: small records in two banks at the start of the data partition, over the
 * flash port. The boot config is the truth, the journal explains it: what is being installed, how
 * far the download is durable, which statuses are not acknowledged yet. A record is a list of items
 * {kind, length, payload} under one CRC, so it holds or is lost as a whole; unknown kinds are
 * skipped, so that old and new firmware read each other's journal. A full bank is compacted into
 * the other one, whose header is programmed last. agent/FORMAT.md draws the bytes and names every
 * interrupted case.
 */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H

#include "agent/manifest.h"
#include "boot/flash.h"

enum { AGENT_OUTBOX_MAX = 16 };

/* The names on the wire are these in lower case. */
enum agent_status {
    AGENT_ST_NOTIFIED,
    AGENT_ST_SCHEDULED,
    AGENT_ST_DOWNLOADING,
    AGENT_ST_DOWNLOAD_FAILED,
    AGENT_ST_VERIFIED,
    AGENT_ST_VERIFY_FAILED,
    AGENT_ST_WAITING_APPLY,
    AGENT_ST_APPLYING,
    AGENT_ST_REBOOTING,
    AGENT_ST_HEALTH_CHECK,
    AGENT_ST_CONFIRMED,
    AGENT_ST_ROLLED_BACK,
    AGENT_ST_REFUSED,
    AGENT_STATUSES
};
const char *agent_status_name(int status);

/* Why; on the wire as snake_case text in "reason" ("" for none). */
enum agent_reason {
    AGENT_WHY_NONE,
    AGENT_WHY_NETWORK,
    AGENT_WHY_HTTP_STATUS,
    AGENT_WHY_SIZE,
    AGENT_WHY_CHECKSUM,
    AGENT_WHY_SIGNATURE,
    AGENT_WHY_KEY,
    AGENT_WHY_REVOKED,
    AGENT_WHY_HEADER,
    AGENT_WHY_DEVICE_TYPE,
    AGENT_WHY_HW_REVISION,
    AGENT_WHY_COUNTER,
    AGENT_WHY_VERSION,
    AGENT_WHY_CONTRADICTION,
    AGENT_WHY_MANIFEST,
    AGENT_WHY_TOO_LARGE,
    AGENT_WHY_FLASH,
    AGENT_WHY_ROLLED_BACK_BEFORE,
    AGENT_WHY_DEFERRED,
    AGENT_WHY_DEADLINE,
    AGENT_WHY_HEALTH_MQTT,
    AGENT_WHY_HEALTH_DRIVERS,
    AGENT_WHY_HEALTH_CONFIG,
    AGENT_WHY_HEALTH_TELEMETRY,
    AGENT_WHY_HEALTH_HARD_FAULT,
    AGENT_WHY_WATCHDOG,
    AGENT_WHY_TRIALS_USED,
    AGENT_WHY_BOOT_VERIFY,
    AGENT_WHY_OPERATOR,
    AGENT_WHY_CONFIG_LOST,
    AGENT_WHY_FAULTY_BOOTS,
    AGENT_WHYS
};
const char *agent_reason_name(int reason);

struct agent_status_record {
    uint32_t seq; /* 1, 2, ...; grows for each device, survives reboots; of the clock's seconds
                     when the journal is lost or broken */
    int64_t at_ms;
    uint8_t status, reason;
    int8_t slot;                    /* running slot */
    char version[BOOT_VERSION_MAX]; /* running version */
    char campaign_id[AGENT_ID_MAX];
    char firmware_id[AGENT_ID_MAX];
};

/* The update that was confirmed last: named when the device leaves it later. version "" = none. */
struct agent_installed {
    char campaign_id[AGENT_ID_MAX];
    char firmware_id[AGENT_ID_MAX];
    char version[BOOT_VERSION_MAX];
    char rollback_version[BOOT_VERSION_MAX]; /* the older version that its campaign named */
};

/* What is durable, as last read or written. */
struct agent_journal {
    const struct boot_flash *flash;
    const struct boot_layout *layout;
    int bank; /* active bank, -1: none valid yet */
    uint32_t bank_sequence;
    uint32_t tail; /* offset of the next record in the bank */
    bool broken;   /* neither bank takes a record: RAM goes on without persistence */

    bool has_update; /* an update is under way or just ended */
    struct agent_notification update;
    uint8_t phase;          /* enum agent_state at the last durable step */
    uint32_t durable_bytes; /* bytes of the image that are surely in the staging slot */
    uint8_t attempts;       /* download failures of this update */
    uint8_t why;            /* enum agent_reason of the last failure, told after the reboot */
    char rolled_back_id[AGENT_ID_MAX]; /* firmware_id that was rolled back here: not installed again
                                          unless forced */
    uint32_t next_seq;
    uint32_t outbox_count;
    struct agent_status_record outbox[AGENT_OUTBOX_MAX]; /* oldest first, not acknowledged */

    struct agent_installed installed;
    bool approved;         /* an operator approved this update */
    int64_t not_before_ms; /* an operator deferred this update until then, 0 = not */

    /* Of this power session; agent/FORMAT.md "Rules". */
    bool settled;       /* a snapshot and the bank's header were programmed in this session */
    bool lost;          /* neither bank could be read, but they are not empty either */
    bool held;          /* changes are gathered until agent_journal_commit */
    uint32_t dirty;     /* what the next record has to hold */
    uint32_t unsaved;   /* newest statuses that no record holds yet */
    uint32_t acked_seq; /* highest acknowledged status */
};

/*
 * Each function below returns AGENT_OK or AGENT_EFLASH (a failed flash operation, or a bank too
 * small for the records); queue also AGENT_EFULL. A NULL argument is misuse.
 */

/* Reads the newest valid bank (an empty or broken journal is an empty one). AGENT_OK or
 * AGENT_EFLASH. */
int agent_journal_open(struct agent_journal *journal, const struct boot_flash *flash,
                       const struct boot_layout *layout);

/* Each makes its change durable before it returns. AGENT_EFLASH sets broken; RAM holds the change
 * anyway. */
int agent_journal_begin_update(struct agent_journal *journal,
                               const struct agent_notification *update);
int agent_journal_step(struct agent_journal *journal, uint8_t phase, uint8_t why, uint8_t attempts);
int agent_journal_progress(struct agent_journal *journal, uint32_t durable_bytes);
int agent_journal_rolled_back(struct agent_journal *journal, const char *firmware_id);
/* Queues a status with the next seq; AGENT_EFULL drops the oldest that is not an outcome. */
int agent_journal_queue(struct agent_journal *journal, const struct agent_status_record *record);
/*
 * Drops every status up to seq. Durable with the next record, or by agent_journal_commit: an
 * acknowledgement lost by a cut only repeats a status, which the service tolerates.
 */
int agent_journal_acknowledge(struct agent_journal *journal, uint32_t seq);

/* From here changes are gathered in RAM; agent_journal_commit makes them durable as one record. */
void agent_journal_hold(struct agent_journal *journal);
int agent_journal_commit(struct agent_journal *journal);
/* True when something other than acknowledgements waits for a record. */
bool agent_journal_dirty(const struct agent_journal *journal);
/* Before something read at open is told to the world: makes it safe against a torn last record. */
int agent_journal_settle(struct agent_journal *journal);

/* Replaces what is known of the update under way (its URL, say), not its progress. */
int agent_journal_revise(struct agent_journal *journal, const struct agent_notification *update);
/* What an operator allowed: see approved and not_before_ms. */
int agent_journal_permit(struct agent_journal *journal, bool approved, int64_t not_before_ms);
int agent_journal_installed(struct agent_journal *journal, const struct agent_installed *installed);

#endif

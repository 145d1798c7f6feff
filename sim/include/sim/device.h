/*
 * An emulated device: the real bootloader core and the real agent core on a virtual flash, with a
 * modelled link, firmware behaviour and power. It is a node: messages are delivered to it, it runs
 * up to a given time, it says when it wants to run next.
 *
 * Everything that chance decides comes from (seed, device, purpose). A device is run by one thread
 * at a time; struct sim_world is constant while devices run; struct sim_shard belongs to the
 * thread.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include "agent/agent.h"
#include "boot/openssl.h"
#include "rep/result.h"
#include "sim/faults.h"
#include "sim/log.h"
#include "sim/oracle.h"
#include "sim/queue.h"

/* A firmware of the scenario, made or loaded, signed. */
struct sim_artifact {
    const struct scn_firmware *from;
    uint8_t *bytes;
    uint32_t len;
    uint8_t signature[BOOT_SIGNATURE_MAX];
    size_t signature_bytes;
    char cert_id[BOOT_CERT_ID_MAX];
    char url[AGENT_URL_MAX];
    struct boot_image header;
};

/* What all devices share. Built by sim_world_build (world.h), constant afterwards. */
struct sim_world {
    const struct scn *scn;
    struct sim_roster roster;
    struct sim_faults faults;
    struct boot_layout layout;
    struct sim_flash_timing timing;
    struct sim_flash_known known;
    struct sim_flash_base base[SCN_GROUPS_MAX]; /* factory flash, by group */
    struct boot_key key[2];
    struct boot_keys keys;
    struct sim_oracle_trust trust;
    struct sim_artifact artifact[SCN_FIRMWARE_MAX]; /* in the scenario's order */
    uint32_t candidate;                             /* index in artifact */
    /* Microseconds of this world in one of the device's own time (its checks, its watchdog, its
     * retries): 1, or time_scale where the clock is the wall's. What the scenario dates (phases,
     * windows, faults, outages) is in the world's time as it stands. */
    uint32_t pace;
    int64_t born_us; /* when devices begin to run: the scenario's start, or before it where they
                      * have to come together first */
    char *manifest;  /* of the candidate */
};

/* A message on its way to the campaign service. */
enum sim_up_kind { SIM_UP_STATUS, SIM_UP_PONG, SIM_UP_TELEMETRY };
struct sim_telemetry {
    int64_t first_us, last_us;
    uint32_t received, resets;             /* received 0: it only tells resets */
    int64_t first_reset_us, last_reset_us; /* when they happened; meaningless without resets */
    char version[BOOT_VERSION_MAX];
    int64_t energy_mw, memory_kb, cpu_permille;
};
struct sim_up {
    int64_t at_us;
    uint32_t device, sequence;
    enum sim_up_kind kind;
    uint32_t offset, len;
};

/* Rows of the cut table beyond the agent's 15 states: the bootloader, and an application without
 * agent. */
enum { SIM_CUT_BOOT = AGENT_STATES, SIM_CUT_OFF, SIM_CUT_STATES };
enum { SIM_CUT_NO_OP = SCN_REGIONS, SIM_CUT_REGIONS };

/* What belongs to one thread. */
struct sim_shard {
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    struct sim_oracle *oracle;
    struct sim_up *up;
    uint32_t ups, up_capacity; /* filled by devices, taken at the tick */
    uint8_t *text;
    uint32_t text_bytes, text_capacity; /* payloads */
    bool out_of_memory;
    uint64_t cuts[SIM_CUT_STATES][SIM_CUT_REGIONS][SCN_TORNS];
};
int sim_shard_init(struct sim_shard *shard, const struct sim_world *world);
void sim_shard_free(struct sim_shard *shard);

/* What is drawn once for a device and a firmware (its place in world->artifact), the same in every
 * world; numbers name streams, never renumber. HEALTH + an enum agent_health. */
enum sim_affliction {
    SIM_AFFLICT_BOOT_FAILS,
    SIM_AFFLICT_HANGS,
    SIM_AFFLICT_HEALTH,
    SIM_AFFLICT_MIGRATION = 10,
    SIM_AFFLICTIONS = 16
};
bool sim_afflicted(const struct sim_world *world, uint32_t device, uint32_t firmware,
                   uint32_t affliction, struct scn_ratio chance);

struct sim_device; /* device_internal.h */

/* NULL: no memory. trace may be NULL. */
struct sim_device *sim_device_create(const struct sim_world *world, uint32_t number, FILE *trace);
void sim_device_free(struct sim_device *device);

/* Runs everything due before until_us; returns when it wants to run next (SIM_NEVER). */
int64_t sim_device_run(struct sim_device *device, struct sim_shard *shard, int64_t until_us);
/* A message from the service, leaving the broker at at_us. Copied. 0 or -1. Returns next time by
 * *next_us. */
int sim_device_deliver(struct sim_device *device, bool command, const char *payload, uint32_t len,
                       int64_t at_us, int64_t *next_us);

/* The broker is stopped and started anew at at_us: the connection is lost, and what waits for the
 * device too when the broker forgets, until the device has come back. Next time by *next_us. */
void sim_device_broker_restarts(struct sim_device *device, bool forgets, int64_t at_us,
                                int64_t *next_us);

/* What is true of a device, seen from outside. */
struct sim_truth {
    const char *version;    /* running, or last running; "" when nothing boots */
    enum agent_state state; /* as last seen; meaningless while off */
    bool powered, connected,
        settled;           /* settled: Idle, on a confirmed image, connected, nothing queued */
    int64_t away_until_us; /* off, or its link down, by a fault that lasts until then; 0: no */
    int64_t lost_us; /* when the connection was lost, or the link came back; the device's start if
                        never there */
    enum rep_brick brick;
    uint32_t boots, cuts, changes; /* changes: how often the running version changed */
    int64_t changed_us;
    uint32_t crashes_after_confirm; /* unplanned resets within 48 h of confirming the candidate */
    struct sim_flash_stats flash;
    uint64_t broken[REP_PROMISES];
    const char *broken_what[REP_PROMISES];
};
void sim_device_truth(const struct sim_device *device, struct sim_truth *out);
uint32_t sim_device_changes(const struct sim_device *device);
/* Checks which belong to the end of a run: regions that must be as they were. */
void sim_device_inspect(struct sim_device *device, struct sim_shard *shard, bool whole_data);
const struct sim_log *sim_device_log(const struct sim_device *device);
struct sim_log *sim_device_log_for_test(struct sim_device *device); /* mutation hooks */

#endif

/*
 * A small world around one agent: a strict NOR flash that can be cut, the real bootloader core,
 * signed images, an HTTP server with tricks, a broker that remembers. Time jumps to the next
 * deadline.
 */
#ifndef WORLD_H
#define WORLD_H

#include "agent/agent.h"
#include "boot/openssl.h"
#include <setjmp.h>

enum { WORLD_SECTOR = 4096, WORLD_PAGE = 256, WORLD_SLOT = 6 * WORLD_SECTOR };
enum { WORLD_DATA = 15 * WORLD_SECTOR, WORLD_JOURNAL = 4 * WORLD_SECTOR };
enum { WORLD_FLASH = WORLD_DATA + WORLD_JOURNAL + WORLD_SECTOR };
enum { WORLD_KEYS = 3, WORLD_LOG = 400, WORLD_IMAGE_MAX = 8 * WORLD_SECTOR };

/*
 * flash.c. Forms of a cut: what the operation in progress leaves behind. LUCKY is the worst of the
 * unstable ones: the page reads whole, as new or as old, and the next boot may read the other.
 */
enum world_torn {
    TORN_BEFORE,
    TORN_AFTER,
    TORN_PREFIX,
    TORN_RANDOM,
    TORN_UNSTABLE,
    TORN_LUCKY,
    TORN_FORMS
};

struct world_flash {
    uint8_t cell[WORLD_FLASH];
    uint8_t unstable[WORLD_FLASH]; /* bits that read differently each time */
    uint32_t wear[WORLD_FLASH / WORLD_SECTOR];
    uint32_t ops, programs, erases, page_programs, journal_pages, violations;
    uint32_t cut_at; /* the op that is cut; 0 none */
    enum world_torn form;
    uint8_t ghost[WORLD_FLASH]; /* what a lucky read sees instead of the cell */
    bool haunted[WORLD_FLASH];
    uint32_t luck;               /* bit 0: lucky in this session; shifted at each boot */
    uint32_t fail_from, fail_to; /* operations in this range of addresses return -1 */
    bool stuck;                  /* there they return 0 instead, and change nothing */
    uint32_t spared;             /* a sector's number: within that range it works */
    uint64_t chance;
    jmp_buf *power;
    struct boot_flash port;
    struct boot_layout layout;
};
void world_flash_init(struct world_flash *flash);
void world_flash_reboot(struct world_flash *flash); /* the next bit of luck */

/* image.c: images are built and signed once per test process. */
struct world_image {
    struct boot_image header;
    uint8_t bytes[WORLD_IMAGE_MAX];
    uint8_t hash[BOOT_SHA256_BYTES];
    uint8_t signature[BOOT_SIGNATURE_MAX];
    uint16_t signature_bytes;
    int key;
};
struct boot_keys world_keys(void);
void world_sign(int key, const void *bytes, size_t len, uint8_t out[BOOT_SIGNATURE_MAX],
                uint16_t *out_len);
void world_image(struct world_image *out, const char *version, uint32_t bytes, int key);
/* Signs again after the header or the bytes were changed. */
void world_image_seal(struct world_image *image);
/* What a notification says of an image; a test bends it before it is sent. */
struct world_notice {
    struct world_image *image;
    char campaign_id[AGENT_ID_MAX], firmware_id[AGENT_ID_MAX], version[BOOT_VERSION_MAX];
    char device_type[40], min_hw_revision[20], url[100], cert_id[BOOT_CERT_ID_MAX];
    char rollback_version[BOOT_VERSION_MAX], deadline[40];
    uint32_t size;
    bool force;
};
void world_notice(struct world_notice *out, struct world_image *image);
uint32_t world_notice_json(char *out, size_t max, const struct world_notice *notice);
void world_hex(char *out, const uint8_t *bytes, size_t len);

struct world_status {
    uint32_t seq;
    char status[24], reason[24], campaign_id[48], firmware_id[48], version[40], slot[4];
};

enum world_http {
    HTTP_GOOD,
    HTTP_REFUSED,
    HTTP_500,
    HTTP_404,
    HTTP_SHORT,
    HTTP_BROKEN,
    HTTP_SIZE,
    HTTP_FLIP,
    HTTP_WHOLE /* 200, range ignored */,
    HTTP_ENDLESS,
    HTTP_KINDS
};

/* How the firmware in a trial behaves. */
struct world_health {
    int64_t mqtt_ms; /* after the boot; < 0 never */
    bool drivers, config, telemetry;
    int64_t fault_ms; /* a reset then, -1 never */
    enum boot_reset fault;
};

struct world {
    struct world_flash flash;
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    struct boot_keys keys;
    struct boot_env env;
    struct agent_config config;
    struct agent agent;
    jmp_buf power;
    int64_t now_ms, booted_ms, until_ms;
    struct boot_outcome outcome;
    struct world_health health, healthy;
    bool boot_pending;
    enum boot_reset reset;
    bool mqtt_told, telemetry_told, time_told, apps_told, broker_down,
        deaf; /* deaf: the broker acknowledges nothing */
    uint32_t boots, cuts, confirms, reboots;
    int64_t interlock_until_ms;

    struct world_image *served;
    enum world_http http;
    uint32_t http_times; /* so many transfers go by `http`, the rest are good */
    uint32_t chunk, gets, get_offset[32], cancels;
    bool http_open, http_head;
    uint32_t http_at;
    char get_url[AGENT_URL_MAX];

    uint32_t ack; /* PUBLISHED to be sent, 0 none */
    struct world_status log[WORLD_LOG];
    uint32_t logged, pongs;
    char pong[AGENT_PAYLOAD_MAX + 1];
    bool edge[AGENT_STATES][AGENT_STATES];
    struct {
        enum agent_state from, to;
        int64_t at_ms;
    } path[WORLD_LOG];
    uint32_t steps;
};

extern struct world_image world_v1, world_v2, world_v3; /* 2.3.1 (installed), 2.4.0, 2.5.0 */

void world_init(struct world *world); /* v1 confirmed in slot A, booted, connected */
void world_power_on(struct world *world, enum boot_reset reset);
void world_notify(struct world *world, const struct world_notice *notice);
void world_update(struct world *world, struct world_image *image); /* notify, default notice */
void world_order(struct world *world, const char *json);
void world_input(struct world *world, const struct agent_event *event);
bool world_step(struct world *world); /* one event; false: nothing to do until until_ms */
void world_run(struct world *world);  /* until there is nothing to do, cuts survived */
void world_run_to(struct world *world, enum agent_state state);
void world_run_for(struct world *world, int64_t ms);
void world_disconnect(struct world *world); /* until broker_down is cleared */
/* Index of the status from `from` on, or -1. */
int world_find(const struct world *world, const char *status, uint32_t from);
uint32_t world_count(const struct world *world, const char *status);
const char *world_reason(const struct world *world, const char *status);
/* The statuses in order of seq, without repetitions, as "notified scheduled ...". */
const char *world_story(const struct world *world);
/* Writes the image and its trailer into a slot, as the factory does. */
void world_factory(struct world *world, int slot, const struct world_image *image, bool confirmed);

#endif

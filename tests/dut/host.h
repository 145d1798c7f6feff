/*
 * A plain host for a device under test: a byte array with the rules of NOR flash (flash.c),
 * OpenSSL, a service with one wish, and a clock that jumps. Whatever breaks a rule fails the test.
 * One power cut can be ordered; what it tears stays as it is torn.
 */
#ifndef TESTS_DUT_HOST_H
#define TESTS_DUT_HOST_H

#include "boot/openssl.h"
#include "sim/dut_own.h"
#include "sim/firmware.h"
#include <setjmp.h>

enum { HOST_SECTOR = 4096, HOST_SLOT_SECTORS = 6, HOST_JOURNAL_SECTORS = 4, HOST_LOG = 256 };
enum { HOST_FLASH_MAX = 24 * HOST_SECTOR };
/* How the operation in progress is left. */
enum host_torn {
    HOST_TORN_NOTHING,
    HOST_TORN_MAGIC, /* the first 4 bytes of a page, the first half of a sector */
    HOST_TORN_HEAD,  /* the first 8 bytes, or half */
    HOST_TORN_TAIL,  /* all but the first 8 bytes, or the second half */
    HOST_TORN_DONE,
    HOST_TORNS
};
enum { HOST_KEY_GOOD, HOST_KEY_OTHER, HOST_KEY_STRANGER, HOST_KEYS };

struct host_image {
    struct dut_image dut;
    char firmware_id[32], cert_id[DUT_ID_MAX];
    char *notification; /* the whole message */
};

struct host_report {
    enum dut_status status;
    char firmware_id[40], version[32], text[72];
};

struct host {
    const struct dut *dut;
    void *ram;
    struct dut_unit unit;
    struct dut_key key[HOST_KEYS];
    struct sim_fw_key secret[HOST_KEYS];
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    struct dut_port port;
    uint8_t flash[HOST_FLASH_MAX];
    uint32_t writes, reads; /* pages and sectors; calls */
    uint32_t cut_at;        /* in this write, counted like `writes`, the power goes; UINT32_MAX */
    enum host_torn torn;
    uint32_t bad_sector; /* its address; UINT32_MAX: none */
    bool worn;           /* the bad sector refuses to be written, else it ignores it */
    uint64_t trace;      /* digest of what happened: operations, reports, boots */

    int64_t now_ms, bites_ms; /* bites_ms: of the watchdog, INT64_MAX: not armed */
    uint32_t watchdog_s;
    jmp_buf reset; /* enum host_end */

    const struct host_image *offered; /* NULL: nothing */
    bool rollback;                    /* ordered */
    uint32_t offers;                  /* asked */
    char bad_version[32];             /* whose checks fail */
    bool fails[DUT_CHECKS];

    struct dut_boot boot;
    char running[32]; /* version in the header at boot.image_addr */
    uint32_t boots, reports;
    struct host_report report[HOST_LOG];
    bool told; /* prints the story */
};

void host_init(struct host *host, uint32_t variant, uint32_t page_bytes);
void host_free(struct host *host);

/* An image of this version, signed by this key; the certificate's id is the good key's when lied.
 */
void host_image(struct host *host, struct host_image *out, const char *version, uint32_t bytes,
                int key);
void host_image_free(struct host_image *image);
void host_factory(struct host *host, const struct host_image *image);

/* flash.c */
void host_flash_port(struct dut_port *port);
void host_trace(struct host *host, const void *what, size_t len);

/* One power session. */
enum host_end { HOST_IDLE, HOST_RESET, HOST_WATCHDOG, HOST_FAULT, HOST_CUT, HOST_DEAD, HOST_BUSY };
enum host_end host_session(struct host *host, enum dut_reset reset);
/* Sessions until the device is idle, or a cut; with a bad sector it may also be dead, or not come
 * to rest (HOST_BUSY). The service withdraws its wish when it hears the outcome. */
enum host_end host_run(struct host *host);
void host_update(struct host *host, const struct host_image *image);
void host_rollback(struct host *host);

/* The last report that is no progress, as "status reason"; "" when there is none from `from` on. */
const char *host_outcome(const struct host *host, uint32_t from);

/* The canonical form; bytes, and 0 when the device gives none. Fails when it writes. */
uint32_t host_canonical(struct host *host, uint8_t *out, uint32_t max);
/* Sectors that are not read before they are erased; the number of ranges. */
uint32_t host_scratch(struct host *host, struct dut_range *out, uint32_t max);

#endif

/*
 * A plain host for a device under test: a byte array with the rules of NOR flash, OpenSSL, a
 * service with one wish, and a clock that jumps. It cuts nothing; whatever breaks a rule fails the
 * test.
 */
#ifndef TEST_DUT_HOST_H
#define TEST_DUT_HOST_H

#include "boot/openssl.h"
#include "sim/dut_own.h"
#include "sim/firmware.h"
#include <setjmp.h>

enum { HOST_SECTOR = 4096, HOST_SLOT_SECTORS = 6, HOST_JOURNAL_SECTORS = 4, HOST_LOG = 256 };
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
    uint8_t *flash;
    uint32_t writes, reads, jumps; /* jumps: by the watchdog */

    int64_t now_ms, bites_ms; /* bites_ms: of the watchdog, INT64_MAX: not armed */
    uint32_t watchdog_s;
    jmp_buf reset;

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

/* One power session. */
enum host_end { HOST_IDLE, HOST_RESET, HOST_WATCHDOG, HOST_DEAD };
enum host_end host_session(struct host *host, enum dut_reset reset);
/* Sessions until the device is idle; the service withdraws its wish when it hears the outcome. */
void host_run(struct host *host);
void host_update(struct host *host, const struct host_image *image);
void host_rollback(struct host *host);

/* The last report that is no progress, as "status reason"; "" when there is none from `from` on. */
const char *host_outcome(const struct host *host, uint32_t from);

/* The canonical form; bytes, and 0 when the device gives none. Fails when it writes. */
uint32_t host_canonical(struct host *host, uint8_t *out, uint32_t max);

#endif

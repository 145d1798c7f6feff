/*
 * The device under test (DUT): a bootloader, alone or with its updater, as `brickyard sweep` runs
 * it. ABI version 1; plain C, no other header of Brickyard is needed. A plugin is a shared object
 * that exports `dut_device`; sim/dut/README.md tells how to wrap an existing bootloader. Whatever
 * changes here, but for comments, raises DUT_ABI.
 *
 * One power session, as the host runs it:
 *
 *     reset: RAM filled with A5, every static variable back to its initial value
 *     boot(ram, port, reset, &boot)           the bootloader: which image runs?
 *     RAM filled with A5, static variables back again (another program runs now)
 *     run(ram, port, reset, &boot)            the booted image, until it resets or rests
 *
 * The host takes the control flow away in the middle of any port function: a power cut, a watchdog
 * reset, a hard fault. The function does not return then, and the next thing that is called is
 * boot(). Only flash survives. A device must not keep heap or threads across calls (what it
 * allocates is lost at the next reset), and need not be thread-safe: each worker of the host loads
 * a copy of its own. It does the same whenever flash, reset and port say the same: no clock, no
 * chance, no environment. Nothing is set back in the libraries that a plugin links, libc included.
 *
 * A crash in boot() or run() breaks a promise (no_brick), and so does a write behind ram_bytes; to
 * compute for a second without a call of the port counts as an endless loop.
 *
 * Ownership: every pointer in port, unit, offer and image belongs to the host and is constant while
 * the call lasts. A text that a device gives is never NULL, but "" where it has nothing to say.
 * Times are UTC milliseconds since 1970, addresses are byte offsets in the flash.
 */
#ifndef SIM_DUT_H
#define SIM_DUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DUT_ABI = 1 };
enum { DUT_PARTS = 4 };
enum { DUT_SLOTS = 2, DUT_ID_MAX = 24, DUT_TEXT_MAX = 48, DUT_SIGNATURE_MAX = 72 };

/* Why the last power session ended, as hardware tells. */
enum dut_reset {
    DUT_RESET_POWER_ON = 0,
    DUT_RESET_PIN = 1, /* the reset button */
    DUT_RESET_SOFTWARE = 2,
    DUT_RESET_WATCHDOG = 3,
    DUT_RESET_HARD_FAULT = 4,
    DUT_RESET_BROWN_OUT = 5,
    DUT_RESETS
};

/* Regions in rising order: bootloader (never written) | config | slot A | slot B | data. What a
 * device keeps in config, slots and the first journal_bytes of data is its own affair; the rest of
 * data is the application's and must stay as it is. */
struct dut_layout {
    uint32_t flash_bytes;
    uint32_t sector_bytes; /* erase unit, power of two */
    uint32_t page_bytes;   /* program unit, power of two */
    uint32_t bootloader_bytes;
    uint32_t config_addr, config_bytes; /* two sectors */
    uint32_t slot_addr[DUT_SLOTS], slot_bytes;
    uint32_t data_addr, data_bytes, journal_bytes;
};

struct dut_key {
    char id[DUT_ID_MAX];
    uint8_t public_key[65]; /* P-256, uncompressed: 04 X Y */
};

/* What is true of this device, constant for the whole sweep. */
struct dut_unit {
    struct dut_layout layout;
    const struct dut_key *key; /* trusted keys, burnt in */
    uint32_t keys;
    const char *device_type, *hw_revision;
    uint32_t trial_boots;    /* boots that an unconfirmed image gets at most, 1..15 */
    uint32_t watchdog_s;     /* to be armed before the jump */
    uint32_t mqtt_within_ms; /* health: connected within */
    uint32_t fault_free_ms;  /* health: no fault within */
    uint32_t variant;        /* 0 .. dut.variants - 1: what the factory leaves */
};

/* An image as it is offered and stored. */
struct dut_image {
    const char *version, *firmware_id, *cert_id;
    const uint8_t *bytes;
    uint32_t len;
    uint8_t sha256[32];
    uint8_t signature[DUT_SIGNATURE_MAX]; /* ECDSA P-256 over SHA-256 of bytes, DER */
    uint32_t signature_len;
    uint32_t security_counter;
    const char *device_type, *min_hw_revision;
};

enum dut_offer_kind { DUT_OFFER_UPDATE, DUT_OFFER_ROLLBACK /* by order of an operator */ };

struct dut_offer {
    enum dut_offer_kind kind;
    const char *message; /* the whole JSON of ota/notification or ota/command, as CONTRACT.md */
    uint32_t message_len;
    /* The same, taken apart; as the service says it, which may be a lie. image.bytes is NULL and
     * image.len the announced size: the bytes come by fetch(). For a rollback image is empty. */
    struct dut_image image;
    bool force;
};

/* The checks of a trial, in the order in which a report names the first that failed. */
enum dut_check {
    DUT_CHECK_MQTT,
    DUT_CHECK_DRIVERS,
    DUT_CHECK_CONFIG,
    DUT_CHECK_TELEMETRY,
    DUT_CHECK_NO_FAULT, /* asked when fault_free_ms have passed since the start */
    DUT_CHECKS
};

/* What the device tells the service. */
enum dut_status {
    DUT_SAYS_PROGRESS, /* anything that is no outcome */
    DUT_SAYS_CONFIRMED,
    DUT_SAYS_ROLLED_BACK,
    DUT_SAYS_REFUSED,
    DUT_SAYS_VERIFY_FAILED,
    DUT_SAYS_DOWNLOAD_FAILED, /* an outcome when the device comes to rest after it */
    DUT_STATUSES
};

struct dut_report {
    enum dut_status status;
    const char *firmware_id; /* of the offer that it answers: else it answers none. "": not known */
    const char *version;     /* that runs, as in its image; "": not known */
    const char *text;        /* status and reason in the device's words, for the story */
};

struct dut_port {
    void *ctx;
    const struct dut_unit *unit;

    /* Flash, NOR rules: 0, or negative when it failed. read: any address and length. program: addr
     * and len multiples of page_bytes, only clears bits, page by page in rising order. erase: one
     * sector, addr is its first byte. What breaks these rules breaks a promise (flash_discipline)
     * and does not return. An operation fails, or says that it was done and was not, in a brown-out
     * and on a sector that is damaged. */
    int (*read)(void *ctx, uint32_t addr, void *out, uint32_t len);
    int (*program)(void *ctx, uint32_t addr, const void *data, uint32_t len);
    int (*erase)(void *ctx, uint32_t addr);

    /* Crypto: really done, and counted. One hash at a time. verify: 0 when the DER signature fits.
     */
    void (*sha256_begin)(void *ctx);
    void (*sha256_update)(void *ctx, const void *data, size_t len);
    void (*sha256_final)(void *ctx, uint8_t out[32]);
    int (*ecdsa_verify)(void *ctx, const uint8_t public_key[65], const uint8_t hash[32],
                        const uint8_t *sig, size_t sig_len);

    /* Time. It passes in flash operations and in sleep_until alone: who waits by asking now_ms
     * waits for ever. A sleeping device is awake again at until_ms, unless the watchdog or a fault
     * of the firmware comes first. kick: the watchdog (armed by dut_boot.watchdog_s) counts anew,
     * with seconds; 0 leaves the time as it is. */
    int64_t (*now_ms)(void *ctx);
    void (*sleep_until)(void *ctx, int64_t until_ms);
    void (*kick)(void *ctx, uint32_t seconds);

    /* The world around the application. offer: true while the service wants something that it does
     * not know the outcome of; the same offer may come again (at least once). fetch: bytes of the
     * offered image from offset on, the number got; 0 at the end of what is served (which may be
     * too early), negative when the transfer broke. check: does this hold for the firmware that
     * runs? It may never return. report: at least once, in order. */
    bool (*offer)(void *ctx, struct dut_offer *out);
    int32_t (*fetch)(void *ctx, uint32_t offset, void *out, uint32_t len);
    bool (*check)(void *ctx, enum dut_check check);
    void (*report)(void *ctx, const struct dut_report *report);

    /* A line for the story that `brickyard replay` tells. Costs nothing elsewhere. */
    void (*note)(void *ctx, const char *text);
};

/* The bootloader's answer; all zero before boot() fills it in. */
struct dut_boot {
    bool boots;             /* false: stays in the bootloader */
    uint32_t image_addr;    /* first byte of the image that runs, as pack() made it: its header's */
    uint32_t slot;          /* in which it is, for the story */
    bool trial;             /* not permanent yet */
    uint32_t watchdog_s;    /* armed at the jump; 0: not armed */
    uint32_t handoff[8];    /* from the bootloader to the application, as the device likes */
    char why[DUT_TEXT_MAX]; /* for the story: "trial 1 of 3", "both copies lost" */
};

/* IDLE: nothing is left to do until the service wants something else, or the power is cycled. */
enum dut_run { DUT_RUN_IDLE, DUT_RUN_RESET /* software reset */ };

/* What the device can do; the sweep asks nothing else of it. */
enum dut_trait {
    DUT_IN_PLACE = 1 << 0,        /* A/B: the image that runs is never written */
    DUT_SIGNED = 1 << 1,          /* refuses wrong keys and damaged images */
    DUT_IDENTITY = 1 << 2,        /* refuses other device types and newer hardware revisions */
    DUT_NO_DOWNGRADE = 1 << 3,    /* refuses older versions (1.9 is older than 1.10) */
    DUT_TRIES = 1 << 4,           /* unconfirmed images run on trial; crossed with behaviours */
    DUT_REPORTS = 1 << 5,         /* tells every outcome by report() */
    DUT_REMEMBERS = 1 << 6,       /* does not install again what was rolled back */
    DUT_ROLLS_BACK = 1 << 7,      /* obeys DUT_OFFER_ROLLBACK */
    DUT_SURVIVES_DAMAGE = 1 << 8, /* bit rot and bad sectors are tried too */
};

struct dut_range {
    uint32_t addr, len;
    uint32_t part; /* of ranges(): see there */
};

/* An image that the sweep wants to exist. size_bytes: of the whole, as far as the format allows. */
struct dut_image_spec {
    const char *version, *device_type, *min_hw_revision;
    uint32_t security_counter, size_bytes;
    uint64_t seed;
};

struct dut {
    uint32_t abi; /* DUT_ABI; first in every version */
    const char *name;
    const char *about;          /* one line */
    uint32_t traits;            /* enum dut_trait, or-ed */
    uint32_t ram_bytes;         /* of what `ram` points to, aligned to 16; may be 0 */
    uint32_t variants;          /* ways the factory may leave it, 1 to 255 */
    const char *const *variant; /* their names, NULL: "factory" alone */

    /* NULL when the device works with this geometry, else what it would accept. May be NULL. */
    const char *(*refuses)(const struct dut_unit *unit);

    /* The image's bytes in the device's own format, signature not included: the number of bytes, 0
     * when it does not fit max. The same bytes for the same spec, others for another; the host
     * hashes and signs them (struct dut_image), and finds them at image_addr. What else the format
     * has around them, such as the signature, the updater and the factory write from the offer.
     * NULL: Brickyard's format (bootloader/FORMAT.md). */
    uint32_t (*pack)(const struct dut_image_spec *spec, uint8_t *out, uint32_t max);

    /* What the factory leaves: this image installed, confirmed, first in line. The flash is erased
     * but for the bootloader and the application's data. No cut comes. 0 or negative. */
    int (*factory)(void *ram, const struct dut_port *port, const struct dut_image *image);

    void (*boot)(void *ram, const struct dut_port *port, enum dut_reset reset,
                 struct dut_boot *out);
    enum dut_run (*run)(void *ram, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *boot);

    /*
     * The canonical form, for merging equal states; NULL: flash is compared byte by byte, and no
     * search of any number of cuts has an end while something on flash grows.
     * ranges: the regions that it stands for (whole sectors); flash elsewhere is compared byte by
     * byte. Each belongs to a part, 0 .. DUT_PARTS - 1, which is told by itself: split what can be
     * split, for a part is asked anew only when its own ranges have changed. canonical: writes
     * bytes that are equal exactly when the part's ranges mean the same future beside the other
     * parts: relative order instead of sequence numbers, nothing that is never read again, no wear,
     * no time. view has read() only, reads cost nothing and never change; torn bits which read
     * unstably are shown once as they were and once as they would be. Returns the bytes written,
     * 0 when max is too small or the flash holds what the function does not understand; then it is
     * compared byte by byte.
     */
    uint32_t (*ranges)(const struct dut_unit *unit, struct dut_range *out, uint32_t max);
    uint32_t (*canonical)(void *ram, const struct dut_port *view, uint32_t part, uint8_t *out,
                          uint32_t max);
    /*
     * Optional, beside canonical: ranges outside of ranges() whose bytes no code reads before it
     * has erased them (a half-written download, say). In searches of more than one cut only this is
     * compared of each whole sector there: whether it is blank. The number of ranges.
     */
    uint32_t (*scratch)(void *ram, const struct dut_port *view, struct dut_range *out,
                        uint32_t max);
};

/* A plugin's only symbol. Never NULL; the same at each call. */
const struct dut *dut_device(void);

#endif

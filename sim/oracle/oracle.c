/* What a slot holds, read from outside; verdicts on known content are remembered. */
#include "sim/oracle.h"
#include "formats.h"
#include "verify.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A verdict on known image `image` of `known` under this key and signature. */
struct memo {
    const struct sim_flash_known *known; /* NULL: free */
    int image;
    uint32_t key, image_bytes, signature_bytes;
    uint8_t signature[ORACLE_SIGNATURE_MAX];
    bool valid;
};

enum { MEMOS = 64 };

struct sim_oracle {
    struct boot_layout layout;
    struct sim_oracle_trust trust;
    struct oracle_verifier verifier;
    struct oracle_crc crc;
    struct memo memo[MEMOS];
    uint32_t memo_next;
    /* One sector, with unstable bits as 0 and as 1; high is not filled when there are none. */
    uint8_t *low, *high;
    bool stable;
};

int sim_oracle_create(struct sim_oracle **out, const struct boot_layout *layout,
                      const struct sim_oracle_trust *trust)
{
    assert(out && layout && trust);
    *out = NULL;
    struct sim_oracle *oracle = calloc(1, sizeof *oracle);
    if (!oracle)
        return -1;
    oracle->layout = *layout;
    oracle->trust = *trust;
    oracle_crc_init(&oracle->crc);
    oracle->low = malloc(layout->sector_bytes);
    oracle->high = malloc(layout->sector_bytes);
    if (!oracle->low || !oracle->high || oracle_verifier_init(&oracle->verifier, trust)) {
        sim_oracle_free(oracle);
        return -1;
    }
    *out = oracle;
    return 0;
}

void sim_oracle_free(struct sim_oracle *oracle)
{
    if (!oracle)
        return;
    oracle_verifier_free(&oracle->verifier);
    free(oracle->low);
    free(oracle->high);
    free(oracle);
}

uint64_t sim_oracle_verifications(const struct sim_oracle *oracle)
{
    return oracle->verifier.done;
}

/* Fills low with a sector, and high too where some bit of it is unstable. */
static void read_sector(struct sim_oracle *oracle, const struct sim_flash *flash, uint32_t addr)
{
    uint32_t len = oracle->layout.sector_bytes;
    oracle->stable = !sim_flash_has_unstable(flash, addr, len);
    sim_flash_peek(flash, addr, oracle->low, len, 0);
    if (!oracle->stable)
        sim_flash_peek(flash, addr, oracle->high, len, 1);
}

/* Bytes that read the same whatever the unstable bits do. */
static bool is_steady(const struct sim_oracle *oracle, uint32_t at, uint32_t len)
{
    return oracle->stable || memcmp(oracle->low + at, oracle->high + at, len) == 0;
}

/* The first mark page behind a body of this size. */
static uint32_t first_mark(const struct sim_oracle *oracle, uint32_t body_bytes)
{
    uint32_t page = oracle->layout.page_bytes;
    return (body_bytes + page - 1) / page * page;
}

/* The highest number of the marks which do not depend on an unstable bit. */
static uint32_t confirmed_number(const struct sim_oracle *oracle)
{
    uint32_t highest = 0;
    for (uint32_t at = first_mark(oracle, ORACLE_BODY_BYTES); at < oracle->layout.sector_bytes;
         at += oracle->layout.page_bytes) {
        if (oracle->low[at] == 0xFF || !is_steady(oracle, at, ORACLE_MARK_BYTES))
            continue;
        uint32_t number = oracle_decode_mark(&oracle->crc, oracle->low + at);
        highest = number > highest ? number : highest;
    }
    return highest;
}

static bool find_key(const struct sim_oracle *oracle, const char *cert_id, uint32_t *key)
{
    for (*key = 0; *key < oracle->trust.keys; (*key)++)
        if (strncmp(oracle->trust.key[*key].cert_id, cert_id, ORACLE_ID_MAX) == 0)
            return true;
    return false;
}

static struct memo *find_memo(struct sim_oracle *oracle, const struct memo *wanted)
{
    for (uint32_t i = 0; i < MEMOS; i++) {
        struct memo *memo = &oracle->memo[i];
        if (memo->known && memo->known == wanted->known && memo->image == wanted->image &&
            memo->key == wanted->key && memo->image_bytes == wanted->image_bytes &&
            memo->signature_bytes == wanted->signature_bytes &&
            memcmp(memo->signature, wanted->signature, sizeof memo->signature) == 0)
            return memo;
    }
    return NULL;
}

/* Known content never changes, so its verdict may be remembered; anything else is read each time.
 */
static bool verify_known(struct sim_oracle *oracle, const struct oracle_claim *claim, int image)
{
    struct memo wanted = {.known = claim->flash->known,
                          .image = image,
                          .key = claim->key,
                          .image_bytes = claim->image_bytes,
                          .signature_bytes = claim->signature_bytes};
    memcpy(wanted.signature, claim->signature, claim->signature_bytes);
    struct memo *memo = find_memo(oracle, &wanted);
    if (!memo) {
        wanted.valid = oracle_verify(&oracle->verifier, claim);
        memo = &oracle->memo[oracle->memo_next++ % MEMOS];
        *memo = wanted;
    }
    return memo->valid;
}

static bool image_is_valid(struct sim_oracle *oracle, struct oracle_claim *claim)
{
    int image = sim_flash_known_at(claim->flash, claim->addr, claim->image_bytes);
    if (image >= 0)
        return verify_known(oracle, claim, image);
    /* An unstable bit that belongs to the image reads either way, and both must verify. */
    bool unstable = sim_flash_has_unstable(claim->flash, claim->addr, claim->image_bytes);
    claim->unstable_as = 0;
    if (!oracle_verify(&oracle->verifier, claim))
        return false;
    claim->unstable_as = 1;
    return !unstable || oracle_verify(&oracle->verifier, claim);
}

/* Reads the header into out; NULL when it is sound, else why not. */
static const char *read_header(const struct sim_oracle *oracle, const struct sim_flash *flash,
                               uint32_t addr, struct sim_oracle_slot *out)
{
    uint8_t low[ORACLE_HEADER_BYTES], high[ORACLE_HEADER_BYTES];
    struct oracle_header header;
    sim_flash_peek(flash, addr, low, sizeof low, 0);
    sim_flash_peek(flash, addr, high, sizeof high, 1);
    if (memcmp(low, high, sizeof low) != 0)
        return "unstable header";
    if (oracle_is_erased(low, sizeof low))
        return "no header";
    if (!oracle_decode_header(&oracle->crc, &header, low))
        return "broken header";
    memcpy(out->version, header.version, sizeof out->version);
    memcpy(out->device_type, header.device_type, sizeof out->device_type);
    memcpy(out->min_hw_revision, header.min_hw_revision, sizeof out->min_hw_revision);
    out->security_counter = header.security_counter;
    out->image_bytes = header.image_bytes;
    return NULL;
}

/* Decodes the trailer's body, which is in low and high; NULL when it is sound, else why not. */
static const char *read_body(const struct sim_oracle *oracle, struct oracle_body *body)
{
    if (!is_steady(oracle, 0, ORACLE_BODY_BYTES))
        return "unstable trailer";
    if (oracle_is_erased(oracle->low, ORACLE_BODY_BYTES))
        return "no trailer";
    return oracle_decode_body(&oracle->crc, body, oracle->low) ? NULL : "broken trailer";
}

/* NULL when the slot's image is right in itself; device, counter and revocation are not asked. */
static const char *judge_slot(struct sim_oracle *oracle, const struct sim_flash *flash,
                              uint32_t addr, const struct oracle_body *body,
                              struct sim_oracle_slot *out)
{
    uint32_t image_max = oracle->layout.slot_bytes - oracle->layout.sector_bytes;
    struct oracle_claim claim = {.flash = flash,
                                 .addr = addr,
                                 .image_bytes = body->image_bytes,
                                 .signature = body->signature,
                                 .signature_bytes = body->signature_bytes};
    if (body->image_bytes != out->image_bytes || body->image_bytes > image_max)
        return "sizes disagree";
    if (!find_key(oracle, body->cert_id, &claim.key))
        return "unknown key";
    out->revoked = oracle->trust.key[claim.key].revoked;
    return image_is_valid(oracle, &claim) ? NULL : "signature";
}

void sim_oracle_slot(struct sim_oracle *oracle, const struct sim_flash *flash, int slot,
                     struct sim_oracle_slot *out)
{
    assert(oracle && flash && out && slot >= 0 && slot < BOOT_SLOTS);
    const struct boot_layout *layout = &oracle->layout;
    uint32_t addr = layout->slot_addr[slot];
    struct oracle_body body;
    memset(out, 0, sizeof *out);
    read_sector(oracle, flash, addr + layout->slot_bytes - layout->sector_bytes);
    out->confirmed_number = confirmed_number(oracle);
    out->confirmed = out->confirmed_number != 0;
    const char *no_body = read_body(oracle, &body);
    if (!no_body)
        memcpy(out->cert_id, body.cert_id, sizeof out->cert_id);
    /* The header is shown also where the trailer is broken. */
    const char *why = read_header(oracle, flash, addr, out);
    if (no_body)
        why = no_body;
    if (!why)
        why = judge_slot(oracle, flash, addr, &body, out);
    out->valid = why == NULL;
    if (why)
        strncpy(out->why, why, sizeof out->why - 1);
}

/* A mark that was torn may have read right by luck, which nobody can repeat. */
static bool may_read_confirmed(struct sim_oracle *oracle, const struct sim_flash *flash,
                               uint32_t trailer)
{
    read_sector(oracle, flash, trailer);
    if (oracle->stable || confirmed_number(oracle))
        return confirmed_number(oracle) != 0;
    for (uint32_t at = first_mark(oracle, ORACLE_BODY_BYTES); at < oracle->layout.sector_bytes;
         at += oracle->layout.page_bytes)
        if (!is_steady(oracle, at, ORACLE_MARK_BYTES) &&
            oracle_may_read_as_mark(oracle->low + at, oracle->high + at))
            return true;
    return false;
}

const char *sim_oracle_at_boot(struct sim_oracle *oracle, const struct sim_flash *flash,
                               const struct sim_flash_call *call, bool *confirms)
{
    assert(oracle && flash && call && confirms);
    const struct boot_layout *layout = &oracle->layout;
    *confirms = false;
    for (int slot = 0; slot < BOOT_SLOTS; slot++) {
        uint32_t end = layout->slot_addr[slot] + layout->slot_bytes;
        uint32_t trailer = end - layout->sector_bytes;
        if (call->addr >= end || call->addr + call->len <= layout->slot_addr[slot])
            continue;
        if (call->addr < trailer)
            return "an image was written during the boot, whichever will run";
        if (call->kind == SIM_FLASH_ERASE)
            return "a slot's trailer was erased during the boot";
        if (call->addr < trailer + first_mark(oracle, ORACLE_BODY_BYTES) ||
            call->addr + call->len > end)
            return "a slot's signature was written during the boot";
        *confirms = !may_read_confirmed(oracle, flash, trailer);
        return *confirms ? "an unconfirmed slot was marked during the boot, before any check could "
                           "pass"
                         : NULL;
    }
    return NULL;
}

/* The record in low and high, if it is complete and does not depend on an unstable bit. */
static bool read_record(const struct sim_oracle *oracle, struct oracle_record *out)
{
    if (!is_steady(oracle, 0, ORACLE_CONFIG_BYTES) ||
        !oracle_decode_record(&oracle->crc, out, oracle->low))
        return false;
    for (uint32_t at = first_mark(oracle, ORACLE_CONFIG_BYTES); at < oracle->layout.sector_bytes;
         at += oracle->layout.page_bytes)
        if (oracle->low[at] != 0xFF && is_steady(oracle, at, ORACLE_MARK_BYTES) &&
            oracle_mark_completes(&oracle->crc, out, oracle->low + at))
            return true;
    return false;
}

void sim_oracle_config(struct sim_oracle *oracle, const struct sim_flash *flash,
                       struct sim_oracle_config *out)
{
    assert(oracle && flash && out);
    memset(out, 0, sizeof *out);
    for (uint32_t copy = 0; copy < 2; copy++) {
        struct oracle_record record;
        read_sector(oracle, flash, oracle->layout.config_addr + copy * oracle->layout.sector_bytes);
        /* Sequences wrap: the newer is less than half the circle ahead. */
        if (!read_record(oracle, &record) ||
            (out->valid && record.sequence - out->sequence - 1 >= INT32_MAX))
            continue;
        *out = (struct sim_oracle_config){.valid = true,
                                          .sequence = record.sequence,
                                          .security_counter = record.security_counter,
                                          .active = record.active,
                                          .next = record.next,
                                          .trial_left = record.trial_left,
                                          .faulty_boots = record.faulty_boots,
                                          .cause = record.cause};
    }
}

/* An image and its proof: see slot.h. */
#include "slot.h"

#include <string.h>

enum { HEADER_BYTES = 128, PROOF_BYTES = 128, AT_CRC = 124 };
enum { IMAGE_BYTES_AT = 8, VERSION_AT = 16, DEVICE_TYPE_AT = 48, HW_REVISION_AT = 80 };
enum { PROOF_MAGIC = 0x464F5250 /* "PROF" */ };

static uint32_t proof_addr(const struct kit *kit, uint32_t slot)
{
    return kit->layout->slot_addr[slot] + kit->layout->slot_bytes - kit->layout->sector_bytes;
}

uint32_t slot_sectors(const struct kit *kit, uint32_t image_bytes)
{
    uint32_t size = kit->layout->sector_bytes;
    return kit_round_up(image_bytes, size) / size + 1;
}

uint32_t slot_sector(const struct kit *kit, uint32_t slot, uint32_t i, uint32_t sectors)
{
    if (i + 1 == sectors)
        return proof_addr(kit, slot);
    return kit->layout->slot_addr[slot] + i * kit->layout->sector_bytes;
}

static uint32_t image_bytes_max(const struct kit *kit)
{
    return kit->layout->slot_bytes - kit->layout->sector_bytes;
}

static bool header_read(struct kit *kit, uint32_t slot, struct slot_image *out)
{
    uint8_t header[HEADER_BYTES];
    if (kit_read(kit, kit->layout->slot_addr[slot], header, sizeof header) ||
        memcmp(header, "BYI1", 4) != 0 || kit_get32(header + AT_CRC) != kit_crc32(header, AT_CRC) ||
        kit_get32(header + IMAGE_BYTES_AT) != out->bytes)
        return false;
    memcpy(out->version, header + VERSION_AT, sizeof out->version);
    memcpy(out->device_type, header + DEVICE_TYPE_AT, sizeof out->device_type);
    memcpy(out->min_hw_revision, header + HW_REVISION_AT, sizeof out->min_hw_revision);
    return memchr(out->version, 0, sizeof out->version) &&
           memchr(out->device_type, 0, sizeof out->device_type) &&
           memchr(out->min_hw_revision, 0, sizeof out->min_hw_revision);
}

bool slot_read(struct kit *kit, uint32_t slot, struct slot_image *out)
{
    uint8_t proof[PROOF_BYTES];
    memset(out, 0, sizeof *out);
    if (kit_read(kit, proof_addr(kit, slot), proof, sizeof proof) ||
        kit_get32(proof) != PROOF_MAGIC || kit_get32(proof + AT_CRC) != kit_crc32(proof, AT_CRC))
        return false;
    out->bytes = kit_get32(proof + 4);
    out->key = kit_get32(proof + 8);
    out->signature_bytes = kit_get32(proof + 12);
    memcpy(out->sha256, proof + 16, sizeof out->sha256);
    memcpy(out->signature, proof + 48, sizeof out->signature);
    return out->bytes <= image_bytes_max(kit) && out->key < kit->port->unit->keys &&
           out->signature_bytes <= sizeof out->signature && header_read(kit, slot, out);
}

static bool hash_fits(struct kit *kit, uint32_t slot, const struct slot_image *image)
{
    const struct dut_port *port = kit->port;
    uint8_t hash[32];
    bool reads = true;
    port->sha256_begin(port->ctx);
    for (uint32_t at = 0; reads && at < image->bytes; at += KIT_PAGE_MAX) {
        uint32_t len = image->bytes - at < KIT_PAGE_MAX ? image->bytes - at : KIT_PAGE_MAX;
        reads = kit_read(kit, kit->layout->slot_addr[slot] + at, kit->page, len) == 0;
        port->sha256_update(port->ctx, kit->page, len);
    }
    port->sha256_final(port->ctx, hash);
    return reads && memcmp(hash, image->sha256, sizeof hash) == 0;
}

static bool is_for_this_device(const struct kit *kit, const char *device_type,
                               const char *min_hw_revision)
{
    const struct dut_unit *unit = kit->port->unit;
    return strcmp(device_type, unit->device_type) == 0 &&
           kit_compare(min_hw_revision, unit->hw_revision) <= 0;
}

bool slot_verify(struct kit *kit, uint32_t slot, struct slot_image *out)
{
    const struct dut_port *port = kit->port;
    return slot_read(kit, slot, out) && hash_fits(kit, slot, out) &&
           port->ecdsa_verify(port->ctx, port->unit->key[out->key].public_key, out->sha256,
                              out->signature, out->signature_bytes) == 0 &&
           is_for_this_device(kit, out->device_type, out->min_hw_revision);
}

/* The trusted key of this name; unit->keys when there is none. */
static uint32_t key_of(const struct kit *kit, const char *cert_id)
{
    uint32_t key = 0;
    while (key < kit->port->unit->keys && strcmp(kit->port->unit->key[key].id, cert_id) != 0)
        key++;
    return key;
}

static int proof_write(struct kit *kit, uint32_t slot, const struct dut_image *image)
{
    uint8_t proof[PROOF_BYTES] = {0};
    kit_put32(proof, PROOF_MAGIC);
    kit_put32(proof + 4, image->len);
    kit_put32(proof + 8, key_of(kit, image->cert_id));
    kit_put32(proof + 12, image->signature_len);
    memcpy(proof + 16, image->sha256, sizeof image->sha256);
    memcpy(proof + 48, image->signature, sizeof image->signature);
    kit_put32(proof + AT_CRC, kit_crc32(proof, AT_CRC));
    return kit_program(kit, proof_addr(kit, slot), proof, sizeof proof);
}

int slot_install(struct kit *kit, uint32_t slot, const struct dut_image *image)
{
    if (image->len > image_bytes_max(kit) ||
        kit_program(kit, kit->layout->slot_addr[slot], image->bytes, image->len))
        return -1;
    return proof_write(kit, slot, image);
}

const char *offer_refusal(const struct kit *kit, const struct dut_image *offer,
                          const struct slot_image *runs)
{
    if (!is_for_this_device(kit, offer->device_type, offer->min_hw_revision))
        return "refused: for other hardware";
    if (kit_compare(offer->version, runs->version) <= 0)
        return "refused: not newer than what runs";
    if (key_of(kit, offer->cert_id) == kit->port->unit->keys)
        return "refused: signed by an unknown key";
    if (offer->len > image_bytes_max(kit) || offer->signature_len > DUT_SIGNATURE_MAX)
        return "refused: too large";
    return NULL;
}

/* One page of the offer; 0 or -1. */
static int fetch_page(struct kit *kit, uint32_t offset, uint32_t len)
{
    for (uint32_t got = 0; got < len;) {
        int32_t more = kit->port->fetch(kit->port->ctx, offset + got, kit->other + got, len - got);
        if (more <= 0)
            return -1;
        got += (uint32_t)more;
    }
    return 0;
}

/* Of the offer, or of what runs if that is larger: a swap moves so many, and what is behind the
 * smaller image is blank then. */
static uint32_t sectors_of_both(struct kit *kit, uint32_t runs, uint32_t offered_bytes)
{
    struct slot_image image;
    bool larger = slot_read(kit, runs, &image) && image.bytes > offered_bytes;
    return slot_sectors(kit, larger ? image.bytes : offered_bytes);
}

/* 0 with *fetched telling if all of the offer came; -1 when the flash failed. */
static int download(struct kit *kit, uint32_t slot, const struct dut_image *offer, bool *fetched)
{
    uint32_t page = kit->layout->page_bytes, sectors = sectors_of_both(kit, !slot, offer->len);
    *fetched = false;
    for (uint32_t i = sectors; i-- > 0;)
        if (kit_erase(kit, slot_sector(kit, slot, i, sectors)))
            return -1;
    if (proof_write(kit, slot, offer))
        return -1;
    for (uint32_t at = 0; at < offer->len; at += page) {
        uint32_t len = offer->len - at < page ? offer->len - at : page;
        if (fetch_page(kit, at, len))
            return 0;
        if (kit_program(kit, kit->layout->slot_addr[slot] + at, kit->other, len))
            return -1;
        kit->port->kick(kit->port->ctx, 0);
    }
    *fetched = true;
    return 0;
}

enum dut_status offer_download(struct kit *kit, uint32_t slot, const struct dut_image *offer)
{
    struct slot_image image;
    bool fetched = false;
    int failed = -1;
    for (int i = 0; i < KIT_ATTEMPTS && failed; i++)
        failed = download(kit, slot, offer, &fetched);
    if (failed || !fetched)
        return DUT_SAYS_DOWNLOAD_FAILED;
    /* What the service said is worth nothing where the signed header says something else. */
    if (!slot_verify(kit, slot, &image) || strcmp(image.version, offer->version) != 0)
        return DUT_SAYS_VERIFY_FAILED;
    return DUT_SAYS_PROGRESS;
}

bool offer_is_healthy(const struct kit *kit)
{
    const struct dut_port *port = kit->port;
    int64_t start_ms = port->now_ms(port->ctx);
    for (int check = 0; check < DUT_CHECKS; check++) {
        if (check == DUT_CHECK_NO_FAULT) {
            port->kick(port->ctx, port->unit->fault_free_ms / 1000 + port->unit->watchdog_s);
            port->sleep_until(port->ctx, start_ms + port->unit->fault_free_ms);
        }
        if (!port->check(port->ctx, (enum dut_check)check))
            return false;
    }
    return true;
}

void offer_tell(const struct kit *kit, enum dut_status status, const struct dut_offer *offer,
                const struct slot_image *runs, const char *text)
{
    struct dut_report report = {.status = status,
                                .firmware_id = offer->image.firmware_id,
                                .version = runs->version,
                                .text = text};
    kit->port->report(kit->port->ctx, &report);
}

/* Images, keys and factory flash of a virtual run. */
#include "sim/world.h"
#include "sim/firmware.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_GOOD "prod-2026"
#define KEY_REVOKED "old-2024"

enum { FILE_BYTES_MAX = 64 << 20 };

static int fail(char *message, size_t len, const char *what, const char *detail)
{
    snprintf(message, len, "%s: %s", what, detail);
    return -1;
}

static void make_layout(struct boot_layout *out, const struct scn_flash *flash)
{
    *out = (struct boot_layout){.sector_bytes = flash->sector_bytes,
                                .page_bytes = flash->page_bytes,
                                .bootloader_bytes = flash->bootloader_bytes,
                                .config_addr = flash->bootloader_bytes,
                                .slot_bytes = flash->slot_bytes,
                                .data_bytes = flash->data_bytes,
                                .journal_bytes = flash->journal_bytes};
    out->slot_addr[0] = out->config_addr + flash->config_sectors * flash->config_sector_bytes;
    out->slot_addr[1] = out->slot_addr[0] + flash->slot_bytes;
    out->data_addr = out->slot_addr[1] + flash->slot_bytes;
}

/* In the form of the scenario parser's own messages. */
static int fail_file(char *message, size_t len, const struct sim_artifact *artifact,
                     const struct scn *scn, const char *path, const char *what)
{
    const struct scn_firmware *from = artifact->from;
    snprintf(message, len, "%s:%d:%d: firmware.%s.file: %s: %s", scn->path, from->line,
             from->column, from->version, path, what);
    return -1;
}

/* The whole file; NULL, or what is wrong with it. A folder opens, but can't be read. */
static const char *read_whole(struct sim_artifact *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return strerror(errno);
    out->bytes = malloc(FILE_BYTES_MAX);
    errno = 0;
    size_t got = out->bytes ? fread(out->bytes, 1, FILE_BYTES_MAX, file) : 0;
    int reason = ferror(file) ? errno : 0;
    bool whole = feof(file);
    fclose(file);
    out->len = (uint32_t)got;
    if (reason)
        return strerror(reason);
    return whole ? NULL : "not a firmware image (too long)";
}

int sim_world_read_image(struct sim_artifact *out, const struct scn *scn, char *message, size_t len)
{
    char path[1400];
    const char *slash = strrchr(scn->path, '/');
    int folder = slash && out->from->file[0] != '/' ? (int)(slash + 1 - scn->path) : 0;
    snprintf(path, sizeof path, "%.*s%s", folder, scn->path, out->from->file);
    const char *wrong = read_whole(out, path);
    if (!wrong &&
        (out->len < BOOT_IMAGE_HEADER_BYTES || boot_image_decode(&out->header, out->bytes) ||
         out->header.image_bytes != out->len))
        wrong = "not a firmware image (make one by `brickyard firmware build`)";
    if (!wrong && strcmp(out->header.version, out->from->version))
        wrong = "its header names another version than the scenario";
    return wrong ? fail_file(message, len, out, scn, path, wrong) : 0;
}

static int make_image(struct sim_artifact *out, const struct scn *scn, const char *device_type,
                      char *message, size_t len)
{
    struct boot_image *header = &out->header;
    if (*out->from->file)
        return sim_world_read_image(out, scn, message, len);
    out->len = out->from->size_bytes;
    header->image_bytes = out->len;
    header->security_counter = out->from->security_counter;
    snprintf(header->version, sizeof header->version, "%s", out->from->version);
    snprintf(header->device_type, sizeof header->device_type, "%s",
             *out->from->device_type ? out->from->device_type : device_type);
    snprintf(header->min_hw_revision, sizeof header->min_hw_revision, "%s",
             out->from->min_hw_revision);
    int error = sim_fw_make(&out->bytes, scn->seed, header, out->len);
    return error ? fail(message, len, out->from->version, sim_fw_error_name(error)) : 0;
}

static int sign(struct sim_artifact *out, const struct sim_fw_key key[3])
{
    /* r = s = 1: well-formed, and a signature of nothing. */
    static const uint8_t unsigned_der[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
    const struct sim_fw_key *by = &key[0];
    if (out->from->signing == SCN_SIGN_REVOKED)
        by = &key[1];
    else if (out->from->signing == SCN_SIGN_WRONG_KEY)
        by = &key[2];
    snprintf(out->cert_id, sizeof out->cert_id, "%s", by->cert_id);
    if (out->from->signing == SCN_SIGN_NONE) {
        memcpy(out->signature, unsigned_der, sizeof unsigned_der);
        out->signature_bytes = sizeof unsigned_der;
        return 0;
    }
    return sim_fw_sign(by, out->bytes, out->len, out->signature, &out->signature_bytes);
}

static int make_artifacts(struct sim_world *world, const struct sim_fw_key key[3], char *message,
                          size_t len)
{
    const struct scn *scn = world->scn;
    const char *type = scn->group[0].device_type; /* where all are labs */
    for (uint32_t g = scn->groups; g-- > 0;)
        if (!scn->group[g].lab)
            type = scn->group[g].device_type;
    for (uint32_t i = 0; i < scn->firmwares; i++) {
        struct sim_artifact *artifact = &world->artifact[i];
        artifact->from = &scn->firmware[i];
        if (make_image(artifact, scn, type, message, len))
            return -1;
        if (artifact->len > boot_layout_image_max(&world->layout))
            return fail(message, len, artifact->from->version, "the image does not fit the slot");
        if (sign(artifact, key))
            return fail(message, len, artifact->from->version, "could not be signed");
        snprintf(artifact->url, sizeof artifact->url,
                 "https://artifacts.invalid/firmware-%.32s.bin", artifact->from->version);
        if (!strcmp(artifact->from->version, scn->campaign.to))
            world->candidate = i;
        if (sim_flash_known_add(&world->known, artifact->bytes, artifact->len) < 0)
            return fail(message, len, artifact->from->version, "no memory");
    }
    return 0;
}

static int make_keys(struct sim_world *world, struct sim_fw_key key[3])
{
    uint64_t seed = world->scn->seed;
    /* The third one is the attacker's: same certificate id, another key. */
    if (sim_fw_key_derive(&key[0], seed, 0, KEY_GOOD) ||
        sim_fw_key_derive(&key[1], seed, 1, KEY_REVOKED) ||
        sim_fw_key_derive(&key[2], seed, 2, KEY_GOOD))
        return -1;
    world->keys = (struct boot_keys){world->key, 2};
    world->trust.keys = 2;
    for (uint32_t i = 0; i < 2; i++) {
        memcpy(world->key[i].cert_id, key[i].cert_id, sizeof world->key[i].cert_id);
        memcpy(world->key[i].public_key, key[i].public_key, sizeof world->key[i].public_key);
        memcpy(world->trust.key[i].cert_id, key[i].cert_id, sizeof world->trust.key[i].cert_id);
        memcpy(world->trust.key[i].public_key, key[i].public_key,
               sizeof world->trust.key[i].public_key);
    }
    world->trust.key[1].revoked = true;
    return 0;
}

/* What the factory leaves: boot config, the first image with its proof, everything through the real
 * format code; bootloader and application data are filled by seed. */
static int write_factory(struct sim_flash *flash, const struct sim_world *world,
                         const struct sim_artifact *image)
{
    struct boot_trailer trailer = {.image_bytes = image->len,
                                   .signature_bytes = (uint16_t)image->signature_bytes};
    memcpy(trailer.cert_id, image->cert_id, sizeof trailer.cert_id);
    memcpy(trailer.signature, image->signature, sizeof trailer.signature);
    struct boot_config config = {
        .rollback_on_fail = 1, .security_counter = 1, .revoked_count = 1, .revoked_at_boot = 1};
    snprintf(config.revoked[0], sizeof config.revoked[0], "%s", KEY_REVOKED);
    return boot_trailer_write(&flash->port, &world->layout, BOOT_SLOT_A, &trailer) ||
           boot_trailer_mark(&flash->port, &world->layout, BOOT_SLOT_A, 1) ||
           boot_config_write(&flash->port, &world->layout, &config);
}

static int fill(struct sim_flash_base *base, const struct sim_world *world, uint32_t from,
                uint32_t to)
{
    for (uint32_t at = from; at < to; at += 4) {
        uint32_t word = sim_rng_at(world->scn->seed, 0, SIM_RNG_IMAGE, at);
        if (sim_flash_base_put(base, at, &word, to - at < 4 ? to - at : 4))
            return -1;
    }
    return 0;
}

static int copy_out(struct sim_flash_base *base, const struct sim_flash *from, uint32_t addr,
                    uint32_t len)
{
    uint8_t *bytes = malloc(len);
    if (!bytes)
        return -1;
    sim_flash_peek(from, addr, bytes, len, 1);
    int error = sim_flash_base_put(base, addr, bytes, len);
    free(bytes);
    return error;
}

static int make_base(struct sim_world *world, uint32_t group)
{
    const struct boot_layout *layout = &world->layout;
    const struct sim_artifact *image = NULL;
    for (uint32_t i = 0; i < world->scn->firmwares; i++)
        if (!strcmp(world->artifact[i].from->version, world->scn->group[group].firmware))
            image = &world->artifact[i];
    struct sim_flash_base blank, *base = &world->base[group];
    struct sim_flash work;
    int64_t clock = 0;
    uint32_t bytes = layout->data_addr + layout->data_bytes;
    if (!image || sim_flash_base_init(&blank, bytes, layout->sector_bytes, layout->page_bytes))
        return -1;
    int error =
        sim_flash_base_init(base, bytes, layout->sector_bytes, layout->page_bytes) ||
        sim_flash_init(&work, &blank, &world->known, &world->timing, &clock, world->scn->seed, 0);
    if (!error) {
        uint32_t app = layout->data_addr + layout->journal_bytes;
        uint32_t app_end = app + 16384 < bytes ? app + 16384 : bytes;
        uint32_t marks = boot_layout_trailer(layout, BOOT_SLOT_A);
        error = write_factory(&work, world, image) ||
                fill(base, world, 0, layout->bootloader_bytes) || fill(base, world, app, app_end) ||
                sim_flash_base_put(base, layout->slot_addr[0], image->bytes, image->len) ||
                copy_out(base, &work, layout->config_addr, 2 * layout->sector_bytes) ||
                copy_out(base, &work, marks, layout->sector_bytes);
        sim_flash_free(&work);
    }
    sim_flash_base_free(&blank);
    if (!error)
        sim_flash_base_share(base, &world->known, (int)(image - world->artifact),
                             layout->slot_addr[0]);
    return error ? -1 : 0;
}

int sim_world_manifest(const struct sim_world *world, const char *url, char **out)
{
    const struct sim_artifact *image = &world->artifact[world->candidate];
    char firmware_id[48];
    snprintf(firmware_id, sizeof firmware_id, "fw-%.32s", image->from->version);
    const struct sim_fw_manifest manifest = {
        .firmware_id = firmware_id,
        .binary_url = url,
        .signing_cert_id = image->cert_id,
        .release_notes_url = "https://artifacts.invalid/notes",
        .rollback_version = world->scn->campaign.rollback_version,
        .published_at = "2026-01-01T00:00:00Z",
        .image = image->bytes,
        .image_bytes = image->len,
        .sig = image->signature,
        .sig_len = image->signature_bytes,
    };
    return sim_fw_manifest(out, &manifest);
}

static int make_manifest(struct sim_world *world, char *message, size_t len)
{
    int error = sim_world_manifest(world, world->artifact[world->candidate].url, &world->manifest);
    return error ? fail(message, len, "manifest", sim_fw_error_name(error)) : 0;
}

int sim_world_serve(struct sim_world *world,
                    void (*url)(void *ctx, const char *version, char *out, size_t len), void *ctx,
                    char *message, size_t len)
{
    for (uint32_t i = 0; i < world->scn->firmwares; i++)
        url(ctx, world->artifact[i].from->version, world->artifact[i].url,
            sizeof world->artifact[i].url);
    free(world->manifest);
    world->manifest = NULL;
    return make_manifest(world, message, len);
}

int sim_world_build(struct sim_world *out, const struct scn *scn, char *message, size_t len)
{
    struct sim_fw_key key[3];
    memset(out, 0, sizeof *out);
    out->scn = scn;
    out->pace = 1;
    out->born_us = scn->start_us;
    out->timing =
        (struct sim_flash_timing){.program_us = 700, .erase_us = 45000, .read_us_per_4k = 330};
    make_layout(&out->layout, &scn->flash);
    if (boot_layout_check(&out->layout))
        return fail(message, len, "flash",
                    "the layout breaks the bootloader's rules (bootloader/FORMAT.md)");
    sim_flash_known_init(&out->known, &out->layout);
    if (make_keys(out, key))
        return fail(message, len, "keys", "could not be derived");
    if (make_artifacts(out, key, message, len))
        return -1;
    for (uint32_t g = 0; g < scn->groups; g++)
        if (make_base(out, g))
            return fail(message, len, scn->group[g].name, "the factory flash could not be made");
    if (make_manifest(out, message, len))
        return -1;
    if (sim_roster_build(&out->roster, scn) ||
        sim_faults_build(&out->faults, &out->roster, out->artifact[out->candidate].len))
        return fail(message, len, "fleet", "no memory");
    return 0;
}

void sim_world_free(struct sim_world *world)
{
    for (uint32_t i = 0; i < SCN_FIRMWARE_MAX; i++)
        free(world->artifact[i].bytes);
    for (uint32_t g = 0; g < SCN_GROUPS_MAX; g++)
        if (world->base[g].sector)
            sim_flash_base_free(&world->base[g]);
    sim_flash_known_free(&world->known);
    sim_faults_free(&world->faults);
    sim_roster_free(&world->roster);
    free(world->manifest);
    memset(world, 0, sizeof *world);
}

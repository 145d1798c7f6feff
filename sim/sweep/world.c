/* The world of a sweep: images and keys by seed, what the service says of each, the blank flash. */
#include "internal.h"
#include "sim/firmware.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char campaign_id[] = "sweep";
/* No campaign here names an older version that may run. */
static const char no_version[] = "0.0.0";
static const char deadline[] = "2099-01-01T00:00:00Z";
enum { APPLICATION_BYTES = 16384, PACK_MAX = 64 << 20 };
enum { RANGES_MAX = sizeof((struct sweep_world *)0)->range / sizeof(struct dut_range) };

static int fail(char *message, size_t len, const char *what, const char *detail)
{
    snprintf(message, len, "%s: %s", what, detail);
    return -1;
}

static void make_unit(struct sweep_world *world, const struct scn *scn,
                      const struct scn_group *group)
{
    const struct boot_layout *from = &world->base.layout;
    struct dut_unit *unit = &world->unit;
    unit->layout = (struct dut_layout){.flash_bytes = from->data_addr + from->data_bytes,
                                       .sector_bytes = from->sector_bytes,
                                       .page_bytes = from->page_bytes,
                                       .bootloader_bytes = from->bootloader_bytes,
                                       .config_addr = from->config_addr,
                                       .config_bytes = 2 * from->sector_bytes,
                                       .slot_addr = {from->slot_addr[0], from->slot_addr[1]},
                                       .slot_bytes = from->slot_bytes,
                                       .data_addr = from->data_addr,
                                       .data_bytes = from->data_bytes,
                                       .journal_bytes = from->journal_bytes};
    for (uint32_t i = 0; i < 2; i++) {
        memcpy(world->key[i].id, world->base.key[i].cert_id, sizeof world->key[i].id);
        memcpy(world->key[i].public_key, world->base.key[i].public_key,
               sizeof world->key[i].public_key);
    }
    unit->key = world->key;
    unit->keys = 2;
    unit->device_type = group->device_type;
    unit->hw_revision = group->hw_revision.share[0].name;
    unit->trial_boots = scn->device.trial_boots;
    unit->watchdog_s = (uint32_t)(scn->device.watchdog_us / 1000000);
    unit->mqtt_within_ms = (uint32_t)(scn->device.mqtt_within_us / 1000);
    unit->fault_free_ms = (uint32_t)(scn->device.fault_free_us / 1000);
}

/* How an image of the sweep differs from a good one. */
struct recipe {
    int newer; /* minor versions: from the next power of ten on; -1: older than the base; -2: it */
    bool good, wrong_key, short_served, damaged;
    const char *device_type, *min_hw;
    uint32_t counter;
};

static const struct recipe recipe[SWEEP_IMAGES] = {
    [IMAGE_ORIGIN] = {.newer = -2, .good = true, .counter = 1},
    [IMAGE_SMALL] = {.newer = 0, .good = true, .counter = 2},
    [IMAGE_FURTHER] = {.newer = 1, .good = true, .counter = 3},
    [IMAGE_LATER] = {.newer = 2, .good = true, .counter = 4},
    [IMAGE_LAST] = {.newer = 3, .good = true, .counter = 5},
    [IMAGE_OLDER] = {.newer = -1, .counter = 1},
    [IMAGE_DISGUISED] = {.newer = -1, .counter = 1},
    [IMAGE_WRONG_KEY] = {.newer = 4, .wrong_key = true, .counter = 3},
    [IMAGE_WRONG_TYPE] = {.newer = 5, .device_type = "another_device", .counter = 3},
    [IMAGE_WRONG_REVISION] = {.newer = 6, .min_hw = "Rev-Z99", .counter = 3},
    [IMAGE_SHORT] = {.newer = 7, .short_served = true, .counter = 3},
    [IMAGE_DAMAGED] = {.newer = 8, .damaged = true, .counter = 3},
    [IMAGE_EXTRA] = {.newer = 9, .good = true, .counter = 6},
};

/* Newer versions begin at a minor number of one digit more than the scenario's, so that an order of
 * text finds them older. */
static bool make_version(char out[32], int newer, const struct scn *scn, const char *base)
{
    int major, minor, patch, b_major, b_minor, b_patch;
    if (sscanf(scn->campaign.to, "%d.%d.%d", &major, &minor, &patch) != 3 || major < 0 || minor < 0)
        return false;
    if (newer == -2) {
        snprintf(out, 32, "%s", base);
        return true;
    }
    if (newer < 0 && sscanf(base, "%d.%d.%d", &b_major, &b_minor, &b_patch) != 3)
        return false;
    int next = 10;
    while (next <= minor)
        next *= 10;
    if (newer >= 0)
        snprintf(out, 32, "%d.%d.%d", major, next + newer, patch);
    else if (b_minor > 0)
        snprintf(out, 32, "%d.%d.%d", b_major, b_minor - 1, b_patch);
    else if (b_major > 0)
        snprintf(out, 32, "%d.99.0", b_major - 1);
    else
        snprintf(out, 32, "0.0.0-rc.1");
    return true;
}

static int sign_image(struct sweep_world *world, struct sweep_image *image, uint32_t key)
{
    struct sim_fw_key by;
    size_t len;
    /* Key 2 is the attacker's, under the id of key 0. */
    const char *id = world->key[0].id;
    if (sim_fw_key_derive(&by, world->scn->seed, key, id) ||
        sim_fw_sign(&by, image->bytes, image->dut.len, image->dut.signature, &len))
        return -1;
    image->dut.signature_len = (uint32_t)len;
    image->dut.cert_id = id;
    return 0;
}

static int pack_image(struct sweep_world *world, struct sweep_image *image,
                      const struct dut_image_spec *spec)
{
    if (world->dut->pack) {
        uint32_t max = world->unit.layout.slot_bytes;
        image->bytes = calloc(1, max);
        image->dut.len = image->bytes ? world->dut->pack(spec, image->bytes, max) : 0;
        return image->dut.len ? 0 : -1;
    }
    struct boot_image header = {.image_bytes = spec->size_bytes,
                                .security_counter = spec->security_counter};
    snprintf(header.version, sizeof header.version, "%s", spec->version);
    snprintf(header.device_type, sizeof header.device_type, "%s", spec->device_type);
    snprintf(header.min_hw_revision, sizeof header.min_hw_revision, "%s", spec->min_hw_revision);
    image->dut.len = spec->size_bytes;
    return sim_fw_make(&image->bytes, spec->seed, &header, spec->size_bytes);
}

/* The scenario's own images keep their bytes, unless the device has a format of its own. */
static int take_artifact(struct sweep_world *world, uint8_t id, const struct sim_artifact *from)
{
    struct sweep_image *image = &world->image[id];
    snprintf(image->version, sizeof image->version, "%s", from->header.version);
    image->dut.security_counter = from->header.security_counter;
    image->dut.device_type = world->unit.device_type;
    image->dut.min_hw_revision = from->header.min_hw_revision;
    image->good = true;
    if (world->dut->pack) {
        struct dut_image_spec spec = {.version = image->version,
                                      .device_type = world->unit.device_type,
                                      .min_hw_revision = from->header.min_hw_revision,
                                      .security_counter = from->header.security_counter,
                                      .size_bytes = from->len,
                                      .seed = world->scn->seed + id};
        return pack_image(world, image, &spec);
    }
    image->dut.len = from->len;
    image->bytes = malloc(from->len);
    if (!image->bytes)
        return -1;
    memcpy(image->bytes, from->bytes, from->len);
    return 0;
}

static int make_image(struct sweep_world *world, uint8_t id, uint32_t small)
{
    const struct recipe *how = &recipe[id];
    struct sweep_image *image = &world->image[id];
    if (!make_version(image->version, how->newer, world->scn, world->image[IMAGE_BASE].version))
        return -1;
    image->dut.device_type = how->device_type ? how->device_type : world->unit.device_type;
    image->dut.min_hw_revision =
        how->min_hw ? how->min_hw : world->image[IMAGE_BASE].dut.min_hw_revision;
    image->dut.security_counter = how->counter;
    image->good = how->good;
    struct dut_image_spec spec = {.version = image->version,
                                  .device_type = image->dut.device_type,
                                  .min_hw_revision = image->dut.min_hw_revision,
                                  .security_counter = how->counter,
                                  .size_bytes = small,
                                  .seed = world->scn->seed +
                                          (id == IMAGE_DISGUISED ? IMAGE_OLDER : id)};
    return pack_image(world, image, &spec);
}

static char *hex(const uint8_t *bytes, size_t len)
{
    char *out = calloc(1, 2 * len + 1);
    for (size_t i = 0; out && i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return out;
}

/* ota/notification as CONTRACT.md has it. */
static int make_message(struct sweep_image *image)
{
    char *checksum = hex(image->dut.sha256, 32);
    char *signature = hex(image->dut.signature, image->dut.signature_len);
    char url[96];
    snprintf(url, sizeof url, "https://a/%s", image->version);
    json_t *root =
        checksum && signature
            ? json_pack("{s:s,s:{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s},s:b,s:s}",
                        "campaign_id", campaign_id, "manifest", "firmware_id", image->firmware_id,
                        "version", image->version, "device_type", image->dut.device_type,
                        "min_hw_revision", image->dut.min_hw_revision, "binary_url", url,
                        "binary_size_bytes", (json_int_t)image->dut.len, "checksum_sha256",
                        checksum, "signature_ecdsa", signature, "signing_cert_id",
                        image->dut.cert_id, "release_notes_url", "https://a/n", "rollback_version",
                        no_version, "published_at", "2026-01-01T00:00:00Z", "force", 0, "deadline",
                        deadline)
            : NULL;
    image->message = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    free(checksum);
    free(signature);
    return image->message ? 0 : -1;
}

/* What is the same for all images once their bytes are there. */
static int finish_image(struct sweep_world *world, uint8_t id)
{
    struct sweep_image *image = &world->image[id];
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    if (boot_openssl_init(&openssl))
        return -1;
    boot_openssl_port(&openssl, &crypto);
    crypto.sha256_begin(crypto.ctx);
    crypto.sha256_update(crypto.ctx, image->bytes, image->dut.len);
    crypto.sha256_final(crypto.ctx, image->dut.sha256);
    boot_openssl_free(&openssl);
    if (sign_image(world, image, recipe[id].wrong_key ? 2 : 0))
        return -1;
    if (id == IMAGE_DISGUISED && !make_version(image->version, 10, world->scn, ""))
        return -1;
    memcpy(image->firmware_id, "fw-", 3);
    memcpy(image->firmware_id + 3, image->version, sizeof image->version);
    image->served = recipe[id].short_served ? image->dut.len * 575u / 10000u : image->dut.len;
    image->flip_at = recipe[id].damaged ? image->dut.len / 2 : UINT32_MAX;
    image->dut.version = image->version;
    image->dut.firmware_id = image->firmware_id;
    image->dut.bytes = image->bytes;
    return make_message(image) ||
                   sim_flash_known_add(&world->known, image->bytes, image->dut.len) != id
               ? -1
               : 0;
}

static int make_images(struct sweep_world *world, const struct scn_group *group)
{
    const struct sim_world *base = &world->base;
    uint32_t sector = world->unit.layout.sector_bytes, update = base->artifact[base->candidate].len;
    /* Spans two sectors, as far as the slot allows. */
    uint32_t small = sector + sector / 4;
    small = small < update ? small : update;
    for (uint32_t i = 0; i < world->scn->firmwares; i++)
        if (!strcmp(world->scn->firmware[i].version, group->firmware) &&
            take_artifact(world, IMAGE_BASE, &base->artifact[i]))
            return -1;
    if (take_artifact(world, IMAGE_UPDATE, &base->artifact[base->candidate]))
        return -1;
    for (uint8_t id = IMAGE_SMALL; id < SWEEP_IMAGES; id++)
        if (make_image(world, id, small))
            return -1;
    for (uint8_t id = 0; id < SWEEP_IMAGES; id++)
        if (finish_image(world, id))
            return -1;
    return 0;
}

/* The bootloader's own code and the application's data: bytes by seed, never to change. */
static int fill(struct sweep_world *world, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at += 4) {
        uint32_t word = sim_rng_at(world->scn->seed, 0, SIM_RNG_IMAGE, at);
        if (sim_flash_base_put(&world->flash, at, &word, 4))
            return -1;
    }
    return 0;
}

static int make_flash(struct sweep_world *world)
{
    const struct dut_layout *layout = &world->unit.layout;
    uint32_t app = layout->data_addr + layout->journal_bytes;
    uint32_t end = app + APPLICATION_BYTES < layout->flash_bytes ? app + APPLICATION_BYTES
                                                                 : layout->flash_bytes;
    return sim_flash_base_init(&world->flash, layout->flash_bytes, layout->sector_bytes,
                               layout->page_bytes) ||
                   fill(world, 0, layout->bootloader_bytes) || fill(world, app, end)
               ? -1
               : 0;
}

/* A range that is not whole sectors is not used: it would hide bytes from the comparison. */
static int make_ranges(struct sweep_world *world, const char *device, char *message, size_t len)
{
    const struct dut_layout *layout = &world->unit.layout;
    world->sectors = layout->flash_bytes / layout->sector_bytes;
    world->part_of = calloc(world->sectors, 1);
    if (!world->part_of)
        return fail(message, len, "sweep", "no memory");
    if (!world->dut->canonical || !world->dut->ranges)
        return 0;
    world->ranges = world->dut->ranges(&world->unit, world->range, RANGES_MAX);
    if (world->ranges > RANGES_MAX)
        return fail(message, len, device, "ranges() names more than it has room for");
    for (uint32_t i = 0; i < world->ranges; i++) {
        struct dut_range range = world->range[i];
        if (range.addr % layout->sector_bytes || range.len % layout->sector_bytes ||
            range.addr > layout->flash_bytes || range.len > layout->flash_bytes - range.addr)
            return fail(message, len, device,
                        "ranges() names a range that is not of whole sectors of the flash");
        if (range.part >= DUT_PARTS)
            return fail(message, len, device,
                        "ranges() names a part that is too high; accepted: 0 to 3");
        if (range.part + 1 > world->parts)
            world->parts = range.part + 1;
        memset(world->part_of + range.addr / layout->sector_bytes, (int)range.part + 1,
               range.len / layout->sector_bytes);
    }
    return 0;
}

static bool names(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len)
        if ((at == list || at[-1] == ',') && (at[len] == 0 || at[len] == ','))
            return true;
    return false;
}

/* Keeps the stories that are named; every name has to be one of them. */
static int pick_stories(struct sweep_world *world, const char *list, char *message, size_t len)
{
    uint32_t kept = 0, named = 1;
    char told[256] = "";
    for (const char *at = list; *at; at++)
        named += *at == ',';
    for (uint32_t i = 0; i < world->stories; i++) {
        size_t end = strlen(told);
        snprintf(told + end, sizeof told - end, "%s%s", i ? ", " : "", world->story[i]->name);
        if (names(list, world->story[i]->name))
            world->story[kept++] = world->story[i];
    }
    if (kept != named) {
        snprintf(message, len, "--story %s: not all of these are told of %s; accepted: %s", list,
                 world->dut->name, told);
        return -1;
    }
    world->stories = kept;
    return 0;
}

int sweep_world_build(struct sweep_world *out, const struct sim_sweep_options *options,
                      const struct dut *dut, char *message, size_t len)
{
    const struct scn *scn = options->scn;
    const struct scn_group *group = NULL;
    const char *device = options->dut_path ? options->dut_path : dut->name;
    memset(out, 0, sizeof *out);
    out->scn = scn;
    out->dut = dut;
    out->forms = options->forms;
    out->any = options->any;
    out->deep = options->any || options->cuts > 1;
    for (uint32_t g = 0; g < scn->groups && !group; g++)
        if (!scn->group[g].lab)
            group = &scn->group[g];
    if (!group)
        return fail(message, len, scn->path, "a sweep needs a group that is no lab");
    if (sim_world_build(&out->base, scn, message, len))
        return -1;
    make_unit(out, scn, group);
    const char *why = dut->refuses ? dut->refuses(&out->unit) : NULL;
    if (why)
        return fail(message, len, device, why);
    sim_flash_known_init(&out->known, &out->base.layout);
    if (make_images(out, group) || make_flash(out))
        return fail(message, len, scn->path,
                    "the images of the sweep could not be made: versions of the form 1.2.3, an "
                    "image that fits a slot, and memory are needed");
    out->order = strdup("{\"command_id\":\"sweep\",\"command\":\"rollback\"}");
    out->stories = sweep_stories(out->story, dut->traits);
    if (options->stories && pick_stories(out, options->stories, message, len))
        return -1;
    return make_ranges(out, device, message, len);
}

void sweep_world_free(struct sweep_world *world)
{
    for (uint32_t i = 0; i < SWEEP_IMAGES; i++) {
        free(world->image[i].bytes);
        free(world->image[i].message);
    }
    free(world->order);
    free(world->part_of);
    sim_flash_known_free(&world->known);
    if (world->flash.sector)
        sim_flash_base_free(&world->flash);
    sim_world_free(&world->base);
    memset(world, 0, sizeof *world);
}

static bool holds(const struct sweep_world *world, const struct sim_flash *flash, uint32_t addr,
                  const struct sweep_image *image)
{
    uint32_t size = world->unit.layout.sector_bytes;
    for (uint32_t done = 0, chunk; done < image->dut.len; done += chunk) {
        uint32_t sector = (addr + done) / size, from = (addr + done) % size;
        chunk = size - from < image->dut.len - done ? size - from : image->dut.len - done;
        const uint8_t *mask = sim_flash_sector_mask(flash, sector);
        const uint8_t *bytes = sim_flash_sector_bytes(flash, sector);
        if (!bytes || memcmp(bytes + from, image->bytes + done, chunk) != 0)
            return false;
        for (uint32_t i = 0; mask && i < chunk; i++)
            if (mask[from + i])
                return false;
    }
    return true;
}

uint8_t sweep_image_at(const struct sweep_world *world, const struct sim_flash *flash,
                       uint32_t addr)
{
    for (uint8_t id = 0; id < SWEEP_IMAGES; id++)
        if (world->image[id].dut.len <= world->unit.layout.flash_bytes - addr &&
            holds(world, flash, addr, &world->image[id]))
            return id;
    return IMAGE_NONE;
}

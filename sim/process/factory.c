/* What a device finds in its folder: a flash file from the factory, keys, its configuration. */
#include "process_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* SubjectPublicKeyInfo of an uncompressed point on P-256 (RFC 5480), up to the point. */
static const uint8_t spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                               0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                               0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static int put_key(const char *path, const uint8_t point[BOOT_PUBLIC_KEY_BYTES])
{
    uint8_t der[sizeof spki + BOOT_PUBLIC_KEY_BYTES];
    char text[256];
    memcpy(der, spki, sizeof spki);
    memcpy(der + sizeof spki, point, BOOT_PUBLIC_KEY_BYTES);
    EVP_EncodeBlock((unsigned char *)text, der, (int)sizeof der);
    FILE *out = fopen(path, "we");
    if (!out)
        return -1;
    fputs("-----BEGIN PUBLIC KEY-----\n", out);
    for (size_t at = 0; at < strlen(text); at += 64)
        fprintf(out, "%.64s\n", text + at);
    fputs("-----END PUBLIC KEY-----\n", out);
    return fclose(out);
}

static int devices_folder(const struct sim_processes *pw, char out[PW_FOLDER_MAX])
{
    int len = snprintf(out, PW_FOLDER_MAX, "%s/devices", pw->servers.folder);
    return len < PW_FOLDER_MAX ? 0 : -1;
}

int pw_factory_keys(struct sim_processes *pw, char *message, size_t len)
{
    char folder[PW_FOLDER_MAX], path[PW_PATH_MAX];
    int error = devices_folder(pw, folder) || mkdir(folder, 0700);
    for (uint32_t i = 0; i < 2 && !error; i++) {
        snprintf(path, sizeof path, "%s/key-%u.pem", folder, i);
        error = put_key(path, pw->world->key[i].public_key);
    }
    if (error)
        snprintf(message, len, "%s: %s", folder, strerror(errno));
    return error ? -1 : 0;
}

/* ---- Its configuration ---- */

enum ail {
    AIL_HANG,
    AIL_HARD_FAULT,
    AIL_NO_MQTT,
    AIL_NO_DRIVERS,
    AIL_NO_CONFIG,
    AIL_NO_TELEMETRY,
    AILS
};
static const char *const ail_name[AILS] = {"hang",       "hard_fault", "no_mqtt",
                                           "no_drivers", "no_config",  "no_telemetry"};

static uint32_t ail_of_check(uint32_t check)
{
    static const enum ail of[AGENT_HEALTH_CHECKS] = {[AGENT_HEALTH_MQTT] = AIL_NO_MQTT,
                                                     [AGENT_HEALTH_DRIVERS] = AIL_NO_DRIVERS,
                                                     [AGENT_HEALTH_CONFIG] = AIL_NO_CONFIG,
                                                     [AGENT_HEALTH_TELEMETRY] = AIL_NO_TELEMETRY,
                                                     [AGENT_HEALTH_HARD_FAULT] = AIL_HARD_FAULT};
    return 1u << of[check];
}

static uint32_t ail_of_fault(const struct sim_fault *fault)
{
    if (fault->how == SCN_HOW_HANG)
        return 1u << AIL_HANG;
    if (fault->how == SCN_HOW_HARD_FAULT)
        return 1u << AIL_HARD_FAULT;
    return ail_of_check((uint32_t)(fault->how - SCN_HOW_HEALTH_MQTT));
}

uint32_t pw_firmware_of(const struct pw_device *dev, const char *version)
{
    for (uint32_t i = 0; i < dev->pw->scn->firmwares; i++)
        if (!strcmp(dev->pw->world->artifact[i].header.version, version))
            return i;
    return UINT32_MAX;
}

uint32_t pw_ailments(const struct pw_device *dev, uint32_t firmware)
{
    const struct sim_world *world = dev->pw->world;
    const struct scn_behaviour *b = &world->artifact[firmware].from->behaviour;
    uint32_t ails = 0;
    if (sim_afflicted(world, dev->number, firmware, SIM_AFFLICT_BOOT_FAILS, b->boot_fails))
        ails |= 1u << AIL_HARD_FAULT;
    if (sim_afflicted(world, dev->number, firmware, SIM_AFFLICT_HANGS, b->hangs))
        ails |= 1u << AIL_HANG;
    for (uint32_t h = 0; h < AGENT_HEALTH_CHECKS; h++)
        if (sim_afflicted(world, dev->number, firmware, SIM_AFFLICT_HEALTH + h, b->health[h]))
            ails |= ail_of_check(h);
    if (dev->failing && firmware == world->candidate)
        ails |= ail_of_fault(dev->failing);
    return ails;
}

static void put_behaviour(FILE *out, const struct pw_device *dev)
{
    const struct sim_world *world = dev->pw->world;
    fputs("behaviour: {", out);
    for (int ail = 0; ail < AILS; ail++) {
        fprintf(out, "%s%s: [", ail ? ", " : "", ail_name[ail]);
        uint32_t listed = 0;
        for (uint32_t i = 0; i < world->scn->firmwares && listed < 8; i++)
            if (pw_ailments(dev, i) & 1u << ail)
                fprintf(out, "%s\"%s\"", listed++ ? ", " : "", world->artifact[i].header.version);
        fputs("]", out);
    }
    fputs("}\n", out);
}

static void put_network(FILE *out, const struct pw_device *dev)
{
    const struct sim_processes *pw = dev->pw;
    char ca[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(&pw->servers.pki, ca);
    fprintf(out,
            "mqtt:\n  host: 127.0.0.1\n  port: %u\n  ca: %s\n  server_name: %s\n  user: %s\n"
            "  secret: %s\n  bind: %s\n  keepalive: 60s\n  reconnect: {first: 500ms, max: 5s}\n",
            sim_rough_port(pw->rough, dev->number, SIM_ROUGH_BROKER), ca, SIM_BROKER_NAME,
            dev->unit->id, dev->secret, dev->address);
    fprintf(out, "http: {ca: %s, connect_to: \"127.0.0.1:%u\", bind: %s}\n", ca,
            sim_rough_port(pw->rough, dev->number, SIM_ROUGH_STORE), dev->address);
}

static void put_flash(FILE *out, const struct scn_flash *flash)
{
    fprintf(out,
            "flash: {file: flash, durable: no, step: yes, bootloader: %u, boot_config: 2x%u,\n"
            "        slot: %u, data: %u, sector: %u, page: %u, journal: %u}\n",
            flash->bootloader_bytes, flash->config_sector_bytes, flash->slot_bytes,
            flash->data_bytes, flash->sector_bytes, flash->page_bytes, flash->journal_bytes);
}

static void put_times(FILE *out, const struct pw_device *dev)
{
    const struct scn_device *times = &dev->pw->scn->device;
    fprintf(out,
            "health: {mqtt_within: %" PRId64 "ms, fault_free: %" PRId64 "ms}\n"
            "watchdog: %" PRId64 "s\ntrial_boots: %u\n"
            "retry: {first: %" PRId64 "ms, max: %" PRId64 "ms}\ntelemetry_every: %" PRId64 "ms\n",
            times->mqtt_within_us / 1000, times->fault_free_us / 1000, times->watchdog_us / 1000000,
            times->trial_boots, times->retry_first_us / 1000, times->retry_max_us / 1000,
            dev->group->telemetry_every_us / 1000);
}

static void put_config(FILE *out, const struct pw_device *dev)
{
    const struct sim_processes *pw = dev->pw;
    fprintf(out, "device_id: %s\ndevice_type: %s\nhw_revision: %s\n", dev->unit->id,
            dev->group->device_type, dev->unit->hw_revision);
    put_flash(out, &pw->scn->flash);
    fprintf(out,
            "keys:\n  - {cert_id: \"%s\", public_key: ../key-0.pem}\n"
            "  - {cert_id: \"%s\", public_key: ../key-1.pem}\n",
            pw->world->key[0].cert_id, pw->world->key[1].cert_id);
    put_network(out, dev);
    put_times(out, dev);
    if (dev->group->ota_window[0])
        fprintf(out, "ota_window: \"%s\"\nzone: \"%s\"\n", dev->group->ota_window,
                dev->unit->zone_posix);
    fprintf(out, "approval: %s\nclock_offset: %" PRId64 "ms\n",
            pw->scn->campaign.approval ? "yes" : "no", pw->clock_offset_ms);
    put_behaviour(out, dev);
}

int pw_configure(struct pw_device *dev)
{
    char path[PW_PATH_MAX], fresh[PW_PATH_MAX];
    const struct pw_witness *seen = &dev->seen;
    bool done =
        seen->running_confirmed && pw_firmware_of(dev, seen->version) == dev->pw->world->candidate;
    dev->failing = done || !dev->pw->started ? NULL : sim_fault_boot(&dev->faults);
    snprintf(path, sizeof path, "%s/agent.yaml", dev->folder);
    snprintf(fresh, sizeof fresh, "%s/agent.new", dev->folder);
    FILE *out = fopen(fresh, "we");
    if (!out)
        return -1;
    put_config(out, dev);
    bool bad = ferror(out);
    return fclose(out) || bad || rename(fresh, path) ? -1 : 0;
}

/* ---- Its flash ---- */

static int put_flash_file(const struct pw_device *dev, int fd)
{
    const struct sim_flash_base *base = &dev->pw->world->base[dev->unit->group];
    uint32_t size = base->sector_bytes;
    uint8_t *blank = malloc(size);
    if (!blank)
        return -1;
    memset(blank, 0xFF, size);
    int error = 0;
    for (uint32_t at = 0; at < base->bytes && !error; at += size) {
        const uint8_t *sector = base->sector[at / size];
        error = pwrite(fd, sector ? sector : blank, size, at) != (ssize_t)size;
    }
    free(blank);
    return error ? -1 : 0;
}

static int open_flash(struct pw_device *dev)
{
    const struct sim_world *world = dev->pw->world;
    char path[PW_PATH_MAX];
    snprintf(path, sizeof path, "%s/flash", dev->folder);
    dev->flash_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (dev->flash_fd < 0 || put_flash_file(dev, dev->flash_fd))
        return -1;
    void *file = mmap(NULL, dev->pw->flash_bytes, PROT_READ, MAP_SHARED, dev->flash_fd, 0);
    if (file == MAP_FAILED)
        return -1;
    dev->file = file;
    return sim_flash_init(&dev->flash, &world->base[dev->unit->group], &world->known,
                          &world->timing, &dev->clock_us, world->scn->seed, dev->number);
}

int pw_factory_device(struct pw_device *dev, char *message, size_t len)
{
    char folder[PW_FOLDER_MAX];
    int room = devices_folder(dev->pw, folder)
                   ? PW_FOLDER_MAX
                   : snprintf(dev->folder, sizeof dev->folder, "%.500s/%s", folder, dev->unit->id);
    if (room >= PW_FOLDER_MAX || mkdir(dev->folder, 0700) || open_flash(dev)) {
        snprintf(message, len, "%s: %s", dev->folder, strerror(errno));
        return -1;
    }
    return 0;
}

void pw_factory_free(struct pw_device *dev)
{
    if (dev->file)
        munmap((void *)dev->file, dev->pw->flash_bytes);
    if (dev->flash.leaf)
        sim_flash_free(&dev->flash);
    if (dev->flash_fd >= 0)
        close(dev->flash_fd);
    if (dev->record_fd >= 0)
        close(dev->record_fd);
}

/* A daemon's configuration: the keys that it trusts, and its agent.yaml. */
#include "process_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

static const char *const ail_name[SIM_AILS] = {"hang",       "hard_fault", "no_mqtt",
                                               "no_drivers", "no_config",  "no_telemetry"};

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

int pw_put_keys(const struct sim_body_run *run, char *message, size_t len)
{
    char path[PW_PATH_MAX];
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/key-%u.pem", run->folder, i);
        if (!put_key(path, run->world->key[i].public_key))
            continue;
        snprintf(message, len, "%s: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

static void put_behaviour(FILE *out, const struct sim_body *body, const uint32_t *ails)
{
    const struct sim_world *world = body->given->run->world;
    fputs("behaviour: {", out);
    for (int ail = 0; ail < SIM_AILS; ail++) {
        fprintf(out, "%s%s: [", ail ? ", " : "", ail_name[ail]);
        uint32_t listed = 0;
        for (uint32_t i = 0; i < world->scn->firmwares && listed < 8; i++)
            if (ails[i] & 1u << ail)
                fprintf(out, "%s\"%s\"", listed++ ? ", " : "", world->artifact[i].header.version);
        fputs("]", out);
    }
    fputs("}\n", out);
}

static void put_network(FILE *out, const struct sim_body_device *given)
{
    const char *ca = given->run->ca;
    fprintf(out,
            "mqtt:\n  host: 127.0.0.1\n  port: %u\n  ca: %s\n  server_name: %s\n  user: %s\n"
            "  secret: %s\n  bind: %s\n  keepalive: 60s\n  reconnect: {first: 500ms, max: 5s}\n",
            given->broker_port, ca, SIM_BROKER_NAME, given->unit->id, given->secret,
            given->address);
    fprintf(out, "http: {ca: %s, connect_to: \"127.0.0.1:%u\", bind: %s}\n", ca, given->store_port,
            given->address);
}

static void put_flash(FILE *out, const struct scn_flash *flash)
{
    fprintf(out,
            "flash: {file: flash, durable: no, step: yes, bootloader: %u, boot_config: 2x%u,\n"
            "        slot: %u, data: %u, sector: %u, page: %u, journal: %u}\n",
            flash->bootloader_bytes, flash->config_sector_bytes, flash->slot_bytes,
            flash->data_bytes, flash->sector_bytes, flash->page_bytes, flash->journal_bytes);
}

static void put_times(FILE *out, const struct sim_body_device *given)
{
    const struct scn_device *times = &given->run->world->scn->device;
    fprintf(out,
            "health: {mqtt_within: %" PRId64 "ms, fault_free: %" PRId64 "ms}\n"
            "watchdog: %" PRId64 "s\ntrial_boots: %u\n"
            "retry: {first: %" PRId64 "ms, max: %" PRId64 "ms}\ntelemetry_every: %" PRId64 "ms\n",
            times->mqtt_within_us / 1000, times->fault_free_us / 1000, times->watchdog_us / 1000000,
            times->trial_boots, times->retry_first_us / 1000, times->retry_max_us / 1000,
            given->group->telemetry_every_us / 1000);
}

static void put_config(FILE *out, const struct sim_body *body, const uint32_t *ails)
{
    const struct sim_body_device *given = body->given;
    const struct sim_world *world = given->run->world;
    fprintf(out, "device_id: %s\ndevice_type: %s\nhw_revision: %s\n", given->unit->id,
            given->group->device_type, given->unit->hw_revision);
    put_flash(out, &world->scn->flash);
    fprintf(out,
            "keys:\n  - {cert_id: \"%s\", public_key: ../key-0.pem}\n"
            "  - {cert_id: \"%s\", public_key: ../key-1.pem}\n",
            world->key[0].cert_id, world->key[1].cert_id);
    put_network(out, given);
    put_times(out, given);
    if (given->group->ota_window[0])
        fprintf(out, "ota_window: \"%s\"\nzone: \"%s\"\n", given->group->ota_window,
                given->unit->zone_posix);
    fprintf(out, "approval: %s\nclock_offset: %" PRId64 "ms\n",
            world->scn->campaign.approval ? "yes" : "no", given->run->clock_offset_ms);
    put_behaviour(out, body, ails);
}

int pw_configure(struct sim_body *body, const uint32_t *ails)
{
    char path[PW_PATH_MAX], fresh[PW_PATH_MAX];
    snprintf(path, sizeof path, "%s/agent.yaml", body->given->folder);
    snprintf(fresh, sizeof fresh, "%s/agent.new", body->given->folder);
    FILE *out = fopen(fresh, "we");
    if (!out)
        return -1;
    put_config(out, body, ails);
    bool bad = ferror(out);
    return fclose(out) || bad || rename(fresh, path) ? -1 : 0;
}

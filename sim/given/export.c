/* The folder of `brickyard export`: what somebody's own broker and store need for a scenario. */
#include "sim/firmware.h"
#include "sim/given.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES = 16, DIGEST_BYTES = 32 };

struct out {
    const struct sim_world *world;
    const char *folder;
    char (*secret)[2 * SECRET_BYTES + 1]; /* by device; the service's is the last one */
    char *message;
    size_t len;
};

static int fail(const struct out *out, const char *name)
{
    snprintf(out->message, out->len, "%s/%s: %s", out->folder, name, strerror(errno));
    return -1;
}

/* ---- Files ---- */

/* A new file below the folder; NULL: told. */
static FILE *begin(const struct out *out, const char *name, mode_t mode)
{
    char path[SIM_PKI_PATH_MAX + SIM_NAME_MAX];
    snprintf(path, sizeof path, "%s/%s", out->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        fail(out, name);
    return file;
}

static int end(const struct out *out, FILE *file, const char *name)
{
    bool failed = ferror(file) != 0;
    return fclose(file) != 0 || failed ? fail(out, name) : 0;
}

static int make_folder(const struct out *out, const char *name)
{
    char path[SIM_PKI_PATH_MAX + SIM_NAME_MAX];
    snprintf(path, sizeof path, "%s/%s", out->folder, name);
    return mkdir(path, 0755) ? fail(out, name) : 0;
}

static bool is_empty(const char *folder)
{
    DIR *entries = opendir(folder);
    bool empty = entries != NULL;
    for (const struct dirent *entry; empty && (entry = readdir(entries));)
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    if (entries)
        closedir(entries);
    return empty;
}

static int take_folder(const struct out *out)
{
    const char *why = NULL;
    if (strlen(out->folder) >= SIM_PKI_FOLDER_MAX)
        why = "its path is too long";
    else if (mkdir(out->folder, 0755) && errno != EEXIST)
        why = strerror(errno);
    else if (!is_empty(out->folder))
        why = "not an empty folder; accepted: an empty one, or a name that is free";
    if (why)
        snprintf(out->message, out->len, "%.200s: %s", out->folder, why);
    return why ? -1 : 0;
}

/* ---- The broker ---- */

/* Not of the seed: who knows the scenario must not know the secrets of a broker that others use. */
static int draw_secrets(struct out *out)
{
    uint32_t count = out->world->roster.count + 1;
    out->secret = calloc(count, sizeof *out->secret);
    for (uint32_t i = 0; out->secret && i < count; i++) {
        uint8_t bytes[SECRET_BYTES];
        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
            return fail(out, "accounts.csv");
        for (int k = 0; k < SECRET_BYTES; k++)
            snprintf(out->secret[i] + 2 * k, 3, "%02x", bytes[k]);
    }
    if (!out->secret)
        snprintf(out->message, out->len, "no memory");
    return out->secret ? 0 : -1;
}

static int write_accounts(const struct out *out)
{
    const struct sim_roster *roster = &out->world->roster;
    FILE *file = begin(out, "accounts.csv", 0600);
    if (!file)
        return -1;
    fprintf(file, "# user,secret: for --accounts, and for the broker\nservice,%s\n",
            out->secret[roster->count]);
    for (uint32_t i = 0; i < roster->count; i++)
        fprintf(file, "%s,%s\n", roster->unit[i].id, out->secret[i]);
    return end(out, file, "accounts.csv");
}

static void account(void *context, struct sim_account *to, uint32_t index)
{
    const struct out *out = context;
    snprintf(to->device_id, sizeof to->device_id, "%s", out->world->roster.unit[index].id);
    snprintf(to->secret, sizeof to->secret, "%s", out->secret[index]);
}

static int write_access(struct out *out)
{
    char folder[SIM_PKI_PATH_MAX];
    snprintf(folder, sizeof folder, "%s/broker", out->folder);
    const struct sim_broker_config config = {.account = account,
                                             .context = out,
                                             .account_count = out->world->roster.count,
                                             .service_secret =
                                                 out->secret[out->world->roster.count]};
    if (make_folder(out, "broker"))
        return -1;
    return sim_broker_write_access(&config, folder, out->message, out->len) ? -1 : 0;
}

/* ---- The store ---- */

static int write_image(const struct out *out, const struct sim_artifact *image, FILE *sums)
{
    char name[SIM_NAME_MAX];
    unsigned char digest[EVP_MAX_MD_SIZE];
    snprintf(name, sizeof name, "store/firmware-%s.bin", image->from->version);
    FILE *file = begin(out, name, 0644);
    if (!file)
        return -1;
    fwrite(image->bytes, 1, image->len, file);
    EVP_Digest(image->bytes, image->len, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < DIGEST_BYTES; i++)
        fprintf(sums, "%02x", digest[i]);
    fprintf(sums, "  %s\n", name + strlen("store/"));
    return end(out, file, name);
}

static int write_images(const struct out *out)
{
    FILE *sums = make_folder(out, "store") ? NULL : begin(out, "store/SHA256SUMS", 0644);
    int error = sums ? 0 : -1;
    for (uint32_t i = 0; i < out->world->scn->firmwares && !error; i++)
        error = write_image(out, &out->world->artifact[i], sums);
    if (sums && end(out, sums, "store/SHA256SUMS"))
        error = -1;
    return error;
}

/* The candidate's, as `brickyard service` takes it. */
static int write_manifest(const struct out *out, const char *store_url)
{
    struct sim_given given = {.store_secret = ""};
    char url[AGENT_URL_MAX], *text = NULL;
    const struct sim_artifact *image = &out->world->artifact[out->world->candidate];
    if (sim_given_parse(&given.server[SIM_GIVEN_STORE], SIM_GIVEN_STORE, store_url, out->message,
                        out->len))
        return -1;
    if (!sim_given_url(&given, image->from->version, 0, url, sizeof url) ||
        sim_world_manifest(out->world, url, &text)) {
        snprintf(out->message, out->len, "manifest.json: could not be made");
        return -1;
    }
    FILE *file = begin(out, "manifest.json", 0644);
    if (file)
        fprintf(file, "%s\n", text);
    free(text);
    return file ? end(out, file, "manifest.json") : -1;
}

/* ---- What to do with it ---- */

static int write_readme(const struct out *out)
{
    const struct scn *scn = out->world->scn;
    FILE *file = begin(out, "README.txt", 0644);
    if (!file)
        return -1;
    fprintf(file,
            "For: %s, seed %llu, %u devices. Made by `brickyard export`.\n\n"
            "accounts.csv      user,secret of each device and of the campaign service. Keep it\n"
            "                  from others; `brickyard run` refuses it when they may read it.\n"
            "broker/passwords  the same for mosquitto 2 (password_file); `observer` has the\n"
            "                  service's secret and reads everything\n"
            "broker/acl        for mosquitto (acl_file): a device has its own topics only\n"
            "store/            the images; `sha256sum -c SHA256SUMS` checks them in their place\n\n"
            "The broker, mosquitto.conf (another one: the same accounts and topics):\n\n"
            "    listener 8883\n"
            "    certfile ...\n"
            "    keyfile ...\n"
            "    use_username_as_clientid true\n"
            "    allow_anonymous false\n"
            "    password_file .../passwords\n"
            "    acl_file .../acl\n"
            "    max_connections -1\n"
            "    max_queued_messages 100000\n"
            "    max_inflight_messages 100\n\n"
            "The store: HTTPS, GET with ranges, the files of store/ below one path. With URLs\n"
            "signed by nginx (its secret is what --store-secret-file holds):\n\n"
            "    secure_link $arg_md5,$arg_expires;\n"
            "    secure_link_md5 \"$secure_link_expires$uri SECRET\";\n"
            "    if ($secure_link = \"\") { return 403; }\n"
            "    if ($secure_link = \"0\") { return 403; }\n\n"
            "Then, with the same scenario, seed and --set as here:\n\n"
            "    brickyard run %s --seed %llu --world loopback \\\n"
            "        --broker mqtts://HOST:8883 --store https://HOST/PATH/ --ca ca.pem \\\n"
            "        --accounts accounts.csv [--store-secret-file FILE]\n",
            scn->path, (unsigned long long)scn->seed, out->world->roster.count, scn->path,
            (unsigned long long)scn->seed);
    return end(out, file, "README.txt");
}

int sim_given_export(const struct sim_world *world, const char *folder, const char *store_url,
                     char *message, size_t len)
{
    struct out out = {.world = world, .folder = folder, .message = message, .len = len};
    struct sim_given_server unused;
    if (store_url && sim_given_parse(&unused, SIM_GIVEN_STORE, store_url, message, len))
        return -1;
    if (take_folder(&out))
        return -1;
    int error = draw_secrets(&out) || write_accounts(&out) || write_access(&out) ||
                write_images(&out) || (store_url && write_manifest(&out, store_url)) ||
                write_readme(&out);
    free(out.secret);
    if (error)
        sim_folder_remove(folder); /* it was empty, or not there */
    return error ? -1 : 0;
}

/* The commands about content: build and manifest. */
#include "agent/manifest.h"
#include "cli.h"
#include "pem.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int check_version(const struct sim_fw_arguments *arguments, enum sim_fw_option option)
{
    const char *version = arguments->value[option];
    int order;
    if (strlen(version) < BOOT_VERSION_MAX && !agent_version_compare(&order, version, version))
        return SIM_FW_EXIT_OK;
    return sim_fw_complain(arguments, sim_fw_option_name(option),
                           "`%s` is no semantic version (2.4.0, 2.4.0-rc.1) of at most %d "
                           "characters",
                           version, BOOT_VERSION_MAX - 1);
}

static int set_text(const struct sim_fw_arguments *arguments, enum sim_fw_option option, char *out,
                    size_t room)
{
    const char *text = arguments->value[option];
    if (strlen(text) >= room)
        return sim_fw_complain(arguments, sim_fw_option_name(option),
                               "`%s` is longer than %zu characters", text, room - 1);
    memcpy(out, text, strlen(text));
    return SIM_FW_EXIT_OK;
}

static int fill_header(const struct sim_fw_arguments *arguments, struct boot_image *header)
{
    uint64_t counter = 1; /* what a factory leaves in the boot config */
    *header = (struct boot_image){0};
    if (arguments->value[SIM_FW_OPT_COUNTER] &&
        !sim_fw_number(arguments, SIM_FW_OPT_COUNTER, false, UINT32_MAX, &counter))
        return SIM_FW_EXIT_USAGE;
    header->security_counter = (uint32_t)counter;
    if (check_version(arguments, SIM_FW_OPT_VERSION) ||
        set_text(arguments, SIM_FW_OPT_VERSION, header->version, sizeof header->version) ||
        set_text(arguments, SIM_FW_OPT_DEVICE_TYPE, header->device_type,
                 sizeof header->device_type) ||
        set_text(arguments, SIM_FW_OPT_MIN_HW, header->min_hw_revision,
                 sizeof header->min_hw_revision))
        return SIM_FW_EXIT_USAGE;
    return SIM_FW_EXIT_OK;
}

static int make_by_seed(const struct sim_fw_arguments *arguments, struct boot_image *header,
                        struct sim_fw_bytes *out)
{
    uint64_t size, seed = 1;
    if (!sim_fw_number(arguments, SIM_FW_OPT_SIZE, true, SIM_FW_IMAGE_MAX, &size) ||
        (arguments->value[SIM_FW_OPT_SEED] &&
         !sim_fw_number(arguments, SIM_FW_OPT_SEED, false, UINT64_MAX, &seed)))
        return SIM_FW_EXIT_USAGE;
    if (size <= BOOT_IMAGE_HEADER_BYTES)
        return sim_fw_complain(arguments, "--size", "%ju leaves no room behind the header of %d",
                               (uintmax_t)size, BOOT_IMAGE_HEADER_BYTES);
    int error = sim_fw_make(&out->data, seed, header, (uint32_t)size);
    if (error)
        return sim_fw_complain(arguments, "--size", "no image could be made (%s)",
                               sim_fw_error_name(error));
    out->len = size;
    return SIM_FW_EXIT_OK;
}

/* Header and the payload's bytes, which are left alone. */
static int join(const struct sim_fw_arguments *arguments, struct boot_image *header,
                const struct sim_fw_bytes *payload, struct sim_fw_bytes *out)
{
    const char *path = arguments->value[SIM_FW_OPT_PAYLOAD];
    uint8_t encoded[BOOT_IMAGE_HEADER_BYTES];
    if (payload->len == 0)
        return sim_fw_complain(arguments, path, "is empty");
    header->image_bytes = (uint32_t)(payload->len + BOOT_IMAGE_HEADER_BYTES);
    if (boot_image_encode(encoded, header))
        return sim_fw_complain(arguments, path, "does not fit an image header");
    out->data = malloc(header->image_bytes);
    if (!out->data)
        return sim_fw_complain(arguments, path, "no memory for the image");
    out->len = header->image_bytes;
    memcpy(out->data, encoded, sizeof encoded);
    memcpy(out->data + sizeof encoded, payload->data, payload->len);
    return SIM_FW_EXIT_OK;
}

static int make_from_file(const struct sim_fw_arguments *arguments, struct boot_image *header,
                          struct sim_fw_bytes *out)
{
    const char *path = arguments->value[SIM_FW_OPT_PAYLOAD];
    struct sim_fw_bytes payload;
    struct sim_fw_why why;
    if (sim_fw_output_is_input(arguments, arguments->value[SIM_FW_OPT_OUT], path))
        return SIM_FW_EXIT_USAGE;
    if (sim_fw_file_read(&payload, path, SIM_FW_IMAGE_MAX - BOOT_IMAGE_HEADER_BYTES, &why))
        return sim_fw_complain_file(arguments, path, &why);
    int code = join(arguments, header, &payload, out);
    sim_fw_bytes_free(&payload);
    return code;
}

int sim_fw_command_build(const struct sim_fw_arguments *arguments)
{
    const char *path = arguments->value[SIM_FW_OPT_OUT];
    bool from_file = arguments->value[SIM_FW_OPT_PAYLOAD];
    struct sim_fw_bytes image = {0};
    struct boot_image header;
    struct sim_fw_why why;
    if (from_file == (arguments->value[SIM_FW_OPT_SIZE] != NULL))
        return sim_fw_complain(arguments, "--payload, --size", "exactly one of them is needed");
    if (from_file && arguments->value[SIM_FW_OPT_SEED])
        return sim_fw_complain(arguments, "--seed", "goes with --size, not with --payload");
    int code = fill_header(arguments, &header);
    if (!code)
        code = from_file ? make_from_file(arguments, &header, &image)
                         : make_by_seed(arguments, &header, &image);
    if (!code && sim_fw_file_write(path, &image, &why))
        code = sim_fw_complain_file(arguments, path, &why);
    sim_fw_bytes_free(&image);
    return code;
}

/* "2026-03-19T10:00:00Z", and nothing that only looks like it (the 31st of February). */
static bool is_utc_time(const char *text)
{
    static const char format[] = "%Y-%m-%dT%H:%M:%SZ";
    struct tm when = {0}, again;
    char normal[32];
    const char *end = strptime(text, format, &when);
    if (!end || *end)
        return false;
    time_t seconds = timegm(&when);
    return gmtime_r(&seconds, &again) && strftime(normal, sizeof normal, format, &again) &&
           strcmp(normal, text) == 0;
}

static void now_text(char out[32])
{
    time_t seconds = time(NULL);
    struct tm when;
    if (!gmtime_r(&seconds, &when) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &when))
        out[0] = '\0';
}

static const char *value_or(const struct sim_fw_arguments *arguments, enum sim_fw_option option,
                            const char *otherwise)
{
    return arguments->value[option] ? arguments->value[option] : otherwise;
}

static int check_manifest_options(const struct sim_fw_arguments *arguments)
{
    const char *published = arguments->value[SIM_FW_OPT_PUBLISHED_AT];
    if (published && !is_utc_time(published))
        return sim_fw_complain(arguments, "--published-at",
                               "`%s` is no time as "
                               "2026-03-19T10:00:00Z",
                               published);
    if (arguments->value[SIM_FW_OPT_ROLLBACK_VERSION])
        return check_version(arguments, SIM_FW_OPT_ROLLBACK_VERSION);
    return SIM_FW_EXIT_OK;
}

static int read_signature(const struct sim_fw_arguments *arguments, struct sim_fw_bytes *sig)
{
    const char *path = arguments->value[SIM_FW_OPT_SIGNATURE];
    struct sim_fw_why why;
    if (sim_fw_file_read(sig, path, SIM_FW_SIGNATURE_FILE_MAX, &why))
        return sim_fw_complain_file(arguments, path, &why);
    if (sim_fw_pem_is_signature(sig))
        return SIM_FW_EXIT_OK;
    sim_fw_bytes_free(sig);
    return sim_fw_complain(arguments, path, "is no ECDSA P-256 signature in strict DER");
}

static int make_manifest(const struct sim_fw_arguments *arguments, char **json,
                         const struct sim_fw_bytes *image, const struct boot_image *header,
                         const struct sim_fw_bytes *sig)
{
    char firmware_id[BOOT_DEVICE_TYPE_MAX + BOOT_VERSION_MAX], published_at[32];
    snprintf(firmware_id, sizeof firmware_id, "%s-%s", header->device_type, header->version);
    now_text(published_at);
    const struct sim_fw_manifest manifest = {
        .firmware_id = value_or(arguments, SIM_FW_OPT_FIRMWARE_ID, firmware_id),
        .binary_url = arguments->value[SIM_FW_OPT_URL],
        .signing_cert_id = arguments->value[SIM_FW_OPT_CERT_ID],
        .release_notes_url = value_or(arguments, SIM_FW_OPT_RELEASE_NOTES, ""),
        .rollback_version = value_or(arguments, SIM_FW_OPT_ROLLBACK_VERSION, ""),
        .published_at = value_or(arguments, SIM_FW_OPT_PUBLISHED_AT, published_at),
        .image = image->data,
        .image_bytes = (uint32_t)image->len,
        .sig = sig->data,
        .sig_len = sig->len};
    int error = sim_fw_manifest(json, &manifest);
    if (error == SIM_FW_ERANGE)
        return sim_fw_complain(arguments, "manifest",
                               "an id or URL is longer than devices accept (ids %d and %d, URLs "
                               "%d characters)",
                               AGENT_ID_MAX - 1, BOOT_CERT_ID_MAX - 1, AGENT_URL_MAX - 1);
    if (error)
        return sim_fw_complain(arguments, "manifest", "some text is no UTF-8 (%s)",
                               sim_fw_error_name(error));
    return SIM_FW_EXIT_OK;
}

static int write_manifest(const struct sim_fw_arguments *arguments, const char *json)
{
    const char *path = arguments->value[SIM_FW_OPT_OUT];
    struct sim_fw_why why;
    char *line;
    if (!strcmp(path, "-")) {
        if (printf("%s\n", json) < 0 || fflush(stdout))
            return sim_fw_complain(arguments, "standard output", "cannot be written");
        return SIM_FW_EXIT_OK;
    }
    int len = asprintf(&line, "%s\n", json);
    if (len < 0)
        return sim_fw_complain(arguments, path, "no memory");
    struct sim_fw_bytes text = {.data = (uint8_t *)line, .len = (size_t)len};
    int code = sim_fw_file_write(path, &text, &why) ? sim_fw_complain_file(arguments, path, &why)
                                                    : SIM_FW_EXIT_OK;
    sim_fw_bytes_free(&text);
    return code;
}

int sim_fw_command_manifest(const struct sim_fw_arguments *arguments)
{
    const char *path = arguments->value[SIM_FW_OPT_OUT];
    struct sim_fw_bytes image, sig = {0};
    struct boot_image header;
    char *json = NULL;
    if (check_manifest_options(arguments) ||
        sim_fw_output_is_input(arguments, path, arguments->value[SIM_FW_OPT_IMAGE]) ||
        sim_fw_output_is_input(arguments, path, arguments->value[SIM_FW_OPT_SIGNATURE]) ||
        sim_fw_read_image(arguments, &image, &header))
        return SIM_FW_EXIT_USAGE;
    int code = read_signature(arguments, &sig);
    if (!code)
        code = make_manifest(arguments, &json, &image, &header, &sig);
    if (!code)
        code = write_manifest(arguments, json);
    free(json);
    sim_fw_bytes_free(&image);
    sim_fw_bytes_free(&sig);
    return code;
}

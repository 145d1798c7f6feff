/* The commands that need a key: keygen, sign, verify. */
#include "cli.h"
#include "pem.h"
#include <assert.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <unistd.h>

/* Narrow, because the id goes into file names, JSON and a line of the PEM files. */
static bool id_is_usable(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)id[i]) && !strchr("._-", id[i]))
            return false;
    return len > 0 && len < BOOT_CERT_ID_MAX;
}

/* Both files are complete under temporary names before either gets its name. */
static int write_pair(const struct sim_fw_arguments *arguments, const struct sim_fw_bytes *key,
                      const struct sim_fw_bytes *pub)
{
    const char *key_path = arguments->value[SIM_FW_OPT_OUT];
    const char *pub_path = arguments->value[SIM_FW_OPT_PUB];
    bool force = arguments->value[SIM_FW_OPT_FORCE];
    struct sim_fw_output key_out = {.replace = force}, pub_out = {.replace = force};
    struct sim_fw_why why;
    if (sim_fw_output_prepare(&key_out, key_path, key, 0600, &why))
        return sim_fw_complain_file(arguments, key_path, &why);
    if (pub_path && sim_fw_output_prepare(&pub_out, pub_path, pub, 0644, &why)) {
        sim_fw_output_discard(&key_out);
        return sim_fw_complain_file(arguments, pub_path, &why);
    }
    if (sim_fw_output_commit(&key_out, &why)) {
        sim_fw_output_discard(&pub_out);
        return sim_fw_complain_file(arguments, key_path, &why);
    }
    if (sim_fw_output_commit(&pub_out, &why)) {
        if (!force)
            unlink(key_path);
        return sim_fw_complain_file(arguments, pub_path, &why);
    }
    return SIM_FW_EXIT_OK;
}

int sim_fw_command_keygen(const struct sim_fw_arguments *arguments)
{
    const char *id = arguments->value[SIM_FW_OPT_ID];
    const char *key_path = arguments->value[SIM_FW_OPT_OUT];
    const char *pub_path = arguments->value[SIM_FW_OPT_PUB];
    if (!id_is_usable(id))
        return sim_fw_complain(arguments, "--id",
                               "`%s` must be 1 to %d letters, digits, dots, `_` or `-`", id,
                               BOOT_CERT_ID_MAX - 1);
    if (pub_path && (!strcmp(pub_path, key_path) || sim_fw_file_same(pub_path, key_path)))
        return sim_fw_complain(arguments, pub_path, "is also the file for the private key");
    struct sim_fw_bytes key, pub;
    int error = sim_fw_pem_generate(&key, &pub, id);
    if (error)
        return sim_fw_complain(arguments, "OpenSSL", "made no key (%s)", sim_fw_error_name(error));
    int code = write_pair(arguments, &key, &pub);
    sim_fw_bytes_free(&key);
    sim_fw_bytes_free(&pub);
    if (!code)
        printf("certificate id %s: private key %s%s%s\n", id, key_path,
               pub_path ? ", public key " : "", pub_path ? pub_path : "");
    return code;
}

static int load_key(const struct sim_fw_arguments *arguments, struct sim_fw_key *key)
{
    const char *path = arguments->value[SIM_FW_OPT_KEY];
    struct sim_fw_bytes pem;
    struct sim_fw_why why;
    if (sim_fw_file_read(&pem, path, SIM_FW_PEM_MAX, &why))
        return sim_fw_complain_file(arguments, path, &why);
    int error = sim_fw_pem_private(key, &pem, &why);
    sim_fw_bytes_free(&pem);
    return error ? sim_fw_complain_file(arguments, path, &why) : SIM_FW_EXIT_OK;
}

static int sign_and_write(const struct sim_fw_arguments *arguments, const struct sim_fw_key *key,
                          const struct sim_fw_bytes *image)
{
    const char *path = arguments->value[SIM_FW_OPT_OUT];
    uint8_t der[BOOT_SIGNATURE_MAX];
    struct sim_fw_bytes sig = {.data = der};
    struct sim_fw_why why;
    int error = sim_fw_sign(key, image->data, image->len, der, &sig.len);
    if (error)
        return sim_fw_complain(arguments, arguments->value[SIM_FW_OPT_KEY],
                               "cannot sign with this key (%s)", sim_fw_error_name(error));
    if (sim_fw_file_write(path, &sig, &why))
        return sim_fw_complain_file(arguments, path, &why);
    return SIM_FW_EXIT_OK;
}

int sim_fw_command_sign(const struct sim_fw_arguments *arguments)
{
    const char *path = arguments->value[SIM_FW_OPT_OUT];
    struct sim_fw_bytes image;
    struct boot_image header;
    struct sim_fw_key key;
    if (sim_fw_output_is_input(arguments, path, arguments->value[SIM_FW_OPT_IMAGE]) ||
        sim_fw_output_is_input(arguments, path, arguments->value[SIM_FW_OPT_KEY]))
        return SIM_FW_EXIT_USAGE;
    /* Signing what no bootloader accepts would only hide the mistake. */
    if (sim_fw_read_image(arguments, &image, &header))
        return SIM_FW_EXIT_USAGE;
    int code = load_key(arguments, &key);
    if (!code)
        code = sign_and_write(arguments, &key, &image);
    OPENSSL_cleanse(&key, sizeof key);
    sim_fw_bytes_free(&image);
    return code;
}

/* A header may hold any bytes; a terminal must not be made to obey them. */
static void print_text(const char *name, const char *text)
{
    printf("%-18s", name);
    for (; *text; text++)
        putchar(isprint((unsigned char)*text) ? *text : '?');
    putchar('\n');
}

static void print_header(const struct boot_image *header, const struct sim_fw_bytes *image)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    print_text("version", header->version);
    print_text("device type", header->device_type);
    print_text("minimum hardware", header->min_hw_revision);
    printf("%-18s%ju\n", "security counter", (uintmax_t)header->security_counter);
    printf("%-18s%zu\n", "bytes", image->len);
    SHA256(image->data, image->len, digest);
    printf("%-18s", "sha256");
    for (size_t i = 0; i < sizeof digest; i++)
        printf("%02x", digest[i]);
    putchar('\n');
}

static int load_public(const struct sim_fw_arguments *arguments,
                       uint8_t point[BOOT_PUBLIC_KEY_BYTES])
{
    const char *path = arguments->value[SIM_FW_OPT_PUB];
    struct sim_fw_bytes pem;
    struct sim_fw_why why;
    if (sim_fw_file_read(&pem, path, SIM_FW_PEM_MAX, &why))
        return sim_fw_complain_file(arguments, path, &why);
    int error = sim_fw_pem_public(point, &pem, &why);
    sim_fw_bytes_free(&pem);
    return error ? sim_fw_complain_file(arguments, path, &why) : SIM_FW_EXIT_OK;
}

static int check_signature(const struct sim_fw_arguments *arguments,
                           const uint8_t point[BOOT_PUBLIC_KEY_BYTES],
                           const struct sim_fw_bytes *image)
{
    const char *path = arguments->value[SIM_FW_OPT_SIGNATURE];
    struct sim_fw_bytes sig;
    struct sim_fw_why why;
    if (sim_fw_file_read(&sig, path, SIM_FW_SIGNATURE_FILE_MAX, &why))
        return sim_fw_complain_file(arguments, path, &why);
    int error = sim_fw_pem_verify(point, image, &sig, &why);
    sim_fw_bytes_free(&sig);
    if (error) {
        sim_fw_complain_file(arguments, path, &why);
        return SIM_FW_EXIT_UNSAFE;
    }
    printf("%-18sgood, by %s\n", "signature", arguments->value[SIM_FW_OPT_PUB]);
    return SIM_FW_EXIT_OK;
}

int sim_fw_command_verify(const struct sim_fw_arguments *arguments)
{
    uint8_t point[BOOT_PUBLIC_KEY_BYTES];
    struct sim_fw_bytes image;
    struct boot_image header;
    int code = load_public(arguments, point);
    if (!code)
        code = sim_fw_read_image(arguments, &image, &header);
    if (code)
        return code;
    print_header(&header, &image);
    code = check_signature(arguments, point, &image);
    sim_fw_bytes_free(&image);
    return code;
}

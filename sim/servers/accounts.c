#include "accounts.h"
#include "files.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* A line of mosquitto 2.0's password file (its src/password_mosq.c, lib/base64_mosq.c):
 *
 *   user:$7$101$BASE64(salt)$BASE64(PBKDF2-HMAC-SHA512(secret, salt, 101 rounds, 64 bytes))
 *
 * 101 rounds are what mosquitto_passwd uses; mosquitto repeats them at each connection. */
enum { ROUNDS = 101, SALT_BYTES = 12, HASH_BYTES = 64 };

static bool write_line(FILE *file, const char *user, const char *secret)
{
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];
    unsigned char salt_text[SALT_BYTES / 3 * 4 + 1], hash_text[(HASH_BYTES + 2) / 3 * 4 + 1];
    if (RAND_bytes(salt, sizeof salt) != 1 ||
        PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret), salt, sizeof salt, ROUNDS, EVP_sha512(),
                          sizeof hash, hash) != 1)
        return false;
    EVP_EncodeBlock(salt_text, salt, sizeof salt);
    EVP_EncodeBlock(hash_text, hash, sizeof hash);
    fprintf(file, "%s:$7$%d$%s$%s\n", user, ROUNDS, (char *)salt_text, (char *)hash_text);
    return true;
}

static bool secret_is_good(const char *secret)
{
    size_t len = secret ? strnlen(secret, SIM_SECRET_MAX) : 0;
    if (len < 1 || len >= SIM_SECRET_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (secret[i] < ' ' || secret[i] > '~')
            return false;
    return true;
}

/* The names of the other users, which a device would become by having them. */
static bool id_is_good(const char id[SIM_ID_MAX])
{
    return strnlen(id, SIM_ID_MAX) < SIM_ID_MAX && sim_name_is_plain(id, SIM_ID_MAX - 1) &&
           strcmp(id, "service") != 0 && strcmp(id, "observer") != 0;
}

static int write_device(FILE *file, const struct sim_broker_config *config, uint32_t index,
                        char *message, size_t len)
{
    struct sim_account account = {.device_id = ""};
    config->account(config->context, &account, index);
    if (!id_is_good(account.device_id))
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "account %u: device id \"%.63s\": 1..%d of A-Z a-z 0-9 . _ - are wanted, "
                        "and not service or observer",
                        index, account.device_id, SIM_ID_MAX - 1);
    if (!secret_is_good(account.secret))
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "account %u (%s): a secret of 1..%d printable ASCII characters is wanted",
                        index, account.device_id, SIM_SECRET_MAX - 1);
    if (!write_line(file, account.device_id, account.secret))
        return sim_fail(SIM_SERVERS_ECRYPTO, message, len, "account %u: OpenSSL gave no hash",
                        index);
    return SIM_SERVERS_OK;
}

int sim_accounts_write_passwords(const struct sim_broker_config *config, const char *folder,
                                 char *message, size_t len)
{
    if (!secret_is_good(config->service_secret))
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "service_secret: 1..%d printable ASCII characters are wanted",
                        SIM_SECRET_MAX - 1);
    FILE *file = sim_file_create(folder, "passwords", 0600, message, len);
    if (!file)
        return SIM_SERVERS_EIO;
    int error = SIM_SERVERS_OK;
    if (!write_line(file, "service", config->service_secret) ||
        !write_line(file, "observer", config->service_secret))
        error = sim_fail(SIM_SERVERS_ECRYPTO, message, len, "service: OpenSSL gave no hash");
    for (uint32_t i = 0; !error && i < config->account_count; i++)
        error = write_device(file, config, i, message, len);
    if (error) {
        fclose(file);
        return error;
    }
    return sim_file_close(file, folder, "passwords", message, len);
}

int sim_accounts_write_acl(const char *folder, char *message, size_t len)
{
    /* mosquitto applies patterns to every user, so that service and observer have device's topics
     * of their own names too: nobody else reads or writes those. */
    static const char acl[] = "pattern read ota/notification/%u\n"
                              "pattern read ota/command/%u\n"
                              "pattern write ota/status/%u\n"
                              "pattern write telemetry/%u\n"
                              "pattern write ota/presence/%u\n"
                              "\n"
                              "user service\n"
                              "topic read ota/status/+\n"
                              "topic read telemetry/+\n"
                              "topic read ota/presence/+\n"
                              "topic write ota/notification/+\n"
                              "topic write ota/command/+\n"
                              "\n"
                              "user observer\n"
                              "topic read ota/status/+\n"
                              "topic read telemetry/+\n"
                              "topic read ota/presence/+\n"
                              "topic read ota/notification/+\n"
                              "topic read ota/command/+\n";
    FILE *file = sim_file_create(folder, "acl", 0600, message, len);
    if (!file)
        return SIM_SERVERS_EIO;
    fputs(acl, file);
    return sim_file_close(file, folder, "acl", message, len);
}

/* A factory flash, through the real format code. */
#include "session.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 4096 };

static int fail(char *message, const char *path, const char *what)
{
    snprintf(message, AGENT_MESSAGE_MAX, "%.300s: %s", path, what);
    return -1;
}

/* At most max bytes of a file; the length, or -1 (message tells). */
static int64_t load(const char *path, uint8_t *out, size_t max, char *message)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return fail(message, path, strerror(errno));
    size_t len = fread(out, 1, max, file);
    bool bad = ferror(file) || fgetc(file) != EOF;
    fclose(file);
    return bad ? fail(message, path, "can't be read whole, or is too long") : (int64_t)len;
}

/* What stands for the bootloader's code: nothing here may ever change it, and blank would not show.
 */
static int fill_bootloader(const struct agent_session *session)
{
    const struct boot_layout *layout = session->env.layout;
    uint8_t bytes[PIECE_BYTES];
    uint32_t word = 0x42595244;
    for (uint32_t at = 0; at < layout->bootloader_bytes;) {
        uint32_t left = layout->bootloader_bytes - at;
        uint32_t len = left < PIECE_BYTES ? left : PIECE_BYTES;
        for (uint32_t i = 0; i < len; i++) {
            word = word * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(word >> 24);
        }
        if (session->flash.program(session->flash.ctx, at, bytes, len))
            return BOOT_EFLASH;
        at += len;
    }
    return BOOT_OK;
}

static int write_image(const struct agent_session *session, const uint8_t *image, uint32_t len)
{
    const struct boot_layout *layout = session->env.layout;
    uint8_t bytes[PIECE_BYTES];
    for (uint32_t at = 0; at < len; at += PIECE_BYTES) {
        uint32_t piece = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
        memset(bytes, 0xFF, sizeof bytes);
        memcpy(bytes, image + at, piece);
        uint32_t padded = (piece + layout->page_bytes - 1) & ~(layout->page_bytes - 1);
        if (session->flash.program(session->flash.ctx, layout->slot_addr[BOOT_SLOT_A] + at, bytes,
                                   padded))
            return BOOT_EFLASH;
    }
    return BOOT_OK;
}

static int write_proof(const struct agent_session *session, struct boot_trailer *trailer)
{
    const struct boot_flash *flash = &session->flash;
    const struct boot_layout *layout = session->env.layout;
    struct boot_config config = {.rollback_on_fail = 1, .security_counter = 1};
    int error = boot_trailer_write(flash, layout, BOOT_SLOT_A, trailer);
    if (!error)
        error = boot_trailer_mark(flash, layout, BOOT_SLOT_A, 1);
    return error ? error : boot_config_write(flash, layout, &config);
}

static int write_flash(const struct agent_session *session, const uint8_t *image, uint32_t len,
                       struct boot_trailer *trailer, const struct agent_factory *factory,
                       char *message)
{
    const struct boot_limits limits = {.security_counter = 1};
    int error = fill_bootloader(session);
    if (!error)
        error = write_image(session, image, len);
    if (error)
        return fail(message, session->file_config.path, boot_error_name(error));
    enum boot_verdict verdict =
        boot_verify(&session->env, BOOT_SLOT_A, trailer, &limits, NULL, NULL);
    if (verdict != BOOT_VERDICT_VALID) {
        snprintf(message, AGENT_MESSAGE_MAX, "%.300s: would not boot: %s", factory->image,
                 boot_verdict_name((int)verdict));
        return -1;
    }
    error = write_proof(session, trailer);
    return error ? fail(message, session->file_config.path, boot_error_name(error)) : 0;
}

static int describe(struct boot_trailer *trailer, const struct agent_factory *factory,
                    uint32_t image_bytes, char *message)
{
    int64_t len = load(factory->signature, trailer->signature, sizeof trailer->signature, message);
    if (len < 0)
        return -1;
    if (strlen(factory->cert_id) >= sizeof trailer->cert_id)
        return fail(message, factory->cert_id, "is too long for a certificate id");
    trailer->signature_bytes = (uint16_t)len;
    trailer->image_bytes = image_bytes;
    memcpy(trailer->cert_id, factory->cert_id, strlen(factory->cert_id));
    return 0;
}

static int fill(const struct agent_settings *settings, const struct agent_log *log,
                const char *path, const struct agent_factory *factory, char *message)
{
    uint32_t max = boot_layout_image_max(&settings->flash.layout);
    struct boot_trailer trailer = {0};
    struct agent_session session;
    uint8_t *image = malloc(max);
    if (!image)
        return fail(message, path, "out of memory");
    int64_t len = load(factory->image, image, max, message);
    int error = len < 0 ? -1 : describe(&trailer, factory, (uint32_t)len, message);
    if (!error)
        error = agent_session_open(&session, settings, log, path, false, message);
    if (!error) {
        error = write_flash(&session, image, (uint32_t)len, &trailer, factory, message);
        if (!error && fsync(session.file.fd))
            error = fail(message, path, strerror(errno));
        agent_session_close(&session);
    }
    free(image);
    return error;
}

/* A medium of their own stays, and is as new. */
static int blank_records(const char *path, char *message)
{
    static const uint8_t zero[AGENT_OP_BYTES];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(message, path, strerror(errno));
    bool done = pwrite(fd, zero, AGENT_RESET_BYTES, 0) == AGENT_RESET_BYTES &&
                pwrite(fd, zero, sizeof zero, AGENT_RECORDS_AT_OP) == (ssize_t)sizeof zero &&
                !fsync(fd);
    int error = done ? 0 : fail(message, path, strerror(errno));
    close(fd);
    return error;
}

static int remove_records(const struct agent_settings *settings, char *message)
{
    char path[AGENT_PATH_MAX + 8];
    if (settings->flash.records[0])
        return blank_records(settings->flash.records, message);
    snprintf(path, sizeof path, "%s.op", settings->flash.file);
    unlink(path);
    snprintf(path, sizeof path, "%s.reset", settings->flash.file);
    unlink(path);
    return 0;
}

/* Nobody may be running on the flash that is replaced. */
static int check_old(const struct agent_settings *settings, const struct agent_factory *factory,
                     char *message)
{
    struct agent_flash_file old;
    if (access(settings->flash.file, F_OK))
        return 0;
    if (!factory->force)
        return fail(message, settings->flash.file, "exists; add --force to replace it");
    const struct agent_flash_file_config config = {.path = settings->flash.file,
                                                   .layout = &settings->flash.layout};
    int error = agent_flash_file_open(&old, &config, message, AGENT_MESSAGE_MAX);
    if (!error)
        agent_flash_file_close(&old);
    return error == AGENT_FLASH_FILE_ELOCKED ? -1 : 0;
}

/* A device has no other name to be renamed from: it is blanked and written in place. */
static int blank_device(const struct agent_settings *settings, const struct agent_log *log,
                        char *message)
{
    const struct boot_layout *layout = &settings->flash.layout;
    struct agent_session session;
    if (agent_session_open(&session, settings, log, settings->flash.file, false, message))
        return -1;
    int error = 0;
    for (uint32_t at = 0; at < agent_flash_file_bytes(layout) && !error; at += layout->sector_bytes)
        error = session.flash.erase(session.flash.ctx, at);
    agent_session_close(&session);
    return error ? fail(message, settings->flash.file, "can't be erased") : 0;
}

int agent_factory_make(const struct agent_settings *settings, const struct agent_log *log,
                       const struct agent_factory *factory, char message[AGENT_MESSAGE_MAX])
{
    char path[AGENT_PATH_MAX + 8];
    struct stat status;
    if (check_old(settings, factory, message))
        return -1;
    bool device = !stat(settings->flash.file, &status) && S_ISBLK(status.st_mode);
    snprintf(path, sizeof path, "%s%s", settings->flash.file, device ? "" : ".new");
    if (!device)
        unlink(path);
    int error =
        device ? blank_device(settings, log, message)
               : agent_flash_file_make(path, &settings->flash.layout, message, AGENT_MESSAGE_MAX);
    if (!error)
        error = fill(settings, log, path, factory, message);
    if (!error)
        error = remove_records(settings, message);
    if (!error && !device && rename(path, settings->flash.file))
        error = fail(message, settings->flash.file, strerror(errno));
    if (error && !device)
        unlink(path);
    return error;
}

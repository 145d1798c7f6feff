#include "files.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

int sim_fail(int error, char *message, size_t len, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, len, format, arguments);
    va_end(arguments);
    return error;
}

static bool consists_of(const char *text, const char *more)
{
    for (; *text; text++)
        if (!strchr(letters, *text) && !strchr(more, *text))
            return false;
    return true;
}

bool sim_name_is_plain(const char *name, size_t max)
{
    size_t len = strlen(name);
    return len >= 1 && len <= max && name[0] != '.' && consists_of(name, "._-");
}

int sim_folder_check(const char *folder, char *message, size_t len)
{
    if (folder[0] != '/')
        return sim_fail(SIM_SERVERS_ECONFIG, message, len, "%s: not an absolute path", folder);
    /* nginx takes $ { ; " and spaces for its own, also in a certificate's path. */
    if (!consists_of(folder, "/._-+,@=~"))
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "%s: the servers take a folder of letters, digits and /._-+,@=~ only",
                        folder);
    if (strlen(folder) >= SIM_PKI_FOLDER_MAX)
        return sim_fail(SIM_SERVERS_ECONFIG, message, len, "%.64s...: path longer than %d", folder,
                        SIM_PKI_FOLDER_MAX - 1);
    return SIM_SERVERS_OK;
}

void sim_path_join(char out[SIM_PKI_PATH_MAX], const char *folder, const char *name)
{
    int len = snprintf(out, SIM_PKI_PATH_MAX, "%s/%s", folder, name);
    assert(len > 0 && len < SIM_PKI_PATH_MAX);
}

FILE *sim_file_create(const char *folder, const char *name, mode_t mode, char *message, size_t len)
{
    char path[SIM_PKI_PATH_MAX];
    sim_path_join(path, folder, name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file)
        return file;
    sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

int sim_file_close(FILE *file, const char *folder, const char *name, char *message, size_t len)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed)
        return SIM_SERVERS_OK;
    return sim_fail(SIM_SERVERS_EIO, message, len, "%s/%s: %s", folder, name,
                    errno ? strerror(errno) : "could not be written");
}

/* Text without its closing newline, from its last `lines` lines on. */
static char *last_lines(char *text, size_t size, int lines)
{
    while (size > 0 && text[size - 1] == '\n')
        size--;
    text[size] = '\0';
    for (size_t i = size; i > 0; i--)
        if (text[i - 1] == '\n' && --lines == 0)
            return text + i;
    return text;
}

void sim_file_last_lines(const char *path, uint64_t from, char *out, size_t len)
{
    char text[1024] = "";
    size_t size = 0;
    struct stat facts;
    FILE *file = fopen(path, "re");
    if (file && fstat(fileno(file), &facts) == 0) {
        uint64_t end = (uint64_t)facts.st_size;
        uint64_t begin = end > sizeof text - 1 ? end - (sizeof text - 1) : 0;
        if (fseeko(file, (off_t)(begin > from ? begin : from), SEEK_SET) == 0)
            size = fread(text, 1, sizeof text - 1, file);
    }
    if (file)
        fclose(file);
    const char *line = last_lines(text, size, 4);
    if (line[0] == '\0')
        line = "its log is empty";
    size_t used = 0;
    for (; *line && used + 4 < len; line++) {
        const char *piece = *line == '\n' ? " | " : (char[]){*line, '\0'};
        used += (size_t)snprintf(out + used, len - used, "%s", piece);
    }
}

int sim_folder_make(const char *folder, char *message, size_t len)
{
    if (mkdir(folder, 0700) == 0)
        return SIM_SERVERS_OK;
    return sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", folder, strerror(errno));
}

int sim_folder_take(const char *folder, char *message, size_t len)
{
    if (mkdir(folder, 0700) == 0)
        return SIM_SERVERS_OK;
    DIR *entries = errno == EEXIST ? opendir(folder) : NULL;
    if (!entries)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", folder, strerror(errno));
    bool empty = true;
    for (const struct dirent *entry; empty && (entry = readdir(entries));)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(entries);
    /* What is in there is not ours, and stop would remove it. */
    if (!empty)
        return sim_fail(SIM_SERVERS_ECONFIG, message, len, "%s: not empty", folder);
    /* An empty folder of others may be open to all; keys and secrets come into it. */
    if (chmod(folder, 0700) != 0)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", folder, strerror(errno));
    return SIM_SERVERS_OK;
}

static int remove_one(const char *path, const struct stat *facts, int type, struct FTW *where)
{
    (void)facts;
    (void)type;
    (void)where;
    remove(path);
    return 0;
}

void sim_folder_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

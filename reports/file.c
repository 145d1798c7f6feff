/* A rendered form in a file, whole or not at all: written beside, synced, renamed. */
#include "db_private.h"
#include "rep/render.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int renderer(FILE *, const void *);

/* Keeps errno for the caller, and words with the path for rep_db_message. */
static int fail(const char *path, int reason)
{
    rep_fail(REP_EWRITE, "cannot write %s: %s", path, strerror(reason ? reason : EIO));
    errno = reason ? reason : EIO;
    return REP_EWRITE;
}

/* Renders and flushes; 0 or the reason. A stream remembers that it failed but not why, hence errno.
 */
static int render_to(FILE *out, renderer *render, const void *value)
{
    errno = 0;
    if (render(out, value) || fflush(out) || ferror(out))
        return errno ? errno : ENOMEM;
    return 0;
}

/* A device or a pipe cannot be replaced, and must not be: renaming over /dev/full would remove it.
 */
static int write_in_place(const char *path, renderer *render, const void *value)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return errno;
    int reason = render_to(out, render, value);
    if (fclose(out) && !reason)
        reason = errno;
    return reason;
}

/* The rename itself is safe only when the folder is on the disk. A folder that cannot be synced
 * (some network file systems) still has the file, so this is no error. */
static void sync_folder(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    fsync(folder);
    close(folder);
}

static mode_t usual_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static int fill_beside(int file, renderer *render, const void *value)
{
    FILE *out = fdopen(file, "w");
    if (!out) {
        int reason = errno;
        close(file);
        return reason;
    }
    int reason = render_to(out, render, value);
    if (!reason && (fchmod(file, usual_mode()) || fsync(file)))
        reason = errno;
    if (fclose(out) && !reason)
        reason = errno;
    return reason;
}

static int replace(const char *path, renderer *render, const void *value)
{
    char beside[PATH_MAX + 16];
    snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    int file = mkostemp(beside, O_CLOEXEC);
    if (file < 0)
        return errno;
    int reason = fill_beside(file, render, value);
    if (!reason && rename(beside, path))
        reason = errno;
    if (reason)
        unlink(beside);
    else
        sync_folder(path);
    return reason;
}

int rep_file_of(const char *path, renderer *render, const void *value)
{
    if (strcmp(path, "-") == 0) {
        int failed = render_to(stdout, render, value);
        return failed ? fail("standard output", failed) : REP_OK;
    }
    struct stat status;
    if (strlen(path) >= PATH_MAX)
        return fail(path, ENAMETOOLONG);
    bool exists = stat(path, &status) == 0;
    if (exists && S_ISDIR(status.st_mode))
        return fail(path, EISDIR);
    if (exists && !S_ISREG(status.st_mode)) {
        int failed = write_in_place(path, render, value);
        return failed ? fail(path, failed) : REP_OK;
    }
    /* A symbolic link stays one: what it points at is replaced. */
    char *target = exists ? realpath(path, NULL) : NULL;
    int reason = replace(target ? target : path, render, value);
    free(target);
    return reason ? fail(path, reason) : REP_OK;
}

/* A result with the form that is wanted of it. */
struct form {
    int (*render)(FILE *, const struct rep_result *);
    const struct rep_result *result;
};

static int render_form(FILE *out, const void *value)
{
    const struct form *form = value;
    return form->render(out, form->result);
}

int rep_file(const char *path, int (*render)(FILE *, const struct rep_result *),
             const struct rep_result *result)
{
    const struct form form = {render, result};
    return rep_file_of(path, render_form, &form);
}

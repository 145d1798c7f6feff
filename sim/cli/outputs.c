/* Where results go: looked at before the run, because a run may be long. */
#include "cli.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An output that could never be written is told before the run, not after it. */
static bool writable(const char *option, const char *path)
{
    char folder[4096];
    struct stat status;
    if (!path || !strcmp(path, "-"))
        return true;
    if (!*path) {
        fprintf(stderr, "brickyard: %s: its name is empty; accepted: the name of a file\n", option);
        return false;
    }
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        fprintf(stderr, "brickyard: %s %s: %s\n", option, path, strerror(EISDIR));
        return false;
    }
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    if (access(slash ? folder : ".", W_OK) == 0 &&
        (access(path, F_OK) != 0 || access(path, W_OK) == 0))
        return true;
    fprintf(stderr, "brickyard: %s %s: %s\n", option, path, strerror(errno));
    return false;
}

/* Where a name leads: its folder, and what it is called there. */
struct place {
    struct stat folder;
    const char *name;
};

static bool find_place(struct place *out, const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    out->name = slash ? slash + 1 : path;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 1,
             slash ? path : ".");
    return stat(folder, &out->folder) == 0;
}

/* Two outputs into one file would each replace the other; a device like /dev/null bears both. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    struct place p, q;
    if (!strcmp(a, "-") || !strcmp(b, "-"))
        return !strcmp(a, b);
    if (stat(a, &x) == 0 && stat(b, &y) == 0)
        return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    return find_place(&p, a) && find_place(&q, b) && !strcmp(p.name, q.name) &&
           p.folder.st_dev == q.folder.st_dev && p.folder.st_ino == q.folder.st_ino;
}

/* Each in a place of its own. */
static bool differ(const struct cli_output *output, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (output[i].path && output[j].path && same_file(output[i].path, output[j].path)) {
                fprintf(stderr, "brickyard: %s and %s both name %s; accepted: a place for each\n",
                        output[i].option, output[j].option, output[j].path);
                return false;
            }
    return true;
}

bool cli_outputs(const struct cli_output *output, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!writable(output[i].option, output[i].path))
            return false;
    return differ(output, n);
}

bool cli_flushed(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return true;
    fprintf(stderr, "brickyard: standard output: %s\n", strerror(errno));
    return false;
}

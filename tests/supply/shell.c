/* See shell.h. */
#include "shell.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char out_text[1 << 16], err_text[1 << 16];

void shell_enter(void)
{
    char inner[96];
    snprintf(folder, sizeof folder, "/tmp/brickyard firmware XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(inner, sizeof inner, "%s/work", folder);
    /* Open to everybody, for the line that runs as nobody. */
    cr_assert_eq(chmod(folder, 0755), 0);
    cr_assert_eq(mkdir(inner, 0777), 0);
    cr_assert_eq(chmod(inner, 0777), 0);
    cr_assert_eq(chdir(inner), 0);
    cr_assert_eq(setenv("FW", FIRMWARE_CLI, 1), 0);
    cr_assert_eq(setenv("LC_ALL", "C", 1), 0);
}

void shell_leave(void)
{
    char line[128];
    cr_assert_eq(chdir("/"), 0);
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    cr_assert_eq(system(line), 0);
}

static void slurp(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    out[fread(out, 1, room - 1, file)] = '\0';
    fclose(file);
}

int shell(const char *format, ...)
{
    char line[4096], whole[4200];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    snprintf(whole, sizeof whole, "{ %s\n} >../out 2>../err </dev/null", line);
    int status = system(whole);
    slurp("../out", out_text, sizeof out_text);
    slurp("../err", err_text, sizeof err_text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

const char *shell_out(void)
{
    return out_text;
}

const char *shell_err(void)
{
    return err_text;
}

unsigned shell_entries(void)
{
    unsigned entries = 0;
    DIR *dir = opendir(".");
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return entries;
}

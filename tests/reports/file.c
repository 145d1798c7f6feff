/* Files: whole or not there, and what was there before stays when writing fails. */
#include "rep/db.h"
#include "sample.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *contents(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = calloc(1, 1 << 20);
    size_t n = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    text[n] = 0;
    return text;
}

static void expect_contents(const char *path, const char *expect)
{
    char *text = contents(path);
    cr_expect_str_eq(text, expect);
    free(text);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

Test(rep_file, it_holds_what_was_rendered_and_nothing_is_left_beside)
{
    char folder[64], path[128];
    struct rep_result result;
    struct stat status;
    sample_folder(folder);
    snprintf(path, sizeof path, "%s/out.json", folder);
    sample_stopped(&result);
    umask(022);
    put(path, "an older run");
    cr_assert_eq(rep_file(path, rep_render_json, &result), 0);
    char *expect = sample_render(rep_render_json, &result);
    expect_contents(path, expect);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0644);
    cr_expect_eq(sample_folder_count(folder), 1);
    free(expect);
    rep_result_free(&result);
    sample_folder_remove(folder);
}

Test(rep_file, a_link_stays_a_link)
{
    char folder[64], path[128], link_path[128];
    struct rep_result result;
    struct stat status;
    sample_folder(folder);
    snprintf(path, sizeof path, "%s/real.json", folder);
    snprintf(link_path, sizeof link_path, "%s/link.json", folder);
    sample_passed(&result);
    put(path, "old");
    cr_assert_eq(symlink(path, link_path), 0);
    cr_assert_eq(rep_file(link_path, rep_render_json, &result), 0);
    cr_assert_eq(lstat(link_path, &status), 0);
    cr_expect(S_ISLNK(status.st_mode));
    char *expect = sample_render(rep_render_json, &result);
    expect_contents(path, expect);
    free(expect);
    rep_result_free(&result);
    sample_folder_remove(folder);
}

Test(rep_file, places_that_cannot_be_written_are_named)
{
    char folder[64], full[128];
    sample_folder(folder);
    sample_full_device(full, folder);
    const struct {
        const char *path;
        int reason;
    } rows[] = {{full, ENOSPC}, {"/nonexistent-folder/x.json", ENOENT}, {folder, EISDIR}};
    struct rep_result result;
    struct stat status;
    sample_stopped(&result);
    for (size_t i = 0; i < 3; i++) {
        errno = 0;
        cr_expect_eq(rep_file(rows[i].path, rep_render_json, &result), REP_EWRITE);
        cr_expect_eq(errno, rows[i].reason, "%s: %s", rows[i].path, strerror(errno));
        cr_expect_not_null(strstr(rep_db_message(NULL), rows[i].path), "%s", rep_db_message(NULL));
    }
    cr_assert_eq(stat(full, &status), 0);
    cr_expect(S_ISCHR(status.st_mode), "the device is still one");
    rep_result_free(&result);
    sample_folder_remove(folder);
}

Test(rep_file, a_disk_that_fills_up_anywhere_keeps_the_old_file)
{
    char folder[64], path[128];
    struct rep_result result;
    int (*const forms[])(FILE *, const struct rep_result *) = {rep_render_json, rep_render_junit};
    sample_folder(folder);
    snprintf(path, sizeof path, "%s/out", folder);
    sample_stopped(&result);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t form = 0; form < 2; form++) {
        char *whole = sample_render(forms[form], &result);
        put(path, "old");
        for (size_t bytes = 0; bytes < strlen(whole); bytes += 97) {
            struct rlimit limit = {bytes, RLIM_INFINITY};
            cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
            int error = rep_file(path, forms[form], &result);
            limit.rlim_cur = RLIM_INFINITY;
            cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
            cr_assert_eq(error, REP_EWRITE, "with %zu bytes", bytes);
            expect_contents(path, "old");
            cr_assert_eq(sample_folder_count(folder), 1);
        }
        cr_expect_eq(rep_file(path, forms[form], &result), 0);
        expect_contents(path, whole);
        free(whole);
    }
    rep_result_free(&result);
    sample_folder_remove(folder);
}

Test(rep_file, a_dash_is_standard_output, .init = cr_redirect_stdout)
{
    struct rep_result result;
    sample_passed(&result);
    cr_assert_eq(rep_file("-", rep_render_json, &result), 0);
    char *expect = sample_render(rep_render_json, &result);
    cr_expect_stdout_eq_str(expect);
    free(expect);
    rep_result_free(&result);
}

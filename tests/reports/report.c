/* The subcommand `report`: exit codes, and which form goes where. */
#include "rep/report.h"

#include "rep/db.h"
#include "sample.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], db_path[128], out_path[128];

static void store(int exit_code)
{
    sqlite3 *db;
    struct rep_result result;
    if (!folder[0])
        sample_folder(folder);
    snprintf(db_path, sizeof db_path, "%s/run.db", folder);
    snprintf(out_path, sizeof out_path, "%s/out", folder);
    sample_stopped(&result);
    result.exit_code = exit_code;
    cr_assert_eq(rep_db_create(&db, db_path, "x", 1), REP_OK);
    cr_assert_eq(rep_db_write(db, &result), REP_OK);
    sqlite3_close(db);
    rep_result_free(&result);
}

static void tear_down(void)
{
    if (folder[0])
        sample_folder_remove(folder);
}

static void redirect(void)
{
    cr_redirect_stdout();
    cr_redirect_stderr();
}

static int report(const char *a, const char *b, const char *c)
{
    char *argv[] = {"report", (char *)a, (char *)b, (char *)c, NULL};
    int argc = 1;
    while (argc < 4 && argv[argc])
        argc++;
    return rep_main(argc, argv);
}

TestSuite(rep_report, .init = redirect, .fini = tear_down);

Test(rep_report, the_exit_code_is_the_runs)
{
    for (int code = 0; code <= 8; code++) {
        store(code);
        cr_expect_eq(report(db_path, NULL, NULL), code);
    }
}

Test(rep_report, a_killed_run_gives_8)
{
    sqlite3 *db;
    store(0);
    cr_assert_eq(rep_db_create(&db, db_path, "x", 1), REP_OK);
    sqlite3_close(db);
    cr_expect_eq(report(db_path, NULL, NULL), 8);
}

static unsigned first_line(const char *path, char line[128])
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(line, 128, file));
    fclose(file);
    return (unsigned)strlen(line);
}

Test(rep_report, forms_go_to_their_files)
{
    char line[128];
    store(2);
    cr_expect_eq(report(db_path, "--json", out_path), 2);
    cr_expect_eq(first_line(out_path, line), 2);
    cr_expect_str_eq(line, "{\n");
    cr_expect_eq(report("--junit", out_path, db_path), 2);
    first_line(out_path, line);
    cr_expect_eq(strncmp(line, "<?xml", 5), 0);
}

Test(rep_report, a_form_on_standard_output_is_alone_there)
{
    struct rep_result result;
    store(2);
    sample_stopped(&result);
    cr_expect_eq(report(db_path, "--json", "-"), 2);
    char *expect = sample_render(rep_render_json, &result);
    cr_expect_stdout_eq_str(expect);
    free(expect);
    rep_result_free(&result);
}

Test(rep_report, wrong_usage_gives_1_and_says_why)
{
    store(0);
    cr_expect_eq(report(NULL, NULL, NULL), 1);
    cr_expect_eq(report("--no-such-option", NULL, NULL), 1);
    cr_expect_eq(report(db_path, "another.db", NULL), 1);
    cr_expect_eq(report("/nonexistent/run.db", NULL, NULL), 1);
    cr_expect_eq(report("/etc/passwd", NULL, NULL), 1);
    cr_expect_eq(report(db_path, "--json", NULL), 1);
    cr_expect_eq(report(db_path, "--html", out_path), 1);
    cr_expect_neq(access(out_path, F_OK), 0);
    fflush(stderr);
    char said[4096] = "";
    size_t n = fread(said, 1, sizeof said - 1, cr_get_redirected_stderr());
    said[n] = 0;
    static const char *const words[] = {"which result?",
                                        "--no-such-option",
                                        "another.db",
                                        "/nonexistent/run.db: No such file",
                                        "/etc/passwd is not",
                                        "--json",
                                        "--html is not built yet"};
    for (size_t i = 0; i < 7; i++)
        cr_expect_not_null(strstr(said, words[i]), "%s", words[i]);
}

Test(rep_report, a_full_disk_gives_8)
{
    char full[128];
    store(0);
    sample_full_device(full, folder);
    cr_expect_eq(report(db_path, "--json", full), 8);
}

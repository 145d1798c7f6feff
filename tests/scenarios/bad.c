#include "files.h"
#include <dirent.h>

/*
 * bad/ holds one broken scenario for each way to break one; bad/expected.txt is the table of what
 * each must say: "file:line:column: key: what; accepted: ...", whole.
 */
enum { ROWS_MAX = 200, ROW_MAX = 1000 };
struct table {
    char row[ROWS_MAX][ROW_MAX];
    size_t rows;
};

static struct table *read_table(void)
{
    static struct table table;
    char path[1024];
    FILE *file = fopen(source_path(path, sizeof path, "tests/scenarios/bad/expected.txt"), "r");
    cr_assert(file, "%s", path);
    table.rows = 0;
    while (table.rows < ROWS_MAX && fgets(table.row[table.rows], ROW_MAX, file)) {
        table.row[table.rows][strcspn(table.row[table.rows], "\n")] = '\0';
        table.rows++;
    }
    fclose(file);
    return &table;
}

Test(scn_bad, each_file_gives_the_one_error_of_the_table)
{
    struct table *table = read_table();
    for (size_t i = 0; i < table->rows; i++) {
        char name[128], path[1024], want[2048];
        struct scn_messages messages = {0};
        struct scn *scn = (void *)&messages;
        snprintf(name, sizeof name, "tests/scenarios/bad/%.*s", (int)strcspn(table->row[i], ":"),
                 table->row[i]);
        source_path(path, sizeof path, name);
        snprintf(want, sizeof want, "%s%s", path, table->row[i] + strcspn(table->row[i], ":"));
        int error = scn_load(&scn, path, NULL, &messages);
        cr_assert(error == SCN_ESYNTAX || error == SCN_EVALUE, "%s: %d", name, error);
        cr_assert_null(scn);
        cr_assert(messages.count > 0);
        cr_expect_str_eq(messages.message[messages.count - 1].text, want);
        cr_expect_not(messages.message[messages.count - 1].warning);
    }
}

Test(scn_bad, the_table_has_a_row_for_every_file_and_no_other)
{
    struct table *table = read_table();
    char path[1024];
    size_t files = 0;
    DIR *dir = opendir(source_path(path, sizeof path, "tests/scenarios/bad"));
    cr_assert(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name), found = 0;
        if (len < 5 || strcmp(entry->d_name + len - 5, ".yaml"))
            continue;
        files++;
        for (size_t i = 0; i < table->rows; i++)
            found += !strncmp(table->row[i], entry->d_name, len) && table->row[i][len] == ':';
        cr_expect(found == 1, "%s: %zu rows", entry->d_name, found);
    }
    closedir(dir);
    cr_expect_eq(files, table->rows);
    cr_expect_geq(files, 35);
}

/* Only the first error is told: a second one may be a consequence of it. */
Test(scn_bad, the_first_error_ends_the_reading)
{
    struct scn_messages messages;
    struct scn *scn;
    int error = parse_text(&scn, "scenario: x\nnonsense: 1\nrubbish: 2\n", NULL, &messages);
    cr_expect_eq(error, SCN_EVALUE);
    cr_expect_eq(messages.count, 1);
    cr_expect(strstr(messages.message[0].text, "t.yaml:2:1: unknown key 'nonsense'"));
}

Test(scn_bad, errors_have_names)
{
    for (int error = SCN_EMEMORY; error <= SCN_OK; error++)
        cr_expect_str_neq(scn_error_name(error), "?");
    cr_expect_str_eq(scn_error_name(1), "?");
    cr_expect_str_eq(scn_error_name(SCN_EMEMORY - 1), "?");
}

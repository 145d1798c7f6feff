/* A file with damage anywhere is refused or read; it never crashes the reader (ASan sees to that).
 */
#include "rep/db.h"
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct image {
    char folder[64], path[128];
    unsigned char *bytes;
    size_t n;
};

static void setup_image(struct image *image)
{
    sample_folder(image->folder);
    snprintf(image->path, sizeof image->path, "%s/run.db", image->folder);
    sqlite3 *db;
    struct rep_result result;
    sample_stopped(&result);
    cr_assert_eq(rep_db_create(&db, image->path, "x", 1), REP_OK);
    cr_assert_eq(rep_db_write(db, &result), REP_OK);
    sqlite3_close(db);
    rep_result_free(&result);
    FILE *file = fopen(image->path, "rb");
    image->bytes = malloc(1 << 20);
    image->n = fread(image->bytes, 1, 1 << 20, file);
    fclose(file);
    cr_assert_gt(image->n, 20000u);
}

static void drop_image(struct image *image)
{
    free(image->bytes);
    sample_folder_remove(image->folder);
}

static void store(const struct image *image, size_t n)
{
    FILE *file = fopen(image->path, "wb");
    cr_assert_eq(fwrite(image->bytes, 1, n, file), n);
    fclose(file);
}

/* The whole way from the file to a rendered form: REP_OK or REP_EFORMAT, and nothing else. */
static int read_all(const char *path)
{
    sqlite3 *db;
    struct rep_result result;
    int error = rep_db_open(&db, path);
    cr_assert_eq(error != 0, db == NULL);
    if (!error)
        error = rep_db_read(db, &result);
    sqlite3_close(db);
    cr_assert(error == REP_OK || error == REP_EFORMAT, "%d: %s", error, rep_db_message(NULL));
    if (!error) {
        free(sample_render(rep_render_json, &result));
        rep_result_free(&result);
    }
    return error;
}

Test(rep_db_damage, a_truncated_file_is_refused)
{
    struct image image;
    setup_image(&image);
    for (size_t n = 0; n < image.n; n += n < 200 ? 7 : 509) {
        store(&image, n);
        cr_assert_eq(read_all(image.path), REP_EFORMAT, "cut to %zu of %zu", n, image.n);
    }
    drop_image(&image);
}

Test(rep_db_damage, a_flipped_bit_anywhere_is_refused_or_harmless)
{
    struct image image;
    uint64_t seed = 99;
    setup_image(&image);
    unsigned refused = 0;
    for (int i = 0; i < 600; i++) {
        size_t at = i < 200 ? (size_t)i : sample_next(&seed) % image.n;
        unsigned char bit = (unsigned char)(1u << sample_next(&seed) % 8);
        image.bytes[at] ^= bit;
        store(&image, image.n);
        refused += read_all(image.path) != REP_OK;
        image.bytes[at] ^= bit;
    }
    cr_expect_gt(refused, 50u, "only %u were noticed", refused);
    drop_image(&image);
}

Test(rep_db_damage, a_page_of_rubbish_is_refused_or_harmless)
{
    struct image image;
    uint64_t seed = 5;
    setup_image(&image);
    unsigned refused = 0, pages = (unsigned)(image.n / 4096);
    for (size_t at = 4096; at + 4096 <= image.n; at += 4096) {
        unsigned char kept[4096];
        memcpy(kept, image.bytes + at, 4096);
        for (size_t i = 0; i < 4096; i++)
            image.bytes[at + i] = (unsigned char)sample_next(&seed);
        store(&image, image.n);
        refused += read_all(image.path) != REP_OK;
        memcpy(image.bytes + at, kept, 4096);
    }
    cr_expect_eq(refused, pages - 1, "%u of %u", refused, pages - 1);
    drop_image(&image);
}

Test(rep_db_damage, values_made_by_hand_are_checked)
{
    static const char *const changes[] = {
        "PRAGMA user_version = 3",
        "DELETE FROM run",
        "UPDATE run SET seed = 'seven'",
        "UPDATE run SET seed = '99999999999999999999999'",
        "UPDATE run SET devices = -1",
        "UPDATE run SET devices = 4294967296",
        "UPDATE run SET power_cuts = -5",
        "UPDATE run SET digest = printf('%.*c', 33, 'a')",
        "UPDATE run SET scenario = 'a' || char(0) || 'b'",
        "UPDATE device SET outcome = 'lost' WHERE position = 3",
        "UPDATE promise SET name = 'no_such' WHERE position = 0",
        "PRAGMA ignore_check_constraints = ON; UPDATE run SET exit_code = 9",
        "PRAGMA ignore_check_constraints = ON; UPDATE run SET verdict = 'fine'",
        "PRAGMA ignore_check_constraints = ON; UPDATE gate SET state = 'blue'",
        "PRAGMA ignore_check_constraints = ON; UPDATE observation SET lower_bound = 2",
        "PRAGMA ignore_check_constraints = ON; UPDATE observation SET before_lower_bound = 2",
        "DROP TABLE gate",
        "ALTER TABLE device DROP COLUMN token",
    };
    struct image image;
    setup_image(&image);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        sqlite3 *db;
        store(&image, image.n);
        cr_assert_eq(sqlite3_open(image.path, &db), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_OK, "%s", changes[i]);
        sqlite3_close(db);
        cr_expect_eq(read_all(image.path), REP_EFORMAT, "%s", changes[i]);
    }
    drop_image(&image);
}

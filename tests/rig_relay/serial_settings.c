/* Settings from texts, and the table of drivers. */
#include "serial_kit.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const colours[] = {"red", "green", NULL};
enum { TEXT, PATH, SECRET, NUMBER, FLAG, CHOICE, DURATION, LIST, MUST, SETTINGS };
static const struct rig_setting settings[] = {
    {"text", RIG_SETTING_TEXT, false, "fallen back", 0, 0, NULL, "a text"},
    {"path", RIG_SETTING_PATH, false, NULL, 0, 0, NULL, "a path"},
    {"secret", RIG_SETTING_SECRET, false, NULL, 0, 0, NULL, "a secret's file"},
    {"number", RIG_SETTING_NUMBER, false, "7", -5, 100, NULL, "a number"},
    {"flag", RIG_SETTING_FLAG, false, "false", 0, 0, NULL, "a flag"},
    {"choice", RIG_SETTING_CHOICE, false, "green", 0, 0, colours, "a choice"},
    {"duration", RIG_SETTING_DURATION, false, "500ms", 10, 60000, NULL, "a duration"},
    {"list", RIG_SETTING_LIST, false, NULL, 0, 0, NULL, "a list"},
    {"must", RIG_SETTING_TEXT, true, NULL, 0, 0, NULL, "the one that is needed"},
    {0},
};

static char message[200];
static struct rig_setting_value *value;

static int read_pairs(const char *const *pairs)
{
    return rig_setting_values(&value, settings, pairs, message, sizeof message);
}

Test(serial_settings, fallbacks_and_absent_ones)
{
    cr_assert_eq(read_pairs(PAIRS("must", "x")), RIG_OK, "%s", message);
    cr_expect_str_eq(value[TEXT].text, "fallen back");
    cr_expect_str_eq(value[MUST].text, "x");
    cr_expect(!value[PATH].given && !value[PATH].text);
    cr_expect(!value[LIST].given && !value[LIST].list);
    cr_expect_eq(value[NUMBER].number, 7);
    cr_expect_eq(value[CHOICE].number, 1);
    cr_expect_eq(value[DURATION].number, 500);
    cr_expect(value[NUMBER].given && value[FLAG].given && !value[FLAG].number);
    rig_setting_free(value, settings);
}

Test(serial_settings, each_kind)
{
    cr_assert_eq(read_pairs(PAIRS("must", "x", "text", "t", "path", "a/b", "number", "-5", "flag",
                                  "true", "choice", "red", "duration", "2s", "list", "one", "list",
                                  "two words", "list", "")),
                 RIG_OK, "%s", message);
    cr_expect_str_eq(value[TEXT].text, "t");
    cr_expect_str_eq(value[PATH].text, "a/b");
    cr_expect_eq(value[NUMBER].number, -5);
    cr_expect_eq(value[FLAG].number, 1);
    cr_expect_eq(value[CHOICE].number, 0);
    cr_expect_eq(value[DURATION].number, 2000);
    cr_assert(value[LIST].list);
    cr_expect_str_eq(value[LIST].list[0], "one");
    cr_expect_str_eq(value[LIST].list[1], "two words");
    cr_expect_str_eq(value[LIST].list[2], "");
    cr_expect_null(value[LIST].list[3]);
    rig_setting_free(value, settings);
    rig_setting_free(NULL, settings);
}

Test(serial_settings, refused_with_the_key_and_what_is_accepted)
{
    static const struct {
        const char *key, *text, *part;
    } rows[] = {
        {"number", "101", "number: 101 is not -5 to 100"},
        {"number", "-6", "number: -6 is not"},
        {"number", "7x", "number: 7x is not"},
        {"number", "99999999999999999999", "number: 999"},
        {"number", "", "number: is empty"},
        {"text", "", "text: is empty"},
        {"flag", "yes", "accepted: false, true"},
        {"choice", "blue", "choice: blue is none; accepted: red, green"},
        {"duration", "5ms", "10ms to 60000ms"},
        {"duration", "500", "duration: 500"},
        {"secret", "/tmp/rig-none/secret", "/tmp/rig-none/secret can't be read"},
        {"colour", "red", "colour: no such setting"},
        {"must", "twice", "must: is given twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        value = (struct rig_setting_value *)1;
        cr_expect_eq(read_pairs(PAIRS("must", "x", rows[i].key, rows[i].text)), RIG_EOPEN, "%s",
                     rows[i].text);
        cr_expect(strstr(message, rows[i].part), "%s", message);
        cr_expect_null(value);
    }
    cr_expect_eq(read_pairs(PAIRS("text", "x")), RIG_EOPEN);
    cr_expect(strstr(message, "must: is missing: the one that is needed"), "%s", message);
}

Test(serial_settings, a_secret_is_the_first_line_of_its_file)
{
    char file[] = "/tmp/rig-secret-XXXXXX";
    int fd = mkstemp(file);
    cr_assert_eq(write(fd, "let me in\r\nnot this\n", 20), 20);
    cr_assert_eq(read_pairs(PAIRS("must", "x", "secret", file)), RIG_OK, "%s", message);
    cr_expect_str_eq(value[SECRET].text, "let me in");
    rig_setting_free(value, settings);
    for (mode_t others = 0001; others <= 0040; others <<= 1) {
        cr_assert_eq(fchmod(fd, 0600 | others), 0);
        cr_expect_eq(read_pairs(PAIRS("must", "x", "secret", file)), RIG_EOPEN, "%o", others);
        cr_expect(strstr(message, "others may use it; chmod go= /tmp/rig-secret-"), "%s", message);
        cr_expect(!strstr(message, "let me in"));
    }
    cr_assert_eq(fchmod(fd, 0400), 0);
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_expect_eq(read_pairs(PAIRS("must", "x", "secret", file)), RIG_EOPEN);
    cr_expect(strstr(message, "first line is empty"), "%s", message);
    close(fd);
    unlink(file);
}

Test(serial_settings, relative_paths_are_of_the_bench_files_folder)
{
    struct rig_setting_value *one = rig_setting_make(settings);
    cr_assert_eq(
        rig_setting_read(&one[PATH], &settings[PATH], "tty", "/bench", message, sizeof message),
        RIG_OK);
    cr_expect_str_eq(one[PATH].text, "/bench/tty");
    rig_setting_free(one, settings);
    one = rig_setting_make(settings);
    cr_assert_eq(rig_setting_read(&one[PATH], &settings[PATH], "/dev/tty", "/bench", message,
                                  sizeof message),
                 RIG_OK);
    cr_expect_str_eq(one[PATH].text, "/dev/tty");
    rig_setting_free(one, settings);
}

/* Each setting of each driver: help, a fallback that its own parser takes, a choice's words. */
static void check_settings(const struct rig_relay_driver *driver)
{
    struct rig_setting_value *all = rig_setting_make(driver->setting);
    for (size_t i = 0; driver->setting[i].key; i++) {
        const struct rig_setting *s = &driver->setting[i];
        cr_expect(s->help && *s->help, "%s: %s: no help", driver->name, s->key);
        cr_expect(!s->required || !s->fallback, "%s: %s", driver->name, s->key);
        cr_expect(s->kind != RIG_SETTING_CHOICE || s->choice, "%s: %s", driver->name, s->key);
        if (s->fallback)
            cr_expect_eq(rig_setting_read(&all[i], s, s->fallback, NULL, message, sizeof message),
                         RIG_OK, "%s: %s: %s", driver->name, s->key, message);
    }
    rig_setting_free(all, driver->setting);
}

Test(serial_settings, the_table_is_sorted_and_whole)
{
    static const char *const must[] = {"devantech_usb", "hw667",  "kmtronic",
                                       "lcus",          "modbus", "numato"};
    for (size_t i = 0; rig_relay_drivers[i]; i++) {
        const struct rig_relay_driver *d = rig_relay_drivers[i];
        cr_expect(d->name && d->summary && d->setting && d->open && d->close && d->set);
        cr_expect_leq(d->channel_first, d->channel_last);
        cr_expect_eq(rig_relay_driver(d->name), d);
        if (i)
            cr_expect_lt(strcmp(rig_relay_drivers[i - 1]->name, d->name), 0, "%s", d->name);
        check_settings(d);
    }
    for (size_t i = 0; i < sizeof must / sizeof *must; i++)
        cr_expect(rig_relay_driver(must[i]), "%s", must[i]);
    cr_expect_null(rig_relay_driver("lcu"));
}

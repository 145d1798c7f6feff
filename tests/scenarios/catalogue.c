#include "files.h"
#include <dirent.h>

static char *read_file(const char *below)
{
    char path[1024];
    FILE *file = fopen(source_path(path, sizeof path, below), "r");
    cr_assert(file, "%s", path);
    char *text = calloc(1, 1 << 20);
    cr_assert(text);
    cr_assert_lt(fread(text, 1, (1 << 20) - 1, file), (size_t)(1 << 20) - 1);
    fclose(file);
    return text;
}

/* The reference in the README is the one that the tables give now. */
Test(scn_reference, the_readme_does_not_drift_from_the_tables)
{
    char *readme = read_file("scenarios/README.md"), *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cr_assert(out);
    cr_expect_eq(scn_reference_write(out), SCN_OK);
    fclose(out);
    cr_expect(strstr(readme, text), "run: build/bin/scn_reference --update scenarios/README.md");
    cr_expect(strstr(text, "| `telemetry_every` | duration | us, ms, s, m, h, d | `5m` |"));
    free(text);
    free(readme);
}

Test(scn_reference, every_struct_of_the_contract_has_its_section)
{
    static const char *const sections[] = {
        "fleet",  "device", "flash",  "firmware", "behaviour",       "health",  "campaign",
        "phases", "gates",  "faults", "expect",   "kinds of faults", "operator"};
    char *readme = read_file("scenarios/README.md");
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        char title[64];
        snprintf(title, sizeof title, "\n### %s\n", sections[i]);
        cr_expect(strstr(readme, title), "%s", sections[i]);
    }
    free(readme);
}

Test(scn_reference, each_scenario_is_right_named_after_its_file_and_in_the_readme)
{
    char folder[1024], *readme = read_file("scenarios/README.md");
    DIR *dir = opendir(source_path(folder, sizeof folder, "scenarios"));
    size_t files = 0;
    cr_assert(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[2048];
        struct scn_messages messages = {0};
        struct scn *scn;
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 5, ".yaml"))
            continue;
        files++;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        cr_assert_eq(scn_load(&scn, path, NULL, &messages), SCN_OK, "%s", messages.message[0].text);
        cr_expect_eq(messages.count, 0, "%s", messages.message[0].text);
        cr_expect(!strncmp(scn->name, entry->d_name, len - 5) && !scn->name[len - 5]);
        cr_expect(scn->summary[0] && scn->expect.given, "%s", entry->d_name);
        cr_expect(strstr(readme, entry->d_name), "%s is not in the README", entry->d_name);
        scn_free(scn);
    }
    closedir(dir);
    free(readme);
    cr_expect_geq(files, 8);
}

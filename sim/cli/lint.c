/* `brickyard lint` and `brickyard scenarios`: scenario files without a run. */
#include "cli.h"
#include "sim/world.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The images that the scenario names are read as a run would read them. */
static bool images_sound(const struct scn *scn)
{
    bool sound = true;
    for (uint32_t i = 0; i < scn->firmwares; i++) {
        struct sim_artifact image = {.from = &scn->firmware[i]};
        char message[2048];
        if (!*image.from->file)
            continue;
        if (sim_world_read_image(&image, scn, message, sizeof message)) {
            fprintf(stderr, "%s\n", message);
            sound = false;
        }
        free(image.bytes);
    }
    return sound;
}

/* Sound, and perhaps meant: but whoever writes a phase usually wants it to be able to stop. */
static void warn_gates(const struct scn *scn)
{
    for (uint32_t i = 0; i < scn->campaign.phases; i++) {
        const struct scn_phase *phase = &scn->campaign.phase[i];
        if (!phase->gates && !scn->campaign.standard_phases)
            fprintf(stderr, "warning: %s:%d:%d: phase %s has no gate: it always passes\n",
                    scn->path, phase->line, phase->column, phase->name);
    }
}

int cli_lint(int argc, char **argv)
{
    int code = CLI_OK;
    if (argc < 2) {
        fprintf(stderr, "usage: brickyard lint SCENARIO.yaml...\n");
        return CLI_USAGE;
    }
    for (int i = 1; i < argc; i++) {
        struct scn *scn = NULL;
        struct scn_messages messages = {0};
        int error = scn_load(&scn, argv[i], NULL, &messages);
        cli_messages(&messages);
        if (error || !images_sound(scn)) {
            code = CLI_USAGE;
        } else {
            warn_gates(scn);
            printf("%s: sound\n", argv[i]);
        }
        scn_free(scn);
    }
    return code;
}

static int is_yaml(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && !strcmp(dot, ".yaml");
}

int cli_scenarios(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "scenarios";
    struct dirent **list;
    int n = scandir(folder, &list, is_yaml, alphasort);
    if (n < 0) {
        fprintf(stderr, "brickyard scenarios: %s: %s; accepted: a folder with *.yaml files\n",
                folder, strerror(errno));
        return CLI_USAGE;
    }
    for (int i = 0; i < n; i++) {
        char path[2048];
        struct scn *scn = NULL;
        struct scn_messages messages = {0};
        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (scn_load(&scn, path, NULL, &messages))
            printf("%-48s  (broken: see `brickyard lint`)\n", path);
        else
            printf("%-48s  %s\n", path, scn->summary);
        scn_free(scn);
        free(list[i]);
    }
    free(list);
    return CLI_OK;
}

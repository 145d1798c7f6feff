/* `brickyard lint` and `brickyard scenarios`: scenario files without a run. */
#include "cli.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        if (error)
            code = CLI_USAGE;
        else
            printf("%s: sound\n", argv[i]);
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

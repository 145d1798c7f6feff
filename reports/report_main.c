/* `brickyard report`: see rep/report.h. */
#include "rep/report.h"

#include "rep/db.h"
#include "rep/render.h"

#include <popt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 1, EXIT_WRITE = 8 };

struct request {
    char *json, *junit, *html;
    char *db; /* owned, like the others */
};

static int complain(const char *what, const char *about)
{
    fprintf(stderr, "brickyard report: %s%s%s\n", what, about ? ": " : "", about ? about : "");
    return EXIT_USAGE;
}

static int take_arguments(poptContext context, struct request *request)
{
    int status = poptGetNextOpt(context);
    if (status < -1)
        return complain(poptStrerror(status), poptBadOption(context, POPT_BADOPTION_NOALIAS));
    const char *db = poptGetArg(context);
    if (!db)
        return complain("which result? Give the file that `brickyard run --db FILE` wrote", NULL);
    if (poptPeekArg(context))
        return complain("only one result at a time", poptPeekArg(context));
    if (request->html)
        return complain("--html is not built yet; use --json, --junit or the summary", NULL);
    request->db = strdup(db);
    return request->db ? 0 : complain("out of memory", NULL);
}

static int parse(struct request *request, int argc, char **argv)
{
    const struct poptOption options[] = {
        {"json", 0, POPT_ARG_STRING, &request->json, 0, "write JSON (\"-\": standard output)",
         "FILE"},
        {"junit", 0, POPT_ARG_STRING, &request->junit, 0, "write JUnit XML", "FILE"},
        {"html", 0, POPT_ARG_STRING, &request->html, 0, "not built yet", "FILE"},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("report", argc, (const char **)argv, options, 0);
    poptSetOtherOptionHelp(context, "RUN.db");
    int status = take_arguments(context, request);
    poptFreeContext(context);
    return status;
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int write_forms(const struct request *request, const struct rep_result *result)
{
    int error = REP_OK;
    if (request->json)
        error = rep_file(request->json, rep_render_json, result);
    if (!error && request->junit)
        error = rep_file(request->junit, rep_render_junit, result);
    if (!error && !is_stdout(request->json) && !is_stdout(request->junit)) {
        const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org */
        rep_render_terminal(stdout, result, isatty(STDOUT_FILENO) && !(no_colour && *no_colour));
        if (fflush(stdout))
            return complain("cannot write the summary to standard output", NULL), EXIT_WRITE;
    }
    return error ? complain(rep_db_message(NULL), NULL), EXIT_WRITE : result->exit_code;
}

static int show(const struct request *request)
{
    sqlite3 *db = NULL;
    struct rep_result result;
    int error = rep_db_open(&db, request->db);
    if (!error)
        error = rep_db_read(db, &result);
    sqlite3_close(db);
    if (error)
        return complain(rep_db_message(NULL), NULL);
    int code = write_forms(request, &result);
    rep_result_free(&result);
    return code;
}

int rep_main(int argc, char **argv)
{
    struct request request = {0};
    int code = parse(&request, argc, argv);
    if (!code)
        code = show(&request);
    free(request.json);
    free(request.junit);
    free(request.html);
    free(request.db);
    return code;
}

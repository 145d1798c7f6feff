/* accounts.csv: who may connect to a given broker, and by which secret. */
#include "sim/given.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_MAX_BYTES = SIM_ID_MAX + SIM_SECRET_MAX + 2, ACCOUNTS_MAX = SCN_DEVICES_MAX + 2 };

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct sim_account *)a)->device_id,
                  ((const struct sim_account *)b)->device_id);
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* What is wrong with the line; NULL: nothing. */
static const char *take(struct sim_account *out, char *line)
{
    size_t size = strlen(line);
    while (size && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        line[--size] = '\0';
    const char *comma = strchr(line, ',');
    size_t user = comma ? (size_t)(comma - line) : 0, secret = comma ? strlen(comma + 1) : 0;
    if (!comma)
        return "no comma";
    if (user < 1 || user >= sizeof out->device_id || !is_plain(line, user))
        return "no user before the comma";
    if (secret < 1 || secret >= sizeof out->secret || !is_plain(comma + 1, secret))
        return "no secret after the comma";
    snprintf(out->device_id, sizeof out->device_id, "%.*s", (int)user, line);
    snprintf(out->secret, sizeof out->secret, "%s", comma + 1);
    return NULL;
}

static struct sim_account *next_place(struct sim_given *out, uint32_t *room)
{
    if (out->accounts == ACCOUNTS_MAX)
        return NULL;
    if (out->accounts == *room) {
        *room = *room ? 2 * *room : 256;
        struct sim_account *more = realloc(out->account, *room * sizeof *more);
        if (!more)
            return NULL;
        out->account = more;
    }
    return &out->account[out->accounts];
}

/* The line is never shown: it holds a secret. */
static const char *read_lines(struct sim_given *out, FILE *file, unsigned *number)
{
    char line[LINE_MAX_BYTES + 2];
    uint32_t room = 0;
    for (*number = 1; fgets(line, sizeof line, file); ++*number) {
        size_t size = strlen(line);
        if (size == sizeof line - 1 && line[size - 1] != '\n')
            return "the line is too long";
        if (*line == '#' || *line == '\n' || *line == '\r')
            continue;
        struct sim_account *account = next_place(out, &room);
        const char *wrong = account ? take(account, line) : "there are too many";
        if (wrong)
            return wrong;
        out->accounts++;
    }
    return ferror(file) ? "it can't be read" : NULL;
}

static int check_unique(const struct sim_given *out, const char *path, char *message, size_t len)
{
    for (uint32_t i = 1; i < out->accounts; i++)
        if (!by_id(&out->account[i - 1], &out->account[i])) {
            snprintf(message, len, "--accounts %s: %s has two lines", path,
                     out->account[i].device_id);
            return -1;
        }
    if (sim_given_secret(out, "service"))
        return 0;
    snprintf(message, len, "--accounts %s: no line for `service`, the campaign service", path);
    return -1;
}

static int check_mode(FILE *file, const char *path, char *message, size_t len)
{
    struct stat facts;
    if (fstat(fileno(file), &facts) || !S_ISREG(facts.st_mode))
        snprintf(message, len, "--accounts %s: not a file", path);
    else if (facts.st_mode & (S_IRWXG | S_IRWXO))
        snprintf(message, len,
                 "--accounts %s: it holds secrets, and others may use it (mode %04o); "
                 "accepted: chmod 600",
                 path, (unsigned)facts.st_mode & 07777);
    else
        return 0;
    return -1;
}

int sim_given_accounts_read(struct sim_given *out, const char *path, char *message, size_t len)
{
    unsigned number = 0;
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(message, len, "--accounts %s: %s", path, strerror(errno));
        return -1;
    }
    int error = check_mode(file, path, message, len);
    const char *wrong = error ? NULL : read_lines(out, file, &number);
    fclose(file);
    if (wrong) {
        snprintf(message, len, "--accounts %s:%u: %s; accepted: user,secret", path, number, wrong);
        error = -1;
    }
    if (error)
        return error;
    if (out->accounts)
        qsort(out->account, out->accounts, sizeof *out->account, by_id);
    return check_unique(out, path, message, len);
}

const char *sim_given_secret(const struct sim_given *given, const char *user)
{
    struct sim_account wanted;
    snprintf(wanted.device_id, sizeof wanted.device_id, "%s", user);
    const struct sim_account *found =
        given->accounts ? bsearch(&wanted, given->account, given->accounts, sizeof wanted, by_id)
                        : NULL;
    return found ? found->secret : NULL;
}

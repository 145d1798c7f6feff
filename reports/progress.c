/* The live display. It is the only file of this room that reads a clock. */
#include "rep/render.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR_MIN = 8, BAR_MAX = 20 };
static const double every_terminal_s = 0.1, every_plain_s = 5.0;

static double wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void rep_progress_start(struct rep_progress *progress, FILE *out, bool quiet)
{
    progress->out = out;
    progress->quiet = quiet;
    progress->terminal = isatty(fileno(out)) == 1;
    progress->started = wall_s();
    /* The first call shows something at once: that the program lives is news, too. */
    progress->last = progress->started - every_plain_s;
}

/* Where in the run, 0 to 1000; unknown ends count as the beginning. */
static int64_t permille(const struct rep_progress_now *now)
{
    if (now->virtual_end_us <= 0 || now->virtual_us <= 0)
        return 0;
    if (now->virtual_us >= now->virtual_end_us)
        return 1000;
    return (int64_t)((__int128)now->virtual_us * 1000 / now->virtual_end_us);
}

/* Supposes that the rest goes as fast as what is done; nothing before 2 % of it. */
static void time_left(char *text, size_t room, double elapsed, int64_t done)
{
    double left = done > 0 ? elapsed * (double)(1000 - done) / (double)done : 0;
    if (done < 20)
        snprintf(text, room, "-");
    else if (left < 90)
        snprintf(text, room, "%.0f s", left);
    else
        snprintf(text, room, "%.0f min", left / 60);
}

/* Columns of the terminal; 80 where it does not say. */
static size_t columns_of(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static void put_counts(char *text, size_t room, const struct rep_progress_now *now, bool wide)
{
    snprintf(text, room,
             wide ? "%u/%u confirmed, %u rolled back, %u bricked" : "%u/%u ok, %u back, %u bricked",
             now->confirmed, now->cohort, now->rolled_back, now->bricked);
}

static void put_time(char *text, size_t room, const struct rep_progress_now *now)
{
    int64_t minutes = now->virtual_us > 0 ? now->virtual_us / 60000000 : 0;
    snprintf(text, room, "day %lld %02lld:%02lld %.16s", (long long)(minutes / 1440),
             (long long)(minutes / 60 % 24), (long long)(minutes % 60),
             now->phase ? now->phase : "-");
}

/* Rewritten in place: the bar takes the columns that are left, and where they are few the words get
 * shorter first. */
static void bar_line(char *line, size_t room, size_t columns, const struct rep_progress_now *now,
                     const char *left)
{
    char begin[64], counts[96], bar[BAR_MAX + 1];
    put_time(begin, sizeof begin, now);
    put_counts(counts, sizeof counts, now, true);
    size_t others = strlen(begin) + strlen(left) + strlen(" [] , left ");
    bool wide = others + strlen(counts) + BAR_MIN <= columns;
    put_counts(counts, sizeof counts, now, wide);
    others += strlen(counts);
    size_t cells = others < columns ? columns - others : 0;
    cells = cells > BAR_MAX ? BAR_MAX : cells;
    size_t full = cells * (size_t)permille(now) / 1000;
    memset(bar, '-', cells);
    memset(bar, '#', full);
    bar[cells] = 0;
    snprintf(line, room, "%s [%s] %s, left %s", begin, bar, counts, left);
}

static void plain_line(char *line, size_t room, const struct rep_progress_now *now,
                       const char *left)
{
    char begin[64], counts[96];
    put_time(begin, sizeof begin, now);
    put_counts(counts, sizeof counts, now, true);
    snprintf(line, room, "%s: %s, left %s", begin, counts, left);
}

bool rep_progress_due(struct rep_progress *progress)
{
    if (progress->quiet)
        return false;
    double at = wall_s();
    if (at - progress->last < (progress->terminal ? every_terminal_s : every_plain_s))
        return false;
    progress->last = at;
    return true;
}

void rep_progress_line(struct rep_progress *progress, const char *text)
{
    if (progress->terminal)
        fprintf(progress->out, "\r%.*s\033[K", (int)columns_of(progress->out) - 1, text);
    else
        fprintf(progress->out, "%s\n", text);
    fflush(progress->out);
}

void rep_progress_show(struct rep_progress *progress, const struct rep_progress_now *now)
{
    char left[32], line[512];
    if (!rep_progress_due(progress))
        return;
    time_left(left, sizeof left, progress->last - progress->started, permille(now));
    if (progress->terminal)
        bar_line(line, sizeof line, columns_of(progress->out) - 1, now, left);
    else
        plain_line(line, sizeof line, now, left);
    rep_progress_line(progress, line);
}

void rep_progress_end(struct rep_progress *progress)
{
    if (progress->quiet || !progress->terminal)
        return;
    fputs("\r\033[K", progress->out);
    fflush(progress->out);
}

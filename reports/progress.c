/* The live display. It is the only file of this room that reads a clock. */
#include "rep/render.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 20 };
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

static void put_line(const struct rep_progress *progress, const struct rep_progress_now *now,
                     double elapsed)
{
    int64_t done = permille(now), minutes = now->virtual_us > 0 ? now->virtual_us / 60000000 : 0;
    char bar[BAR + 1], left[32];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < done * BAR / 1000 ? '#' : '-';
    bar[BAR] = 0;
    time_left(left, sizeof left, elapsed, done);
    fprintf(progress->out, "day %lld %02lld:%02lld %-12.12s ", (long long)(minutes / 1440),
            (long long)(minutes / 60 % 24), (long long)(minutes % 60),
            now->phase ? now->phase : "-");
    if (progress->terminal)
        fprintf(progress->out, "[%s] ", bar);
    fprintf(progress->out, "%u/%u confirmed, %u rolled back, %u bricked, left %s", now->confirmed,
            now->cohort, now->rolled_back, now->bricked, left);
}

void rep_progress_show(struct rep_progress *progress, const struct rep_progress_now *now)
{
    if (progress->quiet)
        return;
    double at = wall_s();
    if (at - progress->last < (progress->terminal ? every_terminal_s : every_plain_s))
        return;
    progress->last = at;
    if (progress->terminal)
        fputs("\r", progress->out);
    put_line(progress, now, at - progress->started);
    fputs(progress->terminal ? "\033[K" : "\n", progress->out);
    fflush(progress->out);
}

void rep_progress_end(struct rep_progress *progress)
{
    if (progress->quiet || !progress->terminal)
        return;
    fputs("\r\033[K", progress->out);
    fflush(progress->out);
}

/* The control socket by itself, where a process runs out of what it needs. */
#include "daemon_kit/control.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool obey(void *ctx, char answer[AGENT_KIT_ANSWER_MAX], const char *line, size_t len)
{
    (void)ctx, (void)line, (void)len;
    strcpy(answer, "{}");
    return true;
}

static void enough(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

/* How often the loop came round within so many seconds. */
static unsigned rounds(struct ev_loop *loop, double seconds)
{
    ev_timer timer;
    unsigned before = ev_iteration(loop);
    ev_timer_init(&timer, enough, seconds, 0);
    ev_timer_start(loop, &timer);
    ev_run(loop, 0);
    return ev_iteration(loop) - before;
}

static int ask(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    strcpy(at.sun_path, path);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(write(fd, "status\n", 7), 7);
    return fd;
}

/* A loop that spins comes round thousands of times a second. */
Test(agentd_control, without_a_descriptor_the_loop_rests_and_who_waited_is_answered)
{
    char dir[] = "/tmp/control-XXXXXX", path[64], answer[8] = "";
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct agent_kit_control *control;
    struct rlimit files;
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/socket", dir);
    const struct agent_kit_control_config config = {.loop = loop,
                                                    .path = path,
                                                    .clients = 2,
                                                    .line_bytes = AGENT_KIT_LINE_MAX,
                                                    .too_long = "{}",
                                                    .obey = obey};
    cr_assert_eq(agent_kit_control_open(&control, &config), 0);
    int client = ask(path), next = dup(client);
    cr_assert(next > client && !getrlimit(RLIMIT_NOFILE, &files));
    close(next);
    const rlim_t before = files.rlim_cur;
    files.rlim_cur = (rlim_t)next; /* all below are taken */
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    unsigned came = rounds(loop, 0.5);
    cr_expect_leq(came, 30, "%u", came);
    cr_expect_lt(read(client, answer, sizeof answer), 0, "nobody was there to answer");
    files.rlim_cur = before;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    for (int i = 0; i < 100 && read(client, answer, sizeof answer) <= 0; i++)
        rounds(loop, 0.1);
    cr_expect_eq(memcmp(answer, "{}\n", 3), 0);
    close(client);
    agent_kit_control_close(control);
    ev_loop_destroy(loop);
    rmdir(dir);
}

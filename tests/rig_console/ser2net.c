/* A serial port that a real ser2net brings to TCP. */
#include "kit.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct heard heard;
static pid_t server;
static char folder[64], host[24];

TestSuite(console_ser2net);

static void stop_server(void)
{
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        server = 0;
    }
}

static void start_server(const char *config)
{
    pid_t parent = getpid();
    server = fork();
    cr_assert_geq(server, 0);
    if (server)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    execl("/usr/sbin/ser2net", "ser2net", "-n", "-u", "-c", config, (char *)NULL);
    _exit(127);
}

static bool listens(uint16_t port)
{
    char message[128];
    int fd;
    if (rig_port_tcp(&fd, host, port, 10000, message, sizeof message))
        return false;
    close(fd);
    return true;
}

static bool is_gone(const struct heard *it)
{
    return it->gone > 0;
}

static bool is_back(const struct heard *it)
{
    return it->back > 0;
}

static void say_until_heard(int master, const char *line, uint64_t lines)
{
    /* ser2net opens the port for each connection, and what came before is thrown away. */
    for (int i = 0; i < 1000 && heard.lines < lines; i++) {
        say(master, line);
        heard_turn(&heard, 50);
    }
    cr_assert_geq(heard.lines, lines);
}

Test(console_ser2net, lines_come_and_go_and_it_comes_back_after_a_restart)
{
    char name[64], config_path[96], got[64] = "";
    const uint16_t port = 16300; /* at an address of its own, where nobody else takes it */
    unsigned pid = (unsigned)getpid();
    int master = pty_make(name, sizeof name);
    /* Somebody keeps the pty open, as hardware is there between two connections. */
    int keep = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios raw;
    cr_assert(keep >= 0 && !tcgetattr(keep, &raw));
    cfmakeraw(&raw);
    cr_assert(!tcsetattr(keep, TCSANOW, &raw));
    folder_make(folder, sizeof folder);
    snprintf(config_path, sizeof config_path, "%s/ser2net.yaml", folder);
    snprintf(host, sizeof host, "127.%u.%u.%u", 16 + (pid >> 16 & 63), pid >> 8 & 255, pid & 255);
    FILE *file = fopen(config_path, "w");
    cr_assert(file);
    fprintf(file,
            "connection: &board\n    accepter: tcp,%s,%u\n"
            "    connector: serialdev,%s,115200n81,local\n",
            host, port, name);
    fclose(file);
    start_server(config_path);
    for (int i = 0; i < 1000 && !listens(port); i++)
        usleep(50000);
    usleep(300000); /* it lets go of the port that listens() had */
    heard_init(&heard);
    struct rig_console_config config = heard_config(&heard, NULL);
    config.at = (struct rig_console_at){.kind = RIG_CONSOLE_TCP, .host = host, .port = port};
    heard_open(&heard, &config);
    say_until_heard(master, "through ser2net\r\n", 1);
    cr_assert_str_eq(heard_last(&heard), "through ser2net");
    cr_assert_eq(rig_console_write(heard.console, "reset\n", 6), RIG_OK);
    cr_assert_eq(rig_port_read_until(master, got, sizeof got, '\n', 60000), RIG_OK);
    cr_assert_str_eq(got, "reset\n");
    heard.gone = heard.back = 0; /* it may have been sent away for the connection of listens() */
    stop_server();
    heard_wait(&heard, "gone", is_gone);
    start_server(config_path);
    heard_wait(&heard, "back", is_back);
    uint64_t before = heard.lines;
    say_until_heard(master, "restarted\n", before + 1);
    cr_assert_str_eq(heard_last(&heard), "restarted");
    heard_end(&heard);
    stop_server();
    close(keep);
    close(master);
    folder_remove(folder);
}

#include "world.h"
#include "certs.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct world world;

static void on_guard(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    cr_assert_fail("waited for ever");
}

const char *world_path(const char *file)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", world.folder, file);
    return path;
}

void world_write(const char *file, const void *bytes, size_t len)
{
    FILE *out = fopen(world_path(file), "w");
    cr_assert(out && fwrite(bytes, 1, len, out) == len);
    cr_assert_eq(fclose(out), 0);
}

void world_open(void)
{
    char why[160];
    unsigned id = (unsigned)getpid();
    world = (struct world){.loop = ev_loop_new(EVFLAG_AUTO)};
    strcpy(world.folder, "/tmp/brickyard-drivers-XXXXXX");
    cr_assert(mkdtemp(world.folder));
    snprintf(world.address, sizeof world.address, "127.%u.%u.%u", 1 + (id >> 14 & 127),
             id >> 7 & 127, 1 + (id & 127));
    cr_assert(certs_make(world.folder, world.address));
    cr_assert_eq(agent_tls_create(&world.tls, world_path("ca.pem"), why, sizeof why), 0, "%s", why);
    ev_timer_init(&world.guard, on_guard, 240, 0);
    ev_timer_start(world.loop, &world.guard);
    ev_unref(world.loop);
}

static void end_child(pid_t *pid, int how)
{
    if (*pid > 0) {
        kill(*pid, how);
        waitpid(*pid, NULL, 0);
    }
    *pid = 0;
}

static void run(const char *const *command)
{
    pid_t pid = fork();
    if (!pid) {
        execvp(command[0], (char *const *)(uintptr_t)command);
        _exit(127);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    cr_assert_eq(status, 0, "%s: status %x", command[0], (unsigned)status);
}

void world_close(void)
{
    end_child(&world.broker, SIGKILL);
    end_child(&world.web, SIGKILL);
    agent_tls_free(world.tls);
    ev_ref(world.loop);
    ev_timer_stop(world.loop, &world.guard);
    ev_loop_destroy(world.loop);
    run((const char *const[]){"rm", "-rf", world.folder, NULL});
}

void world_turn(void)
{
    ev_run(world.loop, EVRUN_ONCE);
}

void world_turns(int turns)
{
    while (turns--)
        ev_run(world.loop, EVRUN_NOWAIT);
}

int world_fds(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static struct sockaddr_in at(uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, world.address, &in.sin_addr);
    return in;
}

uint16_t world_free_port(void)
{
    struct sockaddr_in in = at(0);
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
    getsockname(fd, (struct sockaddr *)&in, &len);
    close(fd);
    return ntohs(in.sin_port);
}

static pid_t start(const char *const *command, const char *log)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", world.folder, log);
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    for (int other = 3; other < 256; other++)
        close(other);
    execvp(command[0], (char *const *)(uintptr_t)command);
    _exit(127);
}

static bool listening(uint16_t port)
{
    struct sockaddr_in in = at(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool yes = !connect(fd, (struct sockaddr *)&in, sizeof in);
    close(fd);
    return yes;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
}

static void until_listening(pid_t pid, uint16_t port)
{
    ev_timer tick;
    ev_timer_init(&tick, on_tick, 0.002, 0.002);
    ev_timer_start(world.loop, &tick);
    while (!listening(port)) {
        cr_assert_eq(waitpid(pid, NULL, WNOHANG), 0, "the server ended, see %s", world.folder);
        world_turn();
    }
    ev_timer_stop(world.loop, &tick);
}

void world_broker_again(void)
{
    char conf[160];
    snprintf(conf, sizeof conf, "%s", world_path("mosquitto.conf"));
    world.broker = start((const char *const[]){"mosquitto", "-c", conf, NULL}, "mosquitto.log");
    until_listening(world.broker, world.broker_port);
}

void world_broker(const char *certificate, const char *settings)
{
    char text[2000];
    const char *in = world.folder;
    world.broker_port = world_free_port();
    int len = snprintf(text, sizeof text,
                       "user root\nper_listener_settings false\n%s\n"
                       "listener %u %s\ncafile %s/ca.pem\ncertfile %s/%s.pem\nkeyfile %s/%s.key\n",
                       strstr(settings, "password_file") ? settings : "allow_anonymous true",
                       world.broker_port, world.address, in, in, certificate, in, certificate);
    len += snprintf(text + len, sizeof text - (size_t)len, "%s\n",
                    strstr(settings, "password_file") ? "" : settings);
    world_write("mosquitto.conf", text, (size_t)len);
    world_broker_again();
}

void world_broker_stop(int signal)
{
    end_child(&world.broker, signal);
}

void world_password(const char *user, const char *secret)
{
    char file[160];
    snprintf(file, sizeof file, "%s", world_path("passwords"));
    run((const char *const[]){"mosquitto_passwd", "-b", "-c", file, user, secret, NULL});
}

static const char web_conf[] =
    "worker_processes 1; daemon off; master_process off; user root; pid %s/nginx.pid;\n"
    "error_log %s/nginx.log; events { worker_connections 20000; }\n"
    "http { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p;\n"
    "fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s; root %s/web;\n"
    "ssl_certificate %s/%s.pem; ssl_certificate_key %s/%s.key; ssl_client_certificate %s/ca.pem;\n"
    "default_type application/octet-stream;\n"
    "server { listen %s:%u ssl; location /denied { return 403; } location /moved { return 302 "
    "/image.bin; } location /packed { add_header Content-Encoding gzip; alias %s/web/image.bin; } "
    "location /slow/ { limit_rate 2000; alias %s/web/; } }\n"
    "server { listen %s:%u ssl; ssl_verify_client on; } }\n";

static void make_image(void)
{
    uint32_t state = 1;
    for (int i = 0; i < WORLD_IMAGE_BYTES; i++) {
        state = state * 1664525u + 1013904223u;
        world.image[i] = (char)(state >> 24);
    }
    run((const char *const[]){"mkdir", world_path("web"), NULL});
    world_write("web/image.bin", world.image, sizeof world.image);
    world_write("web/empty.bin", "", 0);
}

void world_web(const char *certificate)
{
    char text[3000], conf[160];
    const char *in = world.folder;
    make_image();
    world.web_port = world_free_port();
    do
        world.mutual_port = world_free_port();
    while (world.mutual_port == world.web_port);
    int len = snprintf(text, sizeof text, web_conf, in, in, in, in, in, in, in, in, in, certificate,
                       in, certificate, in, world.address, world.web_port, in, in, world.address,
                       world.mutual_port);
    world_write("nginx.conf", text, (size_t)len);
    snprintf(conf, sizeof conf, "%s", world_path("nginx.conf"));
    world.web =
        start((const char *const[]){"nginx", "-c", conf, "-p", world.folder, NULL}, "nginx.out");
    until_listening(world.web, world.mutual_port);
}

#include "bench.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct rig_relay_driver eight = {
    .name = "eight", .channel_first = 1, .channel_last = 8};
static const struct rig_relay_driver four = {.name = "four", .channel_last = 3};
#define CONTACT(c, n)                                                                              \
    {                                                                                              \
        .controller = c, .channel = n, .off_at_least_ms = 500, .hold_ms = 100                      \
    }
#define NONE                                                                                       \
    {                                                                                              \
        .controller = -1                                                                           \
    }

struct rig_bench *test_bench(void)
{
    static struct rig_bench bench = {
        .name = "desk",
        .file = "desk.yaml",
        .controller = {{.name = "bank-1", .driver = &eight}, {.name = "bank-2", .driver = &four}},
        .controllers = 2,
        .board = {{.name = "pump-1",
                   .power = CONTACT(0, 1),
                   .reset = CONTACT(0, 2),
                   .strap = {{"recovery", CONTACT(0, 3)}},
                   .straps = 1},
                  {.name = "pump-2", .power = {0, 4, true, 500, 100}, .reset = NONE},
                  {.name = "mute", .power = NONE, .reset = NONE}},
        .boards = 3,
    };
    return &bench;
}

static void note(struct fake *fake, const char *text)
{
    size_t n = strlen(fake->log);
    snprintf(fake->log + n, sizeof fake->log - n, "%s;", text);
}

static int fake_take(void *ctx, void **held, const struct rig_outlet *outlet, char *message,
                     size_t len)
{
    struct fake *fake = ctx;
    const char *name = outlet->board ? outlet->board->name : "-";
    char text[80];
    pthread_mutex_lock(&fake->mutex);
    int error = fake->take_error;
    snprintf(text, sizeof text, "take %s", name);
    note(fake, text);
    if (error)
        snprintf(message, len, "%s is in use by alice (pid 123, brickyard rig burnin)", name);
    else
        fake->taken++;
    pthread_mutex_unlock(&fake->mutex);
    *held = (void *)(uintptr_t)name;
    return error;
}

static void fake_let_go(void *ctx, void *held)
{
    struct fake *fake = ctx;
    char text[80];
    pthread_mutex_lock(&fake->mutex);
    snprintf(text, sizeof text, "let go %s", (const char *)held);
    note(fake, text);
    fake->taken--;
    pthread_mutex_unlock(&fake->mutex);
}

static int fake_set(void *ctx, const struct rig_outlet *outlet, bool on, char *message, size_t len)
{
    struct fake *fake = ctx;
    char text[120];
    pthread_mutex_lock(&fake->mutex);
    snprintf(text, sizeof text, "set %s %d.%u %s %u:%u", outlet->board ? outlet->board->name : "-",
             (int)outlet->function, outlet->strap, on ? "on" : "off", outlet->controller,
             outlet->channel);
    note(fake, text);
    int error = fake->sets >= fake->from ? fake->set_error : 0;
    fake->set_us[fake->sets++ % 64] = rig_port_now_us();
    pthread_cond_broadcast(&fake->changed);
    while (fake->held_up)
        pthread_cond_wait(&fake->changed, &fake->mutex);
    pthread_mutex_unlock(&fake->mutex);
    if (error)
        snprintf(message, len, "no answer to FF 09 00 within 500 ms");
    return error;
}

void fake_init(struct fake *fake)
{
    static const struct rig_server_ops ops = {fake_take, fake_let_go, fake_set};
    memset(fake, 0, sizeof *fake);
    fake->ops = &ops;
    pthread_mutex_init(&fake->mutex, NULL);
    pthread_cond_init(&fake->changed, NULL);
}

void fake_let(struct fake *fake)
{
    pthread_mutex_lock(&fake->mutex);
    fake->held_up = false;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
}

void fake_wait_for_sets(struct fake *fake, uint32_t n)
{
    pthread_mutex_lock(&fake->mutex);
    while (fake->sets < n)
        pthread_cond_wait(&fake->changed, &fake->mutex);
    pthread_mutex_unlock(&fake->mutex);
}

struct rig_server *start(struct fake *fake, const char *where, const char *token_file)
{
    char message[RIG_SERVER_MESSAGE_MAX] = "";
    struct rig_server *server;
    const struct rig_server_config config = {.bench = test_bench(),
                                             .listen = where,
                                             .token_file = token_file,
                                             .ops = fake->ops,
                                             .ctx = fake};
    cr_assert_eq(rig_server_start(&server, &config, message, sizeof message), 0, "%s", message);
    return server;
}

int client_open(const struct rig_server *server)
{
    const struct timeval limit = {.tv_sec = 120};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_port = htons((uint16_t)atoi(strrchr(rig_server_url(server), ':') + 1));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

size_t client_read(int fd, char *reply, size_t room)
{
    size_t n = 0;
    for (ssize_t got; n + 1 < room && (got = read(fd, reply + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    reply[n] = '\0';
    close(fd);
    return n;
}

size_t client_ask(const struct rig_server *server, const char *text, char *reply, size_t room)
{
    int fd = client_open(server);
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    return client_read(fd, reply, room);
}

const char *body_of(const char *reply)
{
    const char *end = strstr(reply, "\r\n\r\n");
    return end ? end + 4 : "";
}

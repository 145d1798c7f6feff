/* TCP and Unix sockets on loopback. */
#include "kit.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

static char message[200];

static int listen_tcp(uint16_t *port, int backlog)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert(backlog < 0 || !listen(fd, backlog));
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void expect_talks(int fd, int server)
{
    char text[4];
    size_t got;
    int at_server = accept(server, NULL, NULL);
    cr_assert_eq(rig_port_write(fd, "ab", 2, WAIT_MS), RIG_OK);
    cr_assert_eq(rig_port_read(at_server, text, 2, &got, WAIT_MS), RIG_OK);
    cr_expect_eq(memcmp(text, "ab", 2), 0);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(at_server);
    cr_expect_eq(rig_port_read(fd, text, 1, &got, WAIT_MS), RIG_EGONE);
}

Test(port_connect, tcp_by_address_and_by_name)
{
    uint16_t port;
    int server = listen_tcp(&port, 4), fd, on = 0;
    socklen_t len = sizeof on;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (int i = 0; i < 2; i++) {
        int error = rig_port_tcp(&fd, hosts[i], port, WAIT_MS, message, sizeof message);
        cr_assert_eq(error, RIG_OK, "%s", message);
        cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
        cr_expect(on);
        expect_talks(fd, server);
        close(fd);
    }
    close(server);
}

Test(port_connect, tcp_nobody_listens)
{
    uint16_t port;
    int fd = 0, held = listen_tcp(&port, -1); /* nobody else takes it */
    cr_expect_eq(rig_port_tcp(&fd, "127.0.0.1", port, WAIT_MS, message, sizeof message), RIG_EOPEN);
    cr_expect_eq(fd, -1);
    cr_expect(strstr(message, "127.0.0.1:") && strstr(message, "refused"), "%s", message);
    close(held);
}

Test(port_connect, tcp_no_such_host)
{
    int fd;
    cr_expect_eq(rig_port_tcp(&fd, "300.1.1.1.invalid", 80, WAIT_MS, message, sizeof message),
                 RIG_EOPEN);
    cr_expect(strstr(message, "300.1.1.1.invalid:80"), "%s", message);
}

/* A listener whose queue is full does not answer: the deadline holds. */
Test(port_connect, tcp_silent)
{
    uint16_t port;
    int server = listen_tcp(&port, 0), filler[8], fd = -1, error = RIG_OK;
    int64_t took_us = 0;
    for (int i = 0; i < 8; i++) {
        int64_t since_us = rig_port_now_us();
        error = rig_port_tcp(&filler[i], "127.0.0.1", port, 100, message, sizeof message);
        took_us = rig_port_now_us() - since_us;
        if (error) {
            fd = i;
            break;
        }
    }
    cr_expect_eq(error, RIG_ESILENT);
    cr_expect(took_us >= 99000 && took_us < 30000000, "took %d us", (int)took_us);
    for (int i = 0; i < fd; i++)
        close(filler[i]);
    close(server);
}

Test(port_connect, unix_socket)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "/tmp/rig-port-%d.sock", (int)getpid());
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
    unlink(at.sun_path);
    cr_assert_eq(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(server, 1), 0);
    int error = rig_port_unix(&fd, at.sun_path, message, sizeof message);
    cr_assert_eq(error, RIG_OK, "%s", message);
    expect_talks(fd, server);
    close(fd);
    close(server);
    cr_expect_eq(rig_port_unix(&fd, at.sun_path, message, sizeof message), RIG_EOPEN);
    cr_expect(strstr(message, at.sun_path));
    unlink(at.sun_path);
    cr_expect_eq(rig_port_unix(&fd, at.sun_path, message, sizeof message), RIG_EOPEN);
}

Test(port_connect, unix_path_too_long)
{
    char path[200];
    int fd;
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    cr_expect_eq(rig_port_unix(&fd, path, message, sizeof message), RIG_EOPEN);
    cr_expect_eq(fd, -1);
}
